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
from converter.platforms.panther.library import helpers
from converter.platforms.panther.module import Module
from converter.platforms.panther.writer import fill
from tests.platforms.panther.support import context, render, run

EVENTS: list[dict[str, Any]] = [
    {},
    {"a": "x"},
    {"a": "y", "b": "x"},
    {"a": "X", "b": {"c": "x"}},
    {"a": 1},
    {"a": "xyz", "b": True},
    {"a": None, "b": "y"},
    {"a": " x "},
    {"a": "10.1.2.3"},
    {"a": "::1", "b": {"c": "::1"}},
    {"a": 0.5},
    {"a": "2024-01-01T00:00:00Z"},
    {"a": "2024-01-02", "b": {"c": "x", "d": 1}},
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
    'return event.get("a") in NAMES and event.get("a") is not None',
    'return any("x" in value for value in texts(event, "a"))',
    'return any("" in value for value in texts(event, "a"))',
    'return str(event.deep_get("a", default="")).strip(" \\t\\r\\n\\f\\v") == "x"',
    'return str(event.deep_get("a", default="")).upper() in ("X", "XYZ")',
    'return re.compile("y", re.IGNORECASE).search(str(event.deep_get("a", default=""))) is not None',
    'return bool(PATTERN.match(str(event.deep_get("a", default=""))))',
    'return bool(PATTERN.fullmatch(str(event.deep_get("a", default="xz"))))',
    'return any(number == 1 for number in numbers(values(event, "a")))',
    'return 1 in numbers(values(event, "a"))',
    'return any(-2 < number for number in numbers(values(event, "a")))',
    'return any(1 >= number for number in numbers(values(event, "a")))',
    'return any(len(value) == 3 for value in texts(event, "a"))',
    'return any(basename(value).upper() == "X" for value in texts(event, "a"))',
    'return any(value == "z" for value in parts([v.lower() for v in texts(event, "a")], "y", 1))',
    'return any(same(x, y, ignore_case=True) for x in values(event, "a") for y in values(event, "b", "c"))',
    'return any(same(value, "0.50") for value in values(event, "a"))',
    'return "xx" in [one + other for one in texts(event, "a") for other in texts(event, "a")]',
    'return any(item.get("c") == "x" and item.get("d") is None for item in items(event, "b"))',
    'return bool(texts(event, "a")) and exists(event, "a")',
    'return not texts(event, "a")',
    'return any(True for value in texts(event, "a"))',
    'return any(address.version == 4 for address in addresses(values(event, "a")))',
    'return any(in_networks(address, NETWORKS) for address in addresses(texts(event, "a")))',
    'return any(at < moment("2024-01-02") for at in moments(values(event, "a")))',
    'return any(moment("2024-01-02") <= at for at in moments(values(event, "a")))',
    'return str(event.deep_get("a", default="")) == "x" and (True or False)',
    "return True",
    "return False",
]
HEAD = 'import re\nfrom ipaddress import ip_network\n\nNAMES = ("x", "y")\nPATTERN = re.compile("x.?z")\n'
HEAD += 'NETWORKS = [ip_network(network) for network in ("10.0.0.0/8", "::1/128")]\n\n\n'
HELPERS = [name for name, helper in helpers().items() if helper.is_function]


def detection(function: str) -> str:
    """A file with this function, and every helper."""
    module = Module()
    module.use(*HELPERS)
    return fill("rule.py.j2", {"sections": [HEAD, *module.around([function])]})


@pytest.mark.parametrize("body", READABLE)
def test_other_spellings(body: str) -> None:
    source = detection(f"def rule(event):\n    {body}")
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
    ('return event.get("a") < "x"', "order"),
    ('return event.get("a") is event.get("b")', "=="),
    ('return event.get("a") in event', "in Mapped"),
    ("return str(event)", "str"),
    ('return event.get() == "x"', "look-up"),
    ('return str(event.deep_get("a", default="")).strip() == "x"', "strip"),
    ('return str(event.deep_get("a", default="")).title() == "X"', "title"),
    ("return any(NAMES)", "comprehension"),
    ("return any(x for x in NAMES if x)", "comprehension"),
    ('return all(x == "a" for x in event)', "comprehension"),
    ('return bool(re.compile("a", 2).search("a"))', "flags"),
    ('return bool(re.compile("(?<=a)b").search("a"))', "regex"),
    ('return event.get("a")() == 1', "call"),
    ("x = y = 1\n    return True", "Assign"),
    ("return lambda: True", "Lambda"),
    ('return any(x == "a" and x == "b" for x in texts(event, "a"))', "texts"),
]


@pytest.mark.parametrize(("body", "message"), UNREADABLE)
def test_what_is_not_known_is_named_with_its_line(body: str, message: str) -> None:
    source = f"{HEAD}def other(event):\n    return True\n\n\ndef rule(event):\n    {body}\n"
    with pytest.raises(UnreadableError, match=message) as caught:
        Interpreter(source, Fields(())).condition("rule")
    assert caught.value.line == 14


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
