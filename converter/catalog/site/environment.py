"""The Jinja environment of the pages. Everything that comes from a rule is text that nobody vouches for."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import jinja2

from converter.catalog.site.prose import blocks
from converter.platforms.templating import templates_folder

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]|[\U0001fffe-\U0001ffff\U0010fffe\U0010ffff]"
)
"""What HTML forbids (control characters, halves of surrogate pairs, noncharacters) and what would change the
order in which a line is read (https://www.unicode.org/reports/tr9/, explicit directional formatting)."""

_LINK: Final = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)


def visible(text: str) -> str:
    """Text with the characters spelled out that a page must not hold or that hide what it says."""
    return _UNSEEN.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)


def is_link(text: str) -> bool:
    """Whether a reference may become a link: one whole http or https address and nothing else."""
    return _LINK.fullmatch(text) is not None


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 rule``, ``1,234 rules``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def language(name: str) -> str:
    """The language of a file, by the end of its name; empty if it is none that is coloured."""
    return _LANGUAGES.get(name.rpartition(".")[2].lower(), "")


_LANGUAGES: Final = {
    "py": "python",
    "yml": "yaml",
    "yaml": "yaml",
    "toml": "toml",
    "json": "json",
    "ndjson": "json",
    "conf": "conf",
}


def _finalized(value: Any) -> Any:
    """Every value that a template prints passes here, before it is escaped; markup made by it is kept."""
    if type(value) is str and not value.isprintable():
        return visible(value)
    return value


@cache
def environment() -> jinja2.Environment:
    """A strict environment over templates/site that escapes whatever it prints."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder() / "site"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["plural"] = plural
    made.filters["blocks"] = blocks
    made.filters["language"] = language
    made.tests["link"] = is_link
    return made
