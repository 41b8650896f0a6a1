"""Conditions over a few stored fields, as SPL and back again."""

from __future__ import annotations

from typing import Final

from converter.logsources.pack import FieldType, PlatformField
from converter.model.expressions import Expression
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.splunk.columns import assignments
from converter.platforms.splunk.read_back import read_search
from converter.platforms.splunk.spl.addresses import class_macro
from converter.platforms.splunk.spl.condition import ConditionPrinter
from converter.platforms.splunk.spl.pipeline import MacroText

_TYPES: Final = {
    "user": FieldType.KEYWORD,
    "host name": FieldType.KEYWORD,
    "code": FieldType.INTEGER,
    "ratio": FieldType.FLOAT,
    "ok": FieldType.BOOLEAN,
    "src": FieldType.IP,
    "when": FieldType.DATE,
    "tags{}": FieldType.KEYWORD,
    "other{}": FieldType.KEYWORD,
    "ips{}": FieldType.IP,
    "items{}.name": FieldType.KEYWORD,
    "items{}.size": FieldType.INTEGER,
}
FIELDS: Final = {
    FieldPath((name,)): PlatformField(name=name, type=kind, is_list="{}" in name)
    for name, kind in _TYPES.items()
}
LISTS: Final = frozenset(name for name in _TYPES if "{}" in name)
TYPES: Final = _TYPES
CLASS_MACROS: Final = {
    name: MacroText(definition, arguments)
    for name, definition, arguments in map(class_macro, ("public", "private", "reserved"))
}


def spl_of(expression: Expression) -> tuple[str, Losses]:
    """A condition as a search, and what that loses."""
    losses = Losses("splunk")
    printer = ConditionPrinter(FIELDS, losses)
    printed = printer.printed(expression)
    stages = [printed.search("") or "*"]
    if printer.elements:
        stages.append("eval " + assignments(printer.elements))
    if printed.where:
        stages.append("where " + " AND ".join(printed.where))
    return " | ".join(stages), losses


def meaning_of(search: str) -> Expression:
    """The condition that a search says."""
    return read_search(search, CLASS_MACROS, "test").condition
