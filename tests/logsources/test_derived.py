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


def agree(text: str) -> None:
    """Every SIEM writes the rule, and its reader gives the rule's verdicts."""
    (rule,) = load_text(text)
    checked = RuleUnderCheck(rule, PACKS, SamplePool([rule], PACKS))
    context = Context(packs=PACKS, keep_unmapped=True)
    for siem in ("panther", "splunk", "elastic"):
        artifact = platform(siem).render(rule, context)
        assert artifact.fidelity is not Fidelity.REFUSED
        pair = checked.pair(platform(siem), artifact, context)
        assert not pair.problem
        assert pair.events > 0
        assert not pair.disagreements


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


MD5, IMPHASH = "0123456789ABCDEF" * 2, "FEDCBA9876543210" * 2
STARTED = PACKS["windows.process_creation"]


def test_a_list_of_hashes_is_taken_apart_and_put_together() -> None:
    event = with_derived(STARTED, {"Hashes": f"MD5={MD5},IMPHASH={IMPHASH},SHA1=0,OTHER=1"})
    assert event["process"] == {"hash": {"md5": MD5.lower()}, "pe": {"imphash": IMPHASH.lower()}}
    assert with_derived(STARTED, event) == event
    parts = {"process": event["process"]}
    assert with_derived(STARTED, parts)["Hashes"] == f"MD5={MD5},IMPHASH={IMPHASH}"
    broken = {"process": {"hash": {"md5": "short"}}}
    assert with_derived(STARTED, broken) == broken
    assert with_derived(STARTED, broken, anew=True) == {"process": {"hash": {"md5": None}}}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (f"MD5={MD5}", {"field": "process.hash.md5", "is": MD5.lower()}),
        (f"imphash={IMPHASH}", {"field": "process.pe.imphash", "is": IMPHASH.lower()}),
        (f"MD5={MD5}0", None),
        (f"MD5={MD5[:-1]}", None),
        (MD5, None),
        (f"SHA512={MD5}", None),
        ("IMPHASH=" + "0" * 32, None),
    ],
)
def test_one_hash_of_a_list_is_asked_by_its_own_field(text: str, becomes: dict[str, Any] | None) -> None:
    found = asked({"field": "Hashes", "contains": text, "ignore_case": True}, "windows.process_creation")
    assert found == (None if becomes is None else condition(becomes))
    assert asked({"field": "Hashes", "contains": text}, "windows.process_creation") is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("windows.process_creation", "Hashes"),
        ("windows.driver_load", "Hashes"),
        ("windows.image_load", "Hashes"),
        ("windows.create_stream_hash", "Hash"),
    ],
)
def test_hashes_have_the_same_verdict_on_every_siem(name: str, field: str) -> None:
    agree(f"""
id: 0d5f7b7e-0000-4000-8000-000000000001
title: A rule
logsource: {name}
indicators:
  - {{field: {field}, contains: ["MD5={MD5}", "IMPHASH={IMPHASH}"], ignore_case: true}}
exclusions: [{{field: {field}, contains: "SHA1={MD5}01234567", ignore_case: true}}]
""")


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
    agree(f"""
id: 0d5f7b7e-0000-4000-8000-000000000001
title: A rule
logsource: {name}
indicators: [{{field: "{path}", is: {value}}}, {{field: made.up, is: x}}]
exclusions: [{{all: [{{field: "{path}", is: {value}}}, {{field: made.up.too, is: x}}]}}]
""")


def test_the_packs_say_how() -> None:
    assert is_derived(FILES.fields[parse_path("file.extension")])
    assert not is_derived(FILES.fields[parse_path("TargetFilename")])
    inner = condition({"not": {"field": "event.type[]", "is": "change"}})
    assert underived(inner, FILES) == Not(condition({"field": "EventID", "is": 2}))
