"""Raw records as events: whose they are, and when."""

from __future__ import annotations

import pytest

from converter.events.records import SourceReader, log_events, packs_of
from converter.logsources import load_packs
from converter.model.diagnostics import RuleError
from converter.model.load import load_text

PACKS = load_packs()
AUDIT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "requestReceivedTimestamp": "2022-11-29 00:00:01.5",
}
CLOUDTRAIL = {
    "eventVersion": "1.08",
    "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity",
    "eventTime": "2024-01-01T00:00:00Z",
}


def test_records_go_to_the_log_sources_that_know_them() -> None:
    packs = [PACKS["kubernetes.audit"], PACKS["aws.cloudtrail"]]
    events = list(log_events([AUDIT, {"some": "thing"}, CLOUDTRAIL], packs))
    assert [(event.id, sorted(event.sources or ())) for event in events] == [
        (0, ["kubernetes.audit"]),
        (2, ["aws.cloudtrail"]),
    ]
    assert events[0].time == 1_669_680_001_500_000_000


def test_a_trusted_record_needs_no_proof() -> None:
    (event,) = log_events([{"verb": "get"}], [PACKS["kubernetes.audit"]], trusted=True)
    assert event.is_from(["kubernetes.audit"])
    assert not event.is_from(["aws.cloudtrail"])
    assert event.time is None


def test_an_untrusted_record_of_another_source_is_nobodys() -> None:
    assert SourceReader(PACKS["kubernetes.audit"]).own_event(CLOUDTRAIL, 0) is None


def test_a_rule_on_an_unknown_log_source() -> None:
    (rule,) = load_text(
        "{id: 0d5f7b7e-0000-4000-8000-000000000001, title: t, logsource: raw, "
        "indicators: [{field: a, is: 1}]}"
    )
    assert [pack.name for pack in packs_of(rule, PACKS)] == ["raw"]
    with pytest.raises(RuleError, match="no log-source pack"):
        packs_of(rule, {})
