"""Comparisons between fields, made true once everything else stands: operands of the event, and ``concat``.

Both are brought back to conditions on one field after the other: a field shall be what another one has it
be, or a joined text is chosen and taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from converter.check.constraints.answers import Found, Literal
from converter.check.constraints.choices import Goal
from converter.check.constraints.construction import Construction
from converter.check.constraints.groups import place_of
from converter.check.constraints.values import solve_value
from converter.check.verdicts import (
    VALUE,
    holds,
    is_ordered,
    plain,
    resolved,
)
from converter.evaluate.values import path_getter, subject_getter, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import (
    FALSE,
    ORDER_OPERATORS,
    TRUE,
    Concat,
    Derived,
    Expression,
    ForSome,
    Operator,
    Predicate,
    Reference,
    Scalar,
    asks_outside,
    changes_of,
    fields_asked,
    fields_of,
    mapped,
    predicates,
    references,
)
from converter.model.paths import FieldPath

_ANYTHING = ("same", 7, "198.51.100.7", True, "2024-05-06T07:08:09Z")
_TURNED = {
    Operator.GT: Operator.LT,
    Operator.GTE: Operator.LTE,
    Operator.LT: Operator.GT,
    Operator.LTE: Operator.GTE,
}


def crossed(built: Construction, atoms: Iterable[Goal]) -> None:
    """Change what is built so that atoms that compare fields are as wanted, as far as that is found."""
    todo = list(atoms)
    for atom in todo:
        predicate = atom.condition
        if _is(atom, built):
            continue
        if isinstance(predicate, ForSome):
            _beside(built, predicate, atom.wanted)
        if not isinstance(predicate, Predicate):
            continue
        subject = predicate.subject
        others = references(predicate)
        if not atom.wanted:
            _parted(built, predicate)
        elif isinstance(subject, Concat) and others:
            _copied_to(built, predicate, subject, others)
        elif isinstance(subject, Concat):
            _joined(built, subject, [other for other in todo if _subject(other) == subject])
        elif others:
            _compared(built, predicate, subject, others)


def _subject(atom: Goal) -> Any:
    return atom.condition.subject if isinstance(atom.condition, Predicate) else None


def _is(atom: Goal, built: Construction) -> bool:
    return holds(atom.condition, built.data()) is atom.wanted


def _ask(built: Construction, path: FieldPath, predicate: Predicate, wanted: bool = True) -> bool:
    """Ask something of the field at a path (of which the keys lead straight to the value)."""
    place = place_of(path)
    if place is None or place.rest is not None:
        return False
    return built.ask(place.keys, [Goal(plain(msgspec.structs.replace(predicate, subject=path)), wanted)])


def _beside(built: Construction, asked: ForSome, wanted: bool) -> None:
    """Give what stands outside of a list a value, and the list elements that go with it."""
    for predicate in predicates(asked.term):
        for path in fields_asked(predicate):
            alone = path == predicate.subject and not references(predicate)
            if path.rooted:
                there = predicate if alone else Predicate(path, Operator.EXISTS)
                _ask(built, FieldPath(path.steps), there)
    data = built.data()

    def settled(predicate: Predicate) -> Expression:
        if all(path.rooted for path in fields_asked(predicate)):
            return TRUE if holds(predicate, data) else FALSE
        outside = all(path.rooted for other in references(predicate) for path in fields_of(other))
        return resolved(predicate, data) if outside else predicate

    place, inside = place_of(asked.path), ForSome(asked.path, mapped(asked.term, settled))
    if place is not None and not asks_outside(inside):
        built.ask(place.keys, [Goal(plain(inside), wanted)])


def _copied_to(
    built: Construction, predicate: Predicate, concat: Concat, others: tuple[Reference, ...]
) -> None:
    """Give the other fields what the text that the joined ones make asks for, each of which gets a value."""
    for path in fields_of(concat):
        _ask(built, path, Predicate(path, Operator.EXISTS))
    texts = subject_getter(concat, predicate.functions)(built.data())
    if predicate.operator in ORDER_OPERATORS:
        texts = [text for text in texts if is_ordered(text)]
    for other in others if texts else ():
        _given(built, other, _turned(predicate, texts[0]))


def _compared(
    built: Construction, predicate: Predicate, subject: FieldPath, others: tuple[Reference, ...]
) -> None:
    """Give one of the others (each, with ``all_of``) a value, and the subject one that goes with it."""
    for other in others:
        for path in fields_of(other) if isinstance(other, Derived) else ():
            _ask(built, path, Predicate(path, Operator.EXISTS))
    for value in _candidates(built, predicate, others):
        given = [_given(built, other, Predicate(subject, Operator.IS, (value,))) for other in others]
        asked = resolved(msgspec.structs.replace(predicate, values=others), built.data())
        if (all(given) if predicate.all_of else any(given)) and _ask(built, subject, asked):
            return


def _given(built: Construction, other: Reference, asked: Predicate) -> bool:
    """Ask something of an operand's value; what is joined keeps the value that its fields make."""
    subject, functions = changes_of(other)
    if isinstance(subject, Concat):
        return bool(subject_getter(subject, functions)(built.data()))
    return _ask(built, subject, msgspec.structs.replace(asked, functions=functions))


def _turned(predicate: Predicate, text: Scalar) -> Predicate:
    """What a subject's text asks of the operand: the order the other way round, else to be the same text."""
    operator = _TURNED.get(predicate.operator, Operator.IS)
    return Predicate(predicate.subject, operator, (text,), predicate.ignore_case)


def _candidates(built: Construction, predicate: Predicate, others: tuple[Reference, ...]) -> Iterator[Scalar]:
    data = built.data()
    for other in others:
        yield from subject_getter(*changes_of(other))(data)
    yield from subject_getter(predicate.subject, predicate.functions)(data)
    yield from _ANYTHING


def _parted(built: Construction, predicate: Predicate) -> None:
    """Give some field another value than it has, where it has to have one."""
    subject = predicate.subject
    if isinstance(subject, FieldPath) and references(predicate):
        asked = resolved(predicate, built.data())
        if asked.values and _ask(built, subject, asked, wanted=False):
            return
    for path in fields_asked(predicate):
        values = path_getter(path)(built.data())
        if values and _ask(built, path, Predicate(path, Operator.IS, tuple(values)), wanted=False):
            return


def _joined(built: Construction, concat: Concat, atoms: list[Goal]) -> None:
    """Give the fields texts that joined satisfy every atom of that subject."""
    data = built.data()
    known = [
        [part] if isinstance(part, str) else list(map(text_of, subject_getter(*changes_of(part))(data)))
        for part in concat.parts
    ]
    pattern = "".join(f"({re.escape(texts[0])})" if texts else "(.*?)" for texts in known)
    shape = Predicate(VALUE, Operator.REGEX, (f"(?s)^{_re2(known)}$",))
    asked = [
        Literal(msgspec.structs.replace(atom.condition, subject=VALUE), atom.wanted)
        for atom in atoms
        if isinstance(atom.condition, Predicate)
    ]
    answer = solve_value((*asked, Literal(shape, True)), FieldType.KEYWORD)
    match = re.fullmatch(pattern, answer.value, re.DOTALL) if isinstance(answer, Found) else None
    if match is None:
        return
    for part, text in zip(concat.parts, match.groups(), strict=True):
        if not isinstance(part, str):
            _given(built, part, Predicate(VALUE, Operator.IS, (text,)))


def _re2(known: list[list[str]]) -> str:
    import re2

    return "".join(str(re2.escape(texts[0])) if texts else ".*" for texts in known)
