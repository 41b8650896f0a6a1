"""The form that a log source's values have beyond their type.

A field that some platform stores in parts has values of just so many parts: ``DOMAIN\\user`` of a Windows
account. A value of another form is malformed, as a number sent as text is, and its parts are not stored.
"""

from __future__ import annotations

import re
from functools import lru_cache

from converter.logsources.pack import Field


def form_of(field: Field | None) -> str | None:
    """A regular expression that the text of every well-formed value satisfies; None if any text will do."""
    if field is None:
        return None
    parts = dict.fromkeys((at.separator, len(at.join)) for at in field.platforms.values() if at.join)
    return next((_of_parts(separator, count) for separator, count in parts), None)


@lru_cache(maxsize=64)
def _of_parts(separator: str, count: int) -> str:
    """So many parts, none of them empty, that do not hold the separator's first character."""
    part = f"[^{re.escape(separator[:1])}]+"
    return f"^{re.escape(separator).join([part] * count)}$"
