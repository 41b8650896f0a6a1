"""Ways in which a writer can be broken: each changes a rule as a faulty printer would change its text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from converter.logsources.pack import Pack
from converter.model.expressions import (
    ORDER_OPERATORS,
    TRUE,
    All,
    AnyOf,
    Derived,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    changes_of,
    fields_of,
    mapped,
    reference,
    renamed_operand,
)
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Rule, Step
from converter.platforms.base import Artifact, Context, Counting, Engine, Platform, StoredEvent, Windows

Breakage = Callable[[Rule], Rule]

_OTHER_OPERATOR = {
    Operator.STARTS_WITH: Operator.CONTAINS,
    Operator.ENDS_WITH: Operator.CONTAINS,
    Operator.CONTAINS: Operator.STARTS_WITH,
    Operator.IS: Operator.STARTS_WITH,
    Operator.GT: Operator.GTE,
    Operator.GTE: Operator.GT,
    Operator.LT: Operator.LTE,
    Operator.LTE: Operator.LT,
}


def _everywhere(change: Callable[[Expression], Expression]) -> Breakage:
    """A change of every condition of a rule, whether it has steps or not."""

    def broken(rule: Rule) -> Rule:
        if rule.sequence is None:
            return replace(rule, indicators=(change(rule.condition),), exclusions=())
        steps = tuple(
            replace(step, indicators=(change(step.condition),), exclusions=()) for step in rule.sequence.steps
        )
        return replace(rule, sequence=replace(rule.sequence, steps=steps))

    return broken


def _predicates(change: Callable[[Predicate], Expression]) -> Breakage:
    return _everywhere(lambda expression: mapped(expression, change))


def _case_flag_ignored(predicate: Predicate) -> Predicate:
    return replace(predicate, ignore_case=False)


def _value_lost(predicate: Predicate) -> Predicate:
    return replace(predicate, values=predicate.values[:-1]) if len(predicate.values) > 1 else predicate


def _other_operator(predicate: Predicate) -> Predicate:
    text = all(isinstance(value, str) for value in predicate.values) or predicate.operator in ORDER_OPERATORS
    if not text or predicate.functions:
        return predicate
    return replace(predicate, operator=_OTHER_OPERATOR.get(predicate.operator, predicate.operator))


def _escape_missing(predicate: Predicate) -> Predicate:
    """A backslash swallowed, as by a string that was pasted and not printed."""
    if predicate.operator in (Operator.REGEX, Operator.LIKE):
        return predicate
    values = tuple(v.replace("\\", "") or v if isinstance(v, str) else v for v in predicate.values)
    return replace(predicate, values=values)


def _value_changed(predicate: Predicate) -> Predicate:
    def other(value: Any) -> Any:
        return f"{value}x" if isinstance(value, str) and predicate.operator is Operator.IS else value

    return replace(predicate, values=tuple(map(other, predicate.values)))


def _on_operands(change: Callable[[Reference], Scalar | Reference]) -> Breakage:
    """A change of every operand that is a value of the event."""

    def broken(predicate: Predicate) -> Predicate:
        values = (change(value) if isinstance(value, Reference) else value for value in predicate.values)
        return replace(predicate, values=tuple(values))

    return _predicates(broken)


def _another_field(path: FieldPath) -> FieldPath:
    """A neighbour of the field, which no event has."""
    *before, last = path.steps
    return FieldPath((*before, f"{last}_of_another")) if isinstance(last, str) else path


def _operand_renamed(operand: Reference) -> Scalar | Reference:
    return renamed_operand(operand, _another_field)


def _operand_quoted(predicate: Predicate) -> Predicate:
    """The field's name as a text, as by a printer that quotes all operands alike."""
    values = tuple(str(value) if isinstance(value, FieldPath) else value for value in predicate.values)
    same = predicate.operator is Operator.SAME_AS and values != predicate.values
    return replace(predicate, operator=Operator.IS if same else predicate.operator, values=values)


def _operand_unchanged(operand: Reference) -> Scalar | Reference:
    """Without its functions, and of joined texts and fields the last field alone."""
    return fields_of(operand)[-1]


def _functions_lost(predicate: Predicate) -> Predicate:
    return replace(predicate, functions=())


def _sides_swapped(predicate: Predicate) -> Predicate:
    """``a starts with b`` asked as ``b starts with a``."""
    match predicate.values:
        case (FieldPath() | Derived() as other,) if predicate.operator is not Operator.SAME_AS:
            subject, functions = changes_of(other)
            swapped = reference(predicate.subject, predicate.functions)
            return replace(predicate, subject=subject, functions=functions, values=(swapped,))
        case _:
            return predicate


def _exists_lost(predicate: Predicate) -> Expression:
    return TRUE if predicate.operator is Operator.EXISTS else predicate


def _not_dropped(expression: Expression) -> Expression:
    match expression:
        case Not(term):
            return _not_dropped(term)
        case All(terms) | AnyOf(terms):
            return type(expression)(tuple(map(_not_dropped, terms)))
        case ForSome(path, term):
            return ForSome(path, _not_dropped(term))
        case _:
            return expression


def _and_or_swapped(expression: Expression) -> Expression:
    match expression:
        case All(terms):
            return AnyOf(tuple(map(_and_or_swapped, terms)))
        case AnyOf(terms):
            return All(tuple(map(_and_or_swapped, terms)))
        case Not(term):
            return Not(_and_or_swapped(term))
        case _:
            return expression


def _last_term_lost(expression: Expression) -> Expression:
    match expression:
        case All(terms) if len(terms) > 1:
            return All(terms[:-1])
        case _:
            return expression


def _window_changed(rule: Rule) -> Rule:
    if rule.threshold is not None:
        return replace(rule, threshold=replace(rule.threshold, within=rule.threshold.within / 5))
    if rule.sequence is not None and rule.sequence.within is not None:
        return replace(rule, sequence=replace(rule.sequence, within=rule.sequence.within * 3))
    if rule.new_terms is not None:
        return replace(rule, new_terms=replace(rule.new_terms, history=timedelta(days=1)))
    return rule


def _count_changed(rule: Rule) -> Rule:
    if rule.threshold is None:
        return rule
    return replace(rule, threshold=replace(rule.threshold, count=rule.threshold.count + 1))


def _group_lost(rule: Rule) -> Rule:
    if rule.threshold is not None and (rule.threshold.by or rule.threshold.choices):
        return replace(rule, threshold=replace(rule.threshold, by=(), choices=()))
    if rule.sequence is not None and any(step.by for step in rule.sequence.steps):
        steps: tuple[Step, ...] = tuple(replace(step, by=()) for step in rule.sequence.steps)
        return replace(rule, sequence=replace(rule.sequence, steps=steps))
    return rule


BREAKAGES: MappingProxyType[str, Breakage] = MappingProxyType(
    {
        "case flag ignored": _predicates(_case_flag_ignored),
        "not dropped": _everywhere(_not_dropped),
        "value lost": _predicates(_value_lost),
        "value changed": _predicates(_value_changed),
        "AND and OR swapped": _everywhere(_and_or_swapped),
        "another operator": _predicates(_other_operator),
        "escape missing": _predicates(_escape_missing),
        "last condition lost": _everywhere(_last_term_lost),
        "operand renamed": _on_operands(_operand_renamed),
        "operand quoted": _predicates(_operand_quoted),
        "operand unchanged": _on_operands(_operand_unchanged),
        "functions lost": _predicates(_functions_lost),
        "sides swapped": _predicates(_sides_swapped),
        "exists lost": _predicates(_exists_lost),
        "window changed": _window_changed,
        "count changed": _count_changed,
        "group key lost": _group_lost,
    }
)


class Broken:
    """A platform whose writer is broken in one way; everything else is the platform's own."""

    def __init__(self, whole: Platform, breakage: Breakage) -> None:
        self.name = whole.name
        self.losses = whole.losses
        self.siem = whole.siem
        self._whole = whole
        self._breakage = breakage

    def render(self, rule: Rule, context: Context) -> Artifact:
        """What the broken writer writes, with the fidelity that the whole one claims."""
        honest = self._whole.render(rule, context)
        broken = self._whole.render(self._breakage(rule), context)
        return replace(broken, fidelity=honest.fidelity, diagnostics=honest.diagnostics)

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """As the whole platform reads."""
        return self._whole.read_back(artifact, context)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """As the whole platform stores."""
        return self._whole.project(event, pack)

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        """As the whole platform counts."""
        assert isinstance(self._whole, Counting)
        return self._whole.windows(rule, artifact, context)

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """None: the reader has to see it."""
        return ()


def changes(breakage: Breakage, rule: Rule) -> bool:
    """Whether the breakage makes another rule of this one."""
    same = _everywhere(lambda expression: expression)
    return same(breakage(rule)) != same(rule)
