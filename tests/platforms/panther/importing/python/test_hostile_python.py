"""Texts that mean no good: broken, deep, wide or endless ones end soon, with a diagnostic."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.model.diagnostics import Fidelity
from tests.platforms.panther.importing.python.support import cases, python_of, read
from tests.timing import at_most

_SECONDS = 4.0
_TEXTS = [python_of(case) for case in cases().values()]
_TOKENS = st.sampled_from(
    [
        "event",
        "(",
        ")",
        "[",
        "]",
        "not ",
        "None",
        ".get",
        "for x in ",
        "if ",
        "==",
        "'a'",
        "lambda: ",
        "*",
        ":",
        "\n    ",
        "0",
    ]
)
_HOSTILE = {
    "deep": "def rule(event):\n    return " + "(" * 150 + "event.get('a')" + ")" * 150,
    "nested": "def rule(event):\n    return " + "not " * 3000 + "event.get('a')",
    "wide": "def rule(event):\n    return " + " or ".join(f"event.get('a{i}') == {i}" for i in range(3000)),
    "alternating": "def rule(event):\n    return "
    + " and ".join(f"(event.get('a{i}') == 'x' or event.get('b{i}') == 'y')" for i in range(60)),
    "branches": "def rule(event):\n    n = 0\n"
    + "".join(f"    if event.get('a{i}'):\n        n += 1\n" for i in range(40))
    + "    return n > 3",
    "loops": "def rule(event):\n"
    + "".join("    " * (i + 1) + f"for x{i} in range(300):\n" for i in range(6))
    + "    " * 7
    + "pass\n    return True",
    "recursion": "def f(e, n):\n"
    "    return f(e, n + 1) or f(e, n + 2)\n"
    "def rule(event):\n"
    "    return f(event, 0)",
    "doubling": "A = ['x' * 1000] * 1000\n"
    + "".join(f"{chr(66 + i)} = {chr(65 + i)} + {chr(65 + i)}\n" for i in range(20))
    + "def rule(event):\n    return event.get('a') in U",
    "power": "def rule(event):\n    return 9 ** 9 ** 9 ** 9 > 1",
    "shift": "def rule(event):\n    return 1 << 10 ** 10 > 1",
    "format": "def rule(event):\n    return '{:>999999999}'.format('a') == 'b' or '%999999999d' % 1 == 'b'",
    "regex": "import re\n"
    "def rule(event):\n"
    "    return bool(re.search('(a+)+' * 50 + '$', event.get('a', '')))",
    "comprehension": "def rule(event):\n"
    "    return any([x * y for x in range(9999) for y in range(9999) for z in range(9999)])",
    "cycle": "A = B\nB = A\ndef rule(event):\n    return event.get('a') == A",
}


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_texts_end_soon(name: str) -> None:
    """Whatever is read, or refused, is so in processor time that a folder of rules can afford."""
    with at_most(_SECONDS):
        found = read({}, _HOSTILE[name])
    assert found.fidelity is not Fidelity.REFUSED or found.diagnostics


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_changed_texts_give_diagnostics(data: st.DataObject) -> None:
    """A case with a piece taken out, put in or doubled: never an exception, never long."""
    text = data.draw(st.sampled_from(_TEXTS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    changed = (
        text[:start] + data.draw(st.one_of(st.just(""), _TOKENS, st.just(text[start:end] * 2))) + text[end:]
    )
    with at_most(_SECONDS):
        found = read({}, changed)
    assert found.fidelity is not Fidelity.REFUSED or found.diagnostics
