"""The functions beside ``rule``: title, grouping, distinct counts, the alert's context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from converter.model.expressions import all_of
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, OutputField
from converter.platforms.panther import layout
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
        self,
        paths: Sequence[FieldPath],
        counted: FieldPath | None,
        group: str,
        missing: MissingKeys,
        choices: Sequence[Choice] = (),
    ) -> str:
        """``dedup`` of a threshold: an event that must not be counted is a group of its own.

        ``counted``: the field whose distinct values are counted; ``missing``: what becomes of the events
        without a value at a path; ``choices``: keys beside the paths, over stored names.
        """
        lines = ["def dedup(event):"]
        if counted is not None:
            lines += [
                f"    if not {self._conditions.values(counted, helper='texts')}:",
                '        return str(event.get("p_row_id"))',
            ]
        if choices:
            names = [self._module.variable("chosen") for _ in choices]
            for name, choice in zip(names, choices, strict=True):
                lines += self._chosen(name, choice)
            keys = [*(self._conditions.texts(path, ()) for path in paths), *names]
            lines.append(f"    return {self._joint_key(keys, missing)}")
        elif paths:
            helper = "open_group_key" if missing is MissingKeys.GROUP else "group_key"
            lines.append(f"    return {self._key(helper, paths)}")
        else:
            lines.append(f"    return {python_text(group)}")
        return "\n".join(lines)

    def _chosen(self, name: str, choice: Choice) -> Iterator[str]:
        """Statements that give a name the texts of a choice's first alternative whose conditions hold."""
        word = "if"
        for each in choice.alternatives:
            texts = self._conditions.texts(each.subject, each.functions)
            condition = self._conditions.condition(all_of(*each.when))
            if condition == layout.FALSE:
                continue
            if condition == layout.TRUE:
                yield from _otherwise(word, f"{name} = {texts}")
                return
            yield layout.branch(word, condition)
            yield f"        {name} = {texts}"
            word = "elif"
        yield from _otherwise(word, f"{name} = []")

    def _joint_key(self, keys: Sequence[str], missing: MissingKeys) -> str:
        helper = "open_joint_key" if missing is MissingKeys.GROUP else "joint_key"
        self._module.use(helper)
        arguments = f"[{', '.join(keys)}]"
        return f"{helper}({arguments})" if missing is MissingKeys.GROUP else f"{helper}(event, {arguments})"

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


def _otherwise(word: str, statement: str) -> list[str]:
    """A statement under ``else``, or by itself where there is no ``if``."""
    return ["    else:", f"        {statement}"] if word == "elif" else [f"    {statement}"]


SEQUENCE_KEY = "sequence_key"
"""Under which name a step's join key stands in its alert context."""
