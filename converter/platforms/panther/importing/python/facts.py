"""What facts say about an atom: a present ``a.b`` makes ``a`` present, ``a is x`` makes ``a`` present."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from converter.evaluate.values import text_of
from converter.model.expressions import (
    Operator,
    Predicate,
    Reference,
    Scalar,
    fields_asked,
    fields_of,
)
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.holding import Holding
from converter.platforms.panther.importing.python.nodes import (
    Atom,
    Both,
    Either,
    Formula,
    Leaf,
    Negation,
    Null,
    Present,
    Some,
    facts_of,
    placed,
    renamed,
)
from converter.platforms.panther.importing.python.shapes import Steps


def needed_anyway(literal: Formula, clauses: Iterable[Formula]) -> bool:
    """Whether every alternative of some clause needs the value that the literal says is present."""
    match literal:
        case Present(variable, steps):
            return any(
                isinstance(clause, Either)
                and all(
                    any(
                        shows(fact, variable, steps)
                        for fact in facts_of(term)
                        if not isinstance(fact, Both | Either)
                    )
                    for term in clause.terms
                )
                for clause in clauses
            )
        case _:
            return False


# -- what facts say about an atom


def decided(atom: Atom, around: Holding) -> bool | None:
    """Whether the atom holds where the facts do; None: they leave it open."""
    if around.has(atom):
        return True
    if around.has(Negation(atom)):
        return False
    return next((known for fact in around.about(atom) if (known := _by_fact(atom, fact)) is not None), None)


@lru_cache(maxsize=1 << 16)
def _by_fact(atom: Atom, fact: Atom | Negation) -> bool | None:
    match atom:
        case Some(_, source, steps) if _lacks(fact, source, steps):
            return False
        case Some() if isinstance(fact, Some):
            return True if _includes(fact, atom) else None
        case Present(variable, steps):
            if shows(fact, variable, steps):
                return True
            return False if _lacks(fact, variable, steps, hollow=True) else None
        case Null(variable, steps):
            if shows(fact, variable, steps) or _lacks(fact, variable, steps[:-1], hollow=True):
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
    if any(_lacks(fact, *place) for place in _places(variable, predicate)):
        return False
    positive = fact.term if isinstance(fact, Negation) else fact
    if isinstance(fact, Some) and predicate.operator is Operator.EXISTS and not predicate.functions:
        return True if _places(variable, predicate) == ((fact.source, fact.steps),) else None
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
            return (
                True
                if any(_shown(place, variable, subject.steps) for place in _places(variable, other))
                else None
            )
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


def _operand(value: Scalar | Reference) -> str | Reference:
    return value if isinstance(value, Reference) else text_of(value)


def _plain(subject: object) -> bool:
    return isinstance(subject, FieldPath) and all(isinstance(step, str) for step in subject.steps)


def _places(variable: int, predicate: Predicate) -> tuple[tuple[int, Steps], ...]:
    """Where a predicate about a variable needs values, each place with what it starts at."""
    paths = fields_of(predicate.subject) if len(predicate.values) > 1 else fields_asked(predicate)
    return tuple(placed(variable, path) for path in paths)


def _shown(place: tuple[int, Steps], variable: int, steps: Steps) -> bool:
    return place[0] == variable and _begins(place[1], steps)


def shows(fact: Atom | Negation, variable: int, steps: Steps) -> bool:
    """Whether a fact needs a value at the path."""
    match fact:
        case Present(other, path):
            return other == variable and _begins(path, steps)
        case Null(other, path):
            return other == variable and path != steps and _begins(path, steps)
        case Leaf(other, predicate):
            return any(_shown(place, variable, steps) for place in _places(other, predicate))
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
