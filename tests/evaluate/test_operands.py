"""A predicate with several operands looks them up together; that means what each by itself means."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import compile_expression
from converter.model.expressions import Operator, Predicate
from converter.model.paths import FieldPath

FIELD = FieldPath(("a",))
NETWORKS = [
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.3",
    "0.0.0.0/0",
    "192.168.128.0/17",
    "2001:db8::/32",
    "::ffff:0:0/96",
    "::1",
    "fe80::/10",
]
ADDRESSES = [
    *("10.1.2.3", "10.2.0.0", "11.0.0.0", "192.168.127.255", "192.168.128.0", "010.0.0.1", "10.0.0.1/8"),
    *("2001:0db8:0::1", "::ffff:10.1.2.3", "::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::"),
]
values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(ADDRESSES),
    st.ip_addresses().map(str),
    st.sampled_from(["", "ten", "10.", 167772161, True, None, [], {}]),
)


@given(
    networks=st.lists(st.sampled_from(NETWORKS), min_size=2, max_size=5),
    value=st.one_of(values, st.lists(values, max_size=3)),
    every=st.booleans(),
)
def test_networks(networks: list[str], value: Any, every: bool) -> None:
    def holds(*operands: str) -> bool:
        predicate = Predicate(FIELD, Operator.CIDR, operands, all_of=every)
        return compile_expression(predicate)({"a": value})

    assert holds(*networks) is (all if every else any)([holds(network) for network in networks])


@given(
    operands=st.lists(st.sampled_from(["1", "1.0", 1, 1.5, "x", "X", True, "true", ""]), min_size=2),
    value=st.sampled_from(["1", "1.0", 1, 1.0, 1.5, "1.50", "x", "X", True, False, "TRUE", "", None]),
    ignore_case=st.booleans(),
)
def test_equal_to_one_of(operands: list[Any], value: Any, ignore_case: bool) -> None:
    def holds(*operands: Any) -> bool:
        predicate = Predicate(FIELD, Operator.IS, operands, ignore_case=ignore_case)
        return compile_expression(predicate)({"a": value})

    assert holds(*operands) is any(holds(operand) for operand in operands)
