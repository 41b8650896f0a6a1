"""Numbers as SPL writes them."""

from __future__ import annotations


def number_text(number: int | float) -> str:
    """A number literal, without an exponent."""
    text = repr(number) if isinstance(number, float) else str(number)
    if "e" in text or "E" in text:
        text = f"{number:.17f}".rstrip("0")
    return text.removesuffix(".0").removesuffix(".")
