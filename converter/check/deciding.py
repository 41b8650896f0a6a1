"""Events made from a rule itself: each predicate is made to decide the outcome.

From a base event, the surroundings of a predicate are first made neutral (its siblings true under ``all``,
false under ``any``), so that the verdict rests on it alone; then its field takes every witness value in
turn, and is taken away. What each made event means is left to the reference evaluator.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from converter.check.coverage import Coverer
from converter.check.decisions import Decision
from converter.check.placing import ABSENT, FieldLookup, copied, is_list, placed, put
from converter.check.verdicts import (
    VALUE,
    is_ordered,
    resolved,
)
from converter.check.witnesses import beside, in_place, near_misses, typed_value, within, without, witnesses
from converter.evaluate import compile_expression
from converter.evaluate.values import path_getter, text_of
from converter.logsources.forms import form_of
from converter.logsources.pack import Field
from converter.model.expressions import (
    ORDER_OPERATORS,
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    constants,
    fields_of,
    references,
    renamed,
)
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject

_MOST_PAIRED = 40
"""So many values of a list at most are put beside one another: a class of addresses has hundreds of edges."""
_SAMPLES = ("same", 7, True, "8.8.8.8", "2024-01-02T03:04:05Z")


class _Place(msgspec.Struct, frozen=True):
    """A predicate in its tree: the absolute prefix of its paths, and the siblings to be made neutral."""

    predicate: Predicate
    prefix: FieldPath | None
    siblings: tuple[tuple[Expression, bool, FieldPath | None], ...]


def deciding_events(
    condition: Expression, bases: list[JsonObject], lookup: FieldLookup
) -> Iterator[JsonObject]:
    """Events in which one predicate after the other decides. ``bases``: events in the source's real shape,
    to be changed (copies; the first few count); none means starting from an empty object.

    A predicate that decides in none of these, or only when true or only when false, gets an event of its own
    that is constructed for it, if there can be one.
    """
    seen: set[bytes] = set()
    coverer = Coverer(condition, lookup)
    decided: set[Decision] = set()
    for event in itertools.chain(
        _from_bases(condition, bases or [{}], lookup), _constructed(coverer, decided, lookup)
    ):
        identity = msgspec.json.encode(event)
        if identity not in seen:
            seen.add(identity)
            decided |= coverer.decisions.of(event)[1]
            yield event


def variants(
    event: JsonObject, predicate: Predicate, lists: Sequence[FieldPath], lookup: FieldLookup
) -> Iterator[JsonObject]:
    """An event with each value at the edge of a predicate in its field, without the field, and with lists of
    such values. ``lists``: the paths of the ``for_some`` around the predicate.
    """
    prefix: FieldPath | None = None
    for path in lists:
        prefix = _element(path, prefix)
    return _decided(event, _Place(predicate, prefix, ()), lookup)


def _from_bases(condition: Expression, bases: list[JsonObject], lookup: FieldLookup) -> Iterator[JsonObject]:
    for base in bases:
        for place in _places(condition, None, ()):
            neutral = copied(base)
            for sibling, wanted, prefix in place.siblings:
                _force(neutral, sibling, wanted, prefix, lookup)
            yield from _decided(neutral, place, lookup)


def _constructed(coverer: Coverer, decided: set[Decision], lookup: FieldLookup) -> Iterator[JsonObject]:
    """Events for what ``decided`` (it grows meanwhile) still lacks."""
    for occurrence in coverer.decisions.occurrences:
        for holds in (True, False):
            decision = Decision(occurrence.number, holds)
            event = None if decision in decided else coverer.example(decision)
            if event is not None:
                yield event
                yield from variants(event, occurrence.predicate, occurrence.lists, lookup)


def _places(
    expression: Expression,
    prefix: FieldPath | None,
    siblings: tuple[tuple[Expression, bool, FieldPath | None], ...],
) -> Iterator[_Place]:
    match expression:
        case All(terms) | AnyOf(terms):
            neutral = isinstance(expression, All)
            for index, term in enumerate(terms):
                others = tuple((other, neutral, prefix) for i, other in enumerate(terms) if i != index)
                yield from _places(term, prefix, siblings + others)
        case Not(term):
            yield from _places(term, prefix, siblings)
        case ForSome(path, term):
            yield from _places(term, _element(path, prefix), siblings)
        case Predicate():
            yield _Place(expression, prefix, siblings)


def _decided(neutral: JsonObject, place: _Place, lookup: FieldLookup) -> Iterator[JsonObject]:
    """The event with each witness in the predicate's field, without the field, and with list variants."""
    predicate = _absolute_predicate(place.predicate, place.prefix)
    if references(predicate):
        neutral = _with_others(neutral, predicate, lookup)
    yield neutral
    if isinstance(predicate.subject, Concat):
        yield from _decided_concat(neutral, predicate, predicate.subject, lookup)
        return
    target = predicate.subject
    field = lookup(target)
    values = _witnesses_of(predicate, neutral, field)
    for value in (*values, ABSENT, None):
        yield placed(neutral, target, value, field)
    if is_list(target, field):
        pairs = map(list, itertools.pairwise(values[:_MOST_PAIRED]))
        satisfies = compile_expression(msgspec.structs.replace(predicate, subject=VALUE))
        present = path_getter(target)(neutral)[:_MOST_PAIRED]
        there = present[:1]
        rest = [value for value in present if not satisfies({"value": value})]
        for value in ([*rest, one] for one in values if rest and rest != there):
            yield placed(neutral, target, value, field)
        for value in (values, *pairs, *([*there, one] for one in values), *_one_changed(predicate), []):
            yield placed(neutral, target, value, field)
    if references(predicate):
        compared = placed(neutral, target, values[0], field) if values else neutral
        yield from _without_others(compared, predicate, lookup)


def _one_changed(predicate: Predicate) -> Iterator[list[Any]]:
    """For a predicate that asks for all of its texts: a list of them in which one is a little different."""
    texts = list(map(text_of, constants(predicate)))
    for place, text in enumerate(texts if predicate.all_of and len(texts) > 1 else ()):
        for near in (text, f"x{text}", f"{text}x", text[1:], text[:-1], text.swapcase()):
            yield [*texts[:place], near, *texts[place + 1 :]]


def _without_others(event: JsonObject, predicate: Predicate, lookup: FieldLookup) -> Iterator[JsonObject]:
    """The event without a field that it is compared with: the other side of it being missing."""
    for path in _compared_with(predicate):
        yield placed(event, path, ABSENT, lookup(path))


def _compared_with(predicate: Predicate) -> Iterator[FieldPath]:
    """The fields among the operands."""
    for operand in references(predicate):
        yield from fields_of(operand)


def _decided_concat(
    neutral: JsonObject, predicate: Predicate, concat: Concat, lookup: FieldLookup
) -> Iterator[JsonObject]:
    """The event with each whole text taken apart into the fields it is joined from, or without a field."""
    for value in _witnesses_of(predicate, neutral, None):
        changed = _with_parts(neutral, concat, text_of(value), lookup)
        if changed is not None:
            yield changed
    for path in fields_of(concat):
        yield placed(neutral, path, ABSENT, lookup(path))


def _with_parts(event: JsonObject, concat: Concat, text: str, lookup: FieldLookup) -> JsonObject | None:
    """The event with fields whose joined text is ``text``; None if the literal parts do not occur in it."""
    pattern = "".join(re.escape(part) if isinstance(part, str) else "(.*?)" for part in concat.parts)
    match = re.fullmatch(pattern, text, re.DOTALL)
    if match is None:
        return None
    changed = copied(event)
    for path, part in zip(fields_of(concat), match.groups(), strict=True):
        put(changed, path, part, lookup(path))
    return changed


def _with_others(event: JsonObject, predicate: Predicate, lookup: FieldLookup) -> JsonObject:
    """The event with a value in every field that it is compared with."""
    changed = copied(event)
    for other in _compared_with(predicate):
        if not path_getter(other)(changed):
            field = lookup(other)
            in_order = predicate.operator in ORDER_OPERATORS
            samples = tuple(value for value in _SAMPLES if not in_order or is_ordered(value))
            literal = Predicate(other, Operator.IS, samples)
            fitting = witnesses(literal, None if field is None else field.type)
            put(changed, other, fitting[0] if fitting else "same", field)
    return changed


def _witnesses_of(predicate: Predicate, event: JsonObject, field: Field | None) -> list[Any]:
    """Witnesses for a predicate with absolute paths; for one with references around what these hold.

    Where the event has a text there already, its near misses are tried too: they may keep what other
    predicates ask of the same field, which a value made for this one alone need not.
    """
    kind = None if field is None else field.type
    asked = resolved(predicate, event)
    values = witnesses(asked, kind)
    present = () if isinstance(predicate.subject, Concat) else path_getter(predicate.subject)(event)[:1]
    near = [value for one in present for value in near_misses(one, kind)]
    if present and isinstance(present[0], str):
        near += within(present[0], asked)
        near += [value for value in in_place(present[0], asked) if typed_value(value, kind) == value]
        near += [value for value in beside(present[0], asked) if typed_value(value, kind) == value]
    values += [value for value in dict.fromkeys(near) if value not in values]
    form = form_of(field)
    return values if form is None else [value for value in values if re.search(form, text_of(value))]


def _force(
    event: JsonObject, expression: Expression, wanted: bool, prefix: FieldPath | None, lookup: FieldLookup
) -> None:
    """Change the event so that the expression gets the wanted verdict, where that is in its power."""
    match expression:
        case Not(term):
            _force(event, term, not wanted, prefix, lookup)
        case ForSome(path, term):
            element = _element(path, prefix)
            if not wanted:
                put(event, FieldPath(element.steps[:-1]), ABSENT, None)
                return
            _force(event, term, True, element, lookup)
        case All(terms) | AnyOf(terms):
            needs_every = isinstance(expression, All) is wanted
            for term in terms if needs_every else terms[:1]:
                _force(event, term, wanted, prefix, lookup)
        case Predicate():
            _force_predicate(event, _absolute_predicate(expression, prefix), wanted, lookup)


def _force_predicate(event: JsonObject, predicate: Predicate, wanted: bool, lookup: FieldLookup) -> None:
    holds = compile_expression(predicate)
    if holds(event) is wanted:
        return
    for attempt in _attempts(event, predicate, wanted, lookup):
        if holds(attempt) is wanted:
            event.clear()
            event.update(attempt)
            return


def _attempts(
    event: JsonObject, predicate: Predicate, wanted: bool, lookup: FieldLookup
) -> Iterator[JsonObject]:
    """Changed events, one of which probably gives a predicate with absolute paths the wanted verdict."""
    if not wanted:
        for path in fields_of(predicate.subject):
            texts = [value for value in path_getter(path)(event)[:1] if isinstance(value, str)]
            kept = [text for value in texts if (text := without(value, predicate)) not in ("", value)]
            for value in (*kept, ABSENT):
                yield placed(event, path, value, lookup(path))
    if references(predicate):
        event = _with_others(event, predicate, lookup)
    if isinstance(predicate.subject, Concat):
        yield from _decided_concat(event, predicate, predicate.subject, lookup)
        return
    target = predicate.subject
    field = lookup(target)
    there = [value for value in path_getter(target)(event)[:1] if isinstance(value, str) and value]
    if wanted and not predicate.functions:
        for value in (text for one in there for text in beside(one, resolved(predicate, event))):
            yield placed(event, target, value, field)
    for value in _witnesses_of(predicate, event, field):
        yield placed(event, target, value, field)
    if predicate.all_of and is_list(target, field):
        yield placed(event, target, list(resolved(predicate, event).values), field)


def _element(path: FieldPath, prefix: FieldPath | None) -> FieldPath:
    whole = _absolute(path, prefix)
    return whole if whole.steps[-1] is None else FieldPath((*whole.steps, None))


def _absolute(path: FieldPath, prefix: FieldPath | None) -> FieldPath:
    return path if prefix is None else prefix.joined(path)


def _absolute_predicate(predicate: Predicate, prefix: FieldPath | None) -> Predicate:
    return predicate if prefix is None else renamed(predicate, prefix.joined)
