"""PyPI's ``eql``, Elastic's own Python parser and engine, on the EQL that is written.

It is not Elasticsearch: strings are compared without case whatever the operator, a list has no elements, a
missing field is unknown also below ``not``, and ``cidrMatch`` and most functions are absent (its
``eql/engine.py``). So a condition is run only if it is made of what both define alike, and an event only
where those differences cannot show; the rest is skipped, and says why.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final, TypeAlias

from converter.model.diagnostics import MissingExtraError, RuleError
from converter.platforms.base import Artifact, Skip, StoredEvent

Node: TypeAlias = Any
"""A node of the ``eql`` package's syntax tree; it ships no types."""

_OTHER_LANGUAGE: Final = "not EQL"
_CATEGORY: Final = "event.category"
_BEYOND: Final[Mapping[str, str]] = {
    r"\\u\{[0-9a-f]+\}": "an escape that the package misreads",
    r"\bregex~?\s": "a regular expression, of another kind there",
    r"\] with runs=": "repeated steps",
}
"""What a query is not run for: pattern → reason."""
_TEXT_FUNCTIONS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "wildcard": lambda value, pattern: fnmatchcase(value, pattern.replace("[", "[[]")),
    "startsWith": lambda value, start: value.startswith(start),
    "endsWith": lambda value, end: value.endswith(end),
    "stringContains": lambda value, part: part in value,
}
"""What may be asked of a text, and what that is when case counts."""


class PythonEql:
    """Runs the conditions of emitted EQL. Raises MissingExtraError where ``eql`` is not installed."""

    name = "eql"

    def __init__(self) -> None:
        try:
            import eql
            import eql.events
        except ImportError as error:
            raise MissingExtraError("eql is not installed; install the extra `engines`") from error
        self.version = importlib.metadata.version("eql")
        self._eql = eql
        self._steps: dict[str, list[_Condition] | Skip] = {}

    def verdicts(self, artifact: Artifact, events: Iterable[StoredEvent], step: int = 0) -> list[bool | Skip]:
        """One verdict per event, or why there is none. Raises RuleError for a query that does not parse."""
        if artifact.language != "eql":
            return [Skip(_OTHER_LANGUAGE) for _ in events]
        if artifact.query not in self._steps:
            self._steps[artifact.query] = self._read(artifact)
        steps = self._steps[artifact.query]
        if isinstance(steps, Skip):
            return [steps for _ in events]
        return [steps[step].verdict(event) for event in events]

    def _read(self, artifact: Artifact) -> list[_Condition] | Skip:
        """The condition of each step."""
        for pattern, reason in _BEYOND.items():
            if re.search(pattern, artifact.query):
                return Skip(reason)
        parser = self._eql.parser
        try:
            with (
                parser.elasticsearch_syntax,
                parser.skip_optimizations,  # they take a field that is "a" and "b" for a contradiction
                parser.ignore_missing_functions,
                parser.allow_runs,
                parser.allow_negation,
            ):
                tree = parser.parse_query(artifact.query).first
        except self._eql.EqlError as error:
            raise RuleError(f"rule {artifact.rule_id}: the EQL does not parse: {error}") from error
        queries = [tree] if isinstance(tree, self._eql.ast.EventQuery) else [q.query for q in tree.queries]
        return [_Condition(self._eql, query) for query in queries]


class _Condition:
    """One event query: compiled, with what it asks of which field."""

    def __init__(self, eql: Any, query: Node) -> None:
        self._ast = eql.ast
        self._event: Callable[..., Any] = eql.events.Event
        self._category = query.event_type
        self._unknown: str | None = None
        self._negated: set[str] = set()
        self._fields: dict[str, str] = {}
        self._asked: list[tuple[str, Callable[[str, str], bool], tuple[Any, ...]]] = []
        self._look(query.query, False)
        self._query = query.query

    @cached_property
    def _holds(self) -> Callable[[Any], Any]:
        from eql.engine import PythonEngine

        holds: Callable[[Any], Any] = PythonEngine({}).convert(self._query, scoped=True)
        return holds

    def verdict(self, stored: StoredEvent) -> bool | Skip:
        """Whether the event matches, where the package is known to see it as Elasticsearch does."""
        if self._unknown is not None:
            return Skip(self._unknown)
        if self._category != "any" and self._category not in _listed(stored.get(_CATEGORY)):
            return False
        event: dict[str, Any] = {}
        for name, short in self._fields.items():
            values = [value for value in _listed(stored.get(name)) if value is not None]
            if len(values) > 1:
                return Skip("a field of several values")
            if not values and name in self._negated:
                return Skip("a missing field below a negation")
            if values:
                event[short] = values[0]
        for name, test, operands in self._asked:
            for value in _listed(stored.get(name)):
                reason = _differs(value, test, operands)
                if reason is not None:
                    return Skip(reason)
        return bool(self._holds(self._event("any", 0, event)))

    def _look(self, node: Node, negated: bool) -> None:
        """Take note of every question; set ``_unknown`` at one that the package may answer otherwise."""
        ast = self._ast
        match node:
            case ast.And(terms=terms) | ast.Or(terms=terms):
                for term in terms:
                    self._look(term, negated)
            case ast.Not(term=term):
                self._look(term, True)
            case ast.IsNull(expr=ast.Field() as field) | ast.IsNotNull(expr=ast.Field() as field):
                self._field(field, False)
            case ast.Comparison(left=ast.Field() as field, comparator=comparator, right=ast.Literal() as one):
                ordered = comparator not in ("==", "!=")
                if ordered and isinstance(one.value, str):
                    self._unknown = "an order of texts"
                self._ask(field, _same, (one,), negated or comparator == "!=")
            case ast.InSet(expression=ast.Field() as field, container=container):
                self._ask(field, _same, tuple(container), negated)
            case ast.FunctionCall(name=name, arguments=[ast.Field() as field, *texts]) if (
                name in _TEXT_FUNCTIONS
            ):
                self._ask(field, _TEXT_FUNCTIONS[name], tuple(texts), negated)
            case ast.Boolean():
                pass
            case ast.FunctionCall(name=name):
                self._unknown = f"the function {name}"
            case _:
                self._unknown = f"a {type(node).__name__} of another form"

    def _ask(
        self, field: Node, test: Callable[[str, str], bool], operands: Sequence[Node], negated: bool
    ) -> None:
        if not all(isinstance(operand, self._ast.Literal) for operand in operands):
            self._unknown = "a comparison of fields"
            return
        texts = [operand.value for operand in operands if isinstance(operand.value, str)]
        if test is _TEXT_FUNCTIONS["wildcard"] and any("?" in text for text in texts):
            self._unknown = "the wildcard ?, which may be no character there"
        self._asked.append((self._field(field, negated), test, tuple(o.value for o in operands)))

    def _field(self, field: Node, negated: bool) -> str:
        """The stored name of a field, which is renamed in the tree: names with dots need no objects then."""
        name = ".".join(map(str, (field.base, *field.path)))
        field.base, field.path = self._fields.setdefault(name, f"field_{len(self._fields)}"), []
        if negated:
            self._negated.add(name)
        return name


def _same(value: str, operand: str) -> bool:
    return value == operand


def _differs(value: Any, test: Callable[[str, str], bool], operands: Iterable[Any]) -> str | None:
    """Why a question about this value may be answered otherwise in Elasticsearch; None if it is not."""
    for operand in operands:
        if _kind(value) is not _kind(operand):
            return "a value of another type than the operand"
        if isinstance(value, str) and test(value, operand) is not test(value.lower(), operand.lower()):
            return "a text that differs in case alone"
    if isinstance(value, str) and "\n" in value:
        return "a text of several lines"
    return None


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else type(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
