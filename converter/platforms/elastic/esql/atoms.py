"""What a scalar expression of ES|QL can be, as far as a rule's condition can be read from it.

A :data:`Value` lists alternatives: under which condition on the event the expression is which atom. Where no
condition holds it is null. CASE, COALESCE and columns made by EVAL need no more than that.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TypeAlias

import msgspec

from converter.model.expressions import (
    TRUE,
    Concat,
    Expression,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    all_of,
    any_of,
    changes_of,
    fields_of,
)
from converter.model.measures import GroupCondition, GroupTest, Measure, MeasureKind, Moment
from converter.model.paths import FieldPath
from converter.platforms.elastic.esql.operands import Family
from converter.platforms.elastic.esql.steps import Step


class UnreadableError(Exception):
    """A part of a query that no condition on events can be read from; says which and why."""


class Constant(msgspec.Struct, frozen=True):
    """A literal; a tuple is a multi-valued one. Null is a value without alternatives."""

    value: bool | int | float | str | tuple[bool | int | float | str, ...]


class Term(msgspec.Struct, frozen=True):
    """A field, or functions of fields. ``many``: the field may hold several values; ``collapsed``: a function
    that is null for several values was applied. ``family``: None when the type is not known.
    ``converted``: a conversion that is null for text of another form was applied.
    """

    subject: Subject
    functions: tuple[Function, ...] = ()
    family: Family | None = None
    many: bool = False
    collapsed: bool = False
    converted: bool = False


class Scaled(msgspec.Struct, frozen=True):
    """``factor`` times a number of the event, and ``offset`` more."""

    term: Term
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction()


class Extreme(msgspec.Struct, frozen=True):
    """The greatest (``highest``) or least value of a field."""

    term: Term
    highest: bool


class Joined(msgspec.Struct, frozen=True):
    """The values of a field joined; with a separator ``before`` the first, ``after`` the last.

    ``rows``: those that the field has in the rows of a group that satisfy this.
    """

    term: Term
    separator: str
    before: bool = False
    after: bool = False
    rows: Expression | None = None


class Parts(msgspec.Struct, frozen=True):
    """A field split at every separator."""

    term: Term
    separator: str


class Count(msgspec.Struct, frozen=True):
    """How many values a field holds."""

    term: Term


class Replaced(msgspec.Struct, frozen=True):
    """A field with every match of a pattern replaced by ``mark``; or then by nothing (``removed``).

    ``measured``: the length of that text. ``pattern`` is in RE2's syntax. ``step``: the same said of each
    character, where the pattern is one.
    """

    term: Term
    pattern: str
    mark: str
    removed: bool = False
    measured: bool = False
    step: Step | None = None


class Occurrences(msgspec.Struct, frozen=True):
    """How often a pattern is found in a field."""

    term: Term
    pattern: str


class Derived(msgspec.Struct, frozen=True):
    """A text made of one value of a field, step by step."""

    term: Term
    steps: tuple[Step, ...]


class Located(msgspec.Struct, frozen=True):
    """Where a text begins in a value, counted from 1; 0 where it does not occur."""

    within: Term | Derived
    text: str | Term


class Now(msgspec.Struct, frozen=True):
    """The time of the run, ``offset`` earlier."""

    offset: timedelta = timedelta()


class Tick(msgspec.Struct, frozen=True):
    """The time of the run, ``offset`` earlier, cut to multiples of ``every``, and then ``back`` earlier."""

    every: timedelta
    offset: timedelta = timedelta()
    back: timedelta = timedelta()


class Duration(msgspec.Struct, frozen=True):
    """A span of time, as what is added to a time."""

    span: timedelta


class Measured(msgspec.Struct, frozen=True):
    """A number that a group of rows has, ``times`` so much of it. ``whole``: integers alone.

    ``present``: it is null unless some row satisfies this.
    """

    measure: Measure
    times: Fraction = Fraction(1)
    whole: bool = True
    present: Expression = TRUE


class Quotient(msgspec.Struct, frozen=True):
    """One number of a group divided by another; ``whole``: the division drops what is behind the point."""

    left: Measure
    right: Measure
    whole: bool


class Time(msgspec.Struct, frozen=True):
    """When the first or last of a group's rows was; null without such a row."""

    moment: Moment


class Lapse(msgspec.Struct, frozen=True):
    """The time between two moments in whole multiples of ``unit``, what is left over dropped."""

    start: Moment
    stop: Moment
    unit: timedelta


class Values(msgspec.Struct, frozen=True):
    """The different values that a field has in the rows of a group that satisfy ``where``."""

    term: Term
    where: Expression = TRUE


class Labels(msgspec.Struct, frozen=True):
    """The different constants that a column has in a group, and for which rows. ``highest``: the greatest of
    them alone (False: the least; None: all).
    """

    options: tuple[tuple[Expression, bool | int | float | str], ...]
    highest: bool | None = None


class Bucket(msgspec.Struct, frozen=True):
    """The time of the event, cut to multiples of ``span``."""

    span: timedelta


class Unknown(msgspec.Struct, frozen=True):
    """Anything else; harmless until a condition looks at it."""

    reason: str


OfGroup: TypeAlias = Measured | Quotient | Time | Lapse | Values | Labels
OfTime: TypeAlias = Bucket | Now | Tick | Duration
OfText: TypeAlias = Joined | Parts | Replaced | Occurrences | Derived | Located
Atom: TypeAlias = Constant | Term | Scaled | Extreme | Count | OfText | OfTime | OfGroup | Unknown
Value: TypeAlias = tuple[tuple[Expression, Atom], ...]

NULL: Value = ()


def always(atom: Atom) -> Value:
    """The atom, whatever the event."""
    return ((TRUE, atom),)


def exists(subject: Subject, functions: tuple[Function, ...] = ()) -> Expression:
    """The subject has a value."""
    return Predicate(subject, Operator.EXISTS, functions=functions)


def single(term: Term) -> Expression:
    """No more than one value: the condition under which a single-value function sees the field."""
    if not term.many:
        return TRUE
    paths = fields_of(term.subject)
    return all_of(*(Not(exists(FieldPath((path.steps[0], 1)))) for path in paths))


def has_value(term: Term) -> Expression:
    """The term is not null, for however many values."""
    if term.converted:
        return _convertible(term)
    splits = any(function.name is FunctionName.SPLIT for function in term.functions)
    if isinstance(term.subject, Concat) and not splits:
        parts = (changes_of(part) for part in term.subject.parts if not isinstance(part, str))
        return all_of(*(has_value(Term(subject, functions)) for subject, functions in parts))
    return exists(term.subject, term.functions if splits else ())


def present(term: Term) -> Expression:
    """A single-value test of the term is not null."""
    return all_of(has_value(term), single(term))


def _convertible(term: Term) -> Expression:
    def asks(operator: Operator, *values: str | int) -> Expression:
        return Predicate(term.subject, operator, values, functions=term.functions)

    if term.family is Family.IP:
        return asks(Operator.IP, "v4", "v6")
    pivot: str | int = 0 if term.family is Family.NUMBER else "1970-01-01"
    return any_of(asks(Operator.GTE, pivot), asks(Operator.LT, pivot))


def united(*terms: Expression) -> Expression:
    """Some of the terms holds; questions that differ in their operands alone are one question."""
    asked: dict[Predicate, list[Scalar | Reference]] = {}
    found: list[Expression] = []
    for term in terms:
        if type(term) is not Predicate or term.all_of or not term.values:
            found.append(term)
            continue
        question = msgspec.structs.replace(term, values=())
        if question not in asked:
            found.append(question)
        asked.setdefault(question, []).extend(term.values)
    return any_of(
        *(
            msgspec.structs.replace(term, values=tuple(dict.fromkeys(asked[term])))
            if type(term) is Predicate and term in asked
            else term
            for term in found
        )
    )


class GroupPredicate(Predicate, frozen=True, tag="group"):
    """A test of a group, where an expression holds tests of events beside it."""

    test: GroupCondition | None = None


def of_group(test: GroupCondition) -> GroupPredicate:
    """A test of a group as a leaf of an expression."""
    return GroupPredicate(FieldPath(("",)), Operator.EXISTS, test=test)


def some_row(where: Expression) -> Expression:
    """Some row of the group satisfies the condition."""
    if where == TRUE:
        return TRUE
    return of_group(GroupTest(Measure(MeasureKind.COUNT, where=(where,)), ((Operator.GTE, 1),)))


def group_present(atom: OfGroup) -> Expression:
    """A result of STATS is not null."""
    match atom:
        case Measured(present=present):
            return some_row(present)
        case Quotient(_, right) if right == Measure(MeasureKind.COUNT):
            return TRUE
        case Quotient(_, right):
            return of_group(GroupTest(right, ((Operator.GT, 0),)))
        case Time(moment):
            return some_row(all_of(*moment.where))
        case Lapse(start, stop):
            return all_of(some_row(all_of(*start.where)), some_row(all_of(*stop.where)))
        case Values(term, where):
            return some_row(all_of(where, has_value(term)))
        case Labels(options):
            return some_row(any_of(*(where for where, _ in options)))


def number_of_values(atom: Values) -> Measure | None:
    """How many different values there are; None where no measure can say it (of joined fields)."""
    if not isinstance(atom.term.subject, FieldPath):
        return None
    where = () if atom.where == TRUE else (atom.where,)
    return Measure(MeasureKind.DISTINCT, atom.term.subject, atom.term.functions, where)
