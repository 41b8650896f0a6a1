"""What holds around a part of a formula, kept so that what matters for an atom is found without a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from converter.platforms.panther.importing.python.nodes import (
    TRUE,
    Atom,
    Both,
    Either,
    Formula,
    Negation,
    Subjects,
    facts_of,
    opposite,
    own_subjects,
    subjects,
)


class Holding:
    """Facts: literals, and clauses some alternative of which holds; on top of those of an ``outer`` one."""

    def __init__(self, outer: Holding | None = None, facts: Iterable[Formula] = ()) -> None:
        self._outer = outer
        self._facts: set[Formula] = set()
        self._literals: dict[tuple[int, object], dict[Atom | Negation, None]] = {}
        self._clauses: dict[Formula, dict[Either, frozenset[Formula]]] = {}
        """By the opposite of one alternative, the opposites of all: what denies them all is impossible."""
        self._asked: Counter[tuple[int, object]] = Counter()
        """How many facts are about each subject."""
        self._inner: dict[Formula, Holding] = {}
        self.simplified: dict[Formula, Formula] = {}
        """What formulas are within these facts, as far as that was asked while they did not change."""
        for fact in facts:
            self.add(fact)

    def __bool__(self) -> bool:
        return bool(self._facts) or bool(self._outer)

    def with_facts_of(self, formula: Formula) -> Holding:
        """These facts, and those of a formula: the same object for the same formula."""
        if formula not in self._inner:
            self._inner[formula] = Holding(self, facts_of(formula)) if formula != TRUE else self
        return self._inner[formula]

    def add(self, fact: Formula) -> None:
        """One more fact; a conjunction is none, its terms are."""
        if fact in self._facts:
            return
        self._facts.add(fact)
        self._asked.update(subjects(fact))
        if isinstance(fact, Either):
            opposites = frozenset(map(opposite, fact.terms))
            if fact.terms:
                self._clauses.setdefault(opposite(fact.terms[0]), {})[fact] = opposites
        elif not isinstance(fact, Both):
            for subject in _about(fact):
                self._literals.setdefault(subject, {})[fact] = None

    def discard(self, fact: Formula) -> None:
        """One fact less, if it was one of those on top."""
        if fact not in self._facts:
            return
        self._facts.discard(fact)
        self._asked.subtract(subjects(fact))
        if isinstance(fact, Either):
            if fact.terms:
                self._clauses[opposite(fact.terms[0])].pop(fact)
        elif not isinstance(fact, Both):
            for subject in _about(fact):
                self._literals[subject].pop(fact)

    def has(self, fact: Formula) -> bool:
        """Whether it is one of the facts."""
        here: Holding | None = self
        while here is not None:
            if fact in here._facts:
                return True
            here = here._outer
        return False

    def matter(self, formula: Formula) -> bool:
        """Whether some fact has a subject in common with the formula."""
        asked = subjects(formula)
        here: Holding | None = self
        while here is not None:
            if any(here._asked.get(subject) for subject in asked):
                return True
            here = here._outer
        return False

    def about(self, atom: Atom) -> Iterator[Atom | Negation]:
        """The literals that may say something about an atom."""
        asked = own_subjects(atom)
        here: Holding | None = self
        while here is not None:
            for subject in asked:
                yield from here._literals.get(subject, ())
            here = here._outer

    def contradict(self, terms: tuple[Formula, ...]) -> bool:
        """Whether the facts say that some of the terms does not hold, all of which should."""
        wanted = frozenset(terms)
        here: Holding | None = self
        while here is not None:
            for term in terms if here._clauses else ():
                if any(opposites <= wanted for opposites in here._clauses.get(term, {}).values()):
                    return True
            here = here._outer
        return False


def _about(fact: Atom | Negation) -> Subjects:
    return own_subjects(fact.term if isinstance(fact, Negation) else fact)
