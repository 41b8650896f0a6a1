"""A log-source pack: what one kind of log looks like in its raw form and on each platform.

Packs are YAML data (``packs/*.yaml``, or a team's own beside its rules); this module is their shape.
A canonical field name is the vendor's own. Each platform's field says under which name, with which type
and with which change of value that platform stores it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression
from converter.model.paths import FieldPath


class FieldType(enum.StrEnum):
    """What a field holds. Elastic's text, wildcard, nested and flattened kinds matter for a query's meaning.

    ``flattened``: a free-form object that Elastic keeps as one field of untyped keyword leaves.
    """

    KEYWORD = "keyword"
    TEXT = "text"
    WILDCARD = "wildcard"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    IP = "ip"
    DATE = "date"
    OBJECT = "object"
    NESTED = "nested"
    FLATTENED = "flattened"


HASH_LENGTHS: Final = MappingProxyType({"MD5": 32, "SHA1": 40, "SHA256": 64, "IMPHASH": 32})
"""Sysmon's label of a hash → its hexadecimal digits (Sysinternals: Sysmon, HashAlgorithms)."""


class TimeFormat(enum.StrEnum):
    """How a time field is written."""

    ISO8601 = "iso8601"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"
    EPOCH_US = "epoch_us"
    EPOCH_NS = "epoch_ns"


class PlatformField(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical field as one platform stores it.

    ``values`` maps canonical text → stored text where the platform renames values (e.g. ECS
    event.outcome); ``case`` is ``lower`` or ``upper`` where it changes their case. ``keys``: what the
    platform writes for a text within the keys of an open object (``.`` → ``_``), longest text first.
    ``ip``: a second field, of type ``ip``, that holds those of the values that are addresses.
    ``basename``: a second field that holds what follows the last ``/`` or ``\\``. ``shared``: another
    canonical field whose value the platform stores here too. ``join``: the fields that hold the value's
    parts, which ``separator`` keeps apart in it; a value with another number of parts is not stored.
    """

    name: str
    type: FieldType = FieldType.KEYWORD
    is_list: bool = False
    values: Mapping[str, str] = msgspec.field(default_factory=dict)
    case: str | None = None
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    ip: str | None = None
    basename: str | None = None
    shared: str | None = None
    join: tuple[str, ...] = ()
    separator: str = ""


class Means(msgspec.Struct, frozen=True):
    """When a derived field has one of its values: on which events, by their other fields.

    ``effect``: what the condition is where it does not say just that, and ``why``.
    """

    condition: Expression
    effect: Fidelity | None = None
    why: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical field: its own path (without list steps), type, and its form per platform.

    A field that one platform derives from others says how: ``means`` has some of its values, each with when
    it has it; ``extension_of`` names the path whose last part's extension it is; ``labelled`` names by label
    the fields that hold the hashes of which it is the list (``SHA1=…,MD5=…``). ``told_by``: another field
    that names the same thing, by which matches can be joined and grouped in its place.
    """

    path: FieldPath
    type: FieldType = FieldType.KEYWORD
    is_list: bool = False
    platforms: Mapping[str, PlatformField] = msgspec.field(default_factory=dict)
    description: str | None = None
    means: Mapping[str, Means] = msgspec.field(default_factory=dict)
    extension_of: FieldPath | None = None
    labelled: Mapping[str, FieldPath] = msgspec.field(default_factory=dict)
    told_by: FieldPath | None = None


class TimeField(msgspec.Struct, frozen=True, kw_only=True):
    """Where a raw event says when it happened. The first of ``fields`` that is present counts."""

    fields: tuple[FieldPath, ...]
    format: TimeFormat = TimeFormat.ISO8601


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One raw shape of a log source that has several (Sysmon 1 and Security 4688, say).

    A raw event of this shape satisfies ``select``, which uses ``is``, ``exists``, ``all``, ``any`` and
    ``not`` alone; ``rename`` maps its raw paths to canonical ones (the empty path: the keys of the object
    there become keys of the event), and ``values`` raw texts to canonical ones per canonical field.
    """

    name: str
    select: Expression
    rename: Mapping[FieldPath, FieldPath] = msgspec.field(default_factory=dict)
    values: Mapping[FieldPath, Mapping[str, str]] = msgspec.field(default_factory=dict)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """One log source.

    ``select`` says which raw events belong to it when logs are mixed; it is asked of the canonical form
    (:func:`converter.logsources.canonical_event`). ``platforms`` holds, per platform, the names that
    platform gives the source itself (log types; index patterns, dataset, integration; macro, sourcetype,
    data model). ``open_fields``: paths below which any key is known without being declared (free-form
    objects); the empty path opens the whole event. ``constants``: per platform, stored fields that every
    event of the source carries there (``event.dataset``, ``sourcetype``).
    """

    name: str
    title: str
    select: Expression
    time: TimeField
    description: str = ""
    sources: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    platforms: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    constants: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    fields: Mapping[FieldPath, Field] = msgspec.field(default_factory=dict)
    open_fields: tuple[FieldPath, ...] = ()
    entities: Mapping[str, tuple[FieldPath, ...]] = msgspec.field(default_factory=dict)
