"""Readers of operands: patterns, networks, address classes, numbers and timestamps.

Each ``parse_…`` takes the operand's text and gives it as it is, or raises :class:`BadValue`.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, time
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from converter.model import addresses, tables
from converter.model.problems import did_you_mean, shortened
from converter.model.scalars_in import BadValue
from converter.model.tables import Operand

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(?:[Zz]|[+-](\d\d):?(\d\d))?)?",
    re.ASCII,
)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LEAP_SECOND: Final = 60
_NETWORK = re.compile(r"[0-9a-fA-F:.]+/[0-9]{1,3}")

_OUTSIDE_RE2: Final = (
    ("(?=", "a lookahead (?=…)"),
    ("(?!", "a negative lookahead (?!…)"),
    ("(?<=", "a lookbehind (?<=…)"),
    ("(?<!", "a negative lookbehind (?<!…)"),
    ("(?>", "an atomic group (?>…)"),
    ("(?(", "a conditional (?(…)…)"),
    ("(?P=", "a back reference (?P=…)"),
    ("(?#", "a comment (?#…)"),
)
_BACK_REFERENCE = re.compile(r"\\[1-9]")
_OTHER_FLAVOUR: Final = {
    r"\Z": r"write \z for the end of the text",
    r"\h": r"write [ \t]",
    r"\R": r"write \r?\n",
}
_RE2_DOCS: Final = "RE2 has no such construct, because it runs in linear time; see its syntax page"


@lru_cache(maxsize=4_096)
def parse_regex(text: str, ignore_case: bool = False) -> str:
    """A pattern that RE2 compiles, as it is."""
    import re2  # a C extension, loaded for the rules that need it

    if not text:
        raise BadValue(
            "empty", "an empty regular expression matches everything", "ask `exists: true` for that"
        )
    _check_length(text)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise _regex_problem(text, said) from None
    except UnicodeEncodeError:
        raise BadValue("bad-regex", "half of a surrogate pair is no character") from None
    return text


def parse_wildcard(text: str) -> str:
    """The pattern of ``like``."""
    _check_length(text)
    return parse_operand_text(text)


def _check_length(pattern: str) -> None:
    if len(pattern) > tables.MAX_PATTERN_CHARACTERS:
        raise BadValue("too-long", f"a pattern has at most {tables.MAX_PATTERN_CHARACTERS} characters")


def _regex_problem(text: str, said: str) -> BadValue:
    """Why RE2 refused a pattern, in an author's words."""
    for start, name in _OUTSIDE_RE2:
        if said.endswith(start) or (start in text and "perl operator" in said):
            return BadValue("bad-regex", f"{name} is outside RE2: {said}", _RE2_DOCS)
    if "escape" in said:
        escape = said.rpartition(": ")[2]
        if _BACK_REFERENCE.fullmatch(escape):
            return BadValue("bad-regex", f"the back reference {escape} is outside RE2", _RE2_DOCS)
        return BadValue("bad-regex", f"not a regular expression in RE2: {said}", _OTHER_FLAVOUR.get(escape))
    if "bad repetition operator" in said:
        return BadValue("bad-regex", f"possessive or doubled repetition is outside RE2: {said}", _RE2_DOCS)
    return BadValue("bad-regex", f"not a regular expression in RE2: {shortened(said, 200)[1:-1]}")


def parse_network(text: str) -> str:
    """A network without host bits, or an address; as it is written."""
    try:
        if _NETWORK.fullmatch(text):
            ip_network(text)
        else:
            if "/" in text or "%" in text:
                raise ValueError
            ip_address(text)
    except ValueError:
        raise BadValue(
            "bad-cidr", f"expected {Operand.CIDR.value}, got {shortened(text)}", _network_hint(text)
        ) from None
    return text


def _network_hint(text: str) -> str | None:
    try:
        return f"without host bits it is {ip_network(text, strict=False)}"
    except ValueError:
        return None


def parse_ip_class(text: str) -> str:
    """A class of addresses."""
    if text in addresses.CLASSES:
        return text
    valid = ", ".join(addresses.CLASSES)
    hint = did_you_mean(text, addresses.CLASSES)
    if hint is None and _network_hint(text):
        hint = f"for a network write cidr: {text}"
    raise BadValue("unknown-class", f"expected one of {valid}; got {shortened(text)}", hint)


def parse_order(text: str) -> str:
    """The text operand of an order comparison: a timestamp, or a number written as text."""
    if _JSON_NUMBER.fullmatch(text):
        if len(text) > tables.MAX_NUMBER_CHARACTERS or not math.isfinite(float(text)):
            raise BadValue("bad-operand", f"{shortened(text)} is too large for a number")
        return text
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise BadValue("bad-operand", f"expected {Operand.ORDER.value}, got {shortened(text)}")
    year, month, day, hour, minute, second, zone_hour, zone_minute = (
        int(part or 0) for part in match.groups()
    )
    try:
        datetime(year, month, day, hour, minute, 59 if second == _LEAP_SECOND else second)
        time(zone_hour, zone_minute)
    except ValueError as error:
        raise BadValue("bad-operand", f"{shortened(text)} is no timestamp: {error}") from None
    return text


def parse_operand_text(text: str) -> str:
    """The operand of a text operator."""
    if not text:
        raise BadValue("empty", "an empty operand fits every text", "ask `exists: true` for that")
    return text
