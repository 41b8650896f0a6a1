"""Group keys that are a choice between fields, as columns of EVAL.

Sources, in Elasticsearch's ES|QL reference: CASE (the value of the first condition that is true, with all the
values that it has; null where none is and there is no default; a condition that is null or of several values
is not true; all values of one type), EVAL, STATS (null keys are a group, a list is a key for each value).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from converter.logsources.pack import PlatformField
from converter.model.expressions import FALSE, TRUE, Expression, all_of
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Choice
from converter.platforms.elastic.esql.operands import Family, Operand, Operands

NAME: Final = "Esql.group_key"
"""What the columns of such keys are called; further ones have a number behind it."""

WriteCondition: TypeAlias = Callable[[Expression, Losses], str]
"""From a condition on stored fields to an expression; what it cannot say goes into the losses."""


def chosen(
    choice: Choice,
    fields: Mapping[FieldPath, PlatformField],
    condition: WriteCondition,
    losses: Losses,
) -> str:
    """The key, over stored fields, as an expression. With a loss, it is another key."""
    operands = Operands(fields, losses)
    branches: list[tuple[str | None, Operand | None]] = []
    for each in choice.alternatives:
        asked = all_of(*each.when)
        if asked == FALSE:
            continue
        value = operands.of(each.subject, each.functions)
        branches.append((None if asked == TRUE else condition(asked, losses), value))
        if asked == TRUE:
            break
    types = {_type(value) for _, value in branches if value is not None}
    if not types:
        losses.refuse("group-by", "no alternative can have a value")
    alike = operands.as_text if len(types) > 1 else _as_it_is
    texts = [(when, "null" if value is None else alike(value).text) for when, value in branches]
    if len(texts) == 1 and texts[0][0] is None:
        return texts[0][1]
    parts = ",\n        ".join(text if when is None else f"{when}, {text}" for when, text in texts)
    return f"CASE(\n        {parts})"


def _type(value: Operand) -> str:
    """What CASE takes beside one another; of two columns of numbers one may be long and the other integer."""
    return value.text if value.family is Family.NUMBER else value.family.value


def _as_it_is(value: Operand) -> Operand:
    return value
