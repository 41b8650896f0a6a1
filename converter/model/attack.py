"""MITRE ATT&CK: which tactics and techniques there are, their names, and which belongs to which.

The table that ships with the package is data/attack.json; a newer one is read from a STIX 2.1 bundle
(https://github.com/mitre-attack/attack-stix-data) with :func:`load_stix`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.model.diagnostics import Diagnostic, RuleError, Severity

_SITE: Final = "https://attack.mitre.org"
MAX_STIX_BYTES: Final = 500_000_000
"""The Enterprise bundle has about 50 MB."""


class Tactic(msgspec.Struct, frozen=True):
    """A tactic, e.g. TA0007 discovery "Discovery"."""

    id: str
    slug: str
    name: str

    @property
    def url(self) -> str:
        """Its page."""
        return f"{_SITE}/tactics/{self.id}/"


class Technique(msgspec.Struct, frozen=True):
    """A technique or sub-technique. ``tactics`` are ids; ``full_name`` has the parent's name before it."""

    id: str
    name: str
    full_name: str
    tactics: tuple[str, ...]

    @property
    def parent(self) -> str | None:
        """The id of the technique that a sub-technique belongs to."""
        base, dot, _ = self.id.partition(".")
        return base if dot else None

    @property
    def url(self) -> str:
        """Its page, as https://attack.mitre.org/techniques/T1078/004/."""
        return f"{_SITE}/techniques/{self.id.replace('.', '/')}/"


class AttackTable(msgspec.Struct, frozen=True, dict=True):
    """One version of ATT&CK: tactics and techniques by id, and whom to name as the source."""

    version: str
    source: str
    tactics: Mapping[str, Tactic]
    techniques: Mapping[str, Technique]

    @cached_property
    def by_slug(self) -> Mapping[str, Tactic]:
        """Tactics by slug, ``credential-access``."""
        return {tactic.slug: tactic for tactic in self.tactics.values()}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Names and slugs in lower case → the reference that is meant."""
        names: dict[str, str] = {}
        for technique in self.techniques.values():
            reference = f"{technique.tactics[0]}:{technique.id}"
            names.setdefault(technique.name.lower(), reference)
            names[technique.full_name.lower()] = reference
        for tactic in self.tactics.values():
            names[tactic.slug] = names[tactic.name.lower()] = tactic.id
        return names

    def tactic(self, text: str) -> Tactic | None:
        """A tactic by id, slug or name, in any case; None if unknown."""
        wanted = text.strip()
        slug = wanted.lower().replace(" ", "-").replace("_", "-")
        return self.tactics.get(wanted.upper()) or self.by_slug.get(slug)

    def technique(self, text: str) -> Technique | None:
        """A technique by id or name, in any case; None if unknown."""
        wanted = text.strip()
        reference = self._names.get(wanted.lower(), "").partition(":")[2]
        return self.techniques.get(wanted.upper()) or self.techniques.get(reference)

    def suggestion(self, text: str) -> str | None:
        """The reference (TA0007 or TA0007:T1613) that a text most likely means; None if none is near."""
        plain = text.strip()[:200]
        first, colon, second = plain.partition(":")
        known = self.technique(second if colon else first)
        if known is not None:
            tactic = self.tactic(first) if colon else None
            return f"{tactic.id if tactic and tactic.id in known.tactics else known.tactics[0]}:{known.id}"
        tactic = self.tactic(first)
        if tactic is not None:
            return tactic.id
        close = difflib.get_close_matches(plain.lower(), self._names, n=1, cutoff=0.7)
        return self._names[close[0]] if close else None

    def nearest_tactic(self, text: str) -> str | None:
        """The tactic id most like this one."""
        close = difflib.get_close_matches(text, self.tactics, n=1, cutoff=0.6)
        return close[0] if close else None


_ACTIVE: Final[ContextVar[AttackTable | None]] = ContextVar("attack_table", default=None)


def attack_table() -> AttackTable:
    """The table in use: the one that ships with the package unless :func:`using` put another in its place."""
    return _ACTIVE.get() or _shipped_table()


@contextmanager
def using(table: AttackTable) -> Iterator[None]:
    """Within this context rules are read, checked and written by another table, e.g. of :func:`load_stix`."""
    token = _ACTIVE.set(table)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


@cache
def _shipped_table() -> AttackTable:
    """data/attack.json (ATT&CK Enterprise); read once, at first use."""
    raw = msgspec.json.decode(files("converter.model").joinpath("data/attack.json").read_bytes())
    tactics = {key: Tactic(key, entry["slug"], entry["name"]) for key, entry in raw["tactics"].items()}
    entries = {key: (entry["name"], entry["tactics"]) for key, entry in raw["techniques"].items()}
    return _table(raw["version"], raw["source"], tactics, entries)


def load_stix(path: str | Path) -> AttackTable:
    """The table of a STIX 2.1 bundle of ATT&CK Enterprise. Deprecated and revoked objects are left out.

    Raises RuleError when the file cannot be read or is no such bundle.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_STIX_BYTES:
            raise _bad_bundle(file, f"it has more than {MAX_STIX_BYTES} bytes")
        bundle = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise _bad_bundle(file, error.strerror or str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_bundle(file, f"not JSON: {error}") from None
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle":
        raise _bad_bundle(file, 'expected a JSON object with "type": "bundle"')
    listed = bundle.get("objects")
    objects = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    try:
        tactics, entries = _stix_tactics(objects), _stix_techniques(objects)
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad_bundle(file, f"an object lacks what STIX 2.1 gives it: {error}") from None
    if not tactics or not entries:
        raise _bad_bundle(file, "it holds no tactics, or no techniques, of ATT&CK Enterprise")
    version = next(
        (e["x_mitre_version"] for e in objects if e.get("type") == "x-mitre-collection"), "unknown"
    )
    return _table(str(version), _shipped_table().source, tactics, entries)


def _table(
    version: str, source: str, tactics: dict[str, Tactic], entries: dict[str, tuple[str, list[str]]]
) -> AttackTable:
    """Put the parts together; tactics of techniques come as slugs."""
    ids = {tactic.slug: tactic.id for tactic in tactics.values()}
    techniques: dict[str, Technique] = {}
    for key, (name, slugs) in entries.items():
        belongs = tuple(ids[slug] for slug in slugs if slug in ids)
        if not belongs:
            continue
        parent = entries.get(key.partition(".")[0])
        full_name = f"{parent[0]}: {name}" if "." in key and parent else name
        techniques[key] = Technique(key, name, full_name, belongs)
    return AttackTable(version, source, tactics, techniques)


def _live(objects: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(ATT&CK id, object) of every object of a type that is in use."""
    for entry in objects:
        if entry.get("type") != kind or entry.get("revoked") or entry.get("x_mitre_deprecated"):
            continue
        for reference in entry.get("external_references") or ():
            if reference.get("source_name") == "mitre-attack" and "external_id" in reference:
                yield reference["external_id"], entry
                break


def _stix_tactics(objects: list[dict[str, Any]]) -> dict[str, Tactic]:
    found = _live(objects, "x-mitre-tactic")
    return {
        key: Tactic(key, entry["x_mitre_shortname"], entry["name"])
        for key, entry in sorted(found, key=_first)
    }


def _stix_techniques(objects: list[dict[str, Any]]) -> dict[str, tuple[str, list[str]]]:
    return {
        key: (
            entry["name"],
            [
                phase["phase_name"]
                for phase in entry.get("kill_chain_phases") or ()
                if phase["kill_chain_name"] == "mitre-attack"
            ],
        )
        for key, entry in sorted(_live(objects, "attack-pattern"), key=_first)
    }


def _first(pair: tuple[str, dict[str, Any]]) -> str:
    return pair[0]


def _bad_bundle(file: Path, reason: str) -> RuleError:
    message = f"cannot read the ATT&CK bundle: {reason}"
    finding = Diagnostic(code="bad-stix", severity=Severity.ERROR, message=message, file=str(file))
    return RuleError(f"{file}: {message}", [finding])
