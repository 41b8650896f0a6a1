"""What is lost between a detection and its condition: each loss named, placed, and with its direction."""

from __future__ import annotations

import ast

from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import Operator, fields_asked
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.formulas import (
    both,
    under,
)
from converter.platforms.panther.importing.python.interface import Detection, finding
from converter.platforms.panther.importing.python.lowering import Settled
from converter.platforms.panther.importing.python.machine import Machine, leaf
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    Both,
    Either,
    Formula,
    Leaf,
    Negation,
    Null,
    Present,
    Some,
    atoms,
    opposite,
    replaced,
    speaks_of,
)
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape
from converter.platforms.panther.importing.python.values import (
    Field,
)


def residue_losses(machine: Machine, whole: Settled, effect: Fidelity) -> list[Diagnostic]:
    """The parts that were left out."""
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
            at_rule(
                machine,
                "one-element",
                f"a condition on one element of a list is left out: {message}",
                severity=Severity.WARNING,
                effect=effect,
            )
        )
    return found


def nothing_left(machine: Machine, whole: Settled) -> Detection:
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
            at_rule(
                machine,
                "one-element",
                f"a condition on one element of a list, on which the whole rule hangs: {message}",
                severity=Severity.ERROR,
                effect=Fidelity.REFUSED,
            )
        )
    return Detection(fidelity=Fidelity.REFUSED, diagnostics=tuple(found))


def missing_as_null(machine: Machine, true: Formula, raised: Formula) -> tuple[Formula, list[Diagnostic]]:
    """The formula with a key that an element of a list lacks taken as null, where Python raises for the one
    and not for the other: canonically both are alike, and an error is no verdict.

    Not so for a key of the event itself: events often lack one, and then the rule gives no alert.
    """
    found: list[Diagnostic] = []
    for null in dict.fromkeys(atom for atom in atoms(true) if isinstance(atom, Null) and atom.variable):
        present = Present(null.variable, null.steps)
        gone: frozenset[Negation] = frozenset({Negation(null), Negation(present)})
        as_null, as_missing = under(true, frozenset({null})), under(true, gone)
        if as_null == as_missing or _differences(both(as_null, opposite(under(raised, gone))), as_missing):
            continue
        true = replaced(true, null, opposite(present))
        path = FieldPath(machine.absolute(null.variable, null.steps))
        message = f"where an element lacks {path}, Python raises; it is read as null"
        found.append(at_rule(machine, "missing-raises", message))
    return true, found


def null_losses(machine: Machine, true: Formula, raised: Formula) -> list[Diagnostic]:
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
        effects = _differences(both(as_missing, opposite(failing)), as_null)
        if not effects:
            found.append(
                at_rule(
                    machine,
                    "null-raises",
                    f"where {path} is null, Python raises; it is read as missing",
                )
            )
            continue
        message = f"a null {path} is read as a missing one, for which Python takes a default"
        found += [at_rule(machine, "null-default", message, Severity.WARNING, effect) for effect in effects]
    return found


def empty_losses(machine: Machine, formula: Formula, raised: Formula) -> list[Diagnostic]:
    """An empty list or object is there for Python, and canonically it is not."""
    found: list[Diagnostic] = []
    of_event = (each for each in atoms(formula) if isinstance(each, Present) and each.variable == 0)
    for atom in dict.fromkeys(of_event):
        shape = machine.shape(Field(atom.variable, atom.steps))
        if shape not in (Shape.LIST, Shape.OBJECT) or AS_JSON in atom.steps:
            continue
        path = FieldPath(machine.absolute(atom.variable, atom.steps))
        exists = leaf(atom.variable, FieldPath(atom.steps), Operator.EXISTS)
        as_empty = under(formula, frozenset({atom, opposite(exists)}))
        as_missing = under(formula, frozenset({opposite(atom)}))
        failing = under(raised, frozenset({atom, opposite(exists)}))
        message = f"an empty {shape} {path} counts as missing"
        effects = _differences(both(as_missing, opposite(failing)), as_empty)
        if not effects and as_missing != as_empty:
            message = f"where the {shape} {path} is empty, Python raises; it is read as missing"
            found.append(at_rule(machine, "empty-raises", message))
        for effect in effects:
            if shape is Shape.OBJECT:
                found.append(at_rule(machine, "empty", message))
                break
            found.append(at_rule(machine, "empty", message, Severity.WARNING, effect))
    return found


def element_notes(machine: Machine, formula: Formula) -> list[Diagnostic]:
    """A null in a list of plain values is no element canonically; Python finds it to be no other value."""
    paths = {
        FieldPath(machine.absolute(each.source, each.steps)): None
        for each in atoms(formula)
        if isinstance(each, Some) and _asks_what_it_is_not(each.term)
    }
    return [at_rule(machine, "null-element", f"{path} is taken to hold no nulls") for path in paths]


def _asks_what_it_is_not(term: Formula) -> bool:
    """Whether an element of a list itself is denied something."""
    match term:
        case Both(terms) | Either(terms):
            return any(map(_asks_what_it_is_not, terms))
        case Negation(Leaf(_, predicate)):
            return any(not path.steps for path in fields_asked(predicate))
        case _:
            return False


def _differences(as_read: Formula, as_written: Formula) -> list[Fidelity]:
    """In which directions what is read differs from what is written."""
    found = [Fidelity.WIDER] if both(as_read, opposite(as_written)) != FALSE else []
    return found if both(as_written, opposite(as_read)) == FALSE else [*found, Fidelity.NARROWER]


def picked_losses(machine: Machine, formula: Formula) -> list[Diagnostic]:
    """Elements that are picked out of a list by a test that several may pass."""
    found: list[Diagnostic] = []
    for variable, chosen in machine.selected.items():
        if speaks_of(formula, {variable}):
            path = FieldPath(machine.absolute(chosen.source, chosen.steps))
            found.append(
                at_rule(
                    machine,
                    "one-of-key" if chosen.named else "first-element",
                    f"{path} is taken to hold the element with this key once"
                    if chosen.named
                    else f"the first of the elements of {path} that pass a test decides, here any of them",
                    severity=Severity.NOTE if chosen.named else Severity.WARNING,
                    effect=None if chosen.named else Fidelity.WIDER,
                )
            )
    return found


def type_losses(machine: Machine, formula: Formula) -> list[Diagnostic]:
    """Comparisons in which canonically a text equals what it reads as, and in Python not."""
    found: list[Diagnostic] = []
    for steps, text in sorted(machine.loose, key=str):
        path = FieldPath(steps)
        asked = {each for each in atoms(formula) if isinstance(each, Leaf) and each.predicate.subject == path}
        message = f"{path} holds values of several types, and {text} equals one of another type here"
        effects = {
            effect
            for each in asked
            for effect in _differences(
                under(formula, frozenset({each})), under(formula, frozenset({opposite(each)}))
            )
        }
        found += [
            at_rule(machine, "type-strict", message, Severity.WARNING, effect) for effect in sorted(effects)
        ]
    return found


def _noted(machine: Machine, code: str, message: str, node: ast.AST | None) -> Diagnostic:
    file, home = machine.place
    return finding(code, message, file=file, node=node or home)


def notes(machine: Machine) -> list[Diagnostic]:
    """What is worth knowing and changes no alert."""
    found = [_noted(machine, code, message, node) for (code, message), node in machine.notes.items()]
    if machine.assumed:
        fields = ", ".join(
            f"{FieldPath(steps)} ({shape})"
            for steps, shape in sorted(machine.assumed.items(), key=lambda each: str(each[0]))
            if steps
        )
        found.append(
            at_rule(
                machine,
                "assumed-shape",
                f"nothing declares what these fields hold; they are taken as the rule uses them: {fields}",
            )
        )
    return found


def at_rule(
    machine: Machine,
    code: str,
    message: str,
    severity: Severity = Severity.NOTE,
    effect: Fidelity | None = None,
) -> Diagnostic:
    """A finding about the whole of ``rule()``."""
    file, node = machine.place
    return finding(code, message, file=file, node=node, severity=severity, effect=effect)
