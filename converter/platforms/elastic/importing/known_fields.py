"""Types of stored fields, for rules whose log source is not described, or not in full.

The packs of a rule's log sources come first; then the Elastic Common Schema (ECS 8/9, "Field reference") and
the field tables of Elastic's integrations (endpoint, windows, aws, azure, okta …), as far as a type other
than ``keyword`` changes what a query means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.platforms.elastic.esql.operands import ECS_LISTS
from converter.platforms.elastic.fields import PLATFORM, StoredFields

_BY_ENDING: Final[Mapping[FieldType, tuple[str, ...]]] = {
    FieldType.IP: (".ip",),
    FieldType.INTEGER: (
        *(".port", ".pid", ".ppid", ".pgid", ".bytes", ".packets", ".as.number", ".args_count", ".exit_code"),
        *(".ttl", ".thread.id", "syslog.priority", "facility.code", "syslog.severity.code", "process.uptime"),
        *("file.size", "http.response.status_code", ".char_device.major", ".char_device.minor"),
    ),
    FieldType.BOOLEAN: (
        *(".code_signature.exists", ".code_signature.trusted", ".code_signature.valid", ".interactive"),
        *(".same_as_process",),
    ),
    FieldType.DATE: (
        *(".mtime", ".ctime", ".accessed", ".x509.not_after", ".x509.not_before", "indicator.first_seen"),
        *("process.start", "process.end", "parent.start", "parent.end", "file.created", "package.installed"),
    ),
    FieldType.WILDCARD: (".command_line", "registry.data.strings", "http.request.body.content"),
    FieldType.TEXT: (".script_block_text",),
}
_BY_NAME: Final[Mapping[FieldType, tuple[str, ...]]] = {
    FieldType.IP: ("dns.resolved_ip", "network.forwarded_ip"),
    FieldType.INTEGER: ("event.severity", "event.sequence", "event.duration"),
    FieldType.FLOAT: ("event.risk_score", "file.Ext.entropy", "kibana.alert.risk_score"),
    FieldType.DATE: ("@timestamp", "event.created", "event.ingested", "event.start", "event.end"),
    FieldType.WILDCARD: (
        "url.full",
        "url.original",
        "url.path",
        "http.response.body.content",
        "error.stack_trace",
    ),
    FieldType.TEXT: ("message", "error.message"),
}
_WITH_WORDS: Final = (
    *(".command_line", ".executable", "process.name", "parent.name", ".title", ".working_directory"),
    *("user.name", ".full_name", "file.path", ".target_path", "url.full", "url.original"),
    *(".os.full", ".os.name", "user_agent.original", ".stack_trace", "organization.name", "technique.name"),
)
"""Endings of the fields that the Elastic Common Schema also keeps analysed, under ``.text``."""
METADATA_FIELDS: Final = frozenset({"_id", "_ignored", "_index", "_score", "_source", "_tier", "_version"})
"""What Elasticsearch says of a document and the event does not (Elasticsearch, "Metadata fields")."""


def without_subfield(name: str) -> tuple[str, str]:
    """The field that a multi-field repeats, and the ending of it; without one, the name itself."""
    for ending in (".caseless", ".keyword", ".text"):
        base = name.removesuffix(ending)
        if base != name and base and (ending != ".text" or base.endswith(_WITH_WORDS)):
            return base, ending
    return name, ""


_TYPE_OF: Final = {name: kind for kind, names in _BY_NAME.items() for name in names}
_BELOW: Final[Mapping[str, FieldType]] = {
    "aws.cloudtrail.flattened.": FieldType.FLATTENED,
    "okta.debug_context.debug_data.flattened.": FieldType.FLATTENED,
}


def _known(name: str) -> PlatformField | None:
    kind = FieldType.TEXT if without_subfield(name)[1] == ".text" else _TYPE_OF.get(name)
    if kind is None:
        kind = next((k for k, ends in _BY_ENDING.items() if name.endswith(ends)), None)
    if kind is None:
        kind = next((kind for start, kind in _BELOW.items() if name.startswith(start)), None)
    if kind is None and name not in ECS_LISTS:
        return None
    return PlatformField(name=name, type=kind or FieldType.KEYWORD, is_list=name in ECS_LISTS)


def _list_names(packs: Iterable[Pack]) -> Iterator[str]:
    """The names with ``*`` in the place of a list's numbers by which packs know fields of its elements."""
    for pack in packs:
        names: Mapping[str, str] = pack.platforms.get(PLATFORM, {}).get("aliases") or {}
        yield from (name for name in names if "*" in name)


class _ByName(Mapping[str, PlatformField]):
    def __init__(self, own: Mapping[str, PlatformField]) -> None:
        self._own = own

    def __getitem__(self, name: str) -> PlatformField:
        found = self._own.get(name) or _known(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


class KnownFields(StoredFields):
    """The fields of some packs, and behind them those that Elastic's schema gives a type."""

    def __init__(self, packs: Iterable[Pack] = ()) -> None:
        packs = tuple(packs)
        super().__init__(packs)
        self._fields.update((name, PlatformField(name=name, is_list=True)) for name in _list_names(packs))
        self._all = _ByName(self._fields)

    def type_of(self, name: str) -> FieldType:
        """The field's type; a keyword where nothing is known."""
        field = self._all.get(name)
        return FieldType.KEYWORD if field is None else field.type

    def declares(self, name: str) -> bool:
        """Whether the type is known; what nobody declares may hold numbers as well as text."""
        return name in self._all

    @property
    def by_name(self) -> Mapping[str, PlatformField]:
        """The fields whose type is known, by stored name."""
        return self._all
