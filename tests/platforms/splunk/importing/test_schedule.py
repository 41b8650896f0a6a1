"""When a stored search runs, over what, and what its counts then mean."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from converter.model.diagnostics import Fidelity
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from converter.platforms.splunk.importing.schedule import Moment, Runs, ago, runs_of
from tests.platforms.splunk.importing.support import BARE_PACKS

MINUTE, FIVE = timedelta(minutes=1), timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-70m@m", Moment(timedelta(minutes=70), MINUTE)),
        ("-1d", Moment(DAY)),
        ("-30", Moment(timedelta(seconds=30))),
        ("now", Moment()),
        ("@m", Moment(snap=MINUTE)),
        ("", Moment()),
        ("-1d@d", Moment(DAY, DAY)),
        ("-24h@h", Moment(DAY, HOUR)),
        ("-2w", Moment(14 * DAY)),
        ("-1mon@mon", None),
        ("-7d@w1", None),
        ("0", None),
        ("1700000000", None),
        ("rt-5m", None),
        ("+5m", None),
    ],
)
def test_how_far_back_a_time_is(text: str, expected: Moment | None) -> None:
    assert ago(text) == expected


UNTOLD = Runs(told=True, off=None, known=False)


@pytest.mark.parametrize(
    ("cron", "earliest", "latest", "expected"),
    [
        ("", "-5m", "now", Runs(FIVE, None, told=True)),
        ("*/5 * * * *", "-10m@m", "-5m@m", Runs(FIVE, FIVE, told=True)),
        ("7 * * * *", "-60m", "now", Runs(HOUR, HOUR, told=True, off=timedelta(minutes=7))),
        ("0 * * * *", "-70m@m", "-10m@m", Runs(HOUR, HOUR, told=True, off=timedelta(minutes=50))),
        ("3-58/5 * * * *", "-8m", "-3m", Runs(FIVE, FIVE, told=True)),
        ("0 */6 * * *", "-6h", "now", Runs(6 * HOUR, 6 * HOUR, told=True)),
        ("30 2 * * *", "-1d", "", Runs(DAY, DAY, told=True, off=timedelta(hours=2, minutes=30))),
        ("* * * * *", "-1m", "", Runs(MINUTE, MINUTE, told=True)),
        ("*/7 * * * *", "-7m", "", Runs(timedelta(minutes=7), None, told=True, off=None)),
        ("0 0 1 * *", "-1h", "", Runs(HOUR, None, told=True, off=None)),
        ("0 * * * *", "-24h@h", "@h", Runs(DAY, HOUR, told=True)),
        ("30 * * * *", "-2h@h", "now", Runs(HOUR * 5 / 2, HOUR, told=True, off=HOUR / 2)),
        ("0 6 * * *", "-1d@d", "@d", Runs(DAY, DAY, told=True)),
        ("", "-24h@h", "now", Runs(DAY, None, told=True)),
        ("*/5 * * * *", "-1d@d", "", Runs(2 * DAY, FIVE, told=True, off=None)),
        ("*/5 * * * *", "-1h@h", "@h", Runs(2 * HOUR, FIVE, told=True, off=None)),
        ("", "-1mon@mon", "now", UNTOLD),
        ("", "0", "", UNTOLD),
        ("", "-5m", "-10m", UNTOLD),
        ("", "-5m", "@w0", UNTOLD),
    ],
)
def test_what_a_file_says_of_its_runs(cron: str, earliest: str, latest: str, expected: Runs) -> None:
    scheduling = {"cron_schedule": cron, "earliest_time": earliest, "latest_time": latest}
    stanza = {"cron_schedule": cron, "dispatch.earliest_time": earliest, "dispatch.latest_time": latest}
    for found in (
        runs_of({"deployment": {"scheduling": scheduling}}),
        runs_of({key: value for key, value in stanza.items() if value}, "conf"),
    ):
        assert msgspec.structs.replace(found, first=expected.first) == expected


def test_without_a_time_range_a_detection_has_the_default_and_a_stanza_looks_at_all_time() -> None:
    assert runs_of({}) == Runs()
    assert not runs_of({"cron_schedule": "0 * * * *"}, "conf").known


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        ("", "", Runs(FIVE, FIVE, told=True, off=timedelta(minutes=2))),
        ("-10m", "-2m", Runs(timedelta(minutes=8), FIVE, told=True)),
        ("-10m", "", Runs(timedelta(minutes=10), FIVE, told=True, off=timedelta(minutes=2))),
        ("", "-2m", Runs(FIVE, FIVE, told=True, off=None, known=False)),
    ],
)
def test_a_search_names_its_own_time_range(earliest: str, latest: str, expected: Runs) -> None:
    told = runs_of({"cron_schedule": "2-57/5 * * * *", "earliest_time": "-5m", "latest_time": "now"})
    found = told.looking(earliest, latest)
    assert msgspec.structs.replace(found, first=expected.first) == expected


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
        (MANY, ("0 * * * *", "-3h@h", "@h"), 180, 60, []),
        (MANY, ("*/5 * * * *", "-3h@h", "now"), 240, None, [WIDER]),
        ("earliest=-2h@h " + MANY, ("0 * * * *", "-1h", "now"), 120, 60, []),
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


@pytest.mark.parametrize("earliest", ["0", "-1mon@mon", "rt-5m", ""])
def test_a_count_over_a_time_that_cannot_be_said_is_left_out(earliest: str) -> None:
    found = reading(MANY, "0 * * * *", earliest, "now")
    assert found.status == "partial" and found.rule is not None
    assert found.rule.threshold is None
    assert found.residue == ("where count > 3",)
    assert [one.code for one in found.diagnostics if one.effect is not None] == ["window"]
