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
_EXTENSION = 250
_EXTENSION_SECONDS = 0.04
_NOTHING: Final = Holding()


class TooLargeError(ValueError):
    """A formula grew beyond what anybody would read."""


class _Effort:
    """How much work the formulas of one reading may make: simplifications, and processor time in seconds."""

    def __init__(self, simplifications: int, seconds: float, extensions: int) -> None:
        self._left = simplifications
        self._deadline = time.process_time() + seconds
        self._extensions = extensions

    def spend(self) -> None:
        """One more simplification. Raises TooLargeError when there were too many."""
        self._left -= 1
        if self._left < 0 or (self._left % 64 == 0 and time.process_time() > self._deadline):
            raise TooLargeError("it takes more work than any rule needs")

    def extend(self) -> bool:
        """A little more, for a reading that gave something up; False: that was done often enough."""
        if self._extensions:
            self._extensions -= 1
            self._left = _EXTENSION
            self._deadline = time.process_time() + _EXTENSION_SECONDS
            return True
        return False


_EFFORT: Final = threading.local()


def allow_effort(simplifications: int, seconds: float, extensions: int = 0) -> None:
    """Begin a reading, with so much work for its formulas. ``extensions``: how often it may go on beyond
    that, each time a little, without what took so long.
    """
    _EFFORT.current = _Effort(simplifications, seconds, extensions)


def extend_effort() -> bool:
    """Whether the reading may go on without what took too much work."""
    effort = getattr(_EFFORT, "current", None)
    return effort is not None and effort.extend()


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
    found: dict[Formula, int] = {}
    asked: dict[object, tuple[Formula, Leaf]] = {}
    for term in _flat(terms):
        if term in found:
            continue
        same = next(((part, *asked[key]) for part, key in _questions(term) if key in asked), None)
        united = term
        if same is not None:
            part, known, question = same
            united = _with_operands(known, question, part)
            place = found.pop(known)
            found.setdefault(united, place)
            asked = {key: each for key, each in asked.items() if each[0] is not known}
        found.setdefault(united, len(found))
        asked |= {key: (united, part) for part, key in _questions(united)}
    return tuple(sorted(found, key=found.__getitem__))


def _flat(terms: Iterable[Formula]) -> Iterator[Formula]:
    for term in terms:
        if isinstance(term, Either):
            yield from _flat(term.terms)
        else:
            yield term


def _questions(term: Formula) -> Iterator[tuple[Leaf, object]]:
    """The questions with operands in a term, each with what is the same where only those differ."""
    parts = term.terms if isinstance(term, Both) else (term,)
    for part in parts:
        if isinstance(part, Leaf) and part.predicate.values and not part.predicate.all_of:
            beside = frozenset(each for each in parts if each is not part)
            yield part, (beside, _asked(part))


def _asked(leaf: Leaf) -> tuple[object, ...]:
    asked = leaf.predicate
    return leaf.variable, asked.subject, asked.operator, asked.functions, asked.ignore_case


def _with_operands(term: Formula, question: Leaf, more: Leaf) -> Formula:
    """A term with the operands of another question in one of its own."""
    given = (*question.predicate.values, *more.predicate.values)
    values = tuple({(type(value), value): value for value in given}.values())
    asked = Leaf(question.variable, msgspec.structs.replace(question.predicate, values=values))
    if not isinstance(term, Both):
        return asked
    return Both(tuple(asked if part is question else part for part in term.terms))


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
