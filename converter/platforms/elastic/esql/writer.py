"""Rules → ES|QL: an event condition as a WHERE expression, and whole queries with thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec

from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    TRUE as ALWAYS,
)
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    any_of,
    fields_asked,
    predicates,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Threshold
from converter.platforms.elastic import kql
from converter.platforms.elastic.esql.choices import WriteCondition
from converter.platforms.elastic.esql.condition import Condition, Leaf, conjuncts, joint, negate, printed
from converter.platforms.elastic.esql.groups_writer import GroupsWriter
from converter.platforms.elastic.esql.operands import Operands
from converter.platforms.elastic.esql.predicates import Predicates
from converter.platforms.elastic.esql.text import identifier, string

_NESTED_HINT = "use a log source that stores the list as a nested field, and KQL"
_METADATA = ("_id", "_index", "_version")
_INDEX_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.*-:+@$%~^&;!ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class LocalisedCondition(Protocol):
    """A condition in stored names, as :func:`converter.logsources.localise.localise` gives it."""

    @property
    def expression(self) -> Expression:
        """The tree; every path is a stored one."""
        ...

    @property
    def fields(self) -> Mapping[FieldPath, PlatformField]:
        """What is stored at each path of the tree."""
        ...


def condition(localised: LocalisedCondition, losses: Losses) -> str:
    """A WHERE expression that is true for exactly the events which satisfy the condition.

    What it cannot say exactly is added to ``losses``, and the closest form written.
    """
    return printed(_lowered(localised, losses))


def query(
    localised: LocalisedCondition,
    indices: Sequence[str],
    losses: Losses,
    *,
    threshold: Threshold | None = None,
    keep: Iterable[FieldPath] = (),
    interval: timedelta = timedelta(minutes=5),
) -> str:
    """A whole query over ``indices``.

    ``threshold`` has stored paths, which ``localised`` describes as well. A sliding window is the span of
    time that the rule's runs look back over, and whoever schedules them says so; the windows of the clock are
    in the query, for runs every ``interval`` (of a window that is not as long as the clock's step: every
    step). ``keep``: stored paths that the alert is to carry. An event rule keeps
    the document's identity as well (METADATA), which an ES|QL rule needs to show the document and to
    alert once on it (Elastic Security documentation, "ES|QL rules").
    """
    commands = [f"FROM {', '.join(map(_index, indices))}"]
    if threshold is None:
        commands[0] += f" METADATA {', '.join(_METADATA)}"
    commands.append("WHERE " + "\n    AND ".join(_top_level(_lowered(localised, losses))))
    kept = list(dict.fromkeys(identifier(str(path.steps[0])) for path in keep))
    if threshold is None:
        columns = ["@timestamp", *_METADATA, *(name for name in kept if name != "@timestamp")]
        commands.append(f"KEEP {', '.join(columns)}")
    else:
        writes = _condition_writer(localised.fields, by_kql=not threshold.choices)
        groups = GroupsWriter(threshold, localised.fields, losses, writes)
        commands.extend(groups.commands([name for name in kept if name not in _METADATA], interval))
    return "\n| ".join(commands)


def _condition_writer(fields: Mapping[FieldPath, PlatformField], *, by_kql: bool) -> WriteCondition:
    return lambda expression, losses: printed(_Writer(fields, losses, by_kql).condition(expression))


def _lowered(localised: LocalisedCondition, losses: Losses) -> Condition:
    return _Writer(localised.fields, losses).condition(localised.expression)


def _top_level(written: Condition) -> list[str]:
    terms = conjuncts(written)
    return [printed(term, nested=len(terms) > 1) for term in terms]


def _index(pattern: str) -> str:
    return pattern if pattern and set(pattern) <= _INDEX_CHARACTERS else string(pattern)


class _Writer:
    """Walks an expression, turning losses round below every negation.

    ``by_kql``: the KQL function may be used, which stands behind a WHERE and not behind an EVAL (ES|QL
    reference, KQL and "Limitations").
    """

    def __init__(
        self, fields: Mapping[FieldPath, PlatformField], losses: Losses, by_kql: bool = True
    ) -> None:
        self._may_use_kql = by_kql
        self._fields = fields
        self._losses = losses
        self._predicates = Predicates(fields, losses)

    def condition(self, expression: Expression, wanted: bool = True) -> Condition:
        """The condition that is true where the expression has the ``wanted`` verdict."""
        match expression:
            case All(terms) | AnyOf(terms):
                every = isinstance(expression, All) is wanted
                return joint(every, [self.condition(term, wanted) for term in terms])
            case Not(term):
                with self._losses.flipped():
                    return self.condition(term, not wanted)
            case ForSome(path, term):
                return self.condition(self._unbound(path, term), wanted)
            case Predicate():
                written = self._by_kql(expression) or self._predicates.condition(expression)
                return written if wanted else negate(written)

    def _by_kql(self, predicate: Predicate) -> Condition | None:
        """The KQL function, where ES|QL itself does not see lists and KQL says it exactly.

        KQL asks any value of a field, and the function is true or false, never null (ES|QL reference, KQL;
        9.1 and later also below OR).
        """
        if not self._may_use_kql:
            return None
        trial = Losses("elastic")
        Predicates(self._fields, trial).condition(predicate)
        if all(found.code != "multi-value" for found in trial.diagnostics):
            return None
        asked, fields = _without_index(predicate, self._fields)
        losses = Losses("elastic")
        clause = kql.write(asked, fields, losses)
        if losses.fidelity is not Fidelity.EXACT:
            return None
        if isinstance(predicate.subject, FieldPath):
            Operands(self._fields, self._losses).column(predicate.subject)
        test = f"KQL({string(clause.text)})"
        return Leaf(test, f"NOT {test}")

    def _unbound(self, path: FieldPath, term: Expression) -> Expression:
        """A same-element condition over columns that no longer know their element.

        One predicate, and any OR of such, asks no two things of one element: it stays exact. Of a
        conjunction the parts are asked of any element each, and negations are left out: that is wider.
        """
        field = self._fields.get(path)
        if field is not None and field.type is FieldType.NESTED:
            self._losses.refuse(
                "field-type", f"ES|QL cannot read the nested field {path.steps[0]}", "KQL can"
            )
        if isinstance(term, AnyOf):
            return any_of(*(self._unbound(path, option) for option in term.terms))
        if isinstance(term, All) and len(term.terms) == 1:
            return self._unbound(path, term.terms[0])
        if isinstance(term, Predicate) and _asks_once(term):
            return term
        self._losses.lose(
            "same-element",
            Fidelity.WIDER,
            f"ES|QL asks the conditions on one element of {path.steps[0]} of any element each",
            None if _of_values(path, term) else _NESTED_HINT,
        )
        return _without_negations(term)


def _of_values(path: FieldPath, term: Expression) -> bool:
    """Whether a term asks the elements of a list themselves, and not what is under their keys."""
    return any(path in fields_asked(predicate) for predicate in predicates(term))


def _without_index(
    predicate: Predicate, fields: Mapping[FieldPath, PlatformField]
) -> tuple[Predicate, Mapping[FieldPath, PlatformField]]:
    """The predicate on any element of its field, which is what a query can ask, and the fields with that."""
    path = predicate.subject
    if not isinstance(path, FieldPath) or len(path.steps) == 1 or path not in fields:
        return predicate, fields
    whole = FieldPath(path.steps[:1])
    return msgspec.structs.replace(predicate, subject=whole), {**fields, whole: fields[path]}


def _asks_once(predicate: Predicate) -> bool:
    """Whether the predicate looks at one value of one field at a time."""
    one_operand = not predicate.all_of or len(predicate.values) == 1
    return one_operand and len(fields_asked(predicate)) == 1


def _without_negations(term: Expression) -> Expression:
    match term:
        case All(terms):
            return All(tuple(_without_negations(part) for part in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_without_negations(part) for part in terms))
        case ForSome(_, inner):
            return _without_negations(inner)
        case Not():
            return ALWAYS
        case Predicate():
            return term
