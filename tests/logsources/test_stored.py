"""Events and conditions in each platform's form, and that the two forms agree."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources import canonical_event, localise, localise_path, project
from converter.logsources.codes import LOSSES
from converter.logsources.naming import is_flat
from converter.logsources.pack import Field, FieldType, Pack
from converter.model.expressions import AnyOf, Expression, Not, Operator, Predicate
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath, parse_path

from .support import WITH_OWN_FIELDS, all_packs, cases

PLATFORMS = ("elastic", "splunk", "panther")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("case", cases("projections"))
def test_projection(case: dict[str, Any], platform: str) -> None:
    pack, event = all_packs()[case["pack"]], case["event"]
    before = copy.deepcopy(event)
    expected = case.get(platform, {**event, **case.get("panther_changes", {})})
    assert dict(project(pack, event, platform)) == {**expected, **pack.constants.get(platform, {})}
    assert event == before


@pytest.mark.parametrize("case", cases("variants"))
def test_canonical_form(case: dict[str, Any]) -> None:
    pack, raw = all_packs()[case["pack"]], case["raw"]
    before = copy.deepcopy(raw)
    canonical = canonical_event(pack, raw)
    assert {key: value for key, value in canonical.items() if key != "Event"} == case["canonical"]
    assert matches(pack.select, canonical) == case["belongs"]
    if not case["pack"].startswith("team."):
        assert canonical_event(pack, canonical) == canonical
    assert raw == before


@pytest.mark.parametrize("case", cases("localised"))
def test_localised(case: dict[str, Any]) -> None:
    packs = [all_packs()[name] for name in case.get("packs", [case.get("pack")])]
    condition = expression_from_data(case["condition"])
    found = localise(condition, packs, case["platform"], case.get("keep_unmapped", False))
    codes = {d.code: d.effect and d.effect.value for d in found.diagnostics}
    assert codes == case.get("codes", {})
    if "becomes" in case:
        assert found.expression == expression_from_data(case["becomes"])
    if "hint" in case:
        assert case["hint"] in str(found.diagnostics[0].hint)
    assert all(d.platform == case["platform"] for d in found.diagnostics)


@pytest.mark.parametrize(
    ("pack", "platform", "path", "stored", "kind", "is_list"),
    [
        ("kubernetes.audit", "elastic", "sourceIPs[0]", '"source.ip"[0]', "ip", True),
        ("kubernetes.audit", "elastic", "user.groups", '"kubernetes.audit.user.groups"', "text", True),
        ("kubernetes.audit", "splunk", "user.groups", '"user.groups{}"', "keyword", True),
        ("kubernetes.audit", "panther", "user.groups", "user.groups", "keyword", True),
        ("kubernetes.audit", "panther", "requestObject.spec.containers[].image",
         "requestObject.spec.containers[].image", "keyword", False),
        ("okta.system", "elastic", "target[].type", '"okta.target.type"', "flattened", True),
        ("okta.system", "elastic", "debugContext.debugData.x",
         '"okta.debug_context.debug_data.flattened.x"', "flattened", False),
        ("windows.process_creation", "elastic", "CommandLine", '"process.command_line"', "wildcard", False),
        ("aws.cloudtrail", "elastic", "eventTime", '"@timestamp"', "date", False),
        ("raw", "splunk", "a.b[].c", '"a.b{}.c"', "keyword", True),
    ],
)  # fmt: skip
def test_one_path(pack: str, platform: str, path: str, stored: str, kind: str, is_list: bool) -> None:
    found = localise_path(parse_path(path), [all_packs()[pack]], platform)
    assert found.path == parse_path(stored)
    assert found.field.type == kind
    assert found.field.is_list is is_list
    assert not found.diagnostics


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", WITH_OWN_FIELDS)
def test_every_declared_field_can_be_named(name: str, platform: str) -> None:
    """Each field of a pack is stored, or the rule is told that it is not."""
    pack = all_packs()[name]
    for path, field in pack.fields.items():
        codes = {d.code for d in localise_path(_with_lists(pack, path), [pack], platform).diagnostics}
        stored = field.platforms.get(platform)
        expected = {"not-stored"} if stored is None else {"shared-field"} if stored.shared else set()
        assert codes == expected | ({"value-change"} if stored is not None and stored.join else set())


def _with_lists(pack: Pack, path: FieldPath) -> FieldPath:
    """The path with ``[]`` behind every list that it passes."""
    steps: list[str | int | None] = []
    for depth, key in enumerate(path.keys, 1):
        steps.append(key)
        above = pack.fields.get(FieldPath(path.keys[:depth]))
        if above is not None and above.is_list:
            steps.append(None)
    return FieldPath(tuple(steps))


_VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.INTEGER: st.integers(0, 3),
    FieldType.FLOAT: st.sampled_from([0.5, 1.5]),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.IP: st.sampled_from(["10.0.0.1", "8.8.8.8", "::1"]),
    FieldType.DATE: st.sampled_from(["2026-02-03T04:05:06Z", "2026-02-03T04:05:07Z"]),
}
_TEXT = st.sampled_from(["a", "A", "ab", "b c", "1"])


@pytest.mark.parametrize("platform", ["elastic", "splunk", "panther"])
@pytest.mark.parametrize("name", [name for name in WITH_OWN_FIELDS if name != "raw"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_condition_and_event_agree_in_stored_form(name: str, platform: str, data: st.DataObject) -> None:
    """What matches as the rule is written matches as it is stored, unless the rule was told otherwise."""
    pack = all_packs()[name]
    scalars = [f for f in pack.fields.values() if f.type is not FieldType.OBJECT and platform in f.platforms]
    chosen = data.draw(st.lists(st.sampled_from(scalars), min_size=1, max_size=4, unique_by=lambda f: f.path))
    event: dict[str, Any] = {}
    for field in chosen:
        if data.draw(st.booleans()):
            _put(pack, event, field, data.draw(_value(field)))
    condition = AnyOf(tuple(_question(pack, field, data) for field in chosen))
    found = localise(condition, [pack], platform)
    if not any(diagnostic.effect for diagnostic in found.diagnostics) and not _nested(found.expression):
        assert matches(found.expression, dict(project(pack, event, platform))) == matches(condition, event)


def _value(field: Field) -> st.SearchStrategy[Any]:
    value = _VALUES.get(field.type, _TEXT)
    if any(stored.join for stored in field.platforms.values()):
        value = st.sampled_from(["LAB\\a", "A\\b c"])
    return st.lists(value, max_size=3) if field.is_list else value


def _put(pack: Pack, event: dict[str, Any], field: Field, value: Any) -> None:
    for depth, key in enumerate(field.path.keys[:-1], 1):
        above = pack.fields.get(FieldPath(field.path.keys[:depth]))
        if above is not None and above.is_list:
            event = event.setdefault(key, [{}])[0]
        else:
            event = event.setdefault(key, {})
    event[field.path.keys[-1]] = value


def _question(pack: Pack, field: Field, data: st.DataObject) -> Expression:
    operator = data.draw(st.sampled_from([Operator.IS, Operator.CONTAINS, Operator.EXISTS, Operator.CIDR]))
    operand = data.draw(_VALUES.get(field.type, _TEXT))
    values: tuple[Any, ...] = (operand,)
    if operator is Operator.EXISTS:
        values = ()
    elif operator is Operator.CIDR:
        values = ("10.0.0.0/8",)
    elif operator is Operator.CONTAINS:
        values = (str(operand),)
    asked: Expression = Predicate(_with_lists(pack, field.path), operator, values)
    return Not(asked) if data.draw(st.booleans()) else asked


def _nested(expression: Expression) -> bool:
    """Whether some part is asked of a nested field's elements, in which a stored event has other names."""
    return "ForSome" in repr(expression)


def test_fields_describe_every_stored_path() -> None:
    condition = expression_from_data(
        [
            {"field": "eventName", "is": "x"},
            {"field": "sourceIPAddress", "ip": "public"},
            {"concat": [{"field": "eventSource"}, "/"], "is": "y"},
            {"field": "awsRegion", "same_as": ["requestParameters.region"]},
        ]
    )
    found = localise(condition, [all_packs()["aws.cloudtrail"]], "elastic")
    names = {field.name: field.type for field in found.fields.values()}
    assert names == {
        "event.action": "keyword",
        "source.address": "keyword",
        "source.ip": "ip",
        "event.provider": "keyword",
        "cloud.region": "keyword",
        "aws.cloudtrail.flattened.request_parameters.region": "flattened",
    }
    assert all(str(path.steps[0]) == field.name for path, field in found.fields.items())
    assert is_flat("elastic")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_event_of_any_depth_is_stored(platform: str) -> None:
    event: dict[str, Any] = {"a": 1}
    for _ in range(5_000):
        event = {"k": event, "l": [event]} if _ < 2 else {"k": event}
    event["b"] = 2
    stored = project(all_packs()["aws.cloudtrail"], event, platform)
    assert stored["b"] == 2


def test_localising_says_what_it_cannot_read() -> None:
    with pytest.raises(TypeError, match="not an expression"):
        localise("a", [], "elastic")  # type: ignore[arg-type]


def test_every_loss_has_an_explanation_and_a_case() -> None:
    coded = {code for case in cases("localised") for code in case.values[0].get("codes", {})}
    assert coded - {"unmapped-field", "value-form"} == set(LOSSES) - {"same-element", "stand-in"}
    all_of = expression_from_data(
        {"field": "requestObject.rules[].verbs[]", "is": ["get", "list"], "all_of": True}
    )
    found = localise(all_of, [all_packs()["kubernetes.audit"]], "elastic")
    assert [(d.code, d.effect) for d in found.diagnostics] == [("same-element", "narrower")]
