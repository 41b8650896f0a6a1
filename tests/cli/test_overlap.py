"""``convert overlap``: across formats, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Convert

SIGMA = """
title: Anonymous again
id: 0d5f7b7e-0000-4000-8000-000000000007
status: test
logsource: {product: kubernetes, service: audit}
detection:
  selection: {verb: list, user.username: "system:anonymous", userAgent|contains: curl}
  condition: selection
"""


def test_rules_of_one_format(convert: Convert, rules: Path) -> None:
    result = convert("overlap")
    assert result.code == 0
    assert "Anonymous list  canonical  Anonymous list again  canonical  proved" in result.out
    assert "2 rules: 1 match the same as another, 0 imply another, 0 can never match" in result.out


def test_rules_of_several_formats(convert: Convert, rules: Path) -> None:
    (rules.parent / "sigma").mkdir()
    (rules.parent / "sigma" / "a.yml").write_text(SIGMA)
    (rules / "2.yaml").write_text(
        (rules / "2.yaml").read_text().replace("is: list}", "is: list, ignore_case: true}")
    )
    (rules / "2.yaml").write_text(
        (rules / "2.yaml")
        .read_text()
        .replace('"system:anonymous"}\n', '"system:anonymous", ignore_case: true}\n')
    )
    result = convert("overlap", "--from", "sigma", "sigma", "--json", "canonical_rules")
    assert result.code == 0
    told = {
        (relation["first"]["title"], relation["relation"], relation["second"]["title"], relation["proved"])
        for relation in json.loads(result.out)["relations"]
    }
    assert told == {
        ("Anonymous list", "implies", "Anonymous list again", True),
        ("Anonymous again", "implies", "Anonymous list again", True),
    }
