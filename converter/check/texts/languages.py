"""The texts for which a predicate holds, as an automaton: exactly, or from inside and from outside.

``outer`` holds every text that satisfies the predicate and maybe more; ``inner`` holds none that does not.
Where both are the same the set is exact. Outside it is not: numbers in a text (``4.03e2`` is 403), times,
and IPv6 addresses have more forms than a regular expression tells apart.
"""

from __future__ import annotations

import functools
import ipaddress
import math
from collections.abc import Callable
from typing import Any, Final

import msgspec

from converter.check.texts.alphabet import Alphabet, becoming
from converter.check.texts.automata import Automaton, Basename, Counted, Every, Part, Search, Trimmed
from converter.check.texts.limits import TooLarge
from converter.check.texts.nfa import Nfa
from converter.check.texts.numbers import IPv4Network, addresses, class_v4, integers
from converter.evaluate.operators import TESTS, fold
from converter.evaluate.timestamps import parse_text, to_text
from converter.evaluate.values import number_of, text_of
from converter.model.addresses import networks_of
from converter.model.expressions import (
    ORDER_OPERATORS,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    constants,
)
from converter.model.regex import RegexError, parse
from converter.model.regex.classes import Ranges, char_class, of_characters, orbit
from converter.model.regex.nodes import (
    ANY_TEXT,
    EMPTY,
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    Group,
    Literal,
    Node,
    alternation,
    concat,
)

_START: Final = Anchor(AnchorKind.TEXT_START)
_END: Final = Anchor(AnchorKind.TEXT_END)
_SEPARATORS: Final = of_characters("/\\")
_BLANKS: Final = of_characters(" \t\r\n\f\v")
_CASES: Final = (FunctionName.LOWER, FunctionName.UPPER)
_LONGEST_COUNT = 5_000
_SECOND = 1_000_000_000


def _of(pattern: str) -> Node:
    return parse(pattern, "re2")


INTEGER: Final = _of("^(?:0|-?[1-9][0-9]*)$")
"""The text of a JSON integer."""
NUMBER: Final = _of(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$")
"""The text of any JSON number (3.4)."""
TIME: Final = _of(r"(?s)^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""How the text of a timestamp begins (6.1)."""
TIME_LONG: Final = _of(
    "^[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z$"
)
"""The texts of some timestamps: those in UTC before the 29th."""
ADDRESS_V6: Final = _of("(?s)^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%.+)?$")
"""What the text of an IPv6 address looks like."""
ADDRESS_V6_LONG: Final = _of("^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$")
"""The texts of IPv6 addresses that leave no group out."""
ADDRESS_V4: Final = _of("^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\\.|$)){4}$")
NOTHING: Final = concat((_END, AnyChar(newline=True)))
"""No text at all: something behind the end."""


class Language:
    """A set of texts: those that, changed by some functions, hold a tree's match, or are of a length that
    passes a test.
    """

    def __init__(
        self,
        tree: Node,
        functions: tuple[Function, ...] = (),
        length: Length | None = None,
        folded: bool = False,
    ) -> None:
        """``length``: what is asked of the length instead of the tree. ``folded``: the tree, whose classes
        hold every case already, is of the text in lower case.
        """
        self._tree = tree
        self._functions = functions
        self._length = length
        self._cases = tuple(function.name.value for function in functions if function.name in _CASES)
        self.cases = (*self._cases, "lower") if folded else self._cases

    @functools.cached_property
    def _nfa(self) -> Nfa:
        nfa = Nfa(self._tree, lambda ranges: _relabelled(ranges, self._cases))
        if self._cases and nfa.asks_words:
            raise TooLarge("word boundaries behind a change of case are not searched")
        return nfa

    @functools.cached_property
    def labels(self) -> tuple[Ranges, ...]:
        """The sets of characters that its automaton tells apart."""
        own = () if self._length is not None or self._tree == ANY_TEXT else self._nfa.labels()
        return (*own, *(label for label in map(self._separators, range(len(self._functions))) if label))

    def automaton(self, alphabet: Alphabet) -> Automaton[Any]:
        """Its automaton over an alphabet made of at least its labels."""
        inner: Automaton[Any]
        if self._length is not None:
            inner = Counted(self._length.passes, self._length.most)
        else:
            inner = Every() if self._tree == ANY_TEXT else Search(self._nfa, alphabet, self.cases)
        for index in reversed(range(len(self._functions))):
            label = self._separators(index)
            if not label:
                continue
            classes, function = alphabet.classes(label), self._functions[index]
            match function.name:
                case FunctionName.BASENAME:
                    inner = Basename(inner, classes)
                case FunctionName.TRIM:
                    inner = Trimmed(inner, classes)
                case _:
                    inner = Part(inner, classes, function.index or 0)
        return inner

    def _separators(self, index: int) -> Ranges:
        """The characters at which a function cuts; () for none."""
        ahead = [f.name.value for f in self._functions[:index] if f.name in _CASES]
        own = _separators(self._functions[index])
        if any(len(orbit(chr(low))) > 1 for low, _ in own) and ahead:
            raise TooLarge("split at a letter behind a change of case is not searched")
        return own


class Length(msgspec.Struct, frozen=True):
    """A test of a length, which says the same for all from ``most`` on."""

    passes: Callable[[int], bool]
    most: int


class Languages(msgspec.Struct, frozen=True):
    """A predicate's texts from outside and from inside."""

    outer: Language
    inner: Language

    @property
    def exact(self) -> bool:
        """Whether both are the same."""
        return self.outer is self.inner


def _relabelled(ranges: Ranges, cases: tuple[str, ...]) -> Ranges:
    """The characters that the changes of case turn into one of the ranges."""
    for case in reversed(cases):
        ranges = becoming(ranges, case)
    return ranges


def _separators(function: Function) -> Ranges:
    match function.name:
        case FunctionName.BASENAME:
            return _SEPARATORS
        case FunctionName.TRIM:
            return _BLANKS
        case FunctionName.SPLIT:
            if len(function.separator or "") != 1:
                raise TooLarge("split at a separator of several characters is not searched")
            return of_characters(function.separator or "")
    return ()


@functools.lru_cache(maxsize=2048)
def languages(predicate: Predicate, number: bool) -> Languages:
    """The texts of the values for which a predicate (any of its operands) holds.

    ``number``: the value is a JSON integer, else a text. Raises TooLarge for what no automaton is made of.
    """
    functions = predicate.functions
    if any(function.name is FunctionName.JSON for function in functions):
        raise TooLarge("what stands in a JSON text is not searched")
    operands = list(constants(predicate))
    if predicate.operator is Operator.EXISTS:
        return _same(Language(ANY_TEXT, tuple(f for f in functions if f.name is not FunctionName.LENGTH)))
    if any(function.name is FunctionName.LENGTH for function in functions):
        return _same(_counted(predicate, operands))
    pairs = _pairs(predicate, operands, number and not functions)
    folded = predicate.ignore_case and predicate.operator is not Operator.REGEX
    outer = Language(alternation(outer for outer, _ in pairs) if pairs else NOTHING, functions, folded=folded)
    if all(outside is inside for outside, inside in pairs):
        return _same(outer)
    return Languages(outer, Language(alternation(inner for _, inner in pairs), functions, folded=folded))


def _same(language: Language) -> Languages:
    return Languages(language, language)


def _counted(predicate: Predicate, operands: list[Scalar]) -> Language:
    """A predicate on a length: what is counted, not the text, is tested."""
    *before, last = predicate.functions
    numbers = [number_of(operand) for operand in operands]
    tested = predicate.operator in (Operator.IS, *ORDER_OPERATORS)
    changed = any(function.name in (FunctionName.LENGTH, *_CASES) for function in before)
    if last.name is not FunctionName.LENGTH or changed or not tested or None in numbers:
        raise TooLarge("what is asked of the length is not searched")
    most = int(max((abs(number) for number in numbers if number is not None), default=0)) + 2
    if most > _LONGEST_COUNT:
        raise TooLarge(f"lengths above {_LONGEST_COUNT} are not searched")
    tests = [TESTS[predicate.operator](operand, predicate.ignore_case) for operand in operands]
    return Language(ANY_TEXT, tuple(before), Length(lambda count: any(test(count) for test in tests), most))


Pair = tuple[Node, Node]
"""A tree from outside and one from inside; the same object where it is exact."""

_ENDS: Final = {
    Operator.IS: (True, True),
    Operator.STARTS_WITH: (True, False),
    Operator.ENDS_WITH: (False, True),
    Operator.CONTAINS: (False, False),
}
"""Whether the operand stands at the start and at the end of the text."""


def _pairs(predicate: Predicate, operands: list[Scalar], number: bool) -> list[Pair]:
    """The trees of a predicate's operands; plain texts share one, in which equal beginnings are one way."""
    operator, folded = predicate.operator, predicate.ignore_case
    plain = [operand for operand in operands if operator in _ENDS and not _numeric(operator, operand, number)]
    pairs = [_pair(operator, operand, folded, number) for operand in operands if operand not in plain]
    if plain:
        texts = sorted({fold(text_of(operand), folded) for operand in plain})
        if operator is Operator.ENDS_WITH:
            tree = alternation(_characters(text, folded) for text in texts)
        else:
            tree = _shared(texts, folded)
        pairs.append(_exact(_placed(operator, tree)))
    return pairs


def _numeric(operator: Operator, operand: Scalar, number: bool) -> bool:
    """Whether ``is`` compares numbers: one side is a JSON number, and the other a number too (4.1)."""
    if operator is not Operator.IS or number_of(operand) is None:
        return False
    return number or not isinstance(operand, str)


def _placed(operator: Operator, tree: Node) -> Node:
    at_start, at_end = _ENDS.get(operator, (True, True))
    inner = Group(tree) if isinstance(tree, Alternation) else tree
    return concat((*([_START] if at_start else []), inner, *([_END] if at_end else [])))


def _shared(texts: list[str], folded: bool) -> Node:
    """The prefix tree of some sorted texts."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text[:1], []).append(text)
    options = []
    for group in groups.values():
        first, last = group[0], group[-1]
        shared = next((i for i, c in enumerate(first) if c != last[i : i + 1]), len(first))
        rest = [text[shared:] for text in group]
        behind = EMPTY if len(rest) == 1 else _shared(rest, folded)
        behind = Group(behind) if isinstance(behind, Alternation) else behind
        options.append(concat((_characters(first[:shared], folded), behind)))
    return alternation(options)


def _characters(text: str, folded: bool) -> Node:
    """A text, letter by letter; ``folded``: every letter whose lower case is the text's."""
    if not folded:
        return Literal(text) if text else EMPTY
    return concat(char_class(becoming(of_characters(character), "lower")) for character in text)


def _exact(tree: Node) -> Pair:
    return tree, tree


def _pair(operator: Operator, operand: Scalar, folded: bool, number: bool) -> Pair:
    """The texts that satisfy an operator with one operand, where they are not a plain text's."""
    text, value = text_of(operand), number_of(operand)
    match operator:
        case Operator.IS if value is not None:
            whole = _integers(Operator.IS, value)
            if number:
                return _exact(whole)
            fraction = _of(r"^(?:\.0+)?$") if value == int(value) else EMPTY
            written = concat((Literal(text), *([fraction] if "." not in text and "e" not in text else [])))
            return NUMBER, _placed(Operator.IS, written)
        case Operator.LIKE:
            return _exact(_placed(operator, _wildcards(fold(text, folded), folded)))
        case Operator.REGEX:
            return _exact(_searched(text, folded))
        case Operator.CIDR | Operator.IP:
            return _exact(NOTHING) if number else _in_networks(operator, text)
    if value is not None:
        inside = _integers(operator, value)
        return _exact(inside) if number else (NUMBER, inside)
    return _exact(NOTHING) if number else (TIME, _exactly_at(operator, text))


def _integers(operator: Operator, number: int | float) -> Node:
    """The decimal integers that compare so with a number."""
    floor = math.floor(number)
    whole = floor == number
    bounds: dict[Operator, tuple[int | None, int | None]] = {
        Operator.IS: (floor, floor if whole else floor - 1),
        Operator.GT: (floor + 1, None),
        Operator.GTE: (floor if whole else floor + 1, None),
        Operator.LT: (None, floor - 1 if whole else floor),
        Operator.LTE: (None, floor),
    }
    tree = integers(*bounds[operator])
    return NOTHING if tree is None else _placed(Operator.IS, tree)


def _exactly_at(operator: Operator, text: str) -> Node:
    """One time that compares so with another."""
    moment = parse_text(text)
    if moment is None:
        return NOTHING
    shift = {Operator.GT: _SECOND, Operator.LT: -_SECOND}.get(operator, 0)
    return _placed(Operator.IS, Literal(to_text(moment + shift)))


def _in_networks(operator: Operator, text: str) -> Pair:
    """The texts of the addresses in a network, or in a class of addresses."""
    if operator is Operator.CIDR:
        network = ipaddress.ip_network(text)
        v4 = [network] if isinstance(network, IPv4Network) else []
        v6 = [network] if isinstance(network, ipaddress.IPv6Network) else []
    else:
        v4 = list(class_v4(text))
        v6 = [n for n in networks_of(text)[0] if isinstance(n, ipaddress.IPv6Network)]
    tree = addresses(v4)
    inside = [] if tree is None else [_placed(Operator.IS, tree)]
    if not v6:
        return _exact(alternation(inside) if inside else NOTHING)
    return alternation([*inside, ADDRESS_V6]), alternation(inside or [NOTHING])


def _wildcards(pattern: str, folded: bool) -> Node:
    """A wildcard pattern (4.5, 4.6) as a tree for the whole text."""
    parts: list[Node] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and pattern[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            parts.append(_characters(pattern[position], folded))
        elif character == "*":
            parts.append(ANY_TEXT)
        elif character == "?":
            parts.append(AnyChar(newline=True))
        else:
            parts.append(_characters(character, folded))
        position += 1
    return concat(parts)


def _searched(pattern: str, folded: bool) -> Node:
    try:
        return parse(f"(?i){pattern}" if folded else pattern, "re2")
    except RegexError as error:
        raise TooLarge(f"the pattern is not searched: {error}") from error
