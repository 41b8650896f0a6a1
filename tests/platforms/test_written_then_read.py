"""Random rules, written for a platform and read again by its importer, keep their verdicts.

A rule asks about fields that a log source declares, and the events have values of the declared types. What
a writer or a reader names as a loss may differ in the direction that it names, and in no other.
"""

from __future__ import annotations

import copy
import re
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources import load_packs
from converter.logsources.forms import form_of
from converter.logsources.pack import Field, FieldType
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.expressions import All, AnyOf, Expression, Not, Operator, Predicate
from converter.model.paths import ANY, FieldPath
from converter.model.rule import Rule, Threshold
from converter.platforms.base import Context, ReadContext, ReadRule, Source
from converter.platforms.registry import platform, readable_names, reader

BASES: Final[dict[str, dict[str, Any]]] = {
    "aws.cloudtrail": {"eventVersion": "1.08", "eventSource": "s3.amazonaws.com", "eventName": "GetObject"},
    "gcp.audit": {"protoPayload": {"serviceName": "storage.googleapis.com"}},
    "github.audit": {"action": "repo.create", "actor": "octocat"},
    "kubernetes.audit": {"kind": "Event", "apiVersion": "audit.k8s.io/v1"},
    "linux.process": {"event": {"category": ["process"]}, "host": {"os": {"type": "linux"}}},
    "okta.system": {"eventType": "user.session.start", "actor": {"alternateId": "a@example.com"}},
    "windows.process_creation": {"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational"},
}
"""Log sources of different shapes (flat and nested, with lists, renamed fields, numbers and addresses), and
the least that an event of each has."""

TEXTS: Final = (
    "root", "Root", "admin user", "a*b", "a?b", "*", "?", "AND", "x or y", " lead", "trail ", "\\", "\\\\",
    "C:\\Temp\\a.exe", 'say "hi"', "'", "a\nb", "zürich", "ZÜRICH", "{x}", "true", "403", "/usr/bin/sh",
    "日本", "100%", "a_b", "$user$", "10.0.0.0/8", "-", "x,y",
)  # fmt: skip
ADDRESSES: Final = ("10.1.2.3", "8.8.8.8", "127.0.0.1", "::1", "2001:db8::1")
MOMENTS: Final = ("2026-01-15T00:00:00Z", "2026-01-15T10:00:00.500Z", "2026-01-16T00:00:00Z")
NUMBERS: Final = (0, 1, 2, 7, 403, 404)
ACCOUNTS: Final = ("ACME\\root", "NT AUTHORITY\\SYSTEM", "acme\\admin user")
"""Values of fields that some platform stores in parts."""
RECEIVED: Final = FieldPath(("event", "original"))
TEXT_OPERATORS: Final = (
    Operator.IS,
    Operator.STARTS_WITH,
    Operator.ENDS_WITH,
    Operator.CONTAINS,
    Operator.LIKE,
)
ORDERS: Final = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)


def scalars(kind: FieldType) -> st.SearchStrategy[Any]:
    """Values as a field of this type has them."""
    return {
        FieldType.INTEGER: st.sampled_from(NUMBERS),
        FieldType.FLOAT: st.sampled_from((*NUMBERS, 0.5)),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.IP: st.sampled_from(ADDRESSES),
        FieldType.DATE: st.sampled_from(MOMENTS),
    }.get(kind, st.sampled_from(TEXTS))


@cache
def fields_of(name: str) -> list[Field]:
    """A log source's fields that hold scalars or lists of them, outside lists of objects."""
    fields = load_packs()[name].fields
    lists = {path.steps for path, field in fields.items() if field.is_list}
    return [
        field
        for path, field in fields.items()
        if field.type not in (FieldType.OBJECT, FieldType.NESTED, FieldType.FLATTENED)
        and not any(path.steps[:size] in lists for size in range(1, len(path.steps)))
    ]


@st.composite
def predicates(draw: st.DrawFn, fields: list[Field]) -> Expression:
    """A question that fits the type of its field."""
    field = draw(st.sampled_from(fields))
    path = FieldPath((*field.path.steps, ANY)) if field.is_list else field.path
    if draw(st.integers(0, 7)) == 0:
        return Predicate(path, Operator.EXISTS)
    told = scalars(field.type) if form_of(field) is None else st.sampled_from((*ACCOUNTS, *TEXTS))
    values = tuple(draw(st.lists(told, min_size=1, max_size=3, unique_by=repr)))
    match field.type:
        case FieldType.INTEGER | FieldType.FLOAT | FieldType.DATE:
            operator = draw(st.sampled_from((Operator.IS, *ORDERS)))
            return Predicate(path, operator, values[:1] if operator in ORDERS else values)
        case FieldType.BOOLEAN:
            return Predicate(path, Operator.IS, values[:1])
        case FieldType.IP:
            if draw(st.booleans()):
                return Predicate(path, Operator.IS, values)
            return Predicate(path, Operator.CIDR, ("10.0.0.0/8", "2001:db8::/32"))
        case _:
            operator = draw(st.sampled_from(TEXT_OPERATORS))
            return Predicate(path, operator, values, ignore_case=draw(st.booleans()))


def conditions(fields: list[Field]) -> st.SearchStrategy[Expression]:
    """Boolean trees over a few fields."""
    return st.recursive(
        predicates(fields),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: All(tuple(terms))),
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: AnyOf(tuple(terms))),
            inner.map(Not),
        ),
        max_leaves=5,
    )


@st.composite
def log_events(draw: st.DrawFn, room: str, fields: list[Field]) -> dict[str, Any]:
    """An event of the log source with some of the fields, each of its type and form. The text as it was
    received is no field that an event may lack.
    """
    found: dict[str, Any] = copy.deepcopy(BASES[room])
    there = draw(st.lists(st.sampled_from(fields), unique_by=lambda one: one.path))
    received = [field for field in fields if field.path == RECEIVED and field not in there]
    for field in (*there, *received):
        form = form_of(field)
        value = scalars(field.type) if form is None else st.sampled_from(ACCOUNTS)
        assert form is None or all(re.search(form, account) for account in ACCOUNTS)
        filled = draw(st.lists(value, min_size=1, max_size=2)) if field.is_list else draw(value)
        place = found
        *parents, last = map(str, field.path.steps)
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = filled
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, list[dict[str, Any]]]:
    """A rule of a log source, and events of it."""
    room = draw(st.sampled_from(sorted(BASES)))
    fields = draw(
        st.lists(st.sampled_from(fields_of(room)), min_size=1, max_size=4, unique_by=lambda one: one.path)
    )
    counted = [field.path for field in fields if not field.is_list]
    threshold = None
    if counted and draw(st.integers(0, 3)) == 0:
        within = draw(st.sampled_from([timedelta(minutes=5), timedelta(hours=1)]))
        threshold = Threshold(count=draw(st.integers(2, 50)), within=within, by=tuple(counted[:2]))
    rule = Rule(
        id=str(draw(st.uuids(version=4))),
        title="A rule that was made",
        description="Made to be written and read again.",
        logsource=(room,),
        indicators=(draw(conditions(fields)),),
        exclusions=tuple(draw(st.lists(conditions(fields), max_size=1))),
        threshold=threshold,
    )
    belongs = log_events(room, fields).filter(lambda made: matches(load_packs()[room].select, made))
    return rule, draw(st.lists(belongs, min_size=1, max_size=8))


def effects(diagnostics: tuple[Diagnostic, ...]) -> set[Fidelity]:
    return {found.effect for found in diagnostics if found.effect is not None}


def written_and_read(rule: Rule, name: str) -> tuple[list[ReadRule], set[Fidelity]]:
    """The rule as its platform's importer reads it (each form of it, none if the writer refuses), and the
    losses that the writer names.
    """
    packs = load_packs()
    artifact = platform(name).render(rule, Context(packs=packs))
    if artifact.fidelity is Fidelity.REFUSED:
        return [], set()
    with tempfile.TemporaryDirectory() as folder:
        for file in artifact.files:
            path = Path(folder, file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        found: list[ReadRule] = []
        for file in artifact.files:
            path = Path(folder, file.path)
            if reader(name).is_rule_file(path):
                found += reader(name).read(Source(file=str(path), text=file.text), ReadContext(packs=packs))
    assert found, "what was written is no rule file for the reader"
    return found, effects(artifact.diagnostics)


def compare(case: tuple[Rule, list[dict[str, Any]]], name: str) -> None:
    rule, happened = case
    found, named = written_and_read(rule, name)
    event("refused" if not found else found[0].status)
    for one in found:
        if one.rule is None:  # what is true of every event, or of none, is no rule
            codes = {problem.code for problem in one.diagnostics}
            verdicts = {matches(rule.condition, happening) for happening in happened}
            assert codes & {"nothing-left", "never-matches"}, one.diagnostics
            assert verdicts == {"nothing-left" in codes}
            continue
        allowed = named | effects(one.diagnostics)
        if any(matches(rule.condition, happening) for happening in happened):
            assert set(one.rule.logsource) >= set(rule.logsource)  # a contradiction may be of any source
        for happening in happened:
            ours, theirs = matches(rule.condition, happening), matches(one.rule.condition, happening)
            if ours != theirs:
                named_here = (Fidelity.WIDER if theirs else Fidelity.NARROWER) in allowed
                assert named_here, (happening, ours, one.rule.condition)
        if not allowed:
            assert counted(one.rule) == counted(rule)


def counted(rule: Rule) -> tuple[Any, ...] | None:
    """What a threshold counts."""
    found = rule.threshold
    return None if found is None else (found.count, found.by, found.within, found.distinct)


QUIET: Final = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.parametrize("name", readable_names())
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(case=cases())
def test_verdicts_are_kept(case: tuple[Rule, list[dict[str, Any]]], name: str) -> None:
    compare(case, name)


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.parametrize("name", readable_names())
@settings(max_examples=2_000, deadline=None, suppress_health_check=QUIET)
@given(case=cases())
def test_verdicts_are_kept_in_two_thousand_cases(case: tuple[Rule, list[dict[str, Any]]], name: str) -> None:
    compare(case, name)
