"""ES|QL: writing rule conditions and thresholds, and reading queries with the language's exact meaning.

:func:`condition` and :func:`query` write, :func:`read_query` and :func:`read_condition` read, and
:func:`minimum_stack` tells which Elastic version a query needs.
"""

from converter.platforms.elastic.esql.writer import condition, query

__all__ = ["condition", "query"]
