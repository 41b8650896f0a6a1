"""A rendering whose schedule does not see what its rule looks at together is reported, on every platform."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from converter import Rule, load
from converter.check.runner import Options, RuleUnderCheck
from converter.check.samples import SamplePool
from converter.logsources import load_packs
from converter.platforms.base import Artifact, Context, File
from converter.platforms.registry import platform

RULES = Path(__file__).parents[2] / "canonical_rules"
SEQUENCE = "aws.cloudtrail/console_sign_in_succeeds_after_failures.yaml"
SLICES = "okta.system/okta_password_spraying_that_got_in.yaml"
NEW_TERMS = "aws.cloudtrail/first_activity_in_an_aws_region.yaml"
COUNT = "okta.system/okta_push_prompts_refused_again_and_again.yaml"
PLAIN = "kubernetes.audit/kubernetes_user_acts_as_somebody_else.yaml"
CONTEXT = Context(packs=load_packs())

CHANGES = [
    ("elastic", SEQUENCE, r'from = "now-\d+m"', 'from = "now-10m"'),
    ("elastic", SLICES, r'from = "now-\d+m"', 'from = "now-15m"'),
    ("elastic", SLICES, r"DATE_TRUNC\(15 minutes, NOW\(\) - 5 m", "DATE_TRUNC(15 minutes, NOW() - 4 m"),
    ("elastic", SLICES, r"DATE_TRUNC\(15 minutes, NOW\(\)\)", "DATE_TRUNC(16 minutes, NOW())"),
    ("elastic", SLICES, r'interval = "5m"', 'interval = "6m"'),
    ("elastic", NEW_TERMS, r'value = "now-30d"', 'value = "now-29d"'),
    ("splunk", COUNT, r'earliest_time: "-20m@m-\d+s"', 'earliest_time: "-20m@m-1s"'),
    ("splunk", COUNT, r'relative_time\(now\(\), "-20m@m"\)', 'relative_time(now(), "-21m@m")'),
    ("splunk", NEW_TERMS, r'earliest_time: "-20m@m-\d+s"', 'earliest_time: "-20m@m"'),
    ("splunk", SEQUENCE, r'earliest_time: "-20m@m-600s"', 'earliest_time: "-20m@m-599s"'),
    ("splunk", SLICES, r'relative_time\(now\(\), "-5m@m"\)', 'relative_time(now(), "-6m@m")'),
    ("panther", SEQUENCE, r"LookbackWindowMinutes: \d+", "LookbackWindowMinutes: 24"),
    ("panther", SEQUENCE, r"RateMinutes: \d+", "RateMinutes: 16"),
    ("panther", PLAIN, r'first_key\(event, \("user", "username"\)', "first_key(event"),
    ("panther", PLAIN, r'first_key\(event, \("user", "username"\)', 'first_key(event, ("user", "uid")'),
]


@cache
def _under_check(file: str) -> tuple[Rule, RuleUnderCheck]:
    (rule,) = load(RULES / file)
    pool = SamplePool([rule], CONTEXT.packs)
    return rule, RuleUnderCheck(rule, CONTEXT.packs, pool, Options(engines=False))


def _changed(artifact: Artifact, pattern: str, put: str) -> Artifact:
    files = tuple(File(file.path, re.sub(pattern, lambda _: put, file.text)) for file in artifact.files)
    assert files != artifact.files
    return replace(artifact, files=files)


@pytest.mark.parametrize(("name", "file", "pattern", "put"), CHANGES)
def test_a_schedule_that_sees_too_little(name: str, file: str, pattern: str, put: str) -> None:
    whole = platform(name)
    rule, checked = _under_check(file)
    artifact = whole.render(rule, CONTEXT)
    assert checked.pair(whole, artifact, CONTEXT).agrees
    assert not checked.pair(whole, _changed(artifact, pattern, put), CONTEXT).agrees
