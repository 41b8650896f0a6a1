"""Which platforms there are: everything installed under the entry-point group ``converter.platforms``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from converter.model.diagnostics import RuleError
from converter.platforms.base import Platform, Reader

GROUP = "converter.platforms"


@cache
def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def platform_names() -> tuple[str, ...]:
    """The names of all installed platforms, sorted. Nothing is imported."""
    return tuple(_found())


@cache
def siem_names() -> tuple[str, ...]:
    """The names of the platforms on which rules run, sorted: what "all" stands for."""
    return tuple(name for name in _found() if platform(name).siem)


@cache
def platform(name: str) -> Platform:
    """One platform; ``sigma:NAME`` is another one that Sigma leads to.

    Raises RuleError, naming the installed ones, for another name.
    """
    own, _, beyond = name.partition(":")
    entry = _found().get(own)
    if entry is None:
        raise RuleError(f"no platform is named {own!r}; there are: {', '.join(_found()) or 'none'}")
    found = entry.load()
    if not beyond:
        return cast(Platform, found)
    if not hasattr(found, "through"):
        raise RuleError(f"{own} leads to no other platform: write --to {own}")
    return cast(Platform, found.through(beyond))


def reader(name: str) -> Reader:
    """A platform whose own rules can be read. Raises RuleError for one that only writes, and for none."""
    found = platform(name)
    if not hasattr(found, "read"):
        raise RuleError(
            f"the rules of {name} cannot be read; those of these can: {', '.join(readable_names())}"
        )
    return cast(Reader, found)


def readable_names() -> tuple[str, ...]:
    """The names of the platforms whose own rules can be read, sorted."""
    return tuple(name for name in _found() if hasattr(platform(name), "read"))
