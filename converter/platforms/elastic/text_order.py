"""Texts in the order of their characters, as Elasticsearch sorts keywords, as regular expressions.

Source: Elasticsearch, "Range query" and "Keyword type family": a range over keywords compares terms by their
bytes in UTF-8, which is the order of code points.
"""

from __future__ import annotations

import re
from typing import Final

from converter.model.expressions import Function, FunctionName, Operator, Predicate, Subject

LONGEST: Final = 100
"""Characters of a bound; RE2 nests no deeper than a thousand groups."""

_LAST: Final = 0x10FFFF
_LOWER: Final = (Function(FunctionName.LOWER),)


def ordered_text(subject: Subject, operator: Operator, text: str, *, ignore_case: bool = False) -> Predicate:
    """The subject's text comes before or after ``text``; with ``ignore_case`` both in lower case.

    Raises ValueError for a text that is too long.
    """
    if len(text) > LONGEST:
        raise ValueError(f"an order by a text of more than {LONGEST} characters")
    bound = text.lower() if ignore_case else text
    inclusive = operator in (Operator.GTE, Operator.LTE)
    above = operator in (Operator.GT, Operator.GTE)
    pattern = _above(bound, inclusive) if above else _below(bound, inclusive)
    return Predicate(subject, Operator.REGEX, (f"(?s)^{pattern}",), functions=_LOWER if ignore_case else ())


def _above(text: str, inclusive: bool) -> str:
    pattern = "" if inclusive else "."
    for character in reversed(text):
        after = _range(ord(character) + 1, _LAST)
        pattern = (
            f"(?:{after}|{re.escape(character)}{pattern})" if after else f"{re.escape(character)}{pattern}"
        )
    return pattern


def _below(text: str, inclusive: bool) -> str:
    pattern = "$" if inclusive else r"[^\x{0}-\x{10FFFF}]"
    for character in reversed(text):
        before = _range(0, ord(character) - 1)
        shorter = f"$|{before}" if before else "$"
        pattern = f"(?:{shorter}|{re.escape(character)}{pattern})"
    return pattern


def _range(first: int, last: int) -> str:
    """A class of the code points from one to another; empty for none. Surrogates are no characters."""
    return f"[\\x{{{first:X}}}-\\x{{{last:X}}}]" if first <= last else ""
