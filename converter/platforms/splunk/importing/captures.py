"""What a group that ``rex`` takes out of a text is like, as a regular expression on that text.

``rex`` takes the first place where its pattern is found, as a PCRE finds it (Search Reference, "rex"). Only
where a text can fit the pattern in one way alone does it not matter which is the first: then putting what is
asked in the group's place says the same. Else that finds those texts as well of which a later place fits, and
the value is ``loose``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from converter.evaluate import matches
from converter.model.expressions import Expression, Operator, Predicate
from converter.model.paths import FieldPath
from converter.model.regex import (
    Alternation,
    Anchor,
    AnyChar,
    CharClass,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    nullable,
    parse,
    render,
)
from converter.model.regex.classes import Ranges, char_class, complement, contains, members, normal, orbit
from converter.model.regex.nodes import ANY_TEXT, AnchorKind, alternation, concat
from converter.platforms.splunk.importing.derived import Derived, Pieces
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.matching import ANY
from converter.platforms.splunk.spl.read_where import Value

Row: TypeAlias = tuple[Node, ...]

_PLACE: Final = FieldPath(("value",))
_ENDS: Final = frozenset({AnchorKind.TEXT_END, AnchorKind.FINAL_NEWLINE})
_TEXT_START: Final = Anchor(AnchorKind.TEXT_START)
_TEXT_END: Final = Anchor(AnchorKind.TEXT_END)
_NEWLINE: Final = ord("\n")


class Capture(Derived, frozen=True):
    """A named group of a pattern: what stands ``before`` it, in it and ``behind`` it."""

    before: Row = ()
    inside: Node = Empty()
    behind: Row = ()

    @property
    def present(self) -> Expression:
        """When the pattern is found."""
        pattern = render(concat((*self.before, Group(self.inside), *self.behind)), "re2")
        return Predicate(self.subject, Operator.REGEX, (pattern,))

    def pattern(self, pieces: Pieces, folds: bool) -> str | None:
        """See :meth:`Derived.pattern`."""
        inside = self._inside(pieces, folds)
        if inside is None:
            return None
        parts = (*self.before, *inside, *self.behind)
        if not self.loose:
            items = list(_items((*self.before, self.inside, *self.behind)))
            parts = (*_boundary(items[0], _TEXT_START), *parts, *_boundary(items[-1], _TEXT_END))
        return render(concat(parts), "re2")

    def _inside(self, pieces: Pieces, folds: bool) -> Row | None:
        """What stands in the group's place; None when the group never looks like that."""
        if pieces == (ANY,):
            return (self.inside,)
        if not pieces:
            return () if nullable(self.inside) else None
        one = _run_of(self.inside)
        taken = None if one is None else _chars(one)
        if one is None or taken is None:
            return self._whole(pieces, folds)
        found: list[Node] = []
        for piece in pieces:
            if isinstance(piece, str):
                narrowed = [_narrowed(character, taken, folds) for character in piece]
                if any(not one.ranges for one in narrowed):
                    return None
                found += narrowed
            else:
                found.append(Repeat(one, 0, None) if piece == ANY else one)
        return tuple(found)

    def _whole(self, pieces: Pieces, folds: bool) -> Row | None:
        """For a group of any form: only for its whole text can be asked exactly."""
        if len(pieces) == 1 and isinstance(pieces[0], str):
            text = pieces[0]
            fits = [_fits(self.inside, form) for form in ({text.lower(), text.upper()} if folds else {text})]
            if not any(fits):
                return None
            if all(fits) or self.loose:
                return (Literal(text, ignore_case=folds),)
        if not self.loose:
            raise SplError("a part of a text that rex takes out", 0, "spl-computed")
        return tuple(
            Literal(piece, ignore_case=folds)
            if isinstance(piece, str)
            else ANY_TEXT
            if piece == ANY
            else AnyChar(newline=True)
            for piece in pieces
        )


def _boundary(outermost: Node, edge: Anchor) -> Row:
    """A run at an end of the pattern takes as much as it can: what is outside of it is not of its kind."""
    taken = _chars(outermost) if isinstance(outermost, Repeat) else None
    if taken is None:
        return ()
    other = complement(taken)
    return (Group(alternation((edge, char_class(other)))),) if other else (edge,)


def capture(source: Value, pattern: str, group: str) -> Capture:
    """The value that ``rex`` takes out of another. Raises SplError where nothing can be said of it."""
    if source.kind != "text" or isinstance(source, Derived) or source.functions:
        raise SplError(f"{group} is a part of a computed text", 0, "spl-computed")
    before, inside, behind, one_way = _split(pattern, group)
    return Capture(source.subject, before=before, inside=inside, behind=behind, loose=not one_way)


@lru_cache(maxsize=256)
def always_captured(pattern: str, group: str) -> bool:
    """Whether a named group takes part in every match: it is inside no choice and nothing optional."""
    try:
        waiting: list[Node] = [parse(pattern, "pcre")]
    except RegexError:
        return False
    while waiting:
        node = waiting.pop()
        if isinstance(node, Group):
            if node.name == group:
                return True
            waiting.append(node.node)
        elif isinstance(node, Concat):
            waiting.extend(node.parts)
        elif isinstance(node, Repeat) and node.minimum > 0:
            waiting.append(node.node)
    return False


@lru_cache(maxsize=256)
def without_names(pattern: str) -> str:
    """The pattern without the names of its groups; as it is where it cannot be read."""
    try:
        return render(_nameless(parse(pattern, "pcre")), "pcre")
    except RegexError:
        return pattern


@lru_cache(maxsize=256)
def _split(pattern: str, group: str) -> tuple[Row, Node, Row, bool]:
    """Before, in and behind a group, and whether a text fits the pattern in one way alone."""
    try:
        tree = parse(pattern, "pcre")
    except RegexError as error:
        message = f"the regex {pattern!r} has no linear form: {error}"
        raise SplError(message, 0, "regex-construct") from error
    parts = _to_the_end(tree.parts if isinstance(tree, Concat) else (tree,))
    for place, part in enumerate(parts):
        if isinstance(part, Group) and part.name == group:
            before, behind = tuple(map(_nameless, parts[:place])), tuple(map(_nameless, parts[place + 1 :]))
            return before, _nameless(part.node), behind, _one_way(list(_items(parts)))
    raise SplError(f"{group} is a part of a text that rex takes out", 0, "spl-computed")


def _nameless(node: Node) -> Node:
    """The node without the names of its groups, which a test has no use for."""
    match node:
        case Group(inner):
            return Group(_nameless(inner))
        case Concat(parts):
            return Concat(tuple(map(_nameless, parts)))
        case Alternation(options):
            return Alternation(tuple(map(_nameless, options)))
        case Repeat(inner):
            return Repeat(_nameless(inner), node.minimum, node.maximum, node.lazy)
    return node


# -- in how many ways a text can fit


def _to_the_end(parts: Row) -> Row:
    """The row with the very end of the text for ``$``, where a greedy run before it takes a final newline."""
    items = list(_items(parts))
    if len(items) < 2 or parts[-1] != Anchor(AnchorKind.FINAL_NEWLINE):
        return parts
    run = items[-2]
    greedy = isinstance(run, Repeat) and run.maximum is None and not run.lazy
    taken = _chars(run) if greedy else None
    return (*parts[:-1], _TEXT_END) if taken is not None and contains(taken, _NEWLINE) else parts


def _items(parts: Sequence[Node]) -> Iterator[Node]:
    """The row without its groups, literals character by character."""
    for part in parts:
        match part:
            case Group(inner) | Concat((inner,)):
                yield from _items((inner,))
            case Concat(inner):
                yield from _items(inner)
            case Literal(text, ignore_case):
                yield from (Literal(character, ignore_case) for character in text)
            case Empty():
                pass
            case _:
                yield part


def _one_way(items: list[Node]) -> bool:
    """Whether a text fits in one way at most: the row is held at one end, and going from there every repeat
    ends where something else begins.
    """
    if not items:
        return False
    if items[0] == _TEXT_START:
        return _no_choice(items[1:])
    last = items[-1]
    if not isinstance(last, Anchor) or last.kind not in _ENDS:
        return False
    final = _chars(items[-2]) if len(items) > 1 else None
    if final is None or (last.kind is AnchorKind.FINAL_NEWLINE and contains(final, _NEWLINE)):
        return False
    return _no_choice(items[-2::-1])


def _no_choice(items: list[Node]) -> bool:
    if items and isinstance(items[-1], Anchor) and items[-1].kind in _ENDS:
        final = items[-2] if len(items) > 1 else None
        kept = None if final is None else _chars(final)
        if kept is None or (items[-1].kind is AnchorKind.FINAL_NEWLINE and contains(kept, _NEWLINE)):
            return False
        items = items[:-1]
    for place, item in enumerate(items):
        taken = _chars(item)
        if taken is None:
            return False
        if not isinstance(item, Repeat) or item.minimum == item.maximum:
            continue
        if item.maximum is not None or item.minimum > 1:
            return False
        if place + 1 == len(items):
            return not item.lazy
        following = items[place + 1]
        after = _chars(following)
        if after is None or (isinstance(following, Repeat) and not following.minimum):
            return False
        if _common(taken, after):
            return False
    return True


def _chars(node: Node) -> Ranges | None:
    """The characters that an item takes; None for what is no character, or a run of one kind."""
    match node:
        case Literal(text, ignore_case):
            return normal((ord(one), ord(one)) for one in (orbit(text) if ignore_case else text))
        case CharClass():
            return members(node)
        case AnyChar(newline):
            return complement(() if newline else ((_NEWLINE, _NEWLINE),))
        case Repeat(inner):
            return None if isinstance(inner, Repeat) else _chars(inner)
    return None


def _run_of(node: Node) -> Node | None:
    """What a group of one greedy run takes again and again."""
    while isinstance(node, Group):
        node = node.node
    if isinstance(node, Repeat) and node.minimum <= 1 and node.maximum is None and not node.lazy:
        return node.node
    return None


def _common(one: Ranges, other: Ranges) -> bool:
    return any(low <= high_two and low_two <= high for low, high in one for low_two, high_two in other)


def _narrowed(character: str, taken: Ranges, folds: bool) -> CharClass:
    forms = orbit(character) if folds else character
    return char_class((ord(one), ord(one)) for one in forms if contains(taken, ord(one)))


def _fits(node: Node, text: str) -> bool:
    """Whether the whole of a text fits a pattern."""
    try:
        pattern = render(concat((_TEXT_START, Group(node), _TEXT_END)), "re2")
        return matches(Predicate(_PLACE, Operator.REGEX, (pattern,)), {"value": text})
    except RegexError:
        return True
