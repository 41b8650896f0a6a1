"""What one detection asks of one event, however it is written: in Python, a class, match expressions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.logsources import find_packs
from converter.logsources.guard import guard
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import All, AnyOf, Expression, all_of
from converter.model.paths import FieldPath
from converter.model.rule import Choice, Level, MissingKeys, OutputField
from converter.platforms.base import ReadContext
from converter.platforms.panther.importing import metadata
from converter.platforms.panther.importing.beside import Surroundings
from converter.platforms.panther.importing.documents import Document
from converter.platforms.panther.importing.findings import PLATFORM, Findings
from converter.platforms.panther.importing.keys import KeyProblem, specified, template
from converter.platforms.panther.importing.match import MatchReader
from converter.platforms.panther.importing.python import PythonSource, Shapes, read_detection
from converter.platforms.panther.importing.written import as_written

RAW: Final = "raw"
_FILTERS: Final = ("include_filters", "exclude_filters")


class Logic(msgspec.Struct, frozen=True, kw_only=True):
    """A detection over the paths of the raw event.

    ``group_by_known``: whether ``group_by`` is all that alerts are grouped by. ``missing_keys``: what becomes
    of an event that lacks one of those fields; its text, or a default, is a group like others. ``join``: the
    fields of a sequence's join key, if the alert's context has one.
    """

    packs: tuple[Pack, ...]
    condition: Expression
    title: tuple[str | FieldPath, ...] = ()
    output: tuple[OutputField, ...] = ()
    group_by: tuple[FieldPath, ...] = ()
    group_by_known: bool = True
    keys: tuple[FieldPath | Choice, ...] | None = None
    missing_keys: MissingKeys = MissingKeys.GROUP
    distinct: FieldPath | None = None
    severity: Level | None = None
    join: tuple[FieldPath, ...] | None = None


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """A unit test of a detection: its event, and whether ``rule()`` is to be true of it."""

    __test__ = False  # not a test class, whatever its name makes pytest think

    name: str
    event: dict[str, Any] | None
    expected: bool
    mocked: bool


def read_logic(
    document: Document, python: PythonSource | None, context: ReadContext, findings: Findings
) -> Logic | None:
    """What a document asks; None where it says nothing that could be read, which is a finding.

    ``python``: the class, or the file asked for; else the file that the specification names is looked for.
    """
    data = document.data
    packs = log_sources(document, context)
    shapes = Shapes(packs, [test.event for test in tests(data) if test.event is not None])
    surroundings = Surroundings(document.file, context.beside)
    logic: Logic | None = None
    if "Detection" in data:
        logic = _simple(data, packs, shapes, findings)
    elif (source := python or _named(data, surroundings, findings)) is not None:
        logic = _python(source, data, packs, shapes, surroundings, findings)
    if logic is None:
        return None
    if data.get("InlineFilters"):
        filters = MatchReader(shapes, findings).condition(data["InlineFilters"], ("InlineFilters",))
        logic = msgspec.structs.replace(logic, condition=all_of(logic.condition, filters))
    for name in _FILTERS:
        if data.get(name):
            message = f"{name} are Python functions that are not read"
            findings.leave_out("python-filter", message, (name,), name)
    return _told_apart(logic, document, context)


def log_sources(document: Document, context: ReadContext) -> tuple[Pack, ...]:
    """The packs of the log types; of those that share one, the one that the file's folder is named for."""
    names = metadata.texts(document.data.get("LogTypes"))
    found = find_packs(PLATFORM, {"log_types": names}, context.packs)
    home = context.packs.get(Path(document.file).parent.name)
    own = _types(home)
    if home is not None and own & {name.lower() for name in names}:
        found = [home, *(pack for pack in found if not own & _types(pack))]
    return tuple({pack.name: pack for pack in found}.values()) or (context.packs[RAW],)


def _told_apart(logic: Logic, document: Document, context: ReadContext) -> Logic:
    """The detection with the log sources whose guards it has among its conditions; else with all of its log
    types. A choice between the guards of several is said by naming those.
    """
    terms = logic.condition.terms if isinstance(logic.condition, All) else (logic.condition,)
    if all(_is_among(guard([pack], PLATFORM), terms) for pack in logic.packs):
        return logic
    names = metadata.texts(document.data.get("LogTypes"))
    found = find_packs(PLATFORM, {"log_types": names}, context.packs)
    by_name = {pack.name: pack for pack in (*logic.packs, *found)}
    for term in terms:
        chosen = tuple(pack for pack in by_name.values() if guard([pack], PLATFORM) in _choice(term))
        if len(chosen) == len(_choice(term)) > 1:
            rest = all_of(*(one for one in terms if one is not term))
            return msgspec.structs.replace(logic, packs=chosen, condition=rest)
    others = tuple({pack.name: pack for pack in found}.values())
    return msgspec.structs.replace(logic, packs=others or (context.packs[RAW],))


def _choice(term: Expression) -> tuple[Expression, ...]:
    return term.terms if isinstance(term, AnyOf) else ()


def _is_among(asked: Expression, terms: Sequence[Expression]) -> bool:
    return all(one in terms for one in (asked.terms if isinstance(asked, All) else (asked,)))


def _types(pack: Pack | None) -> set[str]:
    declared = pack.platforms.get(PLATFORM, {}).get("log_types", ()) if pack is not None else ()
    return {str(name).lower() for name in declared}


def _named(data: Mapping[str, Any], surroundings: Surroundings, findings: Findings) -> PythonSource | None:
    name = data.get("Filename")
    if not isinstance(name, str) or not name:
        findings.refuse("no-detection", "the rule has neither a Filename nor a Detection")
        return None
    found = surroundings.python(name)
    if found is None:
        findings.refuse(
            "missing-file",
            f"{name[:80]} is not beside the rule",
            ("Filename",),
            "read the folder that holds both, or name its folder with --helpers",
        )
    return found


def _python(
    source: PythonSource,
    data: Mapping[str, Any],
    packs: tuple[Pack, ...],
    shapes: Shapes,
    surroundings: Surroundings,
    findings: Findings,
) -> Logic | None:
    written = as_written(source, data, packs)
    if written is not None:
        threshold, alert = written.rule.threshold, written.rule.alert
        return Logic(
            packs=packs,
            condition=written.condition,
            title=written.title,
            output=written.output,
            group_by=alert.group_by if threshold is None else threshold.by,
            keys=None if threshold is None else (*threshold.by, *threshold.choices),
            missing_keys=MissingKeys.SKIP,
            distinct=None if threshold is None else threshold.distinct,
            join=written.join,
        )
    found = read_detection(source, surroundings, metadata.texts(data.get("LogTypes")), shapes)
    findings.add(found.diagnostics, ("Filename",))
    findings.residue.extend(found.residue)
    if found.fidelity is Fidelity.REFUSED:
        return None
    return Logic(
        packs=packs,
        condition=found.condition,
        title=found.title,
        output=found.output,
        group_by=found.group_by,
        group_by_known=found.group_by_known,
        keys=found.keys,
        distinct=found.distinct,
        severity=found.severity,
    )


def _simple(data: Mapping[str, Any], packs: tuple[Pack, ...], shapes: Shapes, findings: Findings) -> Logic:
    """A simple detection; without ``GroupBy`` its title groups the alerts, as it does in Python."""
    condition = MatchReader(shapes, findings).condition(data["Detection"], ("Detection",))
    title = template(metadata.line(data.get("AlertTitle")))
    group_by = tuple(_keys(data.get("GroupBy"), "GroupBy", findings))
    return Logic(
        packs=packs,
        condition=condition,
        title=title,
        output=tuple(_context(data.get("AlertContext"), findings)),
        group_by=group_by or tuple(dict.fromkeys(part for part in title if isinstance(part, FieldPath))),
    )


def _keys(value: Any, key: str, findings: Findings) -> Iterator[FieldPath]:
    for number, one in enumerate(value if isinstance(value, list) else ()):
        try:
            yield specified(one if isinstance(one, Mapping) else {})
        except KeyProblem as problem:
            findings.note("key", str(problem), (key, number))


def _context(value: Any, findings: Findings) -> Iterator[OutputField]:
    names: set[str] = set()
    for number, one in enumerate(value if isinstance(value, list) else ()):
        entry: Mapping[str, Any] = one if isinstance(one, Mapping) else {}
        name = metadata.line(entry.get("KeyName"))
        for path in _keys([entry.get("KeyValue")], "AlertContext", findings):
            if name in names or not name:
                findings.note(
                    "key",
                    "an entry of the alert's context without a name of its own",
                    ("AlertContext", number),
                )
                continue
            names.add(name)
            yield OutputField(path, name if name != str(path) else None)


def tests(data: Mapping[str, Any]) -> Iterator[Test]:
    """The unit tests that carry an event."""
    given = data.get("Tests")
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, Mapping) or not isinstance(one.get("ExpectedResult"), bool):
            continue
        yield Test(
            name=metadata.line(one.get("Name")) or "test",
            event=_event(one.get("Log")),
            expected=one["ExpectedResult"],
            mocked=bool(one.get("Mocks")),
        )


def _event(value: Any) -> dict[str, Any] | None:
    """An event, which some files write as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return dict(value) if isinstance(value, Mapping) else None


def names_of(packs: Sequence[Pack]) -> tuple[str, ...]:
    """The packs' names."""
    return tuple(pack.name for pack in packs)
