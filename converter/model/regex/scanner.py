"""A cursor over a pattern, shared by the readers of all dialects."""

from __future__ import annotations

import re

from converter.model.regex.nodes import MAX_CODE_POINT, RegexError

_BRACES = re.compile(r"\{([0-9]*)(,([0-9]*))?\}")
_TOO_MANY = 1_000_000


class Scanner:
    """The text of a pattern and the place reached in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self.text)

    def peek(self) -> str:
        """The next character; the empty text at the end."""
        return self.text[self.at : self.at + 1]

    def ahead(self, text: str) -> bool:
        """Whether this text is next."""
        return self.text.startswith(text, self.at)

    def next(self) -> str:
        """The next character, taken."""
        if not self.more():
            raise self.error("pattern ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def take(self, text: str) -> bool:
        """Step over this text if it is next."""
        if not self.ahead(text):
            return False
        self.at += len(text)
        return True

    def taken_while(self, allowed: str, most: int) -> str:
        """Up to ``most`` characters, as long as they are among ``allowed``."""
        start = self.at
        while self.at - start < most and self.more() and self.peek() in allowed:
            self.at += 1
        return self.text[start : self.at]

    def code_point(self, digits: str, base: int) -> str:
        """The character of a number, refusing what is none."""
        number = int(digits, base)
        if number > MAX_CODE_POINT or 0xD800 <= number <= 0xDFFF:
            raise self.error("escape beyond Unicode")
        return chr(number)

    def braces(self, open_minimum: bool) -> tuple[int, int | None] | None:
        """``{n}``, ``{n,}``, ``{n,m}`` (``{,m}`` with ``open_minimum``) if next; else nothing is taken."""
        match = _BRACES.match(self.text, self.at)
        if match is None:
            return None
        low, comma, high = match.groups()
        if not low and not (open_minimum and comma):
            return None
        if len(low) > len(str(_TOO_MANY)) or len(high or "") > len(str(_TOO_MANY)):
            raise self.error("repeat count too large")
        self.at = match.end()
        minimum = int(low or 0)
        return minimum, minimum if not comma else int(high) if high else None

    def error(self, construct: str) -> RegexError:
        """A refusal at the current place."""
        return RegexError(construct, self.at)
