"""What lies beside a detection: its Python, the modules that it imports, data models, and other rules.

Panther documentation, "Global Helper Functions", "Data Models" and "CLI workflow": helpers lie in a folder of
their own (``global_helpers``), data models in ``data_models``, a rule's Python next to its YAML.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

from converter.platforms.panther.importing.documents import (
    FILENAME,
    Document,
    file_text,
    is_yaml,
    specifications,
)
from converter.platforms.panther.importing.models import data_models
from converter.platforms.panther.importing.python import DataModel, PythonSource

_HIGHEST: Final = 6
"""How many folders above a detection are looked at."""

_DEEPEST: Final = 4
_MOST_FOLDERS: Final = 4_000
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_HELPERS: Final = "global_helpers"
_MODELS: Final = "data_models"
_MODULE: Final = re.compile(r"(\.*)((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*)?")
_OWN_ID: Final = re.compile(r"""^RuleID\s*:\s*["']?([^"'#\n]+)""", re.MULTILINE)
_FOLDERS_OF_RULES: Final = frozenset({"rules", "correlation_rules", "scheduled_rules", "simple_rules"})

Root: TypeAlias = tuple[Path, str | None]
"""A folder with modules, and the one package in it that may be taken (None: any)."""


class Surroundings:
    """What can be found from one file (see :class:`converter.platforms.panther.importing.python.Modules`).

    ``beside``: the folders that the user names. A file that is no real path has none of its own.
    """

    def __init__(self, file: str, beside: Iterable[Path] = ()) -> None:
        self._file = Path(file)
        self._beside = tuple(beside)

    def python(self, name: str) -> PythonSource | None:
        """The Python file that a specification names, next to it or in a folder that the user names."""
        if not name or Path(name).name != name:
            return None
        for folder in (self._file.parent, *self._beside):
            text = file_text(folder / name)
            if text is not None:
                return PythonSource(file=str(folder / name), text=text)
        return None

    def find(self, module: str, importer: PythonSource) -> PythonSource | None:
        """A module beside the importer, in the user's folders, or in a package or helpers folder above."""
        named = _MODULE.fullmatch(module)
        if named is None:
            return None
        here = Path(importer.file).parent
        parts = named[2].split(".") if named[2] else []
        if named[1]:
            roots: Iterable[Root] = [(_up(here, len(named[1]) - 1), None)]
        else:
            roots = _roots_of(str(here), self._beside)
        for root, only in roots:
            if parts and (only not in (None, parts[0]) or not _holds(str(root), parts[0])):
                continue
            for path in ((root.joinpath(*parts[:-1], f"{parts[-1]}.py"),) if parts else ()) + (
                root.joinpath(*parts, "__init__.py"),
            ):
                text = _module_text(str(path))
                if text is not None:
                    return PythonSource(file=str(path), text=text)
        return None

    def data_model(self, log_types: Sequence[str]) -> DataModel | None:
        """The data model of the first of these log types that has one."""
        for folder in self._model_folders():
            models = data_models(tuple((str(one), stamp(one)) for one in _model_files(folder)), Surroundings)
            for log_type in log_types:
                if log_type in models:
                    return models[log_type]
        return None

    def has_data_models(self) -> bool:
        """Whether there is a file with data models around the file or in the user's folders."""
        return any(self.model_files())

    def specification(self, rule_id: str) -> Document | None:
        """The analysis item of this id among the files around and below the user's folders."""
        for path in self.rules().get(rule_id, ()):
            text = file_text(Path(path))
            for document in specifications(path, text)[0] if text is not None else ():
                if document.data.get("RuleID") == rule_id:
                    return document
        return None

    def naming(self, python: str) -> Document | None:
        """The specification next to a Python file that names it."""
        name = Path(python).name
        for path in _listed(self._file.parent):
            text = file_text(path) if is_yaml(path.name) else None
            if text is not None and name in FILENAME.findall(text):
                for document in specifications(str(path), text)[0]:
                    if document.data.get("Filename") == name:
                        return document
        return None

    def model_files(self) -> Iterator[Path]:
        """The files of every folder with data models around the file and in the user's folders."""
        for folder in self._model_folders():
            yield from _model_files(folder)

    def rules(self) -> Mapping[str, tuple[str, ...]]:
        """The files that hold a rule of an id, the nearest first."""
        found: dict[str, tuple[str, ...]] = {}
        for folder in (*self._roots(), *self._beside):
            folders = tuple(_folders_below(folder))
            for rule_id, paths in _index(tuple((str(one), stamp(one)) for one in folders)).items():
                found[rule_id] = (*found.get(rule_id, ()), *paths)
        return found

    # -- folders

    def _model_folders(self) -> Iterator[Path]:
        for folder in (*self._beside, *_above(str(self._file.parent))):
            if folder.name == _MODELS:
                yield folder
            if (folder / _MODELS).is_dir():
                yield folder / _MODELS

    def _roots(self) -> Iterator[Path]:
        """The folder of the file, the one around it, and the one that holds all of a repository's rules."""
        if not self._file.is_file():
            return
        here = self._file.resolve().parent
        around = [folder.parent for folder in (here, *here.parents)[:3] if folder.name in _FOLDERS_OF_RULES]
        for folder in dict.fromkeys((here, here.parent, *around)):
            if folder not in (Path(here.anchor), Path.home()):
                yield folder


@lru_cache(maxsize=1024)
def _roots_of(here: str, beside: tuple[Path, ...]) -> tuple[Root, ...]:
    """The folders in which a module that a file in ``here`` imports may lie, the first that counts first."""
    above = _above(here)
    around = [(folder, _package_below(folder, above[0])) for folder in _with_helpers(above)]
    return ((Path(here), None), *((folder, None) for folder in _with_helpers(beside)), *around)


def _package_below(folder: Path, here: Path) -> str | None:
    """Of the packages installed in a folder, only the file's own is the user's."""
    return here.relative_to(folder).parts[0] if folder.name in _INSTALLED and here != folder else None


def _with_helpers(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield folder
        yield folder / _HELPERS


def _model_files(folder: Path) -> list[Path]:
    """The YAML and Python files of a folder with data models and of those right below it."""
    below = [path for path in _listed(folder) if path.is_dir() and not path.name.startswith((".", "_"))]
    files = [path for one in (folder, *below) for path in _listed(one)]
    return [path for path in files if is_yaml(path.name) or path.suffix == ".py"]


def _up(folder: Path, levels: int) -> Path:
    for _ in range(min(levels, 64)):
        folder = folder.parent
    return folder


@lru_cache(maxsize=1024)
def _above(folder: str) -> tuple[Path, ...]:
    try:
        start = Path(folder).resolve()
    except (OSError, ValueError, RuntimeError):
        return ()
    return (start, *start.parents)[:_HIGHEST]


def _holds(folder: str, name: str) -> bool:
    """Whether a folder may hold a module or a package of this name. Most folders around a rule hold none of
    what it imports, and asking their lists is many times faster than asking for each file.
    """
    try:
        names = _names(folder, os.stat(folder).st_mtime_ns)
    except (OSError, ValueError):
        return False
    return name in names or f"{name}.py" in names


@lru_cache(maxsize=4096)
def _names(folder: str, _stamp: int) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except (OSError, ValueError):
        return frozenset()


def _module_text(path: str) -> str | None:
    found = stamp(path)
    return _stamped_text(path, found) if any(found) else None


@lru_cache(maxsize=256)
def _stamped_text(path: str, _stamp: tuple[int, int]) -> str | None:
    return file_text(Path(path))


def stamp(path: Path | str) -> tuple[int, int]:
    """What changes when a file or folder does: its time and its size; zeros where there is none."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return 0, 0
    return state.st_mtime_ns, state.st_size


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):
        return []


def _folders_below(folder: Path) -> Iterator[Path]:
    """The folder and those below it, not deeper or more than a repository of rules has."""
    waiting, seen = [(folder, 0)], 0
    while waiting and seen < _MOST_FOLDERS:
        one, depth = waiting.pop(0)
        seen += 1
        yield one
        if depth < _DEEPEST:
            waiting += [
                (path, depth + 1) for path in _listed(one) if path.is_dir() and not path.name.startswith(".")
            ]


@lru_cache(maxsize=16)
def _index(folders: tuple[tuple[str, tuple[int, int]], ...]) -> Mapping[str, tuple[str, ...]]:
    """The specifications in folders by the ids of the rules that they hold."""
    found: dict[str, tuple[str, ...]] = {}
    for folder, _ in folders:
        for path in _listed(Path(folder)):
            text = file_text(path) if is_yaml(path.name) else None
            own = None if text is None else _OWN_ID.search(text)
            if own is not None:
                rule_id = own[1].strip()
                found[rule_id] = (*found.get(rule_id, ()), str(path))
    return found
