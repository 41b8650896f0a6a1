"""A rule from plain data, key by key along the tables of :mod:`converter.model.tables`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from converter.model import tables
from converter.model.choices_in import read_group_keys
from converter.model.expressions_in import read_expressions
from converter.model.measures import Edge, measures
from converter.model.measures_in import read_having
from converter.model.paths import FieldPath
from converter.model.problems import Problems, Where, did_you_mean, shortened
from converter.model.rule import (
    AttackTag,
    Choice,
    Level,
    MissingKeys,
    OutputField,
    Place,
    Rule,
    RuleTest,
    Sequence,
    Status,
    Threshold,
    WindowStart,
)
from converter.model.scalars_in import LIST_PARSERS, TEXT_PARSERS, BadValue
from converter.model.tables import Key, Kind

_Reader = Callable[[object, Where, Problems], Any]
_Keys = Mapping[str, Key]


def _by_name(keys: tuple[Key, ...]) -> _Keys:
    return {key.name: key for key in keys}


_RULE_KEYS: Final = _by_name(tables.RULE_KEYS)
_OUTPUT_KEYS: Final = _by_name(tables.OUTPUT_KEYS)


def read_rule(data: object, place: Place, problems: Problems) -> Rule | None:
    """The rule that decoded data holds; None when something was reported about it."""
    before = len(problems)
    values = read_object(data, _RULE_KEYS, "a rule", None, problems)
    if not isinstance(data, dict) or values is None:
        return None
    _check_parts(data, problems)
    if len(problems) != before:
        return None
    values.setdefault("logsource", ())
    return Rule(**values, place=place)


def read_object(
    data: object, keys: _Keys, what: str, where: Where, problems: Problems
) -> dict[str, Any] | None:
    """The values of a mapping by attribute name; None when it is no mapping. Bad values are reported."""
    if not isinstance(data, dict):
        problems.wrong_type(f"{what}: a mapping with {_listed(keys)}", data, where)
        return None
    values: dict[str, Any] = {}
    for name, value in data.items():
        key = keys.get(name)
        if key is None:
            message = f"{shortened(name)} is no key of {what}; expected one of {_listed(keys)}"
            problems.add("unknown-key", message, (where, name), did_you_mean(name, keys), on_key=True)
        else:
            values[key.target] = _READERS[key.kind](value, (where, name), problems)
    for key in keys.values():
        if key.required and key.name not in data:
            problems.add("missing-key", f"{what} needs {key.name!r}: {key.kind.value}", where)
    return values


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# Readers of one kind of value each -------------------------------------------------------------------


def _text_reader(kind: Kind, parse: Callable[[str], Any]) -> _Reader:
    def read(data: object, where: Where, problems: Problems) -> Any:
        if not isinstance(data, str):
            hint = _text_hint(kind, data)
            problems.wrong_type(kind.value, data, where, hint)
            return None
        try:
            return parse(data)
        except BadValue as error:
            problems.add(error.code, str(error), where, error.hint)
            return None

    return read


def _text_hint(kind: Kind, data: object) -> str | None:
    if not isinstance(data, (int, float)):
        return None
    return f"name the unit: {data}s" if kind is Kind.DURATION else "put it in quotes to make it text"


def _list_reader(kind: Kind, read_item: _Reader) -> _Reader:
    def read(data: object, where: Where, problems: Problems) -> tuple[Any, ...]:
        if not isinstance(data, list):
            problems.wrong_type(kind.value, data, where, "write it as a list: [ … ]")
            return ()
        return tuple(read_item(item, (where, index), problems) for index, item in enumerate(data))

    return read


def _enum_reader(kind: Kind, choices: type[enum.StrEnum]) -> _Reader:
    known = {choice.value: choice for choice in choices}

    def read(data: object, where: Where, problems: Problems) -> Any:
        if isinstance(data, str) and data in known:
            return known[data]
        hint = did_you_mean(data, known)
        problems.add("unknown-name", f"expected {kind.value}: one of {_listed(known)}", where, hint)
        return None

    return read


def _integer_reader(kind: Kind, lowest: int, highest: int) -> _Reader:
    def read(data: object, where: Where, problems: Problems) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            problems.wrong_type(kind.value, data, where)
            return lowest
        if not lowest <= data <= highest:
            problems.add("out-of-range", f"expected {kind.value}, got {data}", where)
        return data

    return read


def _object_reader(kind: Kind) -> _Reader:
    struct, listed = tables.OBJECTS[kind]
    keys = _by_name(listed)
    what = "a step" if kind is Kind.STEPS else kind.value

    def read(data: object, where: Where, problems: Problems) -> Any:
        before = len(problems)
        values = read_object(data, keys, what, where, problems)
        return struct(**values) if values is not None and len(problems) == before else None

    return read


def _read_boolean(data: object, where: Where, problems: Problems) -> bool:
    if isinstance(data, bool):
        return data
    problems.wrong_type(Kind.BOOLEAN.value, data, where)
    return False


def _read_logsources(data: object, where: Where, problems: Problems) -> tuple[str, ...]:
    names: tuple[str, ...] = (
        _READERS[Kind.LINES](data, where, problems)
        if isinstance(data, list)
        else (_READERS[Kind.LINE](data, where, problems),)
    )
    if not names:
        problems.add("empty", "expected the name of a log source", where)
    _no_twins(names, where, problems)
    return names


def _read_attack(data: object, where: Where, problems: Problems) -> tuple[AttackTag, ...]:
    tags: tuple[AttackTag, ...] = _list_reader(
        Kind.ATTACK, _text_reader(Kind.ATTACK, LIST_PARSERS[Kind.ATTACK])
    )(data, where, problems)
    _no_twins(tags, where, problems)
    return tags


def _no_twins(values: tuple[Any, ...], where: Where, problems: Problems) -> None:
    for index, value in enumerate(values):
        if value is not None and value in values[:index]:
            problems.add("duplicate", f"{value} is listed twice", (where, index))


def _read_output_field(data: object, where: Where, problems: Problems) -> OutputField | None:
    if isinstance(data, str):
        path = _READERS[Kind.FIELD](data, where, problems)
        return None if path is None else OutputField(path)
    before = len(problems)
    values = read_object(data, _OUTPUT_KEYS, "an output field", where, problems)
    return OutputField(**values) if values is not None and len(problems) == before else None


def _read_output(data: object, where: Where, problems: Problems) -> tuple[Any, ...]:
    fields: tuple[OutputField | None, ...] = _list_reader(Kind.OUTPUT, _read_output_field)(
        data, where, problems
    )
    names = tuple(field.name if field else None for field in fields)
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            message = f"two output fields are called {shortened(name)}"
            problems.add("duplicate", message, (where, index), "name one of them with {field: …, as: …}")
    return fields


def _read_platforms(data: object, where: Where, problems: Problems) -> dict[str, dict[str, Any]]:
    """Settings as plain data; each platform checks its own, ``allow_loss`` is common to all."""
    if not isinstance(data, dict):
        problems.wrong_type(Kind.PLATFORMS.value, data, where)
        return {}
    for name, settings in data.items():
        place: Where = (where, name)
        if not isinstance(settings, dict):
            problems.wrong_type("a mapping of settings", settings, place)
        elif tables.ALLOW_LOSS in settings:
            _READERS[Kind.LINES](settings[tables.ALLOW_LOSS], (place, tables.ALLOW_LOSS), problems)
    return data


# Tests -----------------------------------------------------------------------------------------------


def _read_tests(data: object, where: Where, problems: Problems) -> tuple[Any, ...]:
    tests: tuple[RuleTest | None, ...] = _list_reader(Kind.TESTS, _read_test)(data, where, problems)
    seen: dict[str, int] = {}
    for index, test in enumerate(tests):
        if test is not None and seen.setdefault(test.name, index) != index:
            message = f"two tests are called {shortened(test.name)}"
            problems.add("duplicate-test", message, ((where, index), "name"), "give each its own name")
    return tests


def _read_test(data: object, where: Where, problems: Problems) -> RuleTest | None:
    before = len(problems)
    if not isinstance(data, dict):
        problems.wrong_type("a test: a mapping with name, expect, event or events", data, where)
        return None
    for name in data:
        if name not in tables.TEST_KEYS:
            message = f"{shortened(name)} is no key of a test; expected one of {_listed(tables.TEST_KEYS)}"
            hint = did_you_mean(name, tables.TEST_KEYS)
            problems.add("unknown-key", message, (where, name), hint, on_key=True)
    for name in ("name", "expect"):
        if name not in data:
            problems.add("missing-key", f"a test needs {name!r}: {tables.TEST_KEYS[name]}", where)
    if "name" in data:
        _READERS[Kind.LINE](data["name"], (where, "name"), problems)
    expect = data.get("expect", "match")
    if isinstance(expect, str):
        return _read_event_test(data, expect, where, problems, before)
    return _read_stream_test(data, expect, where, problems, before)


def _read_event_test(
    data: dict[str, Any], expect: str, where: Where, problems: Problems, before: int
) -> RuleTest | None:
    if expect not in tables.MATCH_WORDS:
        message = f"expected match, no_match or {{alerts: n}}, got {shortened(expect)}"
        problems.add("bad-expect", message, (where, "expect"), did_you_mean(expect, tables.MATCH_WORDS))
    if "events" in data:
        message = "several 'events' go with expect: {alerts: n}; match and no_match are about one 'event'"
        problems.add("bad-expect", message, (where, "events"), on_key=True)
    elif "event" not in data:
        problems.add("missing-key", f"a test needs 'event': {tables.TEST_KEYS['event']}", where)
    else:
        _check_event(data["event"], (where, "event"), problems)
    if len(problems) != before:
        return None
    return RuleTest(name=data["name"], events=(data["event"],), match=tables.MATCH_WORDS[expect])


def _read_stream_test(
    data: dict[str, Any], expect: object, where: Where, problems: Problems, before: int
) -> RuleTest | None:
    alerts = expect.get("alerts") if isinstance(expect, dict) and len(expect) == 1 else None
    if not isinstance(alerts, int) or isinstance(alerts, bool) or alerts < 0:
        message = "expected match, no_match or {alerts: n} with n of 0 or more"
        problems.add("bad-expect", message, (where, "expect"))
    events = data.get("events")
    if "event" in data:
        message = "one 'event' goes with match or no_match; {alerts: n} is about 'events'"
        problems.add("bad-expect", message, (where, "event"), on_key=True)
    elif not isinstance(events, list) or not events:
        problems.wrong_type("'events': a list of at least one event", events, (where, "events"))
    else:
        for index, event in enumerate(events):
            _check_event(event, ((where, "events"), index), problems)
    if len(problems) != before or events is None:
        return None
    return RuleTest(name=data["name"], events=tuple(events), alerts=alerts)


def _check_event(data: object, where: Where, problems: Problems) -> None:
    if not isinstance(data, dict):
        problems.wrong_type("an event: a JSON object", data, where)


# What no single key can know -------------------------------------------------------------------------


def _check_parts(data: dict[str, Any], problems: Problems) -> None:
    """The rule's parts against each other."""
    if "sequence" in data:
        for name in tables.NOT_WITH_SEQUENCE:
            if name in data:
                message = f"{name!r} cannot stand beside 'sequence'; its steps have their own conditions"
                problems.add("bad-parts", message, (None, name), on_key=True)
    elif "indicators" not in data:
        hint = did_you_mean(
            next((key for key in data if did_you_mean(key, ["indicators"])), None), ["indicators"]
        )
        problems.add("missing-key", "a rule needs 'indicators' (or a 'sequence')", None, hint)
    elif data["indicators"] == []:
        problems.add("empty", "expected at least one condition", (None, "indicators"))
    if "threshold" in data and "new_terms" in data:
        message = "'new_terms' cannot stand beside 'threshold'"
        problems.add("bad-parts", message, (None, "new_terms"), on_key=True)
    if "logsource" not in data and not _steps_have_logsources(data.get("sequence")):
        problems.add("missing-key", f"a rule needs 'logsource': {Kind.LOGSOURCES.value}", None)


def _steps_have_logsources(sequence: object) -> bool:
    steps = sequence.get("steps") if isinstance(sequence, dict) else None
    return isinstance(steps, list) and all(isinstance(step, dict) and "logsource" in step for step in steps)


def _read_threshold(data: object, where: Where, problems: Problems) -> Threshold | None:
    if isinstance(data, dict) and "count" not in data and "having" not in data:
        problems.add("missing-key", f"a threshold needs 'count' ({Kind.COUNT.value}) or 'having'", where)
        return None
    threshold: Threshold | None = _object_reader(Kind.THRESHOLD)(data, where, problems)
    if threshold is None:
        return None
    threshold = _with_choices_apart(threshold)
    every = threshold.every
    if every is not None and threshold.within > tables.MAX_TICKS * every:
        message = f"'within' holds 'every' more than {tables.MAX_TICKS:,} times"
        problems.add("out-of-range", message, (where, "every"), "look at the window less often")
    _check_first_match(threshold, where, problems)
    moments = (edge for one in measures(threshold.having) for edge in (one.start.edge, one.stop.edge))
    if every is None and Edge.END in moments:
        message = "the end of a sliding window is its last match; 'end' needs 'every'"
        problems.add("missing-key", message, (where, "having"), "add every: 5m, or say 'last'")
    return threshold


def _with_choices_apart(threshold: Threshold) -> Threshold:
    """The threshold whose ``by`` was read with fields and choices in it."""
    keys: tuple[FieldPath | Choice, ...] = threshold.by
    fields = tuple(key for key in keys if isinstance(key, FieldPath))
    choices = tuple(key for key in keys if isinstance(key, Choice))
    return msgspec.structs.replace(threshold, by=fields, choices=choices)


def _check_first_match(threshold: Threshold, where: Where, problems: Problems) -> None:
    if threshold.window is not WindowStart.FIRST_MATCH:
        return
    place: Where = (where, "window")
    if threshold.every is not None:
        message = "'every' looks at windows of the clock; none of them begins at a match"
        problems.add("bad-parts", message, place, on_key=True)
    elif threshold.count == 1 and not threshold.having:
        message = "a window that a first match begins needs a 'count' above 1, or 'having'"
        problems.add("bad-parts", message, place, "for one alert per match and time say alert.suppress_for")


def _read_sequence(data: object, where: Where, problems: Problems) -> Sequence | None:
    sequence: Sequence | None = _object_reader(Kind.SEQUENCE)(data, where, problems)
    if sequence is None:
        return None
    steps_at: Where = (where, "steps")
    if len(sequence.steps) < tables.MIN_STEPS:
        problems.add("too-few", f"a sequence has at least {tables.MIN_STEPS} steps", steps_at)
        return sequence
    for index, step in enumerate(sequence.steps):
        place: Where = (steps_at, index)
        if len(step.by) != len(sequence.steps[0].by):
            message = (
                "the steps' 'by' lists must be equally long; the n-th fields are compared with each other"
            )
            problems.add("bad-join", message, place)
        if not step.indicators:
            problems.add("empty", "expected at least one condition", (place, "indicators"))
        if step.absent and sequence.within is None:
            message = "an absent step needs the sequence's 'within': how long it must be absent"
            problems.add("missing-key", message, (place, "absent"))
        if step.absent and step.repeat != 1:
            problems.add("bad-parts", "an absent step cannot repeat", (place, "repeat"), on_key=True)
    if all(step.absent for step in sequence.steps):
        problems.add("bad-parts", "at least one step must be present", steps_at)
    return sequence


def _read_new_terms(data: object, where: Where, problems: Problems) -> Any:
    terms = _object_reader(Kind.NEW_TERMS)(data, where, problems)
    if terms is not None:
        place: Where = (where, "fields")
        if not 1 <= len(terms.fields) <= tables.MAX_NEW_TERMS_FIELDS:
            message = f"expected 1 to {tables.MAX_NEW_TERMS_FIELDS} fields, got {len(terms.fields)}"
            problems.add("out-of-range", message, place)
        _no_twins(terms.fields, place, problems)
    return terms


_READERS: Final[dict[Kind, _Reader]] = {
    **{kind: _text_reader(kind, parse) for kind, parse in TEXT_PARSERS.items()},
    **{kind: _list_reader(kind, _text_reader(kind, parse)) for kind, parse in LIST_PARSERS.items()},
    **{kind: _object_reader(kind) for kind in (Kind.ALERT, Kind.RISK)},
    Kind.THRESHOLD: _read_threshold,
    Kind.MISSING_KEYS: _enum_reader(Kind.MISSING_KEYS, MissingKeys),
    Kind.WINDOW_START: _enum_reader(Kind.WINDOW_START, WindowStart),
    Kind.HAVING: read_having,
    Kind.GROUP_KEYS: read_group_keys,
    Kind.ATTACK: _read_attack,
    Kind.LEVEL: _enum_reader(Kind.LEVEL, Level),
    Kind.STATUS: _enum_reader(Kind.STATUS, Status),
    Kind.LOGSOURCES: _read_logsources,
    Kind.EXPRESSIONS: read_expressions,
    Kind.SEQUENCE: _read_sequence,
    Kind.STEPS: _list_reader(Kind.STEPS, _object_reader(Kind.STEPS)),
    Kind.NEW_TERMS: _read_new_terms,
    Kind.OUTPUT: _read_output,
    Kind.PERCENT: _integer_reader(Kind.PERCENT, 0, 100),
    Kind.COUNT: _integer_reader(Kind.COUNT, 1, tables.MAX_COUNT),
    Kind.BOOLEAN: _read_boolean,
    Kind.PLATFORMS: _read_platforms,
    Kind.TESTS: _read_tests,
}
