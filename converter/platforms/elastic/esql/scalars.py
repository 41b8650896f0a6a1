"""Functions of ES|QL: from the values of their arguments to a value. One entry per function.

Sources: the functions' own pages in Elasticsearch's ES|QL reference. What is not here reads as
:class:`~converter.platforms.elastic.esql.atoms.Unknown`, and hurts only where a condition looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

import msgspec

from converter.evaluate.values import text_of
from converter.model.expressions import (
    TRUE,
    Concat,
    Expression,
    Function,
    FunctionName,
    Reference,
    all_of,
    reference,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Count,
    Derived,
    Extreme,
    Joined,
    Located,
    Measured,
    Parts,
    Replaced,
    Term,
    Tick,
    Time,
    Unknown,
    Value,
    Values,
    always,
    has_value,
    number_of_values,
)
from converter.platforms.elastic.esql.derived import decoded, folded, made, section, swapped, texts
from converter.platforms.elastic.esql.operands import BASENAME_PATTERN, Family

Rewrite: TypeAlias = Callable[[tuple[Atom, ...]], Atom]


def applied(name: str, arguments: tuple[Value, ...]) -> Value:
    """``name(arguments)``: the function of every combination of the arguments' alternatives."""
    rewrite = FUNCTIONS.get(name)
    if rewrite is None:
        return always(Unknown(f"the function {name}"))
    rows: list[tuple[Expression, tuple[Atom, ...]]] = [(TRUE, ())]
    for argument in arguments:
        rows = [(all_of(row, guard), (*atoms, atom)) for row, atoms in rows for guard, atom in argument]
    return tuple((guard, rewrite(atoms)) for guard, atoms in rows)


def _unknown(name: str) -> Unknown:
    return Unknown(f"{name} of these arguments")


def _first_unknown(atoms: tuple[Atom, ...], name: str) -> Unknown:
    return next((atom for atom in atoms if isinstance(atom, Unknown)), _unknown(name))


def _of_text(name: FunctionName, fold: Callable[[str], str | int], collapses: bool) -> Rewrite:
    """A function of one text: constants are worked out, a term remembers it."""

    def rewrite(atoms: tuple[Atom, ...]) -> Atom:
        match atoms:
            case (Constant(str() as text),):
                return Constant(fold(text))
            case (Replaced(measured=False) as replaced,) if name is FunctionName.LENGTH:
                return msgspec.structs.replace(replaced, measured=True)
            case (Derived() | Replaced() as atom,) if (source := texts(atom)) and name in _CASES:
                return folded(source, name is FunctionName.UPPER)
            case (Term() as term,):
                family = Family.NUMBER if name is FunctionName.LENGTH else Family.TEXT
                return _with(term, Function(name), family, collapses)
        return _first_unknown(atoms, name)

    return rewrite


_CASES = (FunctionName.LOWER, FunctionName.UPPER)


def _with(term: Term, function: Function, family: Family, collapses: bool = True) -> Term:
    return msgspec.structs.replace(
        term,
        functions=(*term.functions, function),
        family=family,
        collapsed=term.collapsed or collapses,
    )


def _to_string(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Constant(bool() | int() | str() as value),):
            return Constant(text_of(value))
        case (Term() as term,) if term.family not in (Family.DATE,):
            return msgspec.structs.replace(term, family=Family.TEXT)
        case (Derived() as derived,):
            return derived
    return _first_unknown(atoms, "TO_STRING")


def _converting(family: Family, name: str) -> Rewrite:
    def rewrite(atoms: tuple[Atom, ...]) -> Atom:
        match atoms:
            case (Constant(int() | float()) as constant,) if family is Family.NUMBER:
                return constant
            case (Constant(str()) as constant,) if family is not Family.NUMBER:
                return constant
            case (Measured() as measured,) if family is Family.NUMBER:
                return msgspec.structs.replace(measured, whole=False)
            case (Term() as term,) if term.family is family:
                return term
            case (Term() as term,):
                return msgspec.structs.replace(term, family=family, converted=True)
        return _first_unknown(atoms, name)

    return rewrite


def _to_integer(atoms: tuple[Atom, ...]) -> Atom:
    """TO_LONG and TO_INTEGER round, so of a field that is no number by type nothing exact can be said.

    A time is its milliseconds since 1970.
    """
    match atoms:
        case (Time() | Tick() | Measured(whole=True) as atom,):
            return atom
        case (Term(family=Family.NUMBER) as term,):
            return term
        case (Constant(int()) as constant,):
            return constant
    return _first_unknown(atoms, "TO_LONG")


def _concat(atoms: tuple[Atom, ...]) -> Atom:
    joined = [atom for atom in atoms if isinstance(atom, Joined)]
    if len(joined) == 1 and not joined[0].before and not joined[0].after:
        mark = Constant(joined[0].separator)
        position = atoms.index(joined[0])
        before, after = atoms[:position], atoms[position + 1 :]
        if before in ((), (mark,)) and after in ((), (mark,)):
            return msgspec.structs.replace(joined[0], before=bool(before), after=bool(after))
    constants = [atom.value for atom in atoms if isinstance(atom, Constant) and isinstance(atom.value, str)]
    if len(constants) == len(atoms):
        return Constant("".join(constants))
    parts: list[Reference | str] = []
    many = False
    for atom in atoms:
        match atom:
            case Constant(str() as text):
                parts.append(text)
            case Term(FieldPath() as path, functions, many=is_many, converted=False):
                parts.append(reference(path, functions))
                many = many or is_many
            case _:
                return _first_unknown(atoms, "CONCAT")
    return Term(Concat(tuple(parts)), family=Family.TEXT, many=many, collapsed=True)


def _split(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Term() as term, Constant(str() as separator)) if len(separator.encode()) == 1:
            return Parts(msgspec.structs.replace(term, collapsed=True), separator)
    return _first_unknown(atoms, "SPLIT")


def _part(parts: Parts, index: int) -> Term:
    return _with(parts.term, Function(FunctionName.SPLIT, parts.separator, index), Family.TEXT)


def _mv_slice(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Parts() as parts, Constant(int() as index)):
            return _part(parts, index)
        case (Parts() as parts, Constant(int() as index), Constant(int() as end)) if index == end:
            return _part(parts, index)
    return _first_unknown(atoms, "MV_SLICE")


def _at_end(index: int, name: str) -> Rewrite:
    def rewrite(atoms: tuple[Atom, ...]) -> Atom:
        match atoms:
            case (Parts() as parts,):
                return _part(parts, index)
            case (Term(many=False) as term,):
                return term
        return _first_unknown(atoms, f"{name} (the order of stored values is undefined)")

    return rewrite


def _extreme(highest: bool) -> Rewrite:
    def rewrite(atoms: tuple[Atom, ...]) -> Atom:
        match atoms:
            case (Term(many=False) as term,):
                return term
            case (Term() as term,):
                return Extreme(term, highest)
        return _first_unknown(atoms, "MV_MAX or MV_MIN")

    return rewrite


def _mv_concat(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Term(collapsed=False) as term, Constant(str() as separator)) if separator:
            return Joined(term, separator)
        case (Values(term, where), Constant(str() as separator)) if separator:
            return Joined(term, separator, rows=where)
    return _first_unknown(atoms, "MV_CONCAT")


def _mv_count(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Values() as values,) if (number := number_of_values(values)) is not None:
            return Measured(number, present=all_of(values.where, has_value(values.term)))
        case (Term(FieldPath(), collapsed=False) as term,):
            return Count(term)
    return _first_unknown(atoms, "MV_COUNT")


def _same(atoms: tuple[Atom, ...]) -> Atom:
    return atoms[0] if atoms else _unknown("MV_DEDUPE")


def _replace(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Term() as term, Constant(str() as pattern), Constant("")) if pattern == BASENAME_PATTERN:
            return _with(term, Function(FunctionName.BASENAME), Family.TEXT)
        case (Term() as term, Constant(str() as pattern), Constant(str() as mark)) if len(mark) == 1:
            found = java_pattern(pattern, mark)
            if found is not None:
                one = msgspec.structs.replace(term, collapsed=True)
                return Replaced(one, found, mark, step=swapped(pattern, mark))
        case (Replaced(removed=False, measured=False) as replaced, Constant(mark), Constant("")):
            if mark == replaced.mark:
                return msgspec.structs.replace(replaced, removed=True)
    match atoms:
        case (text, Constant(str() as pattern), Constant(str() as mark)):
            step = swapped(pattern, mark)
            derived = made(text, step) if step is not None else None
            if derived is not None:
                return derived
    return _first_unknown(atoms, "REPLACE")


def _locate(atoms: tuple[Atom, ...]) -> Atom:
    match atoms:
        case (Term(many=False) | Derived() as within, Constant(str() as text)) if text:
            return Located(within, text)
        case (Term(many=False) as within, Term(many=False) as text):
            return Located(within, text)
    return _first_unknown(atoms, "LOCATE")


def _derived(name: str, make: Callable[[tuple[Atom, ...]], Derived | None]) -> Rewrite:
    return lambda atoms: make(atoms) or _first_unknown(atoms, name)


def java_pattern(pattern: str, mark: str) -> str | None:
    """A pattern of Java, or the mark itself, as RE2 writes it; None for what that cannot say.

    A possessive repeat of letters or digits is a greedy one where no letter or digit can follow. The mark
    must be no character of the pattern.
    """
    plain = _POSSESSIVE.sub(r"\1\2", pattern)
    if mark in pattern or mark.isalnum() or mark in _SPECIAL:
        return None
    try:
        return f"(?:{render(parse(plain, 'pcre'), 're2')})|{mark}"
    except RegexError:
        return None


_POSSESSIVE = re.compile(r"(\\[wd])([+*]|\{\d+,?\d*\})\+(?=[^\w\\(\[.|)?*+{]|\\[^\w])")
_SPECIAL = frozenset("\\^$.|?*+()[]{}")


FUNCTIONS: dict[str, Rewrite] = {
    "TO_LOWER": _of_text(FunctionName.LOWER, str.lower, False),
    "TO_UPPER": _of_text(FunctionName.UPPER, str.upper, False),
    "TRIM": _of_text(FunctionName.TRIM, str.strip, True),
    "LENGTH": _of_text(FunctionName.LENGTH, len, True),
    "TO_STRING": _to_string,
    "TO_DOUBLE": _converting(Family.NUMBER, "TO_DOUBLE"),
    "TO_LONG": _to_integer,
    "TO_INTEGER": _to_integer,
    "TO_IP": _converting(Family.IP, "TO_IP"),
    "TO_DATETIME": _converting(Family.DATE, "TO_DATETIME"),
    "CONCAT": _concat,
    "SPLIT": _split,
    "REPLACE": _replace,
    "LEFT": _derived("LEFT", partial(section, "LEFT")),
    "RIGHT": _derived("RIGHT", partial(section, "RIGHT")),
    "SUBSTRING": _derived("SUBSTRING", partial(section, "SUBSTRING")),
    "URL_DECODE": _derived("URL_DECODE", decoded),
    "LOCATE": _locate,
    "MV_SLICE": _mv_slice,
    "MV_FIRST": _at_end(0, "MV_FIRST"),
    "MV_LAST": _at_end(-1, "MV_LAST"),
    "MV_MAX": _extreme(True),
    "MV_MIN": _extreme(False),
    "MV_CONCAT": _mv_concat,
    "MV_COUNT": _mv_count,
    "MV_DEDUPE": _same,
}
"""Function name → what it makes of atoms. The names with a truth value are in conditions.py."""

_UNITS = {
    "second": 1,
    "sec": 1,
    "s": 1,
    "minute": 60,
    "min": 60,
    "m": 60,
    "hour": 3600,
    "h": 3600,
    "day": 86_400,
    "d": 86_400,
    "week": 604_800,
    "w": 604_800,
}


_AMOUNT: Final = re.compile(r"[0-9]{1,18}")


def span_of(node: tree.Node) -> timedelta | None:
    """``5 minutes``, or the same as text, where it is of one length."""
    if isinstance(node, tree.Literal) and isinstance(node.value, str):
        amount, _, name = node.value.strip().partition(" ")
        node = tree.Timespan(int(amount), name.strip().lower()) if _AMOUNT.fullmatch(amount) else node
    if not isinstance(node, tree.Timespan):
        return None
    milliseconds = node.unit in ("millisecond", "milliseconds", "ms")
    seconds = _UNITS.get(node.unit) or _UNITS.get(node.unit.removesuffix("s"))
    try:
        if milliseconds:
            return timedelta(milliseconds=node.amount)
        return timedelta(seconds=node.amount * seconds) if seconds else None
    except OverflowError:
        return None
