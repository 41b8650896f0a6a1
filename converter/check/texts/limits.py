"""How much work a search may take."""

from __future__ import annotations


class TooLarge(Exception):
    """A problem is beyond what is searched; it is neither solved nor proved impossible."""
