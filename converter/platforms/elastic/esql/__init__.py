"""ES|QL: writing rule conditions and thresholds, and reading queries with the language's exact meaning.

:func:`condition` and :func:`query` write, :func:`read_condition` and :func:`read_query` read, and
:func:`minimum_stack` tells which Elastic version a query needs. From text to meaning a query passes
parse.py (tree.py), scalars.py and conditions.py (atoms.py, compare.py), reader.py; the way back is
writer.py, predicates.py, operands.py, condition.py, text.py.
"""

from converter.platforms.elastic.esql.reader import read_condition, read_query
from converter.platforms.elastic.esql.reading import Reading
from converter.platforms.elastic.esql.stack import minimum_stack
from converter.platforms.elastic.esql.writer import condition, query

__all__ = ["Reading", "condition", "minimum_stack", "query", "read_condition", "read_query"]
