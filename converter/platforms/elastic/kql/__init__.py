"""The Kibana Query Language: writer, grammar, reader."""

from converter.platforms.elastic.kql.reader import read
from converter.platforms.elastic.kql.writer import write

__all__ = ["read", "write"]
