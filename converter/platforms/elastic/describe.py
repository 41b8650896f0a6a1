"""A predicate in a few words, for diagnostics and reasons."""

from __future__ import annotations

from converter.model.expressions import (
    Concat,
    Derived,
    Function,
    Predicate,
    Subject,
)
from converter.model.paths import FieldPath

_LONGEST = 60


def describe(predicate: Predicate) -> str:
    """``user.name is "root" (ignore_case)``; long operands are cut."""
    operands = ", ".join([_operand(value) for value in predicate.values[:3]])
    more = ", …" if len(predicate.values) > 3 else ""
    flags = [name for name in ("ignore_case", "all_of") if getattr(predicate, name)]
    suffix = f" ({', '.join(flags)})" if flags else ""
    asked = f"{predicate.operator.value} {operands}{more}".strip()
    return f"{subject_name(predicate.subject)}{_applied(predicate.functions)} {asked}{suffix}"


def subject_name(subject: Subject) -> str:
    """The field, or the concatenation, as text. A stored path is one key: no quotes around its dots."""
    if isinstance(subject, Concat):
        return "concat(" + ", ".join([_operand(part) for part in subject.parts]) + ")"
    return stored_name(subject) + "".join([f"[{step}]" for step in subject.steps[1:]])


def stored_name(path: FieldPath) -> str:
    """The stored field's name: the first step of a localised path."""
    return str(path.steps[0])


def _applied(functions: tuple[Function, ...]) -> str:
    return "".join([f" | {function.name.value}" for function in functions])


def _operand(value: object) -> str:
    if isinstance(value, FieldPath):
        return subject_name(value)
    if isinstance(value, Derived):
        return subject_name(value.subject) + _applied(value.functions)
    text = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…"'
