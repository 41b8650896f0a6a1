"""A rule's logic as text for people, several lines where one would be too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from converter.model.describe import describe, describe_parts, describe_test
from converter.model.expressions import All, AnyOf, Expression, ForSome, Not, Predicate, fields_of
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, NewTerms, Rule, Sequence, Step, Threshold, WindowStart
from converter.model.scalars_in import format_duration

_WIDTH: Final = 100
_INDENT: Final = "    "


def condition_text(rule: Rule) -> str:
    """What a rule asks of an event, or of each step's, as lines of text."""
    if rule.sequence is None:
        return "\n".join(_outline(rule.condition))
    lines: list[str] = []
    for number, step in enumerate(rule.steps, start=1):
        lines.append(_step_head(number, step))
        lines.extend(_INDENT + line for line in _outline(step.condition))
    return "\n".join(lines)


def correlation_text(rule: Rule) -> str:
    """How matches add up to an alert: threshold, sequence or new terms; empty if each match is one."""
    if rule.threshold is not None:
        return _threshold(rule.threshold)
    if rule.sequence is not None:
        return _sequence(rule.sequence)
    return "" if rule.new_terms is None else _new_terms(rule.new_terms)


def _outline(expression: Expression) -> Iterator[str]:
    """One line where it fits; otherwise a head and its terms below it."""
    line = describe(expression)
    match expression:
        case All(terms) if len(line) > _WIDTH:
            yield from _listed("all of", terms)
        case AnyOf(terms) if len(line) > _WIDTH:
            yield from _listed("any of", terms)
        case Not(AnyOf(terms)) if len(line) > _WIDTH:
            yield from _listed("none of", terms)
        case Not(term) if len(line) > _WIDTH:
            yield from _listed("not", (term,))
        case ForSome(path, term) if len(line) > _WIDTH:
            yield from _listed(f"some element of {path}", (term,))
        case Predicate() if len(line) > _WIDTH and len(expression.values) > 1:
            asked, operands, case = describe_parts(expression)
            yield f"{asked} {'all' if expression.all_of else 'any'} of{case}:"
            yield from (_INDENT + row for row in _rows(operands))
        case _:
            yield line


def _rows(operands: Iterable[str]) -> Iterator[str]:
    """Operands side by side, as many as fit in a line."""
    row = ""
    for operand in operands:
        if row and len(row) + len(operand) + 3 > _WIDTH:
            yield f"{row},"
            row = ""
        row = f"{row}, {operand}" if row else operand
    yield row


def _listed(head: str, terms: Iterable[Expression]) -> Iterator[str]:
    yield f"{head}:"
    for term in terms:
        for line in _outline(term):
            yield _INDENT + line


def _step_head(number: int, step: Step) -> str:
    name = f" ({step.name})" if step.name else ""
    how = ", which must not occur" if step.absent else f", {step.repeat} times" if step.repeat > 1 else ""
    by = f", by {_names(step.by)}" if step.by else ""
    return f"step {number}{name} of {', '.join(step.logsource)}{how}{by}:"


def _threshold(threshold: Threshold) -> str:
    within = f"within {format_duration(threshold.within)}"
    if threshold.every is not None:
        within = f"{within}, looked at every {format_duration(threshold.every)}"
    if threshold.window is WindowStart.FIRST_MATCH:
        within = f"{within} of a group's first match"
    asked = [f"at least {threshold.count} {_counted(threshold)}", *map(describe_test, threshold.having)]
    if threshold.having and threshold.count == 1 and threshold.distinct is None:
        asked = asked[1:]
    keys = [*map(str, threshold.by), *map(_chosen, threshold.choices)]
    by = f", counted by {' and '.join(keys)}" if keys else ""
    lone = ", matches without one too" if threshold.missing_keys is MissingKeys.GROUP else ""
    return f"{' and '.join(asked)} {within}{by}{lone}"


def _chosen(choice: Choice) -> str:
    """A choice by the fields that it may be."""
    subjects = (each.subject for each in choice.alternatives)
    names = dict.fromkeys(str(path) for subject in subjects for path in fields_of(subject))
    return f"one of {', '.join(names)}" if len(names) > 1 else next(iter(names), "a text")


def _counted(threshold: Threshold) -> str:
    return "matches" if threshold.distinct is None else f"different values of {threshold.distinct}"


def _sequence(sequence: Sequence) -> str:
    within = "" if sequence.within is None else f", all within {format_duration(sequence.within)}"
    return f"{len(sequence.steps)} steps in order{within}"


def _new_terms(new: NewTerms) -> str:
    return f"a value of {_names(new.fields)} not seen in the {format_duration(new.history)} before"


def _names(fields: Iterable[FieldPath]) -> str:
    return ", ".join(map(str, fields))
