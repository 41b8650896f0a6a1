"""Finding and loading packs: the built-in ones beside this module, and a team's own.

Reading YAML is slow next to everything else that a conversion does, so a built-in pack is read when it is
first asked for, once per process. A team's packs are read at once: their mistakes must be heard of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from converter.logsources.checks import PackProblem
from converter.logsources.pack import Pack
from converter.logsources.reading import merged, pack_from_data, says_of_fields
from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.yaml_in import Locator, YamlProblem, read_yaml

_BUILT_IN = Path(__file__).resolve().parent / "packs"
_SUFFIXES = (".yaml", ".yml")


class PackLibrary(Mapping[str, Pack]):
    """Packs by name: a team's own, then the built-in ones, read when first asked for."""

    def __init__(self, own: Mapping[str, Pack]) -> None:
        self._own = dict(own)
        self._names = tuple(dict.fromkeys((*built_in_names(), *self._own)))

    def __getitem__(self, name: str) -> Pack:
        pack = self._own.get(name)
        if pack is not None:
            return pack
        if name not in _built_in_files():
            raise KeyError(name)
        return _built_in(name)

    def names_on(self, name: str, platform: str) -> Mapping[str, Any]:
        """What ``platforms.PLATFORM`` of a pack says, without building its field table."""
        pack = self._own.get(name)
        declared = _built_in_data(name).get("platforms", {}) if pack is None else pack.platforms
        return declared.get(platform) or {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def load_packs(folders: Iterable[Path] = ()) -> Mapping[str, Pack]:
    """The built-in packs and those in ``folders`` (each ``*.yaml``/``*.yml`` file directly inside is one).

    A team's pack may extend another (``extends: NAME``); one that extends a pack of its own name takes that
    pack's place. Raises RuleError with a diagnostic per file that is not a proper pack.
    """
    files = [path for folder in folders for path in _pack_files(Path(folder))]
    return PackLibrary(_TeamPacks(files).load() if files else {})


def _pack_files(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES and path.is_file()]
    except OSError as error:
        raise _error([_plain_diagnostic(folder, f"cannot read the folder: {error.strerror}")]) from error


@cache
def _built_in_files() -> Mapping[str, Path]:
    return {path.stem: path for path in sorted(_BUILT_IN.glob("*.yaml"), key=lambda path: path.stem)}


def built_in_names() -> tuple[str, ...]:
    """The names of the built-in packs, sorted. A built-in pack's file is named after it."""
    return tuple(_built_in_files())


@cache
def _built_in_file(name: str) -> dict[str, Any]:
    return _read(_built_in_files()[name])


@cache
def _built_in_data(name: str) -> dict[str, Any]:
    data = _built_in_file(name)
    base = data.get("extends")
    return merged(_built_in_data(base), data) if base else data


@cache
def _built_in(name: str) -> Pack:
    path = _built_in_files()[name]
    own = _built_in_file(name)
    like = None if says_of_fields(own) or "extends" not in own else _built_in(own["extends"])
    try:
        return pack_from_data(_built_in_data(name), like)
    except PackProblem as problem:
        raise _error([_diagnostic(problem, path)]) from problem


class _TeamPacks:
    """A team's pack files: read, resolved against one another and the built-in ones, and built."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._data: dict[str, tuple[dict[str, Any], Path]] = {}
        self._problems: list[Diagnostic] = []

    def load(self) -> dict[str, Pack]:
        """The packs by name. Raises RuleError with every file's first mistake."""
        for path in self._files:
            self._read_file(path)
        packs = {}
        for name, (data, path) in self._data.items():
            try:
                packs[name] = pack_from_data(self._resolved(data, (name,)))
            except PackProblem as problem:
                self._problems.append(_diagnostic(problem, path))
        if self._problems:
            raise _error(self._problems)
        return packs

    def _read_file(self, path: Path) -> None:
        try:
            data = _read(path)
            name = data.get("name")
            if not isinstance(name, str) or not name.strip():
                raise PackProblem((), "expected a text under 'name': the log source's name")
            if name in self._data:
                raise PackProblem(("name",), f"log source {name} is also declared in {self._data[name][1]}")
            if name in _built_in_files() and data.get("extends") != name:
                raise PackProblem(
                    ("name",),
                    f"log source {name} is built in",
                    f"write `extends: {name}` to change it, or choose another name",
                )
            self._data[name] = (data, path)
        except PackProblem as problem:
            self._problems.append(_diagnostic(problem, path))
        except RuleError as error:
            self._problems.extend(error.diagnostics)

    def _resolved(self, data: dict[str, Any], seen: tuple[str, ...]) -> Mapping[str, Any]:
        base = data.get("extends")
        if base is None:
            return data
        if base in self._data and base != data.get("name"):
            if base in seen:
                raise PackProblem(("extends",), f"packs extend one another: {' → '.join((*seen, base))}")
            return merged(self._resolved(self._data[base][0], (*seen, base)), data)
        if base in _built_in_files():
            return merged(_built_in_data(base), data)
        raise PackProblem(
            ("extends",),
            f"no log source {base!r} to extend",
            f"known: {', '.join((*built_in_names(), *self._data))}",
        )


def _read(path: Path) -> dict[str, Any]:
    """A YAML file that holds one mapping. Raises RuleError for YAML, PackProblem for another shape."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _error([_plain_diagnostic(path, f"cannot read the file: {error}")]) from error
    documents, problems = read_yaml(text)
    if problems:
        raise _error([_yaml_diagnostic(problem, path) for problem in problems])
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        raise PackProblem((), "a pack file holds one mapping")
    return documents[0].data


def _plain_diagnostic(path: Path, message: str) -> Diagnostic:
    return Diagnostic(code="unreadable", severity=Severity.ERROR, message=message, file=str(path))


def _yaml_diagnostic(problem: YamlProblem, path: Path) -> Diagnostic:
    return Diagnostic(
        code=problem.code,
        severity=Severity.ERROR,
        message=problem.message,
        hint=problem.hint,
        file=str(path),
        line=problem.line,
        column=problem.column,
    )


def _diagnostic(problem: PackProblem, path: Path) -> Diagnostic:
    line, column = Locator(path.read_text(encoding="utf-8")).position(0, problem.keys, on_key=True)
    return Diagnostic(
        code="pack",
        severity=Severity.ERROR,
        message=problem.message,
        hint=problem.hint,
        file=str(path),
        line=line,
        column=column,
    )


def _error(diagnostics: list[Diagnostic]) -> RuleError:
    return RuleError("; ".join(str(diagnostic) for diagnostic in diagnostics), diagnostics)
