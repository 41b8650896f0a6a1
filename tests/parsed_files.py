"""What a rendered file holds, by the parser of its own language: its shape, and the text at every place."""

from __future__ import annotations

import ast
import configparser
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, TypeAlias

import yaml

from converter.platforms.base import File

Leaves: TypeAlias = dict[tuple[Any, ...], Any]
"""Place → what stands there: texts, numbers, names of syntax."""


def leaves(file: File) -> Leaves:
    """Everything in a file, place by place. Raises what the parser raises."""
    path = PurePosixPath(file.path)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert file.path.isprintable()
    match path.suffix:
        case ".py":
            return dict(_of_python(ast.parse(file.text), ()))
        case ".yml":
            return dict(_of_data(yaml.load(file.text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), ()))
        case ".toml":
            return dict(_of_data(tomllib.loads(file.text), ()))
        case ".conf":
            return dict(_of_data(_sections(file.text), ()))
    raise AssertionError(f"a file of an unknown kind: {file.path}")


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text.replace("\\\n", " "))
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _of_data(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for number, (key, inner) in enumerate(value.items()):
            yield (*place, number, "key"), key
            yield from _of_data(inner, (*place, number))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _of_data(inner, (*place, number))
    else:
        yield place, value


def _of_python(node: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(node, ast.AST):
        yield (*place, "node"), type(node).__name__
        for name, inner in ast.iter_fields(node):
            yield from _of_python(inner, (*place, name))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from _of_python(inner, (*place, number))
    else:
        yield place, node
