"""The functions beside ``rule``: title, grouping, distinct counts, the alert's context."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, OutputField
from converter.platforms.panther.conditions import ConditionWriter
from converter.platforms.panther.fields import Kind
from converter.platforms.panther.literals import python_template, python_text
from converter.platforms.panther.module import Module, words


class AlertWriter:
    """Writes the auxiliary functions of one detection; paths are stored ones."""

    def __init__(self, module: Module, conditions: ConditionWriter) -> None:
        self._module = module
        self._conditions = conditions

    def title(self, parts: Sequence[str | FieldPath]) -> str:
        """``title``: literal texts and the fields' values; a missing one is shown as <unknown>."""
        lines: list[str] = []
        names: dict[FieldPath, str] = {}
        template: list[tuple[bool, str]] = []
        for part in parts:
            if isinstance(part, str):
                template.append((False, part))
                continue
            if part not in names:
                names[part] = self._module.variable(words(part))
                lines.append(f"    {names[part]} = {self._shown(part)}")
            template.append((True, names[part]))
        return "\n".join(["def title(event):", *lines, f"    return {python_template(tuple(template))}"])

    def dedup(self, paths: Sequence[FieldPath], group: str) -> str:
        """``dedup``: one alert per group of first values; without paths, one for the whole rule."""
        key = self._key("first_key", paths) if paths else python_text(group)
        return f"def dedup(event):\n    return {key}"

    def counting_dedup(
        self, paths: Sequence[FieldPath], counted: FieldPath | None, group: str, missing: MissingKeys
    ) -> str:
        """``dedup`` of a threshold: an event that must not be counted is a group of its own.

        ``counted``: the field whose distinct values are counted; ``missing``: what becomes of the events
        without a value at a path.
        """
        lines = ["def dedup(event):"]
        if counted is not None:
            lines += [
                f"    if not {self._conditions.values(counted, helper='texts')}:",
                '        return str(event.get("p_row_id"))',
            ]
        if paths:
            helper = "open_group_key" if missing is MissingKeys.GROUP else "group_key"
            lines.append(f"    return {self._key(helper, paths)}")
        else:
            lines.append(f"    return {python_text(group)}")
        return "\n".join(lines)

    def unique(self, path: FieldPath) -> str:
        """``unique``: the value whose distinct values a threshold counts."""
        return f"def unique(event):\n    return {self._key('group_key', (path,))}"

    def context(self, output: Iterable[OutputField]) -> str:
        """``alert_context``: the output fields under their names."""
        entries = [f"        {python_text(field.name)}: {self._value(field.field)}," for field in output]
        return "\n".join(["def alert_context(event):", "    return {", *entries, "    }"])

    def sequence_context(self, output: Iterable[OutputField], keys: Sequence[FieldPath]) -> str:
        """``alert_context`` of a sequence's step: the output fields, and the join key as one text."""
        entries = [f"        {python_text(field.name)}: {self._value(field.field)}," for field in output]
        entries.append(f"        {python_text(SEQUENCE_KEY)}: {self._key('group_keys', keys)},")
        return "\n".join(["def alert_context(event):", "    return {", *entries, "    }"])

    def _key(self, helper: str, paths: Sequence[FieldPath]) -> str:
        self._module.use(helper)
        steps = [self._conditions.steps(path.steps) for path in paths]
        tuples = [
            f"({text},)" if len(path.steps) == 1 else f"({text})"
            for text, path in zip(steps, paths, strict=True)
        ]
        return f"{helper}(event, {', '.join(tuples)})"

    def _shown(self, path: FieldPath) -> str:
        if self._conditions.kind(path) is Kind.TEXT:
            return self._conditions.lookup(path, default=python_text("<unknown>"))
        return self._conditions.values(path, helper="shown")

    def _value(self, path: FieldPath) -> str:
        if self._conditions.kind(path) is not Kind.UNKNOWN:
            return self._conditions.lookup(path)
        return self._conditions.values(path, helper="context")


SEQUENCE_KEY = "sequence_key"
"""Under which name a step's join key stands in its alert context."""
