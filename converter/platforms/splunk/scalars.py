"""Texts as YAML scalars and as values of .conf files, by one function each."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*")
_YAML_WORDS = frozenset("true false yes no on off null y n".split())
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_SPECIAL = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\u00ad\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069]'
)
_CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_STANZA_REFUSED = re.compile("[\\[\\]\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")


def yaml_text(text: str) -> str:
    """A YAML scalar (1.1 and 1.2 alike) that reads back as exactly this text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return '"' + _SPECIAL.sub(_escaped, text) + '"'


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"
    return f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}"


def yaml_block(text: str, indent: str = "  ") -> str:
    """A literal block scalar, kept line by line. The text has no other control character than newline, no
    space at the start of its first line and no trailing newline; else it is written as a quoted scalar.
    """
    if _CONTROLS.search(text.replace("\n", "")) or text[:1] in ("", " ", "\n") or text.endswith(("\n", " ")):
        return yaml_text(text)
    return "|-\n" + "\n".join(indent + line if line else "" for line in text.split("\n"))


def conf_value(text: str) -> str:
    """A value of a .conf key, whose lines go on with a backslash at their end (admin manual, "About
    configuration files"). Other control characters become spaces; a backslash that ends a line gets a space
    behind it, so that it does not join the next line; a line that looks like a stanza header or a comment
    stays part of the value, being joined to the one before.
    """
    lines = [_CONTROLS.sub(" ", line) for line in text.replace("\r\n", "\n").split("\n")]
    kept = [line + " " if line.endswith("\\") else line for line in lines]
    return " \\\n".join(kept).strip(" ")


def conf_line(text: str) -> str:
    """A value kept on one line: every run of control characters, newlines included, becomes a space."""
    line = _CONTROLS.sub(" ", text).strip()
    return line + " " if line.endswith("\\") else line


def stanza_name(text: str) -> str:
    """A stanza's name: brackets become parentheses, controls spaces."""
    swapped = text.replace("[", "(").replace("]", ")")
    return _STANZA_REFUSED.sub(" ", swapped).strip()
