"""Comparisons and patterns over atoms, with ES|QL's three truth values.

Sources, in Elasticsearch's ES|QL reference: "Operators" (a comparison with a multi-valued field is null),
"LIKE and RLIKE" (whole value, with case), CIDR_MATCH, "null values".
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from ipaddress import ip_address, ip_network
from typing import Any

from converter.evaluate.timestamps import parse_text
from converter.evaluate.values import text_of
from converter.model.expressions import (
    FALSE,
    TRUE,
    Expression,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    all_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.regex import Anchor, AnchorKind, Literal, Node, RegexError, as_literal, parse, render
from converter.model.regex.analysis import search_core
from converter.model.regex.nodes import ANY_TEXT, EMPTY, concat
from converter.platforms.elastic.esql import wildcards
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Count,
    Extreme,
    Joined,
    Located,
    Now,
    Occurrences,
    Scaled,
    Term,
    Unknown,
    UnreadableError,
    Value,
    Values,
    exists,
    has_value,
    present,
    single,
    some_row,
    united,
)
from converter.platforms.elastic.esql.counts import at_least
from converter.platforms.elastic.esql.derived import AFFIXES, fits, like_pattern, rlike_pattern, texts
from converter.platforms.elastic.esql.group_tests import compared as compared_groups
from converter.platforms.elastic.esql.group_tests import decimal, of_only_value
from converter.platforms.elastic.esql.joined import SEPARATOR, within_one_value
from converter.platforms.elastic.esql.networks import IPV4, MAPPED
from converter.platforms.elastic.esql.operands import Family
from converter.platforms.elastic.esql.pairs import extremes, of_two, terms
from converter.platforms.elastic.esql.signs import FLIPPED, ORDER, PYTHON
from converter.platforms.elastic.text_order import ordered_text
from converter.platforms.three_valued import Truth, null_unless, ternary_not

_LOWER = (Function(FunctionName.LOWER),)
NEVER = Truth(FALSE, FALSE)
"""Null, whatever the event."""


def distributed(parts: Iterable[tuple[Expression, Truth]]) -> Truth:
    """The truth of a test whose operand has alternatives."""
    found = [(guard, truth) for guard, truth in parts if guard != FALSE]
    return Truth(
        united(*(all_of(guard, truth.true) for guard, truth in found if truth.true != FALSE)),
        united(*(all_of(guard, truth.false) for guard, truth in found if truth.false != FALSE)),
    )


def compared(sign: str, left: Value, right: Value) -> Truth:
    """``left sign right``."""
    if sign == "!=":
        truth = compared("==", left, right)
        return Truth(truth.false, truth.true)
    return distributed(
        (all_of(left_guard, right_guard), _compared(sign, a, b))
        for left_guard, a in left
        for right_guard, b in right
    )


def _compared(sign: str, left: Atom, right: Atom) -> Truth:
    match left, right:
        case (Unknown(reason), _) | (_, Unknown(reason)):
            raise UnreadableError(reason)
        case Constant(a), Constant(b):
            return _constants(sign, a, b)
        case (Constant() | Now(), _) if not isinstance(right, Constant | Now):
            return _compared(FLIPPED[sign], right, left)
        case Values(term), Constant(value):
            return of_only_value(left, _term(sign, term, _scalar(value)))
        case Term(), Constant(value):
            return _term(sign, left, _scalar(value))
        case Term(), Term():
            return terms(sign, left, right)
        case (Term() | Extreme(), Term() | Extreme()) if sign != "==":
            return extremes(sign, left, right)
        case Extreme(), Constant(value):
            return _extreme(sign, left, _scalar(value))
        case Count(term), Constant(value):
            return _count(sign, term, value)
    if isinstance(left, Occurrences) and isinstance(right, Constant):
        return _occurrences(sign, left, right.value)
    if isinstance(left, Scaled) and isinstance(right, Constant):
        return _scaled(sign, left, right.value)
    if isinstance(left, Located) and isinstance(right, Constant):
        return _located(sign, left, right.value)
    text = texts(left)
    if text is not None and sign == "==" and isinstance(right, Constant) and isinstance(right.value, str):
        return fits(text, Literal(right.value) if right.value else EMPTY)
    found = compared_groups(sign, left, right)
    if found is None:
        raise UnreadableError(f"{_name(left)} {sign} {_name(right)}")
    return found


def _name(atom: Atom) -> str:
    return type(atom).__name__.lower()


def _scalar(value: Scalar | tuple[Scalar, ...]) -> Scalar:
    if isinstance(value, tuple):
        raise UnreadableError("a comparison with a multi-valued constant")
    return value


def _constants(sign: str, left: Any, right: Any) -> Truth:
    if isinstance(left, str) is not isinstance(right, str) or tuple in (type(left), type(right)):
        raise UnreadableError(f"{left!r} {sign} {right!r}")
    return Truth(TRUE, FALSE) if PYTHON[sign](left, right) else Truth(FALSE, TRUE)


def tested(term: Term, predicate: Expression) -> Truth:
    """A single-value test of a term: null unless the term has exactly one value."""
    return Truth(all_of(single(term), predicate), all_of(present(term), negated(predicate)))


def of_any_value(term: Term, predicate: Expression) -> Truth:
    """A test that some value of a term satisfies: null where there is no value."""
    return Truth(predicate, all_of(has_value(term), negated(predicate)))


def of_joined(joined: Joined, predicate: Expression) -> Truth:
    """A test that some of the joined values satisfies."""
    if joined.rows is None:
        return of_any_value(joined.term, predicate)
    found = some_row(all_of(joined.rows, predicate))
    return null_unless(some_row(all_of(joined.rows, has_value(joined.term))), found)


def asks(term: Term, operator: Operator, *values: Scalar) -> Predicate:
    """A predicate on the term. ``TO_LOWER(f)`` against lower-case text is the same as ignoring case."""
    folds = term.functions == _LOWER and operator in _FOLDABLE
    if folds and all(isinstance(value, str) and value == value.lower() for value in values):
        return Predicate(term.subject, operator, values, ignore_case=True)
    return Predicate(term.subject, operator, values, functions=term.functions)


_FOLDABLE = frozenset(
    {Operator.IS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE}
)


def equals(term: Term, value: Scalar) -> Expression:
    """Some value of the term equals the constant, as its type compares."""
    if term.family is Family.DATE and isinstance(value, str):
        return all_of(asks(term, Operator.GTE, value), asks(term, Operator.LTE, value))
    if term.family is Family.IP and isinstance(value, str):
        try:
            version = ip_address(value).version
        except ValueError:
            raise UnreadableError(f"{value!r} is no IP address") from None
        return asks(term, Operator.IS if version == 4 else Operator.CIDR, value)
    return asks(term, Operator.IS, value)


def _term(sign: str, term: Term, value: Scalar) -> Truth:
    if sign == "==":
        return tested(term, equals(term, value))
    return tested(term, _ordered(sign, term, value))


def _ordered(sign: str, term: Term, value: Scalar) -> Expression:
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, str) and term.family in (Family.DATE, None) and parse_text(value) is not None:
        numeric = True
    if term.family is Family.TEXT and isinstance(value, str) and value and not term.functions:
        try:
            return ordered_text(term.subject, ORDER[sign], value)
        except ValueError as error:
            raise UnreadableError(str(error)) from None
    if not numeric or term.family is Family.TEXT:
        raise UnreadableError(f"text or mixed types compared with {sign}")
    return asks(term, ORDER[sign], value)


def _extreme(sign: str, extreme: Extreme, value: Scalar) -> Truth:
    """MAX > n: some value is; MAX <= n: none is greater. MIN the other way round."""
    towards = ">" if extreme.highest else "<"
    inverse = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
    if sign == "==":
        raise UnreadableError("MV_MAX or MV_MIN compared with ==")
    here = has_value(extreme.term)
    if sign.startswith(towards):
        return of_any_value(extreme.term, _ordered(sign, extreme.term, value))
    return null_unless(here, negated(_ordered(inverse[sign], extreme.term, value)))


def _count(sign: str, term: Term, value: Any) -> Truth:
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(term.subject, FieldPath):
        raise UnreadableError("MV_COUNT compared with no whole number")
    name = term.subject.steps[0]

    def at_least(number: int) -> Expression:
        return exists(FieldPath((name, number - 1))) if number > 1 else all_of()

    found = {
        ">=": lambda: at_least(value),
        ">": lambda: at_least(value + 1),
        "<": lambda: negated(at_least(value)),
        "<=": lambda: negated(at_least(value + 1)),
        "==": lambda: all_of(at_least(value), negated(at_least(value + 1))),
    }[sign]()
    return null_unless(exists(term.subject), found)


def _scaled(sign: str, scaled: Scaled, value: Any) -> Truth:
    """Solved for the event's number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UnreadableError("a number compared with no number")
    solved = (Fraction(str(value)) - scaled.offset) / scaled.factor
    return _term(FLIPPED[sign] if scaled.factor < 0 else sign, scaled.term, decimal(solved))


def _located(sign: str, found: Located, value: Any) -> Truth:
    """Whether a text occurs at all, or at the beginning."""
    match sign, value:
        case (">", 0) | (">=", 1) | ("==", 1):
            operator = Operator.STARTS_WITH if sign == "==" else Operator.CONTAINS
            if isinstance(found.within, Term) and isinstance(found.text, Term):
                return of_two(found.within, operator, found.text)
            if isinstance(found.text, Term):
                raise UnreadableError("where a column is found in a text made of another")
            if isinstance(found.within, Term):
                return tested(found.within, asks(found.within, operator, found.text))
            return fits(found.within, AFFIXES[operator](found.text))
        case ("<=", 0) | ("<", 1) | ("==", 0):
            return ternary_not(_located(">", found, 0))
    raise UnreadableError("where a text is found")


def _occurrences(sign: str, found: Occurrences, value: Any) -> Truth:
    """Whether a pattern is found so often, where a pattern says that."""
    if isinstance(value, int) and not isinstance(value, bool):
        match sign:
            case ">" | "<=":
                return _occurrences(">=" if sign == ">" else "<", found, value + 1)
            case "<":
                return ternary_not(_occurrences(">=", found, value))
            case "==" if value == 0:
                return _occurrences("<", found, 1)
            case ">=" if value > 0:
                pattern = at_least(parse(found.pattern, "re2"), value)
                if pattern is not None:
                    return tested(found.term, asks(found.term, Operator.REGEX, render(pattern, "re2")))
    raise UnreadableError("how often a pattern is found")


# -- patterns


def like(atom: Atom, pattern: str) -> Truth:
    """``atom LIKE pattern``."""
    if not wildcards.is_valid(pattern):
        raise UnreadableError(f"LIKE pattern {pattern!r}: a backslash stands before one of * ? \\ only")
    pieces = wildcards.tokens(pattern)
    match atom:
        case Term():
            return tested(atom, _like_predicate(atom, pieces))
        case Joined():
            return of_joined(atom, _like_joined(atom, pieces))
        case Values(term):
            return of_only_value(atom, like(term, pattern))
        case Unknown(reason):
            raise UnreadableError(reason)
        case _ if (text := texts(atom)) is not None:
            return fits(text, like_pattern(pieces))
    raise UnreadableError(f"LIKE of {_name(atom)}")


def _like_predicate(term: Term, pieces: tuple[wildcards.Token, ...]) -> Expression:
    run = (wildcards.ANY, True)
    if pieces == (run,):
        return has_value(term)
    literals = [text for text, wild in pieces if not wild]
    wild_inside = any(piece[1] and piece != run for piece in pieces) or len(literals) > 1
    if wild_inside or not literals:
        if not pieces:
            return asks(term, Operator.IS, "")
        return asks(term, Operator.LIKE, wildcards.pattern_of(pieces))
    return asks(term, _AFFIXES[pieces[0] == run, pieces[-1] == run], literals[0])


_AFFIXES = {
    (False, False): Operator.IS,
    (False, True): Operator.STARTS_WITH,
    (True, False): Operator.ENDS_WITH,
    (True, True): Operator.CONTAINS,
}


def _like_joined(joined: Joined, pieces: tuple[wildcards.Token, ...]) -> Expression:
    """``*text*`` over joined values; a separator at an end of the text ties it to that end of a value."""
    run = (wildcards.ANY, True)
    literal = pieces[1] if len(pieces) == 3 and pieces[0] == pieces[2] == run else run
    starts, ends = _starts(joined, literal[0]), _ends(joined, literal[0][1:])
    text = literal[0][starts : len(literal[0]) - ends]
    if literal[1] or not text or set(joined.separator) & set(text):
        raise UnreadableError("a pattern that spans joined values")
    return asks(joined.term, _AFFIXES[not starts, not ends], text)


def _starts(joined: Joined, text: str) -> bool:
    """Whether the text ties what follows to the start of a value."""
    return joined.separator == SEPARATOR and joined.before and text.startswith(SEPARATOR)


def _ends(joined: Joined, text: str) -> bool:
    """Whether the text ties what is before it to the end of a value."""
    return joined.separator == SEPARATOR and joined.after and text.endswith(SEPARATOR)


def rlike(atom: Atom, pattern: str) -> Truth:
    """``atom RLIKE pattern``."""
    try:
        node = parse(pattern, "lucene")
        match atom:
            case Term():
                return tested(atom, _regex_predicate(atom, node))
            case Joined():
                return of_joined(atom, _regex_joined(atom, node))
            case Values(term):
                return of_only_value(atom, rlike(term, pattern))
            case Unknown(reason):
                raise UnreadableError(reason)
            case _ if (text := texts(atom)) is not None:
                return fits(text, rlike_pattern(node))
    except RegexError as error:
        raise UnreadableError(f"RLIKE pattern {pattern!r}: {error}") from None
    raise UnreadableError(f"RLIKE of {_name(atom)}")


def _regex_predicate(term: Term, node: Node) -> Expression:
    plain = as_literal(node)
    if plain is not None:
        return asks(term, *plain)
    return asks(term, Operator.REGEX, render(node, "re2"))


def _regex_joined(joined: Joined, node: Node) -> Expression:
    """``.*x.*`` over joined values, where x cannot match the separator but at its ends."""
    start, end = Anchor(AnchorKind.TEXT_START), Anchor(AnchorKind.TEXT_END)
    parts = list(search_core(node))
    if parts == [start, ANY_TEXT, end]:
        return has_value(joined.term)
    if parts[:2] == [start, ANY_TEXT]:
        parts = parts[2:]
    if parts[-2:] == [ANY_TEXT, end]:
        parts = parts[:-2]
    starts = ends = False
    if parts and isinstance(first := parts[0], Literal):
        starts = _starts(joined, first.text)
        parts[0] = Literal(first.text[starts:], first.ignore_case)
    if parts and isinstance(last := parts[-1], Literal):
        ends = _ends(joined, last.text)
        parts[-1] = Literal(last.text[: len(last.text) - ends], last.ignore_case)
    core = concat(part for part in parts if not (isinstance(part, Literal) and not part.text))
    if any(within_one_value(core, character) != core for character in joined.separator):
        raise UnreadableError("a pattern that spans joined values")
    whole = concat((*([start] if starts else []), core, *([end] if ends else [])))
    return _regex_predicate(joined.term, whole)


def in_networks(term: Term, networks: Iterable[Scalar]) -> Expression:
    """``CIDR_MATCH(term, …)``: Elasticsearch compares IPv4 addresses as ``::ffff:a.b.c.d``."""
    found: list[Scalar] = []
    for value in networks:
        text = text_of(value)
        try:
            network = ip_network(text)
        except ValueError as error:
            raise UnreadableError(f"CIDR_MATCH: {error}") from None
        found.append(text.lower())
        if network.version == 6 and network.overlaps(MAPPED):
            if network.prefixlen >= MAPPED.prefixlen:
                raise UnreadableError(
                    f"CIDR_MATCH: Elasticsearch takes no IPv4-mapped network such as {text}"
                )
            found.append(IPV4)
    return asks(term, Operator.CIDR, *dict.fromkeys(found))
