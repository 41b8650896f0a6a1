"""IP classes as ``cidrmatch`` calls, and back.

``cidrmatch`` takes IPv4 and IPv6 networks; a text that is no address, or one of the other version, does not
match (Search Reference, "Comparison and Conditional functions").
"""

from __future__ import annotations

from functools import cache

from converter.model.addresses import CLASSES


@cache
def class_template(class_name: str) -> str:
    """An eval condition with ``{0}`` where the address goes, true exactly for addresses of the class."""
    covered, excepted = CLASSES[class_name]
    inside = " OR ".join(f'cidrmatch("{network}", {{0}})' for network in covered)
    if not excepted:
        return f"({inside})" if len(covered) > 1 else inside
    outside = " OR ".join(f'cidrmatch("{network}", {{0}})' for network in excepted)
    return f"(({inside}) AND if({outside}, 1, 0)==0)"


MACRO_PREFIX = "address_is_"
_MOST_INLINE = 2


def has_macro(class_name: str) -> bool:
    """Whether a class has so many networks that searches call a macro for it."""
    covered, excepted = CLASSES[class_name]
    return len(covered) + len(excepted) > _MOST_INLINE


def class_macro(class_name: str) -> tuple[str, str, tuple[str, ...]]:
    """Name, definition and arguments of the macro of a class."""
    return MACRO_PREFIX + class_name, class_template(class_name).format("$address$"), ("address",)


@cache
def _known() -> dict[tuple[frozenset[str], frozenset[str]], str]:
    return {(frozenset(covered), frozenset(excepted)): name for name, (covered, excepted) in CLASSES.items()}


def class_of(covered: frozenset[str], excepted: frozenset[str]) -> str | None:
    """The class with exactly these networks and exceptions, if there is one."""
    return _known().get((covered, excepted))


def network(operand: str) -> str:
    """A ``cidr`` operand as a network: a lone address becomes the network of that address."""
    if "/" in operand:
        return operand
    return f"{operand}/{128 if ':' in operand else 32}"
