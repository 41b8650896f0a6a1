"""What stands at one path: a value, a list of values, or a list of objects.

A predicate looks at some value of a list or at the one of an index (1.3, 1.4). One value that pleases all of
them is tried first. Where a list is allowed the most general one is made next: a value of its own for each
predicate that asks for some value, between those that indexes ask for, with any other value where nothing is
asked: not every platform keeps the place of a null.
What even that list cannot satisfy is impossible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from converter.check.constraints.answers import (
    IMPOSSIBLE,
    Answer,
    Found,
    Impossible,
    Unsolved,
)
from converter.check.placing import ABSENT
from converter.model.expressions import Expression
from converter.model.paths import FieldPath, PathStep

Keys: TypeAlias = tuple[str, ...]
"""The keys that lead to a place, without list steps."""


class Asked(NamedTuple):
    """A condition on an element of what stands at a path: on any (``at`` None), or on that of an index."""

    condition: Expression
    at: int | None
    wanted: bool


class Place(msgspec.Struct, frozen=True):
    """A path taken apart: the keys that lead to a list or a value, the element, and the path behind it."""

    keys: tuple[str, ...]
    index: int | None = None
    rest: FieldPath | None = None
    bracketed: bool = False


_ONE: Final = (None, 0, -1)
"""The indexes that the only element of a list has."""

_LONGEST_LIST = 1_000

Solve = Callable[[Iterable[Asked]], Answer]
"""From what is asked of one element to the element."""


def place_of(path: FieldPath) -> Place | None:
    """The first list on a path, or its end; None for a list directly in a list, or a path from elsewhere."""
    if path.rooted:
        return None
    steps = path.steps
    count = next((i for i, step in enumerate(steps) if not isinstance(step, str)), len(steps))
    keys = tuple(step for step in steps[:count] if isinstance(step, str))
    if count == len(steps):
        return Place(keys)
    step: PathStep = steps[count]
    rest = steps[count + 1 :]
    if rest and not isinstance(rest[0], str):
        return None
    index = step if isinstance(step, int) else None
    return Place(keys, index, FieldPath(rest) if rest else None, bracketed=True)


def solve_group(
    asked: Sequence[Asked], element: Solve, listed: bool | None, present: bool = False, wrapped: bool = False
) -> Answer:
    """What stands at a path: :data:`ABSENT`, one element, or a list of elements.

    ``listed``: whether the log source declares a list there (None: it does not say). ``present``: an element
    is preferred to none. ``wrapped``: a single element goes into a list even so.
    """
    wanted = [each for each in asked if each.wanted]
    if not wanted and not present:
        return Found(ABSENT)
    alone: Answer = IMPOSSIBLE
    if all(each.at in _ONE for each in wanted):
        alone = element(each for each in asked if each.at in _ONE)
    if isinstance(alone, Found):
        return Found([alone.value]) if listed or wrapped else alone
    if not wanted:
        return Found(ABSENT)
    if listed is False:
        return alone
    spread = _spread(asked, element, nested=listed is None)
    if isinstance(spread, Impossible) and isinstance(alone, Unsolved):
        return alone
    return spread


def _spread(asked: Sequence[Asked], element: Solve, nested: bool) -> Answer:
    """A list with an element for each condition that shall hold, as far apart as possible.

    ``nested``: an element may be a list in its turn, of which each element counts (1.6).
    """
    everywhere = [each for each in asked if each.at is None and not each.wanted]
    indexes = {each.at for each in asked if each.at is not None}
    front = max((index for index in indexes if index >= 0), default=-1) + 1
    back = -min((index for index in indexes if index < 0), default=0)
    if max(front, back) > _LONGEST_LIST:
        return Unsolved(f"lists of over {_LONGEST_LIST} elements are not made")
    plan: list[list[Asked]] = []
    for index in range(front):
        plan.append([each for each in asked if each.at == index])
    plan += [[each] for each in asked if each.at is None and each.wanted]
    for index in range(-back, 0):
        plan.append([each for each in asked if each.at == index])
    found: list[Any] = []
    for conditions in plan:
        answer = element([*conditions, *everywhere])
        if isinstance(answer, Impossible) and not any(each.wanted for each in conditions):
            return Unsolved("only a null would do in that place of a list")
        if isinstance(answer, Impossible) and nested and len(conditions) > 1:
            anywhere = [each._replace(at=None) for each in (*conditions, *everywhere)]
            answer = _spread(anywhere, element, nested=False)
        if not isinstance(answer, Found):
            return answer
        found.append(answer.value)
    return Found(found)
