"""When a stored search runs, over what, and what its counts then mean."""

from __future__ import annotations

from datetime import timedelta

import pytest

from converter.model.diagnostics import Fidelity
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from converter.platforms.splunk.importing.schedule import Runs, ago, runs_of
from tests.platforms.splunk.importing.support import BARE_PACKS

FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-70m@m", timedelta(minutes=70)),
        ("-1d", DAY),
        ("-30", timedelta(seconds=30)),
        ("now", timedelta()),
        ("@m", timedelta()),
        ("", timedelta()),
        ("-1d@d", None),
        ("rt-5m", None),
        ("+5m", None),
    ],
)
def test_how_far_back_a_time_is(text: str, expected: timedelta | None) -> None:
    assert ago(text) == expected


@pytest.mark.parametrize(
    ("cron", "earliest", "latest", "expected"),
    [
        ("", "", "", Runs()),
        ("", "-5m", "now", Runs(FIVE, None, told=True)),
        ("*/5 * * * *", "-10m@m", "-5m@m", Runs(FIVE, FIVE, told=True)),
        ("7 * * * *", "-60m", "now", Runs(HOUR, HOUR, told=True, off=timedelta(minutes=7))),
        ("0 * * * *", "-70m@m", "-10m@m", Runs(HOUR, HOUR, told=True, off=timedelta(minutes=50))),
        ("3-58/5 * * * *", "-8m", "-3m", Runs(FIVE, FIVE, told=True)),
        ("0 */6 * * *", "-6h", "now", Runs(6 * HOUR, 6 * HOUR, told=True)),
        ("30 2 * * *", "-1d", "", Runs(DAY, DAY, told=True, off=timedelta(hours=2, minutes=30))),
        ("* * * * *", "-1m", "", Runs(timedelta(minutes=1), timedelta(minutes=1), told=True)),
        ("*/7 * * * *", "-7m", "", Runs(timedelta(minutes=7), None, told=True, off=None)),
        ("0 0 1 * *", "-1h", "", Runs(HOUR, None, told=True, off=None)),
        ("*/5 * * * *", "-1d@d", "", Runs(every=FIVE, told=True, off=None)),
        ("*/5 * * * *", "-1h", "@d", Runs(HOUR, FIVE, told=True, off=None)),
    ],
)
def test_what_a_file_says_of_its_runs(cron: str, earliest: str, latest: str, expected: Runs) -> None:
    scheduling = {"cron_schedule": cron, "earliest_time": earliest, "latest_time": latest}
    assert runs_of({"deployment": {"scheduling": scheduling}}) == expected
    stanza = {"cron_schedule": cron, "dispatch.earliest_time": earliest, "dispatch.latest_time": latest}
    assert runs_of({key: value for key, value in stanza.items() if value}) == expected


def reading(search: str, cron: str, earliest: str, latest: str) -> ReadRule:
    text = (
        f"[A search]\nsearch = {search}\ncron_schedule = {cron}\n"
        f"dispatch.earliest_time = {earliest}\ndispatch.latest_time = {latest}\n"
    )
    (found,) = PLATFORM.read(Source(file="savedsearches.conf", text=text), ReadContext(packs=BARE_PACKS))
    return found


MANY = "a=1 | stats count by b | where count > 3"
FEW = "a=1 | stats count by b | where count < 3"
SLICED = "a=1 | bin _time span={}m | stats count by b _time | where count > 3"
WHOLE = (
    'a=1 | where _time>=floor(relative_time(now(), "-20m")/{0})*{0} AND _time<floor(now()/{1})*{1}'
    " | bin _time span=15m | stats count by b _time | where count > 3"
)
WIDER, NARROWER = Fidelity.WIDER, Fidelity.NARROWER


@pytest.mark.parametrize(
    ("search", "runs", "within", "every", "effects"),
    [
        (WHOLE.format(900, 900), ("2-57/5 * * * *", "-20m", "now"), 15, 15, []),
        (WHOLE.format(900, 600), ("2-57/5 * * * *", "-20m", "now"), 15, 15, [WIDER]),
        (MANY, ("*/5 * * * *", "-15m", "now"), 15, 5, []),
        (MANY, ("2-57/5 * * * *", "-15m", "now"), 15, None, [WIDER]),
        (FEW, ("2-57/5 * * * *", "-15m", "now"), 15, 5, [WIDER, NARROWER]),
        (MANY, ("0 0 1 * *", "-15m", "now"), 15, None, [WIDER]),
        (SLICED.format(5), ("0 * * * *", "-65m@m", "-5m@m"), 5, 5, []),
        (SLICED.format(10), ("0 * * * *", "-65m@m", "-5m@m"), 10, 10, [WIDER]),
        (SLICED.format(7), ("0 * * * *", "-60m@m", "now"), 7, 7, [WIDER, WIDER]),
    ],
)
def test_what_a_count_means(
    search: str, runs: tuple[str, str, str], within: int, every: int | None, effects: list[Fidelity]
) -> None:
    found = reading(search, *runs)
    assert found.rule is not None and found.rule.threshold is not None
    threshold = found.rule.threshold
    assert threshold.within == timedelta(minutes=within)
    assert threshold.every == (None if every is None else timedelta(minutes=every))
    lost = [one for one in found.diagnostics if one.effect is not None]
    assert [one.effect for one in lost] == effects
    assert {one.code for one in lost} <= {"window"}
