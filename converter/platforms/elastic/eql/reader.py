"""From EQL text to canonical expressions and sequences over stored names, with EQL's exact meaning.

Facts (Elastic, "EQL syntax reference", "EQL function reference"; Elasticsearch's query translator tests):
every comparison asks for some value of the field; a missing field satisfies none; ``!=``, ``not in`` and
``not`` are ``must_not`` and so match a missing field; ``== null`` means that there is no value. Functions run
as scripts over each value, so that a negated comparison of a *function* needs a value that satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from converter.model.diagnostics import Fidelity, RuleError
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    children,
    mapped,
)
from converter.model.paths import ANY, FieldPath
from converter.model.rule import Sequence, Step
from converter.platforms.elastic.eql.arithmetic import NAMES, computed
from converter.platforms.elastic.eql.comparisons import Comparisons
from converter.platforms.elastic.eql.dialects import ELASTICSEARCH, Dialect
from converter.platforms.elastic.eql.functions import CONDITIONS, Functions, folded
from converter.platforms.elastic.eql.spans import read_span
from converter.platforms.elastic.eql.strings import is_older, read_string
from converter.platforms.elastic.eql.terms import Arithmetic, Call, Constant, Field, Term, error_at
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut, left_out, parse
from converter.platforms.numerals import NumeralError, numeral
from converter.platforms.three_valued import Truth, never_null, ternary_and, ternary_not, ternary_or

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
    category: str | None = None,
    missing: list[LeftOut] | None = None,
    dialect: Dialect = ELASTICSEARCH,
) -> Read:
    """The meaning of an EQL query. Raises RuleError for what is not EQL, or has no canonical form.

    ``category``: the field that the word before ``where`` asks about, if not the dialect's. With ``missing``,
    parts that have no canonical form are left out where the rest still says something, and put into it.
    """
    tree = parse("eql", text)
    body: Tree = tree.children[0]  # type: ignore[assignment]
    if category is not None:
        dialect = msgspec.structs.replace(dialect, category=category)
    reader = Reader(fields, text, dialect, missing)
    for pipe in tree.children[1:]:
        reader.leave_out(pipe, error_at(pipe, "pipes"))
    if body.data == "event":
        return Read(condition=reader.event(body))
    if body.data in ("sample", "join"):
        raise error_at(body, f"{body.data}s, which have no order")
    return Read(sequence=reader.sequence(body))


Related: TypeAlias = "Callable[[str, Expression], Expression]"
"""From a relation (child, descendant, event) and the condition on the related event to a condition."""


class Reader:
    """Reads the parts of one query. ``related`` reads ``child of`` and its like, which no rule can say."""

    def __init__(
        self,
        fields: StoredFields,
        text: str,
        dialect: Dialect,
        missing: list[LeftOut] | None = None,
        related: Related | None = None,
    ) -> None:
        self._comparisons = Comparisons(fields, dialect)
        self._functions = Functions(self._comparisons)
        self._dialect = dialect
        self._text = text
        self._missing = missing
        self._related = related
        self._element: str | None = None

    def leave_out(self, place: object, error: RuleError, effect: Fidelity = Fidelity.WIDER) -> None:
        """Go on without a part of the query, or raise the error if everything has to be read."""
        if self._missing is None:
            raise error
        self._missing.append(left_out(self._text, place, error, effect))

    # -- sequences

    def sequence(self, tree: Tree) -> Sequence:
        """A ``sequence``; ``until`` is an absent step between each two, which rules need a span for."""
        spans = [_trees(part)[0] for part in _trees(tree) if part.data == "maxspan"]
        within = read_span(spans[0]) if spans else None
        steps, until = self.join(tree, spanned=within is not None or self._dialect.older_syntax)
        if until is not None and FALSE not in children(until.condition):
            steps = list(_woven(steps, msgspec.structs.replace(until, absent=True)))
        return Sequence(steps=tuple(steps), within=within)

    def join(self, tree: Tree, *, spanned: bool = True) -> tuple[list[Step], Step | None]:
        """The terms of a ``join`` or ``sequence``, and the event that ends it, unless it is not spanned."""
        parts = _trees(tree)
        shared = next((self._keys(part) for part in parts if part.data == "keys"), ())
        steps = [self._step(part, shared) for part in parts if part.data == "term"]
        ending = next((part for part in parts if part.data == "until"), None)
        if ending is None:
            return steps, None
        if not spanned:
            self.leave_out(ending, error_at(ending, "until without maxspan"))
            return steps, None
        return steps, self._step(_trees(ending)[0], shared, Fidelity.NARROWER)

    def _step(self, tree: Tree, shared: tuple[FieldPath, ...], effect: Fidelity = Fidelity.WIDER) -> Step:
        condition: Expression = TRUE
        by, absent, repeat = shared, False, 1
        for part in _trees(tree):
            if part.data == "event":
                condition = self.event(part, Fidelity.NARROWER if absent else effect)
            elif part.data == "keys":
                by = shared + self._keys(part)
            elif part.data == "missing":
                absent = True
            elif part.data == "runs" and str(part.children[0]) == "runs":
                repeat = _runs(part)
            else:
                raise error_at(part, "fork" if part.data == "fork" else f"with {part.children[0]}")
        return Step(indicators=(condition,), by=by, absent=absent, repeat=repeat)

    def _keys(self, tree: Tree) -> tuple[FieldPath, ...]:
        keys: list[FieldPath] = []
        for key in _trees(tree):
            part = _trees(key)[0]
            if part.data == "optional_field":
                self.leave_out(key, error_at(key, "an optional join key (?field)"), Fidelity.NARROWER)
            elif part.data != "field" and not self._dialect.older_syntax:
                raise error_at(key, "a join key that is no field")
            keys.append(self._key(key, self.term(part)))
        return tuple(keys)

    def _key(self, place: Tree, term: Term) -> FieldPath:
        """The field behind a join key: what is equal exactly when the field's values are stands for them."""
        match term:
            case Field(path):
                return path
            case Call("string", _, (inner,)) | Arithmetic(inner, "+" | "-", Constant(int() | float())):
                return self._key(place, inner)
            case Arithmetic(inner, "*", Constant(int() | float() as factor)) if factor:
                return self._key(place, inner)
        raise error_at(place, "a join key other than a field")

    # -- one event

    def event(self, tree: Tree, effect: Fidelity = Fidelity.WIDER) -> Expression:
        """One event's condition; ``effect``: which way the query errs if this one is wider."""
        category, condition = _trees(tree)
        term = self._conjunction(condition, effect)
        if category.data == "any_category":
            return term
        token = category.children[0]
        word = self._string(category, token) if token.type == "STRING" else str(token)  # type: ignore[union-attr]
        chosen = Predicate(FieldPath((self._dialect.category,)), Operator.IS, (word,))
        return chosen if term == TRUE else all_of(chosen, term)

    def _conjunction(self, tree: Tree, effect: Fidelity) -> Expression:
        """The condition, part by part of the outermost conjunction if parts may be left out."""
        parts = _trees(tree) if tree.data == "and_" else [tree]
        terms: list[Expression] = []
        for part in parts:
            try:
                terms.append(self.condition(part).true)
            except RuleError as error:
                if len(parts) == 1:
                    raise
                self.leave_out(part, error, effect)
        return all_of(*terms)

    def condition(self, tree: Tree) -> Truth:
        """When a condition is true, and when it is false."""
        match str(tree.data):
            case "or_":
                return self._joined(any_of, ternary_or, tree)
            case "and_":
                return self._joined(all_of, ternary_and, tree)
            case "not_":
                return ternary_not(self.condition(_trees(tree)[0]))
            case "true" | "false":
                return never_null(TRUE if tree.data == "true" else FALSE)
            case "compare":
                return self._compare(tree)
            case "in_" | "not_in" | "text_op" | "not_text_op":
                return self._listed(tree)
            case "call" | "method":
                return self._called(tree)
            case "field" | "optional_field":
                return self._flag(self._path(tree))
            case "lineage":
                return self._lineage(tree)
        raise error_at(tree, _NAMES.get(str(tree.data), "this"))

    def _joined(self, two: Callable[..., Expression], three: Callable[..., Truth], tree: Tree) -> Truth:
        """``and``, ``or`` of two or of three truth values."""
        terms = [self.condition(term) for term in _trees(tree)]
        return three(*terms) if self._dialect.ternary else never_null(two(*(term.true for term in terms)))

    def _listed(self, tree: Tree) -> Truth:
        left, *options = (self.term(term) for term in _trees(tree))
        word = str(_tokens(tree)[0])
        ask = self._functions.listed if tree.data in ("in_", "not_in") else self._comparisons.matched
        found = ask(tree, left, word, options)
        return ternary_not(found) if str(tree.data).startswith("not_") else found

    def _called(self, tree: Tree) -> Truth:
        name, arguments = self._parts(tree)
        if name == "safe" and len(arguments) == 1:
            return self.condition(arguments[0])
        if name == "arraysearch" and len(arguments) == 3:
            return self._search(tree, *arguments)
        if name == "arraycontains" and len(arguments) > 1:
            elements = Field(_elements(self._path(arguments[0])))
            return self._comparisons.listed(tree, elements, "in", [self.term(one) for one in arguments[1:]])
        call = self.term(tree)
        if isinstance(call, Call):
            return self._functions.called(tree, call)
        raise error_at(tree, f"{name}(…) as a condition")

    def _flag(self, path: FieldPath) -> Truth:
        """A field alone: true; in the older dialect any value that is not false, nought or empty."""
        if not self._dialect.ternary:
            return never_null(Predicate(path, Operator.IS, (True,)))
        none = Predicate(path, Operator.IS, (False, 0, ""))
        return self._comparisons.truth(all_of(Predicate(path, Operator.EXISTS), Not(none)), [path])

    def _lineage(self, tree: Tree) -> Truth:
        relation, related = str(_tokens(tree)[0]), _trees(tree)[0]
        if self._related is None or relation not in ("child", "descendant", "event"):
            raise error_at(tree, _NAMES["lineage"])
        return never_null(self._related(relation, self.event(related)))

    def _compare(self, tree: Tree) -> Truth:
        left, right = (part for part in tree.children if not _is_token(part))
        sign = str(_tokens(tree)[0])
        if sign == "=":
            self._older(tree, "= for ==")
            sign = "=="
        for side, other in ((left, right), (right, left)):
            if self._has_value(side) or str(other.data) not in ("true", "false", "null"):  # type: ignore[arg-type,union-attr]
                continue
            if sign not in ("==", "!="):
                raise error_at(tree, f"{sign} between truth values")
            condition = self.condition(side)  # type: ignore[arg-type]
            if other.data == "null":  # type: ignore[union-attr]
                known = any_of(condition.true, condition.false) if self._dialect.ternary else TRUE
                return self._comparisons.null(known, sign)
            holds = (str(other.data) == "true") == (sign == "==")  # type: ignore[union-attr]
            return condition if holds else ternary_not(condition)
        return self._functions.compared(tree, self.term(left), sign, self.term(right))  # type: ignore[arg-type]

    def _has_value(self, tree: Tree) -> bool:
        """Whether a side of a comparison has a value of any kind; if not, it is a condition."""
        if tree.data in ("call", "method"):
            return self._parts(tree)[0] not in CONDITIONS
        return str(tree.data) in _VALUES

    # -- lists

    def _search(self, tree: Tree, array: Tree, variable: Tree, condition: Tree) -> Truth:
        """``arraySearch(list, x, …)``: some element does; an element that is an object by its own fields."""
        path, name = self._path(array), ".".join(map(str, _names(variable)))
        used = {len(_names(field)) > 1 for field in condition.find_data("field") if _names(field)[0] == name}
        if len(used) > 1:
            raise error_at(tree, "arraySearch that asks an element and its fields")
        outer, self._element = self._element, name
        try:
            found = self.condition(condition).true
        finally:
            self._element = outer
        if True in used:
            return self._comparisons.truth(ForSome(path, found), [path])
        if False not in used:
            return self._comparisons.truth(all_of(Predicate(_elements(path), Operator.EXISTS), found), [path])
        if not _asks_one(found):
            raise error_at(tree, "arraySearch that asks several things of an element that is no object")
        return self._comparisons.truth(_moved(found, _elements(path)), [path])

    # -- terms

    def term(self, tree: Tree) -> Term:
        """A value: a constant, a field, a function or arithmetic."""
        match str(tree.data):
            case "string":
                return Constant(self._string(tree, tree.children[0]))
            case "number":
                return Constant(_number(tree))
            case "true" | "false":
                return Constant(tree.data == "true")
            case "null":
                return Constant(None)
            case "field" | "optional_field":
                return Field(self._path(tree))
            case "call" | "method":
                return self._call(tree)
            case "arithmetic":
                left, right = _trees(tree)
                return computed(tree, self.term(left), str(_tokens(tree)[0]), self.term(right))
            case "signed":
                sign = str(tree.children[0])
                return computed(tree, Constant(0), sign, self.term(_trees(tree)[0]))
        raise error_at(tree, _NAMES.get(str(tree.data), "this term"))

    def _call(self, tree: Tree) -> Term:
        name, arguments = self._parts(tree)
        if name == "safe" and len(arguments) == 1:
            return self.term(arguments[0])
        if name in ("arraysearch", "arraycontains", "arraycount"):
            raise error_at(tree, f"{name}(…) compared with something")
        terms = tuple(self.term(argument) for argument in arguments)
        if name in NAMES and len(terms) == 2:
            return computed(tree, terms[0], NAMES[name], terms[1])
        token = str(_tokens(_call_of(tree))[0])
        return folded(tree, Call(name, token.endswith("~"), terms))

    def _parts(self, tree: Tree) -> tuple[str, list[Tree]]:
        """The name of a call in lower case, and its arguments; a method's first one stands before it."""
        call = _call_of(tree)
        name = str(_tokens(call)[0]).lower().rstrip("~")
        if tree is call:
            return name, _trees(call)
        self._older(tree, "methods")
        return name, [_trees(tree)[0], *_trees(call)]

    def _string(self, place: Tree, token: object) -> str:
        if is_older(str(token)):
            self._older(place, "a text in single quotes, or a raw one with ?")
        try:
            return read_string(str(token))
        except ValueError as error:
            raise error_at(place, str(error)) from error

    def _older(self, place: Tree, what: str) -> None:
        if not self._dialect.older_syntax:
            raise error_at(place, f"{what}, which only the older dialect has")

    def _path(self, tree: Tree) -> FieldPath:
        """The path of a field; below an element of a list, from that element."""
        field = _trees(tree)[0] if tree.data == "optional_field" else tree
        if field.data != "field":
            raise error_at(tree, "something other than a field here")
        names = _names(field)
        if not self._dialect.nested:
            if any(isinstance(name, int) for name in names):
                raise error_at(tree, "an index into a list")
            return FieldPath((".".join(map(str, names)),))
        if self._element is None:
            return FieldPath(tuple(names))
        if names[0] != self._element:
            raise error_at(tree, f"{'.'.join(map(str, names))}, which is not of the list's element")
        return FieldPath(tuple(names[1:]) or (_ELEMENT,))


_VALUES: Final = frozenset(
    {"string", "number", "true", "false", "null", "field", "optional_field", "arithmetic", "signed"}
)
"""Parts of a query that have a value of any kind; others are conditions."""

_ELEMENT: Final = ""
"""The key that stands for an element that is no object, until the list's own path does."""

_NAMES: Final = {
    "lineage": "child of, descendant of and event of",
    "string": "a text as a condition",
    "number": "a number as a condition",
    "null": "null as a condition",
}


def _woven(steps: list[Step], until: Step) -> Iterator[Step]:
    """``until`` between each two events of a sequence: the event would end it (EQL syntax reference)."""
    started = False
    for step in steps:
        once = msgspec.structs.replace(step, repeat=1)
        for _ in range(step.repeat):
            if started and not step.absent:
                yield until
            yield once
        started = started or not step.absent


def _runs(tree: Tree) -> int:
    number = str(tree.children[1])
    if not number.isdigit() or len(number) > 3 or not 1 <= int(number) <= _MOST_RUNS:
        raise error_at(tree, f"with runs={number[:20]}")
    return int(number)


_MOST_RUNS: Final = 100
"""Elasticsearch's own limit (EQL syntax reference, "with runs")."""


def _elements(path: FieldPath) -> FieldPath:
    return FieldPath((*path.steps, ANY))


def _asks_one(condition: Expression) -> bool:
    """Whether some element meets the condition exactly when some element meets one of its predicates."""
    return not isinstance(condition, All | Not | ForSome) and all(map(_asks_one, children(condition)))


def _moved(condition: Expression, path: FieldPath) -> Expression:
    """The condition on an element, asked of every element at a path."""
    return mapped(condition, lambda one: msgspec.structs.replace(one, subject=path))


def _names(field: Tree) -> list[str | int]:
    """The parts of a field's name, backticks taken off, and the indexes into lists."""
    names: list[str | int] = []
    for part in field.children:
        if _is_token(part):
            names.append(int(str(part)[1:-1]))
            continue
        text = str(part.children[0])  # type: ignore[union-attr]
        names.append(text[1:-1].replace("``", "`") if text.startswith("`") else text)
    return names


def _call_of(tree: Tree) -> Tree:
    return tree if tree.data == "call" else _trees(tree)[1]


def _number(tree: Tree) -> int | float:
    try:
        return numeral(str(tree.children[0]))
    except NumeralError as error:
        raise error_at(tree, str(error)) from error


def _is_token(part: object) -> bool:
    return isinstance(part, str)


def _trees(tree: Tree) -> list[Tree]:
    return [part for part in tree.children if not isinstance(part, str) and part is not None]


def _tokens(tree: Tree) -> list[str]:
    return [part for part in tree.children if isinstance(part, str)]
