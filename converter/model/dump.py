"""Rules to canonical YAML: one key order, one layout, so that a rule has one text.

Loading what is written gives the same rule (its place apart), and dumping that gives the same text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import msgspec

from converter.model import tables
from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.expressions import (
    ORDER_OPERATORS,
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
    Scalar,
    Subject,
    changes_of,
)
from converter.model.measures import (
    FIRST_MATCH,
    LAST_MATCH,
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
from converter.model.paths import FieldPath, format_path
from converter.model.rule import Alternative, Choice, OutputField, Rule, RuleTest, Threshold
from converter.model.scalars_in import format_duration, format_span, format_template
from converter.model.tables import Key, Kind
from converter.model.yaml_out import Flow, Prose, write_yaml

_ALWAYS: Final = frozenset({"severity", "status"})
"""Keys that are written even with their default, because a reader wants to see them."""
_FLOW_LEVELS: Final = 2
"""Collections of events and settings nested no deeper than this go on one line where they fit."""


def dump_rule(rule: Rule) -> str:
    """The rule as canonical YAML. Raises RuleError for what the format cannot hold, naming the rule."""
    try:
        return write_yaml(rule_to_data(rule))
    except ValueError as error:
        message = f"the rule cannot be written as YAML: {error}"
        finding = Diagnostic(code="not-yaml", severity=Severity.ERROR, message=message, rule_id=rule.id)
        raise RuleError(str(finding), [finding]) from error


def rule_to_data(rule: Rule) -> dict[str, Any]:
    """The rule as plain data in canonical key order, :class:`Flow` marking what belongs on one line."""
    return _object_to_data(rule, tables.RULE_KEYS)


def expression_to_data(expression: Expression) -> Any:
    """The condition as plain data of dict, list and scalars; ``expression_from_data`` reads it back."""
    return _plain(_expression(expression))


def _object_to_data(value: Any, keys: tuple[Key, ...]) -> dict[str, Any]:
    """A struct as a mapping, without the keys that hold their default."""
    defaults = dict(zip(reversed(value.__struct_fields__), reversed(value.__struct_defaults__), strict=False))
    data: dict[str, Any] = {}
    for key in keys:
        attribute = getattr(value, key.target)
        if key.required or key.name in _ALWAYS or not _is_empty(attribute, defaults.get(key.target)):
            data[key.name] = _WRITERS[key.kind](attribute)
    return data


def _is_empty(value: Any, default: Any) -> bool:
    return value is None or value in ((), {}) or (value == default and type(value) is type(default))


def _flow_object(kind: Kind) -> Callable[[Any], Flow]:
    keys = tables.OBJECTS[kind][1]
    return lambda value: Flow(_object_to_data(value, keys))


def _same(value: Any) -> Any:
    return value


def _enum(value: enum.StrEnum) -> str:
    return value.value


def _texts(values: tuple[str, ...]) -> list[Prose]:
    return [Prose(value) for value in values]


def _flow_texts(values: tuple[Any, ...]) -> Flow:
    return Flow([str(value) for value in values])


def _logsources(values: tuple[str, ...]) -> str | Flow:
    return values[0] if len(values) == 1 else Flow(list(values))


def _output(fields: tuple[OutputField, ...]) -> Flow:
    return Flow([_output_field(field) for field in fields])


def _output_field(field: OutputField) -> Any:
    return str(field.field) if field.alias is None else {"field": str(field.field), "as": field.alias}


def _sequence(value: Any) -> dict[str, Any]:
    return _object_to_data(value, tables.SEQUENCE_KEYS)


def _steps(steps: tuple[Any, ...]) -> list[Any]:
    return [_object_to_data(step, tables.STEP_KEYS) for step in steps]


def _tests(tests: tuple[RuleTest, ...]) -> list[Any]:
    return [_test(test) for test in tests]


def _test(test: RuleTest) -> dict[str, Any]:
    if test.alerts is None:
        expect = "match" if test.match else "no_match"
        return {"name": test.name, "expect": expect, "event": _laid_out(test.events[0], top=True)}
    events = [_laid_out(event, top=True) for event in test.events]
    return {"name": test.name, "expect": Flow({"alerts": test.alerts}), "events": events}


def _platforms(settings: dict[str, dict[str, Any]]) -> Any:
    return {name: _laid_out(values) for name, values in settings.items()}


def _laid_out(data: Any, top: bool = False, depth: int = 1) -> Any:
    """Data with its shallow collections marked as Flow; the top level of an event stays in block style."""
    if depth > tables.MAX_YAML_DEPTH:
        raise ValueError(f"nested more than {tables.MAX_YAML_DEPTH} deep")
    if not isinstance(data, (dict, list, tuple)):
        return data
    if not top and _levels(data, _FLOW_LEVELS) <= _FLOW_LEVELS:
        return Flow(data)
    if isinstance(data, dict):
        return {key: _laid_out(value, depth=depth + 1) for key, value in data.items()}
    return [_laid_out(value, depth=depth + 1) for value in data]


def _levels(data: Any, at_most: int) -> int:
    """How deep collections nest, counted no further than one beyond ``at_most``."""
    if not isinstance(data, (dict, list, tuple)):
        return 0
    if at_most == 0:
        return 1
    members = data.values() if isinstance(data, dict) else data
    return 1 + max((_levels(member, at_most - 1) for member in members), default=0)


def _plain(data: Any) -> Any:
    """Data without layout marks."""
    if isinstance(data, Flow):
        return _plain(data.value)
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


# Tests of a group -------------------------------------------------------------------------------------


def _threshold(threshold: Threshold) -> Any:
    keys: Any = (*threshold.by, *threshold.choices)
    data = _object_to_data(msgspec.structs.replace(threshold, by=keys), tables.THRESHOLD_KEYS)
    if threshold.having:
        return data
    counted = {"count": threshold.count, **data}
    return counted if threshold.choices else Flow(counted)


def _group_keys(keys: tuple[FieldPath | Choice, ...]) -> Any:
    data = [{tables.CHOICE_KEY: _choice(key)} if isinstance(key, Choice) else str(key) for key in keys]
    return data if any(isinstance(key, Choice) for key in keys) else Flow(data)


def _choice(choice: Choice) -> list[Any]:
    return [_alternative(alternative) for alternative in choice.alternatives]


def _alternative(alternative: Alternative) -> Any:
    match alternative.subject:
        case Concat((str() as text,)):
            data: dict[str, Any] = {tables.TEXT_KEY: text}
        case subject:
            data = _subject(subject)
    if alternative.functions:
        data[tables.APPLY_KEY] = [_function(function) for function in alternative.functions]
    when = {tables.WHEN_KEY: _expressions(alternative.when)} if alternative.when else {}
    return Flow({**when, **data})


def _having(conditions: tuple[GroupCondition, ...], depth: int = 1) -> list[Any]:
    return [_group_condition(condition, depth) for condition in conditions]


def _group_condition(condition: GroupCondition, depth: int) -> Any:
    if depth > tables.MAX_EXPRESSION_DEPTH:
        raise ValueError(f"tests of the group nest more than {tables.MAX_EXPRESSION_DEPTH} deep")
    match condition:
        case GroupTest(measure, bounds):
            return Flow({**_measure(measure), **{sign.value: _bound(bound) for sign, bound in bounds}})
        case AllTests(terms):
            return {tables.ALL_KEY: _having(terms, depth + 1)}
        case AnyTest(terms):
            return {tables.ANY_KEY: _having(terms, depth + 1)}
        case NotTest(AllTests(terms)) if len(terms) > 1:
            return {tables.NOT_KEY: _having(terms, depth + 1)}
        case NotTest(term):
            return {tables.NOT_KEY: _group_condition(term, depth + 1)}
    raise TypeError(f"{type(condition).__name__} is no test of a group")


def _measure(measure: Measure) -> dict[str, Any]:
    kind = measure.kind
    if kind is MeasureKind.MET:
        return {kind.value: _expressions(measure.where)}
    where = measure.where
    data: dict[str, Any] = {kind.value: tables.ALL_MATCHES if measure.field is None else str(measure.field)}
    if kind is MeasureKind.SPAN:
        where = measure.start.where
        if (measure.start, measure.stop) != (Moment(Edge.FIRST, where), Moment(Edge.LAST, where)):
            return {kind.value: _span(measure)}
    if measure.functions:
        data[tables.APPLY_KEY] = [_function(function) for function in measure.functions]
    if where:
        data[tables.WHERE_KEY] = _expressions(where)
    return data


def _span(measure: Measure) -> dict[str, Any]:
    """The ends of a span that are not the first and the last match."""
    data: dict[str, Any] = {}
    if measure.start != FIRST_MATCH:
        data[tables.SPAN_FROM_KEY] = _moment(measure.start)
    if measure.stop != LAST_MATCH:
        data[tables.SPAN_TO_KEY] = _moment(measure.stop)
    return data


def _moment(moment: Moment) -> Any:
    return {moment.edge.value: _expressions(moment.where)} if moment.where else moment.edge.value


def _bound(bound: Bound) -> Any:
    match bound:
        case timedelta():
            return format_span(bound)
        case Multiple(measure, times):
            return {**_measure(measure), **({} if times == 1 else {tables.TIMES_KEY: times})}
    return bound


# Conditions ------------------------------------------------------------------------------------------


def _expressions(expressions: tuple[Expression, ...]) -> list[Any]:
    return [_expression(expression) for expression in expressions]


def _expression(expression: Expression, depth: int = 1) -> Any:
    if depth > tables.MAX_EXPRESSION_DEPTH:
        raise ValueError(f"conditions nest more than {tables.MAX_EXPRESSION_DEPTH} deep")
    match expression:
        case Predicate():
            return Flow(_predicate(expression))
        case All(terms):
            return {tables.ALL_KEY: [_expression(term, depth + 1) for term in terms]}
        case AnyOf(terms):
            return {tables.ANY_KEY: [_expression(term, depth + 1) for term in terms]}
        case Not(Predicate(operator=Operator.EXISTS) as predicate):
            return Flow({**_predicate(predicate), Operator.EXISTS.value: False})
        case Not(All(terms)) if len(terms) > 1:
            return {tables.NOT_KEY: [_expression(term, depth + 1) for term in terms]}
        case Not(term):
            inner = _expression(term, depth + 1)
            negation = {tables.NOT_KEY: inner}
            return Flow(negation) if isinstance(inner, Flow) else negation
        case ForSome(path, All(terms)) if len(terms) > 1:
            where = [_expression(term, depth + 1) for term in terms]
            return {tables.FOR_SOME_KEY: str(path), tables.WHERE_KEY: where}
        case ForSome(path, term):
            return {tables.FOR_SOME_KEY: str(path), tables.WHERE_KEY: [_expression(term, depth + 1)]}
    raise TypeError(f"{type(expression).__name__} is no condition")


def _predicate(predicate: Predicate) -> dict[str, Any]:
    """One condition: subject, operator, then modifiers."""
    data = _subject(predicate.subject)
    functions = predicate.functions
    plain = predicate.operator is Operator.SAME_AS
    if _is_length(predicate):
        functions = functions[:-1]
        numbers = _one_or_list(list(predicate.values))
        is_equal = predicate.operator is Operator.IS
        data[tables.LENGTH] = numbers if is_equal else {predicate.operator.value: numbers}
    elif predicate.operator is Operator.EXISTS:
        data[predicate.operator.value] = True
    else:
        operands = [_operand(value, plain) for value in predicate.values]
        data[predicate.operator.value] = _one_or_list(operands)
    if predicate.ignore_case:
        data[tables.IGNORE_CASE_KEY] = True
    if predicate.all_of:
        data[tables.ALL_OF_KEY] = True
    if functions:
        data[tables.APPLY_KEY] = [_function(function) for function in functions]
    return data


def _is_length(predicate: Predicate) -> bool:
    """Whether the ``length`` key says it all: a count of characters compared with whole numbers."""
    return (
        bool(predicate.functions)
        and predicate.functions[-1].name is FunctionName.LENGTH
        and (predicate.operator is Operator.IS or predicate.operator in ORDER_OPERATORS)
        and not predicate.ignore_case
        and all(type(value) is int and value >= 0 for value in predicate.values)
    )


def _subject(subject: Subject) -> dict[str, Any]:
    if isinstance(subject, FieldPath):
        return {tables.FIELD_KEY: str(subject)}
    return {
        tables.CONCAT_KEY: [part if isinstance(part, str) else _reference(part) for part in subject.parts]
    }


def _function(function: Function) -> Any:
    match function.name:
        case FunctionName.SPLIT:
            return dict(zip(tables.SPLIT_KEYS, function.arguments, strict=True))
        case FunctionName.JSON:
            return {tables.JSON_KEY: format_path(function.path or ())}
        case _:
            return function.name.value


def _operand(value: Scalar | Reference, plain: bool) -> Any:
    """An operand; ``plain``: the operator takes nothing but fields, so that a path can stand by itself."""
    if not isinstance(value, Reference):
        return value
    return str(value) if plain and isinstance(value, FieldPath) else _reference(value)


def _reference(value: Reference) -> dict[str, Any]:
    subject, functions = changes_of(value)
    applied = {tables.APPLY_KEY: [_function(function) for function in functions]} if functions else {}
    return {**_subject(subject), **applied}


def _one_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


_WRITERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    **dict.fromkeys((Kind.ID, Kind.LINE, Kind.DATE, Kind.PERCENT, Kind.COUNT, Kind.BOOLEAN), _same),
    Kind.TEXT: Prose,
    Kind.LINES: _flow_texts,
    Kind.TEXTS: _texts,
    **dict.fromkeys((Kind.LEVEL, Kind.STATUS, Kind.MISSING_KEYS, Kind.WINDOW_START), _enum),
    **{kind: _flow_object(kind) for kind in (Kind.NEW_TERMS, Kind.ALERT, Kind.RISK)},
    Kind.THRESHOLD: _threshold,
    Kind.HAVING: _having,
    Kind.GROUP_KEYS: _group_keys,
    Kind.FIELD: str,
    Kind.FIELDS: _flow_texts,
    Kind.ATTACK: _flow_texts,
    Kind.DURATION: format_duration,
    Kind.TEMPLATE: format_template,
    Kind.LOGSOURCES: _logsources,
    Kind.EXPRESSIONS: _expressions,
    Kind.SEQUENCE: _sequence,
    Kind.STEPS: _steps,
    Kind.OUTPUT: _output,
    Kind.PLATFORMS: _platforms,
    Kind.TESTS: _tests,
}
