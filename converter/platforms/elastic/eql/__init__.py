"""Elastic's Event Query Language: writer, grammar, reader."""

from converter.platforms.elastic.eql.writer import write

__all__ = ["write"]
