"""Expressions: what each kind of node of Python's syntax tree gives, over abstract values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from converter.platforms.panther.importing.python import arithmetic, comprehensions, subscripts, truth
from converter.platforms.panther.importing.python.calls import Calls
from converter.platforms.panther.importing.python.comparing import compare
from converter.platforms.panther.importing.python.formulas import both
from converter.platforms.panther.importing.python.frames import Frame
from converter.platforms.panther.importing.python.machine import Machine
from converter.platforms.panther.importing.python.naming import Names
from converter.platforms.panther.importing.python.nodes import FALSE, Formula, opposite
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.statements import Block
from converter.platforms.panther.importing.python.texts import joined
from converter.platforms.panther.importing.python.values import (
    Entry,
    Field,
    Instance,
    Joined,
    Known,
    Opaque,
    Outcome,
    Routine,
    Table,
    Text,
    UnreadableError,
    Value,
    gathered,
    one,
    raising,
    when,
)

_DEEPEST = 24


class Interpreter:
    """Reads expressions and calls of one detection."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.names = Names(self)
        self.calls = Calls(self)

    def value(self, node: ast.expr, frame: Frame) -> Outcome:
        """What an expression gives. What cannot be read becomes an opaque value."""
        self.machine.step()
        try:
            return self._value(node, frame)
        except UnreadableError as error:
            return self.machine.opaque(error, node, frame.source)

    def truth(self, node: ast.expr, frame: Frame) -> Outcome:
        """The bool of an expression."""
        return self.machine.bind(self.value(node, frame), lambda value: self._truth_of(value, node, frame))

    def _truth_of(self, value: Value, node: ast.AST, frame: Frame) -> Outcome:
        try:
            return when(self.machine.here(truth.truth(self.machine, value)))
        except UnreadableError as error:
            return self._truth_of(Opaque(self.machine.residue(str(error), node, frame.source)), node, frame)

    def _value(self, node: ast.expr, frame: Frame) -> Outcome:
        match node:
            case ast.Constant(value=value):
                return one(Known(value))
            case ast.Name(id=name):
                return self.names.name(name, frame, node)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if (
                key := f"{owner}.{name}"
            ) in frame.env:
                return self.machine.narrowed(frame.env[key])
            case ast.Attribute(value=owner, attr=name):
                return self._bound([owner], frame, lambda found: self.names.attribute(found[0], name, node))
            case ast.BoolOp(op=op, values=operands):
                return self._bool_op(isinstance(op, ast.And), operands, frame)
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(op, operand, node, frame)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._compare(left, list(ops), comparators, frame)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = self.truth(test, frame)
                return self.either_way(
                    chosen, lambda: self.value(body, frame), lambda: self.value(orelse, frame)
                )
            case ast.Call():
                return self.calls.call(node, frame)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                found = self.value(value, frame)
                frame.env[name] = found
                return found
            case ast.Lambda():
                return one(Routine(node, frame.source, frame, frame.instance, frame.owner))
            case ast.JoinedStr(values=parts):
                return self._joined(parts, frame)
            case ast.BinOp(left=left, op=op, right=right):
                if self.machine.lenient and isinstance(op, ast.Add):
                    sides = (self.value(left, frame), self.value(right, frame))
                    if any(_gives_text(side) for side in sides):
                        return one(Joined(sides))
                return self._bound(
                    [left, right], frame, lambda v: arithmetic.combined(self.machine, type(op).__name__, *v)
                )
            case ast.Subscript(value=owner, slice=index):
                return self._subscript(owner, index, frame)
            case ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
                return self._container(node, frame)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return comprehensions.made(self, node, frame)
            case ast.Starred():
                raise UnreadableError("a starred expression here", node)
            case _:
                raise UnreadableError(f"a {type(node).__name__} expression", node)

    # -- helpers

    def _bound(
        self, nodes: Sequence[ast.expr], frame: Frame, step: Callable[[list[Value]], Outcome]
    ) -> Outcome:
        """A step on the values of expressions; an opaque value among them is all it gives."""

        def taken(values: list[Value]) -> Outcome:
            unread = next((value for value in values if isinstance(value, Opaque)), None)
            return one(Opaque(unread.number)) if unread is not None else step(values)

        evaluations = [self._evaluation(node, frame) for node in nodes]
        return self.machine.bind_all(evaluations, taken)

    def _evaluation(self, node: ast.expr, frame: Frame) -> Callable[[], Outcome]:
        return lambda: self.value(node, frame)

    def either_way(self, chosen: Outcome, yes: Callable[[], Outcome], no: Callable[[], Outcome]) -> Outcome:
        """One of two outcomes, by a bool."""
        cases: list[tuple[Formula, Value]] = []
        raises = list(chosen.raises)
        for guard, value in chosen.cases:
            formula = truth.truth(self.machine, value)
            for side, evaluate in ((formula, yes), (opposite(formula), no)):
                here = self.machine.here(both(guard, side))
                if here == FALSE:
                    continue
                with self.machine.given(here):
                    found = evaluate()
                cases += [(both(here, each), each_value) for each, each_value in found.cases]
                raises += [(both(here, each), name) for each, name in found.raises]
        return gathered(cases, raises)

    def _bool_op(self, is_and: bool, operands: list[ast.expr], frame: Frame) -> Outcome:
        """``and`` and ``or`` give an operand, and stop at the first that decides."""
        first, *rest = operands
        found = self.value(first, frame)
        if not rest:
            return found

        def decide(value: Value) -> Outcome:
            chosen = self._truth_of(value, first, frame)
            stays = one(self._stopped(value, is_and))
            go_on = lambda: self._bool_op(is_and, rest, frame)  # noqa: E731
            stop = lambda: stays  # noqa: E731
            return self.either_way(chosen, go_on if is_and else stop, stop if is_and else go_on)

        return self.machine.bind(found, decide)

    def _stopped(self, value: Value, is_and: bool) -> Value:
        """The operand that decided: a bool is then False for ``and`` and True for ``or``."""
        if isinstance(value, Opaque):
            return Opaque(value.number, not is_and)
        if isinstance(value, Field) and self.machine.shape(value) is Shape.BOOLEAN:
            return Known(not is_and)
        return Known(not is_and) if truth.is_bool(value) else value

    def _unary(self, op: ast.unaryop, operand: ast.expr, node: ast.expr, frame: Frame) -> Outcome:
        if isinstance(op, ast.Not):
            return self.machine.bind(
                self.truth(operand, frame), lambda value: when(opposite(truth.truth(self.machine, value)))
            )
        return self._bound([operand], frame, lambda found: arithmetic.signed(type(op).__name__, found[0]))

    def _compare(
        self, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr], frame: Frame
    ) -> Outcome:
        def chained(found: Outcome, index: int) -> Outcome:
            def pair(values: list[Value]) -> Outcome:
                unread = next((value for value in values if isinstance(value, Opaque)), None)
                name = type(ops[index]).__name__
                result = (
                    one(Opaque(unread.number))
                    if unread is not None
                    else self._compared(values[0], name, values[1], comparators[index], frame)
                )
                if index == len(ops) - 1:
                    return result
                return self.either_way(
                    self.machine.bind(result, lambda v: self._truth_of(v, comparators[index], frame)),
                    lambda: chained(one(values[1]), index + 1),
                    lambda: when(FALSE),
                )

            return self.machine.bind_all([lambda: found, self._evaluation(comparators[index], frame)], pair)

        return chained(self.value(left, frame), 0)

    def _compared(self, left: Value, name: str, right: Value, node: ast.AST, frame: Frame) -> Outcome:
        """A comparison; one that cannot be read is opaque for these values alone."""
        try:
            found = compare(self.machine, left, name, right)
        except UnreadableError as error:
            return self.machine.opaque(error, node, frame.source)
        return found

    def _joined(self, parts: list[ast.expr], frame: Frame) -> Outcome:
        plain: list[ast.expr] = []
        for part in parts:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion not in (-1, 115):
                    raise UnreadableError("a format specification", part)
                plain.append(part.value)
            else:
                plain.append(part)
        if self.machine.lenient:
            return self._shown([self.value(part, frame) for part in plain])
        return self._bound(plain, frame, lambda values: joined(self.machine, values))

    def _shown(self, parts: list[Outcome]) -> Outcome:
        """A text joined of parts each of which may be one of several."""
        singles = [part.single for part in parts]
        if all(isinstance(single, (Known, Field, Text)) for single in singles):
            try:
                return joined(self.machine, [single for single in singles if single is not None])
            except UnreadableError:
                pass
        return one(Joined(tuple(parts)))

    def _subscript(self, owner: ast.expr, index: ast.expr, frame: Frame) -> Outcome:
        if isinstance(index, ast.Slice):
            bounds: list[ast.expr] = [
                each or ast.Constant(None) for each in (index.lower, index.upper, index.step)
            ]
            return self._bound(
                [owner, *bounds], frame, lambda found: subscripts.sliced(self.machine, found[0], found[1:])
            )
        return self._bound([owner, index], frame, lambda found: subscripts.item(self.machine, *found))

    def _container(self, node: ast.expr, frame: Frame) -> Outcome:
        """A display of a list, tuple, set or dict: constants stay constants."""
        if isinstance(node, ast.Dict):
            return self._dict(node, frame)
        assert isinstance(node, (ast.List, ast.Tuple, ast.Set))
        kind = type(node).__name__.lower()
        entries: list[Entry] = []
        raises: list[tuple[Formula, str]] = []
        for part in node.elts:
            starred = isinstance(part, ast.Starred)
            found = self.value(part.value if isinstance(part, ast.Starred) else part, frame)
            raises += found.raises
            if starred:
                from converter.platforms.panther.importing.python.events import entries_of

                single = found.single
                if single is None:
                    raise UnreadableError("a starred value that depends on the event", part)
                entries += entries_of(self.machine, single)
            else:
                entries.append(Entry(Outcome(found.cases)))
        made = comprehensions.collected(kind, tuple(entries))
        return gathered([(opposite_of_all(raises), made)], raises)

    def _dict(self, node: ast.Dict, frame: Frame) -> Outcome:
        entries: list[tuple[Any, Outcome]] = []
        raises: list[tuple[Formula, str]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            found = self.value(value, frame)
            raises += found.raises
            if key is None:
                entries += arithmetic.table_entries(found.single)
                continue
            named = self.value(key, frame).single
            if not isinstance(named, Known):
                raise UnreadableError("a dict with a key that depends on the event", node)
            entries.append((named.value, Outcome(found.cases)))
        unique: dict[Any, Outcome] = {}
        try:
            for constant, outcome in entries:
                unique[constant] = outcome
        except TypeError:
            return raising("TypeError")
        singles = [outcome.single for outcome in unique.values()]
        if all(isinstance(single, Known) for single in singles):
            made: Value = Known(
                {
                    key: single.value
                    for key, single in zip(unique, singles, strict=True)
                    if isinstance(single, Known)
                }
            )
        else:
            made = Table(tuple(unique.items()))
        return gathered([(opposite_of_all(raises), made)], raises)

    # -- calls of the user's functions

    def invoke(
        self,
        routine: Routine,
        positional: Sequence[Outcome],
        named: dict[str, Outcome],
        caller: dict[str, Outcome] | None = None,
    ) -> Outcome:
        """A call of a function of the user's: its body, read with these arguments. ``caller``: the local
        names where it is called, of which a method sees the attributes set on ``self``.
        """
        if self.machine.depth >= _DEEPEST:
            raise UnreadableError("calls nested deeper than any detection needs")
        self.machine.depth += 1
        try:
            frame = self._frame(routine, positional, named, caller)
            if isinstance(routine.node, ast.Lambda):
                return self.value(routine.node.body, frame)
            return Block(self, frame).function(routine.node.body)
        finally:
            self.machine.depth -= 1

    def _frame(
        self,
        routine: Routine,
        positional: Sequence[Outcome],
        named: dict[str, Outcome],
        caller: dict[str, Outcome] | None,
    ) -> Frame:
        arguments = routine.node.args
        outer = routine.closure if isinstance(routine.closure, Frame) else None
        instance = routine.bound if isinstance(routine.bound, Instance) else None
        env: dict[str, Outcome] = {}
        frame = Frame(env, routine.source, routine.owner, instance, outer)
        given = list(positional)
        takes_self = not isinstance(routine.node, ast.Lambda) and outer is None and routine.bound is not None
        if takes_self:
            given.insert(0, one(routine.bound))
        parameters = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(parameters) - len(arguments.defaults)) + list(arguments.defaults)
        if instance is not None and caller is not None and parameters:
            env |= {key: value for key, value in caller.items() if key.startswith("self.")}
        at_home = Frame({}, routine.source, routine.owner, instance, outer)
        if len(given) > len(parameters):
            if arguments.vararg is None:
                raise UnreadableError("a call with more arguments than the function takes")
            entries = tuple(Entry(value) for value in given[len(parameters) :])
            env[arguments.vararg.arg] = one(comprehensions.collected("tuple", entries))
        elif arguments.vararg is not None:
            env[arguments.vararg.arg] = one(Known(()))
        for index, parameter in enumerate(parameters):
            default = defaults[index]
            if index < len(given):
                env[parameter.arg] = given[index]
            elif parameter.arg in named:
                env[parameter.arg] = named.pop(parameter.arg)
            elif default is not None:
                env[parameter.arg] = self.value(default, at_home)
            else:
                raise UnreadableError(f"a call without the argument {parameter.arg}")
        for parameter, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if parameter.arg in named:
                env[parameter.arg] = named.pop(parameter.arg)
            elif keyword_default is not None:
                env[parameter.arg] = self.value(keyword_default, at_home)
        if arguments.kwarg is not None:
            env[arguments.kwarg.arg] = one(Table(tuple(named.items())) if named else Known({}))
        elif named:
            raise UnreadableError(f"a call with the unknown argument {next(iter(named))}")
        return frame


def _gives_text(outcome: Outcome) -> bool:
    """Whether a value is a text that is made here: what is added to it is one as well."""
    return any(
        isinstance(value, (Text, Joined)) or (isinstance(value, Known) and isinstance(value.value, str))
        for _, value in outcome.cases
    )


def opposite_of_all(raises: list[tuple[Formula, str]]) -> Formula:
    """When nothing is raised."""
    return both(*(opposite(guard) for guard, _ in raises))
