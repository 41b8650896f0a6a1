"""Data models, what ``event.udm`` asks: as YAML with Python beside it, and as classes.

Panther documentation, "Data Models": ``LogTypes``, and ``Mappings`` from a ``Name`` to a ``Path`` or to a
``Method`` of the file. In class form (pypanther) ``log_types``, and ``mappings`` made of ``FieldMapping``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from converter.platforms.panther.importing.documents import file_text, is_yaml, specifications
from converter.platforms.panther.importing.python import (
    DataModel,
    Made,
    Modules,
    PythonSource,
    class_attributes,
)
from converter.platforms.panther.syntax import syntax_tree


@lru_cache(maxsize=16)
def data_models(
    files: tuple[tuple[str, tuple[int, int]], ...], modules_of: Callable[[str], Modules]
) -> Mapping[str, DataModel]:
    """The data models of some files by log type, the first of a log type. ``files``: paths, each with what
    changes when it does; ``modules_of``: from a file to where its imports lead.
    """
    found: dict[str, DataModel] = {}
    for file, _ in files:
        text = file_text(Path(file))
        if text is None:
            continue
        models = _of_yaml(Path(file), text) if is_yaml(file) else _of_classes(file, text, modules_of(file))
        for log_types, model in models:
            for log_type in log_types:
                found.setdefault(log_type, model)
    return found


def _of_yaml(path: Path, text: str) -> Iterator[tuple[list[str], DataModel]]:
    for document in specifications(str(path), text)[0]:
        data = document.data
        if document.kind != "datamodel" or data.get("Enabled") is False:
            continue
        mappings = [one for one in data.get("Mappings") or () if isinstance(one, dict)]
        name = data.get("Filename")
        beside = file_text(path.parent / name) if isinstance(name, str) and Path(name).name == name else None
        source = None if beside is None else PythonSource(file=str(path.parent / str(name)), text=beside)
        yield _texts(data.get("LogTypes")), _data_model(mappings, ("Name", "Path", "Method"), source)


def _of_classes(file: str, text: str, modules: Modules) -> Iterator[tuple[list[str], DataModel]]:
    try:
        names = [node.name for node in syntax_tree(text).body if isinstance(node, ast.ClassDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for name in names:
        source = PythonSource(file=file, text=text, class_name=name)
        found = {key: attribute.value for key, attribute in class_attributes(source, modules).items()}
        mappings = found.get("mappings")
        if isinstance(mappings, list) and found.get("enabled") is not False:
            made = [one.named for one in mappings if isinstance(one, Made)]
            yield _texts(found.get("log_types")), _data_model(made, ("name", "path", "method"), source)


def _data_model(
    mappings: Sequence[Mapping[str, Any]], keys: tuple[str, str, str], source: PythonSource | None
) -> DataModel:
    name, path, method = keys
    named = [one for one in mappings if isinstance(one.get(name), str)]
    return DataModel(
        paths={one[name]: one[path] for one in named if isinstance(one.get(path), str)},
        methods={one[name]: one[method] for one in named if isinstance(one.get(method), str)},
        source=source,
    )


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
