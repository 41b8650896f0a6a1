"""When two rules look for the same thing: the key by which the catalog counts.

A key is (subject, kind, value). The subject is the canonical name of the field without list steps, inside the
functions that are applied to it; the kind is the operator's name; the value is the operand's text. What means
the same is brought to one form first; docs/catalog.md states the rules and the tests repeat them one by one.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from converter.evaluate.values import number_of, text_of
from converter.model.expressions import (
    Concat,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    changes_of,
    fields_of,
)
from converter.model.paths import FieldPath

Key: TypeAlias = tuple[str, str, str]
"""Subject, kind and value; the value as written, before the case rule of its field."""

_FILE_NAME: Final = re.compile(r"[\\/]([^\\/]+)", re.DOTALL)
_LIKE_TOKEN: Final = re.compile(r"\\([*?\\])|([*?])|(.)", re.DOTALL)
_RECASING: Final = frozenset({FunctionName.LOWER, FunctionName.UPPER})
_OF_FIELD: Final = " field"
"""What tells an operator's kind with a value of the event as operand from the one with a text."""
_CASE_MATTERS: Final = frozenset({Operator.REGEX, Operator.SAME_AS, Operator.EXISTS})
"""The kinds whose value is no text of the event: a pattern's letters may be classes, the others are names."""


def field_name(path: FieldPath, base: FieldPath | None = None) -> str:
    """The name under which a field is counted: from the root of the event, without list steps."""
    return str((path if base is None else base.joined(path)).without_indexes())


def field_names(subject: Subject, base: FieldPath | None = None) -> tuple[str, ...]:
    """The names of the fields that a subject reads."""
    return tuple(dict.fromkeys(field_name(path, base) for path in fields_of(subject)))


def reference_name(operand: Reference, base: FieldPath | None = None) -> str:
    """What stands for an operand that is a value of the event."""
    subject, functions = changes_of(operand)
    return _subject(subject, functions, base)


def any_case(predicate: Predicate) -> bool:
    """Whether a predicate takes letters in any case: it says so, or its functions change them all."""
    return predicate.ignore_case or any(f.name in _RECASING for f in predicate.functions)


def keys_of(predicate: Predicate, base: FieldPath | None = None) -> tuple[Key, ...]:
    """One key for each operand of a predicate, in order; ``exists`` has one, with an empty value."""
    functions = tuple(f for f in predicate.functions if f.name not in _RECASING)
    if predicate.operator is Operator.EXISTS:
        return ((_subject(predicate.subject, functions, base), str(Operator.EXISTS), ""),)
    return tuple(_key(predicate, functions, value, base) for value in predicate.values)


def folded(key: Key) -> Key:
    """The key on a field whose case does not matter."""
    subject, kind, value = key
    is_name = kind in _CASE_MATTERS or kind.endswith(_OF_FIELD)
    return key if is_name else (subject, kind, value.lower())


def _key(
    predicate: Predicate, functions: tuple[Function, ...], value: Scalar | Reference, base: FieldPath | None
) -> Key:
    operator = predicate.operator
    if isinstance(value, Reference):
        kind = str(operator) if operator is Operator.SAME_AS else f"{operator}{_OF_FIELD}"
        return _subject(predicate.subject, functions, base), kind, reference_name(value, base)
    text = text_of(value)
    if operator is Operator.LIKE:
        operator, text = plain_like(text)
    if operator is Operator.ENDS_WITH and not functions and isinstance(predicate.subject, FieldPath):
        found = _FILE_NAME.fullmatch(text)
        if found is not None:
            functions, operator, text = (Function(FunctionName.BASENAME),), Operator.IS, found[1]
    return _subject(predicate.subject, functions, base), str(operator), _value(operator, text)


def _value(operator: Operator, text: str) -> str:
    """The operand in one spelling: numbers as numbers, networks with their length."""
    if operator in (Operator.IS, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE):
        number = number_of(text)
        return text if number is None else text_of(number)
    if operator is Operator.CIDR:
        return str(ipaddress.ip_network(text, strict=False))
    return text


def plain_like(pattern: str) -> tuple[Operator, str]:
    r"""The simplest operator that says what a ``like`` pattern does, with its operand.

    ``*a`` is ``ends_with``, ``a*`` ``starts_with``, ``*a*`` ``contains``, a pattern without wildcards ``is``;
    any other stays ``like``, with runs of ``*`` made one.
    """
    tokens = [(bool(m[2]), m[1] or m[2] or m[3]) for m in _LIKE_TOKEN.finditer(pattern)]
    star = (True, "*")
    tokens = [token for i, token in enumerate(tokens) if token != star or i == 0 or tokens[i - 1] != star]
    leading, trailing = tokens[:1] == [star], tokens[-1:] == [star]
    inner = tokens[leading : len(tokens) - trailing] if len(tokens) > 1 else tokens
    if not inner or any(wild for wild, _ in inner):
        return Operator.LIKE, "".join(_escaped(wild, text) for wild, text in tokens)
    operator = {
        (False, False): Operator.IS,
        (False, True): Operator.STARTS_WITH,
        (True, False): Operator.ENDS_WITH,
        (True, True): Operator.CONTAINS,
    }[leading, trailing]
    return operator, "".join(text for _, text in inner)


def _escaped(wild: bool, text: str) -> str:
    return f"\\{text}" if not wild and text in "*?\\" else text


def subject_text(subject: Subject, functions: Iterable[Function], name: Callable[[FieldPath], str]) -> str:
    """A subject inside its functions, with the fields called as ``name`` says."""
    if isinstance(subject, Concat):
        text = " + ".join(
            _quoted(part) if isinstance(part, str) else subject_text(*changes_of(part), name)
            for part in subject.parts
        )
    else:
        text = name(subject)
    for function in functions:
        arguments = "".join(f", {json.dumps(argument)}" for argument in function.arguments)
        text = f"{function.name}({text}{arguments})"
    return text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _subject(subject: Subject, functions: tuple[Function, ...], base: FieldPath | None) -> str:
    return subject_text(subject, functions, lambda path: field_name(path, base))
