"""Which rules of a collection ask the same of an event, and which ask for less than another one does.

One rule implies another when every event that it matches is matched by the other, in every log source that
it reads. That is proved by showing that no event satisfies the one and not the other; where the search for
such an event is inconclusive, the implication is tested on the events made from both rules, and says so.
Only pairs that agree on an event of the first rule are looked at, found by an index over fields and values.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from converter.check.constraints.answers import Found, Impossible
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.vectors import FieldLookup, deciding_events, field_lookup
from converter.evaluate import Condition, compile_expression
from converter.evaluate.values import number_of, text_of
from converter.events.records import log_events, packs_of
from converter.logsources.pack import Pack
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    fields_of,
)
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Rule

Token: TypeAlias = tuple[tuple[str, ...], str | None]
"""A field, by its keys, and one of its values as text in lower case; None: any value."""

_MOST_TRIED = 200
"""So many made events are tried of each rule of a pair."""
_MOST_WITNESSES = 4


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """Two rules, by position. ``same``: they match the same events; otherwise what ``first`` matches, the
    ``second`` matches too. ``proved``, or tested on so many ``events`` that the first matches. ``apart``: in
    what else they differ: threshold, new_terms.
    """

    first: int
    second: int
    same: bool
    proved: bool
    events: int = 0
    apart: tuple[str, ...] = ()


class Overlaps(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, by positions among the rules. Of implications the direct ones alone are listed, and for
    rules that are the same those of the first of them. ``never``: rules that are proved to match nothing;
    ``sequences``: left out, as they ask about several events; ``unknown``: no event was found for them.
    """

    relations: tuple[Relation, ...]
    never: tuple[int, ...] = ()
    sequences: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


def overlaps(rules: Sequence[Rule], packs: Mapping[str, Pack]) -> Overlaps:
    """Compare all rules with one another. Raises RuleError for a log source that no pack describes."""
    return _Comparison(rules, packs).run()


class _Asked(msgspec.Struct, frozen=True):
    """A condition on some log sources, the rules that have it, and events that satisfy it."""

    condition: Expression
    sources: frozenset[str]
    holds: Condition
    members: list[int]
    witnesses: list[JsonObject]


class _Comparison:
    def __init__(self, rules: Sequence[Rule], packs: Mapping[str, Pack]) -> None:
        self._rules, self._packs = rules, packs
        self._lookups: dict[str, FieldLookup] = {}
        self._solvers: dict[str, EventSolver] = {}
        self._never: list[int] = []
        self._unknown: list[int] = []

    def run(self) -> Overlaps:
        sequences = [i for i, rule in enumerate(self._rules) if rule.sequence is not None]
        asked = list(self._gathered())
        index = _Index(one.condition for one in asked)
        implied: dict[int, dict[int, int | None]] = defaultdict(dict)
        for number, one in enumerate(asked):
            for other in index.candidates(one.witnesses[0]):
                if other != number:
                    tested = self._implies(one, asked[other])
                    if tested is not False:
                        implied[number][other] = None if tested is True else tested
        return Overlaps(
            relations=tuple(self._relations(asked, implied)),
            never=tuple(self._never),
            sequences=tuple(sequences),
            unknown=tuple(self._unknown),
        )

    # -- what is asked

    def _gathered(self) -> Iterator[_Asked]:
        """The different conditions, each with an event at least."""
        by_form: dict[Any, list[int]] = defaultdict(list)
        for number, rule in enumerate(self._rules):
            if rule.sequence is None:
                packs_of(rule, self._packs)
                by_form[arranged(rule.condition), frozenset(rule.logsource)].append(number)
        for (condition, sources), members in by_form.items():
            one = _Asked(condition, sources, compile_expression(condition), members, [])
            if self._find_witnesses(one):
                yield one

    def _find_witnesses(self, one: _Asked) -> bool:
        """Find events that satisfy a condition: constructed, and of the rules' tests; whether there are."""
        answers = [self._solver(name).solve([Goal(one.condition, True)]) for name in sorted(one.sources)]
        if all(isinstance(answer, Impossible) for answer in answers):
            self._never += one.members
            return False
        made = [answer.value for answer in answers if isinstance(answer, Found)]
        events = itertools.chain(made, self._test_events(one.members))
        one.witnesses.extend(itertools.islice(filter(one.holds, events), _MOST_WITNESSES))
        if not one.witnesses:
            self._unknown += one.members
        return bool(one.witnesses)

    def _test_events(self, members: Iterable[int]) -> Iterator[JsonObject]:
        for number in members:
            rule = self._rules[number]
            packs = packs_of(rule, self._packs)
            for test in rule.tests:
                yield from (event.data for event in log_events(test.events, packs, trusted=True))

    def _made(self, one: _Asked) -> Iterator[JsonObject]:
        """Events in which one predicate after the other decides."""
        lookup = self._lookup(min(one.sources))
        return itertools.islice(deciding_events(one.condition, one.witnesses[:1], lookup), _MOST_TRIED)

    def _lookup(self, name: str) -> FieldLookup:
        if name not in self._lookups:
            self._lookups[name] = field_lookup(self._packs[name])
        return self._lookups[name]

    def _solver(self, name: str) -> EventSolver:
        if name not in self._solvers:
            self._solvers[name] = EventSolver(self._lookup(name))
        return self._solvers[name]

    # -- what follows

    def _implies(self, one: _Asked, other: _Asked) -> bool | int:
        """Whether one condition implies another: proved, refuted, or tested on so many events."""
        if not one.sources <= other.sources or not all(map(other.holds, one.witnesses)):
            return False
        proved = True
        for name in sorted(one.sources):
            answer = self._solver(name).solve([Goal(one.condition, True), Goal(other.condition, False)])
            if isinstance(answer, Found):
                return False
            proved = proved and isinstance(answer, Impossible)
        return proved or self._tested(one, other)

    def _tested(self, one: _Asked, other: _Asked) -> bool | int:
        """On how many made events the implication was seen to hold; False where it does not."""
        count = 0
        for event in itertools.chain(one.witnesses, other.witnesses, self._made(one), self._made(other)):
            if one.holds(event):
                count += 1
                if not other.holds(event):
                    return False
        return count

    # -- what is told

    def _relations(
        self, asked: Sequence[_Asked], implied: Mapping[int, Mapping[int, int | None]]
    ) -> Iterator[Relation]:
        """Rules of one condition, then conditions that imply each other, then the direct implications."""
        for one in asked:
            for member in one.members[1:]:
                yield self._relation(one.members[0], member, same=True, tested=None)
        first = {number: number for number in range(len(asked))}
        for number in sorted(implied):
            for other, tested in implied[number].items():
                back = implied.get(other, {})
                if number < other and number in back:
                    first[other] = min(first[other], first[number])
                    both = [n for n in (tested, back[number]) if n is not None]
                    yield self._relation(
                        asked[number].members[0],
                        asked[other].members[0],
                        same=True,
                        tested=min(both, default=None),
                    )
        above = {
            number: {first[o]: tested for o, tested in others.items() if first[o] != first[number]}
            for number, others in implied.items()
            if first[number] == number
        }
        for number, others in sorted(above.items()):
            beyond = {far for near in others for far in above.get(near, ())}
            for other, tested in others.items():
                if other not in beyond:
                    yield self._relation(
                        asked[number].members[0], asked[other].members[0], same=False, tested=tested
                    )

    def _relation(self, first: int, second: int, *, same: bool, tested: int | None) -> Relation:
        one, other = self._rules[first], self._rules[second]
        apart = [name for name in ("threshold", "new_terms") if getattr(one, name) != getattr(other, name)]
        return Relation(
            first=first,
            second=second,
            same=same,
            proved=tested is None,
            events=tested or 0,
            apart=tuple(apart),
        )


def arranged(expression: Expression) -> Expression:
    """The same condition, its terms and operands in one order and each once."""
    match expression:
        case All(terms):
            return All(tuple(sorted({arranged(term) for term in terms}, key=repr)))
        case AnyOf(terms):
            return AnyOf(tuple(sorted({arranged(term) for term in terms}, key=repr)))
        case Not(term):
            return Not(arranged(term))
        case ForSome(path, term):
            return ForSome(path, arranged(term))
        case Predicate(values=values):
            return msgspec.structs.replace(expression, values=tuple(sorted(values, key=repr)))


class _Index:
    """Conditions by what an event must hold for them to be satisfied."""

    def __init__(self, conditions: Iterable[Expression]) -> None:
        self._by_token: dict[Token, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for number, condition in enumerate(conditions):
            clauses = list(_clauses(condition, ()))
            if not clauses:
                self._always.append(number)
                continue
            for token in min(clauses, key=_breadth):
                self._by_token[token].append(number)

    def candidates(self, event: JsonObject) -> list[int]:
        """The conditions that the event may satisfy."""
        found = set(self._always)
        for token in set(_tokens(event, ())):
            found.update(self._by_token.get(token, ()))
        return sorted(found)


def _clauses(expression: Expression, prefix: tuple[str, ...]) -> Iterator[frozenset[Token]]:
    """Sets of tokens, of each of which a satisfying event holds one at least."""
    match expression:
        case All(terms):
            for term in terms:
                yield from _clauses(term, prefix)
        case AnyOf(terms):
            best = [min(_clauses(term, prefix), key=_breadth, default=None) for term in terms]
            if all(clause is not None for clause in best):
                yield frozenset().union(*(clause for clause in best if clause is not None))
        case ForSome(path, term):
            below = _keys(prefix, path)
            yield frozenset({(below, None)})
            yield from _clauses(term, below)
        case Predicate(subject=FieldPath() as path, operator=Operator.IS, values=values, functions=()):
            yield frozenset((_keys(prefix, path), _folded(value)) for value in values)
        case Predicate(subject=subject):
            for path in fields_of(subject):
                yield frozenset({(_keys(prefix, path), None)})


def _keys(prefix: tuple[str, ...], path: FieldPath) -> tuple[str, ...]:
    """The keys from the event to what stands at a path below some keys."""
    return path.keys if path.rooted else (*prefix, *path.keys)


def _breadth(clause: frozenset[Token]) -> tuple[int, int]:
    """How little a clause says: tokens of any value count for more than any number of single values."""
    return sum(value is None for _, value in clause), len(clause)


def _tokens(node: Any, keys: tuple[str, ...]) -> Iterator[Token]:
    """Everything that an event holds."""
    if isinstance(node, dict):
        if keys:
            yield keys, None
        for key, inner in node.items():
            yield from _tokens(inner, (*keys, key))
    elif isinstance(node, list):
        for inner in node:
            yield from _tokens(inner, keys)
    elif node is not None:
        yield keys, None
        yield keys, _folded(node)


def _folded(value: Any) -> str:
    """A value as text, so that values which ``is`` may take for equal have one text."""
    number = number_of(value)
    return text_of(value if number is None else number).lower()
