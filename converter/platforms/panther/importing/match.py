"""Match expressions, the conditions that Panther writes in YAML.

Panther documentation, "Simple Detection Match Expression Reference" and "Inline Filters"; the shapes are
those of the JSON schema that panther_analysis_tool ships. What a condition says of a missing key is not
documented; in Panther's own examples a negative one (``DoesNotEqual``) holds for it, so each is the opposite
of its positive one, which does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any, Final

import msgspec

from converter.evaluate.values import number_of, text_of
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    FALSE,
    TRUE,
    Expression,
    ForSome,
    Operator,
    Predicate,
    Scalar,
    all_of,
    any_of,
    negated,
    predicates,
)
from converter.model.paths import ANY, FieldPath
from converter.platforms.panther.importing.documents import Steps
from converter.platforms.panther.importing.findings import Findings
from converter.platforms.panther.importing.keys import SPECIFIERS, KeyProblem, specified
from converter.platforms.panther.importing.python import Shape, Shapes

_LARGEST_CHOICE: Final = 400
"""Predicates in "exactly one of", which names each of its terms once for each of them."""

_COMBINATORS: Final = ("All", "Any", "OnlyOne", "None")


class _Asked(msgspec.Struct, frozen=True):
    """What a condition's name asks. ``classes``: of IP addresses; ``filled``: more than an empty text."""

    operator: Operator
    negative: bool = False
    ignore_case: bool = False
    classes: tuple[str, ...] = ()
    filled: bool = False


def _named() -> dict[str, _Asked]:
    """Every documented condition of one key."""
    found = {
        "IsIn": _Asked(Operator.IS),
        "IsNotIn": _Asked(Operator.IS, negative=True),
        "Exists": _Asked(Operator.EXISTS),
        "DoesNotExist": _Asked(Operator.EXISTS, negative=True),
        "IsNotNull": _Asked(Operator.EXISTS),
        "IsNull": _Asked(Operator.EXISTS, negative=True),
        "IsNotNullOrEmpty": _Asked(Operator.EXISTS, filled=True),
        "IsNullOrEmpty": _Asked(Operator.EXISTS, negative=True, filled=True),
        "IsIPAddress": _Asked(Operator.IP, classes=("v4", "v6")),
        "IsIPv4Address": _Asked(Operator.IP, classes=("v4",)),
        "IsIPv6Address": _Asked(Operator.IP, classes=("v6",)),
        "IsIPAddressPrivate": _Asked(Operator.IP, classes=("private",)),
        "IsIPAddressPublic": _Asked(Operator.IP, classes=("public",)),
        "IsIPAddressInCIDR": _Asked(Operator.CIDR),
        "IsIPAddressNotInCIDR": _Asked(Operator.CIDR, negative=True),
    }
    texts = {
        "Equal": Operator.IS,
        "StartWith": Operator.STARTS_WITH,
        "EndWith": Operator.ENDS_WITH,
        "Contain": Operator.CONTAINS,
    }
    for stem, operator in texts.items():
        positive = stem.replace("With", "sWith") if stem.endswith("With") else f"{stem}s"
        for prefix, ignore_case in (("", False), ("I", True)):
            found[f"{prefix}{positive}"] = _Asked(operator, ignore_case=ignore_case)
            found[f"{prefix}DoesNot{stem}"] = _Asked(operator, negative=True, ignore_case=ignore_case)
    for name, operator in {
        "IsGreaterThan": Operator.GT,
        "IsGreaterThanOrEqual": Operator.GTE,
        "IsLessThan": Operator.LT,
        "IsLessThanOrEqual": Operator.LTE,
    }.items():
        found[name] = _Asked(operator)
        if name.endswith("Equal"):
            found[f"{name}s"] = _Asked(operator)
    return found


CONDITIONS: Final[Mapping[str, _Asked]] = _named()
_OVER_ELEMENTS: Final = ("AnyElement", "AllElements", "NoElement", "OnlyOneElement")
_BY_REGISTRY: Final = ("private", "public")
_ABSOLUTE: Final[Mapping[str, Expression]] = {"AlwaysTrue": TRUE, "AlwaysFalse": FALSE}


class _UnsaidError(Exception):
    """A part of a condition that has no canonical form."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MatchReader:
    """Reads match expressions over the event's own paths; what cannot be said is left out, and named."""

    def __init__(self, shapes: Shapes, findings: Findings) -> None:
        self._shapes = shapes
        self._findings = findings
        self._negated = False
        self._whole = 0
        self._base: tuple[Any, ...] = ()

    def condition(self, entries: Any, at: Steps) -> Expression:
        """All of a list of match expressions; a lone one may stand without its list."""
        if isinstance(entries, Mapping):
            return self._entry(entries, at)
        try:
            return all_of(*self._entries(entries, at))
        except KeyProblem as problem:
            self._findings.refuse("match-expression", str(problem), at)
            return FALSE

    def _entries(self, entries: Any, at: Steps) -> list[Expression]:
        if not isinstance(entries, list):
            raise KeyProblem("a list of match expressions is expected")
        return [self._entry(entry, (*at, number)) for number, entry in enumerate(entries)]

    def _entry(self, entry: Any, at: Steps) -> Expression:
        try:
            return self._read(entry, at)
        except _UnsaidError as problem:
            if self._whole:
                raise
            self._findings.leave_out(problem.code, str(problem), at, _written(entry))
            return FALSE if self._negated else TRUE
        except KeyProblem as problem:
            self._findings.refuse("match-expression", str(problem), at)
            return FALSE

    def _read(self, entry: Any, at: Steps) -> Expression:
        if not isinstance(entry, Mapping):
            raise KeyProblem("a match expression is a mapping")
        for name in _COMBINATORS:
            if name in entry:
                return self._combined(name, entry[name], (*at, name))
        condition = entry.get("Condition")
        if "Enrichment" in entry:
            raise _UnsaidError("enrichment", "a condition on a lookup table, whose rows are not in the rule")
        if not isinstance(condition, str):
            raise KeyProblem("a match expression needs a Condition")
        has_key = any(name in entry for name in SPECIFIERS)
        if condition in _ABSOLUTE and not has_key:
            return _ABSOLUTE[condition]
        if condition in _OVER_ELEMENTS:
            return self._over_elements(condition, entry, at)
        asked = CONDITIONS.get(condition)
        if asked is None:
            raise _UnsaidError("condition", f"the condition {condition[:60]!r} has no counterpart")
        if not has_key:
            return self._of_two(condition, asked, entry)
        with self._turned(asked.negative):
            found = self._of_one(condition, asked, specified(entry), entry, at)
        return negated(found) if asked.negative else found

    # -- combinations

    def _combined(self, name: str, entries: Any, at: Steps) -> Expression:
        match name:
            case "All":
                return all_of(*self._entries(entries, at))
            case "Any":
                return any_of(*self._entries(entries, at))
            case "None":
                with self._turned(True):
                    return negated(any_of(*self._entries(entries, at)))
        self._whole += 1
        try:
            terms = self._entries(entries, at)
        finally:
            self._whole -= 1
        if len(terms) * sum(1 for term in terms for _ in predicates(term)) > _LARGEST_CHOICE:
            raise _UnsaidError("only-one", f"exactly one of {len(terms)} conditions")
        return any_of(
            *(all_of(term, *(negated(other) for other in terms if other is not term)) for term in terms)
        )

    def _over_elements(self, condition: str, entry: Mapping[str, Any], at: Steps) -> Expression:
        """A condition on the elements of a list, which are objects; one that is missing has none."""
        path = specified(entry)
        if condition == "OnlyOneElement":
            raise _UnsaidError("only-one", "exactly one element of a list")
        around, self._base = self._base, (*self._base, *path.steps, ANY)
        inside = (*at, "Expressions")
        try:
            if condition == "AnyElement":
                return ForSome(path, all_of(*self._entries(entry.get("Expressions"), inside)))
            if condition == "NoElement":
                with self._turned(True):
                    return negated(ForSome(path, all_of(*self._entries(entry.get("Expressions"), inside))))
            found = all_of(*self._entries(entry.get("Expressions"), inside))
        finally:
            self._base = around
        self._findings.note("all-elements", "an empty list is taken to have no element that could fit", at)
        return all_of(Predicate(path, Operator.EXISTS), negated(ForSome(path, negated(found))))

    def _of_two(self, condition: str, asked: _Asked, entry: Mapping[str, Any]) -> Expression:
        """A condition on the values of two keys."""
        keys = entry.get("Values")
        if not isinstance(keys, list) or len(keys) != 2 or not all(isinstance(one, Mapping) for one in keys):
            raise KeyProblem(f"{condition} needs a key and a value, or two keys")
        if asked.operator is not Operator.IS or condition.startswith("IsIn"):
            raise _UnsaidError("two-keys", f"{condition} between the values of two keys")
        first, second = map(specified, keys)
        found = Predicate(first, Operator.SAME_AS, (second,), ignore_case=asked.ignore_case)
        return negated(found) if asked.negative else found

    # -- one key

    def _of_one(
        self, condition: str, asked: _Asked, path: FieldPath, entry: Mapping[str, Any], at: Steps
    ) -> Expression:
        match asked.operator:
            case Operator.EXISTS:
                empty = (negated(Predicate(path, Operator.IS, ("",))),) if asked.filled else ()
                return all_of(Predicate(path, Operator.EXISTS), *empty)
            case Operator.IP:
                if asked.classes[0] in _BY_REGISTRY:
                    message = f"which addresses are {asked.classes[0]} follows IANA's registries"
                    self._findings.note("ip-class", message, at)
                return Predicate(path, Operator.IP, asked.classes)
        values = _values(condition, entry)
        if not values:
            return FALSE
        match asked.operator:
            case Operator.CIDR:
                return Predicate(path, Operator.CIDR, tuple(map(_network, values)))
            case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE as operator:
                return any_of(*(Predicate(path, operator, (_number(value),)) for value in values))
            case Operator.CONTAINS:
                return self._contains(path, values, asked)
        self._one_value(path, condition, at)
        if asked.operator is not Operator.IS:
            values = tuple(map(text_of, values))
        return _text_test(path, asked.operator, values, asked.ignore_case)

    def _contains(self, path: FieldPath, values: tuple[Scalar, ...], asked: _Asked) -> Expression:
        """A part of a text, an element of a list, or a key of an object, by what the field holds."""
        shape = self._shape(path)
        if ANY in path.steps or shape is Shape.LIST or not all(isinstance(v, str) for v in values):
            return _text_test(path, Operator.IS, values, asked.ignore_case)
        if shape is Shape.OBJECT and not asked.ignore_case:
            return any_of(*(Predicate(FieldPath((*path.steps, text_of(v))), Operator.EXISTS) for v in values))
        return _text_test(path, Operator.CONTAINS, values, asked.ignore_case)

    def _one_value(self, path: FieldPath, condition: str, at: Steps) -> None:
        if ANY not in path.steps and self._shape(path) is not Shape.LIST:
            return
        message = f"{condition} of a list is read as a condition on some element of it"
        if self._whole:
            raise _UnsaidError("list-value", message)
        effect = Fidelity.NARROWER if self._negated else Fidelity.WIDER
        self._findings.lose("list-value", message, at, effect)

    def _shape(self, path: FieldPath) -> Shape | None:
        return self._shapes.shape((*self._base, *path.steps))

    @contextmanager
    def _turned(self, negative: bool) -> Iterator[None]:
        """Within, what lets more events through lets fewer through the rule, where ``negative``."""
        self._negated ^= negative
        try:
            yield
        finally:
            self._negated ^= negative


def _text_test(
    path: FieldPath, operator: Operator, values: tuple[Scalar, ...], ignore_case: bool
) -> Expression:
    """A test of the value's text; an empty part is in every text, so that the field merely exists."""
    if operator is not Operator.IS and "" in values:
        return Predicate(path, Operator.EXISTS)
    return Predicate(path, operator, values, ignore_case=ignore_case)


def _values(condition: str, entry: Mapping[str, Any]) -> tuple[Scalar, ...]:
    given = entry.get("Values") if "Values" in entry else entry.get("Value")
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(value, str | int | float) for value in values):
        raise KeyProblem(f"{condition} needs a Value: a text, a number, true or false")
    return tuple(values)


def _number(value: Scalar) -> int | float:
    found = number_of(value)
    if found is None:
        raise _UnsaidError("order", f"an order of texts, {text_of(value)[:60]!r}")
    return found


def _network(value: Scalar) -> str:
    try:
        return str(ip_network(str(value), strict=False))
    except ValueError as error:
        raise KeyProblem(f"{str(value)[:60]!r} is no network") from error


def _written(entry: Any) -> str:
    """A match expression in one line."""
    return msgspec.json.encode(entry).decode() if isinstance(entry, Mapping) else str(entry)
