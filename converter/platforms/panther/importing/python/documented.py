"""Some of Panther's own helpers, for rules whose helpers are not at hand; the user's own go first.

``pattern_match`` (a text and a shell pattern, ``fnmatch``), ``pattern_match_list`` (any of several) and
``is_ip_in_network`` (an address in one of some networks) are named in Panther's documentation, "Global Helper
Functions"; what each does is taken from its name and use, and every reading with one of them says so.
``aws_cloudtrail_success`` tells whether the call of an event succeeded; AWS CloudTrail User Guide,
"CloudTrail record contents": ``errorCode`` and ``errorMessage`` are there if a request returned an error.
``deep_get`` and ``deep_walk`` are read natively.
"""

from __future__ import annotations

from typing import Final

from converter.platforms.panther.importing.python.interface import PythonSource

_TEXT: Final = """\
from fnmatch import fnmatch
from ipaddress import ip_address, ip_network


def pattern_match(string_to_match, pattern):
    return fnmatch(string_to_match, pattern)


def pattern_match_list(string_to_match, patterns):
    return any(fnmatch(string_to_match, pattern) for pattern in patterns)


def is_ip_in_network(ip_addr, networks):
    return any(ip_address(ip_addr) in ip_network(network) for network in networks)


def aws_cloudtrail_success(event):
    return event.deep_get("errorCode", default="") == "" and event.deep_get("errorMessage", default="") == ""
"""

_HOMES: Final = {
    "panther_base_helpers": {"pattern_match", "pattern_match_list", "is_ip_in_network"},
    "panther_aws_helpers": {"aws_cloudtrail_success"},
}

DOCUMENTED: Final = PythonSource(file="Panther documentation, Global Helper Functions", text=_TEXT)


def is_documented(module: str, name: str) -> bool:
    """Whether a helper of one of Panther's modules is known by its documentation."""
    return name in _HOMES.get(module, ())
