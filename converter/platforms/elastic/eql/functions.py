"""What EQL's functions mean, as conditions of their own and compared with constants.

Sources: Elastic, "EQL function reference"; eql.readthedocs.io, "Functions". Functions run as scripts over
each value, so that a comparison of one with ``!=`` needs a value that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from converter.evaluate.values import number_of, text_of
from converter.model.expressions import (
    FALSE,
    Expression,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    Subject,
    all_of,
    any_of,
    comparison,
    fields_of,
    reference,
)
from converter.platforms.elastic.eql import shapes
from converter.platforms.elastic.eql.arithmetic import solved
from converter.platforms.elastic.eql.comparisons import FLIPPED, ORDER, Comparisons, networks_in
from converter.platforms.elastic.eql.terms import (
    Arithmetic,
    Call,
    Constant,
    Term,
    constant,
    error_at,
    present,
)
from converter.platforms.three_valued import Truth, never_null, ternary_not, ternary_or

LENGTH: Final = (Function(FunctionName.LENGTH),)

_TEXT_FUNCTIONS: Final[Mapping[str, Operator]] = {
    "startswith": Operator.STARTS_WITH,
    "endswith": Operator.ENDS_WITH,
    "stringcontains": Operator.CONTAINS,
}
_MATCHING: Final = {"wildcard": "like", "match": "regex", "matchlite": "regex"}
"""Functions that are operators by another name."""

CONDITIONS: Final = frozenset({*_TEXT_FUNCTIONS, *_MATCHING, "cidrmatch", "arraysearch", "arraycontains"})
"""Functions that are true or false."""


class Functions:
    """Functions over fields of known types, in one dialect."""

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._dialect = comparisons.dialect

    def called(self, place: object, call: Call) -> Truth:
        """A function as a condition of its own."""
        name, arguments = call.name, call.arguments
        folds = call.ignore_case or self._dialect.ignore_case
        if name in _TEXT_FUNCTIONS and len(arguments) == 2:
            if not isinstance(arguments[1], Constant):
                return self._related(place, arguments, _TEXT_FUNCTIONS[name], folds)
            text = constant(place, arguments[1])
            if not isinstance(text, str):
                raise error_at(place, f"{name} with something that is no text")
            subject = self._comparisons.subject(place, arguments[0])
            self._comparisons.need_text(place, subject)
            if text == "":
                return self._comparisons.truth(present(subject))
            asked = Predicate(subject, _TEXT_FUNCTIONS[name], (text,), ignore_case=folds)
            return self._comparisons.truth(asked, [subject])
        if name == "cidrmatch" and len(arguments) > 1:
            subject = self._comparisons.subject(place, arguments[0])
            networks = networks_in(place, [constant(place, argument) for argument in arguments[1:]])
            return self._comparisons.truth(Predicate(subject, Operator.CIDR, networks))
        if name in _MATCHING and len(arguments) > 1:
            word = _MATCHING[name] + ("~" if call.ignore_case else "")
            return self._comparisons.matched(place, arguments[0], word, arguments[1:])
        raise error_at(place, f"the function {name} as a condition")

    def _related(
        self, place: object, arguments: Sequence[Term], operator: Operator, ignore_case: bool
    ) -> Truth:
        """A text function of two values of the event: any of the one with any of the other."""
        subjects = [self._comparisons.subject(place, argument) for argument in arguments]
        for subject in subjects:
            if not fields_of(subject):
                raise error_at(place, "a constant in which a field is looked for")
            self._comparisons.need_text(place, subject)
        one, other = map(reference, subjects)
        return self._comparisons.truth(comparison(one, operator, other, ignore_case), subjects)

    def listed(self, place: object, left: Term, word: str, options: Sequence[Term]) -> Truth:
        """``left in (…)`` where the left side may be a function."""
        if not isinstance(left, Call | Arithmetic):
            return self._comparisons.listed(place, left, word, options)
        return ternary_or(*(self.compared(place, left, "==", option) for option in options))

    def compared(self, place: object, left: Term, sign: str, right: Term) -> Truth:
        """A comparison in which at least one side may be a function or arithmetic."""
        if not isinstance(left, Call | Arithmetic) and isinstance(right, Call | Arithmetic):
            left, right, sign = right, left, FLIPPED[sign]
        if isinstance(left, Call) and not (left.name in ("string", "concat") and sign in ("==", "!=")):
            if not isinstance(right, Constant):
                raise error_at(place, f"a comparison of {left.name}(…) with a field")
            return self._function(place, left, sign, right.value)
        if isinstance(left, Arithmetic):
            return self._arithmetic(place, left, sign, right)
        if isinstance(left, Call) and sign == "!=" and not self._dialect.ternary:
            raise error_at(place, f"{left.name}(…) != a value")
        return self._comparisons.compared(place, left, sign, right)

    def _arithmetic(self, place: object, left: Arithmetic, sign: str, right: Term) -> Truth:
        """An equation or inequality in one field is solved for it."""
        if not isinstance(right, Constant) or (value := number_of(constant(place, right))) is None:
            raise error_at(place, "arithmetic compared with something other than a number")
        term, parts = solved(
            place, left, "==" if sign == "!=" else sign, value, whole=self._dialect.whole_numbers
        )
        subject = self._comparisons.subject(place, term)
        asked = [Predicate(subject, ORDER.get(one, Operator.IS), (bound,)) for one, bound in parts]
        truth = self._comparisons.truth(all_of(*asked), [subject])
        if sign != "!=":
            return truth
        return ternary_not(truth) if self._dialect.ternary else self._differs(subject, parts[0][1], ())

    def _function(self, place: object, call: Call, sign: str, value: Scalar | None) -> Truth:
        match call.name:
            case "length" if len(call.arguments) == 1 and isinstance(value, int | float):
                return self._length(place, call.arguments[0], sign, value)
            case "indexof" if len(call.arguments) in (2, 3):
                return self._index(place, call, sign, value)
            case "substring" | "between" if isinstance(value, str) and sign in ("==", "!="):
                read = self._slice if call.name == "substring" else self._enclosed
                equal = read(place, call, value)
                return equal if sign == "==" else self._not(place, call, equal)
        raise error_at(place, f"{call.name}(…) {sign} {value!r}")

    def _not(self, place: object, call: Call, truth: Truth) -> Truth:
        """The function gives something else. Over a list a script asks for a value that differs, which no
        negation says.
        """
        if not self._dialect.ternary:
            raise error_at(place, f"{call.name}(…) compared so that a negation would say it")
        return ternary_not(truth)

    def _differs(self, subject: Subject, value: Scalar, functions: tuple[Function, ...]) -> Truth:
        """Some number of the subject differs from one."""
        bounds = (Operator.LT, Operator.GT)
        parts = (Predicate(subject, one, (value,), functions=functions) for one in bounds)
        return self._comparisons.truth(any_of(*parts), [subject])

    # -- length

    def _length(self, place: object, term: Term, sign: str, value: Scalar) -> Truth:
        if isinstance(term, Call) and term.name == "between":
            return self._length_between(place, term, sign, value)
        subject = self._comparisons.subject(place, term)
        if sign == "!=":
            return self._differs(subject, value, LENGTH)
        operator = Operator.IS if sign == "==" else ORDER[sign]
        return self._comparisons.truth(Predicate(subject, operator, (value,), functions=LENGTH), [subject])

    def _length_between(self, place: object, call: Call, sign: str, value: Scalar) -> Truth:
        """``length(between(…)) > n``: so many characters before the next delimiter."""
        least = {">": value + 1, ">=": value}.get(sign) if isinstance(value, int) else None
        texts = [constant(place, argument) for argument in call.arguments[1:3]]
        if least is None or not 0 <= least <= shapes.MOST or len(call.arguments) != 3:
            raise error_at(place, f"length(between(…)) {sign} {value!r}")
        subject = self._comparisons.subject(place, call.arguments[0])
        try:
            return self._shaped(call, subject, shapes.enclosed_longer(least, *map(text_of, texts)))
        except (ValueError, TypeError) as error:
            raise error_at(place, f"between: {error}") from error

    # -- indexOf, substring, between: where in the text something stands

    def _index(self, place: object, call: Call, sign: str, value: Scalar | None) -> Truth:
        """``indexOf(text, part, start)``: null where the part does not occur."""
        subject = self._comparisons.subject(place, call.arguments[0])
        part = constant(place, call.arguments[1])
        start = constant(place, call.arguments[2]) if len(call.arguments) == 3 else 0
        if (
            not isinstance(part, str)
            or not part
            or not isinstance(start, int)
            or not 0 <= start <= shapes.MOST
        ):
            raise error_at(place, "indexOf of something other than a text, or from a place that is no number")
        there = self._shaped(call, subject, shapes.from_position(start, part))
        if value is None and sign in ("==", "!="):
            return there if sign == "!=" else self._not(place, call, never_null(there.true))
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < shapes.MOST:
            raise error_at(place, f"indexOf(…) {sign} {value!r}")
        first = {"<": value - 1, ">=": value - 1}.get(sign, value)
        early = None if first < start else shapes.between_positions(start, first, part)
        if sign in ("<", "<="):
            return self._known(there, self._shaped(call, subject, early))
        if sign in (">", ">="):
            return self._known(there, self._first(place, call, subject, there, early))
        before = None if value <= start else shapes.between_positions(start, value - 1, part)
        here = self._shaped(call, subject, shapes.at(value, part) if value >= start else None)
        found = self._known(there, self._first(place, call, subject, here, before))
        return found if sign == "==" else self._not(place, call, found)

    def _known(self, there: Truth, truth: Truth) -> Truth:
        """Nothing is known of the place of what does not occur."""
        if not self._dialect.ternary:
            return truth
        return Truth(truth.true, all_of(there.true, truth.false))

    def _first(self, place: object, call: Call, subject: Subject, there: Truth, early: str | None) -> Truth:
        """``there``, and nowhere ``early``."""
        if early is None:
            return there
        excluded = self._not(place, call, self._shaped(call, subject, early))
        return self._comparisons.truth(all_of(there.true, excluded.true), [subject])

    def _slice(self, place: object, call: Call, text: str) -> Truth:
        subject = self._comparisons.subject(place, call.arguments[0])
        bounds = [constant(place, argument) for argument in call.arguments[1:]]
        whole = [bound for bound in bounds if isinstance(bound, int) and abs(bound) <= shapes.MOST]
        if not text or len(whole) != len(bounds) or len(whole) not in (1, 2):
            raise error_at(place, "substring with an empty text or without bounds that are numbers")
        operator = {(0, len(text)): Operator.STARTS_WITH, (-len(text),): Operator.ENDS_WITH}.get(tuple(whole))
        if operator is not None:
            folds = call.ignore_case or self._dialect.ignore_case
            return self._comparisons.truth(
                Predicate(subject, operator, (text,), ignore_case=folds), [subject]
            )
        try:
            return self._shaped(
                call, subject, shapes.sliced(text, whole[0], whole[1] if len(whole) > 1 else None)
            )
        except ValueError as error:
            raise error_at(place, f"substring: {error}") from error

    def _enclosed(self, place: object, call: Call, text: str) -> Truth:
        subject = self._comparisons.subject(place, call.arguments[0])
        options = [constant(place, argument) for argument in call.arguments[1:]]
        greedy = options[2] if len(options) == 3 else False
        if len(options) not in (2, 3) or not isinstance(greedy, bool):
            raise error_at(place, "between with other arguments than two texts and whether it is greedy")
        try:
            shape = shapes.enclosed(text, text_of(options[0]), text_of(options[1]), greedy)
        except ValueError as error:
            raise error_at(place, f"between: {error}") from error
        return self._shaped(call, subject, shape)

    def _shaped(self, call: Call, subject: Subject, shape: str | None) -> Truth:
        """The subject's text fits a regular expression; None: no text can."""
        folds = call.ignore_case or self._dialect.ignore_case
        fits: Expression = (
            FALSE if shape is None else Predicate(subject, Operator.REGEX, (shape,), ignore_case=folds)
        )
        return self._comparisons.truth(fits, [subject])


def folded(place: object, call: Call) -> Term:
    """A call whose arguments are constants as the constant that it gives; others as they are."""
    values = [argument.value for argument in call.arguments if isinstance(argument, Constant)]
    if len(values) != len(call.arguments) or any(value is None for value in values):
        return call
    return _folded(place, call, [value for value in values if value is not None])


def _folded(place: object, call: Call, values: Sequence[Scalar]) -> Term:
    match call.name, values:
        case "length", [str() as text]:
            return Constant(len(text))
        case "string", [value]:
            return Constant(text_of(value))
        case "concat", [_, *_]:
            return Constant("".join(map(text_of, values)))
        case "number", [value, *base]:
            try:
                numeral = base[0] if base else 10
                return Constant(number_of(value) if not base else int(text_of(value), int(numeral)))
            except ValueError as error:
                raise error_at(place, f"number of {value!r}") from error
    return call
