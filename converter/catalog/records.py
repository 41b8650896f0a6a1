"""What the catalog knows of one rule, without what other rules have to do with it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from converter.catalog.normal import normal_form
from converter.catalog.original import original
from converter.catalog.rows import Tables, tables_of
from converter.catalog.wording import condition_text, correlation_text
from converter.logsources.lookup import known, stored_field
from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic
from converter.model.expressions import absolute_fields
from converter.model.measures import measures
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Threshold, choice_fields
from converter.platforms.collection import Collected

_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG: Final = 60


class FieldUse(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a rule needs: its canonical name and the name under which each platform stores it."""

    field: str
    stored: Mapping[str, str] = {}


class LabelledTest(msgspec.Struct, frozen=True):
    """A test of a rule: its name, what it expects and how many events it has."""

    name: str
    expect: str
    events: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the catalog.

    ``key``: unique in the catalog and the same in every build; ``platform``: where it comes from;
    ``reading``: how exact it was read (``exact`` for a canonical rule), ``refused`` for one of which there is
    no canonical form: only what it says of itself is known. ``log_types``: per platform, the names it gives
    the log sources. ``normal``: equal for rules that ask the same, the case of letters aside.
    ``entities``: the kinds of things its log sources name, with the fields. ``written``: the name
    and text of the files that hold it; ``query`` and ``language``: its logic as written there;
    ``text``: the canonical rule file.
    """

    key: str
    platform: str
    source: str
    id: str
    title: str
    kind: str = ""
    reading: str = "exact"
    description: str = ""
    severity: str = ""
    status: str = ""
    logsources: tuple[str, ...] = ()
    log_types: Mapping[str, tuple[str, ...]] = {}
    entities: Mapping[str, tuple[str, ...]] = {}
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    query: str = ""
    language: str = ""
    condition: str = ""
    correlation: str = ""
    normal: str = ""
    tables: Tables = Tables()
    needs: tuple[FieldUse, ...] = ()
    output: tuple[str, ...] = ()
    alert: str = ""
    false_positives: tuple[str, ...] = ()
    tests: tuple[LabelledTest, ...] = ()
    runbook: str = ""
    author: str = ""
    created: str = ""
    updated: str = ""
    risk: Mapping[str, int] = {}
    settings: Mapping[str, Mapping[str, Any]] = {}
    residue: tuple[str, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    text: str = ""


def record_of(
    read: Collected,
    written: tuple[tuple[str, str], ...],
    packs: Mapping[str, Pack],
    platforms: Iterable[str],
) -> Record:
    """The record of a rule as it was read. ``platforms``: those whose stored names are told."""
    rule = read.rule
    query, language = original(read, written)
    record = Record(
        key=_key(read),
        platform=read.platform,
        source=read.source,
        id=read.id,
        title=read.title,
        kind=read.kind,
        reading=read.status,
        residue=read.residue,
        findings=read.diagnostics,
        query=query,
        language=language if query else "",
        written=written,
        text=read.text,
    )
    if read.described is not None:
        record = _described(record, read.described, packs, tuple(platforms))
    return record if rule is None else _with_logic(record, rule, packs, tuple(platforms))


def slug(text: str) -> str:
    """A text as ``[a-z0-9-]``, for a file name; may be empty."""
    plain = unicodedata.normalize("NFKD", text[:500]).encode("ascii", "ignore").decode().lower()
    return _NOT_WORD.sub("-", plain).strip("-")[:_LONGEST_SLUG].strip("-")


def short_hash(*parts: str, size: int = 4) -> str:
    """``size`` bytes in hex that stand for texts, the same in every build."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=size).hexdigest()


def _key(read: Collected) -> str:
    name = f"{slug(read.title)}-{short_hash(read.platform, read.id or read.source, read.title)}"
    return f"{read.platform}/{name.lstrip('-')}"


def _described(record: Record, rule: Rule, packs: Mapping[str, Pack], platforms: tuple[str, ...]) -> Record:
    """With what the rule says of itself."""
    logsources = tuple(dict.fromkeys(name for step in rule.steps for name in step.logsource))
    found = [packs[name] for name in logsources if name in packs]
    return msgspec.structs.replace(
        record,
        title=rule.title,
        description=rule.description,
        severity=str(rule.severity),
        status=str(rule.status),
        logsources=logsources,
        log_types=log_types(found, platforms),
        entities=_entities(found),
        tags=rule.tags,
        references=rule.references,
        attack=tuple(dict.fromkeys(map(str, rule.attack))),
        false_positives=rule.false_positives,
        runbook=rule.runbook or "",
        author=rule.author or "",
        created=rule.created or "",
        updated=rule.updated or "",
        risk={} if rule.risk is None else _risk(rule.risk.impact, rule.risk.confidence, rule.risk.score),
        settings=rule.platforms,
    )


def _with_logic(record: Record, rule: Rule, packs: Mapping[str, Pack], platforms: tuple[str, ...]) -> Record:
    """With what the rule asks, and what follows from that."""
    found = [packs[name] for name in record.logsources if name in packs]
    return msgspec.structs.replace(
        record,
        condition=condition_text(rule),
        correlation=correlation_text(rule),
        normal=short_hash(normal_form(rule), size=12),
        tables=tables_of(rule),
        needs=tuple(_uses(rule, found, platforms)),
        output=tuple(f"{f.field} as {f.alias}" if f.alias else str(f.field) for f in rule.output),
        alert="".join(part if isinstance(part, str) else f"{{{part}}}" for part in rule.alert.title),
        tests=tuple(LabelledTest(t.name, _expectation(t.match, t.alerts), len(t.events)) for t in rule.tests),
    )


def _risk(impact: int, confidence: int, score: int) -> dict[str, int]:
    return {"impact": impact, "confidence": confidence, "score": score}


def _expectation(match: bool | None, alerts: int | None) -> str:
    if alerts is not None:
        return f"{alerts} alert{'' if alerts == 1 else 's'}"
    return "match" if match else "no match"


_SOURCE_KEYS: Final = ("log_types", "dataset", "index", "sourcetype", "macro", "datamodel")
"""What packs say of a log source per platform that names it there; the first that is given counts."""


def log_types(packs: Iterable[Pack], platforms: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each platform calls these log sources; one that has no name for any of them is left out."""
    found: dict[str, dict[str, None]] = {}
    for platform in platforms:
        for pack in packs:
            told = pack.platforms.get(platform, {})
            value = next((told[key] for key in _SOURCE_KEYS if told.get(key)), ())
            names = map(str, (value,) if isinstance(value, str) else value)
            found.setdefault(platform, {}).update(dict.fromkeys(names))
    return {platform: tuple(names) for platform, names in found.items() if names}


def _entities(packs: Iterable[Pack]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for pack in packs:
        for kind, fields in pack.entities.items():
            found.setdefault(kind, {}).update(dict.fromkeys(map(str, fields)))
    return {kind: tuple(fields) for kind, fields in sorted(found.items())}


def _uses(rule: Rule, packs: list[Pack], platforms: tuple[str, ...]) -> Iterator[FieldUse]:
    """The fields of the condition, the correlation and the output, in that order."""
    for path in dict.fromkeys(path.without_indexes() for path in _fields(rule)):
        stored = {name: text for name in platforms if (text := _stored(path, packs, name))}
        yield FieldUse(field=str(path), stored=stored)


def _fields(rule: Rule) -> Iterator[FieldPath]:
    for step in rule.steps:
        yield from absolute_fields(step.condition)
        yield from step.by
    if rule.threshold is not None:
        yield from _counted(rule.threshold)
    if rule.new_terms is not None:
        yield from rule.new_terms.fields
    yield from rule.alert.group_by
    yield from (output.field for output in rule.output)


def _counted(threshold: Threshold) -> Iterator[FieldPath]:
    """The fields that a threshold looks at."""
    yield from threshold.by
    for choice in threshold.choices:
        yield from choice_fields(choice)
    if threshold.distinct is not None:
        yield threshold.distinct
    for measure in measures(threshold.having):
        if measure.field is not None:
            yield measure.field
        for conditions in (measure.where, measure.start.where, measure.stop.where):
            for condition in conditions:
                yield from absolute_fields(condition)


def _stored(path: FieldPath, packs: list[Pack], platform: str) -> str:
    """The platform's name of a field in the first log source that keeps it; empty if none does."""
    for pack in packs:
        name = _stored_name(pack, path, platform)
        if name:
            return name
    return ""


def _stored_name(pack: Pack, path: FieldPath, platform: str) -> str:
    found = known(pack, path)
    stored = None if found is None else stored_field(found, platform)
    return "" if stored is None else stored.name
