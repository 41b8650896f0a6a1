"""Texts made of other texts: from a question about the outcome to the same question about what it is made of.

A question is a regular expression of the whole text. Each step says which texts it turns into one that fits;
that is a regular expression again, so that a column made by DISSECT, SUBSTRING or URL_DECODE needs no more
than a pattern over the field. Characters are asked for as sets, and each step says which sources give such a
character.

Sources, in Elasticsearch's ES|QL reference: REPLACE, URL_DECODE, TO_LOWER, TO_UPPER; java.net.URLDecoder ("+"
is a blank, "%" two hexadecimal digits of a byte of UTF-8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from converter.model.regex import Alternation, AnyChar, CharClass, Concat, Empty, Group, Literal, Node, Repeat
from converter.model.regex.classes import (
    Ranges,
    char_class,
    complement,
    contains,
    members,
    normal,
    of_characters,
    orbit,
    without,
)
from converter.model.regex.nodes import ANY_TEXT, EMPTY, alternation, concat

ALL: Final[Ranges] = complement(())
_ASCII: Final[Ranges] = ((0, 127),)
_BEYOND: Final[Ranges] = complement(_ASCII)
_FEW: Final = 200


class StepError(ValueError):
    """A question that cannot be asked of the source; says why."""


class Step(Protocol):
    """Something done to a text."""

    def pulled(self, asked: Node) -> Node | None:
        """The texts of which this makes one that ``asked`` fits as a whole; None: there are none.

        Raises StepError where no pattern says that.
        """


Rewrite = Callable[[Ranges, bool], Node | None]
"""From a set of characters (and whether any number of them may stand there) to what gives one of them."""


def rewritten(node: Node, rewrite: Rewrite, many: bool = False) -> Node | None:
    """The pattern with each of its characters rewritten; None where nothing is left that fits."""
    match node:
        case Empty():
            return node
        case Group(inner):
            return rewritten(inner, rewrite, many)
        case Literal(text, ignore_case):
            sets = (of_characters(orbit(one)) if ignore_case else of_characters(one) for one in text)
            return _row([rewrite(one, False) for one in sets])
        case AnyChar(newline):
            return rewrite(ALL if newline else complement(of_characters("\n")), many)
        case CharClass():
            found = members(node)
            if found is None:
                raise StepError("a class of characters by their Unicode properties")
            return rewrite(found, many)
        case Concat(parts):
            return _row([rewritten(part, rewrite) for part in parts])
        case Alternation(options):
            kept = [one for option in options if (one := rewritten(option, rewrite)) is not None]
            return alternation(kept) if kept else None
        case Repeat(inner, minimum, maximum, lazy):
            made = rewritten(inner, rewrite, maximum is None and minimum <= 1)
            if made is None:
                return EMPTY if minimum == 0 else None
            return Repeat(made, minimum, maximum, lazy)
        case _:
            raise StepError("a place in a text that was made of another one")


def _row(parts: list[Node | None]) -> Node | None:
    kept = [part for part in parts if part is not None]
    return concat(kept) if len(kept) == len(parts) else None


def of_set(ranges: Ranges) -> Node | None:
    """One character of the set; None for the empty one."""
    if not ranges:
        return None
    if ranges == ALL:
        return AnyChar(newline=True)
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return Literal(chr(ranges[0][0]))
    other = complement(ranges)
    return char_class(other, negated=True) if len(other) < len(ranges) else char_class(ranges)


def length(node: Node) -> int | None:
    """How many characters every text has that fits; None if that differs."""
    match node:
        case Empty():
            return 0
        case Literal(text):
            return len(text)
        case AnyChar() | CharClass():
            return 1
        case Group(inner):
            return length(inner)
        case Repeat(inner, minimum, maximum) if minimum == maximum:
            size = length(inner)
            return None if size is None else size * minimum
        case Concat(parts):
            sizes = [length(part) for part in parts]
            return None if None in sizes else sum(size or 0 for size in sizes)
        case Alternation(options):
            different = {length(option) for option in options}
            return different.pop() if len(different) == 1 else None
    return None


def common(first: Ranges, second: Ranges) -> Ranges:
    """The characters of both sets."""
    return without(first, complement(second))


class Swapped(msgspec.Struct, frozen=True):
    """Each character of ``ranges`` replaced by ``mark``, one character, or taken away if that is empty."""

    ranges: Ranges
    mark: str

    def pulled(self, asked: Node) -> Node | None:
        """A character that is taken away may stand anywhere."""
        gone = of_set(self.ranges)
        if self.mark or gone is None:
            return rewritten(asked, self._source)
        if asked == ANY_TEXT:
            return asked
        here = Repeat(gone, 0, None)
        found = rewritten(asked, lambda ranges, _: self._and(of_set(without(ranges, self.ranges)), here))
        return None if found is None else concat((here, found))

    def _source(self, ranges: Ranges, many: bool) -> Node | None:
        kept = without(ranges, self.ranges)
        marked = contains(ranges, ord(self.mark))
        return of_set(normal((*kept, *self.ranges)) if marked else kept)

    @staticmethod
    def _and(first: Node | None, then: Node) -> Node | None:
        return None if first is None else concat((first, then))


class Folded(msgspec.Struct, frozen=True):
    """All letters in lower case, or in upper case."""

    upper: bool = False

    def pulled(self, asked: Node) -> Node | None:
        """Each letter stands for those that become it."""
        return rewritten(asked, self._source)

    def _source(self, ranges: Ranges, many: bool) -> Node | None:
        if ranges == ALL:
            return of_set(ranges)
        size = sum(high - low + 1 for low, high in ranges)
        inverted = size > _FEW
        few = complement(ranges) if inverted else ranges
        if sum(high - low + 1 for low, high in few) > _FEW:
            raise StepError("a class of so many characters, without case")
        letters = (chr(code) for low, high in few for code in range(low, high + 1))
        found = normal(
            (ord(one), ord(one))
            for letter in letters
            for one in orbit(letter)
            if self._changed(one) == letter
        )
        return of_set(complement(found) if inverted else found)

    def _changed(self, letter: str) -> str:
        return letter.upper() if self.upper else letter.lower()


class Decoded(msgspec.Struct, frozen=True):
    """A text in which ``%41`` stands for A and ``+`` for a blank; one that is not so has no outcome."""

    def pulled(self, asked: Node) -> Node | None:
        """Each character as itself or as its code."""
        return rewritten(asked, self._source)

    def _source(self, ranges: Ranges, many: bool) -> Node | None:
        plain = without(ranges, of_characters("%+"))
        if contains(ranges, ord(" ")):
            plain = normal((*plain, *of_characters("+")))
        options = [of_set(plain), _coded(common(ranges, _ASCII))]
        beyond = common(ranges, _BEYOND)
        if beyond == _BEYOND and many:
            if ranges == ALL:
                return alternation((char_class(of_characters("%"), negated=True), _escape(range(256))))
            options.append(_escape(range(128, 256)))
        elif len(beyond) == 1 and beyond[0][0] == beyond[0][1]:
            code = chr(beyond[0][0]).encode("utf-8", "surrogatepass")
            options.append(concat(_escape((byte,)) for byte in code))
        elif beyond:
            raise StepError("one of many characters beyond ASCII, decoded")
        kept = [one for one in options if one is not None]
        return alternation(kept) if kept else None


def _coded(ranges: Ranges) -> Node | None:
    codes = [code for low, high in ranges for code in range(low, high + 1)]
    return _escape(codes) if codes else None


def _escape(codes: range | list[int] | tuple[int, ...]) -> Node:
    """``%`` and two hexadecimal digits of one of the codes."""
    seconds: dict[int, list[int]] = {}
    for code in codes:
        seconds.setdefault(code >> 4, []).append(code & 15)
    firsts: dict[tuple[int, ...], list[int]] = {}
    for first, found in seconds.items():
        firsts.setdefault(tuple(found), []).append(first)
    return concat(
        (
            Literal("%"),
            alternation(concat((_digit(high), _digit(low))) for low, high in firsts.items()),
        )
    )


def _digit(values: list[int] | tuple[int, ...]) -> Node:
    digits = (form for value in values for form in (f"{value:x}", f"{value:X}"))
    found = of_set(of_characters(digits))
    assert found is not None
    return found
