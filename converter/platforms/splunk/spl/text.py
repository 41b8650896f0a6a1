"""How SPL writes names and literals, in both of its sub-languages.

``search`` takes literals on the right-hand side alone, has ``*`` as a wildcard that nothing escapes, and
reads ``\\\\`` as one backslash and ``\\"`` as a quote (Search Manual, "Wildcards"; Search Reference,
"search", on escaping). ``where`` and ``eval`` take ``'name'`` as a field and ``"text"`` as a string, in
which backslash escapes are processed (Search Reference, "eval" and "Evaluation functions").
"""

from __future__ import annotations

import re
from typing import Final

_LOOKUP_GAP = r"(?<=[lL][oO][oO][kK][uU][pP])\s(?=[\w])"
_AWKWARD = re.compile(
    "[\x00-\x1f\x7f-\x9f`$\u00ad\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069]|"
    + _LOOKUP_GAP
)
"""Characters that no literal is written with: controls and invisible ones, the backtick (macros are expanded
before anything is parsed), the dollar sign (``$token$`` is replaced in dashboards and drilldowns), and the
blank in ``lookup x``, which contentctl takes for a lookup table wherever it stands."""

_PLAIN_SEARCH_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.{}:]*")
_RESERVED = frozenset({"AND", "OR", "NOT", "IN", "BY", "AS", "XOR", "LIKE", "WHERE", "OUTPUT"})
_NAME_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f`$*\\[\\]'\"\\\\\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_CIDR_SHAPE = re.compile(r"[0-9A-Fa-f:.]+/\d+")
_NOT_PRINTABLE_ASCII = re.compile(r"[^\x20-\x7e]|[`$]|" + _LOOKUP_GAP)
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]+")
_STARS = re.compile(r"\*+")

EVAL_ESCAPES: Final = {"\\": "\\\\", '"': '\\"'}


def is_nameable(name: str) -> bool:
    """Whether a field name can be written in both sub-languages without a character that breaks one, ends a
    subsearch, or stands for others: ``stats``, ``rename`` and ``table`` take ``*`` for a wildcard (Search
    Reference).
    """
    return bool(name) and _NAME_REFUSED.search(name) is None


def is_plain(text: str) -> bool:
    """Whether a text can stand in a literal as it is (but for quotes and backslashes)."""
    return _AWKWARD.search(text) is None


def search_name(name: str) -> str:
    """A field name for ``search``, ``table``, ``by`` and ``rename``: quoted if it is no plain word."""
    if _PLAIN_SEARCH_NAME.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    return f'"{name}"'


def eval_name(name: str) -> str:
    """A field name for ``where`` and ``eval``: always in single quotes."""
    return f"'{name}'"


def element_name(name: str, index: int) -> str:
    """The name of the field that holds the ``index``-th value of another."""
    plain = _NOT_WORD.sub("_", name).strip("_")
    return f"{plain}_{'last' if index == -1 else f'last{-index}' if index < 0 else index}"


def quoted(text: str) -> str:
    """A string literal of either sub-language. The text must be :func:`is_plain`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def search_pattern(text: str) -> str:
    """A text inside a ``search`` value, each character that cannot be said there widened to ``*``."""
    return _NOT_PRINTABLE_ASCII.sub("*", text)


def search_value(pattern: str) -> str:
    """A ``search`` value from a pattern in which ``*`` is the wildcard.

    A wildcard inside of a text finds less than it should where the text has punctuation (Search Manual,
    "Wildcards"), so such a pattern is widened: to its first part if it starts with one, else its longest.
    """
    parts = pattern.split("*")
    if has_inner_wildcard(pattern):
        pattern = f"{parts[0]}*" if parts[0] else f"*{max(parts, key=len)}*"
    return quoted(_STARS.sub("*", pattern))


def has_inner_wildcard(pattern: str) -> bool:
    """Whether a wildcard stands between two texts."""
    return sum(1 for part in pattern.split("*") if part) > 1


def is_exact_in_search(text: str) -> bool:
    """Whether ``search`` can ask for exactly this text, letter case aside: printable, no ``*``, no subnet."""
    return (
        bool(text)
        and "*" not in text
        and _NOT_PRINTABLE_ASCII.search(text) is None
        and not text.isspace()
        and text == text.strip()
        and not is_subnet_shaped(text)
    )


def is_subnet_shaped(text: str) -> bool:
    """Whether ``search`` would take the value for a subnet: ``ip="10.0.0.0/8"`` matches its addresses."""
    return _CIDR_SHAPE.fullmatch(text) is not None


def has_case(text: str) -> bool:
    """Whether letter case can matter for this text."""
    return text.lower() != text.upper()


_REGEX_META = re.compile(r"[\\.^*+?{}\[\]|()]")


def regex_literal(text: str) -> str:
    """A PCRE that matches exactly this text, free of awkward characters."""
    escaped = []
    for position, character in enumerate(text):
        if _AWKWARD.match(text, position):
            escaped.append(_by_code(character))
        elif _REGEX_META.match(character):
            escaped.append("\\" + character)
        else:
            escaped.append(character)
    return "".join(escaped)


def _by_code(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\x{{{code:x}}}"


def without_dollars(pattern: str) -> str:
    """A PCRE pattern with awkward characters written as escapes: safe in a literal, the same meaning.

    A bare ``$`` is an anchor there and stays; the caller renders end anchors as ``\\z`` where it can.
    """
    return _AWKWARD.sub(lambda found: found[0] if found[0] == "$" else _by_code(found[0]), pattern)
