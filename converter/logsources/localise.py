"""A rule's condition in a platform's own field names.

The tree keeps its shape where it can; every path becomes the stored one, and operands follow where the
platform changes values. Whatever cannot be carried over is a Diagnostic with its effect on the rule, below a
negation the opposite one. docs/logsources.md lists the codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from converter.logsources.derived import asked_instead, derived_field, simplified
from converter.logsources.lookup import fields_below, known, nested_above, second_fields, stored_field
from converter.logsources.naming import is_flat
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.logsources.stored_paths import StoredPaths
from converter.logsources.values import ValueChanges
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Concat,
    Derived,
    Expression,
    ForSome,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Reference,
    all_of,
    any_of,
    changes_of,
    children,
    fields_asked,
    reference,
    references,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath


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
    losses = Losses(platform)
    work = _Localiser(packs, platform, StoredPaths(packs, platform, keep_unmapped, losses), losses)
    changed = work.expression(expression, None)
    return Localised(changed, work.paths.fields, losses.diagnostics)


def localise_path(
    path: FieldPath, packs: Sequence[Pack], platform: str, keep_unmapped: bool = False
) -> LocalisedPath:
    """One path (a group-by, an output field, a join key) in the names of ``platform``."""
    losses = Losses(platform)
    paths = StoredPaths(packs, platform, keep_unmapped, losses)
    stored = paths.stored(path)
    field = paths.fields[stored]
    if field.join:
        _lose_parts(losses, field)
    return LocalisedPath(stored, field, losses.diagnostics)


def _lose_parts(losses: Losses, field: PlatformField) -> None:
    message = f"the value is stored in parts, {' and '.join(field.join)}, and cannot be named as one"
    losses.lose("value-change", Fidelity.REFUSED, message)


class _Localiser:
    def __init__(self, packs: Sequence[Pack], platform: str, paths: StoredPaths, losses: Losses) -> None:
        self._packs = packs
        self._platform = platform
        self._losses = losses
        self.paths = paths

    def expression(self, expression: Expression, base: FieldPath | None) -> Expression:
        """The tree below ``base``, the whole path of the ForSome that it stands in."""
        match expression:
            case All(terms):
                return self._settled(All(tuple(self.expression(term, base) for term in terms)))
            case AnyOf(terms):
                return self._settled(AnyOf(tuple(self.expression(term, base) for term in terms)))
            case Not(term):
                with self._losses.flipped():
                    return self._settled(Not(self.expression(term, base)))
            case ForSome(path, term):
                whole = _as_list(path if base is None else base.joined(path))
                return ForSome(self.paths.stored(path, base), self.expression(term, whole))
            case Predicate():
                instead = self._derived(expression, base)
                if instead is not None:
                    return self.expression(instead, None)
                return self._within_nested(expression, self._predicate(expression, base), base)
        raise TypeError(f"not an expression: {expression!r}")

    def _within_nested(self, predicate: Predicate, stored: Expression, base: FieldPath | None) -> Expression:
        """A predicate inside a nested field asks of some element of it, since that is how it is stored."""
        if not isinstance(predicate.subject, FieldPath):
            return stored
        whole = predicate.subject if base is None else base.joined(predicate.subject)
        nested = next(filter(None, (nested_above(pack, whole, self._platform) for pack in self._packs)), None)
        if nested is None:
            return stored
        path = FieldPath((nested.name,))
        if base is not None and self.paths.at(base).steps[:1] == path.steps:
            return stored
        if predicate.all_of and len(predicate.values) > 1:
            message = f"{nested.name} is a nested field: all values are looked for in one element"
            self._losses.lose("same-element", Fidelity.NARROWER, message)
        return ForSome(self.paths.given(path, nested), stored)

    # -- derived fields

    def _settled(self, expression: Expression) -> Expression:
        """Without terms that are always or never true, where a derived field has brought such."""
        terms = children(expression)
        return simplified(expression) if TRUE in terms or FALSE in terms else expression

    def _derived(self, predicate: Predicate, base: FieldPath | None) -> Expression | None:
        """What to ask in place of a field that another platform derives and this one does not keep."""
        path = predicate.subject
        if base is not None or not isinstance(path, FieldPath):
            return None
        field = derived_field(path, self._packs, self._platform)
        found = None if field is None else asked_instead(predicate, field)
        if found is None:
            return None
        instead, used = found
        name = path.without_indexes()
        lost = [(meaning.effect, meaning.why) for meaning in used if meaning.effect is not None]
        for effect, why in lost:
            self._losses.lose("derived-field", effect, f"{name}: {why}")
        if not lost:
            message = f"{self._platform} does not keep {name}; what it is derived from is asked"
            self._losses.note("derived-field", message)
        return instead

    # -- predicates

    def _predicate(self, predicate: Predicate, base: FieldPath | None) -> Expression:
        if isinstance(predicate.subject, Concat):
            subject = Concat(tuple(self._parts(predicate.subject, base)))
            return self._with_operands(msgspec.structs.replace(predicate, subject=subject), base)
        if predicate.operator is Operator.EXISTS:
            inside = self._object_exists(predicate, predicate.subject, base)
            if inside is not None:
                return inside
            self._lose_objects(predicate, base)
        path = self.paths.stored(predicate.subject, base)
        stored = msgspec.structs.replace(predicate, subject=path)
        field = self.paths.fields[path]
        if field.join:
            return self._of_parts(stored, field, base)
        return self._with_operands(self._elsewhere(stored, path, field), base)

    def _parts(self, subject: Concat, base: FieldPath | None) -> Iterator[Reference | str]:
        for part in subject.parts:
            if isinstance(part, str):
                yield part
                continue
            if isinstance(part, Derived):
                yield self._operand(part, base)
                continue
            path = self.paths.stored(part, base)
            field = self.paths.fields[path]
            if field.join:
                yield from self._joined(field)
            else:
                yield path

    def _with_operands(self, predicate: Predicate, base: FieldPath | None) -> Predicate:
        """The predicate with stored operands: paths by name, literals as the platform changes them."""
        subject = predicate.subject
        values = tuple(
            self._operand(value, base) if isinstance(value, Reference) else value
            for value in predicate.values
        )
        stored = msgspec.structs.replace(predicate, values=values)
        alone = isinstance(subject, FieldPath) and not references(stored)
        for path in fields_asked(stored):
            field = self.paths.fields[path]
            if field.values or field.case:
                stored, losses = ValueChanges(field, alone).carried_over(stored)
                for loss in losses:
                    self._losses.lose(*loss)
        return stored

    def _operand(self, operand: Reference, base: FieldPath | None) -> Reference:
        """A value of the event as an operand, in stored names; joined of its parts where it is stored so."""
        subject, functions = changes_of(operand)
        parts = tuple(self._parts(subject if isinstance(subject, Concat) else Concat((subject,)), base))
        if len(parts) > 1 or not isinstance(parts[0], FieldPath):
            return reference(Concat(parts), functions)
        path, field = parts[0], self.paths.fields[parts[0]]
        if field.basename is not None and functions and functions[0].name is FunctionName.BASENAME:
            return reference(self._second(path, field, field.basename), functions[1:])
        return reference(path, functions)

    def _elsewhere(self, predicate: Predicate, path: FieldPath, field: PlatformField) -> Predicate:
        """The second field that a platform keeps of the value, where that is the one to ask.

        Addresses: in a field of type ip. A path's last part: in a field of its own.
        """
        functions = predicate.functions
        if field.ip is not None and not functions and predicate.operator in (Operator.CIDR, Operator.IP):
            name = field.ip
        elif field.basename is not None and functions and functions[0].name is FunctionName.BASENAME:
            name, functions = field.basename, functions[1:]
        else:
            return predicate
        subject = self._second(path, field, name)
        return msgspec.structs.replace(predicate, subject=subject, functions=functions)

    def _second(self, path: FieldPath, field: PlatformField, name: str) -> FieldPath:
        """The path of the second field of that name."""
        other = next(second for second in second_fields(field) if second.name == name)
        return self.paths.given(FieldPath((name, *path.steps[1:])), other)

    # -- values stored in parts

    def _joined(self, field: PlatformField) -> Iterator[FieldPath | str]:
        """The parts of a value and what stands between them, for a condition on the value as a whole."""
        form = field.separator.join(field.join)
        self._losses.note("value-form", f"the value is stored as {form}: one of another form is not kept")
        for number, part in enumerate(second_fields(field)):
            if number:
                yield field.separator
            yield self.paths.given(FieldPath((part.name,)), part)

    def _of_parts(self, predicate: Predicate, field: PlatformField, base: FieldPath | None) -> Expression:
        """A predicate on a value that is stored in parts: on each part if it can be, else on them joined."""
        if predicate.operator is Operator.EXISTS:
            parts = [part for part in self._joined(field) if isinstance(part, FieldPath)]
            return all_of(*(msgspec.structs.replace(predicate, subject=path) for path in parts))
        if predicate.operator is not Operator.IS or predicate.functions or predicate.all_of:
            subject = Concat(tuple(self._joined(field)))
            return self._with_operands(msgspec.structs.replace(predicate, subject=subject), base)
        return any_of(*(self._equal(predicate, field, str(value)) for value in predicate.values))

    def _equal(self, predicate: Predicate, field: PlatformField, value: str) -> Expression:
        """Equality with one text, part by part."""
        pieces = value.split(field.separator)
        if len(pieces) != len(field.join):
            message = f"{value!r} is not of the form {field.separator.join(field.join)}: not kept as it is"
            self._losses.lose("value-change", Fidelity.NARROWER, message)
            return msgspec.structs.replace(
                predicate, subject=Concat(tuple(self._joined(field))), values=(value,)
            )
        return all_of(
            *(
                msgspec.structs.replace(
                    predicate, subject=self.paths.given(FieldPath((part.name,)), part), values=(piece,)
                )
                for part, piece in zip(second_fields(field), pieces, strict=True)
            )
        )

    # -- objects

    def _object_exists(
        self, predicate: Predicate, path: FieldPath, base: FieldPath | None
    ) -> Expression | None:
        """``exists`` on an object that is not stored as one: some declared field inside exists.

        None where the path names no object, and where all that is inside is stored in its place.
        """
        whole = path if base is None else base.joined(path)
        finds = [known(pack, whole) for pack in self._packs]
        inside = sorted({field.path for pack in self._packs for field in fields_below(pack, whole)})
        declared = [find.field for find in finds if find is not None and not find.rest]
        if not any(field.type is FieldType.OBJECT for field in declared) and (declared or not inside):
            return None
        opened = {p for pack in self._packs for p in pack.open_fields}
        below = any(find.rest for find in finds if find is not None)
        has_any_key = below or whole.without_indexes() in opened or not opened.isdisjoint(inside)
        if not is_flat(self._platform) and (has_any_key or self._stays(inside)):
            return None
        if has_any_key:
            self._losses.lose(
                "object-exists",
                Fidelity.REFUSED,
                f"whether the object {whole} is there cannot be asked: not all of its keys are known",
                "ask for one of its keys",
            )
            return msgspec.structs.replace(predicate, subject=self.paths.unkept(whole))
        kept = tuple(self._leaves_exist(predicate, inside))
        if kept:
            return any_of(*kept)
        message = f"{self._platform} keeps none of the fields in {whole}"
        self._losses.lose("not-stored", Fidelity.REFUSED, message)
        return msgspec.structs.replace(predicate, subject=self.paths.unkept(whole))

    def _stays(self, paths: Sequence[FieldPath]) -> bool:
        """Whether the platform stores each of these fields where it is."""
        finds = [find for path in paths for pack in self._packs if (find := known(pack, path)) is not None]
        stored = [(find.field.path, stored_field(find, self._platform)) for find in finds]
        return all(at is not None and at.name == str(path) for path, at in stored)

    def _lose_objects(self, predicate: Predicate, base: FieldPath | None) -> None:
        """``exists`` on a field that nobody declares, which may be an object or a list: flat platforms store
        what lies inside under other names.
        """
        assert isinstance(predicate.subject, FieldPath)
        whole = predicate.subject if base is None else base.joined(predicate.subject)
        if not is_flat(self._platform) or predicate.functions:
            return
        if any(find is None or find.rest for find in (known(pack, whole) for pack in self._packs)):
            self._losses.lose(
                "object-exists",
                Fidelity.NARROWER,
                f"no log source declares {whole}: an object there is stored by its keys alone",
                "declare the field in a log source of your own, or ask for one of its keys",
            )

    def _leaves_exist(self, predicate: Predicate, paths: Sequence[FieldPath]) -> Iterator[Expression]:
        for path in paths:
            finds = [find for pack in self._packs if (find := known(pack, path)) is not None]
            if any(find.field.type is FieldType.OBJECT for find in finds):
                continue
            if any(stored_field(find, self._platform) is None for find in finds):
                message = f"{self._platform} does not keep {path}, one of the fields that may be there"
                self._losses.lose("not-stored", Fidelity.NARROWER, message)
            else:
                yield msgspec.structs.replace(predicate, subject=self.paths.stored(path))


def _as_list(path: FieldPath) -> FieldPath:
    return path if not isinstance(path.steps[-1], str) else FieldPath((*path.steps, None))
