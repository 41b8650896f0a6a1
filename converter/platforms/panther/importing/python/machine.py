"""The state of one reading: what holds at the place being read, what was noted, and how far it may go."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager

import msgspec

from converter.evaluate.values import number_of, text_of
from converter.model.expressions import (
    Function,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    comparison,
    fields_asked,
    fields_of,
    reference,
    renamed_subject,
)
from converter.model.paths import ANY, FieldPath, rooted
from converter.platforms.panther.importing.python.formulas import both, within
from converter.platforms.panther.importing.python.holding import Holding
from converter.platforms.panther.importing.python.interface import DataModel, Modules, PythonSource
from converter.platforms.panther.importing.python.nodes import FALSE, Formula, Leaf, Unknown
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape, Shapes, Steps
from converter.platforms.panther.importing.python.values import (
    Binder,
    Collection,
    Entry,
    ExhaustedError,
    Field,
    Number,
    Opaque,
    Outcome,
    Text,
    UnreadableError,
    Value,
    gathered,
    one,
)
from converter.platforms.panther.syntax import segment

_STEPS = 60_000
_SECONDS = 1.5


class Residue(msgspec.Struct, frozen=True):
    """A part of the text that could not be read: what it is, and where."""

    message: str
    code: str
    node: ast.AST | None
    source: PythonSource

    @property
    def text(self) -> str:
        """The part as written."""
        return (self.node is not None and segment(self.source.text, self.node)) or self.message


class Selected(msgspec.Struct, frozen=True):
    """The element of a list that a variable stands for: the one for which ``selector`` holds. ``named``: by
    the value of one of its keys, which no other element has.
    """

    source: int
    steps: Steps
    selector: Formula
    named: bool


class Machine:
    """Shared by everything that reads one detection."""

    def __init__(
        self,
        modules: Modules,
        log_types: Sequence[str],
        shapes: Shapes,
        usage: dict[Steps, Shape],
        *,
        lenient: bool = False,
    ) -> None:
        self.lenient = lenient
        self.modules = modules
        self.log_types = tuple(log_types)
        self.facts = Holding()
        self.residues: list[Residue] = []
        self.notes: dict[tuple[str, str], ast.AST | None] = {}
        self.assumed: dict[Steps, Shape] = {}
        self.loose: set[tuple[Steps, str]] = set()
        self.place: tuple[str | None, ast.AST | None] = (None, None)
        """Where ``rule()`` is, for what has no place of its own."""
        self.selected: dict[int, Selected] = {}
        self.usage = usage
        self.depth = 0
        self.tries = 0
        """How many ``try`` statements stand around the place being read, its callers' included."""
        self._shapes = shapes
        self._told: set[tuple[Steps, Shape | None]] = set()
        """What :meth:`shape` answered."""
        self._binders: dict[int, Binder] = {}
        self._nodes: dict[tuple[int, str], int] = {}
        self._steps = 0
        self._uses = 0
        self._began = time.process_time()

    def anew(self) -> Machine:
        """Another one for the same detection, which knows how it uses its fields."""
        return Machine(self.modules, self.log_types, self._shapes, self.usage, lenient=self.lenient)

    # -- bounds

    def step(self) -> None:
        """One more step. Raises ExhaustedError when there were too many, or they took too long."""
        self._steps += 1
        if self._steps > _STEPS or (self._steps % 64 == 0 and time.process_time() - self._began > _SECONDS):
            raise ExhaustedError("reading it takes more steps than any detection needs")

    # -- what holds here

    @contextmanager
    def given(self, formula: Formula) -> Iterator[None]:
        """Within: the formula holds."""
        before = self.facts
        self.facts = before.with_facts_of(formula)
        try:
            yield
        finally:
            self.facts = before

    def here(self, formula: Formula) -> Formula:
        """The formula, as far as what holds here leaves it open."""
        if not self.facts:
            return formula
        known = self.facts.simplified
        if formula not in known:
            known[formula] = simple = within(formula, self.facts)
            known[simple] = simple
        return known[formula]

    def narrowed(self, outcome: Outcome) -> Outcome:
        """The cases that may be here."""
        if outcome.single is not None or not self.facts:
            return outcome
        cases = [(self.here(guard), value) for guard, value in outcome.cases]
        raises = [(self.here(guard), name) for guard, name in outcome.raises]
        return gathered(cases, raises)

    def bind(self, outcome: Outcome, step: Callable[[Value], Outcome]) -> Outcome:
        """What the step makes of each of the values, each where it is that one."""
        single = outcome.single
        if single is not None:
            return step(single)
        cases: list[tuple[Formula, Value]] = []
        raises = list(outcome.raises)
        for case, value in outcome.cases:
            guard = self.here(case)
            if guard == FALSE:
                continue
            with self.given(guard):
                inner = step(value)
            cases += [(both(guard, each), found) for each, found in inner.cases]
            raises += [(both(guard, each), name) for each, name in inner.raises]
        return gathered(
            [(self.here(guard), value) for guard, value in cases],
            [(self.here(guard), name) for guard, name in raises],
        )

    def bind_all(
        self, outcomes: Sequence[Callable[[], Outcome]], step: Callable[[list[Value]], Outcome]
    ) -> Outcome:
        """The same for several, evaluated one after the other."""

        def after(index: int, found: list[Value]) -> Outcome:
            if index == len(outcomes):
                return step(found)
            return self.bind(outcomes[index](), lambda value: after(index + 1, [*found, value]))

        return after(0, [])

    # -- fields

    def fresh(self, source: Field) -> Binder:
        """A new variable for the elements of a list."""
        binder = Binder(len(self._binders) + 1, source.variable, source.steps)
        self._binders[binder.variable] = binder
        return binder

    def absolute(self, variable: int, steps: Steps) -> Steps:
        """A path from the event."""
        if variable == 0:
            return steps
        binder = self._binders[variable]
        return (*self.absolute(binder.source, binder.steps), ANY, *steps)

    def shape(self, field: Field) -> Shape | None:
        """What the field holds: declared, seen, or as its use elsewhere in the detection shows."""
        if not field.steps and field.variable == 0:
            return Shape.OBJECT
        steps = self.absolute(field.variable, field.steps)
        found = self._shape_at(steps)
        self._told.add((steps, found))
        return found

    def _shape_at(self, steps: Steps) -> Shape | None:
        return self._shapes.shape(steps) or self.usage.get(steps)

    @property
    def surprised(self) -> bool:
        """Whether the use of some field showed what it holds only after that had been asked."""
        return any(self._shape_at(steps) is not told for steps, told in self._told)

    def spelled(self, owner: Field, key: str) -> str:
        """A key of an object as events spell it."""
        return self._shapes.spelling(self.absolute(owner.variable, owner.steps), key)

    def declared(self, field: Field) -> bool:
        """Whether a pack says what the field holds."""
        return self._shapes.declared(self.absolute(field.variable, field.steps))

    def shapes_of(self, field: Field) -> frozenset[Shape]:
        """Every shape of the values that events hold there, as declared or seen."""
        return self._shapes.seen(self.absolute(field.variable, field.steps))

    def ambiguous(self, field: Field) -> bool:
        """Whether events hold values of several shapes there."""
        return len(self.shapes_of(field)) > 1

    def used(self, field: Field, shape: Shape, *, weakly: bool = False) -> None:
        """The detection uses the field as one of this shape. ``weakly``: a default value suggests it."""
        steps = self.absolute(field.variable, field.steps)
        if weakly:
            self.usage.setdefault(steps, shape)
        elif self._shapes.shape(steps) is None:
            self.usage[steps] = shape
            self.assumed[steps] = shape

    def taken_as(self, field: Field, shape: Shape) -> None:
        """The reading hangs on the field's shape, which samples may show and no pack declares."""
        if not self.declared(field):
            self.assumed.setdefault(self.absolute(field.variable, field.steps), shape)

    def compared(self, field: Field, wanted: Shape, value: Scalar) -> None:
        """The field is compared with a constant of a shape. A text that reads like a number or bool equals
        it canonically, and not in Python: that matters where events hold both, or the other.
        """
        steps = self.absolute(field.variable, field.steps)
        seen = self._shapes.seen(steps)
        if not seen:
            self.used(field, wanted)
        elif seen - {wanted} and _reads_as(value, seen - {wanted}):
            self.loose.add((steps, text_of(value)))

    def elements(self, field: Field) -> Collection:
        """The elements of a list of the event."""
        self.used(field, Shape.LIST)
        binder = self.fresh(field)
        return Collection("list", (Entry(one(Field(binder.variable, ())), (binder,)),))

    def data_models(self) -> list[tuple[tuple[str, ...], DataModel | None]]:
        """The data models of the detection's log types, each with the log types that have it."""
        found: dict[str, tuple[list[str], DataModel | None]] = {}
        for each in self.log_types:
            model = self.modules.data_model((each,))
            found.setdefault(repr(model), ([], model))[0].append(each)
        return [(tuple(names), model) for names, model in found.values()]

    # -- what could not be read

    def opaque(self, error: UnreadableError, node: ast.AST, source: PythonSource) -> Outcome:
        """A value that could not be read, kept as residue."""
        return one(Opaque(self.residue(str(error), error.node or node, source, error.code)))

    def residue(self, message: str, node: ast.AST, source: PythonSource, code: str = "unread") -> int:
        """The number of a residue; the same place has the same one."""
        key = (id(node), message)
        if key not in self._nodes:
            self._nodes[key] = len(self.residues)
            self.residues.append(Residue(message, code, node, source))
        return self._nodes[key]

    @contextmanager
    def only_of(self, log_types: Sequence[str], guard: Formula) -> Iterator[None]:
        """Within: the event is of these log types. Residues are the same in whatever log types it is."""
        before, self.log_types, self._uses = self.log_types, tuple(log_types), 0
        try:
            with self.given(guard):
                yield
        finally:
            self.log_types = before

    def unknown(self, value: Opaque) -> Formula:
        """The truth of something that could not be read; every use of it may have another."""
        self._uses += 1
        return Unknown(value.number, self._uses)

    def note(self, code: str, message: str, node: ast.AST | None = None) -> None:
        """Something worth knowing."""
        self.notes.setdefault((code, message), node)


def _reads_as(value: Scalar, shapes: Set[Shape]) -> bool:
    """Whether a constant may equal, read as text, a value of another shape."""
    if not isinstance(value, str):
        return Shape.TEXT in shapes
    return (value in ("true", "false") and Shape.BOOLEAN in shapes) or (
        number_of(value) is not None and Shape.NUMBER in shapes
    )


def leaf(
    variable: int,
    subject: Subject,
    operator: Operator,
    values: tuple[Scalar | Reference, ...] = (),
    functions: tuple[Function, ...] = (),
    *,
    ignore_case: bool = False,
) -> Formula:
    """A predicate about a variable. What stands in a JSON text is asked of alone (UnreadableError)."""
    return _leaf(variable, Predicate(subject, operator, values, ignore_case, False, functions))


def _leaf(variable: int, predicate: Predicate) -> Formula:
    own = (predicate.subject,) if isinstance(predicate.subject, FieldPath) else ()
    others = fields_asked(predicate)[len(own) :]
    if any(AS_JSON in path.steps for path in others):
        raise UnreadableError("a value in a JSON text beside another field", code="json-text")
    return Leaf(variable, predicate)


def related(left: Text | Number, operator: Operator, right: Text | Number) -> Formula:
    """A comparison of two values of the event itself, or of an element of a list with another value of it or
    with one of the event.
    """
    variable = left.variable or right.variable
    if left.variable != right.variable:
        if left.variable and right.variable:
            raise UnreadableError("a comparison of elements of two lists")
        left, right = (side if side.variable else _outside(side) for side in (left, right))
        if operator is Operator.SAME_AS and not left.variable:
            left, right = right, left
    if operator is Operator.SAME_AS and any(AS_JSON in path.steps for path in fields_of(right.subject)):
        left, right = right, left
    sides = (reference(side.subject, side.functions) for side in (left, right))
    return _leaf(variable, comparison(next(sides), operator, next(sides)))


def _outside(value: Text | Number) -> Text | Number:
    """A value of the event, as conditions on an element of a list name it."""
    return msgspec.structs.replace(value, subject=renamed_subject(value.subject, rooted))


def as_text(value: Field | Text) -> Text:
    """A field as a text."""
    return value if isinstance(value, Text) else Text(value.variable, FieldPath(value.steps))
