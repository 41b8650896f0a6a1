"""What the tests of log sources share: case files and packs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsources import built_in_names, load_packs
from converter.logsources.pack import Pack

CASES = Path(__file__).parent / "cases"
BUILT_IN = built_in_names()


def cases(name: str) -> list[Any]:
    """The cases of a file, each a test parameter named by its ``name``."""
    return [
        pytest.param(case, id=case["name"])
        for case in yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    ]


@cache
def all_packs() -> dict[str, Pack]:
    """The built-in packs and the team's own of cases/packs."""
    return dict(load_packs([CASES / "packs"]))


def _with_own_fields() -> tuple[str, ...]:
    """The packs whose field tables differ from one another and hold more than a few names."""
    packs, seen = load_packs(), set()
    names = []
    for name in BUILT_IN:
        table = id(packs[name].fields)
        if table not in seen and (len(packs[name].fields) > 12 or name == "raw"):
            names.append(name)
        seen.add(table)
    return tuple(names)


WITH_OWN_FIELDS = _with_own_fields()
