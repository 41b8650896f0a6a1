"""docs/rule-format.md: every example on it is valid, and nothing is missing from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from converter.model import addresses, tables
from converter.model.load import expression_from_data, load_text
from converter.model.yaml_in import read_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "rule-format.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
RULE = {
    "id": "id: 11111111-1111-4111-8111-111111111111\n",
    "title": "title: t\n",
    "logsource": "logsource: raw\n",
    "indicators": "indicators: [{field: a, is: b}]\n",
}


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n")[0] for block in BLOCKS])
def test_every_example_is_valid(block: str) -> None:
    documents, problems = read_yaml(block)
    assert problems == []
    data: Any = documents[0].data
    if isinstance(data, list):
        expression_from_data(data)
        return
    beside = {"indicators", "logsource"} if "sequence" in data else set()
    missing = [text for key, text in RULE.items() if key not in data and key not in beside]
    load_text("".join(missing) + block)


def test_the_conditions_of_the_operator_table_are_valid() -> None:
    rows = re.findall(r"`(\{(?:field|concat): .*?\})` \|$", PAGE, re.MULTILINE)
    documents, problems = read_yaml("".join(f"- {row}\n" for row in rows))
    assert problems == []
    assert len(rows) >= len(tables.OPERANDS) - 3
    expression_from_data(documents[0].data)


NAMES = sorted(
    {
        *(key.name for key in tables.RULE_KEYS),
        *(key.name for _, keys in tables.OBJECTS.values() for key in keys),
        *tables.TEST_KEYS,
        *tables.PREDICATE_KEYS,
        *tables.COMBINATORS,
        *tables.MEASURE_KEYS,
        tables.TIMES_KEY,
        *tables.PLAIN_FUNCTIONS,
        *addresses.CLASSES,
        tables.ALLOW_LOSS,
        tables.WHERE_KEY,
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", PAGE)


@pytest.mark.parametrize("name", sorted(tables.OPERANDS))
def test_every_operator_is_used_in_an_example(name: str) -> None:
    assert any(re.search(rf"[{{,] ?{name}: ", block) for block in BLOCKS)
