"""The logic of a rule as it was written: the query, the code, or the lines of the file that it stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.catalog.original import LARGEST_TEXT, original
from converter.catalog.sources import Origin, canonical, imported
from converter.model.load import load_rules
from converter.platforms.collection import Reading

SIGMA = """\
title: One
logsource: {product: windows, category: process_creation}
# what is looked for
detection:
    # the program
    a: {Image: x}

    condition: a
falsepositives:
- detection: none
level: low
"""
ELASTIC = """\
[rule]
name = "One"
type = "%s"
%s
query = '''
process where process.name == "x" // a comment
'''
"""
PANTHER = """\
AnalysisType: rule
RuleID: One
Filename: one.py
Detection:
- {Key: a, Condition: Equals, Value: b}
Tags: [x]
"""


def logic(platform: str, folder: Path, files: dict[str, str]) -> list[tuple[str, str]]:
    """What is shown of each rule of these files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    found = imported([Origin(reading=Reading(platform=platform), paths=(folder,))])
    return [original(one.read, one.written) for one in found]


def test_sigma_the_lines_of_log_source_and_detection(tmp_path: Path) -> None:
    ((text, language),) = logic("sigma", tmp_path, {"a.yml": SIGMA})
    assert language == "yaml"
    assert text.splitlines() == SIGMA.splitlines()[1:8]


def test_a_file_of_several_rules_is_not_cut_up(tmp_path: Path) -> None:
    found = logic("sigma", tmp_path, {"a.yml": f"---\n{SIGMA}---\n{SIGMA.replace('One', 'Two')}"})
    assert [text for text, _ in found] == ["", ""]
    found = logic("sigma", tmp_path, {"a.yml": f"---\n{SIGMA}"})
    assert len(found[0][0].splitlines()) == 7


@pytest.mark.parametrize(
    ("kind", "line", "language"),
    [("eql", 'language = "eql"', "eql"), ("query", "", "kuery"), ("query", 'language = "lucene"', "lucene")],
)
def test_elastic_the_query(tmp_path: Path, kind: str, line: str, language: str) -> None:
    (found,) = logic("elastic", tmp_path, {"a.toml": ELASTIC % (kind, line)})
    assert found == ('process where process.name == "x" // a comment\n', language)


def test_panther_the_python_before_the_yaml(tmp_path: Path) -> None:
    code = "def rule(event):\n    return event.get('a') == 'b'\n"
    ((text, language),) = logic("panther", tmp_path, {"one.yml": PANTHER})
    assert (text, language) == ("Detection:\n- {Key: a, Condition: Equals, Value: b}", "yaml")
    ((text, language),) = logic("panther", tmp_path, {"one.yml": PANTHER, "one.py": code})
    assert (text, language) == (code, "python")


def test_canonical_the_conditions_of_this_rule(tmp_path: Path) -> None:
    rule = """\
id: 0d5f7b7e-0000-4000-8000-0000000003%02d
title: Rule %d
logsource: kubernetes.audit
# why
indicators:
  - {field: verb, is: v%d}
tests: []
"""
    file = tmp_path / "rules.yaml"
    file.write_text(rule % (1, 1, 1))
    ((text, _),) = (original(one.read, one.written) for one in canonical(load_rules([file])))
    assert text.splitlines() == (rule % (1, 1, 1)).splitlines()[2:6]
    file.write_text("---\n".join(rule % (number, number, number) for number in (1, 2)))
    first, second = (original(one.read, one.written)[0] for one in canonical(load_rules([file])))
    assert "v1" in first
    assert "v2" in second
    assert "v2" not in first


def test_a_query_beyond_all_measure_is_not_shown(tmp_path: Path) -> None:
    rule = f"name: Long\nsearch: index=x {'y' * LARGEST_TEXT}\n"
    assert logic("splunk", tmp_path, {"a.yml": rule}) == [("", "")]
