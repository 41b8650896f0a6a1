"""What goes wrong when SPL is read."""

from __future__ import annotations


class SplError(ValueError):
    """Text that is no SPL we know, at ``offset`` of the expanded text. ``code`` as in a Diagnostic."""

    def __init__(self, message: str, offset: int = 0, code: str = "spl-syntax") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.code = code
