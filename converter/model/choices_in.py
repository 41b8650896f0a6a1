"""Group keys from plain data: fields, and choices between subjects."""

from __future__ import annotations

from typing import Any, Final

from converter.model import tables
from converter.model.expressions import Concat, Subject
from converter.model.expressions_in import read_expressions, read_field, read_functions, read_subject
from converter.model.paths import FieldPath
from converter.model.problems import Problems, Where, did_you_mean
from converter.model.rule import Alternative, Choice

_KEYS: Final = (
    tables.WHEN_KEY,
    tables.FIELD_KEY,
    tables.CONCAT_KEY,
    tables.TEXT_KEY,
    tables.APPLY_KEY,
)


def read_group_keys(data: object, where: Where, problems: Problems) -> tuple[FieldPath | Choice, ...]:
    """The keys of a group. Those that cannot be read are reported and left out."""
    if not isinstance(data, list):
        problems.wrong_type(tables.Kind.GROUP_KEYS.value, data, where, "write it as a list: [ … ]")
        return ()
    found: list[FieldPath | Choice] = []
    for index, item in enumerate(data):
        place: Where = (where, index)
        if isinstance(item, dict) and set(item) == {tables.CHOICE_KEY}:
            found.append(_read_choice(item[tables.CHOICE_KEY], (place, tables.CHOICE_KEY), problems))
        elif (path := read_field(item, place, problems)) is not None:
            found.append(path)
    return tuple(found)


def _read_choice(data: object, where: Where, problems: Problems) -> Choice:
    if not isinstance(data, list):
        problems.wrong_type("a list of alternatives", data, where, "put '- ' before each alternative")
        return Choice(())
    if not data:
        problems.add("empty", "expected at least one alternative", where)
    read = (_read_alternative(item, (where, index), problems) for index, item in enumerate(data))
    return Choice(tuple(alternative for alternative in read if alternative is not None))


def _read_alternative(data: object, where: Where, problems: Problems) -> Alternative | None:
    if not isinstance(data, dict):
        problems.wrong_type("an alternative, {when: […], field: FIELD}", data, where)
        return None
    for key in data:
        if key not in _KEYS:
            message = f"{key!r} is no key of an alternative; expected one of {', '.join(_KEYS)}"
            problems.add("unknown-key", message, (where, key), did_you_mean(key, _KEYS), on_key=True)
    subject = _read_subject(data, where, problems)
    when = read_expressions(data.get(tables.WHEN_KEY, []), (where, tables.WHEN_KEY), problems)
    functions = read_functions(data.get(tables.APPLY_KEY, ()), (where, tables.APPLY_KEY), problems)
    return None if subject is None else Alternative(subject=subject, functions=functions, when=when)


def _read_subject(data: dict[str, Any], where: Where, problems: Problems) -> Subject | None:
    if tables.TEXT_KEY not in data:
        return read_subject(data, where, problems)
    others = [key for key in (tables.FIELD_KEY, tables.CONCAT_KEY, tables.APPLY_KEY) if key in data]
    if others:
        message = f"{tables.TEXT_KEY!r} stands alone, without {others[0]!r}"
        problems.add("bad-subject", message, (where, others[0]), on_key=True)
    text = data[tables.TEXT_KEY]
    if not isinstance(text, str):
        problems.wrong_type("a text", text, (where, tables.TEXT_KEY), "put it in quotes to make it text")
        return None
    return Concat((text,))
