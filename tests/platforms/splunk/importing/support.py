"""Log sources to read with: all of them, or none but ``raw``, so that stored names stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from converter.logsources import load_packs
from converter.logsources.pack import Pack

FOLDER = Path(__file__).parent


@cache
def packs() -> Mapping[str, Pack]:
    """The built-in log sources."""
    return load_packs()


BARE_PACKS: Mapping[str, Pack] = {"raw": packs()["raw"]}
