"""Conditions from plain data: ``{field: …, OPERATOR: …}``, all, any, not, for_some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from converter.model import tables
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
    Scalar,
    Subject,
    reference,
)
from converter.model.operands_in import (
    parse_ip_class,
    parse_network,
    parse_operand_text,
    parse_order,
    parse_regex,
    parse_wildcard,
)
from converter.model.paths import ELEMENT, ROOT, FieldPath
from converter.model.problems import Problems, Where, did_you_mean
from converter.model.scalars_in import BadValue, parse_field, parse_json_path
from converter.model.tables import Operand

_OPERATORS: Final = {operator.value: operator for operator in Operator}
_COMBINATORS: Final = frozenset(tables.COMBINATORS)
_MODIFIERS: Final = frozenset(tables.MODIFIERS)
_FUNCTIONS: Final = {name.value: name for name in tables.PLAIN_FUNCTIONS}
_GIVEN_MORE: Final = {tables.SPLIT_KEYS[0]: '{split: "/", index: 0}', tables.JSON_KEY: "{json: a.b[0]}"}
"""The functions that are given more than the value, and how they are written."""
_SUBJECTS: Final = (tables.FIELD_KEY, tables.CONCAT_KEY)
_LENGTH_COMPARISONS: Final = {key: _OPERATORS[key] for key in tables.LENGTH_COMPARISONS}
_TEXT_OPERANDS: Final[dict[Operand, Callable[[str], Any]]] = {
    Operand.TEXT: parse_operand_text,
    Operand.WILDCARD: parse_wildcard,
    Operand.REGEX: parse_regex,
    Operand.CIDR: parse_network,
    Operand.IP_CLASS: parse_ip_class,
    Operand.FIELD: parse_field,
}


def read_expressions(
    data: object, where: Where, problems: Problems, depth: int = 1, inside: bool = False
) -> tuple[Expression, ...]:
    """A list of conditions. Those that cannot be read are reported and left out."""
    if not isinstance(data, list):
        problems.wrong_type(tables.Kind.EXPRESSIONS.value, data, where, "put '- ' before each condition")
        return ()
    read = (read_expression(item, (where, i), problems, depth, inside) for i, item in enumerate(data))
    return tuple(expression for expression in read if expression is not None)


def read_expression(
    data: object, where: Where, problems: Problems, depth: int = 1, inside: bool = False
) -> Expression | None:
    """One condition; None when something was reported about it. ``depth`` counts levels from 1;
    ``inside``: it stands below ``for_some``, so that ``[]`` names the element.
    """
    if depth > tables.MAX_EXPRESSION_DEPTH:
        problems.add("too-deep", f"conditions nest more than {tables.MAX_EXPRESSION_DEPTH} deep", where)
        return None
    if not isinstance(data, dict):
        problems.wrong_type("a condition, {field: …, OPERATOR: …}", data, where)
        return None
    kinds = [key for key in data if key in _COMBINATORS]
    if not kinds:
        return _read_predicate(data, where, problems, inside)
    kind = kinds[0]
    allowed = (kind, tables.WHERE_KEY) if kind == tables.FOR_SOME_KEY else (kind,)
    others = [key for key in data if key not in allowed]
    if others:
        message = f"{others[0]!r} cannot stand beside {kind!r}"
        problems.add(
            "unknown-key", message, (where, others[0]), "make it a condition of its own", on_key=True
        )
        return None
    if kind == tables.NOT_KEY:
        return _read_not(data[kind], (where, kind), problems, depth, inside)
    if kind == tables.FOR_SOME_KEY:
        return _read_for_some(data, where, problems, depth, inside)
    terms = _read_terms(data[kind], (where, kind), problems, depth, inside)
    if terms is None:
        return None
    return All(terms) if kind == tables.ALL_KEY else AnyOf(terms)


def _read_terms(
    data: object, where: Where, problems: Problems, depth: int, inside: bool
) -> tuple[Expression, ...] | None:
    before = len(problems)
    terms = read_expressions(data, where, problems, depth + 1, inside)
    if len(problems) == before and not terms:
        problems.add("empty", "expected at least one condition", where)
    return terms if len(problems) == before else None


def _read_not(data: object, where: Where, problems: Problems, depth: int, inside: bool) -> Expression | None:
    if isinstance(data, list):
        terms = _read_terms(data, where, problems, depth, inside)
        if terms is None:
            return None
        return Not(terms[0] if len(terms) == 1 else All(terms))
    term = read_expression(data, where, problems, depth + 1, inside)
    return None if term is None else Not(term)


def _read_for_some(
    data: dict[str, Any], where: Where, problems: Problems, depth: int, inside: bool
) -> Expression | None:
    name = data[tables.FOR_SOME_KEY]
    path = read_field(name, (where, tables.FOR_SOME_KEY), problems, inside and name != str(ELEMENT))
    if tables.WHERE_KEY not in data:
        problems.add("missing-key", "for_some needs 'where', a list of conditions on the element", where)
        return None
    place: Where = (where, tables.WHERE_KEY)
    terms = _read_terms(data[tables.WHERE_KEY], place, problems, depth, inside=True)
    if path is None or terms is None:
        return None
    return ForSome(path, terms[0] if len(terms) == 1 else All(terms))


def read_field(data: object, where: Where, problems: Problems, inside: bool = False) -> FieldPath | None:
    """A field path; ``inside`` a ``for_some`` also ``[]``, the element, and ``/path``, from the event."""
    if inside and data == str(ELEMENT):
        return ELEMENT
    if inside and isinstance(data, str) and data.startswith(ROOT):
        outside = read_field(data.removeprefix(ROOT), where, problems)
        return None if outside is None else FieldPath(outside.steps, rooted=True)
    if not isinstance(data, str):
        problems.wrong_type(tables.Kind.FIELD.value, data, where)
        return None
    path: FieldPath | None = _checked(parse_field, data, where, problems)
    return path


def _checked(parse: Callable[[str], Any], text: str, where: Where, problems: Problems) -> Any:
    try:
        return parse(text)
    except BadValue as error:
        problems.add(error.code, str(error), where, error.hint)
        return None


def _read_predicate(
    data: dict[str, Any], where: Where, problems: Problems, inside: bool
) -> Expression | None:
    before = len(problems)
    operators = [key for key in data if key in tables.OPERANDS]
    _check_predicate_keys(data, operators, where, problems)
    subject = read_subject(data, where, problems, inside)
    functions = read_functions(data.get(tables.APPLY_KEY, ()), (where, tables.APPLY_KEY), problems)
    if len(operators) != 1:
        return None
    key = operators[0]
    values: tuple[Scalar | Reference, ...]
    if key == tables.LENGTH:
        operator, values = _read_length(data[key], (where, key), problems)
        functions = (*functions, Function(FunctionName.LENGTH))
    else:
        operator = _OPERATORS[key]
        values = _read_operands(data[key], tables.OPERANDS[key], (where, key), problems, inside)
    ignore_case = _read_flag(data, tables.IGNORE_CASE_KEY, where, problems)
    all_of = _read_flag(data, tables.ALL_OF_KEY, where, problems)
    if ignore_case and (operator not in CASE_OPERATORS or key == tables.LENGTH):
        message = f"ignore_case means nothing with {key!r}"
        problems.add("bad-modifier", message, (where, tables.IGNORE_CASE_KEY), "leave it out", on_key=True)
    if ignore_case and operator is Operator.REGEX and len(problems) == before:
        _check_folded_regexes(values, (where, key), problems)
    if all_of and operator is Operator.EXISTS:
        message = f"all_of means nothing with {key!r}"
        problems.add("bad-modifier", message, (where, tables.ALL_OF_KEY), "leave it out", on_key=True)
    if len(problems) != before or subject is None:
        return None
    if operator is Operator.EXISTS:
        exists = Predicate(subject, operator, functions=functions)
        return exists if data[key] else Not(exists)
    return Predicate(subject, operator, values, ignore_case, all_of, functions)


def _check_folded_regexes(patterns: tuple[Scalar | Reference, ...], where: Where, problems: Problems) -> None:
    """Without regard to case a pattern takes more memory; a huge one may then be refused."""
    for pattern in patterns:
        _checked(lambda text: parse_regex(text, True), str(pattern), where, problems)


def _check_predicate_keys(
    data: dict[str, Any], operators: list[str], where: Where, problems: Problems
) -> None:
    unknown = [
        key for key in data if key not in tables.OPERANDS and key not in _MODIFIERS and key not in _SUBJECTS
    ]
    for key in unknown:
        operatorlike = not operators and len(unknown) == 1
        valid = tables.OPERANDS if operatorlike else (*tables.PREDICATE_KEYS, *tables.COMBINATORS)
        hint = did_you_mean(key, valid) or did_you_mean(key, (*tables.PREDICATE_KEYS, *tables.COMBINATORS))
        code, what = (
            ("unknown-operator", "operator") if operatorlike else ("unknown-key", "key of a condition")
        )
        message = f"{key!r} is no {what}; expected one of {', '.join(valid)}"
        problems.add(code, message, (where, key), hint, on_key=True)
    if len(operators) > 1:
        named = " and ".join(repr(key) for key in operators[:2])
        message = f"one operator is expected, got {named}"
        hint = "write two conditions, or a list of operands"
        problems.add("two-operators", message, (where, operators[1]), hint, on_key=True)
    elif not operators and not unknown:
        problems.add("missing-key", f"an operator is expected: one of {', '.join(tables.OPERANDS)}", where)


def read_subject(
    data: dict[str, Any], where: Where, problems: Problems, inside: bool = False
) -> Subject | None:
    """What a condition is about: ``field`` or ``concat``."""
    if tables.FIELD_KEY in data:
        if tables.CONCAT_KEY in data:
            message = "either 'field' or 'concat' is expected, not both"
            problems.add("bad-subject", message, (where, tables.CONCAT_KEY), on_key=True)
        return read_field(data[tables.FIELD_KEY], (where, tables.FIELD_KEY), problems, inside)
    if tables.CONCAT_KEY not in data:
        problems.add("missing-key", "'field' is expected: which field the condition is about", where)
        return None
    place: Where = (where, tables.CONCAT_KEY)
    parts = data[tables.CONCAT_KEY]
    if not isinstance(parts, list):
        problems.wrong_type("a list of {field: FIELD} and texts", parts, place)
        return None
    read: list[Reference | str] = []
    for index, part in enumerate(parts):
        if isinstance(part, str):
            read.append(part)
        elif isinstance(part, dict) and tables.CONCAT_KEY not in part:
            changed = _read_reference(part, (place, index), problems, inside)
            if changed is not None:
                read.append(changed)
        else:
            problems.wrong_type("{field: FIELD} or text", part, (place, index))
    if not any(isinstance(part, dict) for part in parts):
        problems.add("empty", "concat needs at least one {field: FIELD}", place)
    return Concat(tuple(read))


def read_functions(data: object, where: Where, problems: Problems) -> tuple[Function, ...]:
    """A list of value functions. Those that cannot be read are reported and left out."""
    if not isinstance(data, (list, tuple)):
        problems.wrong_type("a list of functions", data, where)
        return ()
    functions: list[Function] = []
    for index, item in enumerate(data):
        place: Where = (where, index)
        if isinstance(item, str):
            if item in _FUNCTIONS:
                functions.append(Function(_FUNCTIONS[item]))
                continue
            valid = (*_FUNCTIONS, *_GIVEN_MORE)
            message = f"{item!r} is no function; expected one of {', '.join(valid)}"
            hint = f"write {_GIVEN_MORE[item]}" if item in _GIVEN_MORE else did_you_mean(item, valid)
            problems.add("unknown-function", message, place, hint)
            continue
        given = _read_given_more(item, place, problems)
        if given is not None:
            functions.append(given)
    return tuple(functions)


def _read_given_more(item: object, where: Where, problems: Problems) -> Function | None:
    """A function that is given more than the value."""
    if isinstance(item, dict) and set(item) == {tables.JSON_KEY}:
        return _read_json(item[tables.JSON_KEY], (where, tables.JSON_KEY), problems)
    if isinstance(item, dict) and set(item) == set(tables.SPLIT_KEYS):
        return _read_split(item, where, problems)
    problems.wrong_type(f"a function's name, {' or '.join(_GIVEN_MORE.values())}", item, where)
    return None


def _read_json(path: object, where: Where, problems: Problems) -> Function | None:
    if not isinstance(path, str):
        problems.wrong_type("a path inside the JSON text", path, where)
        return None
    steps = _checked(parse_json_path, path, where, problems)
    return None if steps is None else Function(FunctionName.JSON, path=steps)


def _read_split(item: dict[str, Any], where: Where, problems: Problems) -> Function | None:
    separator, index = (item[key] for key in tables.SPLIT_KEYS)
    if not isinstance(separator, str) or not separator:
        problems.wrong_type("text to split at", separator, (where, tables.SPLIT_KEYS[0]))
        return None
    if not isinstance(index, int) or isinstance(index, bool) or abs(index) > 1_000_000:
        problems.wrong_type("the number of a part, from 0", index, (where, tables.SPLIT_KEYS[1]))
        return None
    return Function(FunctionName.SPLIT, separator, index)


def _read_flag(data: dict[str, Any], key: str, where: Where, problems: Problems) -> bool:
    value = data.get(key, False)
    if isinstance(value, bool):
        return value
    problems.wrong_type("true or false", value, (where, key))
    return False


def _read_operands(
    data: object, operand: Operand, where: Where, problems: Problems, inside: bool
) -> tuple[Scalar | Reference, ...]:
    if operand is Operand.BOOLEAN:
        if not isinstance(data, bool):
            problems.wrong_type(operand.value, data, where)
        return ()
    if not isinstance(data, list):
        value = _read_operand(data, operand, where, problems, inside)
        return () if value is None else (value,)
    if not data:
        problems.add("empty", "expected at least one operand", where)
    read = (_read_operand(item, operand, (where, index), problems, inside) for index, item in enumerate(data))
    return tuple(value for value in read if value is not None)


def _read_operand(
    data: object, operand: Operand, where: Where, problems: Problems, inside: bool
) -> Scalar | Reference | None:
    if operand in tables.REFERRING and isinstance(data, dict):
        return _read_reference(data, where, problems, inside)
    if operand is Operand.FIELD and isinstance(data, str):
        return read_field(data, where, problems, inside)
    if operand is Operand.SCALAR and isinstance(data, (str, int, float)):
        return data
    if operand is Operand.ORDER:
        if isinstance(data, str):
            order: str | None = _checked(parse_order, data, where, problems)
            return order
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            return data
    parse = _TEXT_OPERANDS.get(operand)
    if parse is not None and isinstance(data, str):
        value: Scalar | Reference | None = _checked(parse, data, where, problems)
        return value
    hint = None
    if data is None:
        hint = "ask for a field that is missing or null with `exists: false`"
    elif parse is not None and isinstance(data, (bool, int, float)):
        hint = "put it in quotes to make it text"
    elif operand is Operand.SCALAR and isinstance(data, dict):
        hint = "to compare with a value of the event, write same_as"
    problems.wrong_type(operand.value, data, where, hint)
    return None


def _read_reference(data: dict[str, Any], where: Where, problems: Problems, inside: bool) -> Reference | None:
    """An operand that is a value of the event: a field or a concat, and the functions applied to it."""
    before = len(problems)
    for key in data:
        if key not in tables.REFERENCE_KEYS:
            message = f"{key!r} is no key of an operand; expected one of {', '.join(tables.REFERENCE_KEYS)}"
            problems.add("unknown-key", message, (where, key), on_key=True)
    subject = read_subject(data, where, problems, inside)
    functions = read_functions(data.get(tables.APPLY_KEY, ()), (where, tables.APPLY_KEY), problems)
    return None if subject is None or len(problems) != before else reference(subject, functions)


def _read_length(data: object, where: Where, problems: Problems) -> tuple[Operator, tuple[int, ...]]:
    if isinstance(data, dict):
        if len(data) != 1 or next(iter(data)) not in _LENGTH_COMPARISONS:
            wrong = next((key for key in data if key not in _LENGTH_COMPARISONS), None)
            hint = did_you_mean(wrong, _LENGTH_COMPARISONS)
            problems.wrong_type(f"{tables.Operand.LENGTH.value}", data, where, hint)
            return Operator.IS, ()
        key, number = next(iter(data.items()))
        return _LENGTH_COMPARISONS[key], _read_numbers(number, (where, key), problems)
    return Operator.IS, _read_numbers(data, where, problems)


def _read_numbers(data: object, where: Where, problems: Problems) -> tuple[int, ...]:
    numbers = data if isinstance(data, list) else [data]
    if not numbers:
        problems.add("empty", "expected at least one number", where)
    for index, number in enumerate(numbers):
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            place = (where, index) if isinstance(data, list) else where
            problems.wrong_type("a number of characters, 0 or more", number, place)
    return tuple(number for number in numbers if isinstance(number, int))
