"""Group keys of STATS that are no plain fields: choices between fields, functions of fields, and texts.

Source, in Elasticsearch's ES|QL reference: STATS (null is a group of its own; a row whose key has several
values counts in several groups).
"""

from __future__ import annotations

import msgspec

from converter.evaluate.values import text_of
from converter.model.expressions import TRUE, All, Concat, Expression, all_of, fields_of, negated
from converter.model.rule import Alternative, Choice
from converter.platforms.elastic.esql.atoms import Atom, Constant, Term, Value, exists, has_value, present


def choice_of(value: Value) -> Choice | None:
    """The key as the first of its alternatives whose conditions hold; None where it is anything else.

    The last one needs no condition that it has a value: without one, the key has none.
    """
    found: list[Alternative] = []
    earlier: set[Expression] = set()
    for position, (guard, atom) in enumerate(value):
        alternative = _alternative(atom)
        there = _there(atom)
        if alternative is None or there is None:
            return None
        when = [term for term in _terms(guard) if term not in earlier]
        if not all(_rules_out(other, when) for other, _ in value[position + 1 :]):
            when.extend(_terms(there))
        earlier.update(_terms(negated(all_of(*when))))
        found.append(msgspec.structs.replace(alternative, when=tuple(dict.fromkeys(when))))
    return Choice(tuple(found)) if found else None


def has_always(choice: Choice) -> bool:
    """Whether every row has such a key, as its shape shows: it is a text where nothing else is, and each
    field among the others is asked to be there.
    """
    return not choice.alternatives[-1].when and all(map(_has_value, choice.alternatives))


def _has_value(alternative: Alternative) -> bool:
    """Whether the alternative has a value wherever its conditions hold, as its shape shows."""
    subject = alternative.subject
    if isinstance(subject, Concat):
        return not any(fields_of(subject))
    return not alternative.functions and exists(subject) in alternative.when


def _rules_out(guard: Expression, when: list[Expression]) -> bool:
    """Whether what ``guard`` asks for never holds beside all of ``when``, as its shape shows."""
    return negated(all_of(*when)) in _terms(guard)


def _terms(condition: Expression) -> tuple[Expression, ...]:
    return condition.terms if isinstance(condition, All) else (condition,)


def _alternative(atom: Atom) -> Alternative | None:
    match atom:
        case Constant(bool() | int() | str() as value):
            return Alternative(subject=Concat((text_of(value),)))
        case Term(subject, functions, many=many, collapsed=collapsed, converted=False):
            return None if many and collapsed else Alternative(subject=subject, functions=functions)
    return None


def _there(atom: Atom) -> Expression | None:
    match atom:
        case Constant():
            return TRUE
        case Term():
            return present(atom) if atom.collapsed else has_value(atom)
    return None
