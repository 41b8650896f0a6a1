"""From a Python detection to what its functions say."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import msgspec

from converter.evaluate import compile_expression
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import FALSE as NEVER
from converter.model.expressions import TRUE as ALWAYS
from converter.model.expressions import Expression, Operator
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.alerts import Alerts, read_alerts
from converter.platforms.panther.importing.python.formulas import (
    TooLargeError,
    allow_effort,
    both,
    either,
    under,
)
from converter.platforms.panther.importing.python.functions_of import EVENT, function_of
from converter.platforms.panther.importing.python.interface import Detection, Modules, PythonSource, finding
from converter.platforms.panther.importing.python.interpreter import Interpreter
from converter.platforms.panther.importing.python.lowering import Settled, expressed, settled, without_nulls
from converter.platforms.panther.importing.python.machine import Machine, leaf
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    Formula,
    Leaf,
    Negation,
    Null,
    Present,
    atoms,
    opposite,
    size,
    speaks_of,
)
from converter.platforms.panther.importing.python.selecting import with_selected
from converter.platforms.panther.importing.python.shapes import Shape, Shapes, Steps
from converter.platforms.panther.importing.python.values import (
    ExhaustedError,
    Field,
    Known,
    Opaque,
    Truth,
    UnreadableError,
    Value,
    one,
)

_LARGEST = 1500
_SIMPLIFICATIONS = 400_000
_SECONDS = 1.5


def read_detection(
    source: PythonSource, modules: Modules, log_types: Sequence[str], shapes: Shapes
) -> Detection:
    """What ``rule()`` and the functions beside it say. Never raises for what the text holds.

    It is read twice: how the detection uses a field shows what it holds, and may be seen only later on.
    """
    usage: dict[Steps, Shape] = {}
    allow_effort(_SIMPLIFICATIONS, _SECONDS)
    try:
        _read_rule(Interpreter(Machine(modules, log_types, shapes, usage)), source)
        interpreter = Interpreter(Machine(modules, log_types, shapes, usage))
        true, raised = _read_rule(interpreter, source)
        found = _detection(interpreter.machine, source, true, raised)
    except UnreadableError as error:
        return _refused(source, error.code, str(error), error.node)
    except (ExhaustedError, TooLargeError, RecursionError) as error:
        reason = str(error) if not isinstance(error, RecursionError) else "it nests deeper than can be read"
        return _refused(source, "too-large", reason, None)
    if found.fidelity is Fidelity.REFUSED:
        return found
    return _with_alerts(found, read_alerts(source, modules, log_types, shapes, usage))


def _read_rule(interpreter: Interpreter, source: PythonSource) -> tuple[Formula, Formula]:
    """When ``rule()`` returns True, and when it raises."""
    routine = function_of(interpreter, source, "rule")
    if routine is None:
        raise UnreadableError("no function rule(event)", code="no-rule")
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


def _detection(machine: Machine, source: PythonSource, true: Formula, raised: Formula) -> Detection:
    if size(true) > _LARGEST:
        raise TooLargeError("the condition is larger than anybody would read")
    diagnostics = [*_null_losses(machine, true, raised, source), *_picks(machine, source, true)]
    plain = without_nulls(with_selected(true, machine.selected))
    whole = settled(plain, widen=True)
    effect = Fidelity.WIDER
    condition = _expression(whole)
    if condition == ALWAYS and (whole.left_out or whole.unsaid):
        narrow = settled(plain, widen=False)
        if narrow.formula != FALSE:
            whole, effect, condition = narrow, Fidelity.NARROWER, _expression(narrow)
        else:
            return _nothing_left(machine, source, whole)
    diagnostics += _residues(machine, source, whole, effect)
    diagnostics += _notes(machine, source)
    diagnostics += _loose(machine, source, whole.formula)
    diagnostics += _hollow(machine, source, whole.formula)
    if condition == NEVER:
        diagnostics.append(finding("never", "rule() never returns True", file=source.file))
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


def _residues(machine: Machine, source: PythonSource, whole: Settled, effect: Fidelity) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for number in whole.left_out:
        residue = machine.residues[number]
        found.append(
            finding(
                residue.code,
                f"{residue.message} is left out",
                file=residue.source.file,
                node=residue.node,
                severity=Severity.WARNING,
                effect=effect,
            )
        )
    for _, message in whole.unsaid:
        found.append(
            finding(
                "one-element",
                f"a condition on one element of a list is left out: {message}",
                file=source.file,
                severity=Severity.WARNING,
                effect=effect,
            )
        )
    return found


def _nothing_left(machine: Machine, source: PythonSource, whole: Settled) -> Detection:
    """Everything hangs on what could not be read."""
    found = [
        finding(
            machine.residues[number].code,
            f"{machine.residues[number].message} cannot be read, and the whole rule hangs on it",
            file=machine.residues[number].source.file,
            node=machine.residues[number].node,
            severity=Severity.ERROR,
            effect=Fidelity.REFUSED,
        )
        for number in whole.left_out
    ]
    for _, message in whole.unsaid:
        found.append(
            finding(
                "one-element",
                f"a condition on one element of a list, on which the whole rule hangs: {message}",
                file=source.file,
                severity=Severity.ERROR,
                effect=Fidelity.REFUSED,
            )
        )
    return Detection(fidelity=Fidelity.REFUSED, diagnostics=tuple(found))


def _null_losses(machine: Machine, true: Formula, raised: Formula, source: PythonSource) -> list[Diagnostic]:
    """Canonically a null is like a missing field; where Python tells them apart, say so."""
    found: list[Diagnostic] = []
    for null in dict.fromkeys(atom for atom in atoms(true) if isinstance(atom, Null)):
        as_null = under(true, frozenset({null}))
        gone: frozenset[Negation] = frozenset({Negation(null), Negation(Present(null.variable, null.steps))})
        as_missing = under(true, gone)
        if as_null == as_missing:
            continue
        path = FieldPath(machine.absolute(null.variable, null.steps))
        failing = under(raised, frozenset({null}))
        wider = both(as_missing, opposite(as_null), opposite(failing)) != FALSE
        narrower = both(as_null, opposite(as_missing)) != FALSE
        if not wider and not narrower:
            found.append(
                finding(
                    "null-raises",
                    f"where {path} is null, Python raises; it is read as missing",
                    file=source.file,
                )
            )
            continue
        for differs, effect in ((wider, Fidelity.WIDER), (narrower, Fidelity.NARROWER)):
            if differs:
                message = f"a null {path} is read as a missing one, for which Python takes a default"
                found.append(
                    finding(
                        "null-default", message, file=source.file, severity=Severity.WARNING, effect=effect
                    )
                )
    return found


def _hollow(machine: Machine, source: PythonSource, formula: Formula) -> list[Diagnostic]:
    """An empty list or object is there for Python, and canonically it is not."""
    found: list[Diagnostic] = []
    for atom in dict.fromkeys(atoms(formula)):
        if isinstance(atom, Present) and atom.variable == 0:
            shape = machine.shape(Field(0, atom.steps))
            if shape in (Shape.LIST, Shape.OBJECT):
                found.append(
                    finding(
                        "empty",
                        f"an empty {shape} {FieldPath(atom.steps)} counts as missing",
                        file=source.file,
                        severity=Severity.WARNING if shape is Shape.LIST else Severity.NOTE,
                        effect=Fidelity.NARROWER if shape is Shape.LIST else None,
                    )
                )
    return found


def _picks(machine: Machine, source: PythonSource, formula: Formula) -> list[Diagnostic]:
    """Elements that are picked out of a list by a test that several may pass."""
    found: list[Diagnostic] = []
    for variable, chosen in machine.selected.items():
        if speaks_of(formula, {variable}):
            path = FieldPath(machine.absolute(chosen.source, chosen.steps))
            found.append(
                finding(
                    "one-of-key" if chosen.named else "first-element",
                    f"{path} is taken to hold the element with this key once"
                    if chosen.named
                    else f"the first of the elements of {path} that pass a test decides, here any of them",
                    file=source.file,
                    severity=Severity.NOTE if chosen.named else Severity.WARNING,
                    effect=None if chosen.named else Fidelity.WIDER,
                )
            )
    return found


def _loose(machine: Machine, source: PythonSource, formula: Formula) -> list[Diagnostic]:
    """Comparisons of which canonically a text equals what it reads as, and in Python not."""
    found: list[Diagnostic] = []
    for steps, text in sorted(machine.loose, key=str):
        path = FieldPath(steps)
        for atom in atoms(formula):
            if isinstance(atom, Leaf) and atom.predicate.subject == path:
                found.append(
                    finding(
                        "type-strict",
                        f"{path} holds values of several types, and {text} equals one of another type here",
                        file=source.file,
                        severity=Severity.WARNING,
                        effect=Fidelity.NARROWER if Negation(atom) == formula else Fidelity.WIDER,
                    )
                )
                break
    return found


def _notes(machine: Machine, source: PythonSource) -> list[Diagnostic]:
    found = [
        finding(code, message, file=source.file, node=node) for (code, message), node in machine.notes.items()
    ]
    if machine.assumed:
        fields = ", ".join(
            f"{FieldPath(steps)} ({shape})"
            for steps, shape in sorted(machine.assumed.items(), key=lambda each: str(each[0]))
            if steps
        )
        found.append(
            finding(
                "assumed-shape",
                f"nothing declares what these fields hold; they are taken as the rule uses them: {fields}",
                file=source.file,
            )
        )
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
        severity=alerts.severity,
        output=alerts.output,
        distinct=alerts.distinct,
        diagnostics=(*found.diagnostics, *alerts.diagnostics),
    )
