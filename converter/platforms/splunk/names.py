"""Names of a detection and of its files.

contentctl derives a detection's file name from its name (lower case, and ``_`` for space, ``-``, ``.`` and
``/``) and allows 67 characters (contentctl.objects.constants, SecurityContentObject.contentNameToFileName).
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

from converter.model.rule import Rule
from converter.platforms.naming import slug

LONGEST_NAME = 67
_WORD = re.compile(r"[A-Za-z0-9]+")
_KEPT_BETWEEN = frozenset(" -./")


class Names(msgspec.Struct, frozen=True):
    """``name``: the detection's; ``stem``: of its files, derived from it as contentctl does."""

    name: str
    stem: str
    shortened: bool

    @property
    def filter_macro(self) -> str:
        """The macro in which a team excludes its own false positives."""
        return f"{self.stem}_filter"


def names_of(rule: Rule) -> Names:
    """The names of a rule's detection. A title that is too long ends in the start of the rule's id."""
    plain = unicodedata.normalize("NFKD", rule.title).encode("ascii", "ignore").decode()
    name = _spaced(plain)
    if not name:
        stem = slug(rule)
        return Names(stem.replace("_", " "), stem, False)
    if len(name) <= LONGEST_NAME:
        return Names(name, _stem(name), False)
    mark = re.sub(r"[^0-9a-z]", "", rule.id.lower())[:8]
    words = name[: LONGEST_NAME - len(mark) - 1].rstrip(" -./")
    name = f"{words} {mark}"
    return Names(name, _stem(name), True)


def _spaced(text: str) -> str:
    """The words of a title, with the one separator between two of them kept where contentctl allows it."""
    parts: list[str] = []
    end = 0
    for word in _WORD.finditer(text):
        if parts:
            between = text[end : word.start()]
            parts.append(between if between in _KEPT_BETWEEN else " ")
        parts.append(word[0])
        end = word.end()
    return "".join(parts)


def _stem(name: str) -> str:
    return re.sub(r"[ \-./]", "_", name).lower()
