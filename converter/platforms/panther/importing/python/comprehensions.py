"""Comprehensions: over constants one element after the other, over lists of the event all at once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import msgspec

from converter.platforms.panther.importing.python.events import entries_of
from converter.platforms.panther.importing.python.formulas import both, either
from converter.platforms.panther.importing.python.frames import Frame
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.truth import truth
from converter.platforms.panther.importing.python.values import (
    Collection,
    Entry,
    Keyed,
    Known,
    Outcome,
    Table,
    UnreadableError,
    Value,
    gathered,
    one,
    quantified,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter

_MOST = 2_000


def made(
    interpreter: Interpreter, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frame: Frame
) -> Outcome:
    """The collection that a comprehension makes."""
    inner = frame.child(dict(frame.env))
    if isinstance(node, ast.DictComp):
        pair = ast.Tuple(elts=[node.key, node.value], ctx=ast.Load())
        found = _generated(interpreter, list(node.generators), pair, inner)
        return gathered_dicts(found)
    element = node.elt
    found = _generated(interpreter, list(node.generators), element, inner)
    kind = {"ListComp": "list", "SetComp": "set"}.get(type(node).__name__, "generator")
    if kind == "generator":
        return one(Collection(kind, tuple(found)))
    return eager(kind, found)


def eager(kind: str, entries: list[Entry]) -> Outcome:
    """A list of entries: what one of them raises, the making of the list raises."""
    raises = [(quantified(entry, guard), name) for entry in entries for guard, name in entry.value.raises]
    clean = tuple(
        msgspec.structs.replace(entry, value=Outcome(entry.value.cases)) if entry.value.raises else entry
        for entry in entries
    )
    fine = both(*(opposite(guard) for guard, _ in raises))
    return gathered([(fine, collected(kind, clean))], raises)


def collected(kind: str, entries: tuple[Entry, ...]) -> Value:
    """A collection; a constant one where every element is."""
    singles = [entry.value.single for entry in entries]
    if all(isinstance(single, Known) for single in singles) and all(
        not entry.binders and entry.include == TRUE for entry in entries
    ):
        values: list[Any] = [single.value for single in singles if isinstance(single, Known)]
        try:
            return Known({"tuple": tuple, "set": set}.get(kind, list)(values))
        except TypeError as error:
            raise UnreadableError("a set of what cannot be in one") from error
    return Collection(kind, entries)


def _generated(
    interpreter: Interpreter, generators: list[ast.comprehension], element: ast.expr, frame: Frame
) -> list[Entry]:
    if not generators:
        return [Entry(interpreter.value(element, frame))]
    generator, *rest = generators
    machine = interpreter.machine
    source = interpreter.value(generator.iter, frame)
    entries: list[Entry] = []
    for guard, value in source.cases:
        for outer in entries_of(machine, value):
            machine.step()
            if not outer.value.cases:
                entries.append(Entry(outer.value, outer.binders, both(guard, outer.include)))
                continue
            with machine.given(both(guard, outer.include)):
                inner_frame = frame.child(dict(frame.env))
                interpreter.names.assign(generator.target, Outcome(outer.value.cases), inner_frame)
                kept = _conditions(interpreter, generator.ifs, inner_frame)
                include = both(guard, outer.include, kept)
                if include == FALSE:
                    continue
                with machine.given(kept):
                    found = _generated(interpreter, rest, element, inner_frame)
            for entry in found:
                entries.append(
                    Entry(entry.value, (*outer.binders, *entry.binders), both(include, entry.include))
                )
            if len(entries) > _MOST:
                raise UnreadableError("a comprehension over very many constants")
    if source.raises:
        raised = tuple((guard, name) for guard, name in source.raises)
        entries.insert(0, Entry(Outcome((), raised)))
    return entries


def _conditions(interpreter: Interpreter, tests: list[ast.expr], frame: Frame) -> Formula:
    kept: Formula = TRUE
    for test in tests:
        with interpreter.machine.given(kept):
            found = interpreter.truth(test, frame)
        held = [both(guard, truth(interpreter.machine, value)) for guard, value in found.cases]
        if found.raises:
            interpreter.machine.note("raises-in-filter", "a filter that raises ends rule() without an alert")
        kept = both(kept, either(*held))
    return kept


def gathered_dicts(entries: list[Entry]) -> Outcome:
    """A dict of pairs: of one list of the event by its keys, or of constants."""
    lists = [entry for entry in entries if entry.binders]
    if len(entries) == 1 and len(lists) == 1 and len(lists[0].binders) == 1:
        return _keyed(lists[0])
    raises = [
        (quantified(entry, guard), name)
        for entry in entries
        if not entry.value.cases
        for guard, name in entry.value.raises
    ]
    kept = [entry for entry in entries if entry.value.cases]
    found = _dict_of(kept) if len(kept) != 1 or not kept[0].binders else _keyed(kept[0])
    fine = both(*(opposite(guard) for guard, _ in raises))
    return Outcome(tuple((both(fine, guard), value) for guard, value in found.cases), tuple(raises))


def _keyed(entry: Entry) -> Outcome:
    """``{x["key"]: x["value"] for x in …}`` over a list of the event."""
    keys: list[tuple[Formula, Value]] = []
    values: list[tuple[Formula, Value]] = []
    for guard, pair in entry.value.cases:
        if not isinstance(pair, Collection) or len(pair.entries) != 2:
            raise UnreadableError("a dict made of values of the event")
        keys += [(both(guard, each), value) for each, value in pair.entries[0].value.cases]
        values += [(both(guard, each), value) for each, value in pair.entries[1].value.cases]
    made = Keyed(gathered(keys), gathered(values), entry.binders[0], entry.include)
    raised = [(quantified(entry, guard), name) for guard, name in entry.value.raises]
    fine = both(*(opposite(guard) for guard, _ in raised))
    return gathered([(fine, made)], raised)


def _dict_of(entries: list[Entry]) -> Outcome:
    pairs: list[tuple[Any, Outcome]] = []
    for entry in entries:
        single = entry.value.single
        if entry.binders or entry.include != TRUE:
            raise UnreadableError("a dict made of values of the event")
        match single:
            case Known((key, value)):
                pairs.append((key, one(Known(value))))
            case Collection("tuple", (first, second)) if isinstance(first.value.single, Known):
                pairs.append((first.value.single.value, second.value))
            case _:
                raise UnreadableError("a dict made of values of the event")
    singles = [outcome.single for _, outcome in pairs]
    if all(isinstance(single, Known) for single in singles):
        return one(
            Known({key: s.value for (key, _), s in zip(pairs, singles, strict=True) if isinstance(s, Known)})
        )
    return one(Table(tuple(dict(pairs).items())))
