"""The tables of a rule: what it looks for and what it leaves out, one row a field and kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from converter.catalog.keys import Key, any_case, field_names, keys_of, subject_text
from converter.evaluate.values import text_of
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    Reference,
    Scalar,
    all_of,
    changes_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Step


class Value(msgspec.Struct, frozen=True):
    """One operand: as the rule writes it, and the key by which it is counted."""

    text: str
    key: Key


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The operands that a rule asks of one subject with one operator.

    ``field``: the subject as the rule writes it; ``fields``: the names by which the fields in it are counted.
    ``step``: which step of a sequence (from 0). ``any_case``: letters agree in any case. ``all_of``: each
    value must be there, not just any. ``alone``: the row decides by itself: as an indicator it must hold, as
    an exclusion it suppresses; otherwise it is part of a larger condition. ``negated``: within that condition
    it is asked that this does not hold.
    """

    field: str
    fields: tuple[str, ...]
    kind: str
    values: tuple[Value, ...]
    any_case: bool = False
    all_of: bool = False
    alone: bool = False
    negated: bool = False
    step: int = 0


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Every predicate of a rule, each in one of the three tables.

    ``indicators``: what must or may be seen. ``exclusions``: the top-level negations, each a group of rows
    that suppress together. ``inner``: what must not be seen for one alternative to hold, which suppresses
    nothing by itself.
    """

    indicators: tuple[Row, ...] = ()
    exclusions: tuple[tuple[Row, ...], ...] = ()
    inner: tuple[Row, ...] = ()


def tables_of(rule: Rule) -> Tables:
    """The tables of a rule, its steps' one after the other, an absent step's condition as an exclusion."""
    rows: list[Row] = []
    alone: list[Row] = []
    together: list[tuple[Row, ...]] = []
    for number, step in enumerate(rule.steps):
        wanted, unwanted = ([], [step.condition]) if step.absent else _parted(step)
        for term in wanted:
            rows.extend(_merged(_rows(term, number, isinstance(term, Predicate))))
        for term in unwanted:
            if isinstance(term, Predicate):
                alone.extend(_rows(term, number, alone=True))
            else:
                together.append(tuple(_rows(term, number)))
    return Tables(
        indicators=tuple(row for row in rows if not row.negated),
        exclusions=(*((row,) for row in _merged(alone)), *filter(None, together)),
        inner=tuple(row for row in rows if row.negated),
    )


def _parted(step: Step) -> tuple[list[Expression], list[Expression]]:
    """What must hold, and what must not: the terms of the step's conjunction, by the sign before them.

    Alternatives that are all negations are the negation of what they negate together.
    """
    whole = step.condition
    wanted: list[Expression] = []
    unwanted: list[Expression] = []
    for term in whole.terms if isinstance(whole, All) else (whole,):
        if isinstance(term, AnyOf) and term.terms and all(isinstance(t, Not) for t in term.terms):
            unwanted.append(all_of(*(negated(t) for t in term.terms)))
        elif not isinstance(term, Not):
            wanted.append(term)
        elif isinstance(term.term, AnyOf):
            unwanted.extend(term.term.terms)
        else:
            unwanted.append(term.term)
    return wanted, unwanted


def _rows(
    expression: Expression,
    step: int,
    alone: bool = False,
    negated: bool = False,
    base: FieldPath | None = None,
) -> Iterator[Row]:
    """A row for every predicate, left to right."""
    match expression:
        case Predicate():
            yield msgspec.structs.replace(_row(expression, base), step=step, alone=alone, negated=negated)
        case Not(term):
            yield from _rows(term, step, alone, not negated, base)
        case ForSome(path, term):
            whole = path if base is None else base.joined(path)
            inner = whole if whole.steps[-1] is None else FieldPath((*whole.steps, None))
            yield from _rows(term, step, alone, negated, inner)
        case All(terms) | AnyOf(terms):
            for term in terms:
                yield from _rows(term, step, alone, negated, base)


def _row(predicate: Predicate, base: FieldPath | None) -> Row:
    def name(path: FieldPath) -> str:
        return str(path if base is None else base.joined(path))

    def shown(value: Scalar | Reference) -> str:
        return subject_text(*changes_of(value), name) if isinstance(value, Reference) else text_of(value)

    texts = [shown(value) for value in predicate.values] or [""]
    pairs = zip(texts, keys_of(predicate, base), strict=True)
    return Row(
        field=subject_text(predicate.subject, predicate.functions, name),
        fields=field_names(predicate.subject, base),
        kind=str(predicate.operator),
        values=tuple(Value(text, key) for text, key in pairs),
        any_case=any_case(predicate),
        all_of=predicate.all_of and len(texts) > 1,
    )


def _merged(rows: Iterable[Row]) -> list[Row]:
    """Rows that differ in their values alone made one, in the order of the first; each value once."""
    found: dict[Row, dict[Value, None]] = {}
    merged: list[Row] = []
    for row in rows:
        if row.all_of:
            merged.append(row)
            continue
        bare = msgspec.structs.replace(row, values=())
        if bare not in found:
            found[bare] = {}
            merged.append(bare)
        found[bare].update(dict.fromkeys(row.values))
    return [row if row.values else msgspec.structs.replace(row, values=tuple(found[row])) for row in merged]
