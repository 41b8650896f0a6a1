"""What a Panther field may hold, as far as the log-source packs declare it.

Where the type of a field is declared, the plain Python that an engineer would write is exact; anywhere else
the written rule looks at every value that may stand there.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from converter.logsources.pack import FieldType, Pack
from converter.model.paths import PathStep, parse_path


class Kind(enum.Enum):
    """What one well-formed value of a field is in Python. ``UNKNOWN``: anything, lists included."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UNKNOWN = "unknown"


_KINDS = {
    FieldType.KEYWORD: Kind.TEXT,
    FieldType.TEXT: Kind.TEXT,
    FieldType.WILDCARD: Kind.TEXT,
    FieldType.IP: Kind.TEXT,
    FieldType.DATE: Kind.TEXT,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.FLOAT: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
}

Table: TypeAlias = Mapping[tuple[str, ...], Kind]


class Fields:
    """The kinds of the fields of some log sources that one rule reads."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._tables = [_table(pack) for pack in packs]

    def kind(self, steps: tuple[PathStep, ...], base: tuple[str, ...] = ()) -> Kind:
        """The kind of the value at a path; unknown if it passes a list or the log sources disagree.

        ``base``: the keys of the list whose element the path starts at.
        """
        if not all(isinstance(step, str) for step in steps):
            return Kind.UNKNOWN
        keys = base + tuple(str(step) for step in steps)
        kinds = {table.get(keys, Kind.UNKNOWN) for table in self._tables}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN


_TABLES: dict[int, tuple[Pack, Table]] = {}


def _table(pack: Pack) -> Table:
    known = _TABLES.get(id(pack))
    if known is not None and known[0] is pack:
        return known[1]
    table: dict[tuple[str, ...], Kind] = {}
    for field in pack.fields.values():
        stored = field.platforms.get("panther")
        if stored is not None and not stored.is_list:
            kind = _KINDS.get(stored.type, Kind.UNKNOWN)
            table[parse_path(stored.name).keys] = kind
    _TABLES[id(pack)] = (pack, table)
    return table
