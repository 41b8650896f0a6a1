"""The codes of what Panther's writer may find, and what each means; docs/panther.md has the same table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "display-name": 'Panther allows no <, >, &, " or % in a display name; they are replaced. A note.',
        "distinct": (
            "unique() gives one value per event; of a field that may hold several, all of them together are "
            "counted as one."
        ),
        "group-by": (
            "An event belongs to one group; of a field that may hold several values, all of them together "
            "make the group."
        ),
        "having": "Panther tests no more of a group than a count of matches or of distinct values.",
        "log-source": "Panther keeps some events of the log source in another shape, unseen by the rule.",
        "log-types": "The log source has no Panther log type, and platforms.panther.log_types names none.",
        "new-terms": (
            "A rule does not remember which values it has seen: it matches on every event that meets the "
            "condition, and keeps one alert open per combination of values, for at most a day."
        ),
        "regex-construct": "The regular expression has no equal in Python's syntax.",
        "sequence": (
            "Correlation rules run on a schedule over a window of signals, and report together what one run "
            "finds."
        ),
        "settings": "platforms.panther holds something that Panther, or this converter, does not know.",
        "suppression": (
            "Panther joins further matches of a group to its alert for whole minutes, 5 to 1440, in the same "
            "period in which a threshold counts. As a note: for how long that is."
        ),
        "unknown-logsource": "The rule names a log source for which there is no pack.",
        "window": (
            "Panther counts in a period that starts at a group's first match and does not slide, of whole "
            "minutes, 5 to 1440; the transitions of a sequence each take whole minutes."
        ),
    }
)
"""Code → meaning. Codes about fields (``unknown-field``, ``unmapped-field``, ``not-stored``, ``list-step``,
``names-differ``) come from the log sources, the same for every platform."""
