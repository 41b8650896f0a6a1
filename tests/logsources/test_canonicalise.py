"""From stored names back to canonical ones: every declared field of every pack, and cases as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from converter.logsources import canonicalise, localise, localise_path
from converter.logsources.pack import Field, FieldType, Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression, Operator, Predicate
from converter.model.load import expression_from_data
from converter.model.paths import ANY, FieldPath, PathStep, parse_path
from converter.model.rule import Rule

from .support import WITH_OWN_FIELDS, all_packs, cases

PLATFORMS = ("elastic", "splunk", "panther", "sigma")


def _rule(*indicators: Expression, exclusions: tuple[Expression, ...] = ()) -> Rule:
    return Rule(id="", title="", logsource=(), indicators=indicators, exclusions=exclusions)


def _with_lists(pack: Pack, path: FieldPath) -> FieldPath:
    steps: list[PathStep] = []
    for size, key in enumerate(path.keys, 1):
        steps.append(key)
        field = pack.fields.get(FieldPath(path.keys[:size]))
        if field is not None and field.is_list:
            steps.append(ANY)
    return FieldPath(tuple(steps))


def _leaves(pack: Pack, platform: str) -> Iterator[Field]:
    """The declared fields that the platform stores under a name that is theirs alone.

    Those that a pack has from the one it extends are that one's to test.
    """
    others = [
        other
        for other in all_packs().values()
        if other.name < pack.name and other.fields.keys() & pack.fields
    ]
    for path, field in pack.fields.items():
        stored = field.platforms.get(platform)
        if any(other.fields.get(path) == field for other in others):
            continue
        if stored is not None and stored.shared is None and field.type is not FieldType.OBJECT:
            yield field


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", WITH_OWN_FIELDS)
def test_there_and_back(name: str, platform: str) -> None:
    """What localise makes of a condition on a field, canonicalise makes that condition again."""
    pack = all_packs()[name]
    for field in _leaves(pack, platform):
        stored = field.platforms[platform]
        word = "x\\y" if stored.join else next(iter(stored.values), "word")
        path = _with_lists(pack, field.path)
        condition = Predicate(path, Operator.IS, (word,), ignore_case=stored.case is not None)
        there = localise(condition, [pack], platform)
        back, found = canonicalise(_rule(there.expression), [pack], platform)
        assert back.indicators == (condition,), f"{path} stored as {stored.name}"
        assert not found


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", WITH_OWN_FIELDS)
def test_paths_there_and_back(name: str, platform: str) -> None:
    """The same of a path that stands for itself, as a group does."""
    pack = all_packs()[name]
    for field in _leaves(pack, platform):
        if field.platforms[platform].join:
            continue
        path = _with_lists(pack, field.path)
        stored = localise_path(path, [pack], platform).path
        rule = _rule(Predicate(stored, Operator.EXISTS))
        back, found = canonicalise(rule, [pack], platform)
        assert back.indicators in ((Predicate(path, Operator.EXISTS),), (pack.select,)) or name == "raw"
        assert not found


@pytest.mark.parametrize("case", cases("canonicalised"))
def test_conditions(case: dict[str, Any]) -> None:
    packs = [all_packs()[name] for name in case["packs"]]
    condition = expression_from_data(case["stored"])
    indicators = () if case.get("excluded") else (condition,)
    exclusions = (condition,) if case.get("excluded") else ()
    rule, found = canonicalise(_rule(*indicators, exclusions=exclusions), packs, case["platform"])
    becomes = tuple(expression_from_data(data) for data in case["becomes"])
    assert (rule.exclusions if case.get("excluded") else rule.indicators) == becomes
    assert [diagnostic.code for diagnostic in found] == case.get("says", [])


def test_every_part_of_a_rule() -> None:
    data: dict[str, Any] = {
        "threshold": {"by": ["source.ip", "user.id"], "distinct": "event.action"},
        "new_terms": ["aws.cloudtrail.user_identity.arn"],
    }
    from datetime import timedelta

    from converter.model.rule import AlertSettings, NewTerms, OutputField, Sequence, Step, Threshold

    def flat(name: str) -> FieldPath:
        return FieldPath((name,))

    week = timedelta(days=7)
    rule = Rule(
        id="",
        title="",
        logsource=("aws.cloudtrail",),
        threshold=Threshold(
            count=2,
            within=week,
            by=tuple(map(flat, data["threshold"]["by"])),
            distinct=flat(data["threshold"]["distinct"]),
        ),
        new_terms=NewTerms(fields=tuple(map(flat, data["new_terms"])), history=week),
        output=(OutputField(flat("cloud.region")), OutputField(flat("no.such"), "other")),
        alert=AlertSettings(title=("by ", flat("user.name")), group_by=(flat("event.provider"),)),
        sequence=Sequence(
            steps=(
                Step(
                    indicators=(Predicate(flat("event.action"), Operator.IS, ("a",)),),
                    by=(flat("source.ip"),),
                ),
                Step(
                    logsource=("okta.system",),
                    indicators=(Predicate(flat("event.action"), Operator.IS, ("b",)),),
                    by=(flat("okta.client.ip"),),
                ),
            )
        ),
    )
    packs = [all_packs()["aws.cloudtrail"], all_packs()["okta.system"]]
    back, found = canonicalise(rule, packs, "elastic")
    assert back.threshold is not None and back.new_terms is not None and back.sequence is not None
    assert back.threshold.by == (parse_path("sourceIPAddress"), parse_path("userIdentity.principalId"))
    assert back.threshold.distinct == parse_path("eventName")
    assert back.new_terms.fields == (parse_path("userIdentity.arn"),)
    assert [str(output.field) for output in back.output] == ["awsRegion", "no.such"]
    assert back.alert.title == ("by ", parse_path("userIdentity.userName"))
    assert back.alert.group_by == (parse_path("eventSource"),)
    first, second = back.sequence.steps
    assert first.indicators == (Predicate(parse_path("eventName"), Operator.IS, ("a",)),)
    assert second.indicators == (Predicate(parse_path("eventType"), Operator.IS, ("b",)),)
    assert (first.by, second.by) == ((parse_path("sourceIPAddress"),), (parse_path("client.ipAddress"),))
    assert [diagnostic.message for diagnostic in found] == [
        "no.such is no field of aws.cloudtrail or okta.system; its name is kept"
    ]
    assert rule.threshold is not None and rule.threshold.by[0] == flat("source.ip")


def test_a_field_outside_the_list_that_is_asked() -> None:
    condition = expression_from_data(
        {
            "for_some": '"okta.target"',
            "where": [{"field": '"okta.target.type"', "is": "User"}, {"field": '"event.action"', "is": "x"}],
        }
    )
    _, found = canonicalise(_rule(condition), [all_packs()["okta.system"]], "elastic")
    assert [(diagnostic.code, diagnostic.effect) for diagnostic in found] == [
        ("same-element", Fidelity.REFUSED)
    ]
