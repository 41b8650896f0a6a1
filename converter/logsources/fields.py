"""The field table of a pack: from its short YAML form to every platform's stored field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from converter.logsources import checks
from converter.logsources.checks import Keys, PackProblem
from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import HASH_LENGTHS, Field, FieldType, Means, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.paths import FieldPath

_FIELD_KEYS = ("type", "description", "means", "extension_of", "labelled", "told_by")
_STORED_KEYS = (
    "name", "type", "list", "values", "case", "keys", "ip", "basename", "shared", "join", "separator",
)  # fmt: skip


class _Declared(msgspec.Struct, frozen=True):
    """A field as its entry says: its path with list steps, type, entry and place."""

    path: FieldPath
    type: FieldType
    entry: Mapping[str, Any]
    keys: Keys

    @property
    def ends_in_list(self) -> bool:
        return not isinstance(self.path.steps[-1], str)

    def is_list(self, platform: str) -> bool:
        """Whether the platform's field holds several values: below any list where the event is flattened."""
        if not is_flat(platform):
            return self.ends_in_list
        return any(not isinstance(step, str) for step in self.path.steps)


class FieldBuilder:
    """Builds the field table; ``naming`` is the pack's rule for stored names per platform."""

    def __init__(self, naming: Mapping[str, Any], platforms: Iterable[str]) -> None:
        self._naming = {platform: checks.text(naming, platform, ("naming",)) for platform in naming}
        for platform, pattern in self._naming.items():
            if "*" not in pattern:
                raise PackProblem(
                    ("naming", platform), f"expected a name with * for the field's own: {pattern!r}"
                )
            if not is_flat(platform):
                checks.path(pattern.replace("*", "x"), ("naming", platform))
        self._platforms = tuple(dict.fromkeys(platforms))
        self._fields: dict[FieldPath, Field] = {}
        self._open: list[FieldPath] = []

    def build(self, data: Mapping[str, Any]) -> tuple[dict[FieldPath, Field], list[FieldPath]]:
        """All fields by their path without list steps, and the paths of the open ones."""
        for text, entry in data.items():
            if entry is not None:
                self._add(str(text), entry)
        return self._fields, self._open

    def _add(self, text: str, entry: Any) -> None:
        keys: Keys = ("fields", text)
        if isinstance(entry, str):
            entry = {"type": entry}
        if not isinstance(entry, Mapping):
            raise PackProblem(keys, f"field {text}: expected a type or a mapping")
        checks.check_keys(entry, (*_FIELD_KEYS, *self._platforms), keys)
        kind, is_open = _field_type(entry.get("type", "keyword"), keys)
        declared = _Declared(checks.path(text, keys), kind, entry, keys)
        path = declared.path.without_indexes()
        if path in self._fields and self._fields[path].type is not FieldType.OBJECT:
            raise PackProblem(keys, f"field {path} is declared twice")
        if is_open:
            self._open.append(path)
        stored = {platform: self._stored(declared, platform) for platform in self._platforms}
        self._fields[path] = Field(
            path=path,
            type=kind,
            is_list=declared.ends_in_list,
            description=entry.get("description"),
            platforms={platform: field for platform, field in stored.items() if field is not None},
            means=_means(checks.mapping(entry, "means", keys), (*keys, "means")),
            extension_of=_optional_path(entry, "extension_of", keys),
            told_by=_optional_path(entry, "told_by", keys),
            labelled=_labelled(checks.mapping(entry, "labelled", keys), (*keys, "labelled")),
        )
        self._add_lists_above(declared.path)

    def _add_lists_above(self, written: FieldPath) -> None:
        """``target[].id`` declares that ``target`` is a list of objects."""
        for position in range(1, len(written.steps) - 1):
            if isinstance(written.steps[position], str) or not isinstance(written.steps[position + 1], str):
                continue
            above = FieldPath(written.steps[: position + 1])
            path = above.without_indexes()
            if path not in self._fields:
                declared = _Declared(above, FieldType.OBJECT, {}, ())
                stored = {platform: self._stored(declared, platform) for platform in self._platforms}
                self._fields[path] = Field(
                    path=path,
                    type=FieldType.OBJECT,
                    is_list=True,
                    platforms={platform: field for platform, field in stored.items() if field is not None},
                )

    def _derived(self, written: FieldPath, platform: str) -> str:
        pattern = self._naming.get(platform, "*")
        if not is_flat(platform):
            return pattern.replace("*", str(written.without_indexes()))
        return pattern.replace("*", flat_name(written.steps, platform))

    def _stored(self, declared: _Declared, platform: str) -> PlatformField | None:
        name = self._derived(declared.path, platform)
        is_list = declared.is_list(platform)
        if platform not in declared.entry:
            return PlatformField(name=name, type=declared.type, is_list=is_list)
        own = declared.entry[platform]
        if own is None:
            return None
        if own == "":
            raise PackProblem((*declared.keys, platform), "a stored name is not empty; null: it is not kept")
        here = (*declared.keys, platform)
        if isinstance(own, str):
            own = {"name": own}
        if not isinstance(own, Mapping):
            raise PackProblem(here, f"expected a name, null or a mapping for {platform}")
        checks.check_keys(own, _STORED_KEYS, here)
        case = own.get("case")
        if case not in (None, "lower", "upper"):
            raise PackProblem((*here, "case"), f"case is 'lower' or 'upper', not {case!r}")
        join = tuple(checks.texts(own, "join", here))
        if bool(join) != bool(own.get("separator")):
            raise PackProblem(here, "join and separator belong together")
        shared = checks.optional_text(own, "shared", here)
        if shared is not None:
            checks.path(shared, (*here, "shared"))
        name = checks.optional_text(own, "name", here) or (join[-1] if join else name)
        if not is_flat(platform):
            checks.path(name, here)
        return PlatformField(
            name=name,
            type=_field_type(own["type"], here)[0] if "type" in own else declared.type,
            is_list=bool(own.get("list", is_list)),
            values={plain(old): plain(new) for old, new in checks.mapping(own, "values", here).items()},
            case=case,
            ip=checks.optional_text(own, "ip", here),
            basename=checks.optional_text(own, "basename", here),
            shared=shared,
            join=join,
            separator=str(own.get("separator", "")),
            keys={str(old): str(new) for old, new in checks.mapping(own, "keys", here).items()},
        )


def plain(value: Any) -> str:
    """YAML's unquoted true and 1 as the text that a log holds."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _means(data: Mapping[str, Any], keys: Keys) -> dict[str, Means]:
    """Value → when a derived field has it: conditions, or ``when`` with the side on which they err."""
    return {plain(value): _meaning(entry, (*keys, plain(value))) for value, entry in data.items()}


def _meaning(entry: Any, keys: Keys) -> Means:
    if isinstance(entry, list):
        return Means(checks.conditions({"when": entry}, keys, "when"))
    if not isinstance(entry, Mapping):
        raise PackProblem(keys, "expected conditions, or a mapping of `when` with `wider` or `narrower`")
    checks.check_keys(entry, ("when", "wider", "narrower"), keys)
    sides = [side for side in (Fidelity.WIDER, Fidelity.NARROWER) if side in entry]
    if len(sides) != 1:
        raise PackProblem(keys, "expected one of `wider` and `narrower`, and why")
    (side,) = sides
    return Means(checks.conditions(entry, keys, "when"), side, checks.text(entry, side, keys))


def _optional_path(entry: Mapping[str, Any], key: str, keys: Keys) -> FieldPath | None:
    name = checks.optional_text(entry, key, keys)
    return None if name is None else checks.path(name, (*keys, key))


def _labelled(data: Mapping[str, Any], keys: Keys) -> dict[str, FieldPath]:
    for label in data:
        if label not in HASH_LENGTHS:
            known = ", ".join(HASH_LENGTHS)
            raise PackProblem((*keys, label), f"unknown hash {label!r}; expected one of {known}")
    return {label: checks.path(path, (*keys, label)) for label, path in data.items()}


def _field_type(text: Any, keys: Keys) -> tuple[FieldType, bool]:
    if text == "open":
        return FieldType.OBJECT, True
    try:
        return FieldType(text), False
    except ValueError:
        known = ["open", *FieldType]
        raise PackProblem(
            keys,
            f"unknown type {text!r}; expected one of {', '.join(known)}",
            checks.nearest(str(text), known),
        ) from None
