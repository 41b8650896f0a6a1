"""One value that satisfies some predicates and not others: found, or proved impossible.

A value is tried in each shape that the log source's type allows. Values that stand at the edges of what is
asked come first; where they are all that matters (numbers, times, addresses and short lists have only so
many places at which a verdict changes) their failure is a proof. Else the texts are searched by automata.
"""

from __future__ import annotations

import enum
import ipaddress
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from converter.check.constraints.answers import IMPOSSIBLE, Answer, Found, Literal, Unsolved
from converter.check.texts.alphabet import Alphabet
from converter.check.texts.languages import (
    ADDRESS_V4,
    ADDRESS_V6,
    ADDRESS_V6_LONG,
    INTEGER,
    NUMBER,
    TIME,
    TIME_LONG,
    Language,
    Languages,
    languages,
)
from converter.check.texts.limits import Budget, TooLarge
from converter.check.texts.search import find_text
from converter.check.verdicts import compiled
from converter.check.witnesses import ADDRESSES, filled, typed_value, within, witnesses
from converter.evaluate.timestamps import parse_text, to_text
from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.addresses import networks_of
from converter.model.expressions import (
    ORDER_OPERATORS,
    FunctionName,
    Operator,
    Predicate,
    Reference,
    Scalar,
    constants,
)
from converter.model.regex.nodes import alternation

_ORDER: Final = {Operator.STARTS_WITH: 0, Operator.CONTAINS: 1, Operator.ENDS_WITH: 2}
"""Where in a text that satisfies several operators each of them finds its operand."""

_MOST_OPERANDS = 12
_MOST_TRIED = 4
_SOME_TIME = 1_714_979_289_000_000_000
_PLAIN: Final = ("x", "other", "", 0, 1, True, False)


class Shape(enum.Enum):
    """What kind of JSON scalar is looked for."""

    TEXT = enum.auto()
    INTEGER = enum.auto()
    FLOAT = enum.auto()
    BOOLEAN = enum.auto()
    ADDRESS = enum.auto()
    DATE = enum.auto()


_SHAPES: Final = {
    FieldType.INTEGER: (Shape.INTEGER,),
    FieldType.FLOAT: (Shape.FLOAT, Shape.INTEGER),
    FieldType.BOOLEAN: (Shape.BOOLEAN,),
    FieldType.IP: (Shape.ADDRESS,),
    FieldType.DATE: (Shape.DATE,),
    FieldType.OBJECT: (),
    FieldType.NESTED: (),
    FieldType.FLATTENED: (Shape.TEXT, Shape.INTEGER, Shape.BOOLEAN, Shape.FLOAT),
    None: (Shape.TEXT, Shape.INTEGER, Shape.BOOLEAN, Shape.FLOAT),
}
_DOMAINS: Final = {
    Shape.INTEGER: Language(INTEGER),
    Shape.FLOAT: Language(NUMBER),
    Shape.ADDRESS: Language(alternation((ADDRESS_V4, ADDRESS_V6))),
    Shape.DATE: Language(TIME),
}
"""What the text of a value of the shape looks like, at least."""
_DOMAINS_INSIDE: Final = _DOMAINS | {
    Shape.ADDRESS: Language(alternation((ADDRESS_V4, ADDRESS_V6_LONG))),
    Shape.DATE: Language(TIME_LONG),
}


def solve_value(literals: Sequence[Literal], kind: FieldType | None, budget: Budget | None = None) -> Answer:
    """A value of a declared type (None: undeclared) of which the literals (predicates of
    :data:`~converter.check.verdicts.VALUE`) are true. ``budget``: the work left for it.
    """
    ordered = sorted(literals, key=lambda literal: (not literal.wanted, len(literal.predicate.values)))
    tests = [(compiled(literal.predicate), literal.wanted) for literal in ordered]

    def fitting(value: Scalar) -> Found | None:
        typed = typed_value(value, kind)
        event = {"value": typed}
        return Found(typed) if typed is not None and all(h(event) is wanted for h, wanted in tests) else None

    for value in _nearby(ordered, kind):
        if (found := fitting(value)) is not None:
            return found
    reasons = []
    for shape in _SHAPES.get(kind, (Shape.TEXT,)):
        answer = _of_shape(ordered, shape, fitting, budget)
        if isinstance(answer, Found):
            return answer
        if isinstance(answer, Unsolved):
            reasons.append(answer)
    if kind is FieldType.DATE and any(map(_names_numbers, ordered)):
        return Unsolved("a log source may write its times as numbers")
    return reasons[0] if reasons else IMPOSSIBLE


def _names_numbers(literal: Literal) -> bool:
    """Whether a predicate may hold for numbers."""
    return any(number_of(operand) is not None for operand in _operands(literal.predicate))


def _nearby(literals: Sequence[Literal], kind: FieldType | None) -> Iterator[Scalar]:
    """Values that probably fit: first what the predicates that shall hold name."""
    for predicate, wanted in literals:
        if wanted and predicate.operator not in (Operator.REGEX, Operator.LIKE) and not predicate.functions:
            for operand in predicate.values:
                if operand in ("true", "false"):
                    yield operand == "true"
                if not isinstance(operand, Reference):
                    yield operand
    yield from _in_json(literals)
    yield from _joined([predicate for predicate, wanted in literals if wanted])
    for predicate, _ in literals[:_MOST_TRIED]:
        yield from witnesses(_shortened(predicate), kind)
    yield from _PLAIN


def _in_json(literals: Sequence[Literal]) -> Iterator[str]:
    """A JSON text in which one literal after the other has been given what it asks for."""
    if not any(
        function.name is FunctionName.JSON for each in literals for function in each.predicate.functions
    ):
        return
    text = "{}"
    for predicate, wanted in literals:
        holds = compiled(predicate)
        if holds({"value": text}) is not wanted:
            tries = within(text, predicate)
            text = next((each for each in tries if holds({"value": each}) is wanted), text)
    yield text


def _joined(wanted: Sequence[Predicate]) -> Iterator[str]:
    """What several texts ask for, one after the other: beginnings first and ends last."""
    pieces = sorted(piece for each in wanted if (piece := _piece(each)) is not None)
    if len(pieces) > 1:
        for between in ("", " ", "\\", "/"):
            yield between.join(text for _, text in pieces)


def _piece(predicate: Predicate) -> tuple[int, str] | None:
    """A text that an operator asks for, and where it belongs: at the beginning (0), inside, at the end."""
    operator, (operand, *_) = predicate.operator, (*_operands(predicate), "")
    text = text_of(operand)
    if operator is Operator.LIKE:
        begins, ends = not text.startswith("*"), not text.endswith("*")
        return (0 if begins else 2 if ends else 1), filled(text, "")
    if predicate.functions:
        known = predicate.functions[-1].name is not FunctionName.LENGTH
        return (3, text) if known and operator in (*_ORDER, Operator.IS) else None
    return (_ORDER[operator], text) if operator in _ORDER else None


def _shortened(predicate: Predicate) -> Predicate:
    if len(predicate.values) <= _MOST_OPERANDS:
        return predicate
    return msgspec.structs.replace(predicate, values=predicate.values[:_MOST_OPERANDS])


def _of_shape(
    literals: Sequence[Literal],
    shape: Shape,
    fitting: Callable[[Scalar], Found | None],
    budget: Budget | None,
) -> Answer:
    edges = _all_edges(literals, shape)
    if edges is not None:
        return next(filter(None, map(fitting, edges)), IMPOSSIBLE)
    try:
        for outside in (True, False):
            text = _text(literals, shape, outside, budget)
            if text is None:
                if outside:
                    return IMPOSSIBLE
                break
            value = _read(text, shape)
            found = None if value is None else fitting(value)
            if found is not None:
                return found
    except TooLarge as limit:
        return Unsolved(str(limit))
    return Unsolved("numbers, times or IPv6 addresses are mixed with conditions on their text")


# -- by the edges


def _all_edges(literals: Sequence[Literal], shape: Shape) -> list[Scalar] | None:
    """Values, one of which fits if any value of the shape does; None where no such list is known."""
    if shape is Shape.BOOLEAN:
        return [True, False]
    plain = [literal.predicate for literal in literals]
    wanted = [literal.predicate for literal in literals if literal.wanted]
    listed = next((predicate for predicate in wanted if _is_list_of_texts(predicate)), None)
    if listed is not None and shape in (Shape.TEXT, Shape.ADDRESS, Shape.DATE):
        return [text_of(operand) for operand in constants(listed)]
    if any(predicate.functions for predicate in plain):
        return None
    if shape in (Shape.INTEGER, Shape.FLOAT) and all(map(_is_of_numbers, plain)):
        return list(_number_edges(plain, whole=shape is Shape.INTEGER))
    bound = shape is not Shape.TEXT
    if shape in (Shape.TEXT, Shape.DATE) and all(map(_is_of_times, plain)) and (bound or wanted):
        return list(_time_edges(plain))
    if shape in (Shape.TEXT, Shape.ADDRESS) and all(map(_is_of_addresses, plain)) and (bound or wanted):
        return list(_address_edges(plain))
    if shape is Shape.TEXT and wanted and all(map(_compares_numbers, plain)):
        return [text_of(value) for value in _number_edges(plain, whole=False)]
    return None


def _is_list_of_texts(predicate: Predicate) -> bool:
    """Whether it holds for these very texts and no others."""
    return (
        predicate.operator is Operator.IS
        and not predicate.ignore_case
        and not predicate.functions
        and all(isinstance(v, str | bool) or number_of(v) is None for v in _operands(predicate))
    )


def _operands(predicate: Predicate) -> list[Scalar]:
    return list(constants(predicate))


def _is_of_numbers(predicate: Predicate) -> bool:
    """Whether its verdict on a number changes only at the numbers among its operands."""
    return predicate.operator in (Operator.IS, Operator.EXISTS, Operator.CIDR, Operator.IP, *ORDER_OPERATORS)


def _compares_numbers(predicate: Predicate) -> bool:
    return predicate.operator in ORDER_OPERATORS and all(
        number_of(v) is not None for v in _operands(predicate)
    )


def _is_of_times(predicate: Predicate) -> bool:
    return predicate.operator in ORDER_OPERATORS and all(number_of(v) is None for v in _operands(predicate))


def _is_of_addresses(predicate: Predicate) -> bool:
    return predicate.operator in (Operator.CIDR, Operator.IP)


def _number_edges(predicates: Iterable[Predicate], whole: bool) -> Iterator[Scalar]:
    """Every number at which a verdict changes, and one between each two and beyond the last ones."""
    numbers = sorted({n for p in predicates for v in _operands(p) if (n := number_of(v)) is not None} | {0})
    for number in numbers:
        if number == int(number) or whole:
            yield from (int(number), int(number) + 1, int(number) - 1)
        else:
            yield number
    if not whole:
        for low, high in itertools.pairwise(numbers):
            yield low / 2 + high / 2
        yield from (float(numbers[0]) - 0.5, float(numbers[-1]) + 0.5)


def _time_edges(predicates: Iterable[Predicate]) -> Iterator[Scalar]:
    moments = sorted(
        {m for p in predicates for v in _operands(p) if (m := parse_text(text_of(v))) is not None}
    )
    for moment in moments or [1_714_979_289_000_000_000]:
        yield from (to_text(moment + shift) for shift in (0, 1_000_000_000, -1_000_000_000, 1, -1))


def _address_edges(predicates: Iterable[Predicate]) -> Iterator[Scalar]:
    yield from ADDRESSES
    for predicate in predicates:
        for operand in _operands(predicate):
            for network in _networks(predicate.operator, text_of(operand)):
                first, last = network[0], network[-1]
                yield from (str(first), str(last))
                if int(first):
                    yield str(first - 1)
                if int(last) < (1 << first.max_prefixlen) - 1:
                    yield str(last + 1)


def _networks(operator: Operator, text: str) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if operator is Operator.CIDR:
        return (ipaddress.ip_network(text),)
    covered, excepted = networks_of(text)
    return (*covered, *excepted)


# -- by automata


def _text(literals: Sequence[Literal], shape: Shape, outside: bool, budget: Budget | None) -> str | None:
    """A text that fits when every set is taken from outside (or from inside); None: there is none.

    Raises TooLarge where that is not found out.
    """
    wanted: list[Language] = []
    unwanted: list[Language] = []
    for predicate, positive in literals:
        both = _languages(predicate, shape, outside)
        if both is not None:
            (wanted if positive else unwanted).append(both.outer if positive is outside else both.inner)
    domain = _DOMAINS.get(shape) if outside else _DOMAINS_INSIDE.get(shape)
    if domain is not None:
        wanted.append(domain)
    every = (*wanted, *unwanted)
    alphabet = Alphabet(
        (label for language in every for label in language.labels),
        (case for language in every for case in language.cases),
    )
    text = find_text(
        alphabet,
        [language.automaton(alphabet) for language in wanted],
        [language.automaton(alphabet) for language in unwanted],
        budget,
    )
    if text is None and alphabet.incomplete:
        raise TooLarge("a letter whose lower case depends on its neighbours is not searched for")
    return text


def _languages(predicate: Predicate, shape: Shape, outside: bool) -> Languages | None:
    """A predicate's texts; None where they are unknown and need not be asked for to find a proof."""
    try:
        if shape is Shape.FLOAT and any(number_of(operand) is not None for operand in _operands(predicate)):
            raise TooLarge("fractions are mixed with conditions on their text")
        return languages(predicate, shape is Shape.INTEGER)
    except TooLarge:
        if outside:
            return None
        raise


def _read(text: str, shape: Shape) -> Scalar | None:
    """The value of a shape that has this text; None if the text is none of the shape."""
    match shape:
        case Shape.INTEGER:
            return int(text)
        case Shape.FLOAT:
            number = number_of(text)
            return None if number is None else float(number)
        case Shape.ADDRESS:
            return typed_value(text, FieldType.IP)
        case Shape.DATE:
            return typed_value(text, FieldType.DATE)
    return text
