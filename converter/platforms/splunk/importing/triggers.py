"""When a saved search alerts on its results: its trigger condition, as further commands of the search.

Without one, a saved search alerts when it has results (savedsearches.conf.spec: ``counttype``, ``relation``,
``quantity`` and ``alert_condition``, which is a search over the results that replaces the others).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from converter.platforms.splunk.importing.metadata import line, prose

_SIGNS: Final = {"greater than": ">", "less than": "<", "equal to": "==", "not equal to": "!="}
_COUNTED: Final = {
    "number of events": "count",
    "number of hosts": "dc(host)",
    "number of sources": "dc(source)",
}
_RESULTS: Final = "results_of_the_search"


class Trigger(msgspec.Struct, frozen=True):
    """``commands``: what the results must pass, as SPL. ``untold``: a condition that cannot be said so."""

    commands: str = ""
    untold: str = ""


def trigger_of(data: Mapping[str, Any]) -> Trigger:
    """The trigger condition of a stanza."""
    own = prose(data.get("alert_condition")).strip().removeprefix("|").strip()
    if own:
        return Trigger(f" | {own}")
    kind = line(data.get("counttype")).lower()
    relation = line(data.get("relation")).lower()
    quantity = line(data.get("quantity")) or "0"
    if kind in ("", "always") or not relation:
        return Trigger()
    if kind == "number of events" and relation == "greater than" and quantity == "0":
        return Trigger()
    told = f"{kind} {relation} {quantity}"
    sign, measure = _SIGNS.get(relation), _COUNTED.get(kind)
    if sign is None or measure is None or not quantity.isascii() or not quantity.isdigit():
        return Trigger(untold=told)
    if _holds_without_results(sign, int(quantity)):
        return Trigger(untold=told)
    return Trigger(f" | eventstats {measure} AS {_RESULTS} | where {_RESULTS} {sign} {quantity}")


def _holds_without_results(sign: str, quantity: int) -> bool:
    return {">": False, "<": quantity > 0, "==": quantity == 0, "!=": quantity != 0}[sign]
