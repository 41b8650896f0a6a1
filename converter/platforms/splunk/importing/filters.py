"""``search`` behind other commands: conditions over the fields that the rows have at that point."""

from __future__ import annotations

from typing import Final

import msgspec

from converter.evaluate import matches
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.conditions import UNKNOWN, Failure, Where, simplified
from converter.platforms.splunk.importing.rewriting import NULL, number_in
from converter.platforms.splunk.importing.scope import Scope
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_search import LOCATION_FIELDS, SearchReader
from converter.platforms.splunk.spl.read_where import Value
from converter.platforms.three_valued import Truth, never_null, ternary_and, ternary_not, ternary_or

_PLACE: Final = FieldPath(("value",))


class Filter(SearchReader):
    """``search`` conditions over the fields of a row."""

    def __init__(self, scope: Scope, where: Where) -> None:
        super().__init__()
        self._scope = scope
        self._where = where
        self._unbound = False

    def condition(self, node: s.SearchNode) -> Truth:
        """When the search finds a row and when not, unknown parts being either."""
        truth = self._truth(node)
        return Truth(simplified(truth.true), simplified(truth.false))

    def _truth(self, node: s.SearchNode) -> Truth:
        match node:
            case s.Both(terms):
                return ternary_and(*(self._truth(term) for term in terms))
            case s.Either(terms):
                return ternary_or(*(self._truth(term) for term in terms))
            case s.Negated(term):
                return ternary_not(self._truth(term))
            case s.Macro(name) if name.endswith("_filter"):
                return never_null(TRUE)
        try:
            return self._leaf(node)
        except SplError as error:
            if error.code == "spl-size":
                raise
            self._where.failures.append(Failure(error.code, error.message, error.offset))
            return UNKNOWN

    def _leaf(self, node: s.SearchNode) -> Truth:
        if isinstance(node, s.Term) and not isinstance(self._scope.resolve("_raw"), s.FieldName):
            raise SplError("the raw event is gone at this point", node.at, "raw-text")
        if not isinstance(node, s.Compared | s.Listed) or node.field.lower() in LOCATION_FIELDS:
            return never_null(self.read(node))
        found = self._scope.resolve(node.field)
        if isinstance(found, s.FieldName):
            return never_null(self.read(msgspec.structs.replace(node, field=found.name)))
        number = number_in(node.value.text) if isinstance(node, s.Compared) else None
        if isinstance(found, s.Operation) and number is not None and isinstance(node, s.Compared):
            sign = "==" if node.operator == "=" else node.operator
            return never_null(self._where.exactly(s.Operation(sign, found, s.Literal(number), node.at)).true)
        test = self.read(msgspec.structs.replace(node, field="value"))
        branches = [(when, self._of_leaf(leaf, test)) for when, leaf in self._where.branches(found)]
        return Truth(
            simplified(any_of(*(all_of(when, truth.true) for when, truth in branches))),
            simplified(any_of(*(all_of(when, truth.false) for when, truth in branches))),
        )

    def _of_leaf(self, leaf: s.EvalNode, test: Expression) -> Truth:
        """A test of the field ``value``, asked of a value."""
        if isinstance(leaf, s.Literal):
            return never_null(TRUE if matches(test, {"value": leaf.value}) else FALSE)
        if leaf == NULL:
            return never_null(TRUE if matches(test, {}) else FALSE)
        if isinstance(leaf, s.Call) and leaf.name in ("true", "false") and not leaf.arguments:
            return never_null(TRUE if matches(test, {"value": leaf.name.title()}) else FALSE)
        if test == Predicate(_PLACE, Operator.EXISTS):
            return never_null(self._where.present(leaf))
        value = self._where.value(leaf)
        if value.kind == "time":
            raise SplError("a time is searched for as text", getattr(leaf, "at", 0), "spl-comparison")
        return Truth(_asked(test, value), _asked(negated(test), value))


def _asked(test: Expression, value: Value) -> Expression:
    """The test with a value in place of the field; where the value is loose, never for fewer events."""
    match test:
        case Predicate(_, Operator.EXISTS):
            return value.present
        case Predicate(_, operator, values, ignore_case):
            return value.asks(operator, *values, ignore_case=ignore_case)
        case Not(Predicate(_, operator)) if value.loose and operator is not Operator.EXISTS:
            return TRUE
        case Not(All(terms)):
            return any_of(*(_asked(negated(term), value) for term in terms))
        case Not(AnyOf(terms)):
            return all_of(*(_asked(negated(term), value) for term in terms))
        case Not(term):
            return negated(_asked(term, value))
        case All(terms):
            return all_of(*(_asked(term, value) for term in terms))
        case AnyOf(terms):
            return any_of(*(_asked(term, value) for term in terms))
    raise TypeError(f"a search does not test {test!r}")
