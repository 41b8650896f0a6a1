"""Every place of a rule that takes text, found in the model itself, and two hundred texts to put there."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

import msgspec
import yaml

from converter import Rule, RuleError
from converter.model.load import load_text
from converter.model.paths import FieldPath
from tests.strategies import HOSTILE

PLATFORMS: Final = ("panther", "elastic", "splunk")
MARK: Final = "harmless"
"""A text that no language takes for anything else, to compare with."""

_CLOSERS: Final = (
    "'", '"', "'''", '"""', "`", "]", ")", "}}", "\\", "\\\"", "|", "#", "*/", "\n", "\r", "%}", '"]', "';",
)  # fmt: skip
_PAYLOADS: Final = (
    " or true", " OR *:*", " | delete", "\nimport os\n", "\n[other]\nkey = 1\n", "\nother: {a: b}\n# ", " //",
)  # fmt: skip
TEXTS: Final = tuple(
    dict.fromkeys([*HOSTILE, *(f"a{closer}{payload}" for closer in _CLOSERS for payload in _PAYLOADS)])
)
"""What breaks careless printers, and what ends a string, a list or a call of some language and goes on."""

Change = dict[str, Any]


def _path(text: str, *, within: str = "requestObject") -> str:
    return f"{within}.{json.dumps(text, ensure_ascii=False)}"


def _title(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _where(**condition: Any) -> Change:
    return {"indicators": [{"field": "verb", "is": "get"}, condition]}


def _operand(operator: str) -> Callable[[str], Change]:
    return lambda text: _where(field="user.username", **{operator: [text, "other"]})


def _counting(**threshold: Any) -> Change:
    return {"threshold": {"count": 2, "within": "15m", **threshold}}


def _chosen(**alternative: Any) -> Change:
    """Counted by a choice of this alternative and another."""
    when = [{"field": "impersonatedUser", "exists": True}]
    return _counting(by=[{"choice": [{**alternative, "when": when}, {"field": "user.username"}]}])


def _steps(**step: Any) -> Change:
    indicators = [{"field": "verb", "is": "get"}]
    other = {"indicators": indicators, "by": ["user.username"]}
    return {
        "indicators": None,
        "output": None,
        "sequence": {"within": "5m", "steps": [{**other, **step}, other]},
    }


PLACES: Final[dict[str, Callable[[str], Change]]] = {
    "Rule.title": lambda text: {"title": text},
    "Rule.description": lambda text: {"description": text},
    "Rule.false_positives": lambda text: {"false_positives": [text, "another"]},
    "Rule.references": lambda text: {"references": [text, "another"]},
    "Rule.runbook": lambda text: {"runbook": text},
    "Rule.author": lambda text: {"author": text},
    "Rule.tags": lambda text: {"tags": [text, "another"]},
    "RuleTest.name": lambda text: {"tests": [{"name": text, "expect": "match", "event": {"verb": "get"}}]},
    "RuleTest.events: value": lambda text: {
        "tests": [{"name": "it", "expect": "match", "event": {"verb": "get", "userAgent": text}}]
    },
    "RuleTest.events: key": lambda text: {
        "tests": [{"name": "it", "expect": "match", "event": {"verb": "get", "requestObject": {text: "x"}}}]
    },
    "OutputField.alias": lambda text: {"output": [{"field": "verb", "as": text}]},
    "OutputField.field": lambda text: {"output": [{"field": _path(text), "as": "shown"}]},
    "AlertSettings.title: text": lambda text: {"alert": {"title": f"{_title(text)} by {{user.username}}"}},
    "AlertSettings.title: field": lambda text: {"alert": {"title": f"by {{{_path(text)}}}"}},
    "AlertSettings.group_by": lambda text: {"alert": {"group_by": [_path(text)]}},
    "Threshold.by": lambda text: _counting(by=[_path(text)]),
    "Alternative.subject: field": lambda text: _chosen(field=_path(text)),
    "Alternative.subject: text": lambda text: _chosen(text=text),
    "Threshold.distinct": lambda text: _counting(distinct=_path(text)),
    "Measure.field": lambda text: {
        "threshold": {"within": "15m", "every": "15m", "having": [{"distinct": _path(text), "gte": 2}]}
    },
    "NewTerms.fields": lambda text: {"new_terms": {"fields": [_path(text)], "history": "7d"}},
    "Step.name": lambda text: _steps(name=text),
    "Step.by": lambda text: _steps(by=[_path(text)]),
    "Predicate.subject": lambda text: _where(field=_path(text), **{"is": "x"}),
    "Predicate.values: is": _operand("is"),
    "Predicate.values: starts_with": _operand("starts_with"),
    "Predicate.values: ends_with": _operand("ends_with"),
    "Predicate.values: contains": _operand("contains"),
    "Predicate.values: like": _operand("like"),
    "Predicate.values: regex": lambda text: _where(field="userAgent", regex=re.escape(text)),
    "Predicate.values: ignore_case": lambda text: _where(field="userAgent", ignore_case=True, contains=text),
    "Predicate.values: all_of": lambda text: _where(
        field="user.groups[]", all_of=True, contains=[text, "other"]
    ),
    "Predicate.values: same_as": lambda text: _where(field="userAgent", same_as=_path(text)),
    "Derived.subject: field": lambda text: _where(
        field="userAgent", ends_with={"field": _path(text), "apply": ["lower"]}
    ),
    "Derived.subject: text": lambda text: _where(
        field="userAgent", same_as={"concat": [{"field": "verb"}, text]}
    ),
    "Predicate.values: excluded": lambda text: {"exclusions": [{"field": "userAgent", "is": text}]},
    "Concat.parts": lambda text: _where(
        concat=[{"field": "user.username"}, text, {"field": "verb"}], **{"is": f"a{text}b"}
    ),
    "Function.separator": lambda text: _where(
        field="userAgent", apply=[{"split": text, "index": 1}], **{"is": "x"}
    ),
    "Function.path": lambda text: _where(
        field="userAgent", apply=[{"json": _path(text, within="details")}], **{"is": "x"}
    ),
    "ForSome.path": lambda text: _where(
        for_some=_path(text), where=[{"field": "name", "is": "x"}, {"field": "kind", "is": "y"}]
    ),
}
"""``class.field`` of the model, with what of it if there are several, → how a text is put there."""

NO_TEXT: Final = {
    "Rule.id": "a UUID",
    "Rule.logsource": "the name of a log source at hand",
    "Step.logsource": "the name of a log source at hand",
    "Rule.created": "a date",
    "Rule.updated": "a date",
    "Rule.platforms": "the settings of each platform, which are places of their own",
    "AttackTag.tactic": "an identifier of ATT&CK's table",
    "AttackTag.technique": "an identifier of ATT&CK's table",
    "Place.file": "where the rule was read from",
    "FieldPath.steps": "the paths are places of their own",
}
"""Fields of the model that hold text, and no text of the author's choice."""


def text_fields() -> set[str]:
    """Every field of the model's structs that may hold text or a path, as ``class.field``."""
    found: set[str] = set()
    seen: set[type] = set()
    pending: list[type] = [Rule]
    while pending:
        struct = pending.pop()
        if struct in seen:
            continue
        seen.add(struct)
        for name, hint in typing.get_type_hints(struct).items():
            parts = set(_types_in(hint))
            if parts & {str, FieldPath, Any}:
                found.add(f"{struct.__name__}.{name}")
            pending += [one for one in parts if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return found


def _types_in(hint: Any) -> Iterator[Any]:
    """The types that a hint is made of; a forward reference inside an alias is looked up in its module."""
    if isinstance(hint, typing.ForwardRef):
        hint = next(
            getattr(module, hint.__forward_arg__)
            for name in ("expressions", "measures")
            if hasattr(module := import_module(f"converter.model.{name}"), hint.__forward_arg__)
        )
    yield hint
    for argument in typing.get_args(hint):
        if not isinstance(hint, typing.ForwardRef) and argument is not hint:
            yield from _types_in(argument)


@cache
def settings_places() -> dict[str, Callable[[str], Change]]:
    """The settings of each platform that take text."""
    found: dict[str, Callable[[str], Change]] = {}
    for name in PLATFORMS:
        settings = import_module(f"converter.platforms.{name}.settings").Settings
        for field in msgspec.structs.fields(settings):
            kind = msgspec.inspect.type_info(field.type)
            several = isinstance(kind, msgspec.inspect.VarTupleType)
            if str not in set(_types_in(field.type)) or field.name == "allow_loss":
                continue
            found[f"{name}: {field.encode_name}"] = _setting(name, field.encode_name, several)
    for key in ("risk_objects", "threat_objects"):
        found[f"splunk: {key}"] = _object_of_splunk(key)
    return found


def _object_of_splunk(key: str) -> Callable[[str], Change]:
    return lambda text: {"platforms": {"splunk": {key: [{"field": text, "type": "user"}]}}}


def _setting(name: str, key: str, several: bool) -> Callable[[str], Change]:
    return lambda text: {"platforms": {name: {key: [text] if several else text}}}


def rule_with(change: Change) -> Rule | None:
    """A rule with these parts, or None where the loader refuses them and says why."""
    data: dict[str, Any] = {
        "id": "0d5f7b7e-0000-4000-8000-000000000001",
        "title": "A rule",
        "logsource": "kubernetes.audit",
        "indicators": [{"field": "verb", "is": "get"}],
        "output": ["verb"],
        **change,
    }
    text = yaml.safe_dump(
        {key: value for key, value in data.items() if value is not None},
        allow_unicode=True,
        default_style='"',  # 1e3 and 0o17 stay text
    )
    text = re.sub(r'!!(?:int|bool|float) "([^"]*)"', r"\1", text)
    try:
        (rule,) = load_text(text)
    except RuleError as error:
        assert error.diagnostics
        return None
    return rule
