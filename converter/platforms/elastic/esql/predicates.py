"""One predicate of a rule → a three-valued condition of ES|QL.

Sources, in Elasticsearch's ES|QL reference: LIKE and RLIKE (case-sensitive, whole value, lists of patterns
since 9.1 and 9.2), IN, CIDR_MATCH, MV_CONTAINS ("null values are treated as an empty set", 9.2),
MV_INTERSECTS (9.3), MV_MAX, MV_MIN, MV_CONCAT, IS NULL, the TO_ conversions (null for what they cannot read).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import PlatformField
from converter.model.expressions import (
    All,
    AnyOf,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    constants,
    predicates,
    references,
    separated,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.regex import Alternation, CharClass, Group, RegexError, Repeat, as_literal, parse, render
from converter.model.regex import Literal as RegexLiteral
from converter.model.regex import Node as RegexNode
from converter.model.regex.edges import whole_text_forms
from converter.model.regex.nodes import alternation, concat
from converter.platforms.elastic.esql import wildcards
from converter.platforms.elastic.esql.condition import FALSE, Condition, Leaf, inverse, joint, present_test
from converter.platforms.elastic.esql.joined import SEPARATOR, joined, within_one_value
from converter.platforms.elastic.esql.networks import IPV4, class_networks, stored
from converter.platforms.elastic.esql.operands import Family, Operand, Operands
from converter.platforms.elastic.esql.relations import SIGNS, Relations, lowered
from converter.platforms.elastic.esql.signs import OPPOSITE
from converter.platforms.elastic.esql.text import string
from converter.platforms.elastic.operands import moment_text

_LARGEST_LONG = 2**63 - 1


class Predicates:
    """Prints predicates over the given stored fields, and records what that loses."""

    def __init__(self, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> None:
        self._losses = losses
        self._operands = Operands(fields, losses)
        self._relations = Relations(self._operands, losses)

    def condition(self, predicate: Predicate) -> Condition:
        """The condition that is true for the rows which satisfy the predicate."""
        apart = separated(predicate)
        if isinstance(apart, AnyOf | All):
            return joint(isinstance(apart, All), [self.condition(term) for term in predicates(apart)])
        operator = predicate.operator
        functions = predicate.functions
        folds = predicate.ignore_case and operator is not Operator.REGEX
        operand = self._operands.of(predicate.subject, functions)
        if operand is None:
            return FALSE
        if references(predicate):
            return self._relations.condition(operand, predicate, *references(predicate))
        if folds and operand.family is Family.TEXT and Function(FunctionName.LOWER) not in functions[-1:]:
            operand = lowered(operand)
        values = constants(predicate)
        if operator is Operator.EXISTS:
            return present_test(operand.text)
        if operator is Operator.IS:
            return self._is(operand, values, folds, predicate.all_of)
        if operator in SIGNS:
            return joint(predicate.all_of, [self._compared(operand, operator, value) for value in values])
        if operator in (Operator.CIDR, Operator.IP):
            return self._addresses(operand, operator, values, predicate.all_of)
        texts = tuple(text_of(value).lower() if folds else text_of(value) for value in values)
        if operator is Operator.REGEX:
            return self._regex(operand, texts, predicate.ignore_case, predicate.all_of)
        return self._like(operand, operator, texts, predicate.all_of)

    # -- equality

    def _is(self, operand: Operand, values: tuple[Scalar, ...], folds: bool, every: bool) -> Condition:
        if operand.family is Family.TEXT and any(map(_is_number, values)):
            self._losses.note(
                "number-text", f"{operand.text} holds text: a number is looked for in plain decimals"
            )
        wanted = [_equal_literal(operand.family, value, folds) for value in values]
        literals = list(dict.fromkeys(text for text in wanted if text is not None))
        if (every and None in wanted) or not literals:
            return FALSE
        if operand.many:
            return joint(every, [_contains(operand, text) for text in literals])
        if len(literals) == 1:
            return _leaf(operand, "{} == " + literals[0], "{} != " + literals[0])
        if every:
            return joint(True, [_leaf(operand, "{} == " + text, "{} != " + text) for text in literals])
        listed = ", ".join(literals)
        return _leaf(operand, f"{{}} IN ({listed})", f"{{}} NOT IN ({listed})")

    # -- order

    def _compared(self, operand: Operand, operator: Operator, value: Scalar) -> Condition:
        number = number_of(value)
        sign = SIGNS[operator]
        if number is not None:
            if operand.family not in (Family.NUMBER, Family.TEXT):
                return FALSE
            if operand.family is Family.TEXT:
                self._losses.note(
                    "number-text",
                    f"{operand.text} holds text: it is compared as the number that TO_DOUBLE reads",
                )
                operand = operand.called("TO_DOUBLE({})", Family.NUMBER, always=False)
            wanted = repr(number)
        else:
            moment = moment_text(text_of(value))
            if moment is None or operand.family not in (Family.DATE, Family.TEXT):
                return FALSE
            if operand.family is Family.TEXT:
                operand = operand.called("TO_DATETIME({})", Family.DATE, always=False)
            wanted = string(moment)
        if operand.many:
            operand = operand.called("MV_MAX({})" if sign.startswith(">") else "MV_MIN({})")
        return _leaf(operand, f"{{}} {sign} {wanted}", f"{{}} {OPPOSITE[sign]} {wanted}")

    # -- addresses

    def _addresses(
        self, operand: Operand, operator: Operator, values: tuple[Scalar, ...], every: bool
    ) -> Condition:
        if operand.family is Family.TEXT:
            operand = operand.called("TO_IP({})", Family.IP, always=False)
        if operand.family is not Family.IP:
            return FALSE
        operand = self._operands.single(operand, "an address test")
        texts = [text_of(value) for value in values]
        if operator is Operator.CIDR:
            if every:
                return joint(True, [_in_networks(operand, (text,)) for text in texts])
            return _in_networks(operand, tuple(texts))
        return joint(every, [_in_class(operand, text) for text in texts])

    # -- text

    def _like(self, operand: Operand, operator: Operator, texts: tuple[str, ...], every: bool) -> Condition:
        operand = self._operands.as_text(operand)
        if operator is Operator.LIKE:
            pieces = [wildcards.tokens(text) for text in texts]
        else:
            pieces = [_affixed(operator, text) for text in texts]
        if operand.many:
            return joint(every, [self._like_any(operand, piece) for piece in pieces])
        patterns = [string(wildcards.pattern_of(piece)) for piece in pieces]
        return _pattern_test(operand, "LIKE", patterns, every)

    def _like_any(self, operand: Operand, pieces: tuple[wildcards.Token, ...]) -> Condition:
        """Some value of a multi-valued operand fits the pattern."""
        any_run = (wildcards.ANY, True)
        open_start, open_end = pieces[:1] == (any_run,), len(pieces) > 1 and pieces[-1] == any_run
        inner = pieces[1 if open_start else 0 : len(pieces) - 1 if open_end else len(pieces)]
        if not inner:
            return present_test(operand.text)
        if any(SEPARATOR in text for text, wild in inner if not wild):
            return self._single_pattern(operand, "LIKE", string(wildcards.pattern_of(pieces)))
        text = joined(operand.text, before=not open_start, after=not open_end)
        start, end = "" if open_start else SEPARATOR, "" if open_end else SEPARATOR
        if not any(wild for _, wild in inner):
            pattern = "*" + wildcards.escaped(start + "".join(t for t, _ in inner) + end) + "*"
            return _leaf(operand, f"{text} LIKE {string(pattern)}", f"{text} NOT LIKE {string(pattern)}")
        one = CharClass(((ord(SEPARATOR), ord(SEPARATOR)),), negated=True)
        any_number = Repeat(one, 0, None)
        parts = [
            (any_number if t == wildcards.ANY else one) if wild else RegexLiteral(t) for t, wild in inner
        ]
        node = concat([RegexLiteral(start), *parts, RegexLiteral(end)])
        return self._rendered(operand, text, node)

    def _single_pattern(self, operand: Operand, keyword: str, pattern: str) -> Condition:
        operand = self._operands.single(operand, keyword)
        return _leaf(operand, f"{{}} {keyword} {pattern}", f"{{}} NOT {keyword} {pattern}")

    def _regex(self, operand: Operand, patterns: tuple[str, ...], folds: bool, every: bool) -> Condition:
        operand = self._operands.as_text(operand)
        rendered: list[str] = []
        tests: list[Condition] = []
        for pattern in patterns:
            try:
                node = parse(f"(?i){pattern}" if folds else pattern, "re2")
                if operand.many:
                    tests.append(self._regex_any(operand, node))
                else:
                    rendered.append(string(render(node, "lucene")))
            except RegexError as error:
                self._losses.refuse(
                    "regex-construct", f"regex {pattern!r} has no form in Lucene's syntax: {error}"
                )
        if operand.many or not rendered:
            return joint(every, tests)
        return _pattern_test(operand, "RLIKE", rendered, every)

    def _regex_any(self, operand: Operand, node: RegexNode) -> Condition:
        """Some value of a multi-valued operand holds a match."""
        plain = as_literal(node)
        if plain is not None and plain[1] and SEPARATOR not in plain[1]:
            return self._like_any(operand, _affixed(*plain))
        try:
            return self._rendered(operand, joined(operand.text), within_one_value(node))
        except RegexError:
            pass
        try:
            whole = within_one_value(alternation(whole_text_forms(node)))
        except RegexError:
            return self._single_pattern(operand, "RLIKE", string(render(node, "lucene")))
        mark = RegexLiteral(SEPARATOR)
        whole = Group(whole) if isinstance(whole, Alternation) else whole
        return self._rendered(
            operand, joined(operand.text, before=True, after=True), concat((mark, whole, mark))
        )

    def _rendered(self, operand: Operand, text: str, node: RegexNode) -> Condition:
        pattern = string(render(node, "lucene"))
        return _leaf(operand, f"{text} RLIKE {pattern}", f"{text} NOT RLIKE {pattern}")


def _contains(operand: Operand, wanted: str) -> Leaf:
    """MV_CONTAINS: its arguments are of one type, and no text is taken for an address or a time there."""
    if operand.family is Family.NUMBER:
        whole = wanted.lstrip("-").isdigit() and operand.exact_text
        conversion = "TO_LONG" if whole else "TO_DOUBLE"
        test = f"MV_CONTAINS({conversion}({operand.text}), {conversion}({wanted}))"
    else:
        conversion = {Family.IP: "TO_IP", Family.DATE: "TO_DATETIME"}.get(operand.family, "")
        test = f"MV_CONTAINS({operand.text}, {conversion}({wanted}))" if conversion else ""
    test = test or f"MV_CONTAINS({operand.text}, {wanted})"
    return Leaf(test, f"NOT {test}")


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _affixed(operator: Operator, text: str) -> tuple[wildcards.Token, ...]:
    """The pattern of ``is``, ``starts_with``, ``ends_with`` or ``contains``."""
    run = ((wildcards.ANY, True),)
    before = run if operator in (Operator.ENDS_WITH, Operator.CONTAINS) else ()
    after = run if operator in (Operator.STARTS_WITH, Operator.CONTAINS) else ()
    return (*before, (text, False), *after)


def _leaf(operand: Operand, text: str, opposite: str) -> Leaf:
    """A test of the operand, which stands for ``{}`` at the start of both texts."""
    if text.startswith("{}"):
        text, opposite = operand.text + text[2:], operand.text + opposite[2:]
    return Leaf(text, opposite, operand.guards)


def _pattern_test(operand: Operand, keyword: str, patterns: list[str], every: bool) -> Condition:
    """LIKE or RLIKE with one pattern, or a list of them."""
    patterns = list(dict.fromkeys(patterns))
    if every and len(patterns) > 1:
        return joint(True, [_pattern_test(operand, keyword, [pattern], False) for pattern in patterns])
    wanted = patterns[0] if len(patterns) == 1 else f"({', '.join(patterns)})"
    return _leaf(operand, f"{{}} {keyword} {wanted}", f"{{}} NOT {keyword} {wanted}")


def _equal_literal(family: Family, value: Scalar, folds: bool) -> str | None:
    """The literal that a column of this family equals when it equals ``value``; None if it never does."""
    text = text_of(value).lower() if folds else text_of(value)
    return _LITERALS[family](value, text)


def _number_literal(value: Scalar, text: str) -> str | None:
    number = number_of(value)
    if number is None or (isinstance(number, int) and abs(number) > _LARGEST_LONG):
        return None
    if isinstance(number, float) and number.is_integer() and abs(number) <= _LARGEST_LONG:
        number = int(number)
    return repr(number)


def _address_literal(value: Scalar, text: str) -> str | None:
    try:
        return string(str(ip_address(text)))
    except ValueError:
        return None


def _date_literal(value: Scalar, text: str) -> str | None:
    moment = moment_text(text)
    return None if moment is None else string(moment)


_LITERALS: dict[Family, Callable[[Scalar, str], str | None]] = {
    Family.TEXT: lambda value, text: string(text),
    Family.NUMBER: _number_literal,
    Family.BOOLEAN: lambda value, text: text if text in ("true", "false") else None,
    Family.IP: _address_literal,
    Family.DATE: _date_literal,
}


def _cidr_match(operand: Operand, networks: tuple[str, ...]) -> Leaf:
    test = f"CIDR_MATCH({operand.text}, {', '.join(map(string, networks))})"
    return Leaf(test, f"NOT {test}", operand.guards)


def _in_networks(operand: Operand, networks: tuple[str, ...]) -> Condition:
    plain, wide = stored(networks)
    terms: list[Condition] = [_cidr_match(operand, plain)] if plain else []
    if wide:
        version = _cidr_match(operand, (IPV4,))
        six = inverse(version)
        terms.append(joint(True, [six, _cidr_match(operand, wide)]) if wide != ("::/0",) else six)
    return joint(False, terms)


def _in_class(operand: Operand, name: str) -> Condition:
    covered, excepted = class_networks(name)
    if not excepted:
        return _in_networks(operand, covered)
    outside = inverse(_in_networks(operand, excepted))
    if set(covered) == {"0.0.0.0/0", "::/0"}:
        return outside
    return joint(True, [_in_networks(operand, covered), outside])
