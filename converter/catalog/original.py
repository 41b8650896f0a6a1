"""The logic of a rule as its platform has it: its query, its code, or the part of its file that holds it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from converter.platforms.collection import Collected

CANONICAL: Final = "canonical"
"""The platform of origin of a rule that was authored here."""

LARGEST_TEXT: Final = 200_000
"""Characters of a text that are shown with a rule; of a larger one (an export of many rules) none are."""

_KEYS: Final = {
    CANONICAL: "logsource|indicators|exclusions|threshold|sequence|new_terms",
    "panther": "Detection|InlineFilters",
    "sigma": "logsource|detection|correlation|filter",
}
"""The keys of a rule's YAML that its logic stands under, for platforms without a query language."""

_YAML: Final = (".yml", ".yaml")
_DOCUMENT: Final = re.compile(r"^---(?:\s|\Z)", re.MULTILINE)


def original(read: Collected, written: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The logic as written, and its language (``yaml`` and ``python`` among them); both empty if unknown.

    ``written``: name and text of the files that hold the rule.
    """
    if read.query:
        return (read.query, read.language) if len(read.query) <= LARGEST_TEXT else ("", "")
    for name, text in written:
        if read.platform == "panther" and name.endswith(".py"):
            return text, "python"
    for name, text in written:
        if name.endswith(_YAML) and not _DOCUMENT.search(text, pos=4):
            return _under(_KEYS.get(read.platform, ""), text), "yaml"
    return _under(_KEYS[CANONICAL], read.text) if read.platform == CANONICAL else "", "yaml"


def _under(keys: str, text: str) -> str:
    """The lines of top-level keys and of what stands under them."""
    if not keys:
        return ""
    section = rf"^(?:{keys})[ \t]*:.*?(?=^[^\s#-]|\Z)"
    return "".join(found[0] for found in re.finditer(section, text, re.DOTALL | re.MULTILINE)).rstrip()
