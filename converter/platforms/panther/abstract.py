"""What the reader takes a Python expression to be: abstract values over the fields of an event.

A condition is a canonical expression. Beside it stands what it depends on: the variables of comprehensions
that are still open (one element of a list), and the object that its paths start at. Only what a canonical
expression can say is combined; anything else raises :class:`UnreadableError`.
"""

from __future__ import annotations

import ast
from typing import Any, Final, TypeAlias

import msgspec

from converter.evaluate.values import number_of, text_of
from converter.model.expressions import (
    FALSE,
    TRUE,
    Concat,
    Expression,
    ForSome,
    Function,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    all_of,
    any_of,
    negated,
    reference,
)
from converter.model.paths import FieldPath


class UnreadableError(ValueError):
    """A construct that has no canonical meaning, or none that the reader knows."""

    def __init__(self, message: str, node: ast.AST | None = None) -> None:
        line = getattr(node, "lineno", None)
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line: int | None = line


class Condition(msgspec.Struct, frozen=True):
    """A truth value. ``open``: the elements it speaks of; ``scopes``: the objects its paths start at."""

    expression: Expression
    open: frozenset[int] = frozenset()
    scopes: frozenset[int] = frozenset()


class Constant(msgspec.Struct, frozen=True):
    """A literal, None included."""

    value: Any


class Several(msgspec.Struct, frozen=True):
    """A tuple or list of known values."""

    items: tuple[Value, ...]


class Mapped(msgspec.Struct, frozen=True):
    """The event (scope 0), or the object that a variable of a comprehension stands for."""

    scope: int


class Lookup(msgspec.Struct, frozen=True):
    """What stands at some keys; ``default`` where it is missing or, with ``deep_get``, null."""

    scope: int
    path: FieldPath
    default: Any = None


class Gathered(msgspec.Struct, frozen=True):
    """A list of values found in the event. ``kind``: raw, text, number, address, moment or object."""

    scope: int
    subject: Subject
    kind: str
    functions: tuple[Function, ...] = ()


class Element(msgspec.Struct, frozen=True):
    """One of the values of a list, bound to variable number ``variable``.

    Without a number it is the value that its source's scope stands for, of which any number of conditions
    may be asked.
    """

    source: Gathered
    variable: int | None

    @property
    def open(self) -> frozenset[int]:
        """The variable, where it is still to be bound."""
        return frozenset() if self.variable is None else frozenset({self.variable})


class LookupText(msgspec.Struct, frozen=True):
    """``str()`` of a look-up, changed by ``functions``."""

    lookup: Lookup
    functions: tuple[Function, ...] = ()


class Joining(msgspec.Struct, frozen=True):
    """A concatenation of texts, elements among them."""

    parts: tuple[Element | str, ...]


class Version(msgspec.Struct, frozen=True):
    """The IP version of an address."""

    element: Element


class Inside(msgspec.Struct, frozen=True):
    """Whether an address is in some network, or in none of them."""

    element: Element
    networks: tuple[str, ...]
    positive: bool = True


class Network(msgspec.Struct, frozen=True):
    """``ip_network`` of a text."""

    text: str


class Pattern(msgspec.Struct, frozen=True):
    """A compiled regular expression: Python's syntax, and its flags by name."""

    text: str
    flags: frozenset[str] = frozenset()


class Match(msgspec.Struct, frozen=True):
    """What ``search`` gives: a match, which is true, or None."""

    found: Condition


class Moment(msgspec.Struct, frozen=True):
    """``moment()`` of a text."""

    text: str


class Ordering(msgspec.Struct, frozen=True):
    """``order()`` of two values: below, at or above 0."""

    one: Element
    other: Element


class Method(msgspec.Struct, frozen=True):
    """A method looked up on a value."""

    owner: Value
    name: str


class Named(msgspec.Struct, frozen=True):
    """A known function or module by name."""

    name: str


class GroupKey(msgspec.Struct, frozen=True):
    """One of the library's keys (``group_key``, ``first_key`` …) of some paths."""

    name: str
    paths: tuple[FieldPath, ...]


Value: TypeAlias = (
    Condition
    | Constant
    | Several
    | Mapped
    | Lookup
    | Gathered
    | Element
    | LookupText
    | Joining
    | Version
    | Inside
    | Network
    | Pattern
    | Match
    | Moment
    | Ordering
    | Method
    | Named
    | GroupKey
)

ALWAYS: Final = Condition(TRUE)
NEVER: Final = Condition(FALSE)


def predicate(
    scope: int,
    subject: Subject,
    operator: Operator,
    values: tuple[Scalar | Reference, ...] = (),
    *,
    functions: tuple[Function, ...] = (),
    variables: frozenset[int] = frozenset(),
) -> Condition:
    """A condition of one predicate."""
    found = Predicate(subject, operator, values, functions=functions)
    return Condition(found, variables, frozenset({scope}))


def some_value(source: Gathered) -> Condition:
    """The list is not empty. ``exists`` of a field would also see an object, so it is not asked."""
    subject = source.subject
    if isinstance(subject, FieldPath) and not source.functions:
        subject = Concat((subject,))
    return predicate(source.scope, subject, Operator.EXISTS, functions=source.functions)


def text_equals(text: str) -> tuple[Operator, str]:
    """The operator and operand for "the text is exactly this", numbers written alike not included."""
    number = number_of(text)
    if number is None or (abs(number) <= 2**53 and text_of(number) == text):
        return Operator.IS, text
    escaped = "".join("\\" + character if character in "*?\\" else character for character in text)
    return Operator.LIKE, escaped


def either(conditions: list[Condition]) -> Condition:
    """Some condition holds. Elements may be spoken of in several: some element satisfies one of them."""
    kept = [one for one in conditions if one.expression != FALSE]
    if any(one.expression == TRUE for one in kept):
        return ALWAYS
    return Condition(any_of(*_merged([one.expression for one in kept])), *_dependencies(kept))


def both(conditions: list[Condition], node: ast.AST | None = None) -> Condition:
    """Every condition holds; two of them must not speak of the same element."""
    kept = [one for one in conditions if one.expression != TRUE]
    if any(one.expression == FALSE for one in kept):
        return NEVER
    seen: set[int] = set()
    for one in kept:
        if seen & one.open:
            raise UnreadableError("two conditions on the same element of a list of scalars", node)
        seen |= one.open
    return Condition(all_of(*(one.expression for one in kept)), *_dependencies(kept))


def opposite(condition: Condition, node: ast.AST | None = None) -> Condition:
    """The condition does not hold; it must not speak of one element."""
    if condition.open:
        raise UnreadableError("the negation of a condition on one element of a list", node)
    if condition.expression in (TRUE, FALSE):
        return NEVER if condition.expression == TRUE else ALWAYS
    return Condition(negated(condition.expression), condition.open, condition.scopes)


def closed(condition: Condition, variable: int) -> Condition:
    """Some element makes the condition hold: the variable is bound."""
    return Condition(condition.expression, condition.open - {variable}, condition.scopes)


def for_some(condition: Condition, source: Gathered, scope: int, node: ast.AST | None = None) -> Condition:
    """Some object of a list makes the condition, whose paths start at it, hold."""
    if condition.open or condition.scopes - {scope}:
        raise UnreadableError("a condition on an object of a list that speaks of something outside it", node)
    if not isinstance(source.subject, FieldPath):
        raise UnreadableError("objects from something that is no field", node)
    return Condition(ForSome(source.subject, condition.expression), frozenset(), frozenset({source.scope}))


def or_missing(found: Condition, lookup: Lookup, when_missing: bool) -> Condition:
    """``found``, or the field is missing and that counts as true."""
    if not when_missing:
        return found
    missing = Condition(Not(Predicate(lookup.path, Operator.EXISTS)), frozenset(), frozenset({lookup.scope}))
    return either([found, missing])


def joined_subject(parts: tuple[Element | str, ...]) -> Subject:
    """The canonical subject of a concatenation of elements."""
    found: list[Reference | str] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part.source.subject, FieldPath):
            found.append(reference(part.source.subject, part.source.functions))
        else:
            raise UnreadableError("a concatenation of joined values")
    return Concat(tuple(found))


def _merged(terms: list[Expression]) -> list[Expression]:
    """Alternatives that ask the same of the same subject become one predicate with several operands."""
    found: dict[object, Expression] = {}
    for term in terms:
        key: object = len(found)
        if isinstance(term, Predicate) and term.values and (not term.all_of or len(term.values) == 1):
            key = (term.subject, term.operator, term.functions, term.ignore_case)
            known = found.get(key)
            values = (*known.values, *term.values) if isinstance(known, Predicate) else term.values
            found[key] = msgspec.structs.replace(term, values=values, all_of=False)
        else:
            found[key] = term
    return list(found.values())


def _dependencies(conditions: list[Condition]) -> tuple[frozenset[int], frozenset[int]]:
    variables: frozenset[int] = frozenset().union(*(one.open for one in conditions))
    scopes: frozenset[int] = frozenset().union(*(one.scopes for one in conditions))
    return variables, scopes
