"""Group keys that are a choice between fields, as ``case`` (Search Reference, "Conditional functions").

``case`` gives the value behind the first condition that is true, and null where none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from converter.logsources.localise_group import localise_alternative
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import all_of
from converter.model.losses import Losses
from converter.model.rule import Alternative, Choice
from converter.platforms.splunk.spl.condition import ConditionPrinter

NAME: Final = "group_choice"
"""What the fields of such keys are called; further ones have a number behind it."""


class ChoiceWriter:
    """Makes the fields of such keys. What a key loses makes other groups: more alerts, or fewer."""

    def __init__(self, packs: Sequence[Pack], keep_unmapped: bool, losses: Losses) -> None:
        self._packs, self._keep_unmapped, self._losses = packs, keep_unmapped, losses

    def keys(self, choices: Sequence[Choice]) -> dict[str, str]:
        """For each choice the name of its field, and the eval that makes it."""
        return {
            NAME if number == 1 else f"{NAME}_{number}": self._case(choice)
            for number, choice in enumerate(choices, 1)
        }

    def _case(self, choice: Choice) -> str:
        return f"case({', '.join(part for each in choice.alternatives for part in self._branch(each))})"

    def _branch(self, each: Alternative) -> tuple[str, str]:
        """The condition and the value of one alternative."""
        stored = localise_alternative(each, self._packs, "splunk", self._keep_unmapped)
        found = stored.alternative
        trial = Losses("splunk")
        trial.extend(stored.diagnostics)
        printer = ConditionPrinter(stored.fields, trial)
        condition = printer.whole(all_of(*found.when)) if found is not None and found.when else "true()"
        value = printer.value(found.subject, found.functions) if found is not None else None
        if value is None or value == '""':
            self._refuse("a value is a list, or an empty text")
        if printer.elements or printer.address_classes:
            self._refuse("a condition asks for a place of a list, or for a class of addresses")
        for one in trial.diagnostics:
            if one.effect is Fidelity.REFUSED:
                self._refuse(one.message)
            elif one.effect is not None:
                for effect in (Fidelity.WIDER, Fidelity.NARROWER):
                    self._losses.lose("group-by", effect, f"other groups are counted: {one.message}")
        return condition, value or "null()"

    def _refuse(self, message: str) -> None:
        self._losses.refuse("group-by", f"a choice between group keys: {message}")
