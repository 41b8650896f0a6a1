"""What holds around a part of a formula, kept so that what matters for an atom is found without a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from converter.platforms.panther.importing.python.nodes import (
    TRUE,
    Atom,
    Both,
    Either,
    Formula,
    Negation,
    facts_of,
    opposite,
    own_subjects,
    subjects,
)

Subject = tuple[int, object]


class Holding:
    """Facts: literals, and clauses some alternative of which holds; on top of those of an ``outer`` one."""

    __slots__ = ("_about", "_clauses", "_facts", "_inner", "_outer", "simplified")

    def __init__(self, outer: Holding | None = None, facts: Iterable[Formula] = ()) -> None:
        self._outer: Holding | None = outer if outer is None or outer._facts else outer._outer
        self._facts: set[Formula] = set()
        self._about: dict[Subject, dict[Formula, None]] = {}
        """The facts by what they are about; subjects without any are not kept."""
        self._clauses: dict[Formula, dict[Either, frozenset[Formula]]] = {}
        """By the opposite of one alternative, the opposites of all: what denies them all is impossible."""
        self._inner: dict[Formula, Holding] = {}
        self.simplified: dict[Formula, Formula] = {}
        """What formulas are within these facts, as far as that was asked while they did not change."""
        for fact in facts:
            self.add(fact)

    def __bool__(self) -> bool:
        return bool(self._facts or self._outer)

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
        for subject in subjects(fact):
            self._about.setdefault(subject, {})[fact] = None
        if type(fact) is Either and fact.terms:
            opposites = frozenset(map(opposite, fact.terms))
            self._clauses.setdefault(opposite(fact.terms[0]), {})[fact] = opposites

    def discard(self, fact: Formula) -> None:
        """One fact less, if it was one of those on top."""
        if fact not in self._facts:
            return
        self._facts.discard(fact)
        for subject in subjects(fact):
            about = self._about[subject]
            del about[fact]
            if not about:
                del self._about[subject]
        if type(fact) is Either and fact.terms:
            del self._clauses[opposite(fact.terms[0])][fact]

    def has(self, fact: Formula) -> bool:
        """Whether it is one of the facts."""
        here: Holding | None = self
        while here is not None:
            if fact in here._facts:
                return True
            here = here._outer
        return False

    def matter(self, formula: Formula) -> bool:
        """Whether some fact has a subject in common with the formula; itself on top does not count."""
        asked = subjects(formula)
        for subject in asked:
            about = self._about.get(subject)
            if about is not None and (len(about) > 1 or formula not in about):
                return True
        here = self._outer
        while here is not None:
            for subject in asked:
                if subject in here._about:
                    return True
            here = here._outer
        return False

    def about(self, atom: Atom) -> Iterator[Atom | Negation]:
        """The literals that may say something about an atom."""
        asked = own_subjects(atom)
        here: Holding | None = self
        while here is not None:
            for subject in asked:
                for fact in here._about.get(subject, ()):
                    if not isinstance(fact, (Both, Either)):
                        yield fact
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
