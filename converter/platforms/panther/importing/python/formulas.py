"""Formulas: when something is so, while a detection is being read.

They are finer than canonical expressions: a key may be missing, null or present (:class:`Present`,
:class:`Null`), elements of lists are variables (0 is the event itself), and what could not be read is an
:class:`Unknown`. Formulas are kept in negation normal form and simplified as they are made, by what the facts
that hold beside a part say about it: a present ``a.b`` makes ``a`` present, ``a is x`` makes ``a`` present.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from converter.evaluate.values import text_of
from converter.model.expressions import Expression, Operator, Predicate, Scalar, fields_of
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.shapes import Steps


class Leaf(msgspec.Struct, frozen=True, cache_hash=True):
    """A canonical predicate whose paths start at an object: the event (0) or the element of a list.

    ``kinds`` are its operands' types, so that a question about 1 is not taken for one about true.
    """

    variable: int
    predicate: Predicate
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = tuple(type(value).__name__ for value in self.predicate.values)
        msgspec.structs.force_setattr(self, "kinds", kinds)


class Present(msgspec.Struct, frozen=True, cache_hash=True):
    """There is a value at the path that is not null; an empty list is one."""

    variable: int
    steps: Steps


class Null(msgspec.Struct, frozen=True, cache_hash=True):
    """There is a null at the path."""

    variable: int
    steps: Steps


class Unknown(msgspec.Struct, frozen=True, cache_hash=True):
    """The truth of something that could not be read: the residue of this number, at one of its uses."""

    number: int
    use: int


class Some(msgspec.Struct, frozen=True, cache_hash=True):
    """Some element, called ``variable`` in ``term``, of the list at a path of another variable."""

    variable: int
    source: int
    steps: Steps
    term: Formula


class Told(msgspec.Struct, frozen=True, cache_hash=True):
    """A canonical expression whose paths start at a variable; what :class:`Some` becomes in the end."""

    variable: int
    expression: Expression


class Negation(msgspec.Struct, frozen=True, cache_hash=True):
    """Not an atom, or not some element."""

    term: Atom


class Both(msgspec.Struct, frozen=True, cache_hash=True):
    """Every term holds."""

    terms: tuple[Formula, ...]


class Either(msgspec.Struct, frozen=True, cache_hash=True):
    """Some term holds."""

    terms: tuple[Formula, ...]


Atom: TypeAlias = Leaf | Present | Null | Unknown | Some | Told
Formula: TypeAlias = Atom | Negation | Both | Either
Facts: TypeAlias = frozenset["Formula"]

TRUE: Final = Both(())
FALSE: Final = Either(())
_MOST = 3000


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


def opposite(formula: Formula) -> Formula:
    """The formula does not hold."""
    match formula:
        case Both(terms):
            return Either(tuple(map(opposite, terms)))
        case Either(terms):
            return Both(tuple(map(opposite, terms)))
        case Negation(term):
            return term
        case _:
            return Negation(formula)


def both(*terms: Formula) -> Formula:
    """Every term holds, simplified."""
    return _remembered(terms)


def either(*terms: Formula) -> Formula:
    """Some term holds, simplified. Alternatives that ask the same of the same subject become one question."""
    terms = _united(terms)
    return opposite(_remembered(tuple(map(opposite, terms))))


@lru_cache(maxsize=8192)
def _remembered(terms: tuple[Formula, ...]) -> Formula:
    """A conjunction by itself; the same ones are made again and again."""
    return _conjunction(terms, frozenset())


def _united(terms: tuple[Formula, ...]) -> tuple[Formula, ...]:
    found: dict[object, Formula] = {}
    for term in terms:
        key: object = term
        if isinstance(term, Leaf) and term.predicate.values and not term.predicate.all_of:
            asked = term.predicate
            key = (term.variable, asked.subject, asked.operator, asked.functions, asked.ignore_case)
            known = found.get(key)
            if isinstance(known, Leaf):
                values = {(type(value), value): value for value in (*known.predicate.values, *asked.values)}
                both_asked = msgspec.structs.replace(asked, values=tuple(values.values()))
                found[key] = Leaf(term.variable, both_asked)
                continue
        found.setdefault(key, term)
    return tuple(found.values())


def under(formula: Formula, facts: Facts) -> Formula:
    """The formula where the facts hold anyway."""
    if formula in facts:
        return TRUE
    match formula:
        case Both(terms):
            if _contradicted(terms, facts):
                return FALSE
            return _conjunction(terms, facts)
        case Either(terms):
            opposites = tuple(map(opposite, terms))
            return TRUE if _contradicted(opposites, facts) else opposite(_conjunction(opposites, facts))
        case Negation(term):
            return opposite(under(term, facts))
        case Some(variable, source, steps, term):
            known = _decided(formula, facts)
            if known is not None:
                return TRUE if known else FALSE
            inner = under(term, facts)
            return some(variable, source, steps, inner)
        case _:
            known = _decided(formula, facts)
            return formula if known is None else TRUE if known else FALSE


def _contradicted(terms: tuple[Formula, ...], facts: Facts) -> bool:
    """Whether a fact says that some of the terms does not hold, all of which should."""
    wanted = set(terms)
    return any(
        isinstance(fact, Either) and all(opposite(each) in wanted for each in fact.terms) for fact in facts
    )


def some(variable: int, source: int, steps: Steps, term: Formula) -> Formula:
    """Some element of a list makes the term hold; where there is an element, there is the list."""
    term = under(term, frozenset({Present(source, steps)}))
    if term == FALSE:
        return FALSE
    if isinstance(term, Either):
        return either(*(some(variable, source, steps, each) for each in term.terms))
    return Some(variable, source, steps, term)


def facts_of(formula: Formula) -> Facts:
    """The literals that hold whenever the formula does."""
    match formula:
        case Both(terms):
            return frozenset(each for term in terms for each in facts_of(term))
        case _:
            return frozenset({formula})


def atoms(formula: Formula) -> Iterator[Atom]:
    """Every atom, those below :class:`Some` included."""
    match formula:
        case Both(terms) | Either(terms):
            for term in terms:
                yield from atoms(term)
        case Negation(term):
            yield from atoms(term)
        case Some(_, _, _, term):
            yield formula
            yield from atoms(term)
        case _:
            yield formula


def renamed(formula: Formula, old: int, new: int) -> Formula:
    """The formula about another variable."""
    match formula:
        case Both(terms):
            return Both(tuple(renamed(term, old, new) for term in terms))
        case Either(terms):
            return Either(tuple(renamed(term, old, new) for term in terms))
        case Negation(term):
            return opposite(renamed(term, old, new))
        case Leaf(variable, predicate) if variable == old:
            return Leaf(new, predicate)
        case Present(variable, steps) if variable == old:
            return Present(new, steps)
        case Null(variable, steps) if variable == old:
            return Null(new, steps)
        case Some(variable, source, steps, term):
            return Some(variable, new if source == old else source, steps, renamed(term, old, new))
        case _:
            return formula


def speaks_of(formula: Formula, variables: Set[int]) -> bool:
    """Whether the formula asks anything of one of these variables."""
    for atom in atoms(formula):
        match atom:
            case Leaf(variable) | Present(variable) | Null(variable) | Told(variable) | Some(_, variable):
                if variable in variables:
                    return True
    return False


def size(formula: Formula) -> int:
    """How many atoms the formula has."""
    return sum(1 for _ in atoms(formula))


def _conjunction(terms: Iterable[Formula], facts: Facts) -> Formula:
    flat: dict[Formula, None] = {}
    _flatten(terms, flat)
    _spend()
    for _ in range(4):
        before = tuple(flat)
        simple = _conjunction_once(before, facts)
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


def _conjunction_once(terms: tuple[Formula, ...], facts: Facts) -> list[Formula] | None:
    """Each term under what the others say; None: they cannot all hold."""
    literals = [term for term in terms if not isinstance(term, Either)]
    kept: list[Atom | Negation] = []
    for index, literal in enumerate(literals):
        others = facts.union(kept, literals[index + 1 :])
        simple = under(literal, others)
        if simple == FALSE:
            return None
        if simple != TRUE:
            kept.append(simple)  # type: ignore[arg-type]
    known = facts.union(each for each in kept if not isinstance(each, (Both, Either)))
    clauses = [term for term in terms if isinstance(term, Either)]
    done: dict[Formula, Formula] = {clause: clause for clause in clauses}
    for clause in clauses:
        beside = [each for other, each in done.items() if other is not clause and isinstance(each, Either)]
        simple = under(clause, known.union(beside))
        if simple == FALSE:
            return None
        done[clause] = simple
    kept = [each for each in kept if not _needed_anyway(each, done.values())]
    literal_set = set(kept)
    found: list[Formula] = []
    for term in terms:
        if isinstance(term, Either):
            if done[term] != TRUE:
                found.append(done[term])
        elif term in literal_set:
            found.append(term)
    found.extend(each for each in kept if each not in set(terms))
    return _absorbed(found)


def _needed_anyway(literal: Atom | Negation, clauses: Iterable[Formula]) -> bool:
    """Whether every alternative of some clause needs the value that the literal says is present."""
    match literal:
        case Present(variable, steps):
            return any(
                isinstance(clause, Either)
                and all(
                    any(
                        _shows(fact, variable, steps)
                        for fact in facts_of(term)
                        if not isinstance(fact, Both | Either)
                    )
                    for term in clause.terms
                )
                for clause in clauses
            )
        case _:
            return False


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
            rest = _conjunction((_one_of(left), _one_of(right)), frozenset())
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


# -- what facts say about an atom


def _decided(atom: Atom, facts: Facts) -> bool | None:
    if atom in facts:
        return True
    if Negation(atom) in facts:
        return False
    for fact in facts:
        if isinstance(fact, (Both, Either)):
            continue
        known = _by_fact(atom, fact)
        if known is not None:
            return known
    return None


def _by_fact(atom: Atom, fact: Atom | Negation) -> bool | None:
    match atom:
        case Some(_, source, steps) if _lacks(fact, source, steps):
            return False
        case Some() if isinstance(fact, Some):
            return True if _includes(fact, atom) else None
        case Present(variable, steps):
            if _shows(fact, variable, steps):
                return True
            return False if _lacks(fact, variable, steps, hollow=True) else None
        case Null(variable, steps):
            if _shows(fact, variable, steps) or _lacks(fact, variable, steps[:-1], hollow=True):
                return False
            return None
        case Leaf(variable, predicate):
            return _leaf_by_fact(atom, variable, predicate, fact)
        case _:
            return None


def _includes(fact: Some, asked: Some) -> bool:
    """Whether an element that makes one term hold makes another hold too."""
    if (fact.source, fact.steps) != (asked.source, asked.steps):
        return False
    wanted = renamed(asked.term, asked.variable, fact.variable)
    parts = wanted.terms if isinstance(wanted, Both) else (wanted,)
    given = facts_of(fact.term)
    return all(part in given for part in parts)


def _leaf_by_fact(atom: Leaf, variable: int, predicate: Predicate, fact: Atom | Negation) -> bool | None:
    if any(_lacks(fact, variable, path.steps) for path in _paths(predicate)):
        return False
    positive = fact.term if isinstance(fact, Negation) else fact
    if isinstance(fact, Some) and predicate.operator is Operator.EXISTS and not predicate.functions:
        return True if _paths(predicate) == (FieldPath(fact.steps),) and fact.source == variable else None
    if not isinstance(positive, Leaf) or positive.variable != variable:
        return None
    holds = positive is fact
    other = positive.predicate
    if (
        predicate.operator is Operator.EXISTS
        and holds
        and other.functions[: len(predicate.functions)] == (predicate.functions)
    ):
        subject = predicate.subject
        if other.subject == subject:
            return True
        if isinstance(subject, FieldPath) and not predicate.functions:
            return True if any(_begins(path.steps, subject.steps) for path in _paths(other)) else None
        return None
    if (other.subject, other.functions) != (predicate.subject, predicate.functions):
        return None
    if other.operator is not predicate.operator or predicate.all_of or other.all_of or not other.values:
        return False if _excluded(predicate, other, holds) else None
    return _same_question(predicate, other, holds)


def _same_question(asked: Predicate, known: Predicate, holds: bool) -> bool | None:
    """What a question with some operands says about the same with others."""
    if asked.ignore_case != known.ignore_case:
        return None
    wanted, given = set(map(_operand, asked.values)), set(map(_operand, known.values))
    if holds:
        if given <= wanted:
            return True
        apart = asked.operator is Operator.IS and not given & wanted and _plain(asked.subject)
        return False if apart else None
    return False if wanted <= given else None


def _excluded(asked: Predicate, known: Predicate, holds: bool) -> bool:
    """A field without any value answers no question; ``not exists`` of a changed value is such a fact."""
    return not holds and known.operator is Operator.EXISTS and asked.operator is not Operator.EXISTS


def _operand(value: Scalar | FieldPath) -> str:
    return str(value) if isinstance(value, FieldPath) else text_of(value)


def _plain(subject: object) -> bool:
    return isinstance(subject, FieldPath) and all(isinstance(step, str) for step in subject.steps)


def _paths(predicate: Predicate) -> tuple[FieldPath, ...]:
    others = tuple(value for value in predicate.values if isinstance(value, FieldPath))
    return (*fields_of(predicate.subject), *(others if len(others) == 1 else ()))


def _shows(fact: Atom | Negation, variable: int, steps: Steps) -> bool:
    """Whether a fact needs a value at the path."""
    match fact:
        case Present(other, path):
            return other == variable and _begins(path, steps)
        case Null(other, path):
            return other == variable and path != steps and _begins(path, steps)
        case Leaf(other, predicate):
            return other == variable and any(_begins(p.steps, steps) for p in _paths(predicate))
        case Some(_, source, path, _):
            return source == variable and _begins(path, steps)
        case _:
            return False


def _lacks(fact: Atom | Negation, variable: int, steps: Steps, hollow: bool = False) -> bool:
    """Whether a fact leaves no value at the path; ``hollow``: and no empty list or object either."""
    match fact:
        case Negation(Present(other, path)) | Null(other, path):
            return other == variable and _begins(steps, path)
        case Negation(Leaf(other, Predicate(FieldPath(path), Operator.EXISTS, _, _, _, ()))) if not hollow:
            return other == variable and _begins(steps, path)
        case _:
            return False


def _begins(steps: Steps, prefix: Steps) -> bool:
    return steps[: len(prefix)] == prefix
