"""Fields of the results: under which name the search carries a stored field, and what makes it so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from converter.logsources.localise import LocalisedPath
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.splunk.spl.text import element_name, eval_name, is_nameable, search_name


class Columns:
    """The result fields of one search. ``derived`` holds eval assignments for paths that are no field."""

    def __init__(self, locate: Callable[[FieldPath], LocalisedPath], losses: Losses) -> None:
        self._locate = locate
        self._losses = losses
        self._names: dict[FieldPath, str] = {}
        self._lists: set[str] = set()
        self.derived: dict[str, str] = {}
        self._made: set[str] = set()
        self.renamed: dict[str, str] = {}

    def name(self, path: FieldPath) -> str:
        """The result field of a canonical path; one with ``[n]`` is derived by an eval."""
        known = self._names.get(path)
        if known is None:
            known = self._names[path] = self._found(path)
        return known

    def is_list(self, name: str) -> bool:
        """Whether a result field may hold several values."""
        return name in self._lists

    def to_make(self) -> dict[str, str]:
        """The derived fields that no stage makes yet; the caller adds an eval that does."""
        pending = {name: text for name, text in self.derived.items() if name not in self._made}
        self._made.update(pending)
        return pending

    def already_made(self, derived: Mapping[str, str]) -> None:
        """Take note of derived fields that a stage has made for its own ends."""
        self.derived.update(derived)
        self._made.update(derived)

    def shown(self, path: FieldPath, alias: str | None) -> str:
        """The name under which the results show a path: its alias, else its own."""
        name = self.name(path)
        if alias is None or alias == name:
            return name
        if not is_nameable(alias):
            self._losses.note("field-name", f"the alias {alias!r} cannot be a field name in SPL")
            return name
        if name in self.renamed.values() or self.renamed.get(name, alias) != alias:
            return self.renamed.get(name, name)
        self.renamed[name] = alias
        return alias

    def final(self, name: str) -> str:
        """A result field's name after the renaming at the end."""
        return self.renamed.get(name, name)

    def _found(self, path: FieldPath) -> str:
        located = self._locate(path)
        self._losses.extend(located.diagnostics)
        stored, field = located.path, located.field
        name = str(stored.steps[0])
        if not is_nameable(name):
            self._losses.refuse("field-name", f"the field name {name!r} cannot be written in SPL")
            return "_raw"
        indexes = [step for step in stored.steps[1:] if isinstance(step, int)]
        if not indexes:
            if field.is_list or "{}" in name:
                self._lists.add(name)
            return name
        derived = element_name(name, indexes[0])
        self.derived[derived] = f"mvindex({eval_name(name)}, {indexes[0]})"
        return derived


def assignments(derived: Mapping[str, str]) -> str:
    """The ``eval`` that makes derived fields."""
    return ", ".join(f"{_assigned(name)}={expression}" for name, expression in derived.items())


def _assigned(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'"{name}"'


def rename_stage(renamed: dict[str, str]) -> str:
    """The ``rename`` that gives result fields their aliases."""
    return "rename " + ", ".join(f"{search_name(old)} AS {search_name(new)}" for old, new in renamed.items())


def table_stage(names: list[str]) -> str:
    """The ``table`` of the result fields, each once."""
    return "table " + " ".join(search_name(name) for name in dict.fromkeys(names))
