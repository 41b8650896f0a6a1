"""From the text of a pattern to its tree."""

from __future__ import annotations

from collections.abc import Iterator

from converter.model.regex import charclass
from converter.model.regex.analysis import nullable
from converter.model.regex.classes import ascii_orbit, char_class, of_characters, orbit, python_orbit
from converter.model.regex.limits import check_counts
from converter.model.regex.lucene import parse_lucene
from converter.model.regex.nodes import (
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
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
from converter.model.regex.scanner import Scanner
from converter.model.regex.syntax import MAX_DEPTH, REFUSED_GROUPS, SYNTAXES, Dialect, Syntax


def parse(pattern: str, dialect: Dialect = "re2") -> Node:
    """Read ``pattern`` as a dialect writes it.

    Raises :class:`RegexError` for a malformed pattern and for what RE2 has no counterpart of:
    lookaround, backreferences, atomic groups, possessive repeats, recursion, conditionals, callouts.
    """
    if any("\ud800" <= character <= "\udfff" for character in pattern):
        raise RegexError("lone surrogate")
    if dialect == "lucene":
        return parse_lucene(pattern)
    if dialect not in SYNTAXES:
        raise ValueError(f"unknown regex dialect {dialect!r}")
    tree = Parser(pattern, SYNTAXES[dialect]).whole()
    if dialect == "re2":
        check_counts(tree)
    if dialect == "pcre":
        _check_line_starts(tree)
    return tree


def _changed(flags: frozenset[str], on: str, off: str) -> frozenset[str]:
    """Flag letters with some added and others taken away; ``u`` is what is left without ``a``."""
    letters = (flags | set(on)) - set(off)
    return letters - {"a", "u"} if "u" in on else letters


class Parser(Scanner):
    """Recursive descent over one pattern: alternation, row, repeat, atom."""

    def __init__(self, pattern: str, syntax: Syntax) -> None:
        super().__init__(pattern)
        self.syntax = syntax
        self.flags: frozenset[str] = frozenset()
        self.depth = 0

    def whole(self) -> Node:
        """The tree of the whole pattern."""
        if self.syntax.name == "python":
            self._leading_flags()
        node = self._alternation()
        if self.more():
            raise self.error("unmatched )")
        return node

    def _leading_flags(self) -> None:
        while self.ahead("(?") and (end := self.text.find(")", self.at)) > 0:
            letters = self.text[self.at + 2 : end]
            if not letters or not letters.isalpha() or set(letters) - set(self.syntax.flags):
                return
            self.flags = _changed(self.flags, letters, "")
            self.at = end + 1

    def _alternation(self) -> Node:
        options = [self._row()]
        while self.take("|"):
            options.append(self._row())
        return alternation(options)

    def _row(self) -> Node:
        pieces: list[Node] = []
        while True:
            self._skip_free_space()
            if not self.more() or self.peek() in "|)":
                return concat(pieces)
            if self.syntax.quoting and self.take("\\Q"):
                pieces.extend(self._quoted())
                continue
            start = self.at
            atom = self._atom()
            if atom is not None:
                pieces.append(self._repeated(atom, start))

    def _skip_free_space(self) -> None:
        while self.more():
            if self.syntax.comments and self.take("(?#"):
                end = self.text.find(")", self.at)
                if end < 0:
                    raise self.error("comment without )")
                self.at = end + 1
            elif "x" in self.flags and self.peek() in " \t\n\r\f\v":
                self.at += 1
            elif "x" in self.flags and self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            else:
                return

    def _quoted(self) -> Iterator[Node]:
        end = self.text.find("\\E", self.at)
        text = self.text[self.at :] if end < 0 else self.text[self.at : end]
        start, self.at = self.at, len(self.text) if end < 0 else end + 2
        if text:
            yield from map(self._literal, text[:-1])
            yield self._repeated(self._literal(text[-1]), start)

    def _repeated(self, atom: Node, start: int) -> Node:
        self._skip_free_space()
        counts = self._counts()
        if counts is None:
            return atom
        lazy = self.take("?")
        if not lazy and self.ahead("+") and self.syntax.possessive:
            raise self.error("possessive repeat")
        if "U" in self.flags:
            lazy = not lazy
        self._skip_free_space()
        offset = self.at
        if self._counts() is not None:
            raise RegexError("repeat of a repeat", offset)
        minimum, maximum = counts
        if maximum is not None and maximum < minimum:
            raise RegexError("repeat whose maximum is below its minimum", start)
        return Repeat(atom, minimum, maximum, lazy)

    def _counts(self) -> tuple[int, int | None] | None:
        """A repeat operator, if one is next: (minimum, maximum)."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return counts
        return self.braces(self.syntax.open_minimum)

    def _atom(self) -> Node | None:
        """One atom; None for a flag setting, which is none."""
        character = self.next()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._bracket()
            case ".":
                return AnyChar(newline="s" in self.flags)
            case "^":
                return Anchor(AnchorKind.LINE_START if "m" in self.flags else AnchorKind.TEXT_START)
            case "$":
                return Anchor(AnchorKind.LINE_END if "m" in self.flags else self.syntax.dollar)
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise RegexError(f"nothing to repeat before {character}", self.at - 1)
            case _:
                return self._literal(character)

    def _literal(self, character: str) -> Node:
        if "i" not in self.flags:
            return Literal(character)
        if self.syntax.name == "python":
            return _python_literal(character, "a" in self.flags)
        return Literal(character, len(orbit(character)) > 1)

    def _bracket(self) -> Node:
        """A class; one of a single character, or of a single letter whose case is ignored, is a literal."""
        node = charclass.bracket(self, self.syntax, self.flags)
        if node.negated or node.properties or not node.ranges:
            return node
        first = chr(node.ranges[0][0])
        if node.ranges == of_characters(first):
            return Literal(first)
        if "i" in self.flags and node.ranges == of_characters(orbit(first)):
            return Literal(first.lower(), ignore_case=True)
        return node

    def _escape(self) -> Node:
        if not self.more():
            raise self.error("pattern ends in a backslash")
        letter = self.peek()
        if letter in self.syntax.refused:
            raise RegexError(self.syntax.refused[letter], self.at - 1)
        if letter in self.syntax.anchors:
            self.at += 1
            kind = self.syntax.anchors[letter]
            return Anchor(_ASCII_TWINS.get(kind, kind) if "a" in self.flags else kind)
        if letter == "N" and self.syntax.name == "pcre":
            self.at += 1
            return AnyChar()
        named = charclass.escaped_class(self, self.syntax, self.flags)
        if named is not None:
            return named
        return self._literal(charclass.escaped_character(self, self.syntax))

    def _group(self) -> Node | None:
        start = self.at - 1
        if self.ahead("*") and self.syntax.name == "pcre":
            raise RegexError("control verb (*…)", start)
        if not self.take("?"):
            return self._inside(start, capturing="n" not in self.flags)
        if self.syntax.name == "python" and self.take("!\\b)"):
            ascii_only = "a" in self.flags
            return Anchor(AnchorKind.NOT_WORD if ascii_only else AnchorKind.NOT_UNICODE_WORD)
        for opener in self.syntax.name_openers:
            if self.ahead(opener) and not self.text.startswith(("<=", "<!"), self.at):
                self.at += len(opener)
                return self._inside(start, capturing=True, name=self._name("'" if opener == "'" else ">"))
        if self.take(":"):
            return self._inside(start, capturing=False)
        for opener, construct in REFUSED_GROUPS:
            if self.ahead(opener):
                raise RegexError(construct, start)
        return self._flag_group(start)

    def _name(self, closer: str) -> str:
        end = self.text.find(closer, self.at)
        name = self.text[self.at : max(end, self.at)]
        if not name.replace("_", "a").isalnum():
            raise self.error("malformed group name")
        self.at = end + 1
        return name

    def _flag_group(self, start: int) -> Node | None:
        reset = self.syntax.name == "pcre" and self.take("^")
        on, off, minus = "", "", False
        while self.more() and self.peek() not in ":)":
            letter = self.next()
            if letter == "-" and not minus:
                minus = True
            elif letter in self.syntax.flags:
                on, off = (on, off + letter) if minus else (on + letter, off)
            else:
                raise RegexError(f"unknown flag or group (?{letter}", start)
        if not self.more() or (minus and not off):
            raise RegexError("malformed flag group", start)
        scoped = self.next() == ":"
        before = self.flags
        if reset:
            self.flags = _changed(before, "", "imsxn")
        if scoped:
            self.flags = _changed(self.flags, on, off)
            node = self._inside(start, capturing=False)
            self.flags = before
            return node
        if not self.syntax.late_flags:
            raise RegexError("flags that are not at the start of the pattern", start)
        self.flags = _changed(self.flags, on, off)
        return None

    def _inside(self, start: int, capturing: bool, name: str | None = None) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise RegexError(f"groups nested deeper than {MAX_DEPTH}", start)
        before = self.flags
        node = self._alternation()
        if not self.take(")"):
            raise RegexError("group without )", start)
        self.flags = before
        self.depth -= 1
        if not capturing and not isinstance(node, Alternation):
            return node  # the printers put brackets back where a repeat needs them
        return Group(node, capturing, name)


def _python_literal(character: str, ascii_only: bool) -> Node:
    """A character under Python's ``(?i)``: a literal where Python folds as trees do, else a class."""
    every = (ascii_orbit if ascii_only else python_orbit)(character)
    if len(every) == 1:
        return Literal(character)
    if set(every) == set(orbit(character)):
        return Literal(character, ignore_case=True)
    return char_class(of_characters(every))


_ASCII_TWINS = {
    AnchorKind.UNICODE_WORD: AnchorKind.WORD,
    AnchorKind.NOT_UNICODE_WORD: AnchorKind.NOT_WORD,
}


def _check_line_starts(tree: Node) -> None:
    """PCRE's ``(?m)^`` does not hold after a newline that ends the text; RE2's and Python's does.

    The two agree as soon as a character must follow, so only an anchor with nothing behind it is refused.
    """
    for node in walk(tree):
        rows = [node.parts] if isinstance(node, Concat) else [(node,)] if node is tree else []
        for parts in rows:
            for index, part in enumerate(parts):
                starts = any(each == Anchor(AnchorKind.LINE_START) for each in walk(part))
                if starts and nullable(part) and all(map(nullable, parts[index + 1 :])):
                    raise RegexError("line anchor ^ under (?m) with nothing after it")
