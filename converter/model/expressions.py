"""Expressions: what a rule asks of one event.

A tree of :class:`All`, :class:`AnyOf`, :class:`Not` and :class:`ForSome` over :class:`Predicate` leaves.
Every node is frozen, hashable and compares by value. What each operator means is stated, sentence by
sentence, in docs/semantics.md and defined by :mod:`converter.evaluate`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from converter.model.paths import ELEMENT, FieldPath, PathStep, format_path

Scalar: TypeAlias = bool | int | float | str
"""An operand: what YAML writes as true, 403, 0.5 or text. Null is no operand; ask with ``exists``."""


class Operator(enum.StrEnum):
    """What a predicate asks of a value. The value is the key that YAML uses."""

    IS = "is"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    LIKE = "like"
    REGEX = "regex"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"
    CIDR = "cidr"
    IP = "ip"
    SAME_AS = "same_as"


TEXT_OPERATORS = frozenset(
    {Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE, Operator.REGEX}
)
ORDER_OPERATORS = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
CASE_OPERATORS = TEXT_OPERATORS | {Operator.IS, Operator.SAME_AS}
"""The operators that ``ignore_case`` modifies."""


class FunctionName(enum.StrEnum):
    """Value functions, applied to each value of the field before the operator looks at it."""

    LOWER = "lower"
    UPPER = "upper"
    TRIM = "trim"
    BASENAME = "basename"
    LENGTH = "length"
    SPLIT = "split"
    JSON = "json"


class Function(msgspec.Struct, frozen=True):
    """One value function. ``separator`` and ``index`` are set for ``split`` alone, ``path`` for ``json``.

    ``split`` cuts the text at every ``separator`` and takes the ``index``-th part (from 0, negative
    from the end). ``basename`` is what follows the last ``/`` or ``\\``. ``length`` counts characters.
    ``json`` gives the values at a path in what the text says as JSON; without steps it is all of it.
    """

    name: FunctionName
    separator: str | None = None
    index: int | None = None
    path: tuple[PathStep, ...] | None = None

    @property
    def arguments(self) -> tuple[str | int, ...]:
        """What the function is given beside the value, in order; a path in its text form."""
        if self.path is not None:
            return (format_path(self.path),)
        return () if self.separator is None or self.index is None else (self.separator, self.index)


class Concat(msgspec.Struct, frozen=True, tag="concat"):
    """A subject made of several: fields, as they are or changed, and literal texts joined.

    It has no value if a field has none.
    """

    parts: tuple[Reference | str, ...]


Subject: TypeAlias = FieldPath | Concat


class Derived(msgspec.Struct, frozen=True, tag="derived"):
    """An operand made of values of the event: a field after ``functions``, or fields and texts joined.

    A field as it is has no ``functions`` to tell of and is its :class:`FieldPath` alone;
    :func:`reference` makes whichever of the two it is.
    """

    subject: Subject
    functions: tuple[Function, ...] = ()


Reference: TypeAlias = FieldPath | Derived
"""An operand that is no constant: it stands for each of the values it has in the event."""
REFERRING_OPERATORS = (
    frozenset({Operator.SAME_AS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS})
    | ORDER_OPERATORS
)
"""The operators whose operands may be references; ``same_as`` has no others."""


class Predicate(msgspec.Struct, frozen=True, tag="predicate"):
    """One question about one subject.

    ``values`` are the operands: any of them may satisfy the operator, or each must, by possibly
    different elements of a list, with ``all_of``. ``exists`` has none; ``same_as`` has references alone,
    the other :data:`REFERRING_OPERATORS` may have some; ``ip`` has names from
    :data:`converter.model.addresses.CLASSES`. ``functions`` are applied to the subject, in order.
    """

    subject: Subject
    operator: Operator
    values: tuple[Scalar | Reference, ...] = ()
    ignore_case: bool = False
    all_of: bool = False
    functions: tuple[Function, ...] = ()


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every term holds; no terms: true."""

    terms: tuple[Expression, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """Some term holds; no terms: false."""

    terms: tuple[Expression, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The term does not hold."""

    term: Expression


class ForSome(msgspec.Struct, frozen=True, tag="for_some"):
    """Some element of the list at ``path`` makes ``term`` hold; paths in it start there.

    The element is an object, or a value where ``term`` names :data:`~converter.model.paths.ELEMENT`.
    """

    path: FieldPath
    term: Expression


Expression: TypeAlias = Predicate | All | AnyOf | Not | ForSome

TRUE = All(())
FALSE = AnyOf(())


def all_of(*terms: Expression) -> Expression:
    """Conjunction, flattened: nested :class:`All` are spliced in, a single term stays itself."""
    flat = tuple(_spliced(terms, All))
    return flat[0] if len(flat) == 1 else All(flat)


def any_of(*terms: Expression) -> Expression:
    """Disjunction, flattened: nested :class:`AnyOf` are spliced in, a single term stays itself."""
    flat = tuple(_spliced(terms, AnyOf))
    return flat[0] if len(flat) == 1 else AnyOf(flat)


def negated(term: Expression) -> Expression:
    """Negation, without piling up :class:`Not`."""
    return term.term if isinstance(term, Not) else Not(term)


def _spliced(terms: tuple[Expression, ...], kind: type[All] | type[AnyOf]) -> Iterator[Expression]:
    for term in terms:
        if isinstance(term, kind):
            yield from _spliced(term.terms, kind)
        else:
            yield term


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct terms of a node."""
    match expression:
        case All(terms) | AnyOf(terms):
            return terms
        case Not(term) | ForSome(_, term):
            return (term,)
        case _:
            return ()


def predicates(expression: Expression) -> Iterator[Predicate]:
    """Every predicate of the tree, left to right. Paths below a :class:`ForSome` stay relative."""
    if isinstance(expression, Predicate):
        yield expression
    for child in children(expression):
        yield from predicates(child)


def mapped(expression: Expression, change: Callable[[Predicate], Expression]) -> Expression:
    """The same tree with every predicate replaced by what ``change`` gives for it."""
    match expression:
        case All(terms):
            return All(tuple(mapped(term, change) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(mapped(term, change) for term in terms))
        case Not(term):
            return Not(mapped(term, change))
        case ForSome(path, term):
            return ForSome(path, mapped(term, change))
        case _:
            return change(expression)


def reference(subject: Subject, functions: tuple[Function, ...] = ()) -> Reference:
    """The operand that stands for these values of the event, in its one form."""
    return subject if isinstance(subject, FieldPath) and not functions else Derived(subject, functions)


def changes_of(operand: Reference) -> tuple[Subject, tuple[Function, ...]]:
    """What a reference reads and the functions it applies: :func:`reference` the other way round."""
    return (operand, ()) if isinstance(operand, FieldPath) else (operand.subject, operand.functions)


def comparison(left: Reference, operator: Operator, right: Reference, ignore_case: bool = False) -> Predicate:
    """What a reader makes of a test of two values of the event: one form for one meaning.

    Both sides in lower case is a comparison without regard to case; of two equal values the one that is
    changed is the subject.
    """
    (subject, functions), (other, others) = changes_of(left), changes_of(right)
    lower = Function(FunctionName.LOWER)
    if operator not in ORDER_OPERATORS and functions[-1:] == others[-1:] == (lower,):
        functions, others, ignore_case = functions[:-1], others[:-1], True
    right = reference(other, others)
    if operator is Operator.SAME_AS and not functions and isinstance(subject, FieldPath) and right != other:
        return Predicate(other, operator, (subject,), ignore_case, functions=others)
    return Predicate(subject, operator, (right,), ignore_case, functions=functions)


def references(predicate: Predicate) -> tuple[Reference, ...]:
    """The operands of a predicate that are values of the event."""
    return tuple(value for value in predicate.values if isinstance(value, Reference))


def constants(predicate: Predicate) -> tuple[Scalar, ...]:
    """The operands of a predicate that are written in the rule."""
    return tuple(value for value in predicate.values if not isinstance(value, Reference))


def separated(predicate: Predicate) -> Expression:
    """The same question with each reference in a predicate of its own, whose only operand it is.

    Any of these predicates may hold, or with ``all_of`` each must; constants stay together.
    """
    if not references(predicate) or len(predicate.values) == 1:
        return predicate
    groups: list[tuple[Scalar | Reference, ...]] = [(each,) for each in references(predicate)]
    if constants(predicate):
        groups.insert(0, constants(predicate))
    terms = [msgspec.structs.replace(predicate, values=group) for group in groups]
    return all_of(*terms) if predicate.all_of else any_of(*terms)


def renamed(predicate: Predicate, name: Callable[[FieldPath], FieldPath]) -> Predicate:
    """The predicate with every field path, of its subject and of its operands, replaced by another."""
    return msgspec.structs.replace(
        predicate,
        subject=renamed_subject(predicate.subject, name),
        values=tuple(renamed_operand(value, name) for value in predicate.values),
    )


def renamed_operand(
    operand: Scalar | Reference, name: Callable[[FieldPath], FieldPath]
) -> Scalar | Reference:
    """An operand with every field path in it replaced by another; a constant stays as it is."""
    return _renamed_reference(operand, name) if isinstance(operand, Reference) else operand


def renamed_subject(subject: Subject, name: Callable[[FieldPath], FieldPath]) -> Subject:
    """A subject with every field path in it replaced by another."""
    if isinstance(subject, FieldPath):
        return name(subject)
    return Concat(
        tuple(part if isinstance(part, str) else _renamed_reference(part, name) for part in subject.parts)
    )


def _renamed_reference(operand: Reference, name: Callable[[FieldPath], FieldPath]) -> Reference:
    subject, functions = changes_of(operand)
    return reference(renamed_subject(subject, name), functions)


def fields_of(operand: Subject | Derived) -> tuple[FieldPath, ...]:
    """The field paths that a subject or a reference reads."""
    match operand:
        case FieldPath():
            return (operand,)
        case Derived(subject):
            return fields_of(subject)
        case Concat(parts):
            return tuple(path for part in parts if not isinstance(part, str) for path in fields_of(part))


def fields_asked(predicate: Predicate) -> tuple[FieldPath, ...]:
    """The field paths that a predicate reads: its subject's, then its operands'."""
    operands = (path for operand in references(predicate) for path in fields_of(operand))
    return (*fields_of(predicate.subject), *operands)


def functions_in(predicate: Predicate) -> Iterator[Function]:
    """Every value function in a predicate: those of its subject, of its operands, and of what is joined."""
    for operand in (reference(predicate.subject, predicate.functions), *references(predicate)):
        yield from _functions_in(operand)


def _functions_in(operand: Reference) -> Iterator[Function]:
    subject, functions = changes_of(operand)
    yield from functions
    if isinstance(subject, Concat):
        for part in subject.parts:
            if not isinstance(part, str):
                yield from _functions_in(part)


def elements_asked(expression: Expression) -> tuple[bool, bool]:
    """Whether the term of a :class:`ForSome` asks what an element is itself, and what is under its keys.

    Elements that are values are asked in the first case, objects in the second; a term that asks nothing at
    all is asked of objects.
    """
    paths = {path for path in _paths_at(expression) if not path.rooted}
    itself = ELEMENT in paths
    return itself, not itself or len(paths) > 1


def asks_outside(expression: Expression) -> bool:
    """Whether the term of a :class:`ForSome` asks something of the event, outside of the element."""
    match expression:
        case Predicate():
            return any(path.rooted for path in fields_asked(expression))
        case ForSome(path, term):
            return path.rooted or asks_outside(term)
        case _:
            return any(map(asks_outside, children(expression)))


def _paths_at(expression: Expression) -> Iterator[FieldPath]:
    """The paths of a tree that start at the same place as the tree."""
    match expression:
        case Predicate():
            yield from fields_asked(expression)
        case ForSome(path):
            yield path
        case _:
            for child in children(expression):
                yield from _paths_at(child)


def absolute_fields(expression: Expression, base: FieldPath | None = None) -> Iterator[FieldPath]:
    """Every field path that the tree reads, from the root of the event (below a ForSome: ``list[].key``)."""
    match expression:
        case ForSome(path, term):
            root = path if base is None else base.joined(path)
            yield root
            inner = root if root.steps[-1] is None else FieldPath((*root.steps, None))
            yield from absolute_fields(term, inner)
        case Predicate():
            for path in fields_asked(expression):
                yield path if base is None else base.joined(path)
        case _:
            for child in children(expression):
                yield from absolute_fields(child, base)
