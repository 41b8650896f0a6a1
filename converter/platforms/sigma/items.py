"""One predicate as Sigma's detection items: a key (field and modifiers) and values.

What is written reads back as the same question (:mod:`converter.platforms.sigma.detections`): texts are
escaped, compared without case only where the rule asks for that, and never mistaken for numbers.
"""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec

from converter.evaluate.values import number_of
from converter.model.addresses import blocks_of
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    ORDER_OPERATORS,
    Concat,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    constants,
    references,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.regex import Literal, RegexError, parse, render
from converter.model.regex.syntax import Dialect
from converter.platforms.sigma.values import linear


class Item(msgspec.Struct, frozen=True):
    """``key: values``; several values are alternatives unless the key has the modifier ``all``."""

    key: str
    values: tuple[Any, ...]


_AFFIX: Final = {
    Operator.STARTS_WITH: "startswith",
    Operator.ENDS_WITH: "endswith",
    Operator.CONTAINS: "contains",
}
_SPECIAL: Final = "*?"


def items(predicate: Predicate, losses: Losses) -> list[Item] | None:
    """Items any of which says the predicate (or all of which, if it asks for all of several operands).

    None if nothing can say it.

    What cannot be said is recorded in ``losses``.
    """
    plain = _without_functions(predicate)
    if plain is None:
        names = ", ".join(function.name for function in predicate.functions)
        losses.refuse("value-function", f"Sigma has no value function {names}")
        return None
    if len(plain) > 1:
        found = [items(one, losses) for one in plain]
        return [item for some in found if some is not None for item in some]
    predicate = plain[0]
    if isinstance(predicate.subject, Concat):
        losses.refuse("concat", "Sigma cannot compare joined fields")
        return None
    name = field_name(predicate.subject, losses)
    if name is None:
        return None
    return _Writer(predicate, name, losses).items()


def field_name(path: FieldPath, losses: Losses) -> str | None:
    """The Sigma name of a stored path: its one key; an index behind it is lost."""
    name = str(path.steps[0])
    if len(path.steps) > 1:
        losses.lose(
            "array-index",
            Fidelity.WIDER,
            f"{path}: Sigma cannot address one place of a list, so any element may match",
        )
    if "|" in name or not name:
        losses.refuse("field-name", f"Sigma cannot name the field {name!r}")
        return None
    return name


def _without_functions(predicate: Predicate) -> list[Predicate] | None:
    """Predicates any of which says this one without value functions; None where there is no such way."""
    names = [function.name for function in predicate.functions]
    if not names:
        return [predicate]
    bare = msgspec.structs.replace(predicate, functions=())
    if predicate.operator is Operator.EXISTS and _NEVER_WITHOUT.issuperset(names):
        return [bare]
    if references(predicate):
        return None
    if names == [FunctionName.LENGTH]:
        return _of_length(bare)
    texts = [value for value in predicate.values if isinstance(value, str)]
    if len(texts) < len(predicate.values) or any(number_of(text) is not None for text in texts):
        return None
    if FunctionName.LOWER in names and predicate.operator in (Operator.IS, *_AFFIX):
        if any(text != text.lower() for text in texts):
            return None
        names.remove(FunctionName.LOWER)
        bare = msgspec.structs.replace(bare, ignore_case=True)
    if not names:
        return [bare]
    return _of_basename(bare, texts) if names == [FunctionName.BASENAME] else None


_NEVER_WITHOUT: Final = frozenset(FunctionName) - {FunctionName.SPLIT, FunctionName.JSON}
"""Functions that give something of every value."""


def _of_basename(bare: Predicate, texts: Sequence[str]) -> list[Predicate] | None:
    """What is asked of a path's last part, asked of the whole path."""
    if any(slash in text for text in texts for slash in "/\\"):
        return None
    match bare.operator:
        case Operator.ENDS_WITH:
            return [bare]
        case Operator.IS if not bare.all_of or len(texts) == 1:
            behind = tuple(slash + text for text in texts for slash in "\\/")
            ends = msgspec.structs.replace(bare, operator=Operator.ENDS_WITH, values=behind, all_of=False)
            return [bare, ends]
        case Operator.CONTAINS | Operator.STARTS_WITH:
            start = "" if bare.operator is Operator.CONTAINS else r"(^|[/\\])"
            patterns = tuple(f"{start}{render(Literal(text), 're2')}[^/\\\\]*$" for text in texts)
            return [msgspec.structs.replace(bare, operator=Operator.REGEX, values=patterns)]
    return None


_MOST_REPEATS: Final = 1000
"""Of one character in an RE2 pattern (RE2 syntax: repetition limit)."""


def _of_length(bare: Predicate) -> list[Predicate] | None:
    """How many characters a text has, as a regular expression."""
    patterns = []
    for value in bare.values:
        number = number_of(value) if isinstance(value, int | float | str) else None
        if number is None or number != int(number) or not 0 <= number < _MOST_REPEATS:
            return None
        size = int(number)
        counts = {
            Operator.IS: (size, size),
            Operator.GTE: (size, None),
            Operator.GT: (size + 1, None),
            Operator.LTE: (0, size),
            Operator.LT: (0, size - 1),
        }
        least, most = counts.get(bare.operator, (0, -1))
        if most is not None and most < least:
            return None
        patterns.append(f"(?s)^.{{{least},{'' if most is None else most}}}$")
    return [msgspec.structs.replace(bare, operator=Operator.REGEX, values=tuple(patterns), ignore_case=False)]


class _Writer:
    def __init__(self, predicate: Predicate, name: str, losses: Losses) -> None:
        self._predicate = predicate
        self._name = name
        self._losses = losses

    def items(self) -> list[Item] | None:
        operator = self._predicate.operator
        if operator is Operator.EXISTS:
            return [Item(f"{self._name}|exists", (True,))]
        scalars = constants(self._predicate)
        if references(self._predicate):
            asked = msgspec.structs.replace(self._predicate, values=scalars)
            rest = _Writer(asked, self._name, self._losses).items() if scalars else []
            own = self._referring()
            return None if rest is None or own is None else [*rest, *own]
        if operator in ORDER_OPERATORS:
            return self._order(scalars)
        if operator is Operator.CIDR:
            networks = [str(ipaddress.ip_network(str(value))) for value in scalars]
            return [self._item(("cidr",), networks)]
        if operator is Operator.IP:
            return self._classes([str(value) for value in scalars])
        if operator is Operator.REGEX:
            return self._regexes([str(value) for value in scalars])
        return self._texts(scalars)

    def _item(self, modifiers: Sequence[str], values: Sequence[Any]) -> Item:
        every = ("all",) if self._predicate.all_of and len(values) > 1 else ()
        return Item("|".join((self._name, *modifiers, *every)), tuple(values))

    def _referring(self) -> list[Item] | None:
        """A comparison with other fields. A list of them is any of them, or with ``all`` each.

        Sigma Specification, Modifiers: ``fieldref`` takes the name of a field, and the text modifiers beside
        it say which part of the value that field's is.
        """
        operator, operands = self._predicate.operator, references(self._predicate)
        paths = [operand for operand in operands if isinstance(operand, FieldPath)]
        if operator in ORDER_OPERATORS or len(paths) < len(operands):
            self._losses.refuse("same-as", "Sigma compares a field with others as they are, and not by order")
            return None
        names = [field_name(path, self._losses) for path in paths]
        if None in names:
            return None
        cased = () if self._predicate.ignore_case else ("cased",)
        affix = (_AFFIX[operator],) if operator in _AFFIX else ()
        return [self._item((*cased, "fieldref", *affix), [escaped(str(name)) for name in names])]

    def _order(self, values: Sequence[Scalar]) -> list[Item] | None:
        numbers = [number_of(value) for value in values]
        if any(number is None for number in numbers):
            self._losses.refuse("time-order", "Sigma compares numbers only, not times")
            return None
        return [self._item((str(self._predicate.operator),), numbers)]

    def _classes(self, names: Sequence[str]) -> list[Item] | None:
        if self._predicate.all_of and len(names) > 1:
            self._losses.refuse("ip-class", "Sigma cannot ask for addresses of several classes at once")
            return None
        networks = dict.fromkeys(network for name in names for network in _class_networks(name))
        return [self._item(("cidr",), list(networks))]

    def _regexes(self, patterns: Sequence[str]) -> list[Item] | None:
        written = [_portable(pattern) for pattern in patterns]
        if None in written:
            bad = patterns[written.index(None)]
            self._losses.refuse(
                "regex-construct", f"the pattern {bad[:80]!r} cannot be written for Sigma's tools"
            )
            return None
        return [self._item(("re", "i") if self._predicate.ignore_case else ("re",), written)]

    def _texts(self, values: Sequence[Scalar]) -> list[Item]:
        """is, like and the affixes: one item for each set of modifiers."""
        groups: dict[tuple[str, ...], list[Any]] = {}
        for value in values:
            modifiers, written = self._text(value)
            groups.setdefault(modifiers, []).append(written)
        if self._predicate.all_of and len(values) > 1 and len(groups) > 1:
            return [
                Item(
                    "|".join((self._name, *modifiers, *(("all",) if len(written) > 1 else ()))),
                    tuple(written),
                )
                for modifiers, written in groups.items()
            ]
        return [self._item(modifiers, written) for modifiers, written in groups.items()]

    def _text(self, value: Scalar) -> tuple[tuple[str, ...], Any]:
        operator = self._predicate.operator
        if operator is Operator.IS and not isinstance(value, str):
            folded = isinstance(value, bool) and self._predicate.ignore_case
            return (), str(value).lower() if folded else value
        text = str(value).lower() if isinstance(value, bool) else str(value)
        cased = ("cased",) if not self._predicate.ignore_case and has_case(text) else ()
        if operator is Operator.LIKE:
            plain = _unescaped(text)
            if _is_literal(text) and number_of(plain) is not None:  # 1.0 is 1, but is not written like it
                return ("re", "i") if self._predicate.ignore_case else ("re",), f"^{re.escape(plain)}$"
            return cased, from_like(text)
        return ((*((_AFFIX[operator],) if operator in _AFFIX else ()), *cased)), escaped(text)


def has_case(text: str) -> bool:
    """Whether ignoring case makes a difference to what the text matches."""
    return text.lower() != text or text.upper() != text


def escaped(text: str) -> str:
    """A text in which nothing is a wildcard (Sigma specification, "Escaping")."""
    out: list[str] = []
    for position, character in enumerate(text):
        after = text[position + 1 : position + 2]
        if character in _SPECIAL or (character == "\\" and after and after in "\\*?"):
            out.append("\\")
        out.append(character)
    return "".join(out)


def _tokens(pattern: str) -> list[tuple[str, bool]]:
    """A canonical wildcard pattern as characters, each with whether it is a wildcard."""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and pattern[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            found.append((pattern[position], False))
        else:
            found.append((character, character in _SPECIAL))
        position += 1
    return found


def _is_literal(pattern: str) -> bool:
    return not any(wild for _, wild in _tokens(pattern))


def _unescaped(pattern: str) -> str:
    return "".join(character for character, _ in _tokens(pattern))


def from_like(pattern: str) -> str:
    """A canonical wildcard pattern as a Sigma text."""
    out: list[str] = []
    found = _tokens(pattern)
    for position, (character, wild) in enumerate(found):
        after = found[position + 1][0] if position + 1 < len(found) else ""
        if not wild and (character in _SPECIAL or (character == "\\" and after and after in "\\*?")):
            out.append("\\")
        out.append(character)
    return "".join(out)


@cache
def _portable(pattern: str) -> str | None:
    """The pattern in a form that Python's engine takes (pySigma checks by it) and that means the same."""
    try:
        tree = parse(pattern, "re2")
    except RegexError:
        return None
    for candidate in _candidates(pattern):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                re.compile(candidate)
            if parse(linear(candidate), "re2") == tree:
                return candidate
        except (RegexError, re.error, Warning, OverflowError, RecursionError):
            continue
    return None


def _candidates(pattern: str) -> list[str]:
    found = [pattern]
    dialects: tuple[Dialect, ...] = ("re2", "pcre", "python")
    for dialect in dialects:
        try:
            found.append(render(parse(pattern, "re2"), dialect))
        except RegexError:
            continue
    return found


@cache
def _class_networks(name: str) -> tuple[str, ...]:
    """An address class as networks that need no exceptions."""
    remaining = blocks_of(name)
    v4 = ipaddress.collapse_addresses([n for n in remaining if isinstance(n, ipaddress.IPv4Network)])
    v6 = ipaddress.collapse_addresses([n for n in remaining if isinstance(n, ipaddress.IPv6Network)])
    return (*map(str, v4), *map(str, v6))
