"""The codes of what stored names cost a rule on any platform, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LOSSES: Final[Mapping[str, str]] = {
    "case": "The platform changes the case of a field's values, and the condition regards it.",
    "derived-field": (
        "A field that one platform derives from others is asked by those on another, where they say nearly "
        "the same. As a note: they say the same."
    ),
    "list-step": "A key stands directly behind a list, which gives nothing: [] is missing.",
    "names-differ": "The rule's log sources store a field under different names, or with different values.",
    "not-stored": "The platform does not keep a field, or one of the fields of an object asked for.",
    "object-exists": "Whether an object is there cannot be asked where not all of its keys are known.",
    "same-element": "All values are looked for in one element of a nested field, not in any.",
    "shared-field": "The platform stores another field's values under the same name.",
    "stand-in": "A key that the platform does not keep is told by another field: equal ones count as one.",
    "unknown-field": "No pack of the rule knows a field.",
    "value-change": "The platform stores other words than the log has, or a value in parts.",
}
