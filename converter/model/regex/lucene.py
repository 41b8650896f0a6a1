"""Lucene's regular expressions: they match the whole value and know no anchors.

Facts: class ``RegExp`` of org.apache.lucene.util.automaton (grammar, reserved characters also inside
classes, ``\\d \\s \\w`` in newer versions, any other escaped letter an error there) and the Elasticsearch
guide, "Regular expression syntax" (``.`` is any character; no anchors; always the whole term).
"""

from __future__ import annotations

from converter.model.regex import classes
from converter.model.regex.classes import Ranges, ascii_orbit, char_class, folded, members, orbit
from converter.model.regex.edges import whole_text_forms
from converter.model.regex.ends import without_final_newline
from converter.model.regex.nodes import (
    ANY_TEXT,
    EMPTY,
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    CharClass,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    alternation,
    concat,
)
from converter.model.regex.scanner import Scanner
from converter.model.regex.syntax import MAX_DEPTH

RESERVED = frozenset('.?+*|{}[]()"\\#@&<>~')
_CLASS_RESERVED = RESERVED | frozenset("^-")
_CLASSES = {"d": classes.DIGIT, "w": classes.WORD, "s": classes.LUCENE_SPACE}
_REFUSED = {"~": "complement ~", "&": "intersection &", "<": "interval or named automaton <…>"}


def parse_lucene(pattern: str) -> Node:
    """Read a Lucene pattern, with all optional operators on, as a search between start and end of text."""
    reader = _Reader(pattern)
    tree = reader.union() if pattern else EMPTY
    if reader.more():
        raise reader.error("unmatched )")
    if isinstance(tree, Alternation):
        tree = Group(tree)
    return concat((Anchor(AnchorKind.TEXT_START), tree, Anchor(AnchorKind.TEXT_END)))


class _Reader(Scanner):
    """Recursive descent over Lucene's grammar."""

    depth = 0

    def union(self) -> Node:
        options = [self._row()]
        while self.take("|"):
            options.append(self._row())
        return alternation(options)

    def _row(self) -> Node:
        parts = [self._repeated()]
        while self.more() and self.peek() not in "|)":
            parts.append(self._repeated())
        return concat(parts)

    def _repeated(self) -> Node:
        node = self._atom()
        while self.more() and self.peek() in "?*+{":
            counts = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(self.peek())
            if counts is not None:
                self.at += 1
            else:
                counts = self.braces(open_minimum=False)
                if counts is None:
                    raise self.error("malformed repeat {…}")
            if counts[1] is not None and counts[1] < counts[0]:
                raise self.error("repeat whose maximum is below its minimum")
            node = Repeat(node, *counts)
        return node

    def _atom(self) -> Node:
        start = self.at
        character = self.next()
        match character:
            case ".":
                return AnyChar(newline=True)
            case "@":
                return ANY_TEXT
            case "#":
                return char_class(())
            case '"':
                end = self.text.find('"', self.at)
                if end < 0:
                    raise RegexError('text without closing "', start)
                text, self.at = self.text[self.at : end], end + 1
                return Literal(text) if text else EMPTY
            case "(":
                return self._group(start)
            case "[":
                return self._bracket(start)
            case "\\":
                named = self._escape()
                return Literal(named) if isinstance(named, str) else named
            case _ if character in _REFUSED:
                raise RegexError(_REFUSED[character], start)
            case _:  # also a sign with nothing before it to repeat or join: RegExp.parseSimpleExp
                return Literal(character)

    def _group(self, start: int) -> Node:
        if self.take(")"):
            return EMPTY
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise RegexError(f"groups nested deeper than {MAX_DEPTH}", start)
        node = self.union()
        if not self.take(")"):
            raise RegexError("group without )", start)
        self.depth -= 1
        return Group(node)

    def _escape(self) -> str | CharClass:
        letter = self.next()
        if letter.lower() in _CLASSES:
            return char_class(_CLASSES[letter.lower()], letter.isupper())
        if letter.isascii() and letter.isalpha():
            raise RegexError(
                f"escape \\{letter}, a plain letter or an error by Lucene's version", self.at - 2
            )
        return letter

    def _bracket(self, start: int) -> Node:
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        while not ranges or not self.ahead("]"):
            if not self.more():
                raise RegexError("class without ]", start)
            ranges.extend(self._range())
        self.at += 1
        return char_class(ranges, negated)

    def _range(self) -> Ranges:
        low = self._member()
        if isinstance(low, CharClass):
            return members(low) or ()
        if not self.take("-"):
            return ((ord(low), ord(low)),)
        high = "" if self.ahead("]") else self._member()
        if isinstance(high, CharClass) or high < low:
            raise self.error("malformed range")
        return ((ord(low), ord(high)),)

    def _member(self) -> str | CharClass:
        character = self.next()
        return self._escape() if character == "\\" else character


def render_lucene(node: Node, case_by_caller: bool = False) -> str:
    """Write a searched tree as a Lucene pattern of the whole value."""
    forms = whole_text_forms(without_final_newline(node))
    return "|".join(_Writer(case_by_caller).text(form) for form in forms)


class _Writer:
    """Prints anchor-free trees. Lazy repeats and capturing change nothing in a match of the whole value."""

    def __init__(self, case_by_caller: bool) -> None:
        self.case_by_caller = case_by_caller

    def text(self, node: Node, nested: bool = False) -> str:
        match node:
            case Empty():
                return "()"
            case Literal(text, ignore_case):
                return "".join(self._character(each, ignore_case) for each in text)
            case AnyChar(newline):
                return "." if newline else "[^\n]"
            case CharClass():
                return self._class(node)
            case Concat(parts):
                return "".join(self.text(part, nested=True) for part in parts)
            case Alternation(options):
                joined = "|".join(map(self.text, options))
                return f"({joined})" if nested else joined
            case Repeat(inner, minimum, maximum):
                return self._atom(inner) + _counts(minimum, maximum)
            case Group(inner):
                return f"({self.text(inner)})"
            case Anchor(kind):
                raise RegexError(f"{kind} in lucene")

    def _atom(self, node: Node) -> str:
        single = isinstance(node, Literal) and len(node.text) == 1
        text = self.text(node)
        return text if single or isinstance(node, AnyChar | CharClass | Group | Empty) else f"({text})"

    def _character(self, character: str, ignore_case: bool) -> str:
        every = sorted(orbit(character)) if ignore_case else [character]
        if self.case_by_caller and ignore_case:
            every = [character] if character.isascii() else every
        if self.case_by_caller and not ignore_case and len(ascii_orbit(character)) > 1:
            raise RegexError("letter whose case counts, where the caller ignores case")
        if len(every) > 1:
            return "[" + "".join(map(_member, every)) + "]"
        return "\\" + character if character in RESERVED else character

    def _class(self, node: CharClass) -> str:
        if node.properties:
            raise RegexError(f"Unicode class \\p{{{node.properties[0][0]}}} in lucene")
        if self.case_by_caller and folded(node.ranges, ascii_only=True) != node.ranges:
            raise RegexError("class whose case counts, where the caller ignores case")
        if not node.ranges:
            if node.negated:
                return "."
            raise RegexError("class that holds no character in lucene")
        body = "".join(
            _member(chr(low)) + ("-" if high - low > 1 else "") + (_member(chr(high)) if high > low else "")
            for low, high in node.ranges
        )
        if node.ranges == classes.ALL:
            if node.negated:
                raise RegexError("class that holds no character in lucene")
            return "."
        return f"[{'^' if node.negated else ''}{body}]"


def _member(character: str) -> str:
    return "\\" + character if character in _CLASS_RESERVED else character


def _counts(minimum: int, maximum: int | None) -> str:
    match (minimum, maximum):
        case (0, None):
            return "*"
        case (1, None):
            return "+"
        case (0, 1):
            return "?"
        case (_, None):
            return f"{{{minimum},}}"
        case _:
            return f"{{{minimum}}}" if minimum == maximum else f"{{{minimum},{maximum}}}"
