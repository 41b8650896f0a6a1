"""SPL, Splunk's search language: its text rules, printers, grammars and reader."""
