"""Formulas: when something is so, while a detection is being read.

They are finer than canonical expressions: a key may be missing, null or present (:class:`Present`,
:class:`Null`), elements of lists are variables (0 is the event itself), and what could not be read is an
:class:`Unknown`. Formulas are kept in negation normal form and simplified as they are made, by what the facts
that hold beside a part say about it: a present ``a.b`` makes ``a`` present, ``a is x`` makes ``a`` present.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from converter.platforms.panther.importing.python.facts import decided, needed_anyway
from converter.platforms.panther.importing.python.holding import Holding
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    TRUE,
    Both,
    Either,
    Facts,
    Formula,
    Leaf,
    Negation,
    Present,
    Some,
    facts_of,
    opposite,
    size,
)
from converter.platforms.panther.importing.python.shapes import Steps

_MOST = 3000
_MOST_REMEMBERED = 1 << 15
_NOTHING: Final = Holding()


class TooLargeError(ValueError):
    """A formula grew beyond what anybody would read."""


class _Effort:
    """How much work the formulas of one reading may make: simplifications, and processor time in seconds."""

    def __init__(self) -> None:
        self.left = 0
        self.deadline = 0.0

    def spend(self) -> None:
        """One more simplification. Raises TooLargeError when there were too many."""
        self.left -= 1
        if self.left < 0 or (self.left % 128 == 0 and time.process_time() > self.deadline):
            raise TooLargeError("the condition takes more work than any rule needs")


_EFFORT: Final = threading.local()


def allow_effort(simplifications: int, seconds: float) -> None:
    """Begin a reading, with so much work for its formulas."""
    effort = _Effort()
    effort.left, effort.deadline = simplifications, time.process_time() + seconds
    _EFFORT.current = effort


def _spend() -> None:
    effort = getattr(_EFFORT, "current", None)
    if effort is not None:
        effort.spend()


def both(*terms: Formula) -> Formula:
    """Every term holds, simplified."""
    flat: dict[Formula, None] = {}
    _flatten(terms, flat)
    return _remembered(tuple(flat))


def either(*terms: Formula) -> Formula:
    """Some term holds, simplified. Alternatives that ask the same of the same subject become one question."""
    return opposite(both(*map(opposite, _united(terms))))


_SIMPLE: Final[dict[tuple[Formula, ...], Formula]] = {}
"""Conjunctions, as far as they were simplified; the same ones are made again and again."""


def _remembered(terms: tuple[Formula, ...]) -> Formula:
    """A conjunction by itself. What comes out of it, and the opposite of that, are as simple as they get."""
    if len(terms) == 1 and not isinstance(terms[0], (Either, Some, Negation)):
        return terms[0]
    if terms not in _SIMPLE:
        found = _conjunction(terms, _NOTHING)
        if len(_SIMPLE) > _MOST_REMEMBERED:
            _SIMPLE.clear()
        for simple in (found, opposite(found)):
            _SIMPLE[simple.terms if isinstance(simple, Both) else (simple,)] = simple
        _SIMPLE[terms] = found
    return _SIMPLE[terms]


def _united(terms: tuple[Formula, ...]) -> tuple[Formula, ...]:
    """Alternatives that differ only in the operands of one question become one."""
    found: dict[object, Formula] = {}
    for term in _flat(terms):
        question, rest = _question(term)
        if question is None:
            found.setdefault(term, term)
            continue
        asked = question.predicate
        key = (rest, question.variable, asked.subject, asked.operator, asked.functions, asked.ignore_case)
        known, _ = _question(found[key]) if key in found else (None, None)
        if known is None:
            found[key] = term
            continue
        values = {(type(value), value): value for value in (*known.predicate.values, *asked.values)}
        merged = Leaf(question.variable, msgspec.structs.replace(asked, values=tuple(values.values())))
        parts = term.terms if isinstance(term, Both) else (term,)
        kept = tuple(merged if part is question else part for part in parts)
        found[key] = Both(kept) if isinstance(term, Both) else merged
    return tuple(found.values())


def _flat(terms: Iterable[Formula]) -> Iterator[Formula]:
    for term in terms:
        if isinstance(term, Either):
            yield from _flat(term.terms)
        else:
            yield term


def _question(term: Formula) -> tuple[Leaf | None, tuple[Formula, ...]]:
    """A question with operands, and what must hold beside it."""
    parts = term.terms if isinstance(term, Both) else (term,)
    asking = [part for part in parts if isinstance(part, Leaf) and part.predicate.values]
    if len(asking) != 1 or asking[0].predicate.all_of:
        return None, ()
    return asking[0], tuple(part for part in parts if part is not asking[0])


def under(formula: Formula, facts: Facts) -> Formula:
    """The formula where the facts hold anyway."""
    return within(formula, Holding(None, facts))


def within(formula: Formula, around: Holding) -> Formula:
    """The formula where what holds around it holds anyway."""
    if around.has(formula):
        return TRUE
    if not around.matter(formula):
        return formula
    match formula:
        case Both(terms):
            return FALSE if around.contradict(terms) else _conjunction(terms, around)
        case Either(terms):
            opposites = tuple(map(opposite, terms))
            return TRUE if around.contradict(opposites) else opposite(_conjunction(opposites, around))
        case Negation(term):
            return opposite(within(term, around))
        case Some(variable, source, steps, term):
            known = decided(formula, around)
            if known is not None:
                return TRUE if known else FALSE
            return some(variable, source, steps, within(term, around))
        case _:
            known = decided(formula, around)
            return formula if known is None else TRUE if known else FALSE


def some(variable: int, source: int, steps: Steps, term: Formula) -> Formula:
    """Some element of a list makes the term hold; where there is an element, there is the list."""
    term = under(term, frozenset({Present(source, steps)}))
    if term == FALSE:
        return FALSE
    if isinstance(term, Either):
        return either(*(some(variable, source, steps, each) for each in term.terms))
    return Some(variable, source, steps, term)


def _conjunction(terms: Iterable[Formula], around: Holding) -> Formula:
    flat: dict[Formula, None] = {}
    _flatten(terms, flat)
    _spend()
    for _ in range(4):
        before = tuple(flat)
        simple = _conjunction_once(before, around)
        if simple is None:
            return FALSE
        if tuple(simple) == before:
            break
        flat = {}
        _flatten(simple, flat)
    kept = _factored(tuple(flat))
    if len(kept) == 1:
        return kept[0]
    found = Both(kept)
    if len(kept) > 64 and size(found) > _MOST:
        raise TooLargeError("the condition grows beyond any size that can be read")
    return found


def _flatten(terms: Iterable[Formula], flat: dict[Formula, None]) -> None:
    for term in terms:
        if isinstance(term, Both):
            _flatten(term.terms, flat)
        else:
            flat.setdefault(term)


def _conjunction_once(terms: tuple[Formula, ...], around: Holding) -> list[Formula] | None:
    """Each term under what the others say; None: they cannot all hold."""
    if FALSE in terms:
        return None
    literals = [term for term in terms if type(term) is not Either]
    others = Holding(around, literals)
    kept: list[Formula] = []
    for literal in literals:
        if not others.matter(literal):
            kept.append(literal)
            continue
        others.discard(literal)
        simple = within(literal, others)
        if simple == FALSE:
            return None
        if simple != TRUE:
            kept.append(simple)
            if not isinstance(simple, (Both, Either)):
                others.add(simple)
    clauses = [term for term in terms if type(term) is Either]
    for clause in clauses:
        others.add(clause)
    done: dict[Formula, Formula] = {}
    for clause in clauses:
        done[clause] = clause
        if not others.matter(clause):
            continue
        others.discard(clause)
        done[clause] = simple = within(clause, others)
        if simple == FALSE:
            return None
        for fact in facts_of(simple):
            others.add(fact)
    kept = [each for each in kept if not needed_anyway(each, done.values())]
    known = set(kept)
    found = [done.get(term, term) for term in terms if term in done or term in known]
    asked = set(terms)
    found.extend(each for each in kept if each not in asked)
    return _absorbed([each for each in found if each != TRUE])


def _absorbed(terms: list[Formula]) -> list[Formula]:
    """Without the clauses that another clause's alternatives are all among: (A or B) and (A or B or C)."""
    clauses = [(each, frozenset(each.terms)) for each in terms if isinstance(each, Either)]
    if len(clauses) < 2:
        return terms
    gone = {
        wide
        for wide, wide_set in clauses
        for narrow, narrow_set in clauses
        if narrow is not wide and narrow_set < wide_set
    }
    return [each for each in terms if each not in gone]


def _factored(terms: tuple[Formula, ...]) -> tuple[Formula, ...]:
    """(A or X) and (A or Y) is A or (X and Y); with X the opposite of Y it is A."""
    clauses = [each for each in terms if isinstance(each, Either)]
    if len(clauses) < 2:
        return terms
    for index, first in enumerate(clauses):
        for second in clauses[index + 1 :]:
            common = [each for each in first.terms if each in set(second.terms)]
            if not common:
                continue
            left = tuple(each for each in first.terms if each not in common)
            right = tuple(each for each in second.terms if each not in common)
            rest = _conjunction((_one_of(left), _one_of(right)), _NOTHING)
            joined = rest if not common else _one_of((*common, *_alternatives(rest)))
            others = tuple(joined if each is first else each for each in terms if each is not second)
            flat: dict[Formula, None] = {}
            _flatten(others, flat)
            return _factored(tuple(flat))
    return terms


def _alternatives(formula: Formula) -> tuple[Formula, ...]:
    return formula.terms if isinstance(formula, Either) else (formula,)


def _one_of(terms: tuple[Formula, ...]) -> Formula:
    return terms[0] if len(terms) == 1 else Either(terms)
