"""What EQL's comparisons and functions mean, as canonical predicates."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import (
    FALSE,
    Concat,
    Expression,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    Subject,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.eql.terms import Call, Constant, Field, Term, error_at
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.operands import (
    NUMBER_TYPES,
    TEXT_TYPES,
    equal_operand,
    moment_text,
    stored_network,
)
from converter.platforms.elastic.patterns import Wildcard, format_like, pattern

_ORDER = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_LENGTH = (Function(FunctionName.LENGTH),)


class Comparisons:
    """Comparisons over fields of known types."""

    def __init__(self, fields: StoredFields) -> None:
        self._fields = fields

    # -- == != < …

    def compared(self, place: object, left: Term, sign: str, right: Term) -> Expression:
        """``left sign right``; a constant on the left changes sides."""
        if isinstance(left, Constant) and not isinstance(right, Constant):
            left, right, sign = right, left, _FLIPPED[sign]
        if not isinstance(right, Constant):
            raise error_at(place, "a comparison of two fields")
        if isinstance(left, Constant):
            raise error_at(place, "a comparison of two constants")
        if isinstance(left, Call):
            return self._function_compared(place, left, sign, right.value)
        if right.value is None:
            if sign not in ("==", "!="):
                return FALSE
            exists = Predicate(left.path, Operator.EXISTS)
            return exists if sign == "!=" else negated(exists)
        if sign in ("==", "!="):
            equal = self._equal(place, left.path, [right.value])
            return equal if sign == "==" else negated(equal)
        return self._ordered(place, left.path, _ORDER[sign], right.value)

    def _equal(
        self, place: object, path: FieldPath, values: Sequence[Scalar], ignore_case: bool = False
    ) -> Expression:
        kind = self._type(path)
        if kind is FieldType.TEXT:
            raise error_at(place, f"{path.steps[0]}, an analysed text field")
        if kind is FieldType.IP:
            networks = tuple(n for value in values for n in _networks(place, text_of(value)))
            return Predicate(path, Operator.CIDR, networks)
        operands = [equal_operand(value, kind) for value in values]
        possible = tuple(operand for operand in operands if operand is not None)
        if kind is FieldType.DATE:
            return any_of(*(_moment(path, operand) for operand in possible))
        if not possible:
            return FALSE
        return Predicate(path, Operator.IS, possible, ignore_case=ignore_case)

    def _ordered(self, place: object, path: FieldPath, operator: Operator, value: Scalar) -> Expression:
        kind = self._type(path)
        operand: Scalar | None = None
        if kind in NUMBER_TYPES or not self._fields.declares(str(path.steps[0])):
            operand = number_of(value)
        elif kind is FieldType.DATE:
            operand = moment_text(text_of(value))
        if operand is None:
            raise error_at(place, f"{operator.value} {value!r} on {path.steps[0]} ({kind.value})")
        return Predicate(path, operator, (operand,))

    # -- in, in~

    def listed(self, place: object, left: Term, word: str, options: Sequence[Term]) -> Expression:
        """``left in (…)``."""
        if not isinstance(left, Field):
            return any_of(*(self.compared(place, left, "==", option) for option in options))
        values = [_constant(place, option) for option in options]
        return self._equal(place, left.path, values, ignore_case=word == "in~")

    # -- : like regex

    def matched(self, place: object, left: Term, word: str, options: Sequence[Term]) -> Expression:
        """``left like (…)``, ``left : (…)``, ``left regex (…)``."""
        ignore_case = word == ":" or word.endswith("~")
        texts = [_constant(place, option) for option in options]
        if not all(isinstance(text, str) for text in texts):
            raise error_at(place, f"{word} with something that is no text")
        if isinstance(left, Constant):
            raise error_at(place, f"{word} on a constant")
        subject = left.path if isinstance(left, Field) else self._subject(place, left)
        if isinstance(subject, FieldPath):
            self._need_text(place, subject)
        if word.startswith("regex"):
            return Predicate(
                subject, Operator.REGEX, tuple(_regex(place, str(t)) for t in texts), ignore_case=ignore_case
            )
        return any_of(*_wildcards(subject, [str(t) for t in texts], ignore_case))

    # -- functions

    def called(self, place: object, call: Call) -> Expression:
        """A function as a condition of its own."""
        operator = _TEXT_FUNCTIONS.get(call.name)
        if operator is not None and len(call.arguments) == 2:
            text = _constant(place, call.arguments[1])
            if not isinstance(text, str):
                raise error_at(place, f"{call.name} with something that is no text")
            subject = self._subject(place, call.arguments[0])
            if isinstance(subject, FieldPath):
                self._need_text(place, subject)
            if text == "":
                return self._present(subject)
            return Predicate(subject, operator, (text,), ignore_case=call.ignore_case)
        if call.name == "cidrmatch" and len(call.arguments) > 1:
            subject = self._subject(place, call.arguments[0])
            operands = [_constant(place, argument) for argument in call.arguments[1:]]
            networks = tuple(n for operand in operands for n in _networks(place, text_of(operand)))
            return Predicate(subject, Operator.CIDR, networks)
        if call.name in ("wildcard", "match") and len(call.arguments) > 1:
            word = "like" if call.name == "wildcard" else "regex"
            return self.matched(
                place, call.arguments[0], word + ("~" if call.ignore_case else ""), call.arguments[1:]
            )
        raise error_at(place, f"the function {call.name} as a condition")

    def _function_compared(
        self, place: object, call: Call, sign: str, value: bool | int | float | str | None
    ) -> Expression:
        if call.name == "length" and len(call.arguments) == 1 and isinstance(value, int | float):
            subject = self._subject(place, call.arguments[0])
            if sign == "!=":
                return any_of(
                    Predicate(subject, Operator.LT, (value,), functions=_LENGTH),
                    Predicate(subject, Operator.GT, (value,), functions=_LENGTH),
                )
            operator = Operator.IS if sign == "==" else _ORDER[sign]
            return Predicate(subject, operator, (value,), functions=_LENGTH)
        if sign == "==" and isinstance(value, str):
            if call.name == "substring":
                return self._substring(place, call, value)
            if call.name in ("concat", "string"):
                return Predicate(self._subject(place, call), Operator.IS, (value,))
        raise error_at(place, f"{call.name}(…) {sign} {value!r}")

    def _substring(self, place: object, call: Call, text: str) -> Expression:
        """The start or the end of a value, where the bounds fit the text."""
        bounds = [_constant(place, argument) for argument in call.arguments[1:]]
        subject = self._subject(place, call.arguments[0])
        if bounds == [0, len(text)] and text:
            return Predicate(subject, Operator.STARTS_WITH, (text,))
        if bounds == [-len(text)] and text:
            return Predicate(subject, Operator.ENDS_WITH, (text,))
        raise error_at(place, "substring with other bounds than the text's length")

    def _subject(self, place: object, term: Term) -> Subject:
        if isinstance(term, Field):
            return term.path
        if isinstance(term, Call) and term.name == "string" and len(term.arguments) == 1:
            return self._subject(place, term.arguments[0])
        if isinstance(term, Call) and term.name == "concat":
            parts = []
            for argument in term.arguments:
                if isinstance(argument, Field):
                    parts.append(argument.path)
                else:
                    parts.append(text_of(_constant(place, argument)))  # type: ignore[arg-type]
            return Concat(tuple(parts))
        raise error_at(place, "this argument")

    def _present(self, subject: Subject) -> Expression:
        if isinstance(subject, FieldPath):
            return Predicate(subject, Operator.EXISTS)
        return all_of(*(Predicate(p, Operator.EXISTS) for p in subject.parts if isinstance(p, FieldPath)))

    def _need_text(self, place: object, path: FieldPath) -> None:
        kind = self._type(path)
        if kind not in TEXT_TYPES:
            raise error_at(place, f"a text operator on {path.steps[0]}, which is of type {kind.value}")

    def _type(self, path: FieldPath) -> FieldType:
        return self._fields.type_of(str(path.steps[0]))


def _moment(path: FieldPath, operand: Scalar) -> Expression:
    return all_of(Predicate(path, Operator.GTE, (operand,)), Predicate(path, Operator.LTE, (operand,)))


def _constant(place: object, term: Term) -> Scalar:
    if not isinstance(term, Constant) or term.value is None:
        raise error_at(place, "something other than a constant here")
    return term.value


def _networks(place: object, text: str) -> tuple[str, ...]:
    """What an address or a network covers in Elasticsearch."""
    try:
        return stored_network(text) if "/" in text else (str(ipaddress.ip_address(text)),)
    except ValueError as error:
        raise error_at(place, f"{text!r}, which is no address and no network") from error


def _wildcards(subject: Subject, texts: Sequence[str], ignore_case: bool) -> list[Expression]:
    """Patterns: those without a wildcard are plain equality."""
    plain = tuple(text for text in texts if "*" not in text and "?" not in text)
    wild = tuple(
        format_like(pattern([Wildcard(c) if c in "*?" else c for c in text]))
        for text in texts
        if "*" in text or "?" in text
    )
    found: list[Expression] = []
    if plain:
        found.append(Predicate(subject, Operator.IS, plain, ignore_case=ignore_case))
    if wild:
        found.append(Predicate(subject, Operator.LIKE, wild, ignore_case=ignore_case))
    return found


def _regex(place: object, text: str) -> str:
    try:
        return render(parse(text, "lucene"), "re2")
    except RegexError as error:
        raise error_at(place, f"the regular expression {text!r}: {error}") from error


_TEXT_FUNCTIONS: Mapping[str, Operator] = {
    "startswith": Operator.STARTS_WITH,
    "endswith": Operator.ENDS_WITH,
    "stringcontains": Operator.CONTAINS,
}
