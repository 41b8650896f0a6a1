"""What the fields of an event hold: as the log-source packs declare it, or as sample events show it.

Python's operators mean different things for a text, a list and an object (``in``, ``len``, iteration), so the
reader asks. A field that nothing is known of is taken to hold what the rule's use of it asks for.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from converter.evaluate.values import json_in
from converter.logsources.pack import FieldType, Pack
from converter.model.paths import ANY, PathStep, parse_path

Steps: TypeAlias = tuple[PathStep, ...]
AS_JSON: Final = "⟨JSON⟩"
"""The step from a text to what it says as JSON, while a detection is read; ``json`` of the canonical rule."""


class Shape(enum.StrEnum):
    """What stands at a path in well-formed events."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"


_DECLARED: Mapping[FieldType, Shape] = {
    FieldType.KEYWORD: Shape.TEXT,
    FieldType.TEXT: Shape.TEXT,
    FieldType.WILDCARD: Shape.TEXT,
    FieldType.IP: Shape.TEXT,
    FieldType.DATE: Shape.TEXT,
    FieldType.INTEGER: Shape.NUMBER,
    FieldType.FLOAT: Shape.NUMBER,
    FieldType.BOOLEAN: Shape.BOOLEAN,
}
_DEEPEST = 24
_OPENING = ("{", "[")


class Shapes:
    """The shapes of the fields that one rule may read. What a pack declares outranks what samples show."""

    def __init__(self, packs: Sequence[Pack] = (), samples: Iterable[Any] = ()) -> None:
        self._declared: dict[Steps, set[Shape]] = {}
        self._seen: dict[Steps, set[Shape]] = {}
        self._spelled: dict[tuple[Steps, str], str] = {}
        for pack in packs:
            self._declare(pack)
        self._spell(self._declared)
        for sample in samples:
            for steps, shape in _shapes_in(self.respelled(sample), ()):
                self._seen.setdefault(steps, set()).add(shape)
        self._spell(self._seen)

    def shape(self, steps: Steps) -> Shape | None:
        """The one shape of what stands at a path (an index counts as ``[]``); None: unknown, or several."""
        asked = tuple(ANY if isinstance(step, int) else step for step in steps)
        for known in (self._declared, self._seen):
            if found := known.get(asked):
                return next(iter(found)) if len(found) == 1 else None
        return None

    def seen(self, steps: Steps) -> frozenset[Shape]:
        """Every shape that is declared or seen at a path."""
        asked = tuple(ANY if isinstance(step, int) else step for step in steps)
        return frozenset(self._declared.get(asked, set()) | self._seen.get(asked, set()))

    def declared(self, steps: Steps) -> bool:
        """Whether a pack says what stands at a path."""
        return tuple(ANY if isinstance(step, int) else step for step in steps) in self._declared

    def spelling(self, steps: Steps, key: str) -> str:
        """How events spell a key: in Panther's look-ups case makes no difference, but in JSON texts."""
        if AS_JSON in steps:
            return key
        asked = tuple(ANY if isinstance(step, int) else step for step in steps)
        if (*asked, key) in self._declared:
            return key
        return self._spelled.get((asked, key.lower()), key)

    def respelled(self, value: Any, steps: Steps = ()) -> Any:
        """An event with its keys spelled as :meth:`spelling` has them, so that paths find them."""
        if isinstance(value, Mapping):
            found: dict[str, Any] = {}
            for key, inner in value.items():
                name = self.spelling(steps, str(key))
                found[name] = self.respelled(inner, (*steps, name))
            return found
        if isinstance(value, list):
            return [self.respelled(inner, (*steps, ANY)) for inner in value]
        return value

    def _spell(self, known: Iterable[Steps]) -> None:
        for steps in known:
            for position, step in enumerate(steps):
                if isinstance(step, str):
                    self._spelled.setdefault((steps[:position], step.lower()), step)

    def _declare(self, pack: Pack) -> None:
        for field in pack.fields.values():
            stored = field.platforms.get("panther")
            shape = None if stored is None else _DECLARED.get(stored.type)
            if stored is None or shape is None:
                continue
            steps = parse_path(stored.name).steps
            plain = steps if steps[-1] is not ANY else steps[:-1]
            if stored.is_list or steps[-1] is ANY:
                self._declared.setdefault(plain, set()).add(Shape.LIST)
                self._declared.setdefault((*plain, ANY), set()).add(shape)
            else:
                self._declared.setdefault(plain, set()).add(shape)


def _shapes_in(value: Any, steps: Steps) -> Iterator[tuple[Steps, Shape]]:
    if len(steps) > _DEEPEST:
        return
    shape = _shape_of(value)
    if shape is not None and steps:
        yield steps, shape
    if isinstance(value, str) and value[:1] in _OPENING and AS_JSON not in steps:
        yield from _shapes_in(json_in(value), (*steps, AS_JSON))
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _shapes_in(inner, (*steps, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _shapes_in(inner, (*steps, ANY))


def _shape_of(value: Any) -> Shape | None:
    match value:
        case bool():
            return Shape.BOOLEAN
        case int() | float():
            return Shape.NUMBER
        case str():
            return Shape.TEXT
        case list():
            return Shape.LIST
        case Mapping():
            return Shape.OBJECT
        case _:
            return None
