"""contentctl itself accepts an app made of what is rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from converter.logsources import load_packs
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Operator, Predicate
from converter.model.load import load_rules
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from converter.platforms.base import Context, File
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.contentctl_app import assembled, contentctl, validated
from tests.platforms.splunk.test_rendering import CONTEXT, CROSSED, THRESHOLD, rendered, rule
from tests.strategies import HOSTILE

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [
    pytest.mark.contentctl,
    pytest.mark.skipif(
        contentctl() is None, reason="contentctl is neither named by CONTENTCTL nor on the PATH"
    ),
]


def rule_pack() -> list[File]:
    context = Context(packs=load_packs())
    files: dict[str, File] = {}
    for one in load_rules([ROOT / "canonical_rules"]):
        for file in PLATFORM.render(one, context).files:
            files[file.path] = file
    return list(files.values())


def outputs() -> list[File]:
    folder = ROOT / "outputs" / "splunk"
    return [
        File(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.yml"))
    ]


def odd_rules() -> list[File]:
    """Every status, type and rule part, and hostile texts, each under a title of its own."""
    plain: list[dict[str, Any]] = [
        {"status": status, "severity": severity, "output": ["user.username"], "attack": ["TA0007:T1613"]}
        for status in ("stable", "test", "experimental", "deprecated")
        for severity in ("info", "low", "critical")
    ]
    parts: list[dict[str, Any]] = [
        {"threshold": THRESHOLD},
        {"threshold": THRESHOLD, "platforms": {"splunk": {"window": "tumbling"}}},
        {"new_terms": {"fields": ["user.username"], "history": "7d"}},
        {"indicators": None, "logsource": None, "sequence": {"within": "60s", "steps": CROSSED}},
        {"alert": {"title": "x", "group_by": ["user.username"], "suppress_for": "90s"}},
        {"status": "stable", "platforms": {"splunk": {"enabled": True, "analytic_story": ["A story"]}}},
        {"platforms": {"splunk": {"data_source": ["Kubernetes Audit"], "type": "Anomaly"}}},
    ]
    files: list[File] = []
    for number, more in enumerate([*plain, *parts]):
        files += _files(rule(title=f"Rule {number}", id=f"0d5f7b7e-0000-4000-8000-{number:012d}", **more))
    for number, text in enumerate(filter(None, (*HOSTILE, "a lookup b", "| inputlookup c")), 500):
        made = rule(
            title=f"Rule {number}", id=f"0d5f7b7e-0000-4000-8000-{number:012d}", output=["user.username"]
        )
        condition = Predicate(FieldPath(("userAgent",)), Operator.CONTAINS, (text,))
        files += _files(msgspec.structs.replace(made, indicators=(condition,), description=text))
    return list({file.path: file for file in files}.values())


def _files(made: Rule) -> tuple[File, ...]:
    artifact = PLATFORM.render(made, CONTEXT)
    assert artifact.fidelity is not Fidelity.REFUSED
    return artifact.files


@pytest.mark.parametrize("made", [rule_pack, outputs, odd_rules], ids=lambda made: made.__name__)
def test_an_app_of_rendered_files_is_valid(made, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = made()
    if not files:
        pytest.skip("outputs/splunk is empty; `make outputs` fills it")
    result = validated(assembled(tmp_path / "app", files))
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]


def test_a_broken_detection_is_noticed(tmp_path: Path) -> None:
    files = [File(file.path, file.text.replace("asset_type:", "asset_tpye:")) for file in rendered().files]
    assert validated(assembled(tmp_path / "app", files)).returncode == 1
