"""Macros and lookups beside detections: in folders next to them, above them, or named by the user."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from converter.model.addresses import CLASSES
from converter.platforms.splunk.importing.documents import yaml_mapping
from converter.platforms.splunk.importing.lookups import Lookups
from converter.platforms.splunk.spl.addresses import class_macro, has_macro
from converter.platforms.splunk.spl.pipeline import MacroText

_HIGHEST: Final = 6
"""How many folders above a detection are looked at."""

BUILT_IN: Final[Mapping[str, MacroText]] = {
    **{
        name: MacroText(definition, arguments)
        for name, definition, arguments in map(class_macro, filter(has_macro, CLASSES))
    },
    "drop_dm_object_name": MacroText("rename $name$.* as *", ("name",)),
    "security_content_ctime": MacroText('convert timeformat="%Y-%m-%dT%H:%M:%S" ctime($field$)', ("field",)),
    "security_content_summariesonly": MacroText(
        'summariesonly=false allow_old_summaries=true fillnull_value="null"'
    ),
    "summariesonly": MacroText("summariesonly=false allow_old_summaries=true"),
    "ctime": MacroText('convert timeformat="%m/%d/%Y %H:%M:%S" ctime($field$)', ("field",)),
}
"""Macros of Enterprise Security, of ESCU and of this project's writer that
detections call, where no file defines them."""


def folders_of(file: str, beside: Iterable[Path], kind: str) -> tuple[Path, ...]:
    """Folders named ``kind`` (``macros``, ``lookups``) around a file and among the user's, nearest first."""
    found: list[Path] = []
    for folder in (*_above(str(Path(file).parent)), *beside):
        if folder.name == kind:
            found.append(folder)
        found.append(folder / kind)
    return tuple(one for one in dict.fromkeys(found) if _is_folder(str(one)))


@lru_cache(maxsize=1024)
def _above(folder: str) -> tuple[Path, ...]:
    try:
        start = Path(folder).resolve()
    except (OSError, ValueError, RuntimeError):
        return ()
    return (start, *start.parents)[:_HIGHEST]


@lru_cache(maxsize=4096)
def _is_folder(folder: str) -> bool:
    try:
        return Path(folder).is_dir()
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=64)
def lookups_in(folders: tuple[Path, ...]) -> Lookups:
    """The lookups of these folders."""
    return Lookups(folders)


@lru_cache(maxsize=64)
def macros_in(folders: tuple[Path, ...], beside: tuple[Path, ...] = ()) -> Mapping[str, MacroText]:
    """The macros of these folders and of ``macros.conf`` files beside; the nearest definition counts.

    Those whose text eval computes (macros.conf.spec: iseval) are left out: nothing is executed.
    """
    found: dict[str, MacroText] = {}
    for folder in folders:
        for path in _files(folder, "*.yml"):
            name, macro = _macro(path)
            if macro is not None:
                _define(found, name, macro)
    for folder in (*folders, *beside):
        for path in (folder / "macros.conf", folder / "default" / "macros.conf"):
            for name, macro in _conf(path).items():
                _define(found, name, macro)
    return {**BUILT_IN, **found}


def _define(found: dict[str, MacroText], name: str, macro: MacroText) -> None:
    """A macro under its name, and under ``name(n)`` where there is one of each number of arguments."""
    found.setdefault(name, macro)
    found.setdefault(re.sub(r"\(\d+\)$", "", name), macro)


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _macro(path: Path) -> tuple[str, MacroText | None]:
    data = yaml_mapping(path)
    if "name" not in data or data.get("definition") is None:
        return "", None
    arguments = data.get("arguments")
    names = tuple(map(str, arguments)) if isinstance(arguments, list) else ()
    return str(data["name"]), MacroText(str(data["definition"]), names)


def _conf(path: Path) -> dict[str, MacroText]:
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return {}
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(re.sub(r"\\\r?\n", "\n ", text))
    except configparser.Error:
        return {}
    found = {}
    for stanza in parser.sections():
        definition = parser.get(stanza, "definition", fallback=None)
        if definition is not None:
            arguments = tuple(filter(None, re.split(r"[\s,]+", parser.get(stanza, "args", fallback=""))))
            if parser.get(stanza, "iseval", fallback="0").lower() not in ("1", "true"):
                found[stanza] = MacroText(definition, arguments)
    return found
