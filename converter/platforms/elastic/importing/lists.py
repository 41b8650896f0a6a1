"""Fields that must be lists: Elasticsearch has no lists of its own, so that a query does not say which are.

Every field may hold several values there, and ``a:x and a:y`` asks two of them at once. A canonical path says
whether it is a list where its log source does not (docs/logsources.md, "What is stored").
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from converter.logsources.lookup import known
from converter.logsources.pack import Pack
from converter.model.expressions import All, AnyOf, Expression, Operator, Predicate, absolute_fields, mapped
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Step


def with_lists(rule: Rule, packs: Sequence[Pack]) -> Rule:
    """The rule over canonical names, with ``[]`` behind the undeclared fields that must hold several values:
    those of which two different ones are asked at once, and those asked for one by its number.
    """
    if rule.sequence is None:
        return msgspec.structs.replace(rule, **_listed(rule, packs))
    steps = tuple(msgspec.structs.replace(step, **_listed(step, packs)) for step in rule.sequence.steps)
    return msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, steps=steps))


def _listed(part: Rule | Step, packs: Sequence[Pack]) -> dict[str, tuple[Expression, ...]]:
    """The conditions of a rule or step, changed."""
    asked = itertools.chain(_at_once(part.condition), _numbered(part.condition))
    several = {path for path in asked if not _is_declared(path, packs)}

    def listed(predicate: Predicate) -> Predicate:
        subject = predicate.subject
        if not isinstance(subject, FieldPath) or subject not in several:
            return predicate
        return msgspec.structs.replace(predicate, subject=FieldPath((*subject.steps, None)))

    return {
        "indicators": tuple(mapped(term, listed) for term in part.indicators),
        "exclusions": tuple(mapped(term, listed) for term in part.exclusions),
    }


def _numbered(condition: Expression) -> Iterator[FieldPath]:
    """The paths of which a value is asked for by its number."""
    for path in absolute_fields(condition):
        if isinstance(path.steps[-1], int):
            yield FieldPath(path.steps[:-1])


def _at_once(expression: Expression) -> Iterator[FieldPath]:
    """The paths of which two values are asked for at once; what stands below a ``not`` asks for none."""
    match expression:
        case All(terms):
            asked: dict[FieldPath, dict[frozenset[str], None]] = {}
            for term in terms:
                if isinstance(term, Predicate) and term.operator is Operator.IS and not term.functions:
                    if isinstance(term.subject, FieldPath):
                        values = frozenset(str(value).lower() for value in term.values)
                        asked.setdefault(term.subject, {})[values] = None
                else:
                    yield from _at_once(term)
            yield from (path for path, values in asked.items() if _some_apart(tuple(values)))
        case AnyOf(terms):
            for term in terms:
                yield from _at_once(term)


def _some_apart(values: Sequence[frozenset[str]]) -> bool:
    """Whether some two of these questions about one field cannot be answered by one value."""
    if frozenset.intersection(*values):
        return False
    return any(one.isdisjoint(other) for one, other in itertools.combinations(values, 2))


def _is_declared(path: FieldPath, packs: Sequence[Pack]) -> bool:
    finds = [known(pack, path) for pack in packs]
    return any(find is not None and not find.rest for find in finds)
