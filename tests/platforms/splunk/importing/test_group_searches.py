"""The runs in which a counting search has results and its rule alerts: searches and streams made at random.

The search is run by an interpreter of its own, written from the Search Reference (pipelines.py).
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate.stream import LogEvent, evaluate_stream
from converter.model.diagnostics import Fidelity
from converter.platforms.splunk.spl.parse import parse_pipeline
from tests.platforms.splunk.importing.pipelines import results
from tests.platforms.splunk.importing.test_queries import reading

NANOSECONDS: Final = 10**9
RUN: Final = 3600
"""A run each hour over an hour, in seconds."""
CONDITIONS: Final = (
    *('ok="no"', 'ok!="no"', 'like(user, "x%")', "isnull(src)", "size>3", "size<=0", 'NOT ok="yes"'),
    *('user="x" AND ok="no"', "isnotnull(size)"),
)
MEASURES: Final = (
    *("count AS n", "dc(user) AS n", "dc(src) AS m", "count(user) AS n", "sum(size) AS n", "min(size) AS m"),
    *("max(size) AS m", "avg(size) AS n", "sum(flag) AS n", "values(user) AS us", "values(ok) AS us"),
    *("count(eval({})) AS m", "dc(eval(if({}, user, null()))) AS m", "sum(eval(if({}, 1, 0))) AS n"),
    "min(_time) AS first max(_time) AS last",
)
OF_LISTS: Final = (
    'us="x"',
    "mvcount(us)>1",
    "mvcount(us)<2",
    "isnull(us)",
    'match(us, "^x")',
    'us IN ("y", "no")',
)
COMPUTED: Final = (
    *("src=coalesce(src, user)", 'src=if(ok="no", user, "none")', 'src=src.":".user', "user=upper(user)"),
    *('ok=case(user="x", src, size>3, "much")', "user=coalesce(user, null(), src)", "src=mvindex(user, 0)"),
)
TIMES: Final = (0, 600, 1200, 1799, 1800, 3599, 3600)


class Maker:
    """Makes searches and streams from one source of chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._one = chance.choice
        self._names: list[str] = []
        self._keys: list[str] = []

    def search(self) -> str:
        parts = ["a=1"]
        sometimes = (
            f"where {self._one(CONDITIONS)}",
            f"fillnull value=none {self._one(('src', 'user', 'src user'))}",
            f"eval flag=if({self._one(CONDITIONS)}, 1, 0)",
            "eval user=lower(user)",
            f"eval {self._one(COMPUTED)}",
            f"bin _time span={self._one((10, 20, 30))}m",
        )
        parts += [part for part in sometimes if self._chance.random() < 0.3]
        self._keys = list(self._one((("src",), ("user",), ("src", "user"), ("ok",))))
        sliced = parts[-1].startswith("bin") and self._chance.random() < 0.9
        by = [*self._keys, *(["_time"] if sliced else [])]
        chosen = self._chance.sample(MEASURES, self._chance.randint(1, 3))
        made = {one.split(" AS ")[-1]: one for one in chosen}
        self._names = list(made)
        measures = " ".join(one.format(self._one(CONDITIONS)) for one in made.values())
        return " | ".join((*parts, f"stats count {measures} by {' '.join(by)}", *self._tests()))

    def _tests(self) -> tuple[str, ...]:
        return self._one(
            (
                (f"where {self._test()}",),
                (f"where {self._test()}", f"where {self._test()}"),
                (
                    f'eval kind=case({self._test()}, "high", {self._test()}, "some", true(), "low")',
                    self._one(('where kind="high"', "search kind!=low", 'search kind="some"')),
                ),
                (f"search {self._number()}>{self._one((1, 2, 3))} {self._keys[0]}!=p",),
                (self._one(("search us=x", "search NOT us=x")) if "us" in self._names else "search count>1",),
            )
        )

    def _number(self) -> str:
        return self._one(["count", *(name for name in self._names if name not in ("us", "last"))])

    def _test(self, depth: int = 0) -> str:
        if depth < 2 and self._chance.random() < 0.35:
            one, other = self._test(depth + 1), self._test(depth + 1)
            return self._one((f"({one} AND {other})", f"({one} OR {other})", f"NOT {one}"))
        name = self._number()
        tests = [
            f"{name} {self._one(('>', '>=', '<', '<=', '=', '!='))} {self._one((0, 1, 2, 3, 5))}",
            f"{name} > {self._number()}",
            f"{name}/count > {self._one((0.5, 0.3))}",
            f'{self._keys[0]}="{self._one(("p", "x", "no", "none"))}"',
        ]
        tests += [self._one(OF_LISTS)] if "us" in self._names else []
        tests += [f"last-first {self._one(('>', '<='))} 900"] if "last" in self._names else []
        return self._one(tests)

    def stream(self) -> list[dict[str, Any]]:
        fields: dict[str, list[Any]] = {"src": ["p", "q"], "user": ["x", "y", "z"], "ok": ["yes", "no"]}
        fields["size"] = list(range(-3, 10))
        events = []
        for _ in range(self._chance.randint(0, 14)):
            kept = {name: self._one(values) for name, values in fields.items() if self._chance.random() < 0.8}
            time = self._one((self._chance.randrange(2 * RUN), self._one(TIMES)))
            events.append({"t": time, "a": self._one((1, 1, 1, 2)), **kept})
        return sorted(events, key=lambda event: int(event["t"]))


@pytest.mark.no_cover  # many searches go the way of a few
@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_rule_alerts_in_the_runs_that_have_results(chance: Random) -> None:
    """In those alone where it is exact; a loss errs on the side that it names."""
    maker = Maker(chance)
    search = maker.search()
    pipeline, _ = parse_pipeline(search, {})
    read = reading(search)
    losses = {one.effect for one in read.diagnostics} - {None}
    if read.rule is None:
        return
    for _ in range(4):
        events = [(event.pop("t"), event) for event in maker.stream()]
        found = {
            run
            for run in (0, 1)
            if results(pipeline, *({**data, "_time": time} for time, data in events if time // RUN == run))
        }
        stream = [
            LogEvent(data=data, time=time * NANOSECONDS, id=place)
            for place, (time, data) in enumerate(events)
        ]
        alerts = {(one.time or 0) // NANOSECONDS // RUN for one in evaluate_stream(read.rule, stream)}
        assert found <= alerts or Fidelity.NARROWER in losses, (search, events)
        assert alerts <= found or Fidelity.WIDER in losses, (search, events)
