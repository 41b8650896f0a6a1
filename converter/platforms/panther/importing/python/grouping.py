"""By what the text of ``dedup()`` groups: fields, and choices between what it may be made of.

Panther groups alerts by a text. A text joined of fields says as much as their values; where one of its parts
is this field under some conditions and that one under others, the key is a choice. A default in the place of
a missing field is the group of those without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from converter.model.expressions import (
    FALSE as NEVER,
)
from converter.model.expressions import TRUE as ALWAYS
from converter.model.expressions import (
    All,
    Concat,
    Expression,
    Function,
    Operator,
    Predicate,
    Subject,
    fields_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.rule import Alternative, Choice
from converter.platforms.panther.importing.python.formulas import TooLargeError, either, under
from converter.platforms.panther.importing.python.lowering import UnsayableError, expressed, without_nulls
from converter.platforms.panther.importing.python.nodes import TRUE, Facts, Formula, facts_of, opposite, size
from converter.platforms.panther.importing.python.shapes import AS_JSON
from converter.platforms.panther.importing.python.values import (
    Field,
    Joined,
    Known,
    Outcome,
    Text,
    Value,
    Walked,
    identity,
)

Key: TypeAlias = FieldPath | Choice
_MOST_ALTERNATIVES = 40


def group_keys(outcome: Outcome) -> tuple[Key, ...] | None:
    """The keys of the groups that a text makes; None where it is made of something else as well."""
    try:
        return tuple(dict.fromkeys(_keys(outcome)))
    except (UnsayableError, TooLargeError, RecursionError):
        return None


def _keys(outcome: Outcome) -> list[Key]:
    cases, is_whole = _cases(outcome)
    if len(cases) == 1 and isinstance(cases[0][1], Joined):
        return [key for part in cases[0][1].parts for key in _keys(part)]
    if any(isinstance(value, Joined) for _, value in cases):
        return _by_case(cases)
    shown = [(guard, value) for guard, value in cases if not isinstance(value, Known)]
    if not shown and len(cases) < 2:
        return []
    if len(shown) == 1 and (path := _field(*shown[0])) is not None:
        return [path]
    if len(cases) > _MOST_ALTERNATIVES:
        raise UnsayableError("a choice between very many texts")
    return [_choice(cases, is_whole)]


def _choice(cases: Sequence[tuple[Formula, Value]], is_whole: bool) -> Choice:
    """The cases as alternatives, the plainest first: each is asked only where those before it do not hold.

    ``is_whole``: in every event it is one of them, or Python raises, which decides nothing.
    """
    found: list[Alternative] = []
    facts: Facts = frozenset()
    for guard, value in sorted(cases, key=lambda case: size(case[0])):
        subject, functions = _subject(value)
        when = _terms(expressed(under(guard, facts)))
        found.append(Alternative(subject=subject, functions=functions, when=when))
        facts |= facts_of(opposite(guard))
    if is_whole:
        found[-1] = msgspec.structs.replace(found[-1], when=())
    return Choice(tuple(found))


def _cases(outcome: Outcome) -> tuple[list[tuple[Formula, Value]], bool]:
    """The cases that are a text, those of one text as one, and whether these are all of them: None is no
    value, like a missing field.
    """
    is_whole = True
    found: dict[object, tuple[Formula, Value]] = {}
    for guard, value in outcome.cases:
        plain = without_nulls(guard)
        if isinstance(value, Known) and value.value is None:
            is_whole = is_whole and expressed(plain) == NEVER
            continue
        name = str(value.value) if isinstance(value, Known) else identity(value)
        found[name] = (either(found[name][0], plain) if name in found else plain, value)
    return [(guard, value) for guard, value in found.values() if expressed(guard) != NEVER], is_whole


def _field(guard: Formula, value: Value) -> FieldPath | None:
    """The field that a value is whenever there is one."""
    subject, functions = _subject(value)
    if functions or not isinstance(subject, FieldPath):
        return None
    exists = Predicate(subject, Operator.EXISTS)
    return subject if expressed(guard) in (ALWAYS, exists) else None


def _terms(condition: Expression) -> tuple[Expression, ...]:
    return condition.terms if isinstance(condition, All) else (condition,)


def _subject(value: Value) -> tuple[Subject, tuple[Function, ...]]:
    found: tuple[Subject, tuple[Function, ...]]
    match value:
        case Known(known):
            found = Concat((str(known),)), ()
        case Field(0, steps) | Walked(0, steps) if steps:
            found = FieldPath(steps), ()
        case Text(0, subject, functions):
            found = subject, functions
        case _:
            raise UnsayableError("a text made of something else than fields")
    if any(AS_JSON in path.steps for path in fields_of(found[0])):
        raise UnsayableError("a text made of what stands in a JSON text")
    return found


def _by_case(cases: Sequence[tuple[Formula, Value]]) -> list[Key]:
    """The keys of texts that are joined of other parts in each case: those of all, and those of one alone."""
    keys = [_keys(Outcome(((TRUE, value),))) for _, value in cases]
    shared = [key for key in keys[0] if all(key in others for others in keys)]
    own = [[key for key in each if key not in shared] for each in keys]
    if sum(1 for each in own if not each) > 1:
        raise UnsayableError("texts that only their constant parts tell apart")
    alone = [
        _only(expressed(guard), key) for (guard, _), each in zip(cases, own, strict=True) for key in each
    ]
    return [*shared, *alone]


def _only(condition: Expression, key: Key) -> Choice:
    """A key under a condition; without it, nothing in its place."""
    whole = key.alternatives if isinstance(key, Choice) else (Alternative(subject=key),)
    given = tuple(msgspec.structs.replace(each, when=(*_terms(condition), *each.when)) for each in whole)
    return Choice((*given, Alternative(subject=Concat(("",)), when=(negated(condition),))))
