"""Prose of rules as blocks. Descriptions and runbooks are plain text, or Markdown of the simplest kind; lines
that were broken to fit an editor flow together again, and nothing but their arrangement is taken from it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_HEADING: Final = re.compile(r"#{1,6}\s+(.+?)\s*#*")
_ITEM: Final = re.compile(r"(?:[-*+•]|(\d{1,3})[.)])\s+(.+)")
_FENCE: Final = re.compile(r"(```|~~~).*")


class Block(msgspec.Struct):
    """A paragraph (``p``), a heading (``h``), a list (``ul``, ``ol``) or a text kept as it is (``pre``).

    ``lines``: of a list its items, of a heading and a paragraph the one text, of a text its lines.
    ``start``: the number of a numbered list's first item.
    """

    kind: str
    lines: list[str]
    start: int = 1


def blocks(text: str) -> list[Block]:
    """The text taken apart, in order; marks of lists, headings and fences go."""
    found: list[Block] = []
    fence: str | None = None
    open_block = False  # whether a line may go on the last block's text
    for line in text.splitlines():
        plain = line.strip()
        if fence is not None:
            if plain == fence:
                fence = None
            else:
                found[-1].lines.append(line)
        elif (opened := _FENCE.fullmatch(plain)) is not None:
            fence, open_block = opened[1], False
            found.append(Block("pre", []))
        elif not plain:
            open_block = False
        elif (heading := _HEADING.fullmatch(plain)) is not None:
            open_block = False
            found.append(Block("h", [heading[1]]))
        elif (item := _ITEM.fullmatch(plain)) is not None:
            kind, open_block = "ol" if item[1] else "ul", True
            if not found or found[-1].kind != kind:
                found.append(Block(kind, [], int(item[1] or 1)))
            found[-1].lines.append(item[2])
        elif open_block:
            found[-1].lines[-1] += f" {plain}"
        else:
            open_block = True
            found.append(Block("p", [plain]))
    return [block for block in found if block.lines]
