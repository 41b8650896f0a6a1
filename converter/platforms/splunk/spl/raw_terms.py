"""Words and phrases of a search that name no field: whole segments of the raw event.

An event is cut into segments at major breakers, and these again at minor breakers; a search term has to be a
segment, or a run of them (Search Manual, "Event segmentation and searching", with both lists of breakers).
``TERM()`` looks between major breakers alone (Search Manual, "Use CASE() and TERM() to match phrases"). A
wildcard inside of a term finds different things with and without punctuation (Search Manual, "Wildcards in
search"), so only those at its ends are read.
"""

from __future__ import annotations

from typing import Final

from converter.model.expressions import TRUE, Expression, Operator, Predicate
from converter.model.paths import FieldPath
from converter.model.regex import Literal, render
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.text import has_case

RAW: Final = FieldPath(("_raw",))
_MAJOR: Final = "[]<>(){}|!;,'\"*\n\r \t&?+"
_MINOR: Final = "/:=@.-$#%\\_"
_CODED: Final = "%(?:21|26|2526|3B|7C|20|2B|3D|2520|5D|5B|3A|0A|2C|28|29)"
"""Major breakers of several characters (percent-encoded punctuation), as they stand before a segment."""


def raw_test(value: s.Text, at: int) -> Expression:
    """Whether the raw event holds the term. Raises SplError for a wildcard inside of it."""
    text = value.text
    inner = text.strip("*")
    if not inner:
        return TRUE
    if "*" in inner:
        raise SplError(f"the raw text {text!r} has a wildcard inside", at, "raw-text")
    breakers = _MAJOR if value.term else _MAJOR + _MINOR
    folds = not value.cased and has_case(inner)
    start = "" if text.startswith("*") or inner[0] in breakers else _edge(breakers, start=True)
    end = "" if text.endswith("*") or inner[-1] in breakers else _edge(breakers, start=False)
    if not start and not end:
        return Predicate(RAW, Operator.CONTAINS, (inner,), ignore_case=folds)
    pattern = f"{start}{render(Literal(inner), 're2')}{end}"
    return Predicate(RAW, Operator.REGEX, (pattern,), ignore_case=folds)


def _edge(breakers: str, start: bool) -> str:
    """What has to stand before (after) a segment: an end of the text, or a breaker."""
    one = "".join("\\" + sign if sign in "[]-\\^" else sign for sign in breakers)
    one = one.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return rf"(?:\A|[{one}]|{_CODED})" if start else rf"(?:[{one}]|\z)"
