"""A rule's condition in a platform's own field names.

The tree keeps its shape; every path becomes the stored one, and operands follow where the platform changes
values. Whatever cannot be carried over is a Diagnostic with its effect on the rule, below a negation the
opposite one.

Codes: ``unknown-field`` (no pack knows it), ``unmapped-field`` (kept by request), ``not-stored`` (the
platform drops it), ``names-differ`` (several log sources store it under different names), ``list-step`` (a
list of objects is passed without ``[]``), ``object-exists`` (``exists`` on a free-form object), ``case`` and
``value-change`` (the platform changes the values' case or the values), ``shared-field`` (another field's
values are stored there too), ``same-element`` (a nested field is asked per element).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from converter.logsources.lookup import (
    Known,
    fields_below,
    known,
    nearest_names,
    nested_above,
    stored_field,
)
from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.logsources.values import ValueChanges
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    any_of,
)
from converter.model.paths import FieldPath, PathStep, parse_path

_OPPOSITE = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


class Localised(msgspec.Struct, frozen=True):
    """An expression in stored names; ``fields`` describes each stored path as it appears in it."""

    expression: Expression
    fields: Mapping[FieldPath, PlatformField]
    diagnostics: tuple[Diagnostic, ...] = ()


class LocalisedPath(msgspec.Struct, frozen=True):
    """One path in stored names, and what the platform stores there."""

    path: FieldPath
    field: PlatformField
    diagnostics: tuple[Diagnostic, ...] = ()


def localise(
    expression: Expression, packs: Sequence[Pack], platform: str, keep_unmapped: bool = False
) -> Localised:
    """``expression`` in the names of ``platform``, for events of any of ``packs``.

    On flat platforms a path is ``FieldPath((stored name, *indexes))``: ``[]`` is gone, ``[n]`` stays behind
    the name; below a ForSome, whose path is the list's stored name, paths are whole stored names too. On
    Panther paths keep their steps, and below a ForSome stay relative to the element.
    """
    work = _Localiser(packs, platform, keep_unmapped)
    changed = work.expression(expression, None)
    return Localised(changed, work.fields, tuple(work.found.values()))


def localise_path(
    path: FieldPath, packs: Sequence[Pack], platform: str, keep_unmapped: bool = False
) -> LocalisedPath:
    """One path (a group-by, an output field, a join key) in the names of ``platform``."""
    work = _Localiser(packs, platform, keep_unmapped)
    stored = work.path(path, None)
    return LocalisedPath(stored, work.fields[stored], tuple(work.found.values()))


class _Localiser:
    def __init__(self, packs: Sequence[Pack], platform: str, keep_unmapped: bool) -> None:
        self._packs = packs
        self._platform = platform
        self._keep = keep_unmapped
        self._negated = False
        self.fields: dict[FieldPath, PlatformField] = {}
        self.found: dict[tuple[str, str, Fidelity | None], Diagnostic] = {}

    # -- the tree

    def expression(self, expression: Expression, base: FieldPath | None) -> Expression:
        match expression:
            case All(terms):
                return All(tuple(self.expression(term, base) for term in terms))
            case AnyOf(terms):
                return AnyOf(tuple(self.expression(term, base) for term in terms))
            case Not(term):
                self._negated = not self._negated
                try:
                    return Not(self.expression(term, base))
                finally:
                    self._negated = not self._negated
            case ForSome(path, term):
                return self._for_some(path, term, base)
            case Predicate():
                return self._within_nested(expression, self._predicate(expression, base), base)
        raise TypeError(f"not an expression: {expression!r}")

    def _for_some(self, path: FieldPath, term: Expression, base: FieldPath | None) -> Expression:
        whole = _as_list(path if base is None else base.joined(path))
        stored = self.path(path, base)
        return ForSome(stored, self.expression(term, whole))

    def _within_nested(self, predicate: Predicate, stored: Expression, base: FieldPath | None) -> Expression:
        """A predicate inside a nested field asks of some element of it, since that is how it is stored."""
        if not isinstance(predicate.subject, FieldPath):
            return stored
        whole = predicate.subject if base is None else base.joined(predicate.subject)
        for pack in self._packs:
            nested = nested_above(pack, whole, self._platform)
            if nested is None:
                continue
            path = FieldPath((nested.name,))
            if base is not None and self._whole(base, report=False).steps[:1] == path.steps:
                return stored
            if predicate.all_of and len(predicate.values) > 1:
                self._lose(
                    "same-element",
                    Fidelity.NARROWER,
                    f"{nested.name} is a nested field: all values are looked for in one element",
                )
            self.fields[path] = nested
            return ForSome(path, stored)
        return stored

    def _predicate(self, predicate: Predicate, base: FieldPath | None) -> Expression:
        if predicate.operator is Operator.EXISTS and isinstance(predicate.subject, FieldPath):
            objects = self._object_exists(predicate, predicate.subject, base)
            if objects is not None:
                return objects
        subject: FieldPath | Concat
        if isinstance(predicate.subject, FieldPath):
            subject = self.path(predicate.subject, base)
            if predicate.operator in (Operator.CIDR, Operator.IP) and not predicate.functions:
                subject = self._as_address(subject)
            changing: Iterable[FieldPath] = (subject,)
        else:
            parts = tuple(
                self.path(part, base) if isinstance(part, FieldPath) else part
                for part in predicate.subject.parts
            )
            subject = Concat(parts)
            changing = tuple(part for part in parts if isinstance(part, FieldPath))
        values = tuple(
            self.path(value, base) if isinstance(value, FieldPath) else value for value in predicate.values
        )
        stored = msgspec.structs.replace(predicate, subject=subject, values=values)
        others = [value for value in values if isinstance(value, FieldPath)]
        for path in (*changing, *others):
            field = self.fields[path]
            if field.values or field.case:
                changes = ValueChanges(field, alone=isinstance(subject, FieldPath) and not others)
                stored, losses = changes.carried_over(stored)
                for code, effect, message in losses:
                    self._lose(code, effect, message)
        return stored

    def _as_address(self, path: FieldPath) -> FieldPath:
        """The field of type ip that holds those of the values that are addresses, where there is one."""
        field = self.fields[path]
        if field.ip is None:
            return path
        address = FieldPath((field.ip, *path.steps[1:]))
        self.fields[address] = PlatformField(name=field.ip, type=FieldType.IP, is_list=field.is_list)
        return address

    def _object_exists(
        self, predicate: Predicate, path: FieldPath, base: FieldPath | None
    ) -> Expression | None:
        """``exists`` on an object, which flat platforms do not store: some declared field inside exists."""
        if not is_flat(self._platform):
            return None
        whole = path if base is None else base.joined(path)
        finds = [known(pack, whole) for pack in self._packs]
        inside = sorted({field.path for pack in self._packs for field in fields_below(pack, whole)})
        declared = [find.field for find in finds if find is not None and not find.rest]
        is_object = any(field.type is FieldType.OBJECT for field in declared)
        if not is_object and (declared or not inside):
            return None
        if any(whole.keys == opened.keys for pack in self._packs for opened in pack.open_fields):
            self._lose(
                "object-exists",
                Fidelity.REFUSED,
                f"whether the free-form object {whole} is there cannot be asked: its keys are not known",
                "ask for one of its keys",
            )
            return predicate
        kept = [p for p in inside if all(self._stores(pack, p) for pack in self._packs)]
        return any_of(
            *(
                msgspec.structs.replace(predicate, subject=self._whole(p, report=True))
                for p in kept
                if not self._is_list_object(p)
            )
        )

    def _stores(self, pack: Pack, path: FieldPath) -> bool:
        find = known(pack, path)
        return find is not None and stored_field(find, self._platform) is not None

    def _is_list_object(self, path: FieldPath) -> bool:
        return any(
            (field := pack.fields.get(path)) is not None and field.type is FieldType.OBJECT
            for pack in self._packs
        )

    # -- paths

    def path(self, path: FieldPath, base: FieldPath | None) -> FieldPath:
        """The stored path; what is wrong with it is in ``found``, what is stored there in ``fields``."""
        whole = path if base is None else base.joined(path)
        if is_flat(self._platform):
            return self._whole(whole, report=True)
        stored = self._whole(whole, report=True)
        if base is None:
            return stored
        depth = len(self._whole(base, report=False).steps)
        relative = FieldPath(stored.steps[depth:])
        self.fields[relative] = self.fields.pop(stored)
        return relative

    def _whole(self, path: FieldPath, *, report: bool) -> FieldPath:
        field, find = self._field(path, report)
        if is_flat(self._platform):
            stored = FieldPath((field.name, *_indexes(path, find)))
        else:
            stored = _nested_path(path, field)
        self.fields[stored] = field
        return stored

    def _field(self, path: FieldPath, report: bool) -> tuple[PlatformField, Known | None]:
        own = PlatformField(
            name=flat_name(path.steps, self._platform)
            if is_flat(self._platform)
            else str(path.without_indexes()),
            is_list=any(not isinstance(step, str) for step in path.steps),
        )
        fields: list[PlatformField] = []
        first: Known | None = None
        for pack in self._packs:
            find = known(pack, path)
            if find is None:
                if not is_flat(self._platform) and any(True for _ in fields_below(pack, path)):
                    fields.append(msgspec.structs.replace(own, type=FieldType.OBJECT))
                    continue
                if report:
                    self._unknown(path, pack)
                if self._keep:
                    fields.append(own)
                continue
            first = first or find
            if report:
                self._check_steps(path, pack)
            field = stored_field(find, self._platform)
            if field is None:
                if report:
                    self._lose(
                        "not-stored",
                        Fidelity.REFUSED,
                        f"{self._platform} does not keep {path.without_indexes()} of {pack.name}",
                    )
                field = own
            elif field.shared and report:
                self._lose(
                    "shared-field",
                    Fidelity.WIDER,
                    f"{self._platform} stores {field.shared} in {field.name} too",
                )
            fields.append(field)
        if not fields:
            return own, None
        names = sorted({field.name for field in fields})
        if len(names) > 1 and report:
            self._lose(
                "names-differ",
                Fidelity.REFUSED,
                f"{path.without_indexes()} is stored as {' and as '.join(names)}, by log source",
                "write one rule per log source",
            )
        return fields[0], first

    def _unknown(self, path: FieldPath, pack: Pack) -> None:
        name = path.without_indexes()
        if self._keep:
            self._add(
                "unmapped-field",
                Severity.NOTE,
                f"{name} is no field of {pack.name}; its name is kept",
                None,
                None,
            )
            return
        near = nearest_names(pack, path)
        self._lose(
            "unknown-field",
            Fidelity.REFUSED,
            f"{name} is no field of the log source {pack.name}",
            f"nearest: {', '.join(near)}" if near else f"see `convert logsources {pack.name}`",
        )

    def _check_steps(self, path: FieldPath, pack: Pack) -> None:
        """A key directly behind a list of objects: by the rule's meaning it gives nothing."""
        for position in range(1, len(path.steps)):
            if not (isinstance(path.steps[position - 1], str) and isinstance(path.steps[position], str)):
                continue
            above = pack.fields.get(FieldPath(path.steps[:position]).without_indexes())
            if above is not None and above.is_list:
                before, after = FieldPath(path.steps[:position]), FieldPath(path.steps[position:])
                self._lose(
                    "list-step",
                    Fidelity.REFUSED,
                    f"{before} is a list, so {path} gives nothing",
                    f"write {before}[].{after}, or [0] for its first element",
                )

    # -- findings

    def _lose(self, code: str, effect: Fidelity, message: str, hint: str | None = None) -> None:
        severity = Severity.ERROR if effect is Fidelity.REFUSED else Severity.WARNING
        self._add(code, severity, message, hint, _OPPOSITE.get(effect, effect) if self._negated else effect)

    def _add(
        self, code: str, severity: Severity, message: str, hint: str | None, effect: Fidelity | None
    ) -> None:
        self.found.setdefault(
            (code, message, effect),
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                effect=effect,
                platform=self._platform,
            ),
        )


def _as_list(path: FieldPath) -> FieldPath:
    return path if not isinstance(path.steps[-1], str) else FieldPath((*path.steps, None))


def _indexes(path: FieldPath, find: Known | None) -> tuple[int, ...]:
    """The ``[n]`` steps. ``[0]`` and ``[-1]`` of what is declared as no list are the value itself."""
    indexes = tuple(step for step in path.steps if isinstance(step, int))
    if find is not None and not find.rest:
        stored = next(iter(find.field.platforms.values()), None)
        if stored is not None and not stored.is_list and not find.field.is_list:
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
        return FieldPath(
            tuple(step if isinstance(step, str) else next(written, step) for step in target.steps)
        )
    return FieldPath((*target.steps, *marks))
