"""Log sources as macros: the one place where a Splunk app says which index and sourcetype they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from converter.logsources.pack import Pack
from converter.platforms.splunk.settings import Settings
from converter.platforms.splunk.spl.addresses import class_macro
from converter.platforms.splunk.spl.text import quoted

_NOT_WORD = re.compile(r"[^A-Za-z0-9_]+")


class SourceMacro(msgspec.Struct, frozen=True):
    """A macro that a search calls, mostly a log source's.

    ``own``: the team keeps it itself, so no file is written for it.
    """

    name: str
    definition: str
    description: str
    own: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def call(self) -> str:
        """The macro in a search."""
        return f"`{self.name}`"


def address_macro(class_name: str) -> SourceMacro:
    """The macro of an address class (see :mod:`converter.platforms.splunk.spl.addresses`)."""
    name, definition, arguments = class_macro(class_name)
    description = f"True for an IP address of the class {class_name}, by the IANA special-purpose registries."
    return SourceMacro(name, definition, description, arguments=arguments)


def source_macro(pack: Pack, settings: Settings) -> SourceMacro:
    """The macro of a log source, or the team's own in its place."""
    told = pack.platforms.get("splunk", {})
    definition = str(told.get("definition") or _definition(pack))
    name = _NOT_WORD.sub("_", str(told.get("macro") or pack.name)).lower()
    if settings.macro is not None:
        return SourceMacro(settings.macro, definition, "", own=True)
    return SourceMacro(
        name,
        definition,
        "Where the events of this log source are: set index, source and sourcetype of your environment here.",
    )


def _definition(pack: Pack) -> str:
    constants: Mapping[str, object] = pack.constants.get("splunk", {})
    told = pack.platforms.get("splunk", {})
    parts = {key: told[key] for key in ("index", "source", "sourcetype", "eventtype") if key in told}
    parts.update({key: value for key, value in constants.items() if key not in parts})
    return " ".join(f"{key}={quoted(str(value))}" for key, value in parts.items()) or "index=*"


def source_text(macros: Sequence[SourceMacro], settings: Settings) -> str:
    """The start of a base search: the events of these log sources."""
    calls = list(dict.fromkeys(macro.call for macro in macros))
    start = calls[0] if len(calls) == 1 else f"({' OR '.join(f'({call})' for call in calls)})"
    return start if settings.index is None else f"index={settings.index} {start}"
