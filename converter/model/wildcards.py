"""Names and texts with ``*`` in them."""

from __future__ import annotations

import re


def wildcard_regex(pattern: str) -> str:
    """What a text with ``*`` for any run of characters stands for, as a pattern (with ``re.DOTALL``).

    Each part between two wildcards is taken at the first place where it stands, and at no other: so many of
    them fit or fail in linear time.
    """
    first, *others = map(re.escape, pattern.split("*"))
    if not others:
        return first
    *inner, last = others
    return f"{first}{''.join(f'(?>.*?{part})' for part in inner if part)}.*{last}"
