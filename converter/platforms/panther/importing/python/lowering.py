"""From a formula to the canonical expression, and what is lost on the way.

Null keys are taken as missing ones; a condition on some element is said by a path with ``[]`` or by
``for_some``; what could not be read gives way, so that the whole is wider (or, where that would leave
nothing, narrower) than what was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from converter.evaluate import compile_expression
from converter.model.expressions import (
    FALSE as NEVER,
)
from converter.model.expressions import (
    TRUE as ALWAYS,
)
from converter.model.expressions import (
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    constants,
    fields_asked,
    renamed,
)
from converter.model.paths import ANY, ELEMENT, FieldPath
from converter.platforms.panther.importing.python.formulas import both, either, some, under
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    TRUE,
    Atom,
    Both,
    Either,
    Formula,
    Leaf,
    Negation,
    Null,
    Present,
    Some,
    Told,
    Unknown,
    atoms,
    opposite,
)
from converter.platforms.panther.importing.python.shapes import AS_JSON

_OPPOSITE: Final = {
    Operator.GT: Operator.LTE,
    Operator.GTE: Operator.LT,
    Operator.LT: Operator.GTE,
    Operator.LTE: Operator.GT,
}
_MOST_ALTERNATIVES = 48
_VALUE: Final = FieldPath(("value",))


class UnsayableError(ValueError):
    """A condition on one element of a list that no canonical expression says."""


class Settled(msgspec.Struct, frozen=True):
    """A formula that can be said. ``left_out``: residues that gave way; ``unsaid``: variables of lists.

    ``plain`` is the same formula with its elements of lists as variables.
    """

    formula: Formula
    plain: Formula
    left_out: tuple[int, ...]
    unsaid: tuple[tuple[int, str], ...]


def settled(formula: Formula, *, widen: bool) -> Settled:
    """The formula without unknown parts; these gave way in the direction of more matches, or of fewer."""
    work = _Settling()
    found = work.settle(formula, widen)
    return Settled(
        lowered(found), found, tuple(dict.fromkeys(work.left_out)), tuple(dict.fromkeys(work.unsaid))
    )


class _Settling:
    def __init__(self) -> None:
        self.left_out: list[int] = []
        self.unsaid: list[tuple[int, str]] = []

    def settle(self, formula: Formula, widen: bool) -> Formula:
        match formula:
            case Both(terms):
                return self._both(terms, widen)
            case Either(terms):
                if _hollow(tuple(map(opposite, terms))):
                    return opposite(self._both(tuple(map(opposite, terms)), not widen))
                return either(*(self.settle(term, widen) for term in terms))
            case Unknown(number) | Negation(Unknown(number)):
                self.left_out.append(number)
                return TRUE if widen else FALSE
            case Negation(Some() as found):
                return opposite(self._some(found, not widen))
            case Some():
                return self._some(formula, widen)
            case _:
                return formula

    def _both(self, terms: tuple[Formula, ...], widen: bool) -> Formula:
        hollow = _hollow(terms)
        if hollow is not None:
            self.unsaid.append((hollow.variable, f"{FieldPath(hollow.steps)} is empty, and not missing"))
            if not widen:
                return FALSE
            terms = tuple(term for term in terms if term != hollow)
        return both(*(self.settle(term, widen) for term in terms))

    def _some(self, found: Some, widen: bool) -> Formula:
        inner = self.settle(found.term, widen)
        whole = some(found.variable, found.source, found.steps, inner)
        if not isinstance(whole, Some):
            return self.settle(whole, widen) if whole != FALSE else FALSE
        try:
            lowered(whole)
        except UnsayableError as error:
            self.unsaid.append((found.variable, str(error)))
            return TRUE if widen else FALSE
        return whole


def _hollow(terms: tuple[Formula, ...]) -> Present | None:
    """A list or object that must be there and empty, which canonically is no different from a missing one."""
    for term in terms:
        if isinstance(term, Present) and term.steps:
            empty = Negation(Leaf(term.variable, Predicate(FieldPath(term.steps), Operator.EXISTS)))
            if empty in terms:
                return term
    return None


# -- some element


def lowered(formula: Formula) -> Formula:
    """The formula with every condition on some element as one on the object that has the list."""
    match formula:
        case Both(terms):
            return both(*map(lowered, terms))
        case Either(terms):
            return either(*map(lowered, terms))
        case Negation(Some() as found):
            return opposite(lowered(found))
        case Some(variable, source, steps, term):
            whole = some(variable, source, steps, lowered(term))
            return said(whole) if isinstance(whole, Some) else whole
        case _:
            return formula


def said(found: Some) -> Formula:
    """A condition on some element, as a condition on the object that has the list."""
    alternatives = _alternatives(found.term)
    return either(*(_said_once(found, parts) for parts in alternatives))


def _alternatives(term: Formula) -> list[list[Formula]]:
    """The term as alternatives of conjunctions, taken apart only where it speaks of several variables."""
    terms = list(term.terms) if isinstance(term, Both) else [term]
    found: list[list[Formula]] = [[]]
    for each in terms:
        if isinstance(each, Either) and len(_variables(each)) > 1:
            parts = [parts for one in each.terms for parts in _alternatives(one)]
            found = [[*before, *after] for before in found for after in parts]
        else:
            found = [[*before, each] for before in found]
        if len(found) > _MOST_ALTERNATIVES:
            raise UnsayableError("it mixes what elements hold with what stands outside the list")
    return found


def _said_once(found: Some, parts: list[Formula]) -> Formula:
    variable = found.variable
    inner = [_of_element(part, variable) for part in parts if variable in _variables(part)]
    outer = [part for part in parts if variable not in _variables(part)]
    inner = [part for part in inner if part != TRUE]
    if FALSE in inner:
        return FALSE
    source = FieldPath(found.steps)
    if not inner:
        return both(*outer, Leaf(found.source, Predicate(source, Operator.EXISTS)))
    if any(_variables(part) != {variable} for part in inner):
        raise UnsayableError("it compares what elements hold with what stands outside the list")
    return both(*outer, _element_condition(found.source, source, inner))


def _of_element(part: Formula, variable: int) -> Formula:
    """The element itself is there, and no null."""
    facts: set[Atom | Negation] = {Present(variable, ()), Negation(Null(variable, ()))}
    return under(part, frozenset(facts))


def _element_condition(source: int, path: FieldPath, inner: list[Formula]) -> Formula:
    if len(inner) == 1 and isinstance(inner[0], Leaf) and _moves(inner[0].predicate, source):
        return Leaf(source, _moved(inner[0].predicate, path))
    if len(inner) == 1 and isinstance(inner[0], Present):
        return Leaf(source, Predicate(_below(path, FieldPath(inner[0].steps)), Operator.EXISTS))
    if AS_JSON in path.steps:
        raise UnsayableError("several conditions on the same element of a list in a JSON text")
    if len(inner) == 1 and isinstance(inner[0], Told):
        return Told(source, ForSome(path, inner[0].expression)) if path.steps else inner[0]
    if all(map(_of_scalar, inner)) and (listed := _of_listed_values(path, inner)) is not None:
        return Leaf(source, listed)
    if not path.steps:
        raise UnsayableError("lists within lists")
    return Told(source, ForSome(path, expressed(both(*inner))))


def _of_listed_values(path: FieldPath, inner: list[Formula]) -> Predicate | None:
    """Several conditions on one and the same text of a list, one of which lists the values: one condition."""
    listed = [part for part in inner if isinstance(part, Leaf) and part.predicate.operator is Operator.IS]
    if not listed or listed[0].predicate.functions or listed[0].predicate.ignore_case:
        return None
    others = [expressed(part) for part in inner if part is not listed[0]]
    holds = compile_expression(ForSome(_VALUE, all_of(*others)))
    kept = tuple(value for value in listed[0].predicate.values if holds({"value": value}))
    if not kept or not _moves(listed[0].predicate, 0):
        return None
    return _moved(msgspec.structs.replace(listed[0].predicate, values=kept), path)


def _of_scalar(part: Formula) -> bool:
    return any(
        isinstance(atom, Leaf) and any(not path.steps for path in fields_asked(atom.predicate))
        for atom in atoms(part)
    )


def _moves(predicate: Predicate, source: int) -> bool:
    """Whether a question about an element of a list is one about any element: it reads one field of it, and
    beside that fields of the event alone, in which the list is.
    """
    paths = fields_asked(predicate)
    return sum(not path.rooted for path in paths) == 1 and (len(paths) == 1 or not source)


def _moved(predicate: Predicate, path: FieldPath) -> Predicate:
    """A predicate on any element of the list at a path."""
    return renamed(predicate, lambda inner: _below(path, inner))


def _below(path: FieldPath, inner: FieldPath) -> FieldPath:
    return FieldPath(inner.steps) if inner.rooted else FieldPath((*path.steps, ANY, *inner.steps))


def _variables(formula: Formula) -> set[int]:
    found: set[int] = set()
    for atom in atoms(formula):
        match atom:
            case Leaf(variable) | Present(variable) | Null(variable) | Told(variable):
                found.add(variable)
            case Some(_, source, _, _):
                found.add(source)
    return found


# -- expressions


def without_nulls(formula: Formula) -> Formula:
    """The formula for events whose null keys count as missing."""
    nulls = {atom for atom in atoms(formula) if isinstance(atom, Null)}
    return under(formula, frozenset(Negation(atom) for atom in nulls)) if nulls else formula


def expressed(formula: Formula) -> Expression:
    """The canonical expression of a formula without unknown parts."""
    match formula:
        case Both(()):
            return ALWAYS
        case Either(()):
            return NEVER
        case Both(terms):
            return all_of(*_united_not(_ordered(_conditions(terms))))
        case Either(terms):
            return any_of(*united([expressed(term) for term in terms]))
        case Leaf(_, predicate):
            return _of_itself(_asked(predicate))
        case Present(_, steps):
            return _of_itself(_inside_json(Predicate(FieldPath(steps), Operator.EXISTS))) if steps else ALWAYS
        case Told(_, expression):
            return expression
        case Null():
            return NEVER
        case Negation(term):
            inner = expressed(term)
            return NEVER if inner == ALWAYS else ALWAYS if inner == NEVER else Not(inner)
        case _:
            raise UnsayableError("an unknown part")


def _of_itself(predicate: Predicate) -> Predicate:
    """The predicate with the element of a list, which has no steps here, named as rules name it."""
    if all(path.steps for path in fields_asked(predicate)):
        return predicate
    return renamed(predicate, lambda path: path if path.steps else ELEMENT)


def _asked(predicate: Predicate) -> Predicate:
    """A predicate as the canonical rule has it. ``exists`` of an empty list is false here, but not in a JSON
    text, where the first element is asked for instead; a value that is no list is its own first element.
    """
    subject = predicate.subject
    in_json = isinstance(subject, FieldPath) and AS_JSON in subject.steps
    if in_json and predicate.operator is Operator.EXISTS and not predicate.functions:
        assert isinstance(subject, FieldPath)
        first = (0,) if isinstance(subject.steps[-1], str) else ()
        predicate = msgspec.structs.replace(predicate, subject=FieldPath((*subject.steps, *first)))
    return _inside_json(predicate)


def _inside_json(predicate: Predicate) -> Predicate:
    """The function ``json`` in the place of the step that is the JSON in a text."""
    subject = predicate.subject
    if not isinstance(subject, FieldPath) or AS_JSON not in subject.steps:
        return predicate
    at = subject.steps.index(AS_JSON)
    inside = Function(FunctionName.JSON, path=subject.steps[at + 1 :])
    return msgspec.structs.replace(
        predicate, subject=FieldPath(subject.steps[:at]), functions=(inside, *predicate.functions)
    )


def _conditions(terms: Iterable[Formula]) -> list[Expression]:
    found = [expressed(term) for term in terms]
    implied = {
        each.subject
        for each in found
        if isinstance(each, Predicate) and each.operator is not Operator.EXISTS and not each.functions
    }
    kept = [
        each
        for each in found
        if not (
            isinstance(each, Predicate)
            and each.operator is Operator.EXISTS
            and not each.functions
            and each.subject in implied
        )
    ]
    return list(dict.fromkeys(kept))


def _ordered(terms: list[Expression]) -> list[Expression]:
    """``exists`` and ``not gt`` of a number is ``lte``: what is no number makes Python raise."""
    present = {
        each.subject
        for each in terms
        if isinstance(each, Predicate) and each.operator is Operator.EXISTS and not each.functions
    }
    found: list[Expression] = []
    turned: set[object] = set()
    for each in terms:
        if isinstance(each, Not) and isinstance(each.term, Predicate) and each.term.operator in _OPPOSITE:
            predicate = each.term
            if predicate.subject in present and not predicate.functions and len(constants(predicate)) == 1:
                found.append(msgspec.structs.replace(predicate, operator=_OPPOSITE[predicate.operator]))
                turned.add(predicate.subject)
                continue
        found.append(each)
    return [
        each
        for each in found
        if not (isinstance(each, Predicate) and each.operator is Operator.EXISTS and each.subject in turned)
    ]


def united(terms: list[Expression]) -> list[Expression]:
    """Alternatives that ask the same of the same subject become one predicate with several operands."""
    found: dict[object, Expression] = {}
    for term in terms:
        if isinstance(term, Predicate) and term.values and not term.all_of:
            key: object = (term.subject, term.operator, term.functions, term.ignore_case)
            known = found.get(key)
            if isinstance(known, Predicate):
                values = tuple({repr(value): value for value in (*known.values, *term.values)}.values())
                found[key] = msgspec.structs.replace(known, values=values)
            else:
                found[key] = term
        else:
            found.setdefault(term, term)
    return list(found.values())


def _united_not(terms: list[Expression]) -> list[Expression]:
    """Exclusions that ask the same of the same subject become one."""
    found: list[Expression] = []
    excluded: dict[object, int] = {}
    for term in terms:
        if isinstance(term, Not) and isinstance(term.term, Predicate) and term.term.values:
            predicate = term.term
            key = (predicate.subject, predicate.operator, predicate.functions, predicate.ignore_case)
            if key in excluded:
                before = found[excluded[key]]
                assert isinstance(before, Not)
                (merged,) = united([before.term, predicate])
                found[excluded[key]] = Not(merged)
                continue
            excluded[key] = len(found)
        found.append(term)
    return found
