"""Reading whole collections of a platform's rules: many files, several processes, a cache by content.

The whole folder is read even when single files are broken: a broken file gives a refused rule with its
diagnostic. Nothing that is read is ever executed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import msgspec

from converter import __version__
from converter.logsources import load_packs
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.model.dump import dump_rule
from converter.model.files import files_at, read_text
from converter.model.load import load_text
from converter.model.rule import Rule
from converter.platforms.base import (
    Artifact,
    LeaningReader,
    ReadContext,
    ReadRule,
    Source,
    without_logic,
)
from converter.platforms.naming import slug
from converter.platforms.processes import spread
from converter.platforms.registry import reader

LARGEST_FILE = 20_000_000
"""Bytes. A larger file is refused, and not read further."""

READER_FAILED = "reader-failed"
"""The code of a text that a reader raised an exception for."""

_CHUNK = 32
_ENCODE = msgspec.msgpack.Encoder().encode
_RULE = msgspec.msgpack.Decoder(Rule)


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a collection as it was read (see :class:`converter.platforms.base.ReadRule`).

    ``text``: the canonical rule file, which loads back to the rule; ``folder`` and ``stem``: where it goes.
    All are empty for a refused rule. ``packed``: the rule, or what a refused one says of itself, encoded.
    """

    source: str
    platform: str
    id: str
    title: str
    kind: str
    status: str
    fidelity: Fidelity
    query: str = ""
    language: str = ""
    residue: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    text: str = ""
    folder: str = ""
    stem: str = ""
    logsource: tuple[str, ...] = ()
    packed: bytes = b""

    @property
    def rule(self) -> Rule | None:
        """The canonical rule; None for a refused one."""
        return None if self.refused else self.described

    @property
    def described(self) -> Rule | None:
        """The rule; of a refused one what it says of itself, without logic; None if that is nothing."""
        return _RULE.decode(self.packed) if self.packed else None

    @property
    def refused(self) -> bool:
        """Whether there is no canonical rule."""
        return self.fidelity is Fidelity.REFUSED


_DECODER = msgspec.msgpack.Decoder(list[Collected])


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How to read: which platform, where the things lie that rules lean on, the team's log-source packs,
    how many processes, and the folder of the cache (None: none).
    """

    platform: str
    beside: tuple[str, ...] = ()
    pack_folders: tuple[str, ...] = ()
    jobs: int = 1
    cache: str | None = None


def rule_files(platform: str, paths: Iterable[Path]) -> list[Path]:
    """The files at the paths: those named, and those in folders that hold rules of the platform, sorted.

    Raises RuleError for a path that does not exist.
    """
    found: list[Path] = []
    wrong: list[Diagnostic] = []
    for path in paths:
        files = files_at(path, reader(platform).is_rule_file)
        if isinstance(files, Diagnostic):
            wrong.append(files)
        else:
            found.extend(files)
    if wrong:
        raise RuleError("; ".join(map(str, wrong)), wrong)
    return list(dict.fromkeys(found))


def source_of(platform: str, file: Path) -> Source | ReadRule:
    """The text of a file; of one that cannot be read what stands for its rules."""
    text = read_text(file, LARGEST_FILE)
    return _refused(platform, text) if isinstance(text, Diagnostic) else Source(file=str(file), text=text)


def read_source(platform: str, source: Source, context: ReadContext) -> list[ReadRule]:
    """The rules of a text. Should its reader fail, which it promises not to, one refused rule says so: the
    other files of a collection are read all the same.
    """
    try:
        return reader(platform).read(source, context)
    except Exception as error:  # whatever it is
        message = f"the reader failed, which is a mistake of the converter's: {type(error).__name__}: {error}"
        reason = Diagnostic(
            code=READER_FAILED, severity=Severity.ERROR, message=message[:500], file=source.file, line=1
        )
        return [_refused(platform, reason)]


def _refused(platform: str, reason: Diagnostic) -> ReadRule:
    """What stands for the rules of a file that was not read; ``reason`` names it."""
    file = reason.file or ""
    return ReadRule(
        source=file,
        platform=platform,
        id="",
        title=Path(file).name,
        fidelity=Fidelity.REFUSED,
        diagnostics=(msgspec.structs.replace(reason, platform=platform, effect=Fidelity.REFUSED),),
    )


def read_files(reading: Reading, files: Sequence[Path]) -> Iterator[tuple[Path, list[Collected]]]:
    """The rules of each file, in the order of the files."""
    chunks = [[str(file) for file in files[i : i + _CHUNK]] for i in range(0, len(files), _CHUNK)]
    results = spread(partial, (_read_chunk, reading), chunks, reading.jobs)
    for chunk, encoded in zip(chunks, results, strict=True):
        yield from _decoded(chunk, encoded)


def carried_over(read: Collected, artifact: Artifact) -> Artifact:
    """The rendering of a rule that was itself read: what the reading lost is lost in the rendering too."""
    lost = tuple(diagnostic for diagnostic in read.diagnostics if diagnostic.effect is not None)
    return msgspec.structs.replace(
        artifact,
        diagnostics=(*lost, *artifact.diagnostics),
        fidelity=artifact.fidelity | read.fidelity,
    )


def _decoded(chunk: list[str], results: list[bytes]) -> Iterator[tuple[Path, list[Collected]]]:
    for file, encoded in zip(chunk, results, strict=True):
        yield Path(file), _DECODER.decode(encoded)


def _read_chunk(reading: Reading, files: list[str]) -> list[bytes]:
    """The rules of some files, each encoded: what goes between processes and into the cache alike."""
    return [_read_file(reading, Path(file)) for file in files]


def _read_file(reading: Reading, file: Path) -> bytes:
    source = source_of(reading.platform, file)
    if isinstance(source, ReadRule):
        return _ENCODE([_collected(source)])
    entry = _cache_entry(reading, source)
    if entry is not None:
        with suppress(OSError, msgspec.DecodeError):
            encoded = entry.read_bytes()
            _DECODER.decode(encoded)
            return encoded
    encoded = _ENCODE([_collected(read) for read in read_source(reading.platform, source, _context(reading))])
    if entry is not None:
        _store(entry, encoded)
    return encoded


def _collected(read: ReadRule) -> Collected:
    """The rule with its file, once that is seen to load back to the same rule."""
    rule, told, diagnostics = read.rule, read.rule or read.described, read.diagnostics
    text = ""
    if rule is not None:
        found = _canonical(rule, read)
        if isinstance(found, Diagnostic):
            told = without_logic(rule)
            rule, diagnostics = None, (*diagnostics, found)
        else:
            text = found
    return Collected(
        source=read.source,
        platform=read.platform,
        id=read.id,
        title=read.title,
        kind=read.kind,
        status=read.status if rule is not None else str(Fidelity.REFUSED),
        fidelity=read.fidelity if rule is not None else Fidelity.REFUSED,
        query=read.query.encode("utf-8", "replace").decode("utf-8"),
        language=read.language,
        residue=read.residue,
        diagnostics=diagnostics,
        text=text,
        folder="" if rule is None else rule.steps[0].logsource[0],
        stem="" if rule is None else slug(rule),
        logsource=() if rule is None else tuple(dict.fromkeys(n for s in rule.steps for n in s.logsource)),
        packed=b"" if told is None else _ENCODE(told),
    )


def _canonical(rule: Rule, read: ReadRule) -> str | Diagnostic:
    """The rule's file, which loads back to it; or why there is none."""
    try:
        text = dump_rule(rule)
        (loaded,) = load_text(text, read.source)
    except RuleError as error:
        message = str(error.diagnostics[0].message if error.diagnostics else error)
    else:
        if msgspec.structs.replace(loaded, place=None) == msgspec.structs.replace(rule, place=None):
            return text
        message = "its file would load as another rule"
    return Diagnostic(
        code="not-canonical",
        severity=Severity.ERROR,
        message=f"what was read is no canonical rule: {message[:300]}",
        file=read.source,
        line=rule.place.line if rule.place is not None else 1,
        platform=read.platform,
        effect=Fidelity.REFUSED,
    )


@cache
def _context(reading: Reading) -> ReadContext:
    return ReadContext(
        packs=load_packs(Path(folder) for folder in reading.pack_folders),
        beside=tuple(map(Path, reading.beside)),
    )


def _cache_entry(reading: Reading, source: Source) -> Path | None:
    """Where the reading of this content is kept: it depends on the text, its name, what lies beside it, the
    files that it leans on, the packs and this package's own code.
    """
    if reading.cache is None:
        return None
    digest = hashlib.blake2b(_surroundings(reading), digest_size=20)
    digest.update(source.file.encode())
    digest.update(b"\0")
    digest.update(_neighbours(Path(source.file).parent))
    own = reader(reading.platform)
    if isinstance(own, LeaningReader):
        for path in own.leans_on(source, tuple(map(Path, reading.beside))):
            digest.update(f"{path}\0".encode())
            digest.update(path.read_bytes())
    digest.update(source.text.encode())
    name = digest.hexdigest()
    return Path(reading.cache) / name[:2] / name


@cache
def _surroundings(reading: Reading) -> bytes:
    package = Path(__file__).resolve().parent.parent
    folders = [package, *map(Path, reading.beside), *map(Path, reading.pack_folders)]
    return b"\0".join([__version__.encode(), reading.platform.encode(), *map(_state_of, folders)])


@cache
def _neighbours(folder: Path) -> bytes:
    """The state of the folder that a rule lies in: helpers and macros beside it change its meaning."""
    return b"".join(
        f"{entry.name}:{entry.stat().st_size}:{entry.stat().st_mtime_ns}\n".encode()
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
        if entry.is_file() and not entry.name.endswith((".toml", ".yml", ".yaml"))
    )


def _state_of(folder: Path) -> bytes:
    """Names, sizes and times of everything in a folder."""
    digest = hashlib.blake2b(digest_size=20)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            state = file.stat()
            digest.update(f"{file}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    return digest.digest()


def _store(entry: Path, encoded: bytes) -> None:
    """Keep a reading; a cache that cannot be written is no reason to fail."""
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        temporary = entry.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(encoded)
        temporary.replace(entry)
