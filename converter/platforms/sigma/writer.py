"""A condition as Sigma's detections and condition.

The tree keeps its shape: conjunctions of questions about different fields become mappings, alternatives of
such mappings become lists of mappings, and what else there is becomes ``and``, ``or`` and ``not`` between
named detections.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from converter.model.addresses import networks_of
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    all_of,
    mapped,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.sigma.items import Item, field_name, items

Mapping: TypeAlias = dict[str, Any]
"""A detection's mapping: key (field and modifiers) → value or list of values."""

SELECTION: Final = "selection"
FILTER: Final = "filter"


class Written(msgspec.Struct, frozen=True):
    """A condition as Sigma has it: the detections by name, and what joins them."""

    detections: dict[str, Any]
    condition: str


def write(expression: Expression, losses: Losses) -> Written:
    """The condition in Sigma. What cannot be said is recorded in ``losses``."""
    return _Writer(losses).written(expression)


def write_rule(indicators: Sequence[Expression], exclusions: Sequence[Expression], losses: Losses) -> Written:
    """Indicators and exclusions: each exclusion is a filter of its own."""
    terms = [*indicators, *(Not(exclusion) for exclusion in exclusions)]
    return write(all_of(*terms), losses)


def with_classes(expression: Expression, lists: Collection[FieldPath]) -> Expression:
    """Classes of addresses with exceptions as networks and networks taken out, where a field has one value.

    (The public addresses as networks alone are over 300.) ``lists``: the fields that may have several.
    """

    def change(predicate: Predicate) -> Expression:
        subject, names = predicate.subject, [str(value) for value in predicate.values]
        if predicate.operator is not Operator.IP or len(names) != 1 or predicate.functions:
            return predicate
        covered, excepted = networks_of(names[0])
        if not excepted or not isinstance(subject, FieldPath) or subject in lists or len(subject.steps) > 1:
            return predicate
        inside = Predicate(subject, Operator.CIDR, tuple(map(str, covered)))
        return All((inside, Not(Predicate(subject, Operator.CIDR, tuple(map(str, excepted))))))

    return mapped(expression, change)


class _Writer:
    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._detections: dict[str, Any] = {}
        self._negated = False

    def written(self, expression: Expression) -> Written:
        condition = self._part(expression, outermost=True)
        return Written(self._detections, condition)

    def _named(self, detection: Any) -> str:
        """The name of a detection, new or the one that it already has."""
        base = FILTER if self._negated else SELECTION
        for name, known in self._detections.items():
            if name.startswith(base) and known == detection and _same_types(known, detection):
                return name
        number = sum(name.startswith(base) for name in self._detections)
        name = base if not number else f"{base}_{number + 1}"
        self._detections[name] = detection
        return name

    # -- the tree

    def _part(self, expression: Expression, outermost: bool = False) -> str:
        """The condition as text; a junction is in parentheses unless it is the whole."""
        match expression:
            case Predicate() | Not(Predicate(subject=FieldPath(), operator=Operator.EXISTS, functions=())):
                return self._leaf(expression)
            case ForSome(path, term):
                message = f"{path}: Sigma cannot bind conditions to one element of a list"
                for effect in sorted(_unbound(term)):
                    self._losses.lose("same-element", effect, message)
                return self._part(term, outermost)
            case Not(term):
                return self._negation(term)
            case All(terms) if terms:
                return self._conjunction(terms, outermost)
            case AnyOf(terms) if terms:
                return self._disjunction(terms, outermost)
        self._losses.refuse("constant", "Sigma has no condition that is always or never true")
        return self._named({})

    def _negation(self, term: Expression) -> str:
        with self._losses.flipped():
            self._negated = not self._negated
            try:
                return f"not {self._part(term)}"
            finally:
                self._negated = not self._negated

    def _leaf(self, expression: Expression) -> str:
        mappings = _mappings(expression, self._losses)
        return self._named({}) if mappings is None else self._detection(mappings)

    def _detection(self, mappings: list[Mapping]) -> str:
        return self._named(mappings[0] if len(mappings) == 1 else mappings)

    def _conjunction(self, terms: Sequence[Expression], outermost: bool) -> str:
        """Questions about different fields in one mapping, the rest joined by ``and``."""
        together: Mapping = {}
        parts: list[str] = []
        others: list[Expression] = []
        for term in terms:
            single = self._single(term)
            if single is None:
                others.append(term)
            elif together.keys() & single.keys():
                parts.append(self._named(single))
            else:
                together |= single
        if together:
            parts.insert(0, self._named(together))
        parts.extend(self._part(term) for term in others)
        return _joined(parts, "and", outermost)

    def _single(self, term: Expression) -> Mapping | None:
        """The term as one mapping, if it is a question that one mapping can say; nothing is recorded else."""
        match term:
            case Predicate() | Not(Predicate(operator=Operator.EXISTS, functions=())):
                trial = Losses("sigma")
                found = _mappings(term, trial)
                if found is not None and len(found) == 1 and trial.fidelity is Fidelity.EXACT:
                    return found[0]
        return None

    def _disjunction(self, terms: Sequence[Expression], outermost: bool) -> str:
        """Mappings as alternatives in one list, the rest joined by ``or``."""
        mappings: list[Mapping] = []
        others: list[Expression] = []
        for term in terms:
            found = self._row(term)
            if found is None:
                others.append(term)
            else:
                mappings.extend(found)
        parts = [self._detection(_merged(mappings))] if mappings else []
        parts.extend(self._part(term) for term in others)
        return _joined(parts, "or", outermost)

    def _row(self, term: Expression) -> list[Mapping] | None:
        """The term as mappings any of which says it, or None."""
        if isinstance(term, All):
            whole: Mapping = {}
            for inner in term.terms:
                single = self._single(inner)
                if single is None or whole.keys() & single.keys():
                    return None
                whole |= single
            return [whole] if whole else None
        trial = Losses("sigma")
        found = _mappings(term, trial) if isinstance(term, Predicate | Not) else None
        return found if trial.fidelity is Fidelity.EXACT else None


_BOTH: Final = frozenset({Fidelity.WIDER, Fidelity.NARROWER})


def _unbound(term: Expression) -> frozenset[Fidelity]:
    """How a condition on one element of a list errs when each of its questions is asked of any element.

    Alternatives of plain questions do not; several questions may be met by different elements (wider); and a
    question that is negated is then negated for all elements (narrower, and wider where there are none).
    """
    match term:
        case Predicate(values=values, all_of=every):
            return frozenset({Fidelity.WIDER}) if every and len(values) > 1 else frozenset()
        case AnyOf(terms):
            return frozenset().union(*map(_unbound, terms))
        case All(terms):
            return frozenset({Fidelity.WIDER} if len(terms) > 1 else ()).union(*map(_unbound, terms))
        case ForSome(_, inner):
            return _unbound(inner)
    return _BOTH


def _joined(parts: Sequence[str], word: str, outermost: bool) -> str:
    distinct = list(dict.fromkeys(parts))
    if len(distinct) == 1:
        return distinct[0]
    text = f" {word} ".join(distinct)
    return text if outermost else f"({text})"


def _mappings(term: Expression, losses: Losses) -> list[Mapping] | None:
    """Mappings any of which says the predicate, or that its field has no value; None if nothing can."""
    match term:
        case Not(Predicate(subject=FieldPath() as path, operator=Operator.EXISTS, functions=())):
            with losses.flipped():
                name = field_name(path, losses)
            return None if name is None else [{name: None}]
        case Predicate():
            found = items(term, losses)
            if not found:
                return None
            if term.all_of and len(term.values) > 1 and len(found) > 1:
                return [{item.key: _value(item) for item in found}]
            return _merged([{item.key: _value(item)} for item in found])
    return None


def _value(item: Item) -> Any:
    return item.values[0] if len(item.values) == 1 else list(item.values)


def _merged(mappings: Sequence[Mapping]) -> list[Mapping]:
    """Alternatives without repetitions."""
    found: list[Mapping] = []
    for mapping in mappings:
        if not any(known == mapping and _same_types(known, mapping) for known in found):
            found.append(mapping)
    return found


def _same_types(one: Any, other: Any) -> bool:
    """Whether equal values are of equal types throughout (True == 1 in Python)."""
    return repr(one) == repr(other)
