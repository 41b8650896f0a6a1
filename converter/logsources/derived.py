"""Fields that one platform derives from a log's others, such as Elastic's event.outcome.

A platform that does not keep such a field is asked for what it is derived from. An event is well-formed when
its derived fields say what the others do; :func:`with_derived` makes it so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from converter.evaluate import compile_expression
from converter.logsources.canonical import value_at, with_value
from converter.logsources.lookup import known
from converter.logsources.pack import HASH_LENGTHS, Field, Means, Pack
from converter.logsources.remembered import Remembered
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject

_Values: TypeAlias = Callable[[JsonObject], list[str]]
_EXTENSION: Final = re.compile(r"\.([^./\\]*)\Z", re.DOTALL)
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_IN_NO_EXTENSION: Final = re.compile(r"[./\\]")


def is_derived(field: Field) -> bool:
    """Whether a field says how it is derived."""
    sources = (field.means, field.extension_of, field.labelled, field.told_by)
    return any(source is not None and source != {} for source in sources)


def asked_instead(predicate: Predicate, field: Field) -> tuple[Expression, tuple[Means, ...]] | None:
    """What a predicate on a derived field asks of the fields that it is derived from, and which of its
    values' meanings were used. None where that cannot be told: only ``is`` one of the known values can, and
    of a list of hashes that it ``contains`` a whole one.
    """
    if field.labelled:
        return _has_hashes(predicate, field.labelled)
    if field.told_by is not None:
        return None
    if predicate.operator is not Operator.IS or predicate.functions:
        return None
    if field.extension_of is not None:
        return _ends_with(predicate, field.extension_of)
    used = [_meanings(value, predicate.ignore_case, field.means) for value in predicate.values]
    always = next((one for found in used for one in found if one.condition == TRUE), None)
    if always is not None and not predicate.all_of:
        return TRUE, (always,)
    if not all(used):
        return None
    joined = all_of if predicate.all_of else any_of
    asked = joined(*(any_of(*(one.condition for one in found)) for found in used))
    return simplified(asked), tuple(dict.fromkeys(one for found in used for one in found))


def _meanings(value: Scalar | Reference, ignore_case: bool, means: Mapping[str, Means]) -> list[Means]:
    if not isinstance(value, str):
        return []
    if not ignore_case:
        return [means[value]] if value in means else []
    return [meaning for text, meaning in means.items() if text.lower() == value.lower()]


def _ends_with(predicate: Predicate, path: FieldPath) -> tuple[Expression, tuple[Means, ...]] | None:
    """A path has an extension when it ends in a dot and that text, which has no dot and no slash itself."""
    texts = [value for value in predicate.values if isinstance(value, str) and value]
    if len(texts) < len(predicate.values) or any(map(_IN_NO_EXTENSION.search, texts)):
        return None
    asked = Predicate(
        path,
        Operator.ENDS_WITH,
        tuple(f".{text}" for text in texts),
        ignore_case=predicate.ignore_case,
        all_of=predicate.all_of,
    )
    return asked, ()


def _has_hashes(
    predicate: Predicate, labelled: Mapping[str, FieldPath]
) -> tuple[Expression, tuple[Means, ...]] | None:
    """A list of hashes contains a label and a whole hash when the field of that label is the hash, which is
    kept in lower case; hashes of zeros alone are not kept.
    """
    if predicate.operator is not Operator.CONTAINS or predicate.functions or not predicate.ignore_case:
        return None
    terms: list[Expression] = []
    for value in predicate.values:
        label, _, digits = str(value).partition("=")
        path = labelled.get(label.upper())
        if path is None or not _is_hash(label.upper(), digits) or not digits.strip("0"):
            return None
        terms.append(Predicate(path, Operator.IS, (digits.lower(),)))
    return (all_of if predicate.all_of else any_of)(*terms), ()


def _is_hash(label: str, digits: Any) -> bool:
    return (
        isinstance(digits, str) and len(digits) == HASH_LENGTHS[label] and _HEX.fullmatch(digits) is not None
    )


def simplified(expression: Expression) -> Expression:
    """The same without terms that are always or never true; TRUE or FALSE where nothing else is left."""
    match expression:
        case All(terms):
            kept = [simplified(term) for term in terms]
            return FALSE if FALSE in kept else all_of(*kept)
        case AnyOf(terms):
            kept = [simplified(term) for term in terms]
            return TRUE if TRUE in kept else any_of(*kept)
        case Not(term):
            inner = simplified(term)
            if inner in (TRUE, FALSE):
                return FALSE if inner == TRUE else TRUE
            return negated(inner)
    return expression


def underived(expression: Expression, pack: Pack) -> Expression:
    """The condition with what derived fields stand for in their place, where that can be told."""
    match expression:
        case All(terms):
            return simplified(All(tuple(underived(term, pack) for term in terms)))
        case AnyOf(terms):
            return simplified(AnyOf(tuple(underived(term, pack) for term in terms)))
        case Not(term):
            return simplified(Not(underived(term, pack)))
        case Predicate(FieldPath() as path):
            found = known(pack, path)
            asked = None if found is None or found.rest else asked_instead(expression, found.field)
            return expression if asked is None else asked[0]
    return expression


class _Derivations:
    """How the derived fields of a log source come about."""

    def __init__(self, pack: Pack, platform: str) -> None:
        derived = [field for field in pack.fields.values() if is_derived(field)]
        self.hashes = [field for field in derived if field.labelled]
        self.fields: list[tuple[Field, _Values]] = [
            (field, _values_of(field)) for field in derived if not field.labelled
        ]


_DERIVATIONS: Final = Remembered[Pack, _Derivations](_Derivations)


def with_derived(pack: Pack, event: JsonObject, *, anew: bool = False) -> JsonObject:
    """The event with its derived fields. ``anew``: in place of those that it has; else those stay."""
    derivations = _DERIVATIONS(pack, "")
    for field, values_of in derivations.fields:
        keys = field.path.keys
        given = value_at(event, keys)
        if (given is not None and not anew) or not isinstance(value_at(event, keys[:-1]) or {}, dict):
            continue
        values = values_of(event)
        if values:
            event = with_value(event, keys, values if field.is_list or len(values) > 1 else values[0])
        elif given is not None:
            event = with_value(event, keys, None)
    for field in derivations.hashes:
        event = _with_hashes(field, event, anew)
    return event


def _with_hashes(field: Field, event: JsonObject, anew: bool) -> JsonObject:
    """The event with the list of its hashes and each of them; ``anew``: without what is no hash."""
    given = value_at(event, field.path.keys)
    single = {label: value_at(event, path.keys) for label, path in field.labelled.items()}
    whole = {label: hashed.lower() for label, hashed in single.items() if _is_hash(label, hashed)}
    if anew or not given:
        if whole:
            text = ",".join(f"{label}={digits.upper()}" for label, digits in whole.items())
            event = with_value(event, field.path.keys, text)
        for label, path in field.labelled.items():
            if anew and single[label] is not None:
                event = with_value(event, path.keys, whole.get(label))
    if whole or not isinstance(given, str):
        return event
    for part in given.split(","):
        label, _, digits = part.partition("=")
        if label in field.labelled and _is_hash(label, digits) and digits.strip("0"):
            event = with_value(event, field.labelled[label].keys, digits.lower())
    return event


def _values_of(field: Field) -> _Values:
    if field.told_by is not None:
        told_by = field.told_by.keys
        return lambda event: _texts(value_at(event, told_by))
    if field.extension_of is not None:
        keys = field.extension_of.keys
        return lambda event: _extension(value_at(event, keys))
    tests = [(value, compile_expression(meaning.condition)) for value, meaning in field.means.items()]
    return lambda event: [value for value, holds in tests if holds(event)]


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else []


def _extension(path: Any) -> list[str]:
    found = _EXTENSION.search(path) if isinstance(path, str) else None
    return [found[1]] if found is not None and found[1] else []


def derived_field(path: FieldPath, packs: Sequence[Pack], platform: str) -> Field | None:
    """The field at ``path`` if ``platform`` does not keep it and all of the packs derive it alike."""
    fields = []
    for pack in packs:
        found = known(pack, path)
        if found is None or found.rest or not is_derived(found.field):
            return None
        if found.field.platforms.get(platform) is not None:
            return None
        fields.append(found.field)
    alike = {repr((field.means, field.extension_of, field.labelled)) for field in fields}
    return fields[0] if len(alike) == 1 else None
