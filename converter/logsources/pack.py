"""A log-source pack: what one kind of log looks like in its raw form and on each platform.

Packs are YAML data (``packs/*.yaml``, or a team's own beside its rules); this module is their shape.
A canonical field name is the vendor's own. Each platform's field says under which name, with which type
and with which change of value that platform stores it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from converter.model.expressions import Expression
from converter.model.paths import FieldPath


class FieldType(enum.StrEnum):
    """What a field holds. Elastic's text, wildcard and nested kinds matter for what a query means there."""

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
    event.outcome); ``case`` is ``lower`` or ``upper`` where it changes their case.
    """

    name: str
    type: FieldType = FieldType.KEYWORD
    is_list: bool = False
    values: Mapping[str, str] = msgspec.field(default_factory=dict)
    case: str | None = None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical field: its own path (without list steps), type, and its form per platform."""

    path: FieldPath
    type: FieldType = FieldType.KEYWORD
    is_list: bool = False
    platforms: Mapping[str, PlatformField] = msgspec.field(default_factory=dict)
    description: str | None = None


class TimeField(msgspec.Struct, frozen=True, kw_only=True):
    """Where a raw event says when it happened. The first of ``fields`` that is present counts."""

    fields: tuple[FieldPath, ...]
    format: TimeFormat = TimeFormat.ISO8601


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One raw shape of a log source that has several (Sysmon 1 and Security 4688, say).

    A raw event of this shape satisfies ``select``; ``rename`` maps its raw paths to canonical ones, and
    ``values`` raw texts to canonical ones per canonical field.
    """

    name: str
    select: Expression
    rename: Mapping[FieldPath, FieldPath] = msgspec.field(default_factory=dict)
    values: Mapping[FieldPath, Mapping[str, str]] = msgspec.field(default_factory=dict)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """One log source.

    ``select`` says which raw events belong to it when logs are mixed. ``platforms`` holds, per platform,
    the names that platform gives the source itself (log types; index patterns, dataset, integration;
    macro, sourcetype, data model). ``open_fields``: paths below which any key is known without being
    declared (free-form objects). ``constants``: per platform, stored fields that every event of the
    source carries there (``event.dataset``, ``sourcetype``).
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
