"""Python's own functions and methods on constants: a closed list, each bounded."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import os.path
from collections.abc import Callable, Mapping
from typing import Any, Final

from converter.platforms.panther.importing.python.values import UnreadableError

_LONGEST = 20_000

_TEXT_METHODS: Final = frozenset(
    "capitalize casefold count endswith find format index isalnum isalpha isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title upper".split()
)
_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: _TEXT_METHODS,
    bytes: frozenset({"decode", "startswith", "endswith"}),
    list: frozenset({"count", "index", "copy"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "keys", "values", "items", "copy"}),
    set: frozenset({"union", "intersection", "difference", "issubset", "issuperset", "isdisjoint", "copy"}),
    frozenset: frozenset({"union", "intersection", "difference", "issubset", "issuperset", "isdisjoint"}),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
}


def _bounded_range(*given: int) -> list[int]:
    found = range(*given)
    if len(found) > _LONGEST:
        raise UnreadableError("a range of more numbers than can be read")
    return list(found)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": dict,
    "enumerate": lambda *given: list(enumerate(*given)),
    "float": float,
    "frozenset": frozenset,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "range": _bounded_range,
    "reversed": lambda given: list(reversed(given)),
    "round": round,
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": sum,
    "tuple": tuple,
    "zip": lambda *given: list(zip(*given, strict=False)),
    "fnmatch.fnmatch": fnmatch.fnmatchcase,
    "fnmatch.fnmatchcase": fnmatch.fnmatchcase,
    "os.path.basename": os.path.basename,
    "base64.b64decode": base64.b64decode,
    "chr": chr,
    "ord": ord,
}
ERRORS: Final = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    binascii.Error,
)


def knows_function(name: str) -> bool:
    """Whether this function of Python's may be taken of constants."""
    return name in _FUNCTIONS


def call_function(name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """A function of constants. Raises what Python raises, one of ERRORS."""
    return bounded(_FUNCTIONS[name](*arguments, **named))


def call_method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """A method of a constant. Raises what Python raises, one of ERRORS."""
    kind = type(owner)
    if owner is None or not hasattr(owner, name):
        raise AttributeError(name)
    if name not in _METHODS.get(kind, frozenset()):
        raise UnreadableError(f".{name}() of a {kind.__name__}")
    if name in ("format", "join", "replace", "title"):
        _check_growth(owner, name, arguments, named)
    found = getattr(owner, name)(*arguments, **named)
    return bounded(list(found) if kind is dict and name in ("keys", "values", "items") else found)


def _check_growth(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> None:
    if name == "format" and any(mark in owner for mark in (":", "!", ".", "[")):
        raise UnreadableError("a format specification")
    if (
        name == "replace"
        and len(owner) * max((len(str(each)) for each in arguments), default=1) > _LONGEST * 10
    ):
        raise UnreadableError("a text longer than any that is read")


def bounded(value: Any) -> Any:
    """The value, unless it is larger than anything a detection needs."""
    if isinstance(value, (str, bytes, list, tuple, set, frozenset, dict)) and len(value) > _LONGEST:
        raise UnreadableError("a constant larger than any that is read")
    if isinstance(value, int) and value.bit_length() > 256:
        raise UnreadableError("a number larger than any that is read")
    return value
