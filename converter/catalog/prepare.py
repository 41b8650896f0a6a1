"""From sources to records: what one rule says, in several processes, remembered by content.

Nothing here depends on the other rules of a catalog, so a rule that did not change is not looked at again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from converter.catalog.records import Record, record_of
from converter.catalog.renderings import Outcome, Rendering, renderings_of
from converter.catalog.sources import Found
from converter.logsources import load_packs
from converter.platforms.base import Context
from converter.platforms.processes import spread
from converter.platforms.registry import siem_names
from converter.platforms.templating import templates_folder

_CHUNK: Final = 32
_ENCODE: Final = msgspec.msgpack.Encoder().encode
Advance: TypeAlias = Callable[[int], None]


class Prepared(msgspec.Struct, frozen=True):
    """A rule's record, and its renderings still encoded: they are many, and most are never looked at."""

    record: Record
    packed: bytes

    @property
    def renderings(self) -> tuple[Rendering, ...]:
        """The renderings; none for a refused rule."""
        return _RENDERINGS.decode(self.packed)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What the renderings came to."""
        return _OUTCOMES.decode(self.packed)


_RENDERINGS: Final = msgspec.msgpack.Decoder(tuple[Rendering, ...])
_OUTCOMES: Final = msgspec.msgpack.Decoder(tuple[Outcome, ...])
_PREPARED: Final = msgspec.msgpack.Decoder(Prepared)


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """How rules are prepared: the team's packs and settings, whether they are rendered, how many processes
    work, and the folder of the cache (None: none).
    """

    pack_folders: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = {}
    rendered: bool = True
    jobs: int = 1
    cache: str | None = None


class Work(msgspec.Struct, frozen=True):
    """A rule to prepare, and the digest of everything that its record depends on."""

    found: Found
    digest: str


def listed(found: Iterable[Found], workshop: Workshop) -> list[Work]:
    """The rules with their digests: equal digests give equal records and renderings."""
    state = _state(workshop)
    return [Work(rule, _digest(rule, state)) for rule in found]


def prepare(work: Sequence[Work], workshop: Workshop, advance: Advance | None = None) -> list[Prepared]:
    """The records in the order of the rules. ``advance`` is told how many more are done, again and again."""
    done: dict[int, Prepared] = {}
    missing: list[int] = []
    for position, one in enumerate(work):
        kept = _kept(workshop, one.digest)
        if kept is None:
            missing.append(position)
        else:
            done[position] = kept
    tell = advance or (lambda count: None)
    tell(len(done))
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    jobs = [[work[position] for position in chunk] for chunk in chunks]
    worked = spread(Bench, (workshop,), jobs, workshop.jobs)
    for chunk, results in zip(chunks, worked, strict=True):
        for position, encoded in zip(chunk, results, strict=True):
            done[position] = _PREPARED.decode(encoded)
        tell(len(chunk))
    return [done[position] for position in range(len(work))]


class Bench:
    """One process's place of work: what every rule needs is made once."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._packs = load_packs(map(Path, workshop.pack_folders))
        self._contexts = {
            name: Context(packs=self._packs, settings=workshop.settings.get(name, {}), keep_unmapped=True)
            for name in siem_names()
        }

    def __call__(self, job: Sequence[Work]) -> list[bytes]:
        """Prepare a few rules, encoded, and keep each in the cache."""
        return [self._one(one) for one in job]

    def _one(self, one: Work) -> bytes:
        read, rule = one.found.read, one.found.read.rule
        record = record_of(read, one.found.written, self._packs, self._contexts)
        rendered: tuple[Rendering, ...] = ()
        if rule is not None and self._workshop.rendered:
            rendered = renderings_of(read, rule, self._contexts)
        encoded = _ENCODE(Prepared(record, _ENCODE(rendered)))
        _keep(self._workshop, one.digest, encoded)
        return encoded


# The cache ------------------------------------------------------------------------------------------------


def code_state(*folders: Path) -> bytes:
    """What everything made here depends on: the code of this package, its templates, and further folders."""
    digest = hashlib.blake2b(digest_size=20)
    for folder in (Path(__file__).resolve().parents[1], templates_folder(), *folders):
        digest.update(_folder_state(folder))
    return digest.digest()


def _state(workshop: Workshop) -> bytes:
    """What every record depends on beside the rule."""
    own = _ENCODE((workshop.settings, workshop.rendered))
    return own + code_state(*map(Path, workshop.pack_folders))


@cache
def _folder_state(folder: Path) -> bytes:
    """Names, sizes and times of the files below a folder, compiled code apart."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    states = ((str(file), file.stat()) for file in files)
    return _ENCODE([(name, state.st_size, state.st_mtime_ns) for name, state in states])


def _digest(found: Found, state: bytes) -> str:
    digest = hashlib.blake2b(state, digest_size=20)
    digest.update(_ENCODE(found))
    return digest.hexdigest()


def _entry(cache_folder: str, digest: str) -> Path:
    return Path(cache_folder) / "catalog" / digest[:2] / digest


def _kept(workshop: Workshop, digest: str) -> Prepared | None:
    if workshop.cache is None:
        return None
    with suppress(OSError, msgspec.DecodeError):
        return _PREPARED.decode(_entry(workshop.cache, digest).read_bytes())
    return None


def _keep(workshop: Workshop, digest: str, encoded: bytes) -> None:
    """Remember a record; a cache that cannot be written is no reason to fail."""
    if workshop.cache is None:
        return
    entry = _entry(workshop.cache, digest)
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        temporary = entry.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(encoded)
        temporary.replace(entry)
