"""What a Python expression may be: values known, or found in the event, each with the formula of when."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from converter.model.expressions import Function, Subject
from converter.platforms.panther.importing.python.formulas import both, either, some
from converter.platforms.panther.importing.python.interface import PythonSource
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.shapes import Steps


class Known(msgspec.Struct, frozen=True):
    """A Python constant: None, a scalar, or a container of constants."""

    value: Any


class Truth(msgspec.Struct, frozen=True):
    """A bool that depends on the event."""

    formula: Formula


class Field(msgspec.Struct, frozen=True):
    """What is present (not null) at a path; without steps, the event or a list's element itself."""

    variable: int
    steps: Steps


class Text(msgspec.Struct, frozen=True):
    """A text made of fields: joined, or changed by value functions."""

    variable: int
    subject: Subject
    functions: tuple[Function, ...] = ()


class Joined(msgspec.Struct, frozen=True):
    """Texts joined, each with all its outcomes: what an alert shows, where no condition asks for it."""

    parts: tuple[Outcome, ...]


class Number(msgspec.Struct, frozen=True):
    """A number made of a field: ``int()`` or ``float()`` of it, or the length of a text."""

    variable: int
    subject: Subject
    functions: tuple[Function, ...] = ()
    offset: int | float = 0


class Part(msgspec.Struct, frozen=True):
    """A slice of a text: ``text[lower:upper]``."""

    text: Field | Text
    lower: int | None
    upper: int | None


class Stripped(msgspec.Struct, frozen=True):
    """A text without the characters of a set at its beginning, its end, or both."""

    text: Text
    characters: str
    left: bool
    right: bool


class Pieces(msgspec.Struct, frozen=True):
    """``text.split(separator, most)``, or ``rsplit``."""

    text: Text
    separator: str
    most: int = -1
    from_end: bool = False


class Binder(msgspec.Struct, frozen=True):
    """A variable for the elements of the list at a path of another variable."""

    variable: int
    source: int
    steps: Steps


class Entry(msgspec.Struct, frozen=True):
    """Elements of a collection: one for each choice of the binders' elements for which ``include`` holds."""

    value: Outcome
    binders: tuple[Binder, ...] = ()
    include: Formula = TRUE


class Collection(msgspec.Struct, frozen=True):
    """A list, tuple, set or generator with elements that depend on the event."""

    kind: str
    entries: tuple[Entry, ...]


class Table(msgspec.Struct, frozen=True):
    """A dict with constant keys, whose values may depend on the event."""

    entries: tuple[tuple[Any, Outcome], ...]


class Keyed(msgspec.Struct, frozen=True):
    """A dict made of the elements of a list of the event: ``{x["key"]: x["value"] for x in …}``."""

    key: Outcome
    value: Outcome
    binder: Binder
    include: Formula = TRUE


class Count(msgspec.Struct, frozen=True):
    """How many elements a collection has, plus ``offset``."""

    collection: Collection | Matches
    offset: int | float = 0


class Walked(msgspec.Struct, frozen=True):
    """What ``deep_walk`` finds: one value, or a list of several, at a path that goes through every list."""

    variable: int
    steps: Steps


class Pattern(msgspec.Struct, frozen=True):
    """A compiled regular expression: Python's syntax, and its flags by name."""

    text: str
    flags: frozenset[str] = frozenset()


class Found(msgspec.Struct, frozen=True):
    """A match object of a regular expression."""

    pattern: str


class Matches(msgspec.Struct, frozen=True):
    """All matches of a regular expression in a text, of which is known when there is one."""

    found: Formula


class Address(msgspec.Struct, frozen=True):
    """``ip_address`` of a text of the event."""

    variable: int
    subject: Subject
    functions: tuple[Function, ...] = ()


class Network(msgspec.Struct, frozen=True):
    """``ip_network`` of a constant."""

    text: str


class Routine(msgspec.Struct, frozen=True):
    """A function or lambda of the user's: ``scope`` names its module and class, ``closure`` what it sees."""

    node: ast.FunctionDef | ast.Lambda
    source: PythonSource
    closure: Any = None
    bound: Any = None
    owner: str | None = None


class Instance(msgspec.Struct, frozen=True):
    """``self``: a rule in class form."""

    source: PythonSource
    class_name: str


class Parent(msgspec.Struct, frozen=True):
    """``super()`` of a rule in class form."""

    instance: Instance
    below: tuple[str, str]


class Library(msgspec.Struct, frozen=True):
    """A module or function of Python's standard library, or one known by its documentation, by its name."""

    name: str


class Beside(msgspec.Struct, frozen=True):
    """A module of the user's."""

    source: PythonSource


class Kind(msgspec.Struct, frozen=True):
    """A class of the user's that is no rule: an enumeration, or a holder of constants."""

    source: PythonSource
    name: str


class Method(msgspec.Struct, frozen=True):
    """A method looked up on a value."""

    owner: Value
    name: str


class Opaque(msgspec.Struct, frozen=True):
    """Something that could not be read: the residue of this number. ``truthy``: what its bool is, if that
    has been decided (by an ``and`` or ``or`` that stopped at it).
    """

    number: int
    truthy: bool | None = None


Value: TypeAlias = (
    Known
    | Truth
    | Field
    | Text
    | Joined
    | Number
    | Part
    | Stripped
    | Pieces
    | Collection
    | Table
    | Keyed
    | Count
    | Walked
    | Pattern
    | Found
    | Matches
    | Address
    | Network
    | Routine
    | Instance
    | Parent
    | Library
    | Beside
    | Kind
    | Method
    | Opaque
)


class Outcome(msgspec.Struct, frozen=True):
    """What evaluating an expression gives: values, each with when it is that one, and exceptions by name."""

    cases: tuple[tuple[Formula, Value], ...]
    raises: tuple[tuple[Formula, str], ...] = ()

    @property
    def single(self) -> Value | None:
        """The value, where there is no other outcome."""
        return self.cases[0][1] if len(self.cases) == 1 and not self.raises else None


NONE: Final = Known(None)
YES: Final = Known(True)
NO: Final = Known(False)


class UnreadableError(ValueError):
    """A construct that has no canonical meaning, or none that the reader knows. The message names it."""

    def __init__(self, message: str, node: ast.AST | None = None, code: str = "unread") -> None:
        super().__init__(message)
        self.node = node
        self.code = code


class SeveralModelsError(Exception):
    """The detection asks data models that say different things for its log types."""


class ExhaustedError(Exception):
    """The reading takes more steps than any detection needs."""


def one(value: Value) -> Outcome:
    """This value, always."""
    return Outcome(((TRUE, value),))


def raising(name: str) -> Outcome:
    """An exception, always."""
    return Outcome((), ((TRUE, name),))


def when(formula: Formula) -> Outcome:
    """The bool that a formula is."""
    if formula == TRUE:
        return one(YES)
    return one(NO) if formula == FALSE else one(Truth(formula))


def unless(raised: Formula, name: str, value: Value) -> Outcome:
    """An exception if a formula holds, else the value."""
    if raised == FALSE:
        return one(value)
    rest = opposite(raised)
    return Outcome(() if rest == FALSE else ((rest, value),), ((raised, name),))


def formula_of(value: Value) -> Formula | None:
    """The formula of a bool; None: it is none."""
    match value:
        case Known(bool(known)):
            return TRUE if known else FALSE
        case Truth(formula):
            return formula
        case _:
            return None


def gathered(cases: Iterable[tuple[Formula, Value]], raises: Iterable[tuple[Formula, str]] = ()) -> Outcome:
    """Cases of the same value become one, and all bools become one."""
    bools: list[tuple[Formula, Formula]] = []
    others: dict[object, tuple[Formula, Value]] = {}
    failed: dict[str, Formula] = {}
    order: list[object] = []
    for guard, value in cases:
        if guard == FALSE:
            continue
        formula = formula_of(value)
        if formula is not None:
            if not bools:
                order.append(bool)
            bools.append((guard, formula))
            continue
        key = identity(value)
        if key in others:
            others[key] = (either(others[key][0], guard), value)
        else:
            others[key] = (guard, value)
            order.append(key)
    for guard, name in raises:
        if guard != FALSE:
            failed[name] = either(failed[name], guard) if name in failed else guard
    found = [_joined_bools(bools) if key is bool else others[key] for key in order]
    if len(found) == 1:
        raised = either(*failed.values())
        found = [(opposite(raised), found[0][1])]
    return Outcome(tuple(found), tuple((guard, name) for name, guard in failed.items()))


def _joined_bools(bools: list[tuple[Formula, Formula]]) -> tuple[Formula, Value]:
    if len(bools) == 1:
        guard, formula = bools[0]
    else:
        guard = either(*(each for each, _ in bools))
        formula = either(*(both(each, true) for each, true in bools))
    return guard, YES if formula == TRUE else NO if formula == FALSE else Truth(formula)


def identity(value: Value) -> object:
    """What tells values apart: 1, 1.0 and True are three."""
    if isinstance(value, Known):
        return ("known", repr(value.value))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def quantified(entry: Entry, formula: Formula) -> Formula:
    """Some element of an entry makes the formula hold."""
    found = both(entry.include, formula)
    for binder in reversed(entry.binders):
        found = some(binder.variable, binder.source, binder.steps, found)
    return found
