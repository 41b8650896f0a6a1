"""Input made to hurt: it is refused with a clear error, quickly, and without a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.model import tables
from converter.model.diagnostics import RuleError
from converter.model.dump import dump_rule
from converter.model.expressions import Expression, Not, Operator, Predicate
from converter.model.load import expression_from_data, load_rules, load_text
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from tests import strategies
from tests.timing import at_most

ID = "11111111-1111-4111-8111-111111111111"
HEAD = f"id: {ID}\ntitle: t\nlogsource: raw\n"
GOOD = f"{HEAD}indicators: [{{field: a, is: b}}]\n"


def codes(text: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_text(text)
    return [finding.code for finding in caught.value.diagnostics]


def alias_bomb(levels: int) -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        rows.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(rows)


def merge_bomb() -> str:
    wide = ", ".join(f"k{number}: v" for number in range(1000))
    uses = "\n".join(f"m{number}: {{<<: *w}}" for number in range(1000))
    return f"w: &w {{{wide}}}\n{uses}\n"


def nested(depth: int) -> str:
    conditions = "{not: " * depth + "{field: a, is: b}" + "}" * depth
    return f"{HEAD}indicators: [{conditions}]\n"


HOSTILE_TEXTS = {
    "alias bomb": (alias_bomb(12), "alias"),
    "alias bomb in a test": (
        GOOD + "tests:\n" + "".join(f"  {row}\n" for row in alias_bomb(12).split("\n")),
        "alias",
    ),
    "merge bomb": (merge_bomb(), "alias"),
    "one long text aliased often": (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]", "alias"),
    "lists 1,000 deep": (HEAD + "indicators: " + "[" * 1000 + "]" * 1000, "too-deep"),
    "lists 100,000 deep": ("[" * 100_000, "too-deep"),
    "mappings 100,000 deep": ("{a: " * 100_000, "too-deep"),
    "block lists 5,000 deep": ("- " * 5_000 + "x", "too-deep"),
    "conditions 1,000 deep": (nested(1000), "too-deep"),
    "conditions one too deep": (nested(tables.MAX_EXPRESSION_DEPTH), "too-deep"),
    "an event 1,000 deep": (
        GOOD + "tests: [{name: n, expect: match, event: {a: " + "[" * 1000 + "]" * 1000 + "}}]",
        "too-deep",
    ),
    "a path of 1,000 steps": (f"{HEAD}indicators: [{{field: {'.'.join('a' * 999)}, is: b}}]", "bad-field"),
    "a regex of 20,000 characters": (f"{HEAD}indicators: [{{field: a, regex: {'a' * 20_000}}}]", "too-long"),
    "a regex too large without case": (
        f"{HEAD}indicators: [{{field: a, regex: '(({'жя' * 200}){{100}}){{6}}', ignore_case: true}}]",
        "bad-regex",
    ),
    "a wildcard pattern of 20,000 characters": (
        f"{HEAD}indicators: [{{field: a, like: {'a' * 20_000}}}]",
        "too-long",
    ),
    "an endless number as text": (f"{HEAD}indicators: [{{field: a, gt: '{'9' * 5_000}'}}]", "bad-operand"),
    "an endless exponent as text": (f"{HEAD}indicators: [{{field: a, gt: '1e999'}}]", "bad-operand"),
    "an endless number": (GOOD + f"risk: {{impact: {'9' * 10_000}, confidence: 1}}", "bad-number"),
    "an endless exponent": (GOOD + "risk: {impact: 1e999999, confidence: 1}", "bad-number"),
    "NUL": (GOOD.replace("title: t", "title: \0"), "not-text"),
    "half a surrogate pair": (GOOD.replace("title: t", 'title: "\ud800"'), "not-text"),
    "an escaped surrogate": (GOOD.replace("title: t", 'title: "\\ud800"'), "yaml"),
    "a surrogate in a path": (
        HEAD + "indicators: [{field: '\"\\ud800\"', is: b}]",
        "bad-field",
    ),
    "a key that is a list": ("? [a, b]\n: c\n" + GOOD, "yaml"),
    "a key that is an alias": ("a: &a b\n*a : c\n" + GOOD, "yaml"),
    "a Python object": (GOOD + "author: !!python/object/apply:os.system [id]", "yaml"),
    "nothing": ("", "empty"),
    "only a marker": ("---\n...\n", "wrong-type"),
    "a YAML of the far future": ("%YAML 9.9\n---\n" + GOOD, "yaml"),
}


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_hostile_text_is_refused_at_once(name: str) -> None:
    text, code = HOSTILE_TEXTS[name]
    with at_most(3):
        assert code in codes(text)


def test_conditions_may_be_as_deep_as_the_limit_and_are_written_again() -> None:
    [rule] = load_text(nested(tables.MAX_EXPRESSION_DEPTH - 1))
    assert load_text(dump_rule(rule))[0].indicators == rule.indicators


def test_deep_plain_data_is_refused() -> None:
    data: object = {"field": "a", "is": "b"}
    for _ in range(100_000):
        data = {"not": data}
    with pytest.raises(RuleError, match="nest more than"):
        expression_from_data(data)


def test_a_rule_too_deep_to_load_is_not_written() -> None:
    expression: Expression = Predicate(FieldPath(("a",)), Operator.IS, ("b",))
    for _ in range(500):
        expression = Not(expression)
    deep = Rule(id=ID, title="t", logsource=("raw",), indicators=(expression,))
    with pytest.raises(RuleError, match="nest more than"):
        dump_rule(deep)


def test_thousands_of_mistakes_are_counted_not_all_listed() -> None:
    keys = "".join(f"wrong{number}: x\n" for number in range(5_000))
    found = codes(GOOD + keys)
    assert len(found) == tables.MAX_PROBLEMS_PER_FILE + 1
    assert found[-1] == "more"


def file_codes(path: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_rules([path])
    assert all(finding.file == str(path) for finding in caught.value.diagnostics)
    return [finding.code for finding in caught.value.diagnostics]


FILES = {
    "binary": (bytes(range(256)) * 10, ["not-text"]),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", ["not-text"]),
    "UTF-16": (GOOD.encode("utf-16"), ["not-text"]),
    "Latin-1": ("title: für\n".encode("latin-1"), ["not-text"]),
    "zeros": (b"\0" * 1000, ["not-text"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_text_are_refused(name: str, tmp_path: Path) -> None:
    data, expected = FILES[name]
    file = tmp_path / "rule.yaml"
    file.write_bytes(data)
    assert file_codes(file) == expected


def test_a_line_of_100_mb_is_refused_without_reading_it(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as stream:
        stream.truncate(100_000_000)
    with at_most(1):
        assert file_codes(file) == ["too-large"]


def test_a_long_text_is_refused() -> None:
    assert codes("x" * (tables.MAX_FILE_BYTES + 1)) == ["too-large"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert file_codes(tmp_path / "missing.yaml") == ["no-such-file"]


@pytest.mark.parametrize(("name", "code"), [("n" * 5_000, "unreadable"), ("a\0b", "no-such-file")])
def test_a_path_that_cannot_be_is_an_error(name: str, code: str) -> None:
    assert file_codes(Path(name)) == [code]


def test_pipes_are_passed_over_and_dangling_links_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert load_rules([tmp_path]) == []
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RuleError) as caught:
        load_rules([tmp_path])
    assert [finding.code for finding in caught.value.diagnostics] == ["unreadable"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(GOOD, "utf-8")
    file.chmod(0)
    assert file_codes(file) == ["unreadable"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_rules([file])[0].title == "t"


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..\\x", "a/b", "CON", "<b>"])
def test_odd_titles_are_only_titles(name: str) -> None:
    [rule] = load_text(GOOD.replace("title: t", f"title: '{name}'"))
    assert rule.title == name


@pytest.mark.parametrize("text", strategies.HOSTILE)
def test_a_hostile_text_anywhere_loads_as_itself_or_is_refused(text: str) -> None:
    from converter.model.yaml_out import scalar

    quoted = scalar(text)
    for place in ("title", "description", "author", "runbook"):
        document = (
            GOOD.replace("title: t\n", "")
            + ("" if place == "title" else "title: t\n")
            + f"{place}: {quoted}\n"
        )
        try:
            [rule] = load_text(document)
        except RuleError as error:
            assert {finding.code for finding in error.diagnostics} <= {"bad-text", "empty"}
        else:
            assert getattr(rule, place) == text
    [rule] = load_text(f"{HEAD}indicators: [{{field: a, is: {quoted}}}]\n")
    predicate = rule.indicators[0]
    assert isinstance(predicate, Predicate)
    assert predicate.values == (text,)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(list("ab:-?[]{}&*!|>'\"%@#, \n\t0.~<\\")), max_size=60))
def test_any_text_loads_or_is_refused(text: str) -> None:
    try:
        load_text(text)
    except RuleError as error:
        assert error.diagnostics
