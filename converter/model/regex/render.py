"""From a tree to the text of a dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from converter.model.regex import classes
from converter.model.regex.analysis import has_case, ignores_case
from converter.model.regex.classes import Ranges, contains, folded
from converter.model.regex.ends import without_final_newline
from converter.model.regex.limits import check_counts
from converter.model.regex.lucene import render_lucene
from converter.model.regex.nodes import (
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
    walk,
)
from converter.model.regex.syntax import Dialect

_SMALL = 2000


def render(node: Node, dialect: Dialect, *, case_by_caller: bool = False) -> str:
    """Write ``node`` so that the dialect's engine, searching, holds exactly the texts that the tree holds.

    ``lucene`` patterns match the whole value. For them ``case_by_caller`` leaves ignored ASCII case to a
    flag outside of the pattern (EQL's ``regex~``, the query's ``case_insensitive``): shorter, and the
    same but for the Kelvin sign and the long s, which RE2 takes for k and s; elsewhere it changes nothing.
    Raises :class:`RegexError` naming what the dialect has no way to say.
    """
    if dialect == "lucene":
        return render_lucene(node, case_by_caller)
    style = _STYLES.get(dialect)
    if style is None:
        raise ValueError(f"unknown regex dialect {dialect!r}")
    if dialect == "re2":
        node = without_final_newline(node)
        check_counts(node)
    return _Printer(node, style).whole(node)


class _Style(msgspec.Struct, frozen=True):
    """How one dialect spells places and characters."""

    name: str
    anchors: Mapping[AnchorKind, str]
    long_escape: Callable[[int], str]
    class_specials: str
    controls: Mapping[str, str]
    most: int


def _braced(code_point: int) -> str:
    return f"\\x{{{code_point:x}}}" if code_point > 0xFF else f"\\x{code_point:02x}"


def _sized(code_point: int) -> str:
    if code_point > 0xFFFF:
        return f"\\U{code_point:08x}"
    return f"\\u{code_point:04x}" if code_point > 0xFF else f"\\x{code_point:02x}"


_CONTROLS = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
_SPECIALS = frozenset("\\.+*?()|[]{}^$")

_STYLES: Mapping[str, _Style] = {
    "re2": _Style(
        name="re2",
        anchors={
            AnchorKind.TEXT_START: "^",
            AnchorKind.TEXT_END: "$",
            AnchorKind.LINE_START: "(?m:^)",
            AnchorKind.LINE_END: "(?m:$)",
            AnchorKind.WORD: "\\b",
            AnchorKind.NOT_WORD: "\\B",
        },
        long_escape=_braced,
        class_specials="\\[]^-",
        controls=_CONTROLS,
        most=1000,
    ),
    "python": _Style(
        name="python",
        # Python before 3.14 denies \\B in the empty text, so it is written as "no boundary here".
        anchors={
            AnchorKind.TEXT_START: "^",
            AnchorKind.TEXT_END: "\\Z",
            AnchorKind.FINAL_NEWLINE: "$",
            AnchorKind.LINE_START: "(?m:^)",
            AnchorKind.LINE_END: "(?m:$)",
            AnchorKind.WORD: "\\b",
            AnchorKind.NOT_WORD: "(?!\\b)",
            AnchorKind.UNICODE_WORD: "(?u:\\b)",
            AnchorKind.NOT_UNICODE_WORD: "(?u:(?!\\b))",
        },
        long_escape=_sized,
        class_specials="\\[]^-&~|",
        controls=_CONTROLS,
        most=2**31,
    ),
    "pcre": _Style(
        name="pcre",
        # PCRE's own (?m)^ does not hold after a final newline, so the line anchors are look-arounds.
        anchors={
            AnchorKind.TEXT_START: "^",
            AnchorKind.TEXT_END: "\\z",
            AnchorKind.FINAL_NEWLINE: "$",
            AnchorKind.LINE_START: "(?<![^\\n])",
            AnchorKind.LINE_END: "(?![^\\n])",
            AnchorKind.WORD: "\\b",
            AnchorKind.NOT_WORD: "\\B",
        },
        long_escape=_braced,
        class_specials="\\[]^-",
        controls=_CONTROLS,
        most=65535,
    ),
}


class _Printer:
    """Prints one tree in one style. Flags that hold for all of it are chosen first and written in front."""

    def __init__(self, tree: Node, style: _Style) -> None:
        nodes = list(walk(tree))
        self.style = style
        literals = [each for each in nodes if isinstance(each, Literal) and has_case(each.text)]
        class_nodes = [each for each in nodes if isinstance(each, CharClass)]
        dots = [each for each in nodes if isinstance(each, AnyChar)]
        self.dot_all = bool(dots) and all(each.newline for each in dots)
        self.ignore = ignores_case(tree) or (not literals and any(map(_spells_out_cases, class_nodes)))
        self.ascii = style.name == "python" and _needs_ascii(nodes, self.ignore)

    def whole(self, tree: Node) -> str:
        """The pattern with its leading flags."""
        flags = "a" * self.ascii + "i" * self.ignore + "s" * self.dot_all
        return (f"(?{flags})" if flags else "") + self.text(tree)

    def text(self, node: Node) -> str:
        """The node, in a place where an alternation may stand."""
        match node:
            case Empty():
                return ""
            case Literal(text, ignore_case):
                return self._literal(text, ignore_case)
            case AnyChar(newline):
                return "(?s:.)" if newline and not self.dot_all else "."
            case CharClass():
                return self._class(node)
            case Anchor(kind):
                return self._anchor(kind)
            case Concat(parts):
                return "".join(
                    f"(?:{self.text(part)})" if isinstance(part, Alternation) else self.text(part)
                    for part in parts
                )
            case Alternation(options):
                return "|".join(map(self.text, options))
            case Repeat():
                return self._repeat(node)
            case Group(inner, capturing, name):
                opening = f"(?P<{name}>" if capturing and name and name.isidentifier() else "("
                return (opening if capturing else "(?:") + self.text(inner) + ")"

    def _anchor(self, kind: AnchorKind) -> str:
        spelling = self.style.anchors.get(kind)
        if spelling is None:
            raise RegexError(f"{kind} in {self.style.name}")
        if self.style.name == "python" and not self.ascii and spelling.startswith("(?u:"):
            return spelling[4:-1]
        return spelling

    def _repeat(self, node: Repeat) -> str:
        if max(node.minimum, node.maximum or 0) > self.style.most:
            raise RegexError(f"repeat count above {self.style.most}")
        text = self.text(node.node)
        single = isinstance(node.node, Literal) and len(node.node.text) == 1
        if not single and not isinstance(node.node, AnyChar | CharClass | Group):
            text = f"(?:{text})"
        return text + counts(node.minimum, node.maximum) + ("?" if node.lazy else "")

    def _literal(self, text: str, ignore_case: bool) -> str:
        spelled = "".join(self._character(each, ignore_case) for each in text)
        if not ignore_case or self.ignore or not has_case(text):
            return spelled
        return f"(?i:{spelled})"

    def _character(self, character: str, ignore_case: bool) -> str:
        if ignore_case and self.ascii:
            missing = set(classes.orbit(character)) - set(classes.ascii_orbit(character))
            if missing:
                every = sorted({*missing, character})
                return "[" + "".join(self._member(ord(each)) for each in every) + "]"
        if character in _SPECIALS:
            return "\\" + character
        return self._plain(character)

    def _plain(self, character: str) -> str:
        if character in self.style.controls:
            return self.style.controls[character]
        if character.isprintable() and character not in _LOOKALIKES:
            return character
        return self.style.long_escape(ord(character))

    def _class(self, node: CharClass) -> str:
        shorthand = self._shorthand(node)
        if shorthand is not None:
            return shorthand
        items = self._properties(node) if node.properties else ""
        ranges, wrapper = self._cased(node)
        if items.startswith("\\w"):
            ranges = classes.without(ranges, ((0x5F, 0x5F),))
        body = items + "".join(map(self._range, ranges))
        text = f"[{'^' if node.negated else ''}{body}]"
        if not (items or wrapper or node.negated) and len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
            return self._character(chr(ranges[0][0]), ignore_case=False)
        if items and not ranges and not node.negated and items in (*_BARE, f"\\p{{{node.properties[0][0]}}}"):
            text = items
        if not body:
            full = self._range((0, 0x10FFFF))
            text = f"[{full}]" if node.negated else f"[^{full}]"
        return f"(?{wrapper}:{text})" if wrapper else text

    def _cased(self, node: CharClass) -> tuple[Ranges, str]:
        """The ranges to write, and the flags of the group that the class needs around it."""
        unicode = "u" if self.ascii and node.properties else ""
        if node.folds and self.style.name == "pcre":
            spelled = classes.closed_by_folding(node)
            if spelled is None:
                raise RegexError("Unicode class under (?i) in pcre")
            return spelled, ""
        if node.properties and self.style.name != "python" and node.folds != self.ignore:
            return node.ranges, "i" if node.folds else "-i"
        if not self.ignore:
            return node.ranges, unicode
        if self._fold(node.ranges) != node.ranges:
            return node.ranges, unicode + "-i"
        slim = _one_case(node.ranges, self.ascii)
        return (slim if self._fold(slim) == node.ranges else node.ranges), unicode

    def _fold(self, ranges: Ranges) -> Ranges:
        return folded(ranges, python=self.style.name == "python", ascii_only=self.ascii)

    def _shorthand(self, node: CharClass) -> str | None:
        """``\\d`` and the like where they mean these ranges; PCRE's depend on its UCP option."""
        if self.style.name == "python" and (node.properties, node.ranges) == (classes.WORD_PROPERTIES, ()):
            text = "[\\W_]" if node.negated else "[^\\W_]"
            return f"(?u:{text})" if self.ascii else text
        if node.properties or self.style.name == "pcre":
            return None
        if self.style.name == "re2" or self.ascii:
            tables = dict(_ASCII_SHORTHANDS)
            if self.style.name == "re2":
                tables[classes.SPACE] = "s"
                if self.ignore:
                    tables = {folded(ranges): letter for ranges, letter in tables.items()}
            else:
                tables[classes.SPACE_VT] = "s"
        else:
            tables = {classes.UNICODE_SPACE: "s"}
        letter = tables.get(node.ranges)
        return None if letter is None else "\\" + (letter.upper() if node.negated else letter)

    def _properties(self, node: CharClass) -> str:
        if self.style.name != "python":
            return "".join(f"\\{'P' if negated else 'p'}{{{name}}}" for name, negated in node.properties)
        wanted = set(node.properties)
        items = ""
        if set(classes.WORD_PROPERTIES) <= wanted:
            wanted -= set(classes.WORD_PROPERTIES)
            if not contains(node.ranges, 0x5F):
                raise RegexError("Unicode letters and numbers beside other characters in python")
            items = "\\w"
        for pair, letter in ((("Nd", False), "\\d"), (("Nd", True), "\\D")):
            if pair in wanted:
                wanted.remove(pair)
                items += letter
        if wanted:
            raise RegexError(f"Unicode class \\p{{{min(wanted)[0]}}} in python")
        return items

    def _range(self, bounds: tuple[int, int]) -> str:
        low, high = bounds
        if low == high:
            return self._member(low)
        joint = "-" if high - low > 1 else ""
        return self._member(low) + joint + self._member(high)

    def _member(self, code_point: int) -> str:
        character = chr(code_point)
        if character in self.style.class_specials:
            return "\\" + character
        return self._plain(character)


_LOOKALIKES = frozenset("\u212a\u017f")
"""The Kelvin sign and the long s are written as escapes: nobody could tell them from K and f."""

_BARE = ("\\w", "\\d", "\\D")
"""Python's class escapes that need no brackets when they stand alone."""

_ASCII_SHORTHANDS = {classes.DIGIT: "d", classes.WORD: "w"}


def counts(minimum: int, maximum: int | None) -> str:
    """A repeat operator: ``*``, ``+``, ``?``, ``{n}``, ``{n,}`` or ``{n,m}``."""
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


def _size(ranges: Ranges) -> int:
    return sum(high - low + 1 for low, high in ranges)


def _one_case(ranges: Ranges, ascii_only: bool) -> Ranges:
    """The set less the characters that ignoring case brings back."""
    if _size(ranges) > _SMALL:
        return ranges
    cased = (each for each in classes.characters_of(ranges) if each.isascii() or not ascii_only)
    spare = [each for each in cased if each in "ſKİı" or each.lower() != each]
    return classes.without(ranges, classes.of_characters(spare))


def _spells_out_cases(node: CharClass) -> bool:
    """Whether a class plainly comes from a pattern that ignored case, such as ``(?i)[a-z]``."""
    ranges = node.ranges
    odd = contains(ranges, 0x212A) or contains(ranges, 0x17F)
    return node.folds or (odd and _size(ranges) <= _SMALL and folded(ranges) == ranges)


def _needs_ascii(nodes: list[Node], ignore: bool) -> bool:
    """Whether Python's ASCII mode is wanted: for ``\\b``, or since it alone keeps i apart from İ and ı."""
    for node in nodes:
        match node:
            case Anchor(AnchorKind.WORD | AnchorKind.NOT_WORD):
                return True
            case Literal(text, ignored) if (ignored or ignore) and set(text) & set("iIİı"):
                return True
            case CharClass(ranges) if ignore and folded(ranges) == ranges != folded(ranges, python=True):
                return True
    return False
