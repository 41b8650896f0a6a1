"""Which stored events belong to a log source: the clause that a query over shared indices needs.

Where a pack's events carry a dataset, that is the clause; else what tells them apart by ECS's categorization
fields; else the index pattern says it alone. EQL takes the event category in front of ``where``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from converter.logsources.pack import Pack
from converter.model.expressions import All, Expression, Operator, Predicate, all_of, any_of
from converter.model.paths import FieldPath
from converter.platforms.elastic.fields import PLATFORM

_DATASET: Final = "event.dataset"
_CATEGORY: Final = "event.category"
_CATEGORIZATION: Final = ("event.category", "event.type", "host.os.type")


def selection(packs: Sequence[Pack], *, category_said: bool = False) -> Expression:
    """True for the stored events of any of the packs. ``category_said``: the category is asked elsewhere."""
    datasets = [_constants(pack).get(_DATASET) for pack in packs]
    if all(isinstance(dataset, str) for dataset in datasets):
        return Predicate(FieldPath((_DATASET,)), Operator.IS, tuple(dict.fromkeys(datasets)))  # type: ignore[arg-type]
    return any_of(*(dict.fromkeys(_selected(pack, category_said) for pack in packs)))


def _selected(pack: Pack, category_said: bool) -> Expression:
    constants = _constants(pack)
    names = (_DATASET,) if _DATASET in constants else _CATEGORIZATION
    return all_of(
        *(
            _equals(name, constants[name])
            for name in names
            if name in constants and not (category_said and name == _CATEGORY)
        )
    )


def _equals(name: str, value: Any) -> Expression:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return Predicate(FieldPath((name,)), Operator.IS, values, all_of=len(values) > 1)


def category(packs: Sequence[Pack]) -> str:
    """The event category that all events of the packs have; ``any`` if that is not known."""
    found = {str(settings_of(pack).get("category") or "any") for pack in packs}
    return found.pop() if len(found) == 1 else "any"


def settings_of(pack: Pack) -> dict[str, Any]:
    """What the pack says of the log source on Elastic: index, dataset, integration, category."""
    return dict(pack.platforms.get(PLATFORM, {}))


def listed(pack: Pack, key: str) -> tuple[str, ...]:
    """A setting that is a text or a list of texts."""
    value = settings_of(pack).get(key) or ()
    return (value,) if isinstance(value, str) else tuple(value)


def with_selection(clause: Expression, condition: Expression) -> Expression:
    """Both, the clause first, without what the condition asks anyway or what is always true."""
    asked = condition.terms if isinstance(condition, All) else (condition,)
    terms = clause.terms if isinstance(clause, All) else (clause,)
    return all_of(*(term for term in terms if term not in asked), condition)


def _constants(pack: Pack) -> dict[str, Any]:
    return dict(pack.constants.get(PLATFORM, {}))
