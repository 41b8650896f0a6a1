"""Reading escapes and bracketed classes of the backslash dialects."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from converter.model.regex import classes
from converter.model.regex.classes import Ranges, char_class, complement, folded, normal, without
from converter.model.regex.nodes import CharClass, RegexError
from converter.model.regex.scanner import Scanner
from converter.model.regex.syntax import Syntax

FlagSet = frozenset[str]

_OCTAL = "01234567"
_HEX = "0123456789abcdefABCDEF"
_POSIX = re.compile(r"\[:(\^?)([a-zA-Z]*):\]")
_PROPERTY = re.compile(r"\{(\^?)([A-Za-z_]+)\}")


class _Item(msgspec.Struct, frozen=True):
    """One member of a bracketed class. ``folds``: ignoring case applies to the ranges."""

    ranges: Ranges = ()
    properties: tuple[tuple[str, bool], ...] = ()
    folds: bool = False
    not_word: bool = False


def bracket(scan: Scanner, syntax: Syntax, flags: FlagSet) -> CharClass:
    """A class; the scanner stands behind its opening bracket."""
    start = scan.at - 1
    negated = scan.take("^")
    items: list[_Item] = []
    first = True
    while first or not scan.ahead("]"):
        if not scan.more():
            raise RegexError("class without ]", start)
        items.append(_item(scan, syntax, flags))
        first = False
    scan.at += 1
    return _united(items, negated, syntax, flags, start)


def escaped_class(scan: Scanner, syntax: Syntax, flags: FlagSet) -> CharClass | None:
    """``\\d``, ``\\W``, ``\\p{…}`` and the like outside brackets; None when something else is next."""
    item = _class_escape(scan, syntax, flags)
    if item is None:
        return None
    if item.not_word:
        return char_class(((0x5F, 0x5F),), True, classes.WORD_PROPERTIES)
    return _united([item], False, syntax, flags, scan.at)


def _united(items: list[_Item], negated: bool, syntax: Syntax, flags: FlagSet, start: int) -> CharClass:
    loose = normal(each for item in items if item.folds for each in item.ranges)
    fixed = [each for item in items if not item.folds for each in item.ranges]
    ignore = "i" in flags
    if ignore:
        loose = folded(loose, python=syntax.name == "python", ascii_only="a" in flags)
    ranges = normal((*loose, *fixed))
    properties = [each for item in items for each in item.properties]
    if any(item.not_word for item in items):
        return _without_words(ranges, negated, bool(properties), start)
    return char_class(ranges, negated, properties, folds=ignore and syntax.folds_classes)


def _without_words(ranges: Ranges, negated: bool, mixed: bool, start: int) -> CharClass:
    """A class that holds Python's ``\\W``: all but word characters, less those named beside it."""
    underscore: Ranges = ((0x5F, 0x5F),)
    words = [chr(each) for low, high in ranges for each in range(low, min(high, low + 256) + 1)]
    if mixed or any(high - low > 255 for low, high in ranges) or any(each.isalnum() for each in words):
        raise RegexError("\\W beside word characters in one class", start)
    return char_class(without(underscore, ranges), not negated, classes.WORD_PROPERTIES)


def _item(scan: Scanner, syntax: Syntax, flags: FlagSet) -> _Item:
    start = scan.at
    if syntax.posix and scan.ahead("[:"):
        posix = _posix(scan, syntax, flags)
        if posix is not None:
            return posix
    if syntax.name == "pcre" and re.match(r"\[([.=]).*?\1\]", scan.text[start:]):
        raise RegexError("collating element", start)
    low = _member(scan, syntax, flags)
    if isinstance(low, _Item):
        if syntax.name == "python" and scan.ahead("-") and not scan.ahead("-]"):
            raise RegexError("range with a class at its start", start)
        return low
    if not scan.ahead("-") or scan.ahead("-]"):
        return _Item(((ord(low), ord(low)),), folds=True)
    dash = scan.at
    scan.at += 1
    if syntax.name == "re2" and scan.ahead("[:"):
        raise RegexError("range with a class at its end", start)
    high = _member(scan, syntax, flags)
    if isinstance(high, _Item):
        if syntax.name != "pcre":
            raise RegexError("range with a class at its end", start)
        scan.at = dash
        return _Item(((ord(low), ord(low)),), folds=True)
    if high < low:
        raise RegexError("range whose end is below its start", start)
    return _Item(((ord(low), ord(high)),), folds=True)


def _member(scan: Scanner, syntax: Syntax, flags: FlagSet) -> str | _Item:
    if not scan.more():
        raise scan.error("class without ]")
    if not scan.take("\\"):
        return scan.next()
    named = _class_escape(scan, syntax, flags)
    return escaped_character(scan, syntax, in_class=True) if named is None else named


def _posix(scan: Scanner, syntax: Syntax, flags: FlagSet) -> _Item | None:
    match = _POSIX.match(scan.text, scan.at)
    if match is None:
        if syntax.name == "re2" and scan.text.find(":]", scan.at + 2) >= 0:
            raise scan.error("malformed POSIX class")
        return None
    negated, name = match.groups()
    if syntax.name == "pcre" and "i" in flags and name in ("lower", "upper"):
        name = "alpha"
    if name not in classes.POSIX:
        raise scan.error(f"unknown POSIX class {name}")
    scan.at = match.end()
    return _named(classes.POSIX[name], bool(negated), syntax, flags)


def _named(ranges: Ranges, negated: bool, syntax: Syntax, flags: FlagSet) -> _Item:
    """A named class. RE2 folds it before it is negated; elsewhere it keeps its characters."""
    if syntax.folds_classes and "i" in flags:
        ranges = folded(ranges)
    return _Item(complement(ranges) if negated else ranges)


def _class_escape(scan: Scanner, syntax: Syntax, flags: FlagSet) -> _Item | None:
    """A class escape, if the letter that the scanner stands at is one."""
    letter = scan.peek()
    if letter in ("p", "P") and letter and syntax.properties:
        scan.at += 1
        return _property(scan, letter == "P", syntax, flags)
    if not letter or letter.lower() not in syntax.classes or letter in syntax.controls:
        return None
    scan.at += 1
    kind, negated = letter.lower(), letter.isupper()
    if syntax.name != "python":
        return _named(syntax.classes[kind], negated, syntax, flags)
    if "a" in flags:
        ascii_ranges = {"d": classes.DIGIT, "w": classes.WORD, "s": classes.SPACE_VT}[kind]
        return _named(ascii_ranges, negated, syntax, flags)
    if kind == "s":
        return _named(classes.UNICODE_SPACE, negated, syntax, flags)
    if kind == "d":
        return _Item(properties=tuple((name, negated) for name, _ in classes.DIGIT_PROPERTIES))
    if negated:
        return _Item(not_word=True)
    return _Item(((0x5F, 0x5F),), classes.WORD_PROPERTIES)


def _property(scan: Scanner, negated: bool, syntax: Syntax, flags: FlagSet) -> _Item:
    if scan.ahead("{"):
        match = _PROPERTY.match(scan.text, scan.at)
        if match is None:
            raise scan.error("malformed Unicode class")
        scan.at = match.end()
        turned, name = match.groups()
        negated = negated != bool(turned)
    else:
        name = scan.next()
    if name == "Any":
        return _Item(() if negated else classes.ALL)
    if not name[0].isupper() or (len(name) == 1 and name not in "CLMNPSZ"):
        raise scan.error(f"unknown Unicode class {name}")
    if syntax.name == "pcre" and "i" in flags and name in ("Lu", "Ll", "Lt"):
        raise scan.error("case class under (?i)")
    return _Item(properties=((name, negated),))


def escaped_character(scan: Scanner, syntax: Syntax, in_class: bool = False) -> str:
    """The character that an escape stands for; the scanner stands behind the backslash."""
    letter = scan.next()
    if letter in syntax.controls:
        return syntax.controls[letter]
    if in_class and letter in syntax.class_controls:
        return syntax.class_controls[letter]
    if letter in "xuUNoc":
        return _numbered(letter, scan, syntax)
    if letter in "0123456789":
        return _octal(letter, scan, syntax, in_class)
    if (letter.isascii() and letter.isalpha()) or (syntax.name == "re2" and not letter.isascii()):
        raise RegexError(f"unknown escape \\{letter}", scan.at - 2)
    return letter


def _numbered(letter: str, scan: Scanner, syntax: Syntax) -> str:
    """``\\x``, ``\\u``, ``\\U``, ``\\N``, ``\\o``, ``\\c`` where the dialect has them."""
    start = scan.at - 2
    braced = re.compile(r"\{([0-9A-Fa-f]{1,8})\}").match(scan.text, scan.at)
    if letter == "x" and braced and syntax.name != "python":
        scan.at = braced.end()
        return scan.code_point(braced[1], 16)
    if letter == "o" and braced and syntax.name == "pcre" and not set(braced[1]) - set(_OCTAL):
        scan.at = braced.end()
        return scan.code_point(braced[1], 8)
    if letter == "c" and syntax.name == "pcre" and scan.more() and scan.peek().isascii():
        return chr(ord(scan.next().upper()) ^ 0x40)
    if letter == "N" and syntax.name == "python":
        name = re.compile(r"\{([^}]+)\}").match(scan.text, scan.at)
        if name is not None:
            scan.at = name.end()
            try:
                return unicodedata.lookup(name[1])
            except KeyError:
                raise RegexError(f"unknown character name {name[1]}", start) from None
    widths = {"x": 2, "u": 4, "U": 8} if syntax.name == "python" else {"x": 2}
    if letter in widths:
        digits = scan.taken_while(_HEX, widths[letter])
        if len(digits) == widths[letter] or syntax.name == "pcre":
            return scan.code_point(digits or "0", 16)
    raise RegexError(f"malformed or unknown escape \\{letter}", start)


def _octal(first: str, scan: Scanner, syntax: Syntax, in_class: bool) -> str:
    """A character by its octal number, told from a reference to a group as the dialect does."""
    start = scan.at - 2
    if first == "0":
        return scan.code_point(first + scan.taken_while(_OCTAL, 2), 8)
    rest = re.compile(r"[0-7]{0,2}").match(scan.text, scan.at)
    following = rest[0] if rest else ""
    if syntax.name == "re2":
        octal = first in _OCTAL and bool(following)
    elif syntax.name == "python":
        octal = first in _OCTAL and (in_class or len(following) == 2)
    else:
        octal = first in _OCTAL and in_class
    if not octal:
        raise RegexError(f"backreference \\{first}", start)
    scan.at += len(following)
    return scan.code_point(first + following, 8)
