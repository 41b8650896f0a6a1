"""The rule file as data: which keys each mapping has, what kind of value each takes, and every limit.

The loader, the writer and the JSON Schema are all driven by these tables; there is no second list.
docs/rule-tables.md is the reference for people.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from converter.model.expressions import ORDER_OPERATORS, REFERRING_OPERATORS, FunctionName, Operator
from converter.model.measures import BOUNDS, MeasureKind
from converter.model.rule import AlertSettings, NewTerms, Risk, Sequence, Step, Threshold

MAX_FILE_BYTES: Final = 5_000_000
"""A rule file is a page or two; anything near this size is not one."""
MAX_YAML_DEPTH: Final = 200
MAX_EXPRESSION_DEPTH: Final = 64
"""Levels of all/any/not/for_some, the predicate included: far below what recursion in a walk can bear."""
MAX_ALIAS_WEIGHT: Final = 50_000
"""Nodes (and every 64 characters of text) that aliases and merges may add to one file."""
MAX_PATH_STEPS: Final = 64
MAX_PATH_CHARACTERS: Final = 2_000
MAX_PATTERN_CHARACTERS: Final = 10_000
"""Of a regex or a wildcard pattern: RE2 compiles what is this long within its memory."""
MAX_NUMBER_CHARACTERS: Final = 300
"""Of a number that is written as text."""
MAX_PROBLEMS_PER_FILE: Final = 100
MAX_INTEGER: Final = 2**64 - 1
MIN_INTEGER: Final = -(2**63)
MAX_DURATION_DAYS: Final = 3_650

DURATION_UNITS: Final = MappingProxyType({"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000})
"""Unit → milliseconds."""

# Patterns that hold for Python's re and for the ECMA regexes of JSON Schema alike; used with fullmatch.
ID_PATTERN: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
DURATION_PATTERN: Final = rf"[1-9][0-9]{{0,12}}({'|'.join(DURATION_UNITS)})"
DATE_PATTERN: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
ATTACK_PATTERN: Final = r"TA[0-9]{4}(:T[0-9]{4}(\.[0-9]{3})?)?"
LINE_PATTERN: Final = (
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029][^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
)
TEXT_PATTERN: Final = r"[^\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]*"


class Kind(enum.Enum):
    """What a key's value is."""

    ID = "a lower-case UUID"
    LINE = "one line of text"
    TEXT = "text"
    LINES = "a list of texts of one line each"
    TEXTS = "a list of texts"
    LEVEL = "a severity"
    STATUS = "a status"
    LOGSOURCES = "the name of a log source or a list of names"
    EXPRESSIONS = "a list of conditions"
    THRESHOLD = "a threshold"
    GROUP_KEYS = "a list of fields, or {choice: […]}"
    SEQUENCE = "a sequence"
    STEPS = "a list of steps, two or more"
    NEW_TERMS = "new terms"
    ATTACK = "a list of ATT&CK references such as TA0007:T1613"
    OUTPUT = "a list of fields, or {field: FIELD, as: name}"
    ALERT = "an alert"
    TEMPLATE = "text with fields in braces"
    DATE = "a date, YYYY-MM-DD"
    RISK = "a risk"
    PERCENT = "an integer from 0 to 100"
    COUNT = "an integer of 1 or more"
    MISSING_KEYS = "what happens to matches without a key"
    WINDOW_START = "when a window begins"
    HAVING = "a list of tests of the group"
    BOOLEAN = "true or false"
    FIELD = "a field path"
    FIELDS = "a list of field paths"
    DURATION = "a duration such as 500ms, 30s, 5m, 1h or 7d"
    PLATFORMS = "a mapping from platform to settings"
    TESTS = "a list of tests"


class Key(msgspec.Struct, frozen=True):
    """One key of a mapping. ``attribute`` names the struct's attribute where it is not the key itself."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    attribute: str = ""

    @property
    def target(self) -> str:
        """The attribute of the struct that holds the value."""
        return self.attribute or self.name


RULE_KEYS: Final = (
    Key("id", Kind.ID, "UUID of the rule, lower case; it never changes.", required=True),
    Key("title", Kind.LINE, "What the rule is called; one line.", required=True),
    Key("description", Kind.TEXT, "What it detects and why that matters."),
    Key("severity", Kind.LEVEL, "How bad a true alert is."),
    Key("status", Kind.STATUS, "How far the rule is on its way into production."),
    Key("logsource", Kind.LOGSOURCES, "The log source (or sources) that the rule reads."),
    Key("indicators", Kind.EXPRESSIONS, "Conditions that must all hold."),
    Key("exclusions", Kind.EXPRESSIONS, "Conditions any of which suppresses a match."),
    Key("threshold", Kind.THRESHOLD, "Alert on so many matches within a sliding window."),
    Key("sequence", Kind.SEQUENCE, "Alert on events that follow one another."),
    Key("new_terms", Kind.NEW_TERMS, "Alert on values that were not seen before."),
    Key("attack", Kind.ATTACK, "MITRE ATT&CK tactics and techniques."),
    Key("output", Kind.OUTPUT, "Fields that the alert carries."),
    Key("alert", Kind.ALERT, "How matches become alerts."),
    Key("false_positives", Kind.TEXTS, "Harmless things that look the same."),
    Key("references", Kind.LINES, "Links to what the rule is based on."),
    Key("runbook", Kind.TEXT, "What to do about an alert."),
    Key("author", Kind.LINE, "Who wrote the rule."),
    Key("created", Kind.DATE, "Day the rule was written."),
    Key("updated", Kind.DATE, "Day the rule was last changed."),
    Key("tags", Kind.LINES, "Free words to find the rule by."),
    Key("risk", Kind.RISK, "Impact and confidence, from which the risk score is computed."),
    Key("platforms", Kind.PLATFORMS, "Settings per platform; they never change the condition."),
    Key("tests", Kind.TESTS, "Labelled example events."),
)

THRESHOLD_KEYS: Final = (
    Key("count", Kind.COUNT, "How many matches, or distinct values, make an alert; 1 beside 'having'."),
    Key("distinct", Kind.FIELD, "Count the distinct values of this field instead of matches."),
    Key("by", Kind.GROUP_KEYS, "Count per combination of these fields' values, or of choices between some."),
    Key("missing_keys", Kind.MISSING_KEYS, "Matches without a 'by' value: skip them, or group them."),
    Key("within", Kind.DURATION, "Length of the window.", required=True),
    Key(
        "window", Kind.WINDOW_START, "It slides, or begins at a group's first match outside of the last one."
    ),
    Key("every", Kind.DURATION, "Look at the window at each multiple of this time, on the clock."),
    Key("having", Kind.HAVING, "Further tests of the group's matches in the window; all must hold."),
)

SEQUENCE_KEYS: Final = (
    Key("within", Kind.DURATION, "Longest time from the first event to the last."),
    Key("steps", Kind.STEPS, "The steps, in order.", required=True),
)

STEP_KEYS: Final = (
    Key("name", Kind.LINE, "What the step is called."),
    Key("logsource", Kind.LOGSOURCES, "The step's own log source; without it, the rule's."),
    Key("by", Kind.FIELDS, "Join keys: the n-th of each step must be equal."),
    Key("indicators", Kind.EXPRESSIONS, "Conditions that must all hold.", required=True),
    Key("exclusions", Kind.EXPRESSIONS, "Conditions any of which suppresses a match."),
    Key("absent", Kind.BOOLEAN, "No such event may occur at this place."),
    Key("repeat", Kind.COUNT, "So many events of this step in a row."),
)

NEW_TERMS_KEYS: Final = (
    Key("fields", Kind.FIELDS, "One to three fields whose combination of values must be new.", required=True),
    Key("history", Kind.DURATION, "How far back a value counts as known.", required=True),
)

ALERT_KEYS: Final = (
    Key("title", Kind.TEMPLATE, "Title of the alert; {field.path} is replaced, {{ and }} are braces."),
    Key("group_by", Kind.FIELDS, "Alerts with equal values of these fields belong together."),
    Key("suppress_for", Kind.DURATION, "No further alert of the same group for so long."),
)

RISK_KEYS: Final = (
    Key("impact", Kind.PERCENT, "How bad it is, 0 to 100.", required=True),
    Key("confidence", Kind.PERCENT, "How likely an alert is true, 0 to 100.", required=True),
)

OUTPUT_KEYS: Final = (
    Key("field", Kind.FIELD, "The field.", required=True),
    Key("as", Kind.LINE, "The name under which the alert shows it.", required=True, attribute="alias"),
)

OBJECTS: Final[Mapping[Kind, tuple[type[Any], tuple[Key, ...]]]] = MappingProxyType(
    {
        Kind.THRESHOLD: (Threshold, THRESHOLD_KEYS),
        Kind.SEQUENCE: (Sequence, SEQUENCE_KEYS),
        Kind.NEW_TERMS: (NewTerms, NEW_TERMS_KEYS),
        Kind.ALERT: (AlertSettings, ALERT_KEYS),
        Kind.RISK: (Risk, RISK_KEYS),
        Kind.STEPS: (Step, STEP_KEYS),
    }
)
"""Kinds that are a mapping of their own (``STEPS``: a list of them): the struct and its keys."""

ALLOW_LOSS: Final = "allow_loss"
"""The one platform setting that all platforms have: the codes of losses that are accepted."""
MAX_NEW_TERMS_FIELDS: Final = 3
MIN_STEPS: Final = 2
MAX_COUNT: Final = 1_000_000_000
MAX_TICKS: Final = 100_000
"""How many times one match may be looked at: the times that ``every`` fits into ``within``."""
NOT_WITH_SEQUENCE: Final = ("indicators", "exclusions", "threshold", "new_terms")
"""Keys of a rule that cannot stand beside ``sequence``."""
MATCH_WORDS: Final[Mapping[str, bool]] = MappingProxyType({"match": True, "no_match": False})
"""What a test of one event may expect."""
TEST_KEYS: Final = MappingProxyType(
    {
        "name": "what the test shows; unique in the rule",
        "expect": "match or no_match for one event, {alerts: n} for a stream",
        "event": "the event, a JSON object",
        "events": "the stream's events, in log order",
    }
)


class Operand(enum.Enum):
    """What an operator takes."""

    SCALAR = "text, a number, true or false"
    TEXT = "text that is not empty, or {field: FIELD}"
    WILDCARD = "text with * and ?, not empty"
    REGEX = "a regular expression in RE2 syntax"
    ORDER = "a number, a timestamp such as 2024-05-01T12:00:00Z, or {field: FIELD}"
    BOOLEAN = "true or false"
    CIDR = "a network such as 10.0.0.0/8, or an address"
    IP_CLASS = "a class of addresses"
    FIELD = "a field path, or {field: FIELD, apply: [FUNCTION, …]}"
    LENGTH = "a number of characters, or one of {gt, gte, lt, lte: number}"


LENGTH: Final = "length"
"""The one operator key without an :class:`Operator` of its own: the length function and a comparison."""

OPERANDS: Final[Mapping[str, Operand]] = MappingProxyType(
    {
        Operator.IS.value: Operand.SCALAR,
        Operator.STARTS_WITH.value: Operand.TEXT,
        Operator.ENDS_WITH.value: Operand.TEXT,
        Operator.CONTAINS.value: Operand.TEXT,
        Operator.LIKE.value: Operand.WILDCARD,
        Operator.REGEX.value: Operand.REGEX,
        Operator.GT.value: Operand.ORDER,
        Operator.GTE.value: Operand.ORDER,
        Operator.LT.value: Operand.ORDER,
        Operator.LTE.value: Operand.ORDER,
        Operator.EXISTS.value: Operand.BOOLEAN,
        Operator.CIDR.value: Operand.CIDR,
        Operator.IP.value: Operand.IP_CLASS,
        Operator.SAME_AS.value: Operand.FIELD,
        LENGTH: Operand.LENGTH,
    }
)
"""Operator key → what it takes."""

REFERRING: Final = frozenset(OPERANDS[operator.value] for operator in REFERRING_OPERATORS)
"""The kinds of operands that may be values of the event."""

OPERATOR_DOCS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "is": "The value equals the operand (same number, or same text).",
        "starts_with": "The value's text starts with it.",
        "ends_with": "The value's text ends with it.",
        "contains": "The value's text contains it.",
        "like": "The whole text matches a pattern: * any run, ? one character, backslash escapes.",
        "regex": "An RE2 regular expression is found in the text.",
        "gt": "Greater than, or later than.",
        "gte": "Greater than or equal, or not earlier than.",
        "lt": "Less than, or earlier than.",
        "lte": "Less than or equal, or not later than.",
        "exists": "The field has a value that is not null (false: it has none).",
        "cidr": "The value is an IP address of the network.",
        "ip": "The value is an IP address of the class.",
        "same_as": "The value equals another value of the event.",
        LENGTH: "The number of characters of the value's text.",
    }
)

LENGTH_COMPARISONS: Final = tuple(operator.value for operator in Operator if operator in ORDER_OPERATORS)
FIELD_KEY: Final = "field"
CONCAT_KEY: Final = "concat"
IGNORE_CASE_KEY: Final = "ignore_case"
ALL_OF_KEY: Final = "all_of"
APPLY_KEY: Final = "apply"
MODIFIERS: Final = (IGNORE_CASE_KEY, ALL_OF_KEY, APPLY_KEY)
REFERENCE_KEYS: Final = (FIELD_KEY, CONCAT_KEY, APPLY_KEY)
"""Keys of an operand that is a value of the event: one of the first two, and what is applied to it."""
PREDICATE_KEYS: Final = (FIELD_KEY, CONCAT_KEY, *OPERANDS, *MODIFIERS)

ALL_KEY: Final = "all"
ANY_KEY: Final = "any"
NOT_KEY: Final = "not"
FOR_SOME_KEY: Final = "for_some"
WHERE_KEY: Final = "where"
COMBINATORS: Final = (ALL_KEY, ANY_KEY, NOT_KEY, FOR_SOME_KEY)

ALL_MATCHES: Final = "matches"
"""What ``count`` and ``span`` are of, where they are of no field."""
SPAN_FROM_KEY: Final = "from"
SPAN_TO_KEY: Final = "to"
TIMES_KEY: Final = "times"
MEASURE_DOCS: Final[Mapping[str, str]] = MappingProxyType(
    {
        MeasureKind.COUNT.value: "How many matches there are: count: matches.",
        MeasureKind.DISTINCT.value: "How many different values the field has.",
        MeasureKind.SUM.value: "The sum of the field's numbers.",
        MeasureKind.MIN.value: "The least of the field's numbers.",
        MeasureKind.MAX.value: "The greatest of the field's numbers.",
        MeasureKind.AVG.value: "The mean of the field's numbers.",
        MeasureKind.SPAN.value: "From the first match to the last: span: matches; or {from: …, to: …}.",
        MeasureKind.MET.value: "How many of these conditions some match satisfies.",
    }
)
BOUND_KEYS: Final = tuple(operator.value for operator in BOUNDS)
MEASURE_KEYS: Final = (*MEASURE_DOCS, WHERE_KEY, APPLY_KEY, *BOUND_KEYS)

SPLIT_KEYS: Final = ("split", "index")
JSON_KEY: Final = "json"
CHOICE_KEY: Final = "choice"
WHEN_KEY: Final = "when"
TEXT_KEY: Final = "text"
"""A choice between group keys, the conditions of one of its alternatives, and a literal text as one."""
PLAIN_FUNCTIONS: Final = tuple(
    name for name in FunctionName if name not in (FunctionName.SPLIT, FunctionName.JSON)
)

SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "==": "is",
        "=": "is",
        "eq": "is",
        "equals": "is",
        "in": "is",
        "any_of": "is",
        "value": "is",
        "prefix": "starts_with",
        "startswith": "starts_with",
        "begins_with": "starts_with",
        "suffix": "ends_with",
        "endswith": "ends_with",
        "includes": "contains",
        "substring": "contains",
        "wildcard": "like",
        "glob": "like",
        "matches": "regex",
        "re": "regex",
        ">": "gt",
        ">=": "gte",
        "<": "lt",
        "<=": "lte",
        "null": "exists",
        "missing": "exists",
        "network": "cidr",
        "subnet": "cidr",
        "nocase": "ignore_case",
        "case_insensitive": "ignore_case",
        "transform": "apply",
        "path": "field",
        "and": "all",
        "or": "any",
        "none": "not",
        "any_element": "for_some",
        "level": "severity",
        "name": "title",
        "log_source": "logsource",
        "condition": "indicators",
        "conditions": "indicators",
        "detection": "indicators",
        "filter": "exclusions",
        "filters": "exclusions",
        "falsepositives": "false_positives",
        "mitre": "attack",
        "window": "within",
        "timeframe": "within",
        "maxspan": "within",
        "group_by": "by",
        "date": "created",
        "modified": "updated",
        "expected": "expect",
        "alias": "as",
        "log": "event",
        "logs": "events",
    }
)
"""What people used to other formats write → the key that is meant (a hint only, where that key fits)."""
