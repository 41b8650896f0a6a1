"""Printers of literals for the two languages of a Panther detection: Python and YAML.

Each is total: any text in, a literal out that its language reads back as the same text.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from converter.model.expressions import Scalar

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./()-]*(?: [A-Za-z0-9_./()-]+)*")
_WORDS_OF_YAML_1_1: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_EXPONENT: Final = re.compile(r"(?:(?<=[ \n])|\A)(-?\d+)(\.\d+)?[eE]([+-]?)(\d+)(?=,?$)", re.MULTILINE)
_LONG_KEY: Final = re.compile(r'^( *)("(?:[^"\\]|\\.){500,}"): ', re.MULTILINE)
_LONGEST_PLAIN: Final = 100
_LONGEST_KEY: Final = 500
"""YAML, chapter 7.4: a key of more than 1,024 characters needs its question mark; escapes count."""
_ESCAPED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def python_text(text: str) -> str:
    """A Python string literal in double quotes; what is not printable is escaped."""
    return f'"{_python_body(text)}"'


def python_template(parts: tuple[tuple[bool, str], ...]) -> str:
    """An f-string literal from (is a variable's name, text) pairs; braces of the text are doubled."""
    body = "".join(
        f"{{{text}}}" if is_name else _python_body(text).replace("{", "{{").replace("}", "}}")
        for is_name, text in parts
    )
    prefix = "f" if any(is_name for is_name, _ in parts) else ""
    return f'{prefix}"{body if prefix else _python_body("".join(text for _, text in parts))}"'


def python_raw(text: str) -> str:
    """A Python literal for a regular expression: raw where that is possible, else an ordinary one."""
    raw = text.isprintable() and '"' not in text and not text.endswith("\\") and "\\" in text
    return f'r"{text}"' if raw else python_text(text)


def python_scalar(value: Scalar) -> str:
    """A Python literal for an operand; an integral float is written as the integer it equals."""
    if isinstance(value, str):
        return python_text(value)
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    return repr(value)


def python_tuple(items: list[str]) -> str:
    """A tuple display of literals that are already printed."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _python_body(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        _ESCAPED.get(character) or (character if character.isprintable() else _python_escape(character))
        for character in text
    )


def _python_escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def yaml_scalar(value: Scalar) -> str:
    """A YAML scalar that a 1.1 and a 1.2 reader take for the same value.

    Text stays plain only if it is a run of unremarkable words; else it is double quoted. Source: YAML 1.2
    chapter 5.7 (escapes), YAML 1.1 type repository (the words that are booleans there).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return yaml_json(value)
    if len(value) <= _LONGEST_PLAIN and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML_1_1:
        return value
    return _quoted(value)


def yaml_json(value: Any, indent: int = 0) -> str:
    """A decoded JSON value in YAML's flow form, which is JSON, further lines behind ``indent`` blanks."""
    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except (msgspec.MsgspecError, OverflowError, TypeError, ValueError, RecursionError):
        text = json.dumps(value, ensure_ascii=False, indent=2)
    if _UNPRINTABLE.search(text):
        text = _UNPRINTABLE.sub(_yaml_escape, text)
    if _EXPONENT.search(text):  # YAML 1.1 takes a number for a float only with a point and a signed exponent
        text = _EXPONENT.sub(lambda m: f"{m[1]}{m[2] or '.0'}e{m[3] or '+'}{m[4]}", text)
    if len(text) > _LONGEST_KEY and _LONG_KEY.search(text):
        text = _LONG_KEY.sub(r"\1? \2 : ", text)
    return text.replace("\n", "\n" + " " * indent) if indent else text


def yaml_text(text: str, indent: int = 2) -> str:
    """A text as a scalar, as a literal block where it has several lines that a block can hold unchanged."""
    lines = text.split("\n")
    plain = all(line.isprintable() and line == line.strip() for line in lines)
    if len(lines) < 2 or not plain or not lines[0] or not lines[-1]:
        return yaml_scalar(text)
    blanks = " " * indent
    return "|-\n" + "\n".join(blanks + line if line else "" for line in lines)


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(_yaml_escape, quoted) if _UNPRINTABLE.search(quoted) else quoted


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
