"""Which files a reading looks into: what a cache compares before it gives an earlier reading again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from converter.platforms.base import Source
from converter.platforms.panther.importing.beside import Surroundings, stamp
from converter.platforms.panther.importing.documents import FILENAME, file_text, is_class_form, is_yaml
from converter.platforms.panther.importing.python import PythonSource, passed_on

Names: TypeAlias = frozenset[str] | None
"""What is asked of a module: some of its names; None: anything in it."""

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)
_COMMENT: Final = re.compile(r"#[^\n]*")
_REFERENCE: Final = re.compile(r"""\b(?:RuleID|BaseDetection)["']?\s*:\s*["']?([^"'#,}\n]+)""")
_REFERRING: Final = ("Detection:", "BaseDetection")
_ASKS_MODELS: Final = "udm"
"""Only a detection with this word in its Python looks into a data model."""


class _Leads(msgspec.Struct, frozen=True):
    """Where a file leads: the files that it names, each with what of it is asked."""

    files: tuple[tuple[str, Names], ...] = ()
    asks_models: bool = False


def leaning(source: Source, beside: Iterable[Path]) -> tuple[Path, ...]:
    """The files that reading a text looks into, each once, sorted. Some may be too many, none is missing."""
    folders = tuple(beside)
    around = Surroundings(source.file, folders)
    own = _of_text(source.file, source.text, None, folders)
    named = None if is_yaml(source.file) or is_class_form(source.text) else around.naming(source.file)
    reached = _reached([*own.files, *([] if named is None else [(named.file, None)])], folders)
    if own.asks_models or any(leads.asks_models for leads in reached.values()):
        reached |= _reached([(str(file), None) for file in around.model_files()], folders)
    return tuple(sorted({path for file, _ in reached if (path := Path(file)).is_file()}))


def _reached(waiting: list[tuple[str, Names]], folders: tuple[Path, ...]) -> dict[tuple[str, Names], _Leads]:
    """Everything that is reached from some files, themselves included, with where it leads."""
    found: dict[tuple[str, Names], _Leads] = {}
    while waiting:
        file, names = waiting.pop()
        if (file, names) not in found and (file, None) not in found:
            leads = _of_file if is_yaml(file) else _remembered
            found[file, names] = leads(file, stamp(file), names, folders)
            waiting += found[file, names].files
    return found


def _of_file(file: str, _stamp: tuple[int, int], names: Names, folders: tuple[Path, ...]) -> _Leads:
    text = file_text(Path(file))
    return _Leads() if text is None else _of_text(file, text, names, folders)


_remembered: Final = lru_cache(maxsize=4096)(_of_file)
"""Most rules of a collection ask for the same Python."""


def _of_text(file: str, text: str, names: Names, folders: tuple[Path, ...]) -> _Leads:
    if is_yaml(file):
        return _Leads(tuple((named, None) for named in _named(file, text, folders)))
    around = Surroundings(file, folders)
    importer = PythonSource(file=file, text=text)
    leads = tuple(_found(around, importer, names))
    return _Leads(leads, _ASKS_MODELS in text)


def _named(file: str, text: str, folders: tuple[Path, ...]) -> Iterator[str]:
    """The Python that a specification names, and the rules that it is made of."""
    for name in FILENAME.findall(text):
        yield from (str(folder / name) for folder in (Path(file).parent, *folders))
    if any(word in text for word in _REFERRING):
        rules = Surroundings(file, folders).rules()
        for rule_id in _REFERENCE.findall(text):
            yield from rules.get(rule_id.strip(), ())


def _found(around: Surroundings, importer: PythonSource, names: Names) -> Iterator[tuple[str, Names]]:
    """The modules that lie beside the importer among those that it imports."""
    for module, members in _imports(importer, names):
        found = around.find(module, importer)
        if found is not None:
            yield found.file, members
        package = module if module.endswith(".") else f"{module}."
        for member in members or ():
            inner = around.find(f"{package}{member}", importer)
            if inner is not None:
                yield inner.file, None


def _imports(importer: PythonSource, names: Names) -> Iterator[tuple[str, Names]]:
    """The modules that a text imports, each with the names. A package (``__init__``) that is asked for some
    names leads only where it has them from, however much else it imports.
    """
    passed = None
    if names is not None and Path(importer.file).name == "__init__.py":
        passed = passed_on(importer, names)
    if passed is not None:
        yield from ((module, None if name is None else frozenset({name})) for module, name in passed)
        return
    for module, listed, modules in _IMPORT.findall(_COMMENT.sub("", importer.text)):
        if module:
            members = frozenset(name.split()[0] for name in listed.strip("() \t").split(",") if name.split())
            yield module, members if all(map(str.isidentifier, members)) else None
        else:
            yield from ((name.split(" as ")[0].strip(), None) for name in modules.split(","))
