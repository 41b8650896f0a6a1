"""What each dialect writes: escapes, flags and refusals, as tables to hold against the manuals.

Sources: RE2, "Syntax" (google/re2 wiki); Python library reference, "re — Regular expression operations";
PCRE2, pcre2pattern and pcre2syntax; Lucene, class ``RegExp`` (org.apache.lucene.util.automaton) and the
Elasticsearch guide, "Regular expression syntax".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal as OneOf

import msgspec

from converter.model.regex import classes
from converter.model.regex.classes import Ranges
from converter.model.regex.nodes import AnchorKind

Dialect = OneOf["re2", "python", "pcre", "lucene"]
DIALECTS: tuple[Dialect, ...] = ("re2", "python", "pcre", "lucene")

MAX_DEPTH = 60
"""Groups nested deeper than this are refused; no engine here reads many more (RE2 stops at 1,000)."""
MAX_COUNT = 1000
"""RE2 refuses counts above this, also as the product of nested counts ("Implementation restriction")."""


class Syntax(msgspec.Struct, frozen=True):
    """The settings of one backslash dialect for :class:`converter.model.regex.parse.Parser`.

    ``refused``: letter after the backslash → what it is called. ``late_flags``: flags may change inside a
    group. ``open_minimum``: ``{,m}`` is a repeat.
    ``folds_classes``: ignoring case widens ``\\w`` and its like.
    """

    name: Dialect
    flags: str
    controls: Mapping[str, str]
    anchors: Mapping[str, AnchorKind]
    classes: Mapping[str, Ranges]
    refused: Mapping[str, str]
    dollar: AnchorKind
    name_openers: tuple[str, ...]
    class_controls: Mapping[str, str] = {}
    posix: bool = False
    properties: bool = False
    quoting: bool = False
    late_flags: bool = True
    open_minimum: bool = False
    comments: bool = False
    possessive: bool = True
    folds_classes: bool = False


_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PERL = {"d": classes.DIGIT, "w": classes.WORD}
_TEXT = {"A": AnchorKind.TEXT_START}

RE2 = Syntax(
    name="re2",
    flags="imsU",
    controls={**_CONTROLS, "v": "\v"},
    anchors={
        **_TEXT,
        "z": AnchorKind.TEXT_END,
        "b": AnchorKind.WORD,
        "B": AnchorKind.NOT_WORD,
    },
    classes={**_PERL, "s": classes.SPACE},
    refused={"C": "single byte \\C"},
    dollar=AnchorKind.TEXT_END,
    name_openers=("P<", "<"),
    posix=True,
    properties=True,
    quoting=True,
    possessive=False,
    folds_classes=True,
)

PYTHON = Syntax(
    name="python",
    flags="aimsux",
    controls={**_CONTROLS, "v": "\v"},
    class_controls={"b": "\b"},
    anchors={
        **_TEXT,
        "Z": AnchorKind.TEXT_END,
        "b": AnchorKind.UNICODE_WORD,
        "B": AnchorKind.NOT_UNICODE_WORD,
    },
    classes={"d": (), "w": (), "s": classes.UNICODE_SPACE},
    refused={},
    dollar=AnchorKind.FINAL_NEWLINE,
    name_openers=("P<",),
    late_flags=False,
    open_minimum=True,
    comments=True,
)

PCRE = Syntax(
    name="pcre",
    flags="imsxnJU",
    controls={**_CONTROLS, "e": "\x1b"},
    class_controls={"b": "\b"},
    anchors={
        **_TEXT,
        "z": AnchorKind.TEXT_END,
        "Z": AnchorKind.FINAL_NEWLINE,
        "b": AnchorKind.WORD,
        "B": AnchorKind.NOT_WORD,
    },
    classes={**_PERL, "s": classes.SPACE_VT, "h": classes.HORIZONTAL, "v": classes.VERTICAL},
    refused={
        "C": "single code unit \\C",
        "G": "start-of-match anchor \\G",
        "K": "match reset \\K",
        "R": "newline sequence \\R",
        "X": "grapheme cluster \\X",
        "g": "backreference \\g",
        "k": "backreference \\k",
    },
    dollar=AnchorKind.FINAL_NEWLINE,
    name_openers=("P<", "<", "'"),
    posix=True,
    properties=True,
    quoting=True,
    comments=True,
)

SYNTAXES: Mapping[str, Syntax] = {"re2": RE2, "python": PYTHON, "pcre": PCRE}

REFUSED_GROUPS: tuple[tuple[str, str], ...] = (
    ("=", "lookahead (?=…)"),
    ("!", "negative lookahead (?!…)"),
    ("<=", "lookbehind (?<=…)"),
    ("<!", "negative lookbehind (?<!…)"),
    (">", "atomic group (?>…)"),
    ("*", "lookaround (?*…)"),
    ("P=", "backreference (?P=…)"),
    ("P>", "recursion (?P>…)"),
    ("(", "conditional (?(…)…)"),
    ("R", "recursion (?R)"),
    ("&", "recursion (?&…)"),
    ("+", "recursion (?+…)"),
    ("C", "callout (?C…)"),
    ("|", "branch reset (?|…)"),
    *((digit, "recursion (?n)") for digit in "0123456789"),
)
"""What may follow ``(?`` in some dialect and has no place in a tree. Looked at after flags and names."""
