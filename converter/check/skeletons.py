"""What surrounds the fields that a rule looks at, so that a made event looks like one of its log source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from converter.check.placing import copied, put
from converter.check.witnesses import typed_value
from converter.evaluate.values import holds_something, nodes_at
from converter.logsources.pack import Pack, TimeFormat
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject

_MOMENT: Final[Mapping[TimeFormat, Any]] = {
    TimeFormat.ISO8601: "2024-05-06T07:08:09Z",
    TimeFormat.EPOCH_S: 1_714_979_289,
    TimeFormat.EPOCH_MS: 1_714_979_289_000,
    TimeFormat.EPOCH_US: 1_714_979_289_000_000,
    TimeFormat.EPOCH_NS: 1_714_979_289_000_000_000,
}
"""2024-05-06T07:08:09Z in each format."""

_OF_ENTITY: Final[Mapping[str, str]] = {
    "usernames": "jdoe",
    "ip_addresses": "198.51.100.7",
    "hosts": "host-1",
    "domains": "example.com",
    "aws_account_ids": "123456789012",
    "namespaces": "default",
}
"""A harmless value for each kind of thing that a log source says a field names."""


def dressed(event: JsonObject, pack: Pack, apart_from: Iterable[FieldPath]) -> JsonObject:
    """A copy of the event with a time, and with who and where, as far as the log source says where that
    stands. Nothing is put where there is something, nor at, above or below the paths ``apart_from``.
    """
    made = copied(event)
    taken = [path.keys for path in apart_from]
    if not any(holds_something(node) for path in pack.time.fields for node in nodes_at(made, path.steps)):
        any(_add(made, path, _MOMENT[pack.time.format], pack, taken) for path in pack.time.fields)
    for entity, value in _OF_ENTITY.items():
        for path in pack.entities.get(entity, ())[:1]:
            field = pack.fields.get(path)
            typed = typed_value(value, None if field is None else field.type)
            if typed is not None:
                _add(made, path, typed, pack, taken)
    return made


def _add(event: JsonObject, path: FieldPath, value: Any, pack: Pack, taken: list[tuple[str, ...]]) -> bool:
    """Put a value at a path where that changes nothing else; whether it could be."""
    keys = path.keys
    fields = [pack.fields.get(FieldPath(keys[:depth])) for depth in range(1, len(keys))]
    in_list = any(field is not None and field.is_list for field in fields)
    beside = all(keys[: len(other)] != other and other[: len(keys)] != keys for other in taken)
    above = [list(nodes_at(event, keys[:depth])) for depth in range(1, len(keys))]
    through = all(isinstance(node, dict) for nodes in above for node in nodes)
    free = beside and through and not in_list and not list(nodes_at(event, keys))
    if not free or len(path.steps) != len(keys):
        return False
    put(event, path, value, pack.fields.get(path))
    return True
