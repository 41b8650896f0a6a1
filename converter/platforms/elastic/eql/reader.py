"""From EQL text to canonical expressions and sequences over stored names, with EQL's exact meaning.

Facts (Elastic, "EQL syntax reference", "EQL function reference"; Elasticsearch's query translator tests):
every comparison asks for some value of the field; a missing field satisfies none; ``!=``, ``not in`` and
``not`` are ``must_not`` and so match a missing field; ``== null`` means that there is no value. Functions run
as scripts over each value, so that a negated comparison of a *function* needs a value that satisfies it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from converter.model.diagnostics import Fidelity, RuleError
from converter.model.expressions import (
    FALSE,
    TRUE,
    Expression,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.rule import Sequence, Step
from converter.platforms.elastic.eql.comparisons import Comparisons
from converter.platforms.elastic.eql.settings import CATEGORY_FIELD
from converter.platforms.elastic.eql.spans import read_span
from converter.platforms.elastic.eql.strings import read_string
from converter.platforms.elastic.eql.terms import Call, Constant, Field, Term, error_at
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut, left_out, parse

if TYPE_CHECKING:
    import lark

Tree: TypeAlias = "lark.Tree[lark.Token]"


class Read(msgspec.Struct, frozen=True):
    """What a query says: one event's condition, or a sequence."""

    condition: Expression | None = None
    sequence: Sequence | None = None


def read(
    text: str,
    fields: StoredFields,
    *,
    category: str = CATEGORY_FIELD,
    missing: list[LeftOut] | None = None,
) -> Read:
    """The meaning of an EQL query. Raises RuleError for what is not EQL, or has no canonical form.

    ``category``: the field that the word before ``where`` asks about. With ``missing``, parts that have no
    canonical form are left out where the rest still says something, and put into it.
    """
    tree = parse("eql", text)
    body: Tree = tree.children[0]  # type: ignore[assignment]
    reader = _Reader(fields, text, category, missing)
    for pipe in tree.children[1:]:
        reader.leave_out(pipe, error_at(pipe, "pipes"))
    if body.data == "event":
        return Read(condition=reader.event(body))
    if body.data == "sample":
        raise error_at(body, "samples")
    return Read(sequence=reader.sequence(body))


class _Reader:
    def __init__(
        self,
        fields: StoredFields,
        text: str,
        category: str,
        missing: list[LeftOut] | None,
    ) -> None:
        self._comparisons = Comparisons(fields)
        self._text = text
        self._category = category
        self._missing = missing

    def leave_out(self, place: object, error: RuleError, effect: Fidelity = Fidelity.WIDER) -> None:
        """Go on without a part of the query, or raise the error if everything has to be read."""
        if self._missing is None:
            raise error
        self._missing.append(left_out(self._text, place, error, effect))

    # -- sequences

    def sequence(self, tree: Tree) -> Sequence:
        within: timedelta | None = None
        shared: tuple[FieldPath, ...] = ()
        steps: list[Step] = []
        for part in _trees(tree):
            if part.data == "maxspan":
                within = read_span(_trees(part)[0])
            elif part.data == "keys":
                shared = self._keys(part)
            elif part.data == "until":
                self.leave_out(part, error_at(part, "until"))
            else:
                steps.append(self._step(part, shared))
        return Sequence(steps=tuple(steps), within=within)

    def _step(self, tree: Tree, shared: tuple[FieldPath, ...]) -> Step:
        condition: Expression = TRUE
        by, absent, repeat = shared, False, 1
        for part in _trees(tree):
            if part.data == "event":
                condition = self.event(part, Fidelity.NARROWER if absent else Fidelity.WIDER)
            elif part.data == "keys":
                by = shared + self._keys(part)
            elif part.data == "missing":
                absent = True
            elif str(part.children[0]) == "runs":
                repeat = int(str(part.children[1]))
            else:
                raise error_at(part, f"with {part.children[0]}")
        return Step(indicators=(condition,), by=by, absent=absent, repeat=repeat)

    def _keys(self, tree: Tree) -> tuple[FieldPath, ...]:
        keys: list[FieldPath] = []
        for key in _trees(tree):
            parts = _trees(key)
            if parts[0].data == "optional":
                self.leave_out(key, error_at(key, "an optional join key (?field)"), Fidelity.NARROWER)
            keys.append(_field(parts[-1]))
        return tuple(keys)

    # -- one event

    def event(self, tree: Tree, effect: Fidelity = Fidelity.WIDER) -> Expression:
        """One event's condition; ``effect``: which way the query errs if this one is wider."""
        category, condition = _trees(tree)
        term = self._conjunction(condition, effect)
        if category.data == "any_category":
            return term
        token = category.children[0]
        word = read_string(str(token)) if token.type == "STRING" else str(token)  # type: ignore[union-attr]
        chosen = Predicate(FieldPath((self._category,)), Operator.IS, (word,))
        return chosen if term == TRUE else all_of(chosen, term)

    def _conjunction(self, tree: Tree, effect: Fidelity) -> Expression:
        """The condition, part by part of the outermost conjunction if parts may be left out."""
        parts = _trees(tree) if tree.data == "and_" else [tree]
        terms: list[Expression] = []
        for part in parts:
            try:
                terms.append(self.condition(part))
            except RuleError as error:
                if len(parts) == 1:
                    raise
                self.leave_out(part, error, effect)
        return all_of(*terms)

    def condition(self, tree: Tree) -> Expression:
        match str(tree.data):
            case "or_":
                return any_of(*map(self.condition, _trees(tree)))
            case "and_":
                return all_of(*map(self.condition, _trees(tree)))
            case "not_":
                return negated(self.condition(_trees(tree)[0]))
            case "true":
                return TRUE
            case "false":
                return FALSE
            case "compare":
                return self._compare(tree)
            case "in_" | "not_in":
                terms = _trees(tree)
                word = str(_tokens(tree)[0])
                listed = self._comparisons.listed(
                    tree, self.term(terms[0]), word, [self.term(t) for t in terms[1:]]
                )
                return negated(listed) if tree.data == "not_in" else listed
            case "text_op" | "not_text_op":
                terms = _trees(tree)
                word = str(_tokens(tree)[0])
                matched = self._comparisons.matched(
                    tree, self.term(terms[0]), word, [self.term(t) for t in terms[1:]]
                )
                return negated(matched) if tree.data == "not_text_op" else matched
            case "call":
                return self._comparisons.called(tree, self._call(tree))
            case "field" | "optional_field":
                return Predicate(self._path(tree), Operator.IS, (True,))
        raise error_at(tree, _NAMES.get(str(tree.data), "this"))

    def _compare(self, tree: Tree) -> Expression:
        left, right = (part for part in tree.children if not _is_token(part))
        sign = str(_tokens(tree)[0])
        for side, other in ((left, right), (right, left)):
            if _is_boolean(other) and str(side.data) not in ("field", "optional_field", "true", "false"):  # type: ignore[union-attr]
                if sign not in ("==", "!="):
                    raise error_at(tree, f"{sign} between truth values")
                holds = (str(other.data) == "true") == (sign == "==")  # type: ignore[union-attr]
                condition = self.condition(side)  # type: ignore[arg-type]
                return condition if holds else negated(condition)
        return self._comparisons.compared(tree, self.term(left), sign, self.term(right))  # type: ignore[arg-type]

    # -- terms

    def term(self, tree: Tree) -> Term:
        match str(tree.data):
            case "string":
                return Constant(read_string(str(tree.children[0])))
            case "number":
                return Constant(_number(str(tree.children[0])))
            case "true" | "false":
                return Constant(tree.data == "true")
            case "null":
                return Constant(None)
            case "field" | "optional_field":
                return Field(self._path(tree))
            case "call":
                return self._call(tree)
            case "signed":
                inner = self.term(_trees(tree)[0])
                if isinstance(inner, Constant) and isinstance(inner.value, int | float):
                    return Constant(-inner.value if str(tree.children[0]) == "-" else inner.value)
        raise error_at(tree, _NAMES.get(str(tree.data), "this term"))

    def _call(self, tree: Tree) -> Call:
        name = str(_tokens(tree)[0]).lower()
        return Call(name.rstrip("~"), name.endswith("~"), tuple(self.term(t) for t in _trees(tree)))

    def _path(self, tree: Tree) -> FieldPath:
        return _field(_trees(tree)[0] if tree.data == "optional_field" else tree)


_NAMES = {
    "arithmetic": "arithmetic",
    "lineage": "child of, descendant of and event of",
    "string": "a text as a condition",
    "number": "a number as a condition",
    "null": "null as a condition",
}


def _field(tree: Tree) -> FieldPath:
    """A field name: its parts joined by dots, backticks taken off."""
    names = []
    for part in tree.children:
        if _is_token(part):
            raise error_at(tree, "an index into a list")
        text = str(part.children[0])  # type: ignore[union-attr]
        names.append(text[1:-1].replace("``", "`") if text.startswith("`") else text)
    return FieldPath((".".join(names),))


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _is_token(part: object) -> bool:
    return isinstance(part, str)


def _is_boolean(part: object) -> bool:
    return getattr(part, "data", None) in ("true", "false")


def _trees(tree: Tree) -> list[Tree]:
    return [part for part in tree.children if not isinstance(part, str) and part is not None]


def _tokens(tree: Tree) -> list[str]:
    return [part for part in tree.children if isinstance(part, str)]
