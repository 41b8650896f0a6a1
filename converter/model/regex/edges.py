"""From a search with anchors to whole texts without: what Lucene needs.

A node is split into up to four forms by what its matches ask of the text around them: nothing, to begin
at its start, to finish at its end, or both. Forms of a row combine so that an anchor in the middle stays
possible only if nothing stands on its far side. The rest is joined with any text on the free sides.
"""

from __future__ import annotations

from collections.abc import Iterable

from converter.model.regex.analysis import anchored, nullable, search_core
from converter.model.regex.nodes import (
    ANY_TEXT,
    EMPTY,
    Alternation,
    Anchor,
    AnchorKind,
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

Sides = tuple[bool, bool]
Forms = dict[Sides, Node]
"""(begins at the start of the text, finishes at its end) → an anchor-free node."""

_FREE: Sides = (False, False)
_MOST_NODES = 5000


def whole_text_forms(node: Node) -> tuple[Node, ...]:
    """Anchor-free nodes that match, any of them, exactly the whole texts in which ``node`` finds a match.

    Raises :class:`RegexError` for anchors other than those of the whole text, for a counted repeat around
    an anchor, and for a pattern that nothing can match.
    """
    forms = _forms(node)
    if not forms:
        raise RegexError("anchors that no text can satisfy")
    whole = []
    for (start, end), form in forms.items():
        core = concat(search_core(form, left=not start, right=not end))
        if isinstance(core, Alternation):
            core = Group(core)
        left, right = () if start else (ANY_TEXT,), () if end else (ANY_TEXT,)
        whole.append(ANY_TEXT if core == EMPTY and left and right else concat((*left, core, *right)))
    return (ANY_TEXT,) if ANY_TEXT in whole else tuple(whole)


def _forms(node: Node) -> Forms:
    if not anchored(node):
        return {_FREE: node}
    match node:
        case Anchor(AnchorKind.TEXT_START):
            return {(True, False): EMPTY}
        case Anchor(AnchorKind.TEXT_END):
            return {(False, True): EMPTY}
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
    for part in parts:
        row = _joined(row, _forms(part))
        if sum(1 for form in row.values() for _ in walk(form)) > _MOST_NODES:
            raise RegexError("too many combinations of anchors")
    return row


def _joined(first: Forms, second: Forms) -> Forms:
    """One after the other. An end asked in the middle leaves nothing to the second, and so mirrored."""
    found: list[Forms] = []
    for (start, end), left in first.items():
        for (again, stop), right in second.items():
            if end and not nullable(right):
                continue
            if again and not nullable(left):
                continue
            sides = (start or again, stop or end)
            kept = (EMPTY if again else left, EMPTY if end else right)
            found.append({sides: concat(map(_grouped, kept))})
    return _union(found)


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
