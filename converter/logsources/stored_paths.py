"""From a rule's field paths to the paths under which a platform stores them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from converter.logsources.lookup import Known, known, nearest_names, stored_field
from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.losses import Losses
from converter.model.paths import ELEMENT, FieldPath, PathStep, parse_path


class StoredPaths:
    """Puts paths into the names of one platform, for events of any of the packs.

    What is wrong with a path goes to ``losses``; ``fields`` says what is stored at each path given out.
    """

    def __init__(self, packs: Sequence[Pack], platform: str, keep_unmapped: bool, losses: Losses) -> None:
        self._packs = packs
        self._platform = platform
        self._keep = keep_unmapped
        self._losses = losses
        self.fields: dict[FieldPath, PlatformField] = {}

    def stored(self, path: FieldPath, base: FieldPath | None = None) -> FieldPath:
        """The stored path. Below a ForSome ``base`` is its whole path in the rule's names, ending in a list
        step; the answer is then a whole stored name on flat platforms, else relative to the element.
        """
        whole = path if base is None else base.joined(path)
        field, find = self._field(whole, report=True)
        if is_flat(self._platform):
            return self.given(FieldPath((field.name, *_indexes(whole, field, find))), field)
        stored = _nested_path(whole, field)
        if path.rooted:
            stored = FieldPath(stored.steps, rooted=True)
        elif base is not None:
            stored = FieldPath(stored.steps[len(self.at(base).steps) :] or ELEMENT.steps)
        return self.given(stored, field)

    def at(self, path: FieldPath) -> FieldPath:
        """The stored path of a whole one, without a word about what may be wrong with it."""
        field, find = self._field(path, report=False)
        if is_flat(self._platform):
            return FieldPath((field.name, *_indexes(path, field, find)))
        return _nested_path(path, field)

    def unkept(self, path: FieldPath) -> FieldPath:
        """The own name of an object, which a flat platform does not store."""
        field = msgspec.structs.replace(self._own(path), type=FieldType.OBJECT)
        return self.given(FieldPath((field.name,)), field)

    def given(self, path: FieldPath, field: PlatformField) -> FieldPath:
        """``path``, noted down as one at which ``field`` is stored."""
        self.fields[path] = field
        return path

    def _field(self, path: FieldPath, report: bool) -> tuple[PlatformField, Known | None]:
        """The first pack's field, or the path's own name where no pack knows it; with ``report`` losses."""
        own = self._own(path)
        fields: list[PlatformField] = []
        first: Known | None = None
        for pack in self._packs:
            find = known(pack, path)
            if find is not None and _is_bare_object(find):
                if not is_flat(self._platform):
                    fields.append(msgspec.structs.replace(own, type=FieldType.OBJECT))
                    continue
                find = None
            if find is None:
                if report:
                    self._unknown(path, pack)
                if self._keep:
                    fields.append(own)
                continue
            first = first or find
            stored = stored_field(find, self._platform)
            if report:
                self._check_steps(path, pack)
                self._check_stored(path, pack, stored)
            fields.append(stored or own)
        if report:
            self._check_same(path, fields)
        return (fields[0] if fields else own), first

    def _own(self, path: FieldPath) -> PlatformField:
        """A field under the path's own name."""
        flat = is_flat(self._platform)
        return PlatformField(
            name=flat_name(path.steps, self._platform) if flat else str(path.without_indexes()),
            is_list=any(not isinstance(step, str) for step in path.steps),
        )

    def _check_stored(self, path: FieldPath, pack: Pack, stored: PlatformField | None) -> None:
        if stored is None:
            message = f"{self._platform} does not keep {path.without_indexes()} of {pack.name}"
            self._losses.lose("not-stored", Fidelity.REFUSED, message)
        elif stored.shared:
            message = f"{self._platform} stores {stored.shared} in {stored.name} too"
            self._losses.lose("shared-field", Fidelity.WIDER, message)

    def _check_same(self, path: FieldPath, fields: Sequence[PlatformField]) -> None:
        names = sorted({field.name for field in fields})
        if len(names) > 1:
            message = f"{path.without_indexes()} is stored as {' and as '.join(names)}, by log source"
        elif any(
            (f.values, f.case, f.join) != (fields[0].values, fields[0].case, fields[0].join) for f in fields
        ):
            message = f"{names[0]} holds other values from one log source than from another"
        else:
            return
        self._losses.lose("names-differ", Fidelity.REFUSED, message, "write one rule per log source")

    def _unknown(self, path: FieldPath, pack: Pack) -> None:
        name = path.without_indexes()
        if self._keep:
            self._losses.note("unmapped-field", f"{name} is no field of {pack.name}; its name is kept")
            return
        near = nearest_names(pack, path)
        hint = f"nearest: {', '.join(near)}" if near else f"see `convert logsources {pack.name}`"
        message = f"{name} is no field of the log source {pack.name}"
        self._losses.lose("unknown-field", Fidelity.REFUSED, message, hint)

    def _check_steps(self, path: FieldPath, pack: Pack) -> None:
        """A key directly behind a list of objects: by the rule's meaning it gives nothing."""
        for position in range(1, len(path.steps)):
            if not (isinstance(path.steps[position - 1], str) and isinstance(path.steps[position], str)):
                continue
            above = pack.fields.get(FieldPath(path.steps[:position]).without_indexes())
            if above is not None and above.is_list:
                before, after = FieldPath(path.steps[:position]), FieldPath(path.steps[position:])
                self._losses.lose(
                    "list-step",
                    Fidelity.REFUSED,
                    f"{before} is a list, so {path} gives nothing",
                    f"write {before}[].{after}, or [0] for its first element",
                )


def _is_bare_object(find: Known) -> bool:
    """Whether the path names an object of which only the fields inside are declared."""
    return not find.rest and find.field.type is FieldType.OBJECT and not find.field.platforms


def _changes(field: PlatformField) -> tuple[object, ...]:
    return field.values, field.case, field.join


def _indexes(path: FieldPath, field: PlatformField, find: Known | None) -> tuple[int, ...]:
    """The ``[n]`` steps. ``[0]`` and ``[-1]`` of what is declared as no list are the value itself."""
    indexes = tuple(step for step in path.steps if isinstance(step, int))
    if find is not None and not find.rest and not field.is_list:
        return tuple(index for index in indexes if index not in (0, -1))
    return indexes


def _nested_path(path: FieldPath, field: PlatformField) -> FieldPath:
    """``path`` with the platform's keys in place of its own; its list steps stay where they are."""
    target = parse_path(field.name)
    if target.keys == path.keys:
        return path
    if len(target.keys) == len(path.keys):
        keys = iter(target.keys)
        return FieldPath(tuple(next(keys) if isinstance(step, str) else step for step in path.steps))
    marks: tuple[PathStep, ...] = tuple(step for step in path.steps if not isinstance(step, str))
    if any(not isinstance(step, str) for step in target.steps):
        written = iter(marks)
        steps = tuple(step if isinstance(step, str) else next(written, step) for step in target.steps)
        return FieldPath(steps)
    return FieldPath((*target.steps, *marks))
