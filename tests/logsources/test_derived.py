"""Fields that Elastic derives: elsewhere what they are derived from is asked, with the same verdict."""

from __future__ import annotations

from typing import Any

import pytest

from converter.check.runner import RuleUnderCheck
from converter.check.samples import SamplePool
from converter.evaluate import matches
from converter.logsources import load_packs, localise
from converter.logsources.derived import asked_instead, is_derived, underived, with_derived
from converter.logsources.pack import Field
from converter.model.diagnostics import Fidelity, fidelity_of
from converter.model.expressions import FALSE, TRUE, All, AnyOf, Expression, Not, Predicate
from converter.model.load import expression_from_data, load_text
from converter.model.paths import parse_path
from converter.platforms.base import Context
from converter.platforms.registry import platform

PACKS = load_packs()
FILES = PACKS["windows.file"]
OFFICE = PACKS["m365.audit"]
DERIVING = (
    *("azure.activity", "azure.audit", "azure.signin", "gcp.audit", "m365.audit"),
    *("windows.file", "windows.file_event", "windows.registry_event", "windows.network"),
)
VALUES = [
    pytest.param(name, field, value, id=f"{name} {field.path} {value}")
    for name in DERIVING
    for field in PACKS[name].fields.values()
    for value in (*list(field.means)[:5], *(["exe"] if field.extension_of is not None else []))
]


def condition(text: dict[str, Any]) -> Expression:
    return expression_from_data(text)


def asked(text: dict[str, Any], pack: str = "windows.file") -> Expression | None:
    predicate = condition(text)
    assert isinstance(predicate, Predicate)
    path = parse_path(text["field"]).without_indexes()
    found = asked_instead(predicate, PACKS[pack].fields[path])
    return None if found is None else found[0]


def test_a_value_stands_for_its_conditions() -> None:
    field = "event.type[]"
    assert asked({"field": field, "is": "change"}) == condition({"field": "EventID", "is": 2})
    either = asked({"field": field, "is": ["creation", "deletion"]})
    assert isinstance(either, AnyOf)
    both = asked({"field": field, "is": ["creation", "deletion"], "all_of": True})
    assert isinstance(both, All)
    assert asked({"field": field, "is": "CREATION"}) is None
    assert asked({"field": field, "is": "CREATION", "ignore_case": True}) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"is": "rename"},
        {"is": ["creation", "rename"]},
        {"exists": True},
        {"starts_with": "creat"},
        {"is": "creation", "apply": ["lower"]},
        {"is": 1},
    ],
    ids=str,
)
def test_what_no_table_says_is_not_guessed(other: dict[str, Any]) -> None:
    assert asked({"field": "event.type[]", **other}) is None
    found = localise(condition({"field": "event.type[]", **other}), [FILES], "splunk")
    assert fidelity_of(found.diagnostics) is Fidelity.REFUSED


def test_what_always_holds_leaves_no_trace() -> None:
    web = {"field": "event.category[]", "is": ["web", "iam"]}
    assert asked(web, "m365.audit") == TRUE
    other = {"field": "Operation", "is": "x"}
    for text, left in (
        ({"all": [web, other]}, condition(other)),
        ({"any": [web, other]}, TRUE),
        ({"not": web}, FALSE),
        ({"any": [{"not": web}, other]}, condition(other)),
        ({"all": [{"not": web}, other]}, FALSE),
    ):
        assert localise(condition(text), [OFFICE], "panther").expression == left
        assert underived(condition(text), OFFICE) == left


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        (r"C:\Windows\a.EXE", ["EXE"]),
        ("/usr/lib/a.tar.gz", ["gz"]),
        (r"C:\x.d\plain", None),
        ("a.", None),
        ("", None),
        (None, None),
    ],
)
def test_the_extension_of_a_path(path: str | None, extension: list[str] | None) -> None:
    event = with_derived(FILES, {"TargetFilename": path})
    found = event.get("file", {}).get("extension")
    assert found == (extension[0] if extension else None)
    for asked_for in ("EXE", "gz", "d", "plain"):
        predicate = condition({"field": "file.extension", "is": asked_for})
        assert matches(predicate, event) == matches(underived(predicate, FILES), event)


@pytest.mark.parametrize("text", ["tar.gz", r"a\b", "a/b", ""])
def test_no_extension_has_a_dot_or_a_slash(text: str) -> None:
    assert asked({"field": "file.extension", "is": text}) is None


def test_an_event_gets_what_it_lacks() -> None:
    event = {"EventID": 23, "event": {"type": "creation"}}
    assert with_derived(FILES, event) == event
    assert with_derived(FILES, event, anew=True) == {"EventID": 23, "event": {"type": ["deletion"]}}
    assert with_derived(FILES, {"EventID": 23}) == {"EventID": 23, "event": {"type": ["deletion"]}}
    assert with_derived(FILES, {"EventID": 11, "event": "text"}) == {"EventID": 11, "event": "text"}
    plain = {"verb": "get"}
    assert with_derived(PACKS["kubernetes.audit"], plain, anew=True) is plain


@pytest.mark.parametrize(("name", "field", "value"), VALUES)
def test_every_siem_gives_the_rules_verdict(name: str, field: Field, value: str) -> None:
    path = f"{field.path}[]" if field.is_list else str(field.path)
    (rule,) = load_text(f"""
id: 0d5f7b7e-0000-4000-8000-000000000001
title: A rule
logsource: {name}
indicators: [{{field: "{path}", is: {value}}}, {{field: made.up, is: x}}]
exclusions: [{{all: [{{field: "{path}", is: {value}}}, {{field: made.up.too, is: x}}]}}]
""")
    checked = RuleUnderCheck(rule, PACKS, SamplePool([rule], PACKS))
    context = Context(packs=PACKS, keep_unmapped=True)
    for siem in ("panther", "splunk", "elastic"):
        artifact = platform(siem).render(rule, context)
        assert artifact.fidelity is not Fidelity.REFUSED
        pair = checked.pair(platform(siem), artifact, context)
        assert pair.problem is None or pair.problem == ""
        assert pair.events > 0
        assert not pair.disagreements


def test_the_packs_say_how() -> None:
    assert is_derived(FILES.fields[parse_path("file.extension")])
    assert not is_derived(FILES.fields[parse_path("TargetFilename")])
    inner = condition({"not": {"field": "event.type[]", "is": "change"}})
    assert underived(inner, FILES) == Not(condition({"field": "EventID", "is": 2}))
