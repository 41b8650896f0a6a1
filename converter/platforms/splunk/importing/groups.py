"""Conditions on what stats computes, as tests of a group of matches.

Only one side of a condition is read: when it is true, or when it is false. A part that has no counterpart is
taken to hold, and recorded among the failures, so that a test never holds for fewer groups than it should.
A count is never null; a sum, an extreme or a mean of no numbers is, and no comparison with it holds (Search
Reference, "Aggregate functions").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import TRUE, all_of
from converter.model.measures import GroupCondition, Measure, MeasureKind, only_grows
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.conditions import Failure, Where
from converter.platforms.splunk.importing.counting import Counted, Group, key_fields
from converter.platforms.splunk.importing.filters import Filter
from converter.platforms.splunk.importing.quantities import (
    ALWAYS,
    NEVER,
    Quantity,
    all_tests,
    any_test,
    combined,
    compared,
    negated_test,
    some_match,
)
from converter.platforms.splunk.importing.rewriting import ARITHMETIC, MIRRORED, NULL, normal, number_in
from converter.platforms.splunk.importing.scope import AGGREGATE, Scope, aggregates_in, field_names, walk
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

_INVERTED: Final = {"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_NUMBERS: Final = {
    "sum": MeasureKind.SUM,
    "min": MeasureKind.MIN,
    "max": MeasureKind.MAX,
    "avg": MeasureKind.AVG,
}
_TEXT_TESTS: Final = frozenset({"like", "match", "in", "cidrmatch"})


class GroupReader:
    """Reads conditions whose fields are stored ones, keys of the ``group``, and aggregates of it."""

    def __init__(self, where: Where, counted: Mapping[int, Counted], group: Group) -> None:
        self._where = where
        self._counted = counted
        self._group = group
        self._keys = key_fields(group)

    # -- conditions of where

    def condition(self, node: s.EvalNode, wanted: bool = True) -> GroupCondition:
        """When the condition is true; or with ``wanted`` false, when it is false and not null."""
        try:
            return self._read(node, wanted)
        except SplError as error:
            if error.code == "spl-size":
                raise
            self._where.failures.append(Failure(error.code, error.message, error.offset))
            return ALWAYS

    def _read(self, node: s.EvalNode, wanted: bool) -> GroupCondition:
        node = _found_in_list(node)
        match node:
            case s.Operation(("and" | "or") as operator, left, right):
                join = all_tests if (operator == "and") == wanted else any_test
                return join((self.condition(left, wanted), self.condition(right, wanted)))
            case s.Inverted("not", operand):
                return self.condition(operand, not wanted)
        if not aggregates_in(node):
            return self._of_keys(node, wanted)
        split = self._split(node)
        if split is not None:
            return any_test(all_tests((when, self._read(leaf, wanted))) for when, leaf in split)
        match node:
            case s.Operation(sign, left, right) if sign in MIRRORED:
                return self._compared(sign, left, right, wanted)
            case s.Call(("isnotnull" | "isnull") as name, (inner,)):
                return self._present(inner, (name == "isnotnull") == wanted)
            case s.Call(name) if name in _TEXT_TESTS:
                return self._member(node, wanted)
        raise SplError("a condition on statistics that is no threshold", _at(node), "spl-stats")

    def _of_keys(self, node: s.EvalNode, wanted: bool) -> GroupCondition:
        """A condition on keys: the same for all matches of the group, of which there is at least one."""
        if not field_names(node) <= self._keys:
            raise SplError("a condition on fields that the group does not have", _at(node), "spl-order")
        truth = self._where.condition(node)
        return some_match(truth.true if wanted else truth.false)

    def _split(self, node: s.EvalNode) -> list[tuple[GroupCondition, s.EvalNode]] | None:
        """A test of if() or case() as the same test of each branch, and when that is taken."""
        operands = _operands(node)
        for place, operand in enumerate(operands):
            if isinstance(operand, s.Call) and operand.name in ("if", "case", "coalesce"):
                return [
                    (when, _with(node, (*operands[:place], leaf, *operands[place + 1 :])))
                    for when, leaf in self._branches(operand)
                ]
        return None

    def _branches(self, call: s.Call) -> Iterator[tuple[GroupCondition, s.EvalNode]]:
        arguments = call.arguments
        if call.name == "coalesce":
            first = self._single(arguments[0])
            if first is None or first.kind not in ("count", "distinct"):  # the others may be null
                message = "what stands in for a missing result of statistics"
                raise SplError(message, call.at, "spl-stats")
            yield ALWAYS, arguments[0]
            return
        if call.name == "if":
            if len(arguments) != 3:
                raise SplError("if wants three arguments", call.at, "spl-function")
            arguments = (*arguments[:2], s.Call("true", ()), arguments[2])
        before: list[GroupCondition] = []
        for place in range(0, len(arguments) - 1, 2):
            test = arguments[place]
            if test == s.Call("true", ()) or test == s.Operation("==", s.Literal(1), s.Literal(1)):
                yield all_tests(before), arguments[place + 1]
                return
            failed = len(self._where.failures)
            when = self.condition(test)
            yield all_tests((*before, when)), arguments[place + 1]
            if len(self._where.failures) == failed:
                before.append(negated_test(when))
        yield all_tests(before), NULL

    # -- comparisons

    def _compared(self, sign: str, left: s.EvalNode, right: s.EvalNode, wanted: bool) -> GroupCondition:
        if NULL in (left, right):
            return NEVER
        if isinstance(left, s.Literal):
            left, right, sign = right, left, MIRRORED[sign]
        if isinstance(right, s.Literal) and self._lists(left):
            return self._member(s.Operation(sign, left, right), wanted)
        sign = sign if wanted else _INVERTED[sign]
        ratio = self._ratio(sign, left, right)
        if ratio is not None:
            return ratio
        found = compared(sign, self._quantity(left), self._quantity(right))
        if only_grows(found):
            return found
        # mvcount of no value is null, and so is what it is compared with.
        lists = [inner for node in (left, right) for inner in walk(node) if _is_size(inner)]
        there = [compared(">=", self._quantity(one), Quantity(None, plus=Fraction(1))) for one in lists]
        return all_tests((*there, found))

    def _ratio(self, sign: str, left: s.EvalNode, right: s.EvalNode) -> GroupCondition | None:
        """One measure over another against a number; nothing is divided by nothing."""
        left, number = _unscaled(left, right)
        if number is None:
            return None
        match left:
            case s.Operation("/", over, under) if aggregates_in(under):
                one, other = self._quantity(over), self._quantity(under)
                zero = Quantity(None)
                scaled = Quantity(
                    other.measure, other.factor * Fraction(number), other.plus * Fraction(number)
                )
                if other.plus or other.measure is None or other.factor <= 0:
                    raise SplError("a ratio of computed statistics", _at(left), "spl-stats")
                return all_tests((compared(">", other, zero), compared(sign, one, scaled)))
        return None

    def _quantity(self, node: s.EvalNode) -> Quantity:
        """A linear expression in one measure. Raises SplError."""
        match node:
            case s.Literal(value):
                number = number_in(value) if isinstance(value, str) else value
                if number is None:
                    raise SplError("statistics are compared with a text", 0, "spl-stats")
                return Quantity(None, plus=Fraction(number))
            case s.Call(("tonumber" | "tostring" | "exact"), (inner,)):
                return self._quantity(inner)
            case s.Call("mvcount", (s.Call(name, (s.Literal(number),)),)) if name == AGGREGATE:
                counted = self._counted[int(number)]
                if counted.kind == "values":
                    return Quantity(self._measure(msgspec.structs.replace(counted, kind="distinct")))
            case s.Call(name, (s.Literal(number),)) if name == AGGREGATE:
                return Quantity(self._measure(self._counted[int(number)]))
            case s.Operation("-", left, right) if self._is_span(left, right):
                return Quantity(Measure(MeasureKind.SPAN))
            case s.Operation(sign, left, right) if sign in ARITHMETIC:
                return combined(sign, self._quantity(left), self._quantity(right), node.at)
        reasons = {self._counted[number].reason for number in aggregates_in(node)} - {""}
        why = f" ({', '.join(sorted(reasons))})" if reasons else ""
        raise SplError(f"a condition on statistics that is no threshold{why}", _at(node), "spl-stats")

    def _is_span(self, left: s.EvalNode, right: s.EvalNode) -> bool:
        last, first = self._single(left), self._single(right)
        return last is not None and first is not None and (last.kind, first.kind) == ("last", "first")

    def _single(self, node: s.EvalNode) -> Counted | None:
        match node:
            case s.Call(name, (s.Literal(number),)) if name == AGGREGATE:
                return self._counted[int(number)]
        return None

    def _measure(self, counted: Counted) -> Measure:
        """What an aggregate measures. Raises SplError for one that the rule language has no measure for."""
        self._check(counted)
        where = () if counted.condition == TRUE else (counted.condition,)
        if counted.kind == "count":
            return Measure(MeasureKind.COUNT, where=where)
        if counted.kind == "span":
            return Measure(MeasureKind.SPAN)
        kind = MeasureKind.DISTINCT if counted.kind == "distinct" else _NUMBERS.get(counted.kind)
        if kind is None or counted.of is None:
            reason = counted.reason or counted.kind
            message = f"a condition on statistics that is no threshold ({reason})"
            raise SplError(message, 0, "spl-stats")
        branches = [(when, leaf) for when, leaf in self._where.branches(counted.of) if leaf != NULL]
        if kind is MeasureKind.DISTINCT and len(branches) == 2 and isinstance(branches[1][1], s.Literal):
            message = "missing values were filled in and are counted as one there, and not counted here"
            self._where.failures.append(Failure("group-by", message, side=Fidelity.NARROWER))
            branches.pop()
        if len(branches) != 1:
            raise SplError("statistics of a computed value", 0, "spl-computed")
        when, leaf = branches[0]
        value = self._where.value(leaf)
        if not isinstance(value.subject, FieldPath) or value.kind == "time" or value.loose:
            raise SplError("statistics of a computed value", 0, "spl-computed")
        where = (*where, *(() if when in (TRUE, value.present) else (when,)))
        return Measure(kind, value.subject, value.functions, where)

    def _check(self, counted: Counted) -> None:
        if counted.group != self._group:
            raise SplError("statistics of other groups than those of the threshold", 0, "spl-stats")

    # -- values that stats collects

    def _lists(self, node: s.EvalNode) -> bool:
        counted = self._single(node)
        return counted is not None and counted.kind in ("values", "pick")

    def _present(self, node: s.EvalNode, wanted: bool) -> GroupCondition:
        counted = self._single(node)
        if counted is None or counted.kind not in ("values", "pick") or counted.of is None:
            raise SplError("a condition on statistics that is no threshold", _at(node), "spl-stats")
        self._check(counted)
        some = some_match(all_of(counted.condition, self._where.present(counted.of)))
        return some if wanted else negated_test(some)

    def _member(self, node: s.EvalNode, wanted: bool) -> GroupCondition:
        """That some value which a group collects satisfies a test; or that there are some, but none does."""
        counted = self._one_list(node)
        if isinstance(node, s.Operation) and node.operator != "==":
            raise SplError("a condition on values of a group that is no threshold", _at(node), "spl-stats")
        test = _put(node, counted.of or NULL)
        if wanted:
            return some_match(all_of(counted.condition, self._where.condition(test).true))
        self._all_values(counted, node)
        truth = self._where.exactly(test)
        return all_tests(
            (
                some_match(all_of(counted.condition, self._where.present(counted.of or NULL))),
                negated_test(some_match(all_of(counted.condition, truth.true))),
            )
        )

    @staticmethod
    def _all_values(counted: Counted, node: object) -> None:
        """Raises SplError where only one of the values is known, so that none can be said to be another."""
        if counted.kind != "values":
            raise SplError("a condition on values of a group that is no threshold", _at(node), "spl-stats")

    def _one_list(self, node: s.EvalNode) -> Counted:
        found = [self._counted[number] for number in aggregates_in(node)]
        if len(found) != 1 or found[0].kind not in ("values", "pick") or found[0].of is None:
            raise SplError("a condition on statistics that is no threshold", _at(node), "spl-stats")
        self._check(found[0])
        if found[0].kind == "pick":
            message = f"{found[0].reason} picks one value of a group; here some event may have it"
            self._where.failures.append(Failure("group-values", message, side=Fidelity.WIDER))
        return found[0]

    # -- conditions of search

    def search(self, node: s.SearchNode, scope: Scope, wanted: bool = True) -> GroupCondition:
        """The same for a condition of ``search`` over the fields of ``scope``."""
        match node:
            case s.Both(terms) | s.Either(terms):
                join = all_tests if isinstance(node, s.Both) == wanted else any_test
                return join(self.search(term, scope, wanted) for term in terms)
            case s.Negated(term):
                return self.search(term, scope, not wanted)
        try:
            return self._searched(node, scope, wanted)
        except SplError as error:
            if error.code == "spl-size":
                raise
            self._where.failures.append(Failure(error.code, error.message, error.offset))
            return ALWAYS

    def _searched(self, node: s.SearchNode, scope: Scope, wanted: bool) -> GroupCondition:
        found = scope.resolve(node.field) if isinstance(node, s.Compared | s.Listed) else NULL
        if not aggregates_in(found):
            if not field_names(found) <= self._keys:
                raise SplError("a condition on fields that the group does not have", _at(node), "spl-order")
            truth = Filter(scope, self._where).condition(node)
            return some_match(truth.true if wanted else truth.false)
        if self._lists(found):
            assert isinstance(node, s.Compared | s.Listed)
            return self._searched_list(node, found, wanted)
        return self._read(_as_eval(node, found), wanted)

    def _searched_list(self, node: s.Compared | s.Listed, found: s.EvalNode, wanted: bool) -> GroupCondition:
        """That some value which a group collects is as searched for, or that none is."""
        if isinstance(node, s.Compared) and node.operator not in ("=", "=="):
            raise SplError("a condition on values of a group that is no threshold", _at(node), "spl-stats")
        counted = self._one_list(found)
        inner = Scope()
        inner.made["value"] = counted.of if counted.of is not None else NULL
        failed = len(self._where.failures)
        truth = Filter(inner, self._where).condition(msgspec.structs.replace(node, field="value"))
        some = some_match(all_of(counted.condition, truth.true))
        if wanted:
            return some
        self._all_values(counted, node)
        return negated_test(some) if len(self._where.failures) == failed else ALWAYS


def _found_in_list(node: s.EvalNode) -> s.EvalNode:
    """That mvfind or mvfilter finds something in a list, as a test of its values."""
    match node:
        case s.Operation(">=", s.Call("mvfind", (values, pattern), at), s.Literal(0)):
            return s.Call("match", (values, pattern), at)
        case s.Call("isnotnull", (s.Call("mvfind", (values, pattern), at),)):
            return s.Call("match", (values, pattern), at)
        case s.Call("isnotnull", (s.Call("mvfilter", (test,)),)):
            return test
    return node


def _is_size(node: s.EvalNode) -> bool:
    return isinstance(node, s.Call) and node.name == "mvcount"


def _unscaled(left: s.EvalNode, right: s.EvalNode) -> tuple[s.EvalNode, Fraction | None]:
    """A ratio without the positive constants that it is multiplied with, and what it is compared with."""
    value = right.value if isinstance(right, s.Literal) else None
    number = number_in(value) if isinstance(value, str) else value
    if number is None:
        return left, None
    bound = Fraction(number)
    while True:
        match left:
            case s.Operation("*", inner, s.Literal(by)) | s.Operation("*", s.Literal(by), inner):
                factor = Fraction(by) if not isinstance(by, str) else Fraction()
            case s.Operation("/", inner, s.Literal(by)) if not isinstance(by, str) and by:
                factor = 1 / Fraction(by)
            case _:
                return left, bound
        if factor <= 0:
            return left, None
        left, bound = inner, bound / factor


def _as_eval(node: s.SearchNode, found: s.EvalNode) -> s.EvalNode:
    """A comparison of search with numbers as one of where."""
    if isinstance(node, s.Compared):
        sign = "==" if node.operator == "=" else node.operator
        return s.Operation(sign, found, _literal(node.value), node.at)
    assert isinstance(node, s.Listed)
    whole: s.EvalNode = s.Call("false", ())
    for place, value in enumerate(node.values):
        one = s.Operation("==", found, _literal(value), node.at)
        whole = s.Operation("or", whole, one) if place else one
    return whole


def _literal(value: s.Text) -> s.Literal:
    number = number_in(value.text)
    return s.Literal(value.text if number is None else number)


def _operands(node: s.EvalNode) -> tuple[s.EvalNode, ...]:
    match node:
        case s.Operation(_, left, right):
            return (left, right)
        case s.Call(_, arguments):
            return arguments
    return ()


def _with(node: s.EvalNode, operands: tuple[s.EvalNode, ...]) -> s.EvalNode:
    if isinstance(node, s.Operation):
        left, right = operands
        return msgspec.structs.replace(node, left=left, right=right)
    assert isinstance(node, s.Call)
    return msgspec.structs.replace(node, arguments=operands)


def _put(node: s.EvalNode, value: s.EvalNode) -> s.EvalNode:
    """The expression with a value in place of every aggregate."""
    match node:
        case s.Call(name, _) if name == AGGREGATE:
            return value
        case s.Call(function, arguments, at):
            return normal(s.Call(function, tuple(_put(one, value) for one in arguments), at))
        case s.Operation(sign, left, right, at):
            return normal(s.Operation(sign, _put(left, value), _put(right, value), at))
        case s.Inverted(sign, operand):
            return s.Inverted(sign, _put(operand, value))
    return node


def _at(node: object) -> int:
    return int(getattr(node, "at", 0))
