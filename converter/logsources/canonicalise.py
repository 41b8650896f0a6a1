"""A rule in a platform's own field names, put into the canonical ones: localise.py the other way round.

What no pack knows keeps its own name, with a note. What the log source itself says (its constants, and the
conditions that every event of it satisfies) is taken out of the rule, since its ``logsource`` says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from converter.logsources.canonical_values import asked_of, piece_function
from converter.logsources.lookup import below
from converter.logsources.naming import is_flat
from converter.logsources.pack import FieldType, Pack
from converter.logsources.selection import SourceSelection
from converter.logsources.stored_names import STORED_NAMES, Canonical, Part, dotted
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    changes_of,
    reference,
)
from converter.model.measures import renamed
from converter.model.paths import ANY, ELEMENT, FieldPath, PathStep
from converter.model.rule import AlertSettings, NewTerms, OutputField, Rule, Step, Threshold, renamed_choice
from converter.model.rule import Sequence as RuleSequence

UNKNOWN = "unknown-field"


def canonicalise(rule: Rule, packs: Sequence[Pack], platform: str) -> tuple[Rule, tuple[Diagnostic, ...]]:
    """``rule``, which a platform's reader made over stored names, in canonical names.

    On flat platforms each of its paths is ``FieldPath((stored name, *indexes))``, also below a ForSome; on
    Panther it is a path into the JSON object. ``packs``: those of its log sources, the first that knows a
    name decides; a step with its own log sources asks those alone. The rule itself is not changed.
    """
    found: dict[str, Diagnostic] = {}
    whole = _Canonicaliser(packs, platform, found)
    changes: dict[str, object] = {
        "output": tuple(OutputField(whole.path(o.field), o.alias) for o in rule.output),
        "alert": _alert(rule.alert, whole),
    }
    if rule.sequence is None:
        changes["indicators"] = whole.indicators(rule.indicators)
        changes["exclusions"] = tuple(whole.expression(term) for term in rule.exclusions)
    else:
        steps = tuple(_step(step, packs, platform, found) for step in rule.sequence.steps)
        changes["sequence"] = RuleSequence(steps=steps, within=rule.sequence.within)
    if rule.threshold is not None:
        changes["threshold"] = _threshold(rule.threshold, whole)
    if rule.new_terms is not None:
        fields = tuple(whole.path(path) for path in rule.new_terms.fields)
        changes["new_terms"] = NewTerms(fields=fields, history=rule.new_terms.history)
    return msgspec.structs.replace(rule, **changes), tuple(found.values())


def _step(step: Step, packs: Sequence[Pack], platform: str, found: dict[str, Diagnostic]) -> Step:
    own = [pack for pack in packs if pack.name in step.logsource] or packs
    work = _Canonicaliser(own, platform, found)
    return msgspec.structs.replace(
        step,
        indicators=work.indicators(step.indicators),
        exclusions=tuple(work.expression(term) for term in step.exclusions),
        by=tuple(work.path(path) for path in step.by),
    )


def _threshold(threshold: Threshold, work: _Canonicaliser) -> Threshold:
    distinct = threshold.distinct
    return msgspec.structs.replace(
        threshold,
        by=tuple(work.path(path) for path in threshold.by),
        distinct=None if distinct is None else work.path(distinct),
        having=tuple(renamed(test, work.path, work.expression) for test in threshold.having),
        choices=tuple(renamed_choice(each, work.path, work.expression) for each in threshold.choices),
    )


def _alert(alert: AlertSettings, work: _Canonicaliser) -> AlertSettings:
    return msgspec.structs.replace(
        alert,
        title=tuple(part if isinstance(part, str) else work.path(part) for part in alert.title),
        group_by=tuple(work.path(path) for path in alert.group_by),
    )


class _Canonicaliser:
    def __init__(self, packs: Sequence[Pack], platform: str, found: dict[str, Diagnostic]) -> None:
        self._packs = packs
        self._platform = platform
        self._flat = is_flat(platform)
        self._names = [STORED_NAMES(pack, platform) for pack in packs]
        self._selection = SourceSelection(packs, platform)
        self._found = found

    # -- paths

    def path(self, path: FieldPath) -> FieldPath:
        """A path that stands for itself: a group, a join key, an output field.

        A stored name that holds a part of a value stays, since only a condition can take a part.
        """
        found = self._find(path)
        if found is not None and found.part in (Part.WHOLE, Part.ADDRESS):
            return found.path
        return self._own(path)

    def _find(self, path: FieldPath) -> Canonical | None:
        for names in self._names:
            found = names.known(path)
            if found is not None:
                return found
        for names in self._names:
            own = names.canonical(path)
            if own is not None:
                return Canonical(own)
        return None

    def _own(self, path: FieldPath) -> FieldPath:
        """The path under its own name, with a note if no pack is open for it."""
        own = dotted(path) if self._flat else path
        if not any(names.is_open for names in self._names):
            name = str(own.without_indexes())
            self._note(name)
        return own

    def _note(self, name: str) -> None:
        sources = " or ".join(pack.name for pack in self._packs) or "any log source"
        message = f"{name} is no field of {sources}; its name is kept"
        made = Diagnostic(code=UNKNOWN, severity=Severity.NOTE, message=message, platform=self._platform)
        self._found.setdefault(message, made)

    # -- conditions

    def indicators(self, terms: Sequence[Expression]) -> tuple[Expression, ...]:
        """The terms, all of which hold, without those that the log source says itself."""
        kept: list[Expression] = []
        spliced = tuple(_conjuncts(terms))
        for term in spliced:
            if self._selection.implies_stored(term):
                continue
            asked = self.expression(term)
            kept.extend(one for one in _conjuncts((asked,)) if not self._selection.implies(one))
        if kept or not spliced:
            return self._joined(kept)
        return self._selection.every_event()

    def expression(self, expression: Expression, base: FieldPath | None = None) -> Expression:
        """The tree in canonical names; ``base``: the whole canonical path of the ForSome around it."""
        match expression:
            case All(terms):
                return All(self._joined([self.expression(term, base) for term in terms]))
            case AnyOf(terms):
                return AnyOf(tuple(self.expression(term, base) for term in terms))
            case Not(term):
                return Not(self.expression(term, base))
            case ForSome(path, term):
                return self._for_some(path, term, base)
            case Predicate():
                return self._predicate(expression, base)
        raise TypeError(f"not an expression: {expression!r}")

    def _for_some(self, path: FieldPath, term: Expression, base: FieldPath | None) -> Expression:
        if not self._flat:
            whole = path if base is None else base.joined(path)
            around = self._resolved(whole)
            inner = self.expression(term, _as_list(whole))
            return ForSome(around if base is None else self._below(path, around, base), inner)
        found = self._find(path)
        around = found.path if found is not None else self._own(path)
        if isinstance(term, Predicate) and not term.all_of and self._is_nested(around):
            return self.expression(term, base)
        inner = self.expression(_of_list(term, path), _as_list(around))
        outer = around if base is None else self._relative(around, base)
        return ForSome(_without_last_list(outer), inner)

    def _is_nested(self, path: FieldPath) -> bool:
        """Whether the platform asks of some element by itself: a ForSome around one question adds nothing."""
        stored = [
            pack.fields[key].platforms.get(self._platform)
            for pack in self._packs
            if (key := path.without_indexes()) in pack.fields
        ]
        return any(field is not None and field.type is FieldType.NESTED for field in stored)

    def _predicate(self, predicate: Predicate, base: FieldPath | None) -> Expression:
        subject = predicate.subject
        values = tuple(self._operand(value, base) for value in predicate.values)
        asked = msgspec.structs.replace(predicate, values=values)
        if isinstance(subject, Concat):
            parts = tuple(self._parts(subject.parts, base))
            if len(parts) == 1 and isinstance(parts[0], FieldPath):
                return msgspec.structs.replace(asked, subject=parts[0])
            return msgspec.structs.replace(asked, subject=Concat(parts))
        found = self._find(self._whole(subject, base))
        if found is None:
            return msgspec.structs.replace(asked, subject=self._inner(subject, base))
        path = found.path if base is None else self._below(subject, found.path, base)
        return asked_of(asked, msgspec.structs.replace(found, path=path))

    def _operand(self, operand: Scalar | Reference, base: FieldPath | None) -> Scalar | Reference:
        """An operand with canonical names, where it is made of values of the event."""
        return self._reference(operand, base) if isinstance(operand, Reference) else operand

    def _reference(self, operand: Reference, base: FieldPath | None) -> Reference:
        subject, functions = changes_of(operand)
        if isinstance(subject, FieldPath):
            return self._named(subject, functions, base)
        parts = tuple(self._parts(subject.parts, base))
        whole = parts[0] if len(parts) == 1 and isinstance(parts[0], FieldPath) else Concat(parts)
        return reference(whole, functions)

    def _named(self, path: FieldPath, functions: tuple[Function, ...], base: FieldPath | None) -> Reference:
        """A stored field as an operand; a piece of a value is taken out of the whole."""
        found = self._find(self._whole(path, base))
        if found is None or found.part in (Part.WHOLE, Part.ADDRESS):
            return reference(self._inner(path, base), functions)
        whole = found.path if base is None else self._relative(found.path, self._base(base))
        return reference(whole, (piece_function(found), *functions))

    def _whole(self, path: FieldPath, base: FieldPath | None) -> FieldPath:
        """The whole path as the platform has it; flat names are whole already."""
        return path if base is None or self._flat else base.joined(path)

    def _base(self, base: FieldPath) -> FieldPath:
        return base if self._flat else self._resolved(base)

    def _resolved(self, path: FieldPath) -> FieldPath:
        found = self._find(path)
        return found.path if found is not None and found.part is Part.WHOLE else self._own(path)

    def _inner(self, path: FieldPath, base: FieldPath | None) -> FieldPath:
        """A path in a condition that stands for itself, relative to the ForSome around it."""
        whole = self.path(self._whole(path, base))
        return whole if base is None else self._below(path, whole, base)

    def _below(self, given: FieldPath, path: FieldPath, base: FieldPath) -> FieldPath:
        """A whole path as it is named below a ForSome, where the platform's own form is ``given``."""
        if given.rooted:
            return FieldPath(path.steps, rooted=True)
        return self._relative(path, self._base(base))

    def _relative(self, path: FieldPath, base: FieldPath) -> FieldPath:
        size = len(base.keys)
        if path.keys == base.keys:
            return ELEMENT
        if path.keys[:size] == base.keys and len(path.keys) > size:
            return FieldPath(below(path, size))
        message = f"{path} lies outside the list {base} whose elements are asked for it"
        made = Diagnostic(
            code="same-element",
            severity=Severity.ERROR,
            message=message,
            platform=self._platform,
            effect=Fidelity.REFUSED,
        )
        self._found.setdefault(message, made)
        return path

    # -- values that are stored in parts

    def _parts(self, parts: Sequence[Reference | str], base: FieldPath | None) -> Iterator[Reference | str]:
        """The parts of a concatenation; the pieces of one value with its separator are that value again."""
        position = 0
        while position < len(parts):
            part = parts[position]
            if isinstance(part, str):
                yield part
                position += 1
                continue
            found = self._find(self._whole(part, base)) if isinstance(part, FieldPath) else None
            size = self._pieces(found, parts[position:])
            if size and found is not None:
                yield found.path
                position += size
                continue
            yield self._reference(part, base)
            position += 1

    def _pieces(self, found: Canonical | None, parts: Sequence[Reference | str]) -> int:
        """How many of ``parts`` make up the whole value that the first is a piece of; 0 if they do not."""
        if found is None or found.part is not Part.PIECE or found.field is None:
            return 0
        wanted: list[Reference | str] = []
        for name in found.field.join:
            wanted.extend((found.field.separator, FieldPath((name,))))
        return len(wanted) - 1 if list(parts[: len(wanted) - 1]) == wanted[1:] else 0

    def _joined(self, terms: Sequence[Expression]) -> tuple[Expression, ...]:
        """The terms with questions about each piece of a value made one about the value."""
        result: list[Expression] = []
        for term in terms:
            whole = _of_whole_value(term, terms, self._separated)
            if whole is None:
                result.append(term)
            elif whole not in result:
                result.append(whole)
        return tuple(result)

    def _separated(self, path: FieldPath) -> int:
        """How many pieces the platform stores a value in."""
        for pack in self._packs:
            field = pack.fields.get(path.without_indexes())
            stored = field.platforms.get(self._platform) if field is not None else None
            if stored is not None and stored.join:
                return len(stored.join)
        return 0


def _of_whole_value(
    term: Expression, terms: Sequence[Expression], pieces: Callable[[FieldPath], int]
) -> Predicate | None:
    """The question about the whole value, where ``terms`` ask for each of its pieces, ``term`` for one."""
    piece = _piece(term)
    if piece is None:
        return None
    path, separator, _, ignore_case = piece[:4]
    wanted = pieces(path)
    texts: dict[int, str] = {}
    for other in terms:
        found = _piece(other)
        if found is not None and found[:2] == (path, separator) and found[3] == ignore_case:
            if found[2] in texts:
                return None
            texts[found[2]] = found[4]
    if not wanted or sorted(texts) != list(range(wanted)):
        return None
    value = separator.join(texts[number] for number in range(wanted))
    return Predicate(path, Operator.IS, (value,), ignore_case=ignore_case)


def _piece(term: Expression) -> tuple[FieldPath, str, int, bool, str] | None:
    """A question whether one piece of a value is one text: path, separator, number, case, text."""
    match term:
        case Predicate(FieldPath() as path, Operator.IS, (str() as text,), ignore_case, _, (function,)):
            is_split = function.name is FunctionName.SPLIT and function.index is not None
            if is_split and function.separator and function.separator not in text:
                return path, function.separator, function.index or 0, ignore_case, text
    return None


def _conjuncts(terms: Sequence[Expression]) -> Iterator[Expression]:
    for term in terms:
        if isinstance(term, All):
            yield from _conjuncts(term.terms)
        else:
            yield term


def _as_list(path: FieldPath) -> FieldPath:
    return path if not isinstance(path.steps[-1], str) else FieldPath((*path.steps, ANY))


def _of_list(term: Expression, path: FieldPath) -> Expression:
    """A term of the elements of a list, each of which it calls as the platform calls the list."""
    match term:
        case All(terms):
            return All(tuple(_of_list(each, path) for each in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_of_list(each, path) for each in terms))
        case Not(inner):
            return Not(_of_list(inner, path))
        case Predicate(subject=subject) if subject == ELEMENT:
            return msgspec.structs.replace(term, subject=path)
    return term


def _without_last_list(path: FieldPath) -> FieldPath:
    steps: tuple[PathStep, ...] = path.steps
    return FieldPath(steps[:-1]) if steps[-1] is ANY and len(steps) > 1 else path
