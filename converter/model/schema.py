"""The rule file as a JSON Schema, for editors: completion, documentation on hover, mistakes while typing.

Derived from :mod:`converter.model.tables`, the tables that the loader reads by. The schema is never stricter
than the loader; what JSON Schema cannot say (a pattern that RE2 compiles, a network without host bits,
equally long join keys, test names of their own) the loader checks.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from converter.model import addresses, tables
from converter.model.attack import attack_table
from converter.model.expressions import CASE_OPERATORS, Operator
from converter.model.measures import FIELD_KINDS, Edge, MeasureKind
from converter.model.rule import Level, MissingKeys, Status, WindowStart
from converter.model.tables import Key, Kind, Operand

Schema: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_END: Final = r"(?![\s\S])"
"""The end of the text; ``$`` would let a newline follow where Python's ``re`` is used."""
_CONDITION: Final[Schema] = {"$ref": "#/$defs/condition"}
_FIELD: Final[Schema] = {"$ref": "#/$defs/field"}
_GROUP_TEST: Final[Schema] = {"$ref": "#/$defs/group_test"}
_REFERENCE: Final[Schema] = {"$ref": "#/$defs/reference"}


def json_schema() -> Schema:
    """A JSON Schema (Draft 2020-12) of one rule, as decoded JSON. A new object at every call."""
    rule = _object(tables.RULE_KEYS)
    rule["allOf"] = _rule_constraints()
    definitions = {
        "condition": _condition(),
        "predicate": _predicate(),
        "function": _function(),
        "alternative": _alternative(),
        "reference": _reference(),
        "group_test": _group_test(),
        "measure": _measure(),
        "field": {"type": "string", "minLength": 1, "maxLength": tables.MAX_PATH_CHARACTERS},
        "line": {"type": "string", "pattern": f"^{tables.LINE_PATTERN}{_END}"},
        "duration": {"type": "string", "pattern": f"^{tables.DURATION_PATTERN}{_END}"},
        "test": _test(),
    }
    return {"$schema": DIALECT, "title": "Canonical detection rule", **rule, "$defs": definitions}


def _object(keys: tuple[Key, ...]) -> Schema:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": {key.name: {"description": key.doc, **_shape(key.kind)} for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
    }


def _shape(kind: Kind) -> Schema:
    """What a value of this kind looks like."""
    match kind:
        case Kind.STEPS:
            step = _object(tables.OBJECTS[kind][1])
            step["properties"]["indicators"]["minItems"] = 1
            return {"type": "array", "items": step, "minItems": tables.MIN_STEPS}
        case Kind.THRESHOLD:
            shape = _object(tables.OBJECTS[kind][1])
            shape["anyOf"] = [{"required": ["count"]}, {"required": ["having"]}]
            shape["if"] = {
                "required": ["window"],
                "properties": {"window": {"const": WindowStart.FIRST_MATCH.value}},
            }
            shape["then"] = {
                "not": {"required": ["every"]},
                "anyOf": [{"required": ["having"]}, {"properties": {"count": {"minimum": 2}}}],
            }
            return shape
        case Kind.NEW_TERMS:
            shape = _object(tables.OBJECTS[kind][1])
            shape["properties"]["fields"] |= {
                "minItems": 1,
                "maxItems": tables.MAX_NEW_TERMS_FIELDS,
                "uniqueItems": True,
            }
            return shape
        case Kind.GROUP_KEYS:
            choice = _array({"$ref": "#/$defs/alternative"}, minItems=1)
            return _array({"anyOf": [_FIELD, _closed({tables.CHOICE_KEY: choice})]})
        case Kind.OUTPUT:
            return _array({"anyOf": [_FIELD, _object(tables.OUTPUT_KEYS)]})
        case Kind.ATTACK:
            return _array({"enum": _attack_references()}, uniqueItems=True)
        case _ if kind in tables.OBJECTS:
            return _object(tables.OBJECTS[kind][1])
        case _:
            return dict(_SHAPES[kind])


def _array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _one_or_more(shape: Schema) -> Schema:
    return {"anyOf": [shape, _array(shape, minItems=1)]}


_LINE: Final[Schema] = {"$ref": "#/$defs/line"}
_TEXT: Final[Schema] = {"type": "string", "pattern": f"^{tables.TEXT_PATTERN}{_END}"}
_SHAPES: Final[dict[Kind, Schema]] = {
    Kind.ID: {"type": "string", "pattern": f"^{tables.ID_PATTERN}{_END}"},
    Kind.LINE: _LINE,
    Kind.TEXT: _TEXT,
    Kind.LINES: _array(_LINE),
    Kind.TEXTS: _array(_TEXT),
    Kind.LEVEL: {"enum": [level.value for level in Level]},
    Kind.STATUS: {"enum": [status.value for status in Status]},
    Kind.LOGSOURCES: {"anyOf": [_LINE, _array(_LINE, minItems=1, uniqueItems=True)]},
    Kind.EXPRESSIONS: _array(_CONDITION),
    Kind.TEMPLATE: _LINE,
    Kind.DATE: {"type": "string", "format": "date", "pattern": f"^{tables.DATE_PATTERN}{_END}"},
    Kind.PERCENT: {"type": "integer", "minimum": 0, "maximum": 100},
    Kind.COUNT: {"type": "integer", "minimum": 1, "maximum": tables.MAX_COUNT},
    Kind.MISSING_KEYS: {"enum": [choice.value for choice in MissingKeys]},
    Kind.WINDOW_START: {"enum": [choice.value for choice in WindowStart]},
    Kind.HAVING: _array(_GROUP_TEST, minItems=1),
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.FIELD: _FIELD,
    Kind.FIELDS: _array(_FIELD),
    Kind.DURATION: {"$ref": "#/$defs/duration"},
    Kind.PLATFORMS: {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": {tables.ALLOW_LOSS: _array(_LINE)}},
    },
    Kind.TESTS: _array({"$ref": "#/$defs/test"}),
}


def _attack_references() -> list[str]:
    """Every tactic, and every technique under each of its tactics."""
    table = attack_table()
    pairs = (f"{tactic}:{t.id}" for t in table.techniques.values() for tactic in t.tactics)
    return sorted([*table.tactics, *pairs])


def _rule_constraints() -> list[Schema]:
    """What the rule's parts ask of each other."""
    has_sequence = {"required": ["sequence"]}
    beside = {"not": {"anyOf": [{"required": [key]} for key in tables.NOT_WITH_SEQUENCE]}}
    steps_name_theirs = {
        "properties": {"sequence": {"properties": {"steps": {"items": {"required": ["logsource"]}}}}}
    }
    return [
        {
            "if": has_sequence,
            "then": {"allOf": [beside, {"anyOf": [{"required": ["logsource"]}, steps_name_theirs]}]},
            "else": {
                "required": ["logsource", "indicators"],
                "properties": {"indicators": {"minItems": 1}},
            },
        },
        {"not": {"required": ["threshold", "new_terms"]}},
    ]


# Tests of a group -------------------------------------------------------------------------------------


def _group_test() -> Schema:
    terms = _array(_GROUP_TEST, minItems=1)
    return {
        "oneOf": [
            _measured(tables.BOUND_KEYS, _bound()),
            _closed({tables.ALL_KEY: {"description": "Every test of the list holds.", **terms}}),
            _closed({tables.ANY_KEY: {"description": "Some test of the list holds.", **terms}}),
            _closed(
                {
                    tables.NOT_KEY: {
                        "description": "The test does not hold (a list: not all hold).",
                        "anyOf": [_GROUP_TEST, terms],
                    }
                }
            ),
        ]
    }


def _bound() -> Schema:
    return {"anyOf": [{"type": "number"}, {"type": "string"}, {"$ref": "#/$defs/measure"}]}


def _measure() -> Schema:
    """A measure as what another is compared with."""
    return _measured((tables.TIMES_KEY,), {"type": "number"}, needed=False)


def _measured(beside: tuple[str, ...], shape: Schema, *, needed: bool = True) -> Schema:
    """A mapping with one measure, and ``beside`` it at least one key of those, if they are ``needed``."""
    properties: dict[str, Schema] = {
        key: {"description": doc, **_measure_shape(MeasureKind(key))}
        for key, doc in tables.MEASURE_DOCS.items()
    }
    properties[tables.WHERE_KEY] = {
        "description": "Look only at the matches that meet these conditions.",
        **_array(_CONDITION, minItems=1),
    }
    properties[tables.APPLY_KEY] = _apply()
    properties |= dict.fromkeys(beside, shape)
    whole: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    whole["oneOf"] = [{"required": [key]} for key in tables.MEASURE_DOCS]
    if needed:
        whole["anyOf"] = [{"required": [key]} for key in beside]
    return whole


def _measure_shape(kind: MeasureKind) -> Schema:
    matches: Schema = {"const": tables.ALL_MATCHES}
    conditions = _array(_CONDITION, minItems=1)
    if kind in FIELD_KINDS:
        return _FIELD
    if kind is MeasureKind.MET:
        return conditions
    if kind is not MeasureKind.SPAN:
        return matches
    filtered = [_closed({edge.value: conditions}) for edge in (Edge.FIRST, Edge.LAST)]
    moment: Schema = {"anyOf": [{"enum": [edge.value for edge in Edge]}, *filtered]}
    ends = {tables.SPAN_FROM_KEY: moment, tables.SPAN_TO_KEY: moment}
    span = {"type": "object", "properties": ends, "minProperties": 1, "additionalProperties": False}
    return {"anyOf": [matches, span]}


# Conditions ------------------------------------------------------------------------------------------


def _condition() -> Schema:
    terms = _array(_CONDITION, minItems=1)
    combinators = {
        tables.ALL_KEY: ("Every condition of the list holds.", terms),
        tables.ANY_KEY: ("Some condition of the list holds.", terms),
        tables.NOT_KEY: (
            "The condition does not hold (a list: not all hold).",
            {"anyOf": [_CONDITION, terms]},
        ),
    }
    return {
        "oneOf": [
            {"$ref": "#/$defs/predicate"},
            *(_closed({key: {"description": doc, **shape}}) for key, (doc, shape) in combinators.items()),
            _closed(
                {
                    tables.FOR_SOME_KEY: {
                        "description": "A list, some element of which meets all of 'where'.",
                        **_FIELD,
                    },
                    tables.WHERE_KEY: {
                        "description": "Conditions on the element: paths start there, /paths at the event.",
                        **terms,
                    },
                }
            ),
        ]
    }


def _closed(properties: dict[str, Schema]) -> Schema:
    """A mapping with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _concat() -> Schema:
    """Fields and texts joined."""
    field: Schema = {
        "type": "object",
        "properties": {tables.FIELD_KEY: _FIELD, tables.APPLY_KEY: _apply()},
        "required": [tables.FIELD_KEY],
        "additionalProperties": False,
    }
    return {
        "description": "Instead of a field: fields and texts joined.",
        **_array({"anyOf": [{"type": "string"}, field]}, contains=field),
    }


def _apply() -> Schema:
    """Value functions."""
    return {
        "description": "Functions applied to the value first, in order.",
        **_array({"$ref": "#/$defs/function"}),
    }


def _alternative() -> Schema:
    """One alternative of a choice between group keys."""
    properties: dict[str, Schema] = {
        tables.WHEN_KEY: {"description": "Conditions that must all hold.", **_shape(Kind.EXPRESSIONS)},
        tables.FIELD_KEY: {"description": "The values of this field.", **_FIELD},
        tables.CONCAT_KEY: _concat(),
        tables.TEXT_KEY: {"description": "Instead of a field: this text.", "type": "string"},
        tables.APPLY_KEY: _apply(),
    }
    subjects = (tables.FIELD_KEY, tables.CONCAT_KEY, tables.TEXT_KEY)
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "oneOf": [{"required": [key]} for key in subjects],
        "not": {"required": [tables.TEXT_KEY, tables.APPLY_KEY]},
    }


def _of_one_subject() -> Schema:
    """Either a field or what is joined."""
    return {"oneOf": [{"required": [key]} for key in (tables.FIELD_KEY, tables.CONCAT_KEY)]}


def _reference() -> Schema:
    """An operand that is a value of the event."""
    field = {"description": "The field that the value is compared with.", **_FIELD}
    shapes = (field, _concat(), _apply())
    return {
        "type": "object",
        "properties": dict(zip(tables.REFERENCE_KEYS, shapes, strict=True)),
        "additionalProperties": False,
        **_of_one_subject(),
    }


def _predicate() -> Schema:
    properties: dict[str, Schema] = {
        tables.FIELD_KEY: {"description": "The field that the condition is about.", **_FIELD},
        tables.CONCAT_KEY: _concat(),
        **{
            key: {"description": tables.OPERATOR_DOCS[key], **_operand(operand)}
            for key, operand in tables.OPERANDS.items()
        },
        tables.IGNORE_CASE_KEY: {"description": "Letters agree in any case.", "type": "boolean"},
        tables.ALL_OF_KEY: {"description": "Every operand must be satisfied, not any.", "type": "boolean"},
        tables.APPLY_KEY: _apply(),
    }
    cased = [{"required": [key]} for key in tables.OPERANDS if key in CASE_OPERATORS]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "allOf": [
            _of_one_subject(),
            {"oneOf": [{"required": [key]} for key in tables.OPERANDS]},
            {"if": _is_true(tables.IGNORE_CASE_KEY), "then": {"anyOf": cased}},
            {"if": _is_true(tables.ALL_OF_KEY), "then": {"not": {"required": [Operator.EXISTS.value]}}},
        ],
    }


def _is_true(key: str) -> Schema:
    return {"properties": {key: {"const": True}}, "required": [key]}


def _operand(operand: Operand) -> Schema:
    """What an operator takes: one operand or a list of them, except for a yes-or-no question."""
    number = {"type": "integer", "minimum": 0}
    match operand:
        case Operand.BOOLEAN:
            return {"type": "boolean"}
        case Operand.SCALAR:
            return _one_or_more({"type": ["string", "number", "boolean"]})
        case Operand.ORDER:
            return _one_or_more({"anyOf": [{"type": ["string", "number"]}, _REFERENCE]})
        case Operand.IP_CLASS:
            return _one_or_more({"enum": list(addresses.CLASSES)})
        case Operand.FIELD:
            return _one_or_more({"anyOf": [_FIELD, _REFERENCE]})
        case Operand.LENGTH:
            comparisons = [_closed({key: _one_or_more(number)}) for key in tables.LENGTH_COMPARISONS]
            return {"anyOf": [number, _array(number, minItems=1), *comparisons]}
        case Operand.WILDCARD | Operand.REGEX:
            maximum = tables.MAX_PATTERN_CHARACTERS
            return _one_or_more({"type": "string", "minLength": 1, "maxLength": maximum})
        case Operand.TEXT:
            return _one_or_more({"anyOf": [{"type": "string", "minLength": 1}, _REFERENCE]})
        case Operand.CIDR:
            return _one_or_more({"type": "string", "minLength": 1})


def _function() -> Schema:
    separator, index = tables.SPLIT_KEYS
    split = _closed({separator: {"type": "string", "minLength": 1}, index: {"type": "integer"}})
    inside = _closed({tables.JSON_KEY: {"type": "string"}})
    return {"anyOf": [{"enum": [name.value for name in tables.PLAIN_FUNCTIONS]}, split, inside]}


def _test() -> Schema:
    event: Schema = {"description": tables.TEST_KEYS["event"], "type": "object"}
    events: Schema = {
        "description": tables.TEST_KEYS["events"],
        **_array({"type": "object"}, minItems=1),
    }
    name: Schema = {"description": tables.TEST_KEYS["name"], **_LINE}
    about = {"description": tables.TEST_KEYS["expect"]}
    alerts = _closed({"alerts": {"type": "integer", "minimum": 0}})
    return {
        "oneOf": [
            _closed({"name": name, "expect": {**about, "enum": list(tables.MATCH_WORDS)}, "event": event}),
            _closed({"name": name, "expect": {**about, **alerts}, "events": events}),
        ]
    }
