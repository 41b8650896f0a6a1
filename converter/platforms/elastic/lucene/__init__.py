"""Lucene's query strings: the grammar. The reader is importing/lucene.py."""
