"""What is known of stored fields: their types, for the writers and the readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from converter.logsources.lookup import stored_fields
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.model.paths import FieldPath

PLATFORM: Final = "elastic"

_UNKNOWN = PlatformField(name="")


def field_of(fields: Mapping[FieldPath, PlatformField], path: FieldPath) -> PlatformField:
    """The stored field that a localised path names; a field nobody declared is a keyword."""
    return fields.get(path, _UNKNOWN)


class StoredFields:
    """The stored fields of some packs by name. What no pack declares is a keyword."""

    def __init__(self, packs: Iterable[Pack] = ()) -> None:
        self._fields: dict[str, PlatformField] = {}
        for pack in packs:
            for field in stored_fields(pack, PLATFORM):
                self._fields.setdefault(field.name, field)

    @classmethod
    def of_types(cls, types: Mapping[str, FieldType]) -> StoredFields:
        """From names and types alone."""
        made = cls()
        made._fields = {name: PlatformField(name=name, type=kind) for name, kind in types.items()}
        return made

    def type_of(self, name: str) -> FieldType:
        """The field's type."""
        field = self._fields.get(name)
        return FieldType.KEYWORD if field is None else field.type

    def declares(self, name: str) -> bool:
        """Whether some pack declares the field; what none does may hold numbers as well as text."""
        return name in self._fields

    @property
    def by_name(self) -> Mapping[str, PlatformField]:
        """The declared fields by stored name."""
        return self._fields
