"""The reader interprets Python: other spellings mean the same, and what it cannot say it says so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from converter.evaluate import compile_expression
from converter.model.diagnostics import RuleError
from converter.platforms.panther import PLATFORM
from converter.platforms.panther.abstract import UnreadableError
from converter.platforms.panther.fields import Fields
from converter.platforms.panther.interpreter import Interpreter
from tests.platforms.panther.support import context, render, run

EVENTS: list[dict[str, Any]] = [
    {},
    {"a": "x"},
    {"a": "y", "b": "x"},
    {"a": "X", "b": {"c": "x"}},
    {"a": 1},
    {"a": "xyz", "b": True},
    {"a": None, "b": "y"},
]

READABLE = [
    'return event.get("a") == "x" or event.deep_get("b", "c") == "x"',
    'if event.get("a") != "x":\n        return False\n    return True',
    'if event.get("a") == "x":\n        return True\n    return event.get("b") in ("x", "y")',
    'if event.get("a") == "x":\n        return False\n    elif event.get("b") == "x":\n'
    "        return True\n    return False",
    'found = event.get("a")\n    return found in ["x", "y"]',
    'return "x" == event.get("a")',
    'return not (event.get("a") == "x" and event.get("b") is None)',
    'return event.deep_get("a", default="x") == "x"',
    'return str(event.deep_get("a", default="xyz")).startswith(("x", "q"))',
    'return "y" in str(event.deep_get("a", default=""))',
    'return any(event.get("a") == name for name in NAMES)',
    'return all(event.get("a") != name for name in NAMES)',
    'return str(event.deep_get("a", default="")).lower().endswith("x")',
    'return bool(re.compile("^x.z$").search(str(event.deep_get("a", default=""))))',
    'return event.get("b") is True',
    'return event.get("a") == 1',
    "return True",
    "return False",
]
HEAD = 'import re\n\nNAMES = ("x", "y")\n\n\n'


@pytest.mark.parametrize("body", READABLE)
def test_other_spellings(body: str) -> None:
    source = f"{HEAD}def rule(event):\n    {body}\n"
    condition = compile_expression(Interpreter(source, Fields(())).condition("rule"))
    assert [condition(event) for event in EVENTS] == [run(source, event) for event in EVENTS]


UNREADABLE = [
    ('return len(event.get("a")) > 1', "Lookup"),
    ('return event.get("a")', "truth"),
    ("for x in NAMES:\n        pass\n    return True", "For"),
    ('return event.get("a", "x") == "x"', "default"),
    ("return other(event)", "other"),
    ('return event.udm("a") == "x"', "udm"),
    ('return event["a"] == "x"', "Subscript"),
    ("return unknown", "unknown"),
    ('return any(x == "a" and x == "b" for x in texts(event, "a"))', "texts"),
]


@pytest.mark.parametrize(("body", "message"), UNREADABLE)
def test_what_is_not_known_is_named_with_its_line(body: str, message: str) -> None:
    source = f"{HEAD}def other(event):\n    return True\n\n\ndef rule(event):\n    {body}\n"
    with pytest.raises(UnreadableError, match=message) as caught:
        Interpreter(source, Fields(())).condition("rule")
    assert caught.value.line == 11


BROKEN = [
    (".py", "def rule(event):", "def rule(event)"),
    (".py", "def rule(event):", "def rules(event):"),
    (".py", 'event.get("verb")', 'event.udm("verb")'),
    (".py", "    pending = nodes(event, *path)[::-1]\n", ""),
    (".yml", "Filename: a_rule.py", "Filename: other.py"),
    (".yml", "Enabled: true", "Enabled: [true"),
    (".yml", "AnalysisType: rule", "- AnalysisType: rule\n-"),
]


@pytest.mark.parametrize(("suffix", "old", "new"), BROKEN)
def test_a_broken_text_is_an_error_and_no_rule(suffix: str, old: str, new: str) -> None:
    artifact = render(indicators=[{"field": "verb", "is": "x"}, {"field": "user.groups[]", "is": "g"}])
    files = tuple(
        msgspec.structs.replace(file, text=file.text.replace(old, new))
        if file.path.endswith(suffix)
        else file
        for file in artifact.files
    )
    assert files != artifact.files
    with pytest.raises(RuleError, match=r"a_rule|8b0e4f0a"):
        PLATFORM.read_back(msgspec.structs.replace(artifact, files=files), context())


def test_types_are_strict_as_python_is() -> None:
    artifact = render(indicators=[{"field": "responseStatus.code", "is": 403}])
    files = tuple(
        msgspec.structs.replace(file, text=file.text.replace("== 403", '== "403"')) for file in artifact.files
    )
    read = PLATFORM.read_back(msgspec.structs.replace(artifact, files=files), context())
    event = {"responseStatus": {"code": 403}}
    assert compile_expression(PLATFORM.read_back(artifact, context()).condition)(event)
    assert not compile_expression(read.condition)(event)
