"""From a Sigma value, with its modifiers applied, to what the canonical rule asks of a field.

Sigma's rules (Sigma specification, "Value modifiers" and "Wildcards"): texts are compared without case
unless ``cased``, regular expressions with case unless ``i``; ``*`` and ``?`` are wildcards, ``\\`` makes them
literal.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final, TypeAlias

import msgspec
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from converter.model.expressions import Operator, Scalar
from converter.model.regex import Literal, RegexError, parse, render
from converter.model.tables import MAX_PATTERN_CHARACTERS

DASHES: Final = ("-", "/", "\u2013", "\u2014", "\u2015")
"""What ``windash`` lets stand for one another (Sigma specification, modifier ``windash``)."""
MAX_DASHES: Final = 3
"""Up to so many dashes in one value are written out as 5 ** n texts; with more they become a regex."""

Part: TypeAlias = str | SpecialChars | Placeholder
_ANY = SpecialChars.WILDCARD_MULTI
_ONE = SpecialChars.WILDCARD_SINGLE


class Dash(Placeholder):
    """A dash that ``windash`` made any of :data:`DASHES`."""

    def __init__(self) -> None:
        super().__init__("windash")


class Asked(msgspec.Struct, frozen=True):
    """One operand of one operator. ``missing``: that the field has no value; then there is no operand."""

    operator: Operator
    operand: Scalar = ""
    ignore_case: bool = False
    missing: bool = False


class FieldAsked(msgspec.Struct, frozen=True):
    """A comparison with another field, named as Sigma does: ``same_as``, or with a part of the text."""

    field: str
    operator: Operator = Operator.SAME_AS


class ValueProblem(ValueError):
    """A value that cannot be carried over. ``code`` says why."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


_ORDER: Final = {
    CompareOperators.GT: Operator.GT,
    CompareOperators.GTE: Operator.GTE,
    CompareOperators.LT: Operator.LT,
    CompareOperators.LTE: Operator.LTE,
}


def asked(value: SigmaType) -> list[Asked | FieldAsked]:
    """What the value asks: any of the results. Raises :class:`ValueProblem`."""
    match value:
        case SigmaExpansion():
            return [one for inner in value.values for one in asked(inner)]
        case SigmaString():
            cased = isinstance(value, SigmaCasedString)
            return [of_parts(parts, cased) for parts in variants(list(value.s))]
        case SigmaNull():
            return [Asked(Operator.EXISTS, missing=True)]
        case SigmaExists():
            return [Asked(Operator.EXISTS, missing=not value.exists)]
        case SigmaBool():
            return [Asked(Operator.IS, str(value.boolean).lower(), ignore_case=True)]
        case SigmaNumber():
            return [Asked(Operator.IS, value.number)]
        case SigmaRegularExpression():
            return [_regex(value)]
        case SigmaCIDRExpression():
            return [Asked(Operator.CIDR, str(value.network))]
        case SigmaCompareExpression():
            return [Asked(_ORDER[value.op], value.number.number)]
        case SigmaFieldReference():
            return [FieldAsked(value.field, _PARTS[value.starts_with, value.ends_with])]
    raise ValueProblem("modifier", f"a value of kind {type(value).__name__} is not known")


_PARTS: Final = {
    (False, False): Operator.SAME_AS,
    (True, False): Operator.STARTS_WITH,
    (False, True): Operator.ENDS_WITH,
    (True, True): Operator.CONTAINS,
}
"""Whether the other field's text has to be at the start of the value, or at its end; both: anywhere."""


def _regex(value: SigmaRegularExpression) -> Asked:
    if value.contains_placeholder():
        raise _placeholder(list(value.regexp.s))
    flags = value.flags
    letters = ("m" if SigmaRegularExpressionFlag.MULTILINE in flags else "") + (
        "s" if SigmaRegularExpressionFlag.DOTALL in flags else ""
    )
    pattern = (f"(?{letters})" if letters else "") + str(value.regexp)
    try:
        return Asked(Operator.REGEX, linear(pattern), SigmaRegularExpressionFlag.IGNORECASE in flags)
    except RegexError as error:
        raise ValueProblem("regex-construct", f"regular expression {pattern[:80]!r}: {error}") from error


def linear(pattern: str) -> str:
    """The pattern in RE2's syntax: as it stands where it is RE2's, else carried over from PCRE's.

    Sigma leaves the engine open and asks for what all of them share (Sigma specification, modifier ``re``),
    so a pattern that RE2 takes means what RE2 means by it. Raises RegexError for what RE2 lacks.
    """
    if not pattern or len(pattern) > MAX_PATTERN_CHARACTERS:
        raise RegexError("a pattern of this length" if pattern else "an empty pattern")
    try:
        parse(pattern, "re2")
    except RegexError:
        return render(parse(pattern, "pcre"), "re2")
    return pattern


def _placeholder(parts: list[Part]) -> ValueProblem:
    names = ", ".join(f"%{p.name}%" for p in parts if isinstance(p, Placeholder) and not isinstance(p, Dash))
    return ValueProblem(
        "placeholder",
        f"the values of the placeholder {names} are not in the rule",
        "write the values out in place of the placeholder",
    )


def variants(parts: list[Part]) -> Iterator[list[Part]]:
    """The parts with every dash written out, if there are few; else as they are. Raises ValueProblem."""
    if any(isinstance(p, Placeholder) and not isinstance(p, Dash) for p in parts):
        raise _placeholder(parts)
    dashes = sum(isinstance(part, Dash) for part in parts)
    if not 0 < dashes <= MAX_DASHES:
        yield parts
        return
    for chosen in product(DASHES, repeat=dashes):
        dash = iter(chosen)
        yield [next(dash) if isinstance(part, Dash) else part for part in parts]


def merged(parts: list[Part]) -> list[Part]:
    """Neighbouring texts as one, and no two ``*`` in a row."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "" and not (part is _ANY and result and result[-1] is _ANY):
            result.append(part)
    return result


def of_parts(given: list[Part], cased: bool) -> Asked:
    """A text with wildcards as the simplest operator that says it."""
    parts = merged(given)
    if any(isinstance(part, Dash) for part in parts):
        return Asked(Operator.REGEX, _dash_pattern(parts), not cased)
    match parts:
        case []:
            return Asked(Operator.IS, "")
        case [str(text)]:
            return Asked(Operator.IS, text, not cased)
        case [part] if part is _ANY:
            return Asked(Operator.EXISTS)
        case [str(text), part] if part is _ANY:
            return Asked(Operator.STARTS_WITH, text, not cased)
        case [part, str(text)] if part is _ANY:
            return Asked(Operator.ENDS_WITH, text, not cased)
        case [first, str(text), last] if first is _ANY and last is _ANY:
            return Asked(Operator.CONTAINS, text, not cased)
    pattern = "".join(_like(part) for part in parts)
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ValueProblem("too-long", f"a pattern of {len(pattern)} characters")
    return Asked(Operator.LIKE, pattern, not cased)


_WILDCARDS: Final = {_ANY: "*", _ONE: "?"}
_LIKE_ESCAPES: Final = str.maketrans({"\\": "\\\\", "*": "\\*", "?": "\\?"})


def _like(part: Part) -> str:
    if isinstance(part, str):
        return part.translate(_LIKE_ESCAPES)
    assert isinstance(part, SpecialChars)
    return _WILDCARDS[part]


def _dash_pattern(parts: list[Part]) -> str:
    texts = {_ANY: ".*", _ONE: "."}
    body = ""
    for part in parts:
        if isinstance(part, Dash):
            body += f"[{''.join(DASHES[1:])}-]"
        elif isinstance(part, str):
            body += render(Literal(part), "re2")
        else:
            assert isinstance(part, SpecialChars)
            body += texts[part]
    start = "" if parts[0] is _ANY else r"\A"
    end = "" if parts[-1] is _ANY else r"\z"
    body = body.removeprefix(".*") if not start else body
    body = body.removesuffix(".*") if not end else body
    return f"(?s){start}{body}{end}"


ENCODINGS: Final[Mapping[str, tuple[bytes, str]]] = {
    "wide": (b"", "utf-16-le"),
    "utf16be": (b"", "utf-16-be"),
    "utf16": (b"\xff\xfe", "utf-16-le"),
}
"""What stands before the text, and its encoding (Sigma modifiers appendix, "Encoding")."""


def encoded(value: SigmaString, offsets: bool, encoding: str | None = None) -> list[str]:
    """The text in Base64: as it is, or the part that stays the same at each of three offsets.

    ``encoding``: one of :data:`ENCODINGS`, else UTF-8. (pySigma counts characters where bytes count, encodes
    the escape of a literal ``*``, and knows the wide forms of ASCII alone.)
    Raises ValueProblem for wildcards, which have no Base64 form.
    """
    mark, codec = ENCODINGS[encoding] if encoding else (b"", "utf-8")
    results: list[str] = []
    for parts in variants(list(value.s)):
        text = ""
        for part in parts:
            if not isinstance(part, str):
                raise ValueProblem("base64", "a text with wildcards cannot be encoded in Base64")
            text += part
        try:
            data = mark + text.encode(codec)
        except UnicodeEncodeError as error:
            raise ValueProblem("base64", "half a surrogate pair cannot be encoded") from error
        results.extend(_at_offsets(data) if offsets else [b64encode(data).decode()])
    return results


def _at_offsets(data: bytes) -> Iterator[str]:
    """What ``data`` is in Base64 when it starts 0, 1 or 2 bytes into a group, less what others decide."""
    for before in range(3):
        text = b64encode(b"\0" * before + data).decode()
        end = {0: None, 1: -3, 2: -2}[(len(data) + before) % 3]
        yield text[(0, 2, 3)[before] : end]
