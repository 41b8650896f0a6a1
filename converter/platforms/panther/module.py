"""The Python file being written: its constants, the helpers it needs, its imports."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from converter.model.paths import FieldPath
from converter.platforms.panther.layout import WIDTH
from converter.platforms.panther.library import IMPORTS, closure, helpers, import_lines

_SHORT_LIST: Final = 3
_SHORT_TEXT: Final = 60
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURAL: Final = re.compile(r"([A-Z]{2,})s(?=[A-Z]|$)")
_NOT_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_FUNCTIONS: Final = frozenset(
    {"rule", "title", "dedup", "unique", "alert_context", "severity", "description"}
)
_VARIABLES: Final = frozenset({"event", "value", "number", "at", "address", "one", "other", "item", "part"})


@cache
def _reserved() -> frozenset[str]:
    return frozenset({*dir(builtins), *helpers(), *IMPORTS, *_FUNCTIONS, *_VARIABLES})


def words(path: FieldPath) -> str:
    """The last key of a path as snake-case words: ``sourceIPs`` → ``source_ips``."""
    key = _PLURAL.sub(lambda match: match[1].capitalize() + "s", path.keys[-1])
    name = _NOT_WORD.sub("_", _CAMEL.sub("_", key)).strip("_").lower()
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"field_{name}".rstrip("_")


class Module:
    """Collects what the functions of one file refer to. Names are given out once."""

    def __init__(self) -> None:
        self._constants: dict[str, str] = {}
        self._by_text: dict[tuple[str, str], str] = {}
        self._used: set[str] = set()
        self._taken = set(_reserved())

    def use(self, *names: str) -> None:
        """Have these helpers, or importable names, in the file."""
        self._used.update(names)

    def constant(self, stem: str, text: str) -> str:
        """The name of a constant with this value."""
        known = self._by_text.get((stem, text))
        if known is not None:
            return known
        name = self.variable(stem.upper())
        self._constants[name] = text
        self._by_text[stem, text] = name
        return name

    def variable(self, stem: str) -> str:
        """A name that nothing else in the file has."""
        name, number = stem, 2
        while name in self._taken or keyword.iskeyword(name):
            name, number = f"{stem}_{number}", number + 1
        self._taken.add(name)
        return name

    def choices(self, path: FieldPath | None, items: list[str]) -> str:
        """A tuple of printed literals: in place when short, else a constant named after the field."""
        text = ", ".join(items)
        if len(items) <= _SHORT_LIST and len(text) <= _SHORT_TEXT:
            return f"({text},)" if len(items) == 1 else f"({text})"
        stem = words(path) if path is not None else "value"
        return self.constant(stem + ("_values" if stem.endswith("s") else "s"), tuple_text(items))

    def around(self, functions: Sequence[str]) -> list[str]:
        """The sections of the file: imports and constants, these functions, and the helpers they need."""
        needed = closure(self._used)
        used = self._used.union(*(helper.uses for helper in needed))
        constants = [helper.source for helper in needed if not helper.is_function]
        constants += [f"{name} = {text}" for name, text in self._constants.items()]
        head = "\n\n".join(filter(None, ["\n".join(import_lines(used)), "\n".join(constants)]))
        sections = [head] if head else []
        return [*sections, *functions, *(helper.source for helper in needed if helper.is_function)]


def tuple_text(items: list[str]) -> str:
    """A tuple display over as many lines as it needs, filled up to the width."""
    flat = f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if len(flat) <= _SHORT_TEXT:
        return flat
    lines: list[str] = []
    line = ""
    for item in items:
        if line and 4 + len(line) + len(item) + 2 > WIDTH:
            lines.append(line)
            line = ""
        line += f" {item}," if line else f"{item},"
    body = "\n".join(f"    {line}" for line in [*lines, line])
    return f"(\n{body}\n)"
