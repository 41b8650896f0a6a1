"""File names derived from rules, safe on every file system and the same on every platform."""

from __future__ import annotations

import re
import unicodedata

from converter.model.rule import Rule

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LONGEST = 67


def slug(rule: Rule) -> str:
    """The rule's title as ``[a-z0-9_]{1,67}``; a title without any such letter gives ``rule_<id>``."""
    plain = unicodedata.normalize("NFKD", rule.title).encode("ascii", "ignore").decode().lower()
    words = _NOT_WORD.sub("_", plain).strip("_")[:_LONGEST].strip("_")
    return words or "rule_" + _NOT_WORD.sub("_", rule.id.lower()).strip("_")[: _LONGEST - 5]
