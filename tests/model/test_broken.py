"""Every file of broken/ is refused, each mistake at its place and with the hint that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.load import expression_from_data, load_rules, load_text
from converter.model.yaml_in import read_yaml
from converter.model.yaml_out import write_yaml

FOLDER = Path(__file__).parent / "broken"
EXPECTED = read_yaml((FOLDER.parent / "broken_expected.yaml").read_text("utf-8"))[0][0].data
ID = "11111111-1111-4111-8111-111111111111"


def findings_of(*files: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(RuleError) as caught:
        load_rules(files)
    return caught.value.diagnostics


def brief(finding: Diagnostic) -> dict[str, object]:
    facts = {"code": finding.code, "line": finding.line, "column": finding.column, "hint": finding.hint}
    return {key: value for key, value in facts.items() if value is not None}


def test_every_broken_file_has_an_expectation() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_file_is_refused_with_every_mistake_at_its_place(name: str) -> None:
    findings = findings_of(FOLDER / name)
    assert [brief(finding) for finding in findings] == EXPECTED[name]
    assert {(finding.file, finding.severity) for finding in findings} == {
        (str(FOLDER / name), Severity.ERROR)
    }


MESSAGES = {
    "lookahead": "a negative lookahead (?!…) is outside RE2",
    "back_reference": r"the back reference \1 is outside RE2",
    "two_operators": "got 'is' and 'contains'",
    "unknown_key": "expected one of id, title,",
    "unknown_operator": "expected one of is, starts_with,",
    "technique_of_another_tactic": "(Container and Resource Discovery) does not belong to TA0040 (Impact)",
    "raw_control_character": "U+0001",
    "deep_mistake": "indicators[0].any[0].all[0].not[0].contain",
}


@pytest.mark.parametrize(("name", "says"), MESSAGES.items())
def test_a_message_says_what_is_wrong(name: str, says: str) -> None:
    [finding] = findings_of(FOLDER / f"{name}.yaml")
    assert says in finding.message
    assert finding.rule_id in (ID, None)


def test_the_findings_of_all_files_come_in_one_error() -> None:
    names = ["bad_date.yaml", "several_mistakes.yaml", "unclosed_bracket.yaml"]
    findings = findings_of(*(FOLDER / name for name in names))
    assert [Path(str(finding.file)).name for finding in findings] == [
        "bad_date.yaml",
        *["several_mistakes.yaml"] * 6,
        "unclosed_bracket.yaml",
    ]


def test_an_id_may_not_occur_in_two_files(tmp_path: Path) -> None:
    text = f"id: {ID}\ntitle: t\nlogsource: raw\nindicators: [{{field: a, is: b}}]\n"
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(text, "utf-8")
    [finding] = findings_of(tmp_path)
    assert (finding.code, finding.file) == ("duplicate-id", str(tmp_path / "two.yaml"))
    assert str(tmp_path / "one.yaml") in finding.message


def test_a_finding_prints_its_place_and_hint() -> None:
    [finding] = findings_of(FOLDER / "misspelt_operator.yaml")
    first, second = str(finding).splitlines()
    assert first.startswith(f"{FOLDER / 'misspelt_operator.yaml'}:5:16: error[unknown-operator] ")
    assert second == "  hint: did you mean 'ends_with'?"


def test_plain_data_is_checked_by_the_same_rules() -> None:
    with pytest.raises(ValueError, match=r"pack\.select") as caught:
        expression_from_data([{"field": "a", "startswith": "b"}, {"field": "a", "is": []}], "pack.select")
    assert isinstance(caught.value, RuleError)
    assert [finding.code for finding in caught.value.diagnostics] == ["unknown-operator", "empty"]


@pytest.mark.parametrize(
    "data", [None, 5, "text", {"field": float("nan")}, {5: 6}, [[]], {"all": {"all": 1}}]
)
def test_any_plain_data_is_refused_without_a_traceback(data: object) -> None:
    with pytest.raises(RuleError):
        expression_from_data(data)


@pytest.mark.parametrize("key", ["two\nlines", "\x1b[31mred", "\u202eright to left", "k" * 5_000])
def test_a_hostile_key_is_shown_on_one_short_line(key: str) -> None:
    text = write_yaml({"id": ID, "title": "t", "logsource": "raw", key: {"field": key}})
    with pytest.raises(RuleError) as caught:
        load_text(text)
    for finding in caught.value.diagnostics:
        assert str(finding.message).isprintable()
        assert len(finding.message) < 800


def test_a_document_that_is_fine_does_not_hide_one_that_is_not() -> None:
    good = f"id: {ID}\ntitle: t\nlogsource: raw\nindicators: [{{field: a, is: b}}]\n"
    with pytest.raises(RuleError) as caught:
        load_text(f"{good}---\n{good.replace(ID, 'x')}severity: bad\n")
    places = [(finding.code, finding.line) for finding in caught.value.diagnostics]
    assert places == [("bad-id", 6), ("unknown-name", 10)]
