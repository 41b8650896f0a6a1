"""Comparisons between fields, made true once everything else stands: ``same_as`` and ``concat``.

Both are brought back to conditions on one field after the other: a field shall be what another one is, or a
joined text is chosen and taken apart.
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
from converter.check.verdicts import VALUE, holds, plain
from converter.evaluate.values import path_getter, subject_getter, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import Concat, Operator, Predicate, Scalar, fields_of
from converter.model.paths import FieldPath

_ANYTHING = ("same", 7, "198.51.100.7", True, "2024-05-06T07:08:09Z")


def crossed(built: Construction, atoms: Iterable[Goal]) -> None:
    """Change what is built so that atoms that compare fields are as wanted, as far as that is found."""
    todo = list(atoms)
    for atom in todo:
        predicate = atom.condition
        if not isinstance(predicate, Predicate) or _is(atom, built):
            continue
        subject = predicate.subject
        others = tuple(path for path in predicate.values if isinstance(path, FieldPath))
        if not atom.wanted:
            _parted(built, (*fields_of(subject), *others))
        elif isinstance(subject, Concat) and others:
            _copied_to(built, predicate, subject, others)
        elif isinstance(subject, Concat):
            _joined(built, subject, [other for other in todo if _subject(other) == subject])
        elif others:
            _equalled(built, predicate, subject, others)


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


def _copied_to(
    built: Construction, predicate: Predicate, concat: Concat, others: tuple[FieldPath, ...]
) -> None:
    """Give the other fields the text that the joined ones make, each of which gets a value."""
    for path in fields_of(concat):
        _ask(built, path, Predicate(path, Operator.EXISTS))
    texts = subject_getter(concat, predicate.functions)(built.data())
    for other in others if texts else ():
        _ask(built, other, Predicate(other, Operator.IS, (texts[0],), predicate.ignore_case))


def _equalled(
    built: Construction, predicate: Predicate, subject: FieldPath, others: tuple[FieldPath, ...]
) -> None:
    """Give the subject and one of the other fields (each, with ``all_of``) an equal value."""
    for value in _candidates(built, predicate, others):
        same = Predicate(subject, Operator.IS, (value,), predicate.ignore_case)
        if not _ask(built, subject, msgspec.structs.replace(same, functions=predicate.functions)):
            continue
        equal = [_ask(built, other, same) for other in others]
        if all(equal) if predicate.all_of else any(equal):
            return


def _candidates(built: Construction, predicate: Predicate, others: tuple[FieldPath, ...]) -> Iterator[Scalar]:
    data = built.data()
    for other in others:
        yield from path_getter(other)(data)
    yield from subject_getter(predicate.subject, predicate.functions)(data)
    yield from _ANYTHING


def _parted(built: Construction, paths: tuple[FieldPath, ...]) -> None:
    """Give some field another value than it has, where it has to have one."""
    for path in paths:
        values = path_getter(path)(built.data())
        if values and _ask(built, path, Predicate(path, Operator.IS, tuple(values)), wanted=False):
            return


def _joined(built: Construction, concat: Concat, atoms: list[Goal]) -> None:
    """Give the fields texts that joined satisfy every atom of that subject."""
    data = built.data()
    known = [
        [text_of(value) for value in path_getter(part)(data)] if isinstance(part, FieldPath) else [part]
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
        if isinstance(part, FieldPath):
            _ask(built, part, Predicate(part, Operator.IS, (text,)))


def _re2(known: list[list[str]]) -> str:
    import re2

    return "".join(str(re2.escape(texts[0])) if texts else ".*" for texts in known)
