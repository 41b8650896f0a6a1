"""Bad input: a clear error, exit code 2, no traceback, nothing written."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest

from tests.cli.conftest import RULE, Convert

GOOD = RULE.format(number=9, title="Good")


def _with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


ALIAS_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("abcdefghi")
)
DEEP = "{not: " * 1000 + "{field: verb, is: list}" + "}" * 1000
BAD_RULES = {
    "broken YAML": (b"id: [", "yaml"),
    "empty": (b"", ""),
    "a list": (b"- 1\n", ""),
    "unknown key": (_with("severity:", "severityy:"), "severity"),
    "unknown operator": (_with("is: list", "iss: list"), "is"),
    "unknown log source": (_with("kubernetes.audit", "kubernets.audit"), "kubernetes.audit"),
    "bad regex": (_with("is: list", "regex: '(?=x)'"), "regex"),
    "bad network": (_with("is: list", "cidr: 10.0.0.1/8"), "10.0.0.0/8"),
    "wrong type": (_with("severity: low", "severity: [low]"), "severity"),
    "unknown technique": (_with("severity: low", "attack: [TA0007:T9999]"), "T9999"),
    "no UUID": (_with("0d5f7b7e-0000-4000-8000-000000000009", "../../x"), "UUID"),
    "a title of two lines": (_with("title: Good", 'title: "a\\nb"'), "title"),
    "alias bomb": (ALIAS_BOMB, ""),
    "a thousand levels": (_with("{field: verb, is: list}", DEEP), "nest"),
    "binary": (b"\x7fELF\x00\xff\xfe", ""),
    "a very long line": (GOOD + "#" + "x" * 6_000_000, ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "named"), BAD_RULES.values(), ids=BAD_RULES)
@pytest.mark.parametrize("command", ["render", "test"])
def test_a_bad_rule(command: str, text: str | bytes, named: str, convert: Convert, tmp_path: Path) -> None:
    folder = tmp_path / "canonical_rules"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD.replace("000000000009", "000000000008"))
    (folder / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = convert(command)
    assert result.code == 2, result.out
    assert "bad.yaml" in result.err
    assert named.lower() in result.err.lower()
    assert "Traceback" not in result.err
    assert not (tmp_path / "outputs").exists()


def test_every_mistake_is_reported_with_its_place(convert: Convert, rules: Path) -> None:
    (rules / "1.yaml").write_text(
        GOOD.replace("is: list", "iss: list").replace("severity: low", "severity: lo")
    )
    (rules / "3.yaml").write_text(GOOD.replace("is: list", "regex: '('"))
    result = convert("test")
    assert result.code == 2
    for place in ("1.yaml:4:", "1.yaml:6:", "3.yaml:6:"):
        assert place in result.err


def test_one_id_twice(convert: Convert, rules: Path) -> None:
    (rules / "3.yaml").write_text((rules / "1.yaml").read_text())
    result = convert()
    assert result.code == 2
    assert "0d5f7b7e-0000-4000-8000-000000000001" in result.err


def test_two_rules_of_one_title(convert: Convert, rules: Path) -> None:
    (rules / "2.yaml").write_text(RULE.format(number=2, title="Anonymous list"))
    result = convert("--to", "elastic")
    assert result.code == 2
    assert "anonymous_list.toml" in result.err
    assert not (rules.parent / "outputs").exists()


def test_an_unknown_field_is_refused_or_kept(convert: Convert, rules: Path) -> None:
    (rules / "1.yaml").write_text(GOOD.replace("field: verb", "field: verbb"))
    (rules / "2.yaml").unlink()
    result = convert("--to", "splunk")
    assert result.code == 1
    assert "verbb" in result.err
    assert "verb" in result.err.split("hint:")[1]
    kept = convert("--to", "splunk", "--unmapped", "keep")
    assert kept.code == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--to", "qradar"], "qradar"),
        (["nowhere"], "nowhere"),
        (["test", "nowhere.yaml"], "nowhere.yaml"),
        (["--frobnicate"], "frobnicate"),
        (["evaluate", "canonical_rules"], "--logs"),
        (["evaluate", "canonical_rules", "--logs", "none.json"], "none.json"),
        (["explain", "canonical_rules/1.yaml"], "--event"),
        (["logsources", "okta"], "okta.system"),
        (["losses", "--to", "x"], "x"),
    ],
)
def test_bad_usage(arguments: list[str], named: str, convert: Convert, rules: Path) -> None:
    result = convert(*arguments)
    assert result.code == 2
    assert named in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "data", [b"MZ\x90\x00", b"{", b"5", gzip.compress(b"{")], ids=["binary", "{", "5", "gzip"]
)
@pytest.mark.parametrize("command", ["evaluate", "check", "explain"])
def test_bad_logs(command: str, data: bytes, convert: Convert, rules: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_bytes(data)
    option = "--event" if command == "explain" else "--logs"
    result = convert(command, str(rules / "1.yaml"), option, str(log))
    assert result.code == 2
    assert "log.json" in result.err


def test_a_bad_settings_file(convert: Convert, rules: Path, tmp_path: Path) -> None:
    (tmp_path / "converter.toml").write_text("rulez = 5\n")
    result = convert()
    assert result.code == 2
    assert "converter.toml" in result.err


def test_a_test_stream_without_times_is_a_failed_test(convert: Convert, rules: Path) -> None:
    text = GOOD.replace("tests:", "threshold: {count: 2, within: 5m}\ntests:")
    event = "{verb: list, user: {username: 'system:anonymous'}}"
    text += f"  - {{name: stream, expect: {{alerts: 1}}, events: [{event}]}}\n"
    (rules / "1.yaml").write_text(text)
    result = convert("test", "--json")
    assert result.code == 1
    (failure,) = json.loads(result.out)["failures"]
    assert "depends on time" in failure["got"]
