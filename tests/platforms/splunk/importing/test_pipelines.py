"""What a pipeline finds and what its rule matches, over pipelines and events that are made at random.

The pipeline is run by an interpreter of its own, written from the Search Reference (pipelines.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.platforms.splunk.spl.parse import parse_pipeline
from tests.platforms.splunk.importing.pipelines import results
from tests.platforms.splunk.importing.test_queries import reading

FIELDS: Final = ("b", "c", "d", "e.f", "u_x", "u_y")
VALUES: Final = ("x", "X", "y", "xy", "x-1", "5", "7", "10.0.0.1", "a.b", "")
RENAMES: Final = (
    "e.* AS *",
    "u_* AS v_*",
    "* AS p_*",
    "e.* AS z.*",
    "v_* AS u_*",
    "b AS c",
    "b AS b",
    "c AS n",
)
PATTERNS: Final = ("x", "^x", "\\\\d$", "(?i)xY", "^$", "a\\\\.b")
CAPTURES: Final = ("^(?<b>x)", "^(?<n>[a-z]+)-(?<m>.*)$", "(?<n>x|y)$", "(?<n>.)-(?<b>.)$")
AGGREGATES: Final = (
    "count",
    "count values(c) AS c",
    "values(b) AS n dc(c) AS m",
    "sum(d) AS n",
    "max(d) AS m",
)
ENDS: Final = (
    'where n="x"', "where isnull(n)", "where isnotnull(m)", 'where n!="x"', "search n=x", "search NOT n=x",
    "search m=*", "search v_x=x", "search p_b=x", "search f=x", 'where \'z.f\'!="y"', "search NOT c=*",
)  # fmt: skip


class Maker:
    """Makes searches from one source of chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._one = chance.choice

    def search(self) -> str:
        middle = [self._command() for _ in range(self._chance.randint(0, 3))]
        last = self._some(
            lambda: f"where {self._condition()}", lambda: f"search {self._term()}", lambda: self._one(ENDS)
        )
        return " | ".join(("(b=* OR NOT b=*)", *middle, last))

    def event(self) -> dict[str, str]:
        return {name: self._one(VALUES) for name in FIELDS if self._chance.random() < 0.75}

    def _name(self) -> str:
        name = self._one(FIELDS)
        return f"'{name}'" if "." in name else name

    def _literal(self) -> str:
        return self._one((f'"{self._one(VALUES)}"', f'"{self._one(VALUES)}"', "5", "0"))

    def _some(self, *makers: Callable[[], str]) -> str:
        return self._one(makers)()

    def _text(self, depth: int = 0) -> str:
        if depth > 2 or self._chance.random() < 0.5:
            return self._name()
        inner, when = partial(self._text, depth + 1), partial(self._condition, depth + 1)
        name, literal = self._name, self._literal
        return self._some(
            lambda: f"{self._one(('lower', 'upper', 'trim', 'tostring'))}({inner()})",
            lambda: f"coalesce({inner()}, {literal()})",
            lambda: f"if({when()}, {inner()}, {self._one((literal(), 'null()', 'null'))})",
            lambda: f"case({when()}, {literal()}, {when()}, {inner()})",
            lambda: f"case({when()}, {literal()}, true(), {inner()})",
            lambda: f"substr({name()}, {self._one(('1, 1', '2', '1, 2', '-1'))})",
            lambda: f"nullif({name()}, {literal()})",
            lambda: f'{name()}."-".{name()}',
            literal,
        )

    def _condition(self, depth: int = 0) -> str:
        when, text = partial(self._condition, depth + 1), partial(self._text, depth + 1)
        name, literal = self._name, self._literal
        if depth < 3 and self._chance.random() < 0.35:
            return self._some(
                lambda: f"({when()} {self._one(('AND', 'OR', 'XOR'))} {when()})", lambda: f"NOT ({when()})"
            )
        return self._some(
            lambda: f"{text()}{self._one(('=', '==', '!='))}{literal()}",
            lambda: f'like({text()}, "{self._one(("x%", "%x%", "%1", "_", "x", "%"))}")',
            lambda: f'match({text()}, "{self._one(PATTERNS)}")',
            lambda: f"{name()} IN ({literal()}, {literal()})",
            lambda: f"{self._one(('isnull', 'isnotnull'))}({text()})",
            lambda: f"{name()} {self._one(('>', '<', '>=', '<='))} {self._one((5, 6, 0))}",
            lambda: f'cidrmatch("10.0.0.0/8", {name()})',
            lambda: f"len({name()}) {self._one(('>', '=', '<'))} {self._one((0, 1, 2))}",
            lambda: f"{name()}{self._one(('=', '!='))}{name()}",
        )

    def _term(self, depth: int = 0) -> str:
        inner = partial(self._term, depth + 1)
        if depth < 2 and self._chance.random() < 0.35:
            return self._some(
                lambda: f"({inner()} {self._one(('OR', 'AND', ''))} {inner()})",
                lambda: f"NOT ({inner()} {inner()})",
            )
        name, text = self._one(FIELDS), self._one(("x", '"x*"', '"*x*"', "5", '"*1"', "x-1", '"x*y"'))
        return self._one(
            (
                f"{name}={text}",
                f'"{name}"!={text}',
                f"NOT {name}={text}",
                f"{name} IN ({text}, y)",
                f"{name}{self._one(('>', '<='))}6",
                f"{name}=*",
            )
        )

    def _command(self) -> str:
        name, made = self._one(FIELDS), self._one(("b", "d", "n", "m", "'z.f'"))
        some = " ".join(self._chance.sample((*FIELDS, "u_*", "n", "*"), 3))
        keys = " ".join(self._chance.sample(FIELDS, 2))
        return self._some(
            lambda: f"search {self._term()} {self._term()}",
            lambda: f"where {self._condition()}",
            lambda: f"eval {made}={self._text()}",
            lambda: f"eval {made}={self._text()}, n={self._text()}",
            lambda: f"rename {self._one(RENAMES)}",
            lambda: f"rename {self._one(RENAMES)}",
            lambda: f"{self._one(('fields', 'fields -', 'table'))} {some}",
            lambda: f"fillnull value={self._one((7, 0))} {name} n",
            lambda: f"dedup {name}{self._one(('', ' keepempty=true'))}",
            lambda: f'rex field={name} "{self._one(CAPTURES)}"',
            lambda: f"mvexpand {name}",
            lambda: f"stats {self._one(AGGREGATES)} by {keys}",
            lambda: f"stats count(eval({self._condition(2)})) AS n by {name}",
        )


def nested(event: dict[str, str]) -> dict[str, Any]:
    """The event as the log has it: ``e.f`` is a key of an object."""
    made: dict[str, Any] = {name: value for name, value in event.items() if "." not in name}
    return {**made, "e": {"f": event["e.f"]}} if "e.f" in event else made


@pytest.mark.no_cover  # many searches go the way of a few
@settings(max_examples=250, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_rule_matches_the_events_that_the_search_finds(chance: Random) -> None:
    """Those alone where it is exact; all of them where it is wider, or a part is left out."""
    maker = Maker(chance)
    search = maker.search()
    pipeline, _ = parse_pipeline(search, {})
    read = reading(search)
    never = {one.code for one in read.diagnostics if one.effect is not None} == {"never-matches"}
    if (read.rule is None and not never) or (read.rule is not None and read.rule.threshold is not None):
        return
    for _ in range(6):
        event = maker.event()
        found = bool(results(pipeline, event))
        matched = read.rule is not None and matches(read.rule.condition, nested(event))
        if read.status in ("exact", "refused"):
            assert matched == found, (search, event)
        else:
            assert matched or not found, (search, event)
