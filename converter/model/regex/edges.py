"""From a search with anchors to whole texts without: what Lucene needs.

A node is split into forms by what its matches ask of the text around them: nothing, to begin at its start,
to finish at its end, to lie at a word boundary. Forms of a row combine so that an end of text in the middle
stays possible only if nothing stands on its far side, and a word boundary in the middle if the characters
on its two sides make one. The rest is joined with any text on the free sides.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from itertools import groupby

from converter.model.regex.analysis import anchored, nullable, search_core
from converter.model.regex.classes import WORD, Ranges, char_class, complement, members, of_characters, orbit
from converter.model.regex.nodes import (
    ANY_TEXT,
    EMPTY,
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    CharClass,
    Concat,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    alternation,
    concat,
    walk,
)


class Side(enum.Flag):
    """What a match asks of the place at one of its ends."""

    FREE = 0
    TEXT = enum.auto()
    WORD = enum.auto()


Sides = tuple[Side, Side]
Forms = dict[Sides, Node]
"""(asked at the beginning, asked at the end) → an anchor-free node."""

_FREE: Sides = (Side.FREE, Side.FREE)
_MOST_NODES = 5000
_BOUNDARY = "word boundary beside a character that may or may not be of a word"


def whole_text_forms(node: Node) -> tuple[Node, ...]:
    """Anchor-free nodes that match, any of them, exactly the whole texts in which ``node`` finds a match.

    Raises :class:`RegexError` for line anchors and ``\\B``, for a word boundary whose neighbours do not
    decide it, for a counted repeat around an anchor, and for a pattern that nothing can match.
    """
    whole = [
        _whole(sides, form)
        for sides, form in _forms(concat(search_core(node))).items()
        if _possible(sides, form)
    ]
    if not whole:
        raise RegexError("anchors that no text can satisfy")
    return (ANY_TEXT,) if ANY_TEXT in whole else tuple(whole)


def _possible(sides: Sides, form: Node) -> bool:
    """False where the text begins or ends and a boundary is asked, with no word character beside it."""
    both = Side.TEXT | Side.WORD
    return not any(
        side == both and not _of_word(form, last=last)
        for side, last in zip(sides, (False, True), strict=True)
    )


def _whole(sides: Sides, form: Node) -> Node:
    start, end = sides
    core = concat(search_core(form, left=not start, right=not end))
    if core == EMPTY and not start and not end:
        return ANY_TEXT
    left, right = _outside(start, core, last=False), _outside(end, core, last=True)
    return concat((*left, _grouped(core), *right))


def _outside(side: Side, core: Node, last: bool) -> tuple[Node, ...]:
    """What stands between the match and one end of the whole text."""
    if Side.TEXT in side:
        return ()
    if not side:
        return (ANY_TEXT,)
    beyond = char_class(WORD, negated=_of_word(core, last))
    outward = concat((beyond, ANY_TEXT) if last else (ANY_TEXT, beyond))
    return (Repeat(Group(outward), 0, 1),) if beyond.negated else (outward,)


def _of_word(node: Node, last: bool) -> bool:
    """Whether every first (or last) character is one of a word, or none is. Raises where both may be."""
    if nullable(node):
        raise RegexError(_BOUNDARY)
    word = False
    other = False
    for ranges in _outer(node, last):
        outside = complement(WORD)
        word = word or any(low <= b and a <= high for low, high in ranges for a, b in WORD)
        other = other or any(low <= b and a <= high for low, high in ranges for a, b in outside)
    if word == other:
        raise RegexError(_BOUNDARY)
    return word


def _outer(node: Node, last: bool) -> Iterator[Ranges]:
    """The sets that the first (or last) character of a match comes from."""
    match node:
        case Literal(text, ignore_case):
            character = text[-1] if last else text[0]
            yield of_characters(orbit(character) if ignore_case else character)
        case CharClass():
            ranges = members(node)
            if ranges is None:
                raise RegexError(_BOUNDARY)
            yield ranges
        case AnyChar():
            raise RegexError(_BOUNDARY)
        case Concat(parts):
            for part in reversed(parts) if last else parts:
                yield from _outer(part, last)
                if not nullable(part):
                    return
        case Alternation(options):
            for option in options:
                yield from _outer(option, last)
        case Repeat(inner) | Group(inner):
            yield from _outer(inner, last)
        case _:
            return


def _forms(node: Node) -> Forms:
    if not anchored(node):
        return {_FREE: node}
    match node:
        case Anchor(AnchorKind.TEXT_START):
            return {(Side.TEXT, Side.FREE): EMPTY}
        case Anchor(AnchorKind.TEXT_END):
            return {(Side.FREE, Side.TEXT): EMPTY}
        case Anchor(AnchorKind.WORD):
            return {(Side.WORD, Side.FREE): EMPTY}
        case Concat(parts):
            return _row(parts)
        case Alternation(options):
            return _union(_forms(option) for option in options)
        case Group(inner):
            return {sides: _grouped(form) for sides, form in _forms(inner).items()}
        case Repeat():
            return _repeated(node)
        case Anchor(kind):
            raise RegexError(f"{kind} in a pattern of the whole value")
        case _:
            return {_FREE: node}


def _grouped(node: Node) -> Node:
    return Group(node) if isinstance(node, Alternation) else node


def _union(every: Iterable[Forms]) -> Forms:
    together: dict[Sides, list[Node]] = {}
    for forms in every:
        for sides, form in forms.items():
            together.setdefault(sides, []).append(form)
    return {sides: alternation(options) for sides, options in together.items()}


def _row(parts: Iterable[Node]) -> Forms:
    row: Forms = {_FREE: EMPTY}
    for asks, run in groupby(parts, key=anchored):
        together = list(run)
        for part in together if asks else [concat(together)]:
            row = _joined(row, _forms(part))
        if sum(1 for form in row.values() for _ in walk(form)) > _MOST_NODES:
            raise RegexError("too many combinations of anchors")
    return row


def _joined(first: Forms, second: Forms) -> Forms:
    """One after the other, each form of the one with each of the other, where the two can meet."""
    found: list[Forms] = []
    for (start, end), left in first.items():
        for (again, stop), right in second.items():
            if Side.TEXT in end and not nullable(right):
                continue
            if Side.TEXT in again and not nullable(left):
                continue
            kept = EMPTY if Side.TEXT in again else left, EMPTY if Side.TEXT in end else right
            sides = _met((start, end), kept[0], (again, stop), kept[1])
            if sides is not None:
                found.append({sides: concat(map(_grouped, kept))})
    return _union(found)


def _met(before: Sides, left: Node, after: Sides, right: Node) -> Sides | None:
    """What two neighbours ask together of the places at their far ends; None if they cannot meet.

    What an empty neighbour asks is asked of the place where the other one begins or ends.
    """
    (start, end), (again, stop) = before, after
    met = (end | again) & Side.WORD
    if left == EMPTY:
        if right == EMPTY:
            return start | again | met | (stop & Side.WORD), (end | stop) & Side.TEXT
        return start | again | met, stop
    if right == EMPTY:
        return start, end | stop | met
    if met and _of_word(left, last=True) == _of_word(right, last=False):
        return None
    return start, stop


def _repeated(node: Repeat) -> Forms:
    """A repeat around an anchor, up to one needed turn.

    Among several turns only the first can ask for the start (turns before it are empty and may go), and
    only the last for the end; the turns between ask for nothing.
    """
    if node.minimum > 1:
        raise RegexError("anchor in a counted repeat")
    turn = _forms(node.node)
    found: list[Forms] = [turn]
    if node.minimum == 0:
        found.append({_FREE: EMPTY})
    if node.maximum == 0:
        return {_FREE: EMPTY}
    if node.maximum is None or node.maximum > 1:
        between: Forms = {_FREE: EMPTY}
        free = turn.get(_FREE)
        most = None if node.maximum is None else node.maximum - 2
        if free is not None and most != 0:
            inner = free if isinstance(free, Literal) and len(free.text) == 1 else Group(free)
            between = {_FREE: Repeat(inner, 0, most)}
        found.append(_joined(_joined(turn, between), turn))
    return _union(found)
