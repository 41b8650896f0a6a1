"""Reading Elastic's own rules: TOML files of its detection-rules repository, and NDJSON that Kibana exports.

documents.py finds the rules in a text and where things stand in it; metadata.py reads what a rule says of
itself, logic.py and the language modules beside it what it asks of events; reader.py puts the canonical rule
together.
"""
