"""Texts made of a field's value: which functions make them, and what a condition on them asks of the field.

Sources, in Elasticsearch's ES|QL reference: LEFT, RIGHT, SUBSTRING (positions from 1, or from the end if
negative), REPLACE (Java regular expression), URL_DECODE (null for a text that is not encoded so).
"""

from __future__ import annotations

from typing import Final

import msgspec

from converter.model.expressions import FALSE, Expression, Operator, Predicate, all_of, negated
from converter.model.regex import (
    Anchor,
    AnchorKind,
    AnyChar,
    CharClass,
    Literal,
    Node,
    RegexError,
    Repeat,
    as_literal,
    parse,
    render,
)
from converter.model.regex.analysis import bare
from converter.model.regex.classes import members, normal, of_characters
from converter.model.regex.nodes import ANY_TEXT, concat
from converter.platforms.elastic.esql import wildcards
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Derived,
    Replaced,
    Term,
    UnreadableError,
    has_value,
    single,
)
from converter.platforms.elastic.esql.cuts import Section
from converter.platforms.elastic.esql.operands import Family
from converter.platforms.elastic.esql.steps import Decoded, Folded, Step, StepError, Swapped
from converter.platforms.three_valued import Truth

_START: Final = Anchor(AnchorKind.TEXT_START)
_END: Final = Anchor(AnchorKind.TEXT_END)
_TEXT_FAMILIES: Final = (Family.TEXT, None)


def made(atom: Atom, step: Step) -> Derived | None:
    """The atom with one more step; None where it is no text of one value."""
    match atom:
        case Derived() | Replaced():
            text = texts(atom)
            return text and msgspec.structs.replace(text, steps=(*text.steps, step))
        case Term(family=family, converted=False) as term if family in _TEXT_FAMILIES and not term.many:
            return Derived(term, (step,))
    return None


def texts(atom: Atom) -> Derived | None:
    """The atom as a text that was made of another one, if it is that."""
    match atom:
        case Derived():
            return atom
        case Replaced(term, step=first, removed=False, measured=False) if first is not None and not term.many:
            return Derived(term, (first,))
    return None


def swapped(pattern: str, mark: str) -> Swapped | None:
    """What REPLACE does whose pattern is one character, or where it takes away any number of such."""
    if len(mark) > 1 or mark in ("\\", "$"):
        return None
    try:
        node = bare(parse(pattern, "pcre"))
    except RegexError:
        return None
    if not mark and isinstance(node, Repeat) and node.maximum is None and node.minimum <= 1:
        node = bare(node.node)
    match node:
        case Literal(text, False) if len(text) == 1:
            return Swapped(of_characters(text), mark)
        case CharClass() if (found := members(node)) is not None:
            return Swapped(normal(found), mark)
    return None


def section(name: str, atoms: tuple[Atom, ...]) -> Derived | None:
    """LEFT, RIGHT and SUBSTRING of a text with constant positions."""
    match name, atoms:
        case "LEFT", (text, Constant(int() as size)) if size > 0:
            return made(text, Section(size))
        case "RIGHT", (text, Constant(int() as size)) if size > 0:
            return made(text, Section(size, last=True))
        case "SUBSTRING", (text, Constant(int() as start)) if start < 0:
            return made(text, Section(-start, last=True))
        case "SUBSTRING", (text, Constant(int() as start)):
            return made(text, Section(None, max(start - 1, 0)))
        case "SUBSTRING", (text, Constant(int() as start), Constant(int() as size)) if (
            start >= 0 and size > 0
        ):
            return made(text, Section(size, max(start - 1, 0)))
    return None


def folded(derived: Derived, upper: bool) -> Derived:
    """In lower or upper case."""
    return msgspec.structs.replace(derived, steps=(*derived.steps, Folded(upper)))


def decoded(atoms: tuple[Atom, ...]) -> Derived | None:
    """URL_DECODE."""
    return made(atoms[0], Decoded()) if len(atoms) == 1 else None


# -- conditions


def fits(derived: Derived, asked: Node) -> Truth:
    """The whole text fits the pattern; null where there is none."""
    return Truth(
        all_of(single(derived.term), asks(derived, asked)),
        all_of(exists(derived), negated(asks(derived, asked))),
    )


def exists(derived: Derived) -> Expression:
    """There is such a text."""
    return all_of(single(derived.term), asks(derived, ANY_TEXT))


def asks(derived: Derived, asked: Node) -> Expression:
    """The text made of the field's value fits the pattern as a whole. Raises UnreadableError."""
    found: Node | None = asked
    try:
        for step in reversed(derived.steps):
            if found is None:
                return FALSE
            found = step.pulled(found)
    except StepError as error:
        raise UnreadableError(str(error)) from None
    return FALSE if found is None else _whole(derived.term, found)


def _whole(term: Term, node: Node) -> Expression:
    """The field's value fits the pattern as a whole."""
    if node == ANY_TEXT:
        return has_value(term)
    tree = concat((_START, node, _END))
    plain = as_literal(tree)
    if plain is not None:
        return Predicate(term.subject, plain[0], (plain[1],), functions=term.functions)
    try:
        text = render(_searched(node), "re2")
    except RegexError as error:
        raise UnreadableError(str(error)) from None
    return Predicate(term.subject, Operator.REGEX, (text,), functions=term.functions)


def _searched(node: Node) -> Node:
    """The pattern for a search: any text at an end needs not be said."""
    parts = list(node.parts) if hasattr(node, "parts") else [node]
    start, end = parts[0] == ANY_TEXT, parts[-1] == ANY_TEXT
    kept = parts[start : len(parts) - end]
    return concat([*([] if start else [_START]), *kept, *([] if end else [_END])])


def like_pattern(pieces: tuple[wildcards.Token, ...]) -> Node:
    """A LIKE pattern as a regular expression of the whole text."""
    wild: dict[str, Node] = {wildcards.ANY: ANY_TEXT, wildcards.ONE: AnyChar(newline=True)}
    return concat(wild[text] if is_wild else Literal(text) for text, is_wild in pieces)


def rlike_pattern(node: Node) -> Node:
    """A pattern of Lucene, which reads as one between two anchors, without them."""
    parts = node.parts if hasattr(node, "parts") else (node,)
    return concat(part for part in parts if part not in (_START, _END))


AFFIXES: Final = {
    Operator.STARTS_WITH: lambda text: concat((Literal(text), ANY_TEXT)),
    Operator.ENDS_WITH: lambda text: concat((ANY_TEXT, Literal(text))),
    Operator.CONTAINS: lambda text: concat((ANY_TEXT, Literal(text), ANY_TEXT)),
}
"""Operator → the pattern of a whole text that satisfies it."""
