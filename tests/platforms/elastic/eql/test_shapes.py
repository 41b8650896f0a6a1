"""Regular expressions for places in a text, orders of texts and of addresses: held to plain Python."""

from __future__ import annotations

import ipaddress
import operator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources.pack import FieldType
from converter.model.expressions import Operator, Predicate
from converter.model.paths import FieldPath
from converter.platforms.elastic.eql import shapes
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.text_order import LONGEST, ordered_text
from converter.platforms.elastic.typed import ordered

FIELD = FieldPath(("f",))
SIGNS = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}
TEXTS = st.text(alphabet="ab.\n(é\U0001f512", max_size=8)
PARTS = st.text(alphabet="ab.(", min_size=1, max_size=3)
PLACES = st.integers(-6, 6)


def fits(shape: str | None, text: str) -> bool:
    return shape is not None and matches(Predicate(FIELD, Operator.REGEX, (shape,)), {"f": text})


@given(TEXTS, PARTS, st.integers(0, 6), st.integers(0, 4))
def test_places_of_a_part(text: str, part: str, first: int, more: int) -> None:
    found = [at for at in range(len(text)) if text.startswith(part, at)]
    assert fits(shapes.at(first, part), text) == (first in found)
    assert fits(shapes.from_position(first, part), text) == (text.find(part, first) >= 0)
    inside = any(first <= at <= first + more for at in found)
    assert fits(shapes.between_positions(first, first + more, part), text) == inside


@given(TEXTS, PARTS, PLACES, st.none() | PLACES)
def test_slices(text: str, part: str, start: int, end: int | None) -> None:
    if start < 0 and end is not None and end >= 0:
        with pytest.raises(ValueError, match="counted from"):
            shapes.sliced(part, start, end)
    else:
        assert fits(shapes.sliced(part, start, end), text) == (text[start:end] == part)


def between(text: str, left: str, right: str, greedy: bool) -> str | None:
    """What stands between two delimiters, by searching for them; None where they do not stand so."""
    start = text.find(left)
    if start < 0:
        return None
    rest = text[start + len(left) :]
    end = rest.rfind(right) if greedy else rest.find(right)
    return None if end < 0 else rest[:end]


@given(TEXTS, TEXTS, PARTS, PARTS, st.booleans())
def test_texts_between_delimiters(text: str, inner: str, left: str, right: str, greedy: bool) -> None:
    assume(left[0] not in left[1:] and right[0] not in right[1:])
    for whole in (text, text + left + inner + right, left + inner + right + text):
        for asked in (inner, between(whole, left, right, greedy) or "x"):
            found = fits(shapes.enclosed(asked, left, right, greedy), whole)
            assert found == (between(whole, left, right, greedy) == asked)


@given(TEXTS, PARTS, st.sampled_from("ab.("), st.integers(0, 4))
def test_lengths_between_delimiters(text: str, left: str, right: str, least: int) -> None:
    assume(left[0] not in left[1:])
    found = between(text, left, right, greedy=False)
    shape = shapes.enclosed_longer(least, left, right)
    assert fits(shape, text) == (found is not None and len(found) >= least)


@pytest.mark.parametrize("delimiter", ["aXa", "", "Aa"])
def test_delimiters_that_overlap_themselves_are_refused(delimiter: str) -> None:
    with pytest.raises(ValueError, match="delimiter"):
        shapes.enclosed("x", delimiter, "b", greedy=False)


@given(TEXTS, TEXTS.filter(bool), st.sampled_from(sorted(SIGNS)), st.booleans())
def test_order_of_texts(value: str, bound: str, sign: Operator, ignore_case: bool) -> None:
    asked = ordered_text(FIELD, sign, bound, ignore_case=ignore_case)
    folded = (value.lower(), bound.lower()) if ignore_case else (value, bound)
    assert matches(asked, {"f": value}) == SIGNS[sign](*folded)


def test_a_long_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        ordered_text(FIELD, Operator.GT, "a" * (LONGEST + 1))
    assert matches(ordered_text(FIELD, Operator.LTE, "a" * LONGEST), {"f": "a" * (LONGEST - 1)})


ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


def place(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """Where Elasticsearch sorts an address: IPv4 ones as mapped IPv6 ones."""
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


@given(ADDRESSES, ADDRESSES, st.sampled_from(sorted(SIGNS)))
def test_order_of_addresses(
    value: ipaddress.IPv4Address | ipaddress.IPv6Address,
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address,
    sign: Operator,
) -> None:
    assume(not isinstance(value, ipaddress.IPv6Address) or value.ipv4_mapped is None)
    fields = StoredFields.of_types({"f": FieldType.IP})
    asked = ordered(fields, FIELD, sign, str(bound))
    assert matches(asked, {"f": str(value)}) == SIGNS[sign](place(value), place(bound))
