"""The rules that a catalog is made of: canonical ones, and those of platforms, from files and folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from converter.catalog.original import CANONICAL, LARGEST_TEXT
from converter.model.diagnostics import Fidelity
from converter.model.dump import dump_rule
from converter.model.rule import Rule
from converter.platforms.collection import Collected, Reading, read_files, rule_files
from converter.platforms.naming import slug

_SUFFIXES: Final = (".py", ".yml", ".yaml", ".toml")

_ENCODE = msgspec.msgpack.Encoder().encode


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where rules of one platform lie, and how they are read."""

    reading: Reading
    paths: tuple[Path, ...]


class Found(msgspec.Struct, frozen=True):
    """A rule as it was read, and the name and text of each file that holds it."""

    read: Collected
    written: tuple[tuple[str, str], ...]


def canonical(rules: Iterable[Rule]) -> Iterator[Found]:
    """Rules that were authored here, in their order."""
    texts: dict[str, tuple[tuple[str, str], ...]] = {}
    for rule in rules:
        file = rule.place.file if rule.place is not None else ""
        if file not in texts:
            texts[file] = files_of(Path(file)) if Path(file).is_file() else ()
        yield Found(_collected(rule, file), texts[file])


def imported(origins: Iterable[Origin]) -> Iterator[Found]:
    """The platforms' own rules; a file that two origins name is read once.

    Raises RuleError for a path that does not exist and for an unknown platform.
    """
    seen: set[tuple[str, Path]] = set()
    for origin in origins:
        platform = origin.reading.platform
        files = [f for f in rule_files(platform, origin.paths) if (platform, f.resolve()) not in seen]
        seen.update((platform, file.resolve()) for file in files)
        for file, reads in read_files(origin.reading, files):
            written = files_of(file) if reads else ()
            for read in reads:
                yield Found(read, written)


def files_of(file: Path) -> tuple[tuple[str, str], ...]:
    """The name and text of a rule's file, and of those beside it that bear its name (a Panther rule is YAML
    and Python).
    """
    beside = (file.with_suffix(suffix) for suffix in _SUFFIXES)
    return tuple(
        (str(one), _text(one))
        for one in (file, *(other for other in beside if other != file and other.is_file()))
    )


def _text(file: Path) -> str:
    """A file's text for showing: what is no UTF-8 becomes replacement characters."""
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        return f"(cannot be read: {error.strerror})"
    return text if len(text) <= LARGEST_TEXT else f"(not shown: a file of {len(text)} characters)"


def _collected(rule: Rule, file: str) -> Collected:
    return Collected(
        source=file,
        platform=CANONICAL,
        id=rule.id,
        title=rule.title,
        kind="",
        status=str(Fidelity.EXACT),
        fidelity=Fidelity.EXACT,
        text=dump_rule(rule),
        folder=rule.steps[0].logsource[0],
        stem=slug(rule),
        logsource=tuple(dict.fromkeys(name for step in rule.steps for name in step.logsource)),
        packed=_ENCODE(rule),
    )
