"""Hypothesis strategies that every test may use: texts, field paths, conditions, events, whole rules.

Everything made here is valid: it loads, and dumping it loads back to the same value. Keys and literals come
from small pools as often as not, so that conditions and events meet.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from converter.model.addresses import CLASSES
from converter.model.attack import attack_table
from converter.model.expressions import (
    CASE_OPERATORS,
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Reference,
    mapped,
    reference,
)
from converter.model.measures import (
    BOUNDS,
    AllTests,
    AnyTest,
    Bound,
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
    NotTest,
)
from converter.model.paths import ANY, ELEMENT, FieldPath
from converter.model.rule import (
    AlertSettings,
    Alternative,
    AttackTag,
    Choice,
    Level,
    MissingKeys,
    NewTerms,
    OutputField,
    Risk,
    Rule,
    RuleTest,
    Sequence,
    Status,
    Step,
    Threshold,
    WindowStart,
)
from converter.model.tables import MAX_PATH_CHARACTERS

HOSTILE: Final = (
    "",
    " ",
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "\\\\",
    'a\\"b',
    'it\'s "quoted"',
    "`backticks`",
    "$(id)",
    "${HOME}",
    "$dollar$",
    "a|b",
    "| stats count",
    "*",
    "a*b?c",
    "\\*",
    "%_",
    "{braces}",
    "{{double}}",
    "{",
    "}}",
    "%s %d %(x)s",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# note #}",
    "<script>alert(1)</script>",
    "a\nb",
    "a\r\nb",
    "a\n",
    "\n",
    " leading",
    "trailing ",
    "tab\there",
    "nul\0byte",
    "bell\a escape\x1b[31m",
    "\x7f\x85\u2028\u2029",
    "ünïcødé",
    "日本語",
    "🦊 emoji",
    "e\u0301 combining",
    "\u202eright to left",
    "\ufeffbom",
    "\u00a0nbsp\u3000",
    "null",
    "~",
    "true",
    "yes",
    "off",
    "NO",
    "on",
    "y",
    "123",
    "0x1F",
    "0o17",
    "1e3",
    "1_000",
    "1:30",
    ".5",
    ".inf",
    ".nan",
    "-",
    "--",
    "---",
    "...",
    "- item",
    "key: value",
    "trailing:",
    "a #comment",
    "#start",
    "&anchor",
    "*alias",
    "!tag",
    "!!str x",
    "?",
    "? key",
    "%YAML 1.2",
    "@at",
    ">folded",
    "|literal",
    "<<",
    "=",
    "[a, b]",
    "{a: b}",
    ",",
    "a, b",
    "2024-01-02",
    "2024-01-02T03:04:05Z",
    "../../x",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\Windows\\System32\\cmd.exe",
    "CON",
    "a" * 300,
    "word " * 60,
    "x" * 1100,
)
"""Texts that break careless printers, in YAML, SPL, KQL, EQL, ES|QL, Python, TOML, HTML or a file system."""

_NO_SURROGATES = st.characters(codec="utf-8")


@cache
def hostile_texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Any text that has a UTF-8 form, the awkward ones first."""
    known = st.sampled_from([text for text in HOSTILE if len(text) >= min_size])
    return st.one_of(known, st.text(_NO_SURROGATES, min_size=min_size, max_size=20))


def _is_line(text: str) -> bool:
    return bool(text.strip()) and not any(char in "\u2028\u2029" or _is_control(char) for char in text)


def _is_control(char: str) -> bool:
    return ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0


@cache
def lines() -> st.SearchStrategy[str]:
    """One line of text as titles, names and tags may be."""
    return hostile_texts().filter(_is_line)


@cache
def texts() -> st.SearchStrategy[str]:
    """Text of several lines as descriptions may be."""
    paragraphs = st.lists(lines() | st.just(""), min_size=1, max_size=4).map("\n".join)
    return (paragraphs | lines()).filter(bool)


KEYS: Final = ("a", "b", "user", "name", "@timestamp", "x-y", "k8s.io/x", 'q"q', "ключ", "0")


@cache
def keys() -> st.SearchStrategy[str]:
    """Keys of objects: mostly from a small pool."""
    return st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), hostile_texts())


@cache
def field_paths(list_steps: bool = True) -> st.SearchStrategy[FieldPath]:
    """Field paths of up to four steps, with ``[]`` and ``[n]`` behind keys unless ``list_steps`` is off."""
    step: st.SearchStrategy[Any] = keys()
    if list_steps:
        step = st.one_of(keys(), keys(), st.just(ANY), st.integers(-3, 3))
    rest = st.lists(step, max_size=3)
    paths = st.builds(lambda first, more: FieldPath((first, *more)), keys(), rest)
    return paths.filter(lambda path: len(str(path)) <= MAX_PATH_CHARACTERS)


@cache
def json_numbers() -> st.SearchStrategy[int | float]:
    """Numbers that JSON holds and every reader keeps."""
    return st.one_of(
        st.integers(-5, 500),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
    )


@cache
def scalars() -> st.SearchStrategy[bool | int | float | str]:
    """Operands of ``is``."""
    return st.one_of(hostile_texts(), json_numbers(), st.booleans(), st.sampled_from(["a", "1", "A"]))


@cache
def json_values(max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    leaves = st.one_of(st.none(), scalars())
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys(), inner, max_size=3),
        max_leaves=max_leaves,
    )


@cache
def events() -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects as log events are, null and missing values included."""
    return st.dictionaries(keys(), json_values(), max_size=5)


PATTERNS: Final = ("a", "^a.*b$", r"\d+", r"(?i)x|y", r"[^/\\]+\.exe", r"\bcat\b", "a{2,3}", r"\x00", "日本")
NETWORKS: Final = ("10.0.0.0/8", "192.168.1.1", "2001:db8::/32", "::1", "0.0.0.0/0")
ORDERS: Final = ("2024-05-01T12:00:00Z", "2024-05-01", "2024-05-01T12:00:00.123+02:00", "10", "-1.5e3")


@cache
def functions() -> st.SearchStrategy[tuple[Function, ...]]:
    """Value functions, mostly none."""
    given_more = (FunctionName.SPLIT, FunctionName.JSON)
    plain = st.sampled_from([name for name in FunctionName if name not in given_more])
    inside = st.builds(
        lambda path, steps: Function(FunctionName.JSON, path=(*steps, *path.steps)[: len(path.steps)]),
        field_paths(),
        st.lists(st.sampled_from([None, 0, -1]), max_size=1),
    )
    split = st.builds(Function, st.just(FunctionName.SPLIT), hostile_texts(min_size=1), st.integers(-3, 3))
    some = st.lists(st.one_of(st.builds(Function, plain), split, inside), max_size=3).map(tuple)
    return st.one_of(st.just(()), some)


@cache
def subjects() -> st.SearchStrategy[FieldPath | Concat]:
    """Fields, and now and then several joined."""
    changed = st.builds(reference, field_paths(), functions())
    parts = st.lists(st.one_of(field_paths(), changed, hostile_texts()), min_size=1, max_size=3)
    concat = st.builds(lambda first, more: Concat((first, *more)), field_paths(), parts)
    return st.one_of(field_paths(), field_paths(), field_paths(), concat)


@cache
def references() -> st.SearchStrategy[Reference]:
    """Operands that are values of the event: fields, more often as they are than changed."""
    return st.one_of(field_paths(), st.builds(reference, subjects(), functions()))


@cache
def _operands(operator: Operator) -> st.SearchStrategy[Any]:
    match operator:
        case Operator.IS:
            return scalars()
        case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
            return st.one_of(json_numbers(), st.sampled_from(ORDERS), references())
        case Operator.REGEX:
            return st.sampled_from(PATTERNS)
        case Operator.CIDR:
            return st.sampled_from(NETWORKS)
        case Operator.IP:
            return st.sampled_from(sorted(CLASSES))
        case Operator.SAME_AS:
            return references()
        case Operator.STARTS_WITH | Operator.ENDS_WITH | Operator.CONTAINS:
            return st.one_of(hostile_texts(min_size=1), references())
        case _:
            return hostile_texts(min_size=1)


@st.composite
def predicates(draw: st.DrawFn, operators: tuple[Operator, ...] = tuple(Operator)) -> Predicate:
    """One question about one subject, of any operator."""
    operator = draw(st.sampled_from(operators))
    subject, applied = draw(subjects()), draw(functions())
    if operator is Operator.EXISTS:
        return Predicate(subject, operator, functions=applied)
    values = tuple(draw(st.lists(_operands(operator), min_size=1, max_size=3)))
    ignore_case = draw(st.booleans()) if operator in CASE_OPERATORS else False
    return Predicate(subject, operator, values, ignore_case, draw(st.booleans()), applied)


@cache
def expressions(max_leaves: int = 6) -> st.SearchStrategy[Expression]:
    """Conditions of every kind of node."""
    return st.recursive(
        predicates(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda terms: All(tuple(terms))),
            st.lists(inner, min_size=1, max_size=3).map(lambda terms: AnyOf(tuple(terms))),
            inner.map(Not),
            st.builds(ForSome, field_paths(), inner),
            st.builds(_for_some_value, field_paths(), inner),
        ),
        max_leaves=max_leaves,
    )


def _for_some_value(path: FieldPath, term: Expression) -> ForSome:
    """Conditions of the element itself, compared with fields of the event where two fields are compared."""

    def moved(predicate: Predicate) -> Expression:
        if not predicate.values:
            return predicate
        values = tuple(
            FieldPath(value.steps, rooted=True) if isinstance(value, FieldPath) else value
            for value in predicate.values
        )
        return msgspec.structs.replace(predicate, subject=ELEMENT, values=values)

    return ForSome(path, mapped(term, moved))


@cache
def durations() -> st.SearchStrategy[timedelta]:
    """Whole milliseconds, up to a month."""
    whole = st.sampled_from(
        [timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(days=7)]
    )
    return st.one_of(whole, st.integers(1, 2_600_000_000).map(lambda ms: timedelta(milliseconds=ms)))


@cache
def attack_tags() -> st.SearchStrategy[AttackTag]:
    """Tactics, and techniques under one of their tactics."""
    table = attack_table()
    pairs = [AttackTag(t, key) for key, entry in table.techniques.items() for t in entry.tactics]
    return st.sampled_from([*map(AttackTag, table.tactics), *pairs])


@cache
def _conditions(min_size: int = 1) -> st.SearchStrategy[tuple[Expression, ...]]:
    return st.lists(expressions(max_leaves=3), min_size=min_size, max_size=2).map(tuple)


@cache
def _field_lists(max_size: int = 3) -> st.SearchStrategy[tuple[FieldPath, ...]]:
    return st.lists(field_paths(), max_size=max_size, unique=True).map(tuple)


@cache
def logsources() -> st.SearchStrategy[tuple[str, ...]]:
    """One or two names of log sources."""
    names = st.sampled_from(["raw", "kubernetes.audit", "aws.cloudtrail", "okta.system"])
    return st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    """Two or three steps with equally long join keys."""
    keys_each = draw(st.integers(0, 2))
    steps = tuple(
        Step(
            name=draw(st.none() | lines()),
            logsource=draw(st.just(()) | logsources()),
            indicators=draw(_conditions()),
            exclusions=draw(_conditions(0)),
            by=tuple(draw(field_paths()) for _ in range(keys_each)),
            repeat=draw(st.integers(1, 3)),
        )
        for _ in range(draw(st.integers(2, 3)))
    )
    if draw(st.booleans()):
        return Sequence(
            steps=(*steps, Step(indicators=draw(_conditions()), by=steps[0].by, absent=True)),
            within=draw(durations()),
        )
    return Sequence(steps=steps, within=draw(st.none() | durations()))


@st.composite
def title_templates(draw: st.DrawFn) -> tuple[str | FieldPath, ...]:
    """Literal texts and fields, never two literals in a row; together one line."""
    parts: list[str | FieldPath] = []
    for _ in range(draw(st.integers(0, 3))):
        if not parts or isinstance(parts[-1], FieldPath):
            parts.append(draw(lines()))
        path = draw(field_paths())
        if _is_line(str(path)):
            parts.append(path)
    return tuple(parts)


@cache
def tests_of_a_rule() -> st.SearchStrategy[tuple[RuleTest, ...]]:
    """Labelled examples (their labels need not be right) with names of their own."""
    single = st.builds(RuleTest, name=lines(), events=st.tuples(events()), match=st.booleans())
    stream = st.builds(
        RuleTest,
        name=lines(),
        events=st.lists(events(), min_size=1, max_size=2).map(tuple),
        alerts=st.integers(0, 5),
    )
    return st.lists(st.one_of(single, stream), max_size=2, unique_by=lambda test: test.name).map(tuple)


@cache
def moments() -> st.SearchStrategy[Moment]:
    """Moments of a sliding window."""
    return st.builds(Moment, st.sampled_from([Edge.FIRST, Edge.LAST]), _conditions(0))


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    """Measures of every kind."""
    kind = draw(st.sampled_from(MeasureKind))
    if kind is MeasureKind.SPAN:
        return Measure(kind, start=draw(moments()), stop=draw(moments()))
    if kind is MeasureKind.MET:
        return Measure(kind, where=draw(_conditions()))
    if kind is MeasureKind.COUNT:
        return Measure(kind, where=draw(_conditions(0)))
    return Measure(kind, draw(field_paths()), draw(functions()), draw(_conditions(0)))


@st.composite
def _bounds(draw: st.DrawFn, measure: Measure) -> Bound:
    is_span = measure.kind is MeasureKind.SPAN
    if draw(st.booleans()):
        other = draw(measures().filter(lambda one: (one.kind is MeasureKind.SPAN) is is_span))
        return Multiple(other, draw(st.sampled_from([1, 2, 0.5])))
    return draw(durations() | st.just(timedelta())) if is_span else draw(json_numbers())


@st.composite
def group_tests(draw: st.DrawFn) -> GroupTest:
    """A measure compared with one or two others or constants."""
    measure = draw(measures())
    signs = draw(st.sets(st.sampled_from(BOUNDS), min_size=1, max_size=2))
    return GroupTest(measure, tuple((sign, draw(_bounds(measure))) for sign in BOUNDS if sign in signs))


@cache
def group_conditions() -> st.SearchStrategy[GroupCondition]:
    """Tests of a group, combined."""
    return st.recursive(
        group_tests(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=2).map(lambda terms: AllTests(tuple(terms))),
            st.lists(inner, min_size=1, max_size=2).map(lambda terms: AnyTest(tuple(terms))),
            inner.map(NotTest),
        ),
        max_leaves=3,
    )


@cache
def choices() -> st.SearchStrategy[Choice]:
    """Group keys of several alternatives, with and without conditions; now and then one is a literal text."""
    plain = st.builds(lambda subject, changes: (subject, changes), subjects(), functions())
    literal = hostile_texts().map(lambda text: (Concat((text,)), ()))
    alternative = st.builds(
        lambda what, when: Alternative(subject=what[0], functions=what[1], when=when),
        st.one_of(plain, literal),
        _conditions(0),
    )
    return st.lists(alternative, min_size=1, max_size=3).map(lambda found: Choice(tuple(found)))


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    """Counts over windows of each kind, with and without further tests."""
    within, count = draw(durations()), draw(st.integers(1, 1000))
    kinds: list[dict[str, Any]] = [
        {},
        {"every": within},
        {"every": max(within // 4_000 * 1_000, timedelta(milliseconds=1))},
        *([{"window": WindowStart.FIRST_MATCH}] if count > 1 else []),
    ]
    return Threshold(
        count=count,
        within=within,
        by=draw(_field_lists()),
        distinct=draw(st.none() | field_paths()),
        missing_keys=draw(st.sampled_from(MissingKeys)),
        having=tuple(draw(st.lists(group_conditions(), max_size=2))),
        choices=tuple(draw(st.one_of(st.just([]), st.lists(choices(), max_size=2)))),
        **draw(st.sampled_from(kinds)),
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Whole rules of every kind, with and without each part."""
    kind = draw(st.sampled_from(["plain", "threshold", "sequence", "new_terms"]))
    parts: dict[str, Any] = {}
    if kind == "sequence":
        parts["sequence"] = draw(sequences())
    else:
        parts |= {"indicators": draw(_conditions()), "exclusions": draw(_conditions(0))}
    if kind == "threshold":
        parts["threshold"] = draw(thresholds())
    if kind == "new_terms":
        fields = draw(st.lists(field_paths(), min_size=1, max_size=3, unique=True).map(tuple))
        parts["new_terms"] = NewTerms(fields=fields, history=draw(durations()))
    return Rule(
        id=str(draw(st.uuids())),
        title=draw(lines()),
        logsource=draw(logsources()),
        description=draw(st.just("") | texts()),
        severity=draw(st.sampled_from(Level)),
        status=draw(st.sampled_from(Status)),
        attack=tuple(draw(st.lists(attack_tags(), max_size=2, unique=True))),
        alert=AlertSettings(
            title=draw(title_templates()),
            group_by=draw(_field_lists(2)),
            suppress_for=draw(st.none() | durations()),
        ),
        tests=draw(tests_of_a_rule()),
        **parts,
        **draw(_metadata()),
    )


@st.composite
def _metadata(draw: st.DrawFn) -> dict[str, Any]:
    """What a rule says about itself beside its condition."""
    output = st.builds(OutputField, field_paths(), st.none() | lines())
    dates = st.none() | st.dates().map(lambda day: day.isoformat())
    percent = st.integers(0, 100)
    word_lists = st.lists(lines(), max_size=2).map(tuple)
    settings = st.dictionaries(st.sampled_from(["enabled", "index", "schedule"]), json_values(3), max_size=2)
    return {
        "output": tuple(draw(st.lists(output, max_size=3, unique_by=lambda field: field.name))),
        "false_positives": tuple(draw(st.lists(texts(), max_size=2))),
        "references": draw(word_lists),
        "runbook": draw(st.none() | texts()),
        "author": draw(st.none() | lines()),
        "created": draw(dates),
        "updated": draw(dates),
        "tags": draw(word_lists),
        "risk": draw(st.none() | st.builds(Risk, impact=percent, confidence=percent)),
        "platforms": draw(
            st.dictionaries(st.sampled_from(["elastic", "splunk", "panther"]), settings, max_size=2)
        ),
    }
