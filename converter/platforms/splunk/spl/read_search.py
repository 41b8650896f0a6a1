"""What a search expression means: values compare without case, any value of a multivalue field will do."""

from __future__ import annotations

import ipaddress
from typing import Final

from converter.evaluate.values import number_of
from converter.model.expressions import (
    TRUE,
    Expression,
    ForSome,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import ELEMENT, FieldPath
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.raw_terms import raw_test
from converter.platforms.splunk.spl.text import has_case, is_subnet_shaped

LOCATION_FIELDS: Final = frozenset(
    {
        "index",
        "splunk_server",
        "splunk_server_group",
        "earliest",
        "latest",
        "_index_earliest",
        "_index_latest",
    }
)
"""What a search names to say where and when to look, not what an event is like."""

_LIST_MARK: Final = "{}"
"""Behind the name of a list (Search Reference, "spath"): with ``!=`` some value of it has to differ."""
_ORDER = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}


class SearchReader:
    """Translates search nodes. ``placed`` collects location terms, which say nothing of an event."""

    def __init__(self) -> None:
        self.placed: list[str] = []

    def read(self, node: s.SearchNode) -> Expression:
        """The expression that holds for the events that the search finds. Raises SplError."""
        match node:
            case s.Everything():
                return TRUE
            case s.Both(terms):
                return all_of(*(self.read(term) for term in terms))
            case s.Either(terms):
                return any_of(*(self.read(term) for term in terms))
            case s.Negated(term):
                return negated(self.read(term))
            case s.Compared(field, operator, value, at):
                return self._compared(field, operator, value, at)
            case s.Listed(field, values):
                return self._listed(field, values)
            case s.Term(text, at):
                return raw_test(text, at)
            case s.Macro(name, at):
                raise SplError(f"the macro {name} is not defined", at, "spl-macro")
            case s.Subsearch(_, at):
                raise SplError("a subsearch's results are not known", at, "subsearch")
        raise TypeError(f"not a search node: {node!r}")

    def _compared(self, field: str, operator: str, value: s.Text, at: int) -> Expression:
        if field.lower() in LOCATION_FIELDS:
            self.placed.append(f"{field}{operator}{value.text}")
            return TRUE
        path = FieldPath((field,))
        if operator in ("=", "=="):
            return matching(path, value)
        if operator == "!=" and _LIST_MARK in field:
            return ForSome(path, negated(matching(ELEMENT, value)))
        if operator == "!=":
            return all_of(Predicate(path, Operator.EXISTS), negated(matching(path, value)))
        number = number_of(value.text)
        if number is None:
            raise SplError(f"{field} is ordered as text against {value.text!r}", at, "text-order")
        return Predicate(path, _ORDER[operator], (number,))

    def _listed(self, field: str, values: tuple[s.Text, ...]) -> Expression:
        if field.lower() in LOCATION_FIELDS:
            self.placed.append(f"{field} IN")
            return TRUE
        path = FieldPath((field,))
        found = [matching(path, value) for value in values]
        plain = [one for one in found if isinstance(one, Predicate) and one.operator is Operator.IS]
        if len(plain) == len(found) and len({one.ignore_case for one in plain}) == 1:
            return Predicate(
                path, Operator.IS, tuple(one.values[0] for one in plain), ignore_case=plain[0].ignore_case
            )
        return any_of(*found)


def matching(path: FieldPath, value: s.Text) -> Expression:
    """``field=value``: ``*`` is a wildcard, a subnet matches its addresses, case is ignored."""
    text, ignore_case = value.text, not value.cased and has_case(value.text)
    if "*" in text:
        return _pattern(path, text, ignore_case)
    same = Predicate(path, Operator.IS, (text,), ignore_case=ignore_case)
    if is_subnet_shaped(text):
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return same
        return any_of(same, Predicate(path, Operator.CIDR, (str(network),)))
    return same


def _pattern(path: FieldPath, text: str, ignore_case: bool) -> Expression:
    parts = text.split("*")
    inner = [part for part in parts[1:-1] if part]
    first, last = parts[0], parts[-1]
    if not first and not last and not inner:
        return Predicate(path, Operator.EXISTS)
    if not inner and not (first and last):
        operator = Operator.STARTS_WITH if first else Operator.ENDS_WITH
        return Predicate(path, operator, (first or last,), ignore_case=ignore_case)
    if not first and not last and len(inner) == 1:
        return Predicate(path, Operator.CONTAINS, (inner[0],), ignore_case=ignore_case)
    pattern = "*".join(part.replace("\\", "\\\\").replace("?", "\\?") for part in parts)
    return Predicate(path, Operator.LIKE, (pattern,), ignore_case=ignore_case)
