"""Files that editors, exports and accidents have damaged: each is read or refused at its place, and a folder
is read whole.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import converter
from tests.cli.conftest import Convert

SIGMA = """\
title: Whoami
id: 0d5f7b7e-0000-4000-8000-000000000001
status: test
date: '2024-05-01'
logsource:
  product: windows
  category: process_creation
detection:
  selection:
    Image|endswith: '\\whoami.exe'
  condition: selection
level: low
"""

ELASTIC = """\
[metadata]
creation_date = "2024/05/01"
maturity = "production"
updated_date = "2024/05/01"

[rule]
rule_id = "0d5f7b7e-0000-4000-8000-000000000002"
name = "Whoami"
description = "Somebody asks who they are."
severity = "low"
risk_score = 21
index = ["logs-endpoint.events.process-*"]
language = "kuery"
type = "query"
query = '''
process.name:
  whoami.exe
'''
"""

SPLUNK = """\
name: Whoami
id: 0d5f7b7e-0000-4000-8000-000000000003
version: 1
date: '2024-05-01'
author: nobody
status: production
type: TTP
description: Somebody asks who they are.
search: '`sysmon` EventCode=1 Image="*whoami.exe" | `whoami_filter`'
tags:
  asset_type: Endpoint
"""

STANZA = """\
[Whoami]
description = Somebody asks who they are.
search = `sysmon` EventCode=1 \\
  Image="*whoami.exe"
"""

PANTHER = """\
AnalysisType: rule
RuleID: Team.User.Made
DisplayName: User made
Enabled: true
LogTypes:
  - AWS.CloudTrail
Severity: Low
Detection:
  - KeyPath: eventName
    Condition: Equals
    Value: CreateUser
"""

CLASS = """\
from pypanther import LogType, Rule, Severity


class UserMade(Rule):
    id = "Team.User.Made"
    log_types = [LogType.AWS_CLOUDTRAIL]
    default_severity = Severity.LOW

    def rule(self, event):
        name = event.get("eventName")
        return name == "CreateUser"
"""

FORMS: Final = {
    "sigma": ("sigma", ".yml", SIGMA),
    "elastic": ("elastic", ".toml", ELASTIC),
    "splunk": ("splunk", ".yml", SPLUNK),
    "savedsearches": ("splunk", ".conf", STANZA),
    "panther": ("panther", ".yml", PANTHER),
    "pypanther": ("panther", ".py", CLASS),
}
"""Form → platform, suffix, text of a rule."""

YAML: Final = frozenset({"sigma", "splunk", "panther"})

Damage = Callable[[str], bytes]


def _encoded(encoding: str) -> Damage:
    return lambda text: text.encode(encoding)


def _with(old: str, new: str) -> Damage:
    return lambda text: text.replace(old, new).encode()


def _behind(line: str) -> Damage:
    return lambda text: (text + line + "\n").encode()


def _in_the_middle(data: bytes) -> Damage:
    return lambda text: text[: len(text) // 2].encode() + data + text[len(text) // 2 :].encode()


HARMLESS: Final[dict[str, Damage]] = {
    "nothing": _encoded("utf-8"),
    "windows line ends": _with("\n", "\r\n"),
    "old line ends": _with("\n", "\r"),
    "byte order mark": _encoded("utf-8-sig"),
    "blanks at line ends": _with("\n", "   \n"),
    "no last line end": lambda text: text.rstrip().encode(),
    "a long comment": _behind("# " + "x" * 1_000_000),
}
"""What changes nothing. A blank behind the backslash that ends a line of a .conf file does."""

HARMLESS_IN_YAML: Final[dict[str, Damage]] = {
    "dates without quotes": _with("'2024-05-01'", "2024-05-01"),
    "empty documents around": lambda text: f"---\n---\n{text}...\n---\n".encode(),
    "NEL line ends": _with("\n", "\x85"),
}

FATAL: Final[dict[str, Damage]] = {
    "UTF-16": _encoded("utf-16"),
    "UTF-32": _encoded("utf-32"),
    "UTF-16 without a mark": _encoded("utf-16-le"),
    "Latin-1": _in_the_middle(b"\xe9"),
    "half a surrogate pair": _in_the_middle(b"\xed\xa0\x80"),
    "compressed": lambda text: gzip.compress(text.encode(), mtime=0),
    "NULs": lambda text: b"\0" * len(text),
    "too long": _behind("# " + "x" * 25_000_000),
}
"""What leaves nothing to be read, in any form."""

FATAL_IN_DATA: Final[dict[str, Damage]] = {
    "empty": lambda text: b"",
    "blank": lambda text: b" \n\n",
    "a comment alone": lambda text: b"# nothing\n",
    "one word": lambda text: b"hello\n",
    "a number": lambda text: b"5\n",
    "a list": lambda text: b"- 1\n- 2\n",
    "cut JSON": lambda text: b'{"a": [1, 2',
    "a NUL": _in_the_middle(b"\0"),
    "an escape": _in_the_middle(b"\x1b[31m"),
    "nested deeply": _behind("x: " + "[" * 2_000 + "]" * 2_000),
}

FATAL_IN_YAML: Final[dict[str, Damage]] = {
    "tabs for blanks": _with("  ", "\t"),
    "an unknown anchor": _behind("x: *nowhere"),
    "an anchor of itself": _behind("x: &a [*a]"),
    "a tag that makes objects": _behind("x: !!python/object/apply:os.getcwd []"),
    "a quote without an end": _behind("x: 'y"),
}


def damages(form: str) -> tuple[dict[str, Damage], dict[str, Damage]]:
    """What a file of this form survives, and what it does not."""
    harmless, fatal = dict(HARMLESS), dict(FATAL)
    if form == "savedsearches":
        del harmless["blanks at line ends"]
    if form in YAML:
        harmless |= HARMLESS_IN_YAML
        fatal |= FATAL_IN_YAML
    if form not in ("pypanther", "savedsearches"):
        fatal |= FATAL_IN_DATA
    return harmless, fatal


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("form", FORMS)
def test_each_file_is_read_or_refused_at_its_place(form: str, convert: Convert, tmp_path: Path) -> None:
    platform, suffix, text = FORMS[form]
    harmless, fatal = damages(form)
    folder = tmp_path / ("savedsearches" if suffix == ".conf" else "rules")
    folder.mkdir()
    for name, damage in (harmless | fatal).items():
        (folder / f"{name}{suffix}").write_bytes(damage(text))

    result = convert("import", "--from", platform, str(folder), "-o", "out", "--report", "report.json")

    assert result.code == 1, result.err
    assert "Traceback" not in result.err
    report = json.loads((tmp_path / "report.json").read_text())
    found = {Path(rule["source"]).stem: rule for rule in report["rules"]}
    assert {name for name, rule in found.items() if rule["fidelity"] == "refused"} == set(fatal)
    assert {name for name, rule in found.items() if rule["fidelity"] != "refused"} == set(harmless)
    for name in fatal:
        assert f"{name}{suffix}" in result.err
        (problem, *_) = found[name]["diagnostics"]
        assert problem["code"] != "reader-failed"
        assert problem["line"] or problem["code"] == "too-large", (name, problem)
    written = {rule["output"] for rule in report["rules"]} - {None}
    assert {
        file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.yaml")
    } == written
    rules = converter.load(tmp_path / "out")
    assert len(rules) == len(harmless)
    assert len({rule.condition for rule in rules}) == 1
    texts = [converter.read(file, platform) for file in sorted(folder.iterdir())]
    assert sum(one.rule is None for (one, *_) in texts) == len(fatal)


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_is_searched_for_files_alone(form: str, convert: Convert, tmp_path: Path) -> None:
    platform, suffix, text = FORMS[form]
    folder = tmp_path / "savedsearches"
    (folder / ".hidden").mkdir(parents=True)
    (folder / f"folder{suffix}").mkdir()
    name = "savedsearches" if suffix == ".conf" else "rule"
    for file in (f"{name}{suffix}", f".hidden/{name}{suffix}", f".{name}{suffix}"):
        (folder / file).write_text(text)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / f"pipe{suffix}")
    result = convert("import", "--from", platform, str(folder), "--json")
    assert result.code == 0, result.err
    assert [Path(rule["source"]).name for rule in json.loads(result.out)["rules"]] == [f"{name}{suffix}"]
    (folder / f"link{suffix}").symlink_to(folder / "nowhere")
    result = convert("import", "--from", platform, str(folder), "--json")
    assert result.code == 1
    assert f"link{suffix}" in result.err or result.out


def test_what_no_rule_file_can_say_is_refused_alone(convert: Convert, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "1.toml").write_text(
        ELASTIC.replace("process.name:\n  whoami.exe", "file.size > 18446744073709551616")
    )
    (folder / "2.toml").write_text(ELASTIC)
    result = convert("import", "--from", "elastic", str(folder), "--json")
    found = json.loads(result.out)["rules"]
    assert (result.code, [rule["fidelity"] for rule in found]) == (1, ["refused", "exact"])
    (*_, problem) = found[0]["diagnostics"]
    assert (problem["code"], problem["line"]) == ("not-canonical", 1)


def test_suffixes_are_of_any_case(convert: Convert, tmp_path: Path) -> None:
    for form in ("sigma", "elastic", "splunk", "panther", "pypanther"):
        platform, suffix, text = FORMS[form]
        folder = tmp_path / form
        folder.mkdir()
        (folder / f"RULE{suffix.upper()}").write_text(text)
        if suffix == ".yml":
            (folder / "rule.yaml").write_text(text)
        report = json.loads(convert("import", "--from", platform, str(folder), "--json").out)
        assert report["summary"]["exact"] == (2 if suffix == ".yml" else 1), form


OTHERS: Final = {
    "sigma": "name: a workflow\non: push\njobs:\n  build: {}\n",
    "panther": "AnalysisType: lookup_table\nLookupName: people\n",
}


@pytest.mark.parametrize("form", OTHERS)
def test_other_yaml_is_passed_over(form: str, convert: Convert, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rule.yml").write_text(FORMS[form][2])
    (folder / "other.yml").write_text(OTHERS[form])
    result = convert("import", "--from", form, str(folder), "--json")
    assert (result.code, json.loads(result.out)["files"]) == (0, 1)


LOST: Final = {
    "a Sigma rule without its logic": ("sigma", SIGMA.partition("logsource:")[0]),
    "a Sigma rule without its log source": (
        "sigma",
        SIGMA.replace("logsource:\n  product", "logs:\n  product"),
    ),
    "a detection without its kind": ("panther", PANTHER.partition("\n")[2]),
}


@pytest.mark.parametrize(("platform", "text"), LOST.values(), ids=LOST)
def test_a_rule_that_lost_a_part_is_not_passed_over(
    platform: str, text: str, convert: Convert, tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rule.yml").write_text(text)
    result = convert("import", "--from", platform, str(folder), "--json")
    assert (result.code, json.loads(result.out)["summary"]["refused"]) == (1, 1)


def test_a_folder_that_cannot_be_listed_is_refused(
    convert: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rules"
    (folder / "closed").mkdir(parents=True)
    (folder / "rule.yml").write_text(SIGMA)
    listed = os.scandir

    def scandir(path: str | os.PathLike[str] = ".") -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = convert("import", "--from", "sigma", str(folder), "--json")
    report = json.loads(result.out)
    assert (result.code, report["summary"]["exact"], report["summary"]["refused"]) == (1, 1, 1)
    assert "closed" in result.err or any("closed" in rule["source"] for rule in report["rules"])


def test_a_folder_without_rules_is_bad_input(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text(ELASTIC)
    result = convert("import", "--from", "sigma", "rules")
    assert (result.code, "no rules of sigma" in result.err) == (2, True)
