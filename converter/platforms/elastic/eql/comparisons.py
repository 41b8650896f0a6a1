"""What EQL's comparisons mean, as canonical conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from converter.evaluate import matches
from converter.evaluate.values import text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import (
    FALSE,
    TRUE,
    Concat,
    Expression,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    absolute_fields,
    all_of,
    any_of,
    mapped,
    negated,
    predicates,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.eql.dialects import Dialect
from converter.platforms.elastic.eql.terms import Call, Constant, Field, Term, constant, error_at, present
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.operands import (
    TEXT_TYPES,
    equal_operand,
    moment_text,
)
from converter.platforms.elastic.patterns import Wildcard, format_like, pattern
from converter.platforms.elastic.typed import UnreadableError, dated, networks, ordered
from converter.platforms.three_valued import Truth, never_null, ternary_not, ternary_or

ORDER: Final = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
"""The sign for the two sides changed."""


class Comparisons:
    """Comparisons over fields of known types, in one dialect."""

    def __init__(self, fields: StoredFields, dialect: Dialect) -> None:
        self._fields = fields
        self.dialect = dialect

    def truth(self, condition: Expression, subjects: Iterable[Subject] | None = None) -> Truth:
        """A condition that holds for no event without one of its fields (default: all that it reads).

        Of such an event it is null where the dialect knows three truth values.
        """
        if subjects is None:
            subjects = [one.subject for one in predicates(condition)]
        condition = mapped(condition, _folded)
        if not self.dialect.ternary:
            return never_null(condition)
        exist = all_of(*(present(subject) for subject in dict.fromkeys(subjects)))
        return Truth(condition, all_of(exist, negated(condition)))

    # -- == != < …

    def compared(self, place: object, left: Term, sign: str, right: Term) -> Truth:
        """``left sign right`` of two simple terms, of which one is a constant in Elasticsearch's dialect."""
        if isinstance(left, Constant) and not isinstance(right, Constant):
            left, right, sign = right, left, FLIPPED[sign]
        subject = self.subject(place, left)
        if isinstance(right, Constant):
            if right.value is None or left == Constant(None):
                there = TRUE if left != Constant(None) and isinstance(left, Constant) else present(subject)
                return self.null(there if left != right else FALSE, sign)
            return self._with_constant(place, subject, sign, right.value)
        other = self.subject(place, right)
        scripted = isinstance(left, Call) and isinstance(right, Call)
        if not (scripted or self.dialect.compares_fields) or not isinstance(other, FieldPath):
            raise error_at(place, "a comparison of two fields")
        if sign not in ("==", "!="):
            raise error_at(place, f"{sign} between two fields")
        same = Predicate(subject, Operator.SAME_AS, (other,), ignore_case=self.dialect.ignore_case)
        found = self.truth(same, [subject, other])
        return found if sign == "==" else ternary_not(found)

    def _with_constant(self, place: object, subject: Subject, sign: str, value: Scalar) -> Truth:
        if sign not in ("==", "!="):
            return self.truth(self._ordered(place, subject, ORDER[sign], value), [subject])
        if isinstance(value, str) and any(wildcard in value for wildcard in self.dialect.wildcards):
            equal = any_of(*wildcards(subject, [value], self.dialect.ignore_case, self.dialect.wildcards))
        else:
            equal = self.equal(place, subject, [value])
        found = self.truth(equal, [subject])
        return found if sign == "==" else ternary_not(found)

    def null(self, exists: Expression, sign: str) -> Truth:
        """``… == null``, where ``exists`` says that there is a value. Null is in no order."""
        if sign not in ("==", "!="):
            return Truth(FALSE, FALSE) if self.dialect.ternary else never_null(FALSE)
        absent = FALSE if exists == TRUE else negated(exists)
        return never_null(exists if sign == "!=" else absent)

    def equal(
        self, place: object, subject: Subject, values: Sequence[Scalar], ignore_case: bool = False
    ) -> Expression:
        """Some value of the subject is one of ``values``, as its type compares."""
        kind = self._type(subject)
        ignore_case = ignore_case or self.dialect.ignore_case
        if kind is FieldType.IP:
            return Predicate(subject, Operator.CIDR, networks_in(place, values))
        operands = [equal_operand(value, kind) for value in values]
        possible = tuple(operand for operand in operands if operand is not None)
        if kind is FieldType.DATE:
            return any_of(*(dated(subject, str(one)) for one in values if moment_text(str(one)) is not None))
        if not possible:
            return FALSE
        folds = ignore_case and any(isinstance(operand, str) for operand in possible)
        return Predicate(subject, Operator.IS, possible, ignore_case=folds)

    def _ordered(self, place: object, subject: Subject, operator: Operator, value: Scalar) -> Expression:
        """Numbers and times by size, texts by their characters."""
        try:
            return ordered(self._fields, subject, operator, value, ignore_case=self.dialect.ignore_case)
        except UnreadableError as error:
            raise error_at(place, str(error)) from error

    # -- in, in~

    def listed(self, place: object, left: Term, word: str, options: Sequence[Term]) -> Truth:
        """``left in (…)``: constants at once, fields one by one."""
        constants = [option for option in options if isinstance(option, Constant)]
        subject = self.subject(place, left)
        values = [constant(place, option) for option in constants]
        found = [self.truth(self.equal(place, subject, values, word == "in~"), [subject])] if values else []
        others = [option for option in options if not isinstance(option, Constant)]
        return ternary_or(*found, *(self.compared(place, left, "==", option) for option in others))

    # -- : like regex

    def matched(self, place: object, left: Term, word: str, options: Sequence[Term]) -> Truth:
        """``left like (…)``, ``left : (…)``, ``left regex (…)``."""
        folds = word == ":" or word.endswith("~") or self.dialect.ignore_case
        texts = [constant(place, option) for option in options]
        if not all(isinstance(text, str) for text in texts):
            raise error_at(place, f"{word} with something that is no text")
        subject = self.subject(place, left)
        self.need_text(place, subject)
        if not word.startswith("regex"):
            return self.truth(any_of(*wildcards(subject, [str(t) for t in texts], folds)), [subject])
        patterns = tuple(self._regex(place, str(text)) for text in texts)
        return self.truth(Predicate(subject, Operator.REGEX, patterns, ignore_case=folds))

    def _regex(self, place: object, text: str) -> str:
        try:
            if self.dialect.prefix_match:
                return render(parse(f"^(?:{text})", "python"), "re2")
            return render(parse(text, "lucene"), "re2")
        except RegexError as error:
            raise error_at(place, f"the regular expression {text!r}: {error}") from error

    # -- what is compared

    def subject(self, place: object, term: Term) -> Subject:
        """What a term reads; a constant is a text of its own."""
        match term:
            case Field(path):
                return path
            case Constant(value):
                return Concat(("" if value is None else text_of(value),))
            case Call("string", _, (inner,)):
                return self.subject(place, inner)
            case Call("concat", _, arguments):
                return Concat(tuple(p for a in arguments for p in _joined(self.subject(place, a))))
            case Call(name):
                raise error_at(place, f"{name}(…) here")
        raise error_at(place, "arithmetic")

    def need_text(self, place: object, subject: Subject) -> None:
        """Raises RuleError for a field that text operators do not work on."""
        kind = self._type(subject)
        if kind not in TEXT_TYPES:
            raise error_at(place, f"a text operator on {subject}, which is of type {kind.value}")

    def _type(self, subject: Subject) -> FieldType:
        """An analysed field counts as a keyword: Elasticsearch compares no analysed ones (the query would not
        run), so where the rule runs the field is mapped as one, whatever the integration declares.
        """
        if not isinstance(subject, FieldPath):
            return FieldType.KEYWORD
        kind = self._fields.type_of(str(subject.steps[0]))
        return FieldType.KEYWORD if kind is FieldType.TEXT else kind


def networks_in(place: object, texts: Iterable[Scalar]) -> tuple[str, ...]:
    """What addresses and networks cover in Elasticsearch. Raises RuleError for other texts."""
    found: list[str] = []
    for value in texts:
        try:
            found += networks(text_of(value))
        except UnreadableError as error:
            raise error_at(place, str(error)) from error
    return tuple(found)


def wildcards(
    subject: Subject, texts: Sequence[str], ignore_case: bool, signs: str = "*?"
) -> list[Expression]:
    """Patterns: those without a wildcard are plain equality."""
    plain = tuple(text for text in texts if not set(signs) & set(text))
    wild = tuple(
        format_like(pattern([Wildcard(c) if c in signs else c for c in text]))
        for text in texts
        if set(signs) & set(text)
    )
    operators = ((Operator.IS, plain), (Operator.LIKE, wild))
    return [Predicate(subject, one, given, ignore_case=ignore_case) for one, given in operators if given]


def _joined(subject: Subject) -> tuple[Reference | str, ...]:
    return subject.parts if isinstance(subject, Concat) else (subject,)


def _folded(predicate: Predicate) -> Expression:
    """A question about constants alone is answered."""
    if any(True for _ in absolute_fields(predicate)):
        return predicate
    return TRUE if matches(predicate, {}) else FALSE
