"""Writing the site: only what changed is rendered, in several processes, and what is gone is removed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

from converter.catalog.prepare import code_state
from converter.catalog.site.data import data_files
from converter.catalog.site.environment import environment
from converter.catalog.site.overview_pages import OVERVIEWS, overview_pages
from converter.catalog.site.pages import Catalog, Page
from converter.catalog.site.rule_pages import rule_pages
from converter.catalog.site.shared_pages import fields_of_rules, has_rare_page, shared_pages
from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.platforms.base import File
from converter.platforms.output import write_files
from converter.platforms.processes import spread

MANIFEST: Final = ".catalog"
"""The file in a site that says which files are the catalog's and what each was made from."""

_CHUNK: Final = 64
_AHEAD: Final = 4
"""Chunks that wait for each process: enough to keep it busy, few enough to fit in memory."""

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder().decode


class Manifest(msgspec.Struct, frozen=True):
    """What a site was made from as a whole, and per file: the digest of its input and its size in bytes."""

    inputs: str = ""
    files: dict[str, tuple[str, int]] = {}


class Built(msgspec.Struct, frozen=True):
    """What a build did: how many files the site has, and how many of them were written and removed."""

    files: int
    written: int = 0
    removed: int = 0


def read_manifest(folder: Path) -> Manifest:
    """What is known of the site in a folder; nothing for an empty or missing one.

    Raises RuleError for a folder with other things in it, so that nobody's files are mixed up with a site.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        pass
    except OSError as error:
        raise RuleError(f"{folder}: cannot be written into: {error.strerror}") from error
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise RuleError(f"{folder}: is not empty and holds no catalog; name another folder")
    return Manifest()


def is_current(folder: Path, manifest: Manifest, inputs: str) -> bool:
    """Whether the site was made from these inputs and all its files are still there in full."""
    return manifest.inputs == inputs and all(
        _size(folder / place) == size for place, (_, size) in manifest.files.items()
    )


def page_count(catalog: Catalog) -> int:
    """How many pages the site will have."""
    fields = fields_of_rules(catalog)
    logsources = {name for record in catalog.records for name in record.logsources}
    counted = (
        catalog.records,
        fields,
        [name for name in fields if has_rare_page(catalog, name)],
        catalog.shared,
        catalog.table.techniques,
        logsources,
        catalog.false_positive_pages,
        OVERVIEWS,
    )
    return sum(map(len, counted))


def write_site(
    catalog: Catalog,
    packs: Mapping[str, Pack],
    folder: Path,
    *,
    inputs: str = "",
    extra: Iterable[File] = (),
    tables: Iterable[tuple[str, bytes]] = (),
    jobs: int = 1,
    advance: Callable[[int], None] | None = None,
) -> Built:
    """Write every page and file. ``inputs``: the digest of all there is, for :func:`is_current`; ``extra``
    and ``tables``: further files of the site, texts and others (name, content). ``advance`` is told how many
    more pages are done, again and again.
    """
    writer = _Writer(folder, read_manifest(folder))
    writer.begin()
    for file in itertools.chain(data_files(catalog), _assets(), extra):
        writer.file(file)
    for name, content in tables:
        writer.table(name, content)
    pages = itertools.chain(overview_pages(catalog), rule_pages(catalog), shared_pages(catalog, packs))
    writer.pages(pages, jobs, advance or (lambda count: None))
    return writer.finished(inputs)


class _Job(msgspec.Struct, frozen=True):
    """A page to render and write, with its encoded data and the digest of all that it depends on."""

    place: str
    template: str
    data: bytes
    digest: str


class _Writer:
    """Writes files into a site and keeps its manifest. ``_before``: the files that are there in full."""

    def __init__(self, folder: Path, before: Manifest) -> None:
        self._folder = folder
        self._before = {p: known for p, known in before.files.items() if _size(folder / p) == known[1]}
        self._owned = before.files
        self._files: dict[str, tuple[str, int]] = {}
        self._written = 0

    def begin(self) -> None:
        """Until the site is finished its manifest vouches for no content, only for whose the files are."""
        self._write_manifest(Manifest("", {place: ("", size) for place, (_, size) in self._owned.items()}))

    def file(self, file: File) -> None:
        """Write a text."""
        data = file.text.encode("utf-8", "replace")
        write_files(self._folder, [File(file.path, data.decode())])
        self._note(file.path, hashlib.blake2b(data, digest_size=16).hexdigest(), len(data))

    def table(self, name: str, content: bytes) -> None:
        """Write a file that is no text."""
        write_table(self._folder, name, content)
        self._note(name, hashlib.blake2b(content, digest_size=16).hexdigest(), len(content))

    def pages(self, pages: Iterable[Page], jobs: int, advance: Callable[[int], None]) -> None:
        """Render and write the pages that are not there yet as they should be."""
        changed = self._changed(pages, code_state(), advance)
        chunks = iter(lambda: list(itertools.islice(changed, _CHUNK)), [])
        for done in spread(partial, (_render, str(self._folder)), chunks, jobs, _AHEAD):
            for place, digest, size in done:
                self._note(place, digest, size)
            advance(len(done))

    def finished(self, inputs: str) -> Built:
        """Remove what belongs to the site no longer, and write the manifest."""
        gone = [place for place in self._owned if place not in self._files]
        for place in gone:
            (self._folder / place).unlink(missing_ok=True)
        self._write_manifest(Manifest(inputs, dict(sorted(self._files.items()))))
        return Built(files=len(self._files), written=self._written, removed=len(gone))

    def _write_manifest(self, manifest: Manifest) -> None:
        write_files(self._folder, [File(MANIFEST, msgspec.json.encode(manifest).decode())])

    def _changed(self, pages: Iterable[Page], state: bytes, advance: Callable[[int], None]) -> Iterator[_Job]:
        for page in pages:
            data = _ENCODE(page.data)
            digest = hashlib.blake2b(state, digest_size=16)
            digest.update(page.template.encode())
            digest.update(data)
            known = self._before.get(page.place)
            if known is not None and known[0] == digest.hexdigest():
                self._note(page.place, *known)
                advance(1)
            else:
                yield _Job(page.place, page.template, data, digest.hexdigest())

    def _note(self, place: str, digest: str, size: int) -> None:
        if place in self._files:
            raise RuleError(f"two pages would be written to {place}")
        self._files[place] = (digest, size)
        self._written += self._before.get(place) != (digest, size)


def write_table(folder: Path, name: str, content: bytes) -> None:
    """Write a file that is no text into a folder, whole or not at all."""
    temporary = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(folder / name)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RuleError(f"cannot write {folder / name}: {error.strerror}") from error


def _render(folder: str, jobs: list[_Job]) -> list[tuple[str, str, int]]:
    """Render and write some pages; gives place, digest and size of each."""
    done: list[tuple[str, str, int]] = []
    texts: list[File] = []
    for job in jobs:
        template = environment().get_template(job.template)
        text = template.render(_DECODE(job.data), root="../" * job.place.count("/"), place=job.place)
        texts.append(File(job.place, text))
        done.append((job.place, job.digest, len(text.encode())))
    write_files(Path(folder), texts)
    return done


def _assets() -> Iterator[File]:
    """Style, scripts and what they lean on, as they lie in the package."""

    def walk(folder: Traversable, prefix: str) -> Iterator[File]:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                yield from walk(entry, f"{prefix}{entry.name}/")
            else:
                yield File(f"{prefix}{entry.name}", entry.read_text(encoding="utf-8"))

    return walk(files("converter.catalog").joinpath("assets"), "assets/")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
