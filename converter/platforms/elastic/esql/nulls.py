"""Whether a value is null."""

from __future__ import annotations

from converter.model.expressions import TRUE, Expression, Not, all_of, any_of
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Bucket,
    Constant,
    Count,
    Derived,
    Duration,
    Extreme,
    Joined,
    Labels,
    Lapse,
    Located,
    Measured,
    Now,
    Occurrences,
    Parts,
    Quotient,
    Replaced,
    Scaled,
    Term,
    Tick,
    Time,
    Unknown,
    UnreadableError,
    Value,
    Values,
    group_present,
    has_value,
    present,
    some_row,
)
from converter.platforms.elastic.esql.derived import exists


def is_null(value: Value) -> Expression:
    """``value IS NULL``."""
    return Not(any_of(*(all_of(guard, _atom_present(atom)) for guard, atom in value))) if value else TRUE


def _atom_present(atom: Atom) -> Expression:
    match atom:
        case Constant():
            return TRUE
        case Term():
            return present(atom) if atom.collapsed else has_value(atom)
        case Joined(term, rows=rows) if rows is not None:
            return some_row(all_of(rows, has_value(term)))
        case Extreme(term) | Joined(term) | Count(term):
            return has_value(term)
        case Scaled(term) | Parts(term) | Replaced(term) | Occurrences(term):
            return present(term)
        case Derived():
            return exists(atom)
        case Located(within, text):
            there = _atom_present(within) if isinstance(within, Derived) else present(within)
            return all_of(there, present(text)) if isinstance(text, Term) else there
        case Bucket() | Now() | Tick() | Duration():
            return TRUE
        case Measured() | Quotient() | Time() | Lapse() | Values() | Labels():
            return group_present(atom)
        case Unknown(reason):
            raise UnreadableError(reason)
