"""Texts of the event without some characters at their ends: questions about them, of the whole text."""

from __future__ import annotations

import re

import msgspec

from converter.model.expressions import FunctionName, Operator
from converter.platforms.panther.importing.python.machine import as_text, leaf
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.texts import changed
from converter.platforms.panther.importing.python.values import (
    Field,
    Known,
    Outcome,
    Stripped,
    Text,
    UnreadableError,
    Value,
    one,
    raising,
    when,
)

STRIPPING = {"strip": (True, True), "lstrip": (True, False), "rstrip": (False, True)}
"""The methods of ``str`` that take characters off, and off which ends."""
_BLANKS = " \t\r\n\f\v"
_EDGES = {"startswith": Operator.STARTS_WITH, "endswith": Operator.ENDS_WITH}
_ANYTHING = "(?s:.)*"
_IN_CLASS = re.compile(r"[\\\]\[^-]")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


def stripped(owner: Field | Text, name: str, arguments: list[Value]) -> Outcome:
    """``text.rstrip(characters)`` and its kin."""
    left, right = STRIPPING[name]
    match arguments:
        case [] | [Known(None)]:
            return one(Stripped(as_text(owner), _BLANKS, left, right))
        case [Known(str() as characters)]:
            return one(Stripped(as_text(owner), characters, left, right) if characters else owner)
        case [Known()]:
            return raising("TypeError")
    raise UnreadableError(f".{name}() with something that is no constant")


def method(owner: Stripped, name: str, arguments: list[Value]) -> Outcome:
    """A method of a text that was stripped."""
    match name, arguments:
        case (("lower" | "casefold"), []) if owner.characters == owner.characters.lower().upper():
            return one(msgspec.structs.replace(owner, text=changed(owner.text, FunctionName.LOWER)))
        case (("startswith" | "endswith"), [Known(given)]):
            options = given if isinstance(given, tuple) else (given,)
            if not all(isinstance(option, str) for option in options):
                return raising("TypeError")
            return when(TRUE if "" in options else question(owner, _EDGES[name], options))
    raise UnreadableError(f".{name}() of a text whose ends were stripped")


def question(value: Stripped, operator: Operator, operands: tuple[str, ...]) -> Formula:
    """When the stripped text is, begins with, ends with or contains one of some texts."""
    found = [pattern for each in operands if (pattern := _pattern(value, operator, each)) is not None]
    text = value.text
    if not found:
        return FALSE
    return leaf(text.variable, text.subject, Operator.REGEX, tuple(dict.fromkeys(found)), text.functions)


def is_not_empty(value: Stripped) -> Formula:
    """When something is left."""
    return opposite(question(value, Operator.IS, ("",)))


def _pattern(value: Stripped, operator: Operator, operand: str) -> str | None:
    """What to search for in the whole text; None: the stripped one never passes.

    A text that begins (ends) with a character that is taken off there stands within the stripped one only
    behind (before) some other character.
    """
    characters = _IN_CLASS.sub(r"\\\g<0>", "".join(sorted(set(value.characters))))
    off, kept, inner = f"[{characters}]*", f"[^{characters}]", _SPECIAL.sub(r"\\\g<0>", operand)
    if not operand:
        return f"^{off}$"
    begins = value.left and operand[0] in value.characters
    ends = value.right and operand[-1] in value.characters
    before, after = off if value.left else "", off if value.right else ""
    head = f"{kept}{_ANYTHING}" if begins else ""
    tail = f"{_ANYTHING}{kept}" if ends else ""
    match operator:
        case Operator.IS:
            return None if begins or ends else f"^{before}{inner}{after}$"
        case Operator.STARTS_WITH:
            return None if begins else f"^{before}{inner}{tail}"
        case Operator.ENDS_WITH:
            return None if ends else f"{head}{inner}{after}$"
        case _:
            return f"{head}{inner}{tail}"
