"""The Jinja environment in which the templates of all platforms are laid out.

Templates arrange text that printers have already written; they never build query text. Every value that
comes from a rule passes through a filter that escapes it for the language of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import jinja2

_PACKAGE = Path(__file__).resolve().parent.parent


_taken: list[Path] = []


def take_templates(folder: Path) -> None:
    """Lay out files with the templates of another folder; to be called before the first is loaded."""
    _taken[:] = [folder]


@cache
def templates_folder() -> Path:
    """The templates: inside the package once installed from a wheel, beside it in a source tree."""
    if _taken:
        return _taken[0]
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def environment(platform: str, filters: Mapping[str, Callable[..., str]]) -> jinja2.Environment:
    """A strict environment over ``templates/<platform>`` with that platform's escaping filters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder() / platform),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - the files are YAML, Python, TOML and conf; their own filters escape
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(filters)
    return made
