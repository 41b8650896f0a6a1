"""From a Python detection to what its functions say."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

import msgspec

from converter.evaluate import compile_expression
from converter.model.diagnostics import Fidelity, Severity
from converter.model.expressions import FALSE as NEVER
from converter.model.expressions import TRUE as ALWAYS
from converter.model.expressions import Expression, Operator
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.alerts import Alerts, read_alerts
from converter.platforms.panther.importing.python.events import log_type_is
from converter.platforms.panther.importing.python.formulas import (
    TooLargeError,
    allow_effort,
    both,
    either,
)
from converter.platforms.panther.importing.python.functions_of import EVENT, function_of
from converter.platforms.panther.importing.python.interface import Detection, Modules, PythonSource, finding
from converter.platforms.panther.importing.python.interpreter import Interpreter
from converter.platforms.panther.importing.python.losses import (
    at_rule,
    element_notes,
    empty_losses,
    missing_as_null,
    notes,
    nothing_left,
    null_losses,
    picked_losses,
    residue_losses,
    type_losses,
)
from converter.platforms.panther.importing.python.lowering import Settled, expressed, settled, without_nulls
from converter.platforms.panther.importing.python.machine import Machine, leaf
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    Formula,
    size,
)
from converter.platforms.panther.importing.python.selecting import with_selected
from converter.platforms.panther.importing.python.shapes import Shape, Shapes, Steps
from converter.platforms.panther.importing.python.values import (
    ExhaustedError,
    Field,
    Known,
    Opaque,
    SeveralModelsError,
    Truth,
    UnreadableError,
    Value,
    one,
)

_LARGEST = 1500
_EFFORT: Final = (12_000, 1.0)
_FRUGAL_EFFORT: Final = (800, 0.2)
"""Simplifications and seconds. What takes more is left out statement by statement, and with the frugal effort
so soon that the rest stays small.
"""
_EXTENSIONS = 12


def read_detection(
    source: PythonSource, modules: Modules, log_types: Sequence[str], shapes: Shapes
) -> Detection:
    """What ``rule()`` and the functions beside it say. Never raises for what the text holds."""
    usage: dict[Steps, Shape] = {}
    try:
        try:
            found = _of_rule(source, Machine(modules, log_types, shapes, usage), *_EFFORT)
        except TooLargeError:
            found = _of_rule(source, Machine(modules, log_types, shapes, usage), *_FRUGAL_EFFORT)
    except UnreadableError as error:
        return _refused(source, error.code, str(error), error.node)
    except (ExhaustedError, TooLargeError, RecursionError) as error:
        reason = str(error) if not isinstance(error, RecursionError) else "it nests deeper than can be read"
        return _refused(source, "too-large", reason, None)
    if found.fidelity is Fidelity.REFUSED:
        return found
    return _with_alerts(found, read_alerts(source, modules, log_types, shapes, usage))


def _of_rule(source: PythonSource, machine: Machine, simplifications: int, seconds: float) -> Detection:
    """What ``rule()`` says. It is read again if how it uses a field showed what that holds only later on."""
    allow_effort(simplifications, seconds, _EXTENSIONS)
    true, raised = _read_rule(machine, source)
    if machine.surprised:
        machine = machine.anew()
        true, raised = _read_rule(machine, source)
    return _detection(machine, true, raised)


def _read_rule(machine: Machine, source: PythonSource) -> tuple[Formula, Formula]:
    """When ``rule()`` returns True, and when it raises. Log types are read one after the other where the
    detection asks data models that say different things for them.
    """
    interpreter = Interpreter(machine)
    try:
        return _verdicts(interpreter, source)
    except SeveralModelsError:
        verdicts: dict[tuple[Formula, Formula], list[str]] = {}
        for names, _ in machine.data_models():
            with machine.only_of(names, log_type_is(names)):
                verdicts.setdefault(_verdicts(interpreter, source), []).extend(names)
    if len(verdicts) == 1:
        return next(iter(verdicts))
    guarded = [(log_type_is(names), *verdict) for verdict, names in verdicts.items()]
    return (
        either(*(both(guard, true) for guard, true, _ in guarded)),
        either(*(both(guard, raised) for guard, _, raised in guarded)),
    )


def _verdicts(interpreter: Interpreter, source: PythonSource) -> tuple[Formula, Formula]:
    routine = function_of(interpreter, source, "rule")
    if routine is None:
        raise UnreadableError("no function rule(event)", code="no-rule")
    interpreter.machine.place = (routine.source.file, routine.node)
    outcome = interpreter.invoke(routine, [one(EVENT)], {})
    true = either(*(both(guard, _is_true(interpreter.machine, value)) for guard, value in outcome.cases))
    return true, either(*(guard for guard, _ in outcome.raises))


def _is_true(machine: Machine, value: Value) -> Formula:
    """When a returned value is the bool True; anything that is no bool is an error, and no alert."""
    match value:
        case Truth(formula):
            return formula
        case Known(known):
            return both() if known is True else FALSE
        case Opaque(_, truthy):
            return machine.unknown(value) if truthy is None else both() if truthy else FALSE
        case Field(variable, steps) if variable == 0 and steps:
            if machine.shape(value) in (None, Shape.BOOLEAN):
                machine.used(value, Shape.BOOLEAN)
                return leaf(0, FieldPath(steps), Operator.IS, (True,))
    machine.note("no-bool", "rule() may return what is no bool, which is an error in Panther and no alert")
    return FALSE


def _detection(machine: Machine, true: Formula, raised: Formula) -> Detection:
    if size(true) > _LARGEST:
        raise TooLargeError("the condition is larger than anybody would read")
    chosen, diagnostics = missing_as_null(machine, with_selected(true, machine.selected), raised)
    diagnostics += [*null_losses(machine, chosen, raised), *picked_losses(machine, true)]
    plain = without_nulls(chosen)
    whole = settled(plain, widen=True)
    effect = Fidelity.WIDER
    condition = _expression(whole)
    if condition == ALWAYS and (whole.left_out or whole.unsaid):
        narrow = settled(plain, widen=False)
        if narrow.formula != FALSE:
            whole, effect, condition = narrow, Fidelity.NARROWER, _expression(narrow)
        else:
            return nothing_left(machine, whole)
    diagnostics += residue_losses(machine, whole, effect)
    diagnostics += [*notes(machine), *element_notes(machine, whole.plain)]
    diagnostics += type_losses(machine, whole.formula)
    diagnostics += empty_losses(machine, whole.plain, raised)
    if condition == NEVER:
        diagnostics.append(at_rule(machine, "never", "rule() never returns True"))
    fidelity = Fidelity.EXACT
    for diagnostic in diagnostics:
        fidelity |= diagnostic.effect or Fidelity.EXACT
    residue = (
        *(machine.residues[number].text for number in whole.left_out),
        *(message for _, message in whole.unsaid),
    )
    return Detection(condition=condition, fidelity=fidelity, residue=residue, diagnostics=tuple(diagnostics))


def _expression(whole: Settled) -> Expression:
    found = expressed(whole.formula)
    compile_expression(found)
    return found


def _refused(source: PythonSource, code: str, message: str, node: ast.AST | None) -> Detection:
    problem = finding(
        code, message, file=source.file, node=node, severity=Severity.ERROR, effect=Fidelity.REFUSED
    )
    return Detection(fidelity=Fidelity.REFUSED, diagnostics=(problem,))


def _with_alerts(found: Detection, alerts: Alerts) -> Detection:
    return msgspec.structs.replace(
        found,
        title=alerts.title,
        group_by=alerts.group_by,
        group_by_known=alerts.group_by_known,
        keys=alerts.keys,
        severity=alerts.severity,
        output=alerts.output,
        distinct=alerts.distinct,
        diagnostics=(*found.diagnostics, *alerts.diagnostics),
    )
