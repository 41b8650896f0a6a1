"""The losses of the Splunk writer, and what each means; docs/splunk.md has the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "array-index": (
            "Splunk flattens lists of objects, so that one place in a list inside another cannot be "
            "addressed: any element may match."
        ),
        "field-name": "A field name with quotes, backslashes, backticks or dollar signs has no form in SPL.",
        "group-by": "A choice between group keys that SPL cannot make just so: others are counted.",
        "having": "A test of the group, or of which window, that SPL cannot say.",
        "multi-value": (
            "A text joined from fields of several values, or a part that another field has, cannot be tested."
        ),
        "regex-construct": "The pattern has a construct that PCRE lacks, or a character no search can hold.",
        "same-as": "Two fields of several values cannot be compared after a change of their values.",
        "repeated-results": (
            "While a window stays full, each further match is a result too, where the rule would start "
            "counting anew; throttling makes them one alert."
        ),
        "same-element": (
            "The conditions on one element of a list of objects, or on an element and a field outside of the "
            "list, may be met by different elements: lists are flattened."
        ),
        "sequence": (
            "A part of the sequence that streamstats cannot follow: an absent step elsewhere than before the "
            "last step, fewer than two steps that must occur, or more than twenty."
        ),
        "settings": "The settings under platforms.splunk are not what they must be.",
        "suppression": "Alerts cannot be throttled by a field whose name has a space or comma.",
        "threshold-count": "streamstats keeps no more than 10,000 events of a window by default.",
        "time-format": "The operand of an order is neither a number nor a timestamp.",
        "unknown-logsource": "No pack describes the log source.",
        "value-function": "JSON inside a text cannot be looked into exactly.",
        "window": (
            "Tumbling windows were asked for: a burst across a boundary is split. Or distinct values are "
            "counted: the window is a second longer, because its far edge is open."
        ),
    }
)
"""Loss code → what is lost."""

NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "field-name": "An alias that cannot be a field name is left out; the field keeps its own.",
        "name-shortened": "The title is too long for contentctl; the detection's name ends in the rule's id.",
        "no-risk-object": "No user, host or address is among the results: the detection is of type Hunting.",
        "null-element": "Positions in a list are counted without its nulls, which Splunk does not keep.",
        "number-text": "Texts in the form of numbers may be compared as numbers by `==`: 007 and 7 agree.",
        "sequence": "A sequence without a time limit is looked for within one run's time range.",
        "time-format": "Times are read from text in the forms of ISO 8601 alone.",
        "time-ties": "Events of the same instant are taken in no documented order.",
    }
)
"""Note code → what was done. A note changes no alert of a well-formed log."""
