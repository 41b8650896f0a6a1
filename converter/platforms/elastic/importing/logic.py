"""What a rule of each type asks of events, over stored names.

Types: Elastic Security, "Create a detection rule" (custom query, machine learning, threshold, event
correlation, indicator match, new terms, ES|QL) and elastic/detection-rules, ``detection_rules/rule.py``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from converter.logsources.pack import FieldType, Pack
from converter.model.diagnostics import Fidelity, RuleError
from converter.model.expressions import (
    CASE_OPERATORS,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    all_of,
    mapped,
    negated,
    predicates,
)
from converter.model.measures import GroupTest, Measure, MeasureKind
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, OutputField, Step, Threshold
from converter.model.rule import Sequence as RuleSequence
from converter.model.tables import MAX_COUNT, MAX_DURATION_DAYS
from converter.platforms.elastic.analysis import MID_LETTER, MID_NUMBER, joined
from converter.platforms.elastic.eql.reader import read as read_eql
from converter.platforms.elastic.eql.settings import CATEGORY_FIELD
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut
from converter.platforms.elastic.importing.documents import Document
from converter.platforms.elastic.importing.exceptions import read_exception
from converter.platforms.elastic.importing.filters import read_filter
from converter.platforms.elastic.importing.findings import Findings
from converter.platforms.elastic.importing.indicators import indicator_match
from converter.platforms.elastic.importing.known_fields import KnownFields, without_subfield
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.importing.metadata import names
from converter.platforms.elastic.kql.reader import read_partly
from converter.platforms.elastic.schedule import parse_since
from converter.platforms.elastic.typed import UnreadableError

Choose = Callable[[Expression], tuple[Pack, ...]]
"""From the condition on one event to its log sources."""

_DEFAULT_FROM: Final = "now-6m"
_KQL_TYPES: Final = frozenset({"query", "saved_query", "threshold", "new_terms", "threat_match"})


class Logic(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule asks, over stored names. ``packs``: of each step of a sequence, else of the condition."""

    condition: Expression = TRUE
    sequence: RuleSequence | None = None
    threshold: Threshold | None = None
    new_terms: NewTerms | None = None
    packs: tuple[tuple[Pack, ...], ...] = ()
    output: tuple[OutputField, ...] = ()
    group_by: tuple[FieldPath, ...] = ()


def read_logic(document: Document, choose: Choose, findings: Findings) -> Logic | None:
    """What the rule asks; None where nothing can be said, and ``findings`` say why. Raises RuleError."""
    rule = document.rule
    kind, language = str(rule.get("type")), rule.get("language")
    if kind == "machine_learning":
        job = ", ".join(names(rule.get("machine_learning_job_id"))) or "a job"
        findings.refuse(
            "machine-learning",
            f"anomalies found by {job} are no condition on events",
            "machine_learning_job_id",
        )
        return None
    if kind not in _KQL_TYPES and kind not in ("eql", "esql"):
        findings.refuse("rule-type", f"the rule type {str(kind)[:40]!r} is not known", "type")
        return None
    if not isinstance(rule.get("query"), str):
        findings.refuse("query", "the rule has no query", "query")
        return None
    if kind == "esql":
        from converter.platforms.elastic.importing.esql_logic import read_esql

        return read_esql(document, choose, findings)
    if kind == "eql":
        return _eql(document, choose, findings)
    if language not in ("kuery", "lucene", None):
        findings.refuse("language", f"the language {str(language)[:40]!r} is not known", "language")
        return None
    return _query(document, choose, findings)


# -- KQL and Lucene


def _query(document: Document, choose: Choose, findings: Findings) -> Logic | None:
    rule = document.rule
    missing: list[LeftOut] = []

    def read(fields: StoredFields) -> Expression:
        missing.clear()
        if rule.get("language") == "lucene":
            try:
                return read_query_string(rule["query"], fields, missing=missing)
            except UnreadableError as error:
                raise RuleError(f"Lucene: not readable: {error}") from error
        condition, left = read_partly(rule["query"], fields)
        missing.extend(left)
        return condition

    first = _quietly(read)
    packs = choose(first)
    fields = KnownFields(packs)
    condition = all_of(read(fields), *around(document, fields, findings))
    findings.leave_out(missing)
    words(condition, fields, findings)
    _patterns(condition, fields, findings)
    condition = joined(without_subfields(condition))
    if rule.get("type") == "threat_match":
        condition = all_of(condition, _indicators(document, fields, findings))
    threshold = _threshold(rule) if rule.get("type") == "threshold" else None
    new_terms = _new_terms(rule) if rule.get("type") == "new_terms" else None
    return Logic(condition=condition, threshold=threshold, new_terms=new_terms, packs=(packs,))


def _indicators(document: Document, fields: StoredFields, findings: Findings) -> Expression:
    """What the indicators that lie beside the rule ask of an event; without any, nothing."""
    indicators = document.beside.indicators()
    why = "the indicators to compare with lie in other indices"
    try:
        if indicators:
            found = indicator_match(document.rule, indicators, fields)
            findings.note(
                "indicator-list", "the indicators are those that lie beside the rule", "threat_mapping"
            )
            return found
    except UnreadableError as error:
        why = str(error)
    findings.residue.append("threat_mapping")
    message = f"{why}; every event of the query is taken"
    findings.lose("indicator-list", message, "threat_mapping", Fidelity.WIDER)
    return TRUE


def _quietly(read: Callable[[StoredFields], Expression]) -> Expression:
    """A first reading, for the log source alone: what goes wrong in it goes wrong again."""
    try:
        return read(KnownFields())
    except RuleError:
        return TRUE


def around(document: Document, fields: StoredFields, findings: Findings) -> Iterator[Expression]:
    """What the rule's filters ask, and that no exception holds. What is left out goes into ``findings``."""
    for one in _listed(document.rule.get("filters")):
        try:
            yield read_filter(one, fields)
        except (UnreadableError, RuleError) as error:
            findings.residue.append("filters")
            findings.lose("filter", f"a filter is left out: {error}", "filters", Fidelity.WIDER)
    for one in _listed(document.rule.get("exceptions_list")):
        name = str(one.get("list_id", "")) if isinstance(one, Mapping) else ""
        items = document.exception_items(name)
        if items is None:
            findings.residue.append(f"exceptions_list: {name}")
            message = f"the exceptions in the list {name!r} are not in this text and are left out"
            findings.lose("exceptions", message, "exceptions_list", Fidelity.WIDER)
            continue
        for item in items:
            if item.get("expire_time"):
                until = str(item["expire_time"])[:40]
                message = f"an exception of the list {name!r} ends at {until}; here it stays"
                findings.lose("exceptions", message, "exceptions_list", Fidelity.NARROWER)
            try:
                yield negated(read_exception(item, fields))
            except UnreadableError as error:
                findings.residue.append(f"exceptions_list: {name}")
                message = f"an exception of the list {name!r} is left out: {error}"
                findings.lose("exceptions", message, "exceptions_list", Fidelity.WIDER)


def _listed(value: Any) -> Sequence[Any]:
    """A list, also one that is written as a text of JSON; a single thing is a list of one."""
    if isinstance(value, str) and value.strip():
        with contextlib.suppress(msgspec.DecodeError):
            value = msgspec.json.decode(value)
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def look_back(rule: Mapping[str, Any]) -> timedelta:
    """How far a run looks back. Raises RuleError for date math other than a span before now."""
    text = rule.get("from", _DEFAULT_FROM)
    return _span(text, "from")


def _span(text: Any, what: str) -> timedelta:
    try:
        span = parse_since(text)
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise RuleError(f"{what}: {str(text)[:40]!r} is not now- and a span such as 30m") from error
    if not timedelta() < span <= timedelta(days=MAX_DURATION_DAYS):
        raise RuleError(f"{what}: {text!r} is no span of time that a rule can look at")
    return span


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_COUNT:
        raise RuleError(f"threshold: {str(value)[:40]!r} is no count")
    return value


def _threshold(rule: Mapping[str, Any]) -> Threshold:
    """All tests hold: so many matches, and so many distinct values. So many values need as many matches."""
    block = rule.get("threshold")
    if not isinstance(block, Mapping):
        raise RuleError("threshold: the rule has none")
    count = _count(block.get("value"))
    by = tuple(map(stored, names(block.get("field"))))
    listed = block.get("cardinality") or []
    cells = [one for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, Mapping)]
    within = look_back(rule)
    distinct = [(_one_field(cell), _count(cell.get("value"))) for cell in cells]
    if len(distinct) == 1 and count <= distinct[0][1]:
        path, least = distinct[0]
        return Threshold(count=least, within=within, by=by, distinct=path)
    having = tuple(
        GroupTest(Measure(MeasureKind.DISTINCT, path), ((Operator.GTE, least),)) for path, least in distinct
    )
    return Threshold(count=count, within=within, by=by, having=having)


def _one_field(cell: Mapping[str, Any]) -> FieldPath:
    fields = names(cell.get("field"))
    if len(fields) != 1:
        raise RuleError("threshold: a distinct count of other than one field")
    return stored(fields[0])


def _new_terms(rule: Mapping[str, Any]) -> NewTerms:
    block = rule.get("new_terms")
    if isinstance(block, Mapping):
        fields, start = names(block.get("value")), block.get("history_window_start")
        start = start[0].get("value") if isinstance(start, list) and start else None
    else:
        fields, start = names(rule.get("new_terms_fields")), rule.get("history_window_start")
    if not 1 <= len(fields) <= 3:
        raise RuleError(f"new terms of {len(fields)} fields")
    history = _span(start, "history_window_start")
    return NewTerms(fields=tuple(map(stored, fields)), history=history)


# -- EQL


def _eql(document: Document, choose: Choose, findings: Findings) -> Logic:
    rule = document.rule
    override = rule.get("event_category_override")
    category = override if isinstance(override, str) and override else CATEGORY_FIELD
    for key in ("timestamp_field", "tiebreaker_field"):
        if rule.get(key):
            findings.note("order", f"events are in the order of {rule[key]}", key)
    missing: list[LeftOut] = []

    def read(packs: Sequence[Pack]) -> tuple[Expression | None, RuleSequence | None]:
        missing.clear()
        found = read_eql(rule["query"], KnownFields(packs), category=category, missing=missing)
        return found.condition, found.sequence

    condition, sequence = read(())
    if sequence is None:
        packs = choose(condition if condition is not None else TRUE)
        fields = KnownFields(packs)
        again, _ = read(packs)
        condition = all_of(again or TRUE, *around(document, fields, findings))
        findings.leave_out(missing)
        _exact_text([condition], fields, findings)
        return Logic(condition=without_subfields(condition), packs=(packs,))
    chosen = tuple(choose(step.condition) for step in sequence.steps)
    every = [pack for packs in chosen for pack in packs]
    _, again_sequence = read(every)
    findings.leave_out(missing)
    _exact_text([step.condition for step in (again_sequence or sequence).steps], KnownFields(every), findings)
    extra = all_of(*around(document, KnownFields(every), findings))
    steps = tuple(_step(step, extra) for step in (again_sequence or sequence).steps)
    checked(steps, sequence.within)
    if len(steps) == 1:
        steps, chosen = _in_two(steps[0]), chosen * 2
    return Logic(sequence=RuleSequence(steps=steps, within=sequence.within), packs=chosen)


def _exact_text(conditions: Sequence[Expression], fields: StoredFields, findings: Findings) -> None:
    """Say which fields are compared as exact text although an integration maps them as analysed.

    Elasticsearch refuses such a query (verification error "no keyword/multi-field defined exact matches"):
    where the rule runs at all, the field is a keyword.
    """
    for name in sorted({name for condition in conditions for name, _ in _analysed(condition, fields)}):
        findings.note("text-field", f"{name} is taken for a keyword: EQL compares no analysed text", "query")


def _in_two(step: Step) -> tuple[Step, Step]:
    """One event many times is the event once, and then once less (EQL syntax reference, "with runs")."""
    once = msgspec.structs.replace(step, repeat=1)
    return once, msgspec.structs.replace(step, repeat=step.repeat - 1)


def _step(step: Step, extra: Expression) -> Step:
    terms = tuple(without_subfields(term) for term in step.indicators)
    by = tuple(stored(str(path.steps[0])) if len(path.steps) == 1 else path for path in step.by)
    if extra != TRUE:
        terms = (*terms, extra)
    return msgspec.structs.replace(step, indicators=terms, by=by)


def checked(steps: Sequence[Step], within: timedelta | None) -> None:
    """Raises RuleError for a sequence that Elasticsearch refuses as well."""
    if len(steps) < 2 and all(step.repeat < 2 for step in steps):
        raise RuleError("a sequence of one step")
    if len({len(step.by) for step in steps}) > 1:
        raise RuleError("the steps of the sequence have different numbers of join keys")
    if any(step.absent for step in steps) and within is None:
        raise RuleError("a missing event (![…]) needs maxspan")
    if all(step.absent for step in steps):
        raise RuleError("a sequence of missing events alone")
    if any(step.absent and step.repeat > 1 for step in steps):
        raise RuleError("a missing event (![…]) with runs")


# -- what the readers of all languages share


def without_subfields(condition: Expression) -> Expression:
    """``f.caseless`` is f in lower case, and asked so; ``f.keyword`` is f, and ``f.text`` its words
    (Elasticsearch, "Multi-fields").

    Names below a nested field are made whole stored names, as log sources know them.
    """

    def plain(predicate: Predicate) -> Expression:
        subject = predicate.subject
        if not isinstance(subject, FieldPath):
            return predicate
        name, ending = without_subfield(str(subject.steps[0]))
        if not ending:
            return predicate
        path = FieldPath((name, *subject.steps[1:]))
        folds = predicate.ignore_case or (ending == ".caseless" and predicate.operator in CASE_OPERATORS)
        return msgspec.structs.replace(predicate, subject=path, ignore_case=folds)

    return mapped(_with_whole_names(condition, ""), plain)


def stored(name: str) -> FieldPath:
    """A field as a key of groups, sequences or terms. Raises RuleError for one that folds case."""
    plain, ending = without_subfield(name)
    if ending not in ("", ".keyword"):
        raise RuleError(f"{name} as a key, which is not the text of {plain}")
    return FieldPath((plain,))


def _with_whole_names(condition: Expression, base: str) -> Expression:
    match condition:
        case ForSome(FieldPath(steps), term):
            name = base + ".".join(map(str, steps))
            return ForSome(FieldPath((name,)), _with_whole_names(term, f"{name}."))
        case All(terms):
            return All(tuple(_with_whole_names(term, base) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_with_whole_names(term, base) for term in terms))
        case Not(term):
            return Not(_with_whole_names(term, base))
        case Predicate(FieldPath(steps)) if base:
            return msgspec.structs.replace(condition, subject=FieldPath((base + ".".join(map(str, steps)),)))
    return condition


def words(condition: Expression, fields: StoredFields, findings: Findings) -> None:
    """Say which analysed fields are asked for their words, and where that is not all of the story."""
    for name, plain in sorted(_analysed(condition, fields)):
        if plain:
            findings.note(
                "text-field", f"{name} is analysed: it is asked for its words, without case", "query"
            )
        else:
            message = f"{name} is analysed; words of other scripts may be cut otherwise than here"
            findings.lose("text-field", message, "query", Fidelity.WIDER)


def _patterns(condition: Expression, fields: StoredFields, findings: Findings) -> None:
    """Say which flattened fields are asked for patterns: Elasticsearch refuses such a query ("[wildcard]
    queries are not currently supported on keyed [flattened] fields"); where the rule runs at all, the field
    holds exact text.
    """
    asked = {
        str(one.subject.steps[0])
        for one in predicates(condition)
        if one.operator is Operator.LIKE and isinstance(one.subject, FieldPath)
        if not all(_PREFIX.fullmatch(str(value)) for value in one.values)
    }
    for name in sorted(asked):
        if fields.type_of(name) is FieldType.FLATTENED:
            message = f"{name} is taken for exact text: a flattened field takes no wildcard but at the end"
            findings.note("flattened", message, "query")


_PREFIX: Final = re.compile(r"(?:\\.|[^*?\\])*\*?", re.DOTALL)
"""A LIKE pattern without wildcards but at its end."""


def _analysed(condition: Expression, fields: StoredFields) -> set[tuple[str, bool]]:
    """The analysed fields that are asked for text, and whether all of that is ASCII."""
    asked: dict[str, bool] = {}
    for one in predicates(condition):
        if one.operator in CASE_OPERATORS and isinstance(one.subject, FieldPath):
            name = str(one.subject.steps[0])
            if fields.type_of(name) is FieldType.TEXT:
                texts = (str(value).translate(_SIGNS) for value in one.values)
                asked[name] = asked.get(name, True) and all(map(str.isascii, texts))
    return set(asked.items())


_SIGNS: Final = dict.fromkeys(map(ord, MID_LETTER + MID_NUMBER))
