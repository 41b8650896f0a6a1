"""Thresholds, new terms and sequences as others write them: what is read, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from converter.model.diagnostics import RuleError
from converter.model.expressions import All
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, Threshold
from converter.platforms.splunk.read_back import read_search

A, B = FieldPath(("a",)), FieldPath(("b",))
MINUTES = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("search", "threshold"),
    [
        (
            "x=1 | bin _time span=5m | stats count by _time a | where count>=10",
            Threshold(count=10, within=MINUTES, by=(A,)),
        ),
        (
            "x=1 | bucket span=5m _time | stats dc(b) AS n by a, _time | where n > 9",
            Threshold(count=10, within=MINUTES, by=(A,), distinct=B),
        ),
        (
            "x=1 | sort 0 _time | streamstats time_window=5m count AS n by a | where n>=3",
            Threshold(count=3, within=MINUTES, by=(A,)),
        ),
        (
            "x=1 | streamstats window=4 global=false count as n min(_time) as t"
            " | where n>=4 AND (_time-t)<=300",
            Threshold(count=4, within=MINUTES),
        ),
        (
            "x=1 | eval who=mvindex('a{}', -1) | streamstats time_window=300s count AS n by who | where n>=2",
            Threshold(count=2, within=MINUTES, by=(FieldPath(("a{}", -1)),)),
        ),
        (
            "x=1 | rename a AS who | streamstats time_window=5min count AS n by who | where n>=2",
            Threshold(count=2, within=MINUTES, by=(A,)),
        ),
    ],
)
def test_a_threshold_is_read(search: str, threshold: Threshold) -> None:
    assert read_search(search, {}, "test").threshold == threshold


def test_new_terms_are_read() -> None:
    found = read_search(
        "x=1 | sort 0 _time | streamstats current=f last(_time) AS seen by a b"
        " | where isnotnull(a) AND isnotnull(b) AND (isnull(seen) OR (_time-seen)>86400)",
        {},
        "test",
    )
    assert found.new_terms == NewTerms(fields=(A, B), history=timedelta(days=1))


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("x=1 | stats count by a | where count>=10", "spl-stats"),
        ("x=1 | bin _time span=5m | stats count by a | where count>=10", "spl-stats"),
        ("x=1 | sort 5 _time | streamstats time_window=5m count AS n | where n>=3", "result-limit"),
        ("x=1 | sort 0 - _time | streamstats time_window=5m count AS n | where n>=3", "spl-stats"),
        ("x=1 | streamstats current=f last(_time) AS seen by a | where isnull(seen)", "spl-stats"),
        ("x=1 | streamstats count AS n by a | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m window=7 global=f count AS n | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m window=3 count AS n | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m current=f count AS n | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m reset_on_change=t count AS n by a | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m sum(b) AS n | where n>=3", "spl-stats"),
        ("x=1 | streamstats time_window=5m count AS n", "spl-stats"),
        ("x=1 | streamstats time_window=5parsecs count AS n | where n>=3", "spl-syntax"),
        ("x=1 | eventstats count AS n by a | where n>=3", "spl-command"),
        (
            "x=1 | streamstats current=f last(_time) AS seen by a b"
            " | where isnotnull(a) AND (isnull(seen) OR (_time-seen)>86400)",
            "spl-stats",
        ),
        (
            "x=1 | streamstats window=4 global=f count AS n max(_time) AS t | where n>=4 AND (_time-t)<=300",
            "spl-stats",
        ),
        ("x=1 | bin _time span=5m | stats count by _time a | where count>=1 | search a=1", "spl-stats"),
    ],
)
def test_what_is_no_threshold_is_refused(search: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_search(search, {}, "test")
    assert caught.value.diagnostics[0].code == code


CHAIN = """a=1
| sort 0 _time
| eval step_1=if(verb=="list", 1, 0), step_2=if(verb=="get", 1, 0)
| eval start_1=if(step_1==1, _time, null())
| eval flight_2=case(isnotnull(start_1), start_1, step_2==1, "none")
| streamstats current=f last(flight_2) AS before_2 by user
| eval start_2=if(step_2==1 AND isnum(before_2), before_2, null())
| where isnum(start_2) AND (_time-start_2)<=60"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("step_2==1 AND isnum", "step_1==1 AND isnum"),
        ("step_2=if", "step_3=if"),
        ('step_2==1, "none"', 'verb=="get", "none"'),
        ("last(flight_2)", "first(flight_2)"),
        ("current=f", "current=t"),
        ("sort 0 _time", "sort 1 _time"),
        ("sort 0 _time", "sort _time"),
        ("sort 0 _time", "sort 0 - _time"),
        ("| sort 0 _time\n", ""),
        ("isnum(start_2)", "isnum(start_9)"),
    ],
)
def test_a_changed_chain_is_no_sequence(old: str, new: str) -> None:
    whole = read_search(CHAIN, {}, "test").sequence
    assert whole is not None
    assert [step.by for step in whole.steps] == [(FieldPath(("user",)),)] * 2
    assert old in CHAIN
    with pytest.raises(RuleError):
        read_search(CHAIN.replace(old, new), {}, "test")


@pytest.mark.parametrize("operator", ["OR", "AND"])
def test_a_condition_may_have_any_number_of_terms(operator: str) -> None:
    terms = [f"like('a', \"%word{number}%\")" for number in range(2_000)]
    condition = read_search(f"x=1 | where {f' {operator} '.join(terms)}", {}, "test").condition
    assert isinstance(condition, All)
    asked = condition.terms[1].terms if operator == "OR" else condition.terms[1:]  # type: ignore[union-attr]
    assert [term.values for term in asked] == [(f"word{number}",) for number in range(2_000)]  # type: ignore[union-attr]
