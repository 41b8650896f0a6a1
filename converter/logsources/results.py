"""What the results of a rule show, as far as a platform keeps it.

Output fields, the fields of an alert's title and those that alerts are grouped by say how an alert looks, not
when one is due (docs/semantics.md, 10): one that the platform does not keep is left out and named, and the
rule is written all the same. Only where alerts are suppressed does their grouping change what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from converter.logsources.localise import localise_path
from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import AlertSettings, Rule

LEFT_OUT: Final = "output-field"
"""The note about a field of the results that a platform does not keep under one name."""
NOT_SUPPRESSED: Final = "suppression"
"""The loss where alerts would be suppressed by a field that the platform does not keep."""
UNKNOWN: Final = "<unknown>"
"""What a title shows in place of a field that an event lacks."""

_NO_ONE_NAME: Final = frozenset({"not-stored", "names-differ", "value-change"})
"""Why a platform has no one stored field for a path. Other codes are mistakes in the rule's own text."""


def keeps(path: FieldPath, packs: Sequence[Pack], platform: str, keep_unmapped: bool = False) -> bool:
    """Whether a platform has one stored field that holds the values of ``path``."""
    found = localise_path(path, packs, platform, keep_unmapped)
    return not any(d.effect is Fidelity.REFUSED and d.code in _NO_ONE_NAME for d in found.diagnostics)


def with_kept_results(
    rule: Rule, packs: Mapping[str, Pack], platform: str, keep_unmapped: bool = False
) -> tuple[Rule, tuple[Diagnostic, ...]]:
    """The rule without result fields that ``platform`` does not keep, and what is said of each.

    A field of a sequence's results is kept if the events of one step have it. In a title ``<unknown>``
    stands in, as for an event without the field. Alerts that would be suppressed by such a field are not
    suppressed: a wider loss. Unknown log sources are left to the caller.
    """
    steps = [[packs[name] for name in step.logsource if name in packs] for step in rule.steps]
    losses = Losses(platform, rule.id)

    def kept(path: FieldPath, role: str) -> bool:
        if any(keeps(path, of_step, platform, keep_unmapped) for of_step in steps):
            return True
        message = f"{path}, {role}, is left out: {platform} keeps it under no one name"
        losses.note(LEFT_OUT, message)
        return False

    output = tuple(field for field in rule.output if kept(field.field, "an output field"))
    title = tuple(
        part if isinstance(part, str) or kept(part, "in the alert's title") else UNKNOWN
        for part in rule.alert.title
    )
    group_by = tuple(path for path in rule.alert.group_by if kept(path, "by which alerts are grouped"))
    suppress_for = rule.alert.suppress_for
    if suppress_for is not None and group_by != rule.alert.group_by:
        message = f"alerts are not suppressed: {platform} does not keep all that they are grouped by"
        losses.lose(NOT_SUPPRESSED, Fidelity.WIDER, message)
        suppress_for = None
    alert = AlertSettings(title=title, group_by=group_by, suppress_for=suppress_for)
    if not losses.diagnostics:
        return rule, ()
    return msgspec.structs.replace(rule, output=output, alert=alert), losses.diagnostics
