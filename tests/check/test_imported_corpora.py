"""Public rules as imported, on every platform and in every engine at hand: no rendering says anything else
than its rule beyond the losses that it names.

Over the rules' own tests, the sample logs, and events and streams made from each. ``-s`` shows the counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from converter import Fidelity, Report, check
from converter.check import Options
from converter.check.reports import described
from converter.events.logs import read_logs
from converter.model.rule import JsonObject
from converter.platforms.registry import platform_names
from tests.corpus import CORPUS, imported

pytestmark = pytest.mark.corpus

COMPARED = ("sigma", "panther", "elastic", "splunk")
LOG_STEP = 25
"""Of so many records of the sample logs one is taken."""
LIMIT = 200
"""So many events of other rules and of logs are tried on each rule."""


def sample_logs() -> Iterator[JsonObject]:
    """Records from all over the sample logs."""
    logs = sorted((CORPUS / "logs").rglob("*.jsonl.gz"))
    return (record for number, record in enumerate(read_logs(logs)) if number % LOG_STEP == 0)


def counts(report: Report) -> str:
    """How many pairs there are of each platform, engine and fidelity, and on how much they agree."""
    pairs = Counter((pair.platform, pair.engine, str(pair.fidelity)) for pair in report.pairs)
    exact = [pair for pair in report.pairs if pair.fidelity is Fidelity.EXACT]
    lines = [f"{' '.join(kind):60} {count:6}" for kind, count in sorted(pairs.items())]
    return "\n".join(
        [
            str(report.summary),
            f"exact: {len(exact)} pairs, {sum(pair.events for pair in exact)} verdicts, "
            f"{sum(pair.streams for pair in exact)} streams, "
            f"{sum(len(pair.disagreements) for pair in exact)} disagreements",
            *lines,
        ]
    )


@pytest.mark.parametrize("source", COMPARED)
def test_renderings_of_imported_rules_agree(source: str) -> None:
    report = check(
        imported(source), platforms=platform_names(), logs=sample_logs(), options=Options(limit=LIMIT)
    )
    print(f"\n{source}: {counts(report)}")
    found = [
        f"{pair.title} ({pair.rule}), {pair.platform}, {pair.engine}, {pair.fidelity}: "
        + (pair.problem or described(pair.disagreements[0]))
        for pair in report.pairs
        if not pair.agrees
    ]
    assert not found, "\n".join(found)
