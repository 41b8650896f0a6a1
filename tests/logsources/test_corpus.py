"""The packs against public rules and logs: their fields are known, their events belong."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from converter.evaluate import compile_expression
from converter.logsources import canonical_event
from converter.logsources.lookup import known
from converter.model.paths import FieldPath, parse_path
from tests.corpus import CORPUS

from .support import all_packs

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no rule corpus: set CONVERTER_CORPUS"),
]


def _yaml_files(folder: str) -> Iterator[Any]:
    for path in sorted((CORPUS / folder).rglob("*.yml")):
        yield yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _sigma_fields(detection: Any) -> Iterator[str]:
    if isinstance(detection, dict):
        yield from (key.split("|")[0] for key in detection)
    elif isinstance(detection, list):
        for entry in detection:
            yield from _sigma_fields(entry)


@pytest.mark.parametrize(
    ("pack", "folder", "no_fields"),
    [
        ("windows.process_creation", "windows/process_creation", set()),
        ("aws.cloudtrail", "cloud/aws", set()),
        ("okta.system", "identity/okta", set()),
        ("github.audit", "application/github", set()),
        ("kubernetes.audit", "application/kubernetes", {"hostPath", "apiGroup"}),
    ],
)
def test_fields_of_sigma_rules(pack: str, folder: str, no_fields: set[str]) -> None:
    """``no_fields``: names in public rules that the log itself does not have."""
    unknown: Counter[str] = Counter()
    seen = 0
    for rule in _yaml_files(f"sigma/rules/{folder}"):
        for name, detection in rule["detection"].items():
            if name not in ("condition", "timeframe"):
                for field in _sigma_fields(detection):
                    seen += 1
                    unknown[field] += known(all_packs()[pack], parse_path(field)) is None
    assert seen > 5
    assert {field for field, count in unknown.items() if count} == no_fields


def _leaves(value: Any, path: tuple[str | None, ...] = ()) -> Iterator[FieldPath]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not key.startswith("p_"):
                yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, (*path, None))
    else:
        yield FieldPath(path)


@pytest.mark.parametrize(
    ("pack", "folder", "log_type"),
    [
        ("aws.cloudtrail", "aws_cloudtrail_rules", "AWS.CloudTrail"),
        ("okta.system", "okta_rules", "Okta.SystemLog"),
        ("github.audit", "github_rules", "GitHub.Audit"),
        ("kubernetes.audit", "aws_eks_rules", "Amazon.EKS.Audit"),
    ],
)
def test_fields_of_panthers_test_events(pack: str, folder: str, log_type: str) -> None:
    """At least 97 of 100 fields in the events with which public rules are tested are known."""
    found: Counter[bool] = Counter()
    for rule in _yaml_files(f"panther/rules/{folder}"):
        if log_type not in (rule.get("LogTypes") or []):
            continue
        for test in rule.get("Tests") or []:
            log = test.get("Log")
            if isinstance(log, dict):
                event = canonical_event(all_packs()[pack], log)
                found.update(known(all_packs()[pack], path) is not None for path in _leaves(event))
    assert found[True] > 100
    assert found[True] / found.total() > 0.97


def _events(text: str) -> Iterator[Any]:
    """The JSON values of a text, one after the other."""
    decoder, position = json.JSONDecoder(), 0
    text = text.strip()
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        yield from value if isinstance(value, list) else [value]
        position = end + len(text[end:]) - len(text[end:].lstrip())


def test_wrapped_windows_events() -> None:
    pack = all_packs()["windows.process_creation"]
    belongs = compile_expression(pack.select)
    files = sorted((CORPUS / "sigma/regression_data").rglob("process_creation/**/*.json"))
    events = [event for file in files for event in _events(file.read_text(encoding="utf-8-sig"))]
    forms = [canonical_event(pack, event) for event in events]
    assert len(forms) > 50
    assert all(belongs(form) and form["Image"] and form["CommandLine"] for form in forms)


def test_flat_windows_events() -> None:
    """Of each new process Sysmon and Windows itself tell the same, as far as both tell it."""
    pack = all_packs()["windows.process_creation"]
    belongs = compile_expression(pack.select)
    told: dict[int, Counter[tuple[str, str]]] = {1: Counter(), 4688: Counter()}
    with gzip.open(CORPUS / "logs/windows/otrf_sample.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if '"EventID":1,' in line or '"EventID":4688' in line or '"EventID":1}' in line:
                event = canonical_event(pack, json.loads(line))
                if belongs(event):
                    told[event["EventID"]][event["Image"].lower(), event["CommandLine"]] += 1
    shared = told[1].keys() & told[4688].keys()
    assert len(shared) > 20
