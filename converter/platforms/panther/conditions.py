"""From a canonical expression to a Python condition on a Panther event, with exactly its meaning.

Facts held to, measured on panther_core 0.16: ``deep_get`` gives its default for a null, for a missing key
and on the way through a list; list fields are ``ImmutableList``, which is no ``list`` and has no hash, so
membership is tested against tuples; ``==`` tells 403 from "403" and takes ``True`` for 1.
"""

from __future__ import annotations

from typing import Final

import msgspec

from converter.evaluate.values import number_of, text_of
from converter.model.addresses import CLASSES
from converter.model.expressions import (
    TEXT_OPERATORS,
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
    Scalar,
    changes_of,
    constants,
    elements_asked,
    predicates,
    references,
    separated,
)
from converter.model.expressions import Subject as Asked
from converter.model.losses import Losses
from converter.model.paths import ELEMENT, FieldPath, PathStep
from converter.platforms.panther import layout
from converter.platforms.panther.fields import Fields, Kind
from converter.platforms.panther.layout import Doc
from converter.platforms.panther.literals import python_scalar, python_text
from converter.platforms.panther.module import Module, tuple_text, words
from converter.platforms.panther.texttests import TEXT_FORMS, TextTest, TextTests

_ORDER: Final = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_VERSIONS: Final = {"v4": 4, "v6": 6}
_LARGEST_EXACT_FLOAT: Final = 2**53


class Scope(msgspec.Struct, frozen=True):
    """What paths start at: the event, or an element of a list whose keys are ``base``.

    ``itself``: the Python for the element as text, where it is a value.
    """

    variable: str = "event"
    base: tuple[str, ...] = ()
    depth: int = 0
    itself: str | None = None

    def around(self, path: FieldPath) -> Scope:
        """The scope that a path starts at."""
        return Scope() if path.rooted else self


class Subject(msgspec.Struct, frozen=True):
    """The texts that a predicate looks at: ``element`` is the Python for one of them, ``collection`` for all.

    ``raw`` is the collection of the values before they become text, where nothing has changed them.
    ``alone``: there is one text, and ``element`` says it by itself.
    """

    collection: str
    element: str = "value"
    raw: str | None = None
    is_length: bool = False
    alone: bool = False

    @property
    def listed(self) -> str:
        """The collection with the element's changes applied."""
        return self.collection if self.alone else _listed(self.collection, self.element)


class ConditionWriter:
    """Writes conditions into one module; what cannot be said goes to ``losses``."""

    def __init__(self, module: Module, fields: Fields, losses: Losses) -> None:
        self._module = module
        self._fields = fields
        self._losses = losses
        self._tests = TextTests(module, losses)

    def condition(self, expression: Expression, scope: Scope = Scope()) -> Doc:  # noqa: B008 - frozen
        """The condition as a tree whose Python text gives True or False."""
        match expression:
            case All(terms):
                return layout.joined("and", [self.condition(term, scope) for term in terms])
            case AnyOf(terms):
                return layout.joined("or", [self.condition(term, scope) for term in terms])
            case Not(term):
                with self._losses.flipped():
                    return layout.negated(self.condition(term, scope))
            case ForSome(path, term):
                return self._for_some(path, term, scope)
            case Predicate():
                return self._predicate(expression, scope)

    def values(self, path: FieldPath, scope: Scope = Scope(), helper: str = "values") -> str:  # noqa: B008
        """A call of one of the helpers that take a path."""
        self._module.use(helper)
        return f"{helper}({scope.around(path).variable}, {self.steps(path.steps)})"

    def steps(self, steps: tuple[PathStep, ...]) -> str:
        """The steps of a path as arguments."""
        if None in steps:
            self._module.use("EACH")
        return ", ".join(
            "EACH" if step is None else python_text(step) if isinstance(step, str) else str(step)
            for step in steps
        )

    def texts(self, subject: FieldPath | Concat, functions: tuple[Function, ...]) -> str:
        """The texts of a subject, changed by the functions."""
        return _texts(self._subject(subject, functions, Scope()))

    def lookup(self, path: FieldPath, scope: Scope = Scope(), default: str | None = None) -> str:  # noqa: B008
        """The value at a path of keys, as an engineer looks it up."""
        scope = scope.around(path)
        keys = [python_text(str(step)) for step in path.steps]
        if default is not None:
            return f"{scope.variable}.deep_get({', '.join(keys)}, default={default})"
        if len(keys) == 1:
            return f"{scope.variable}.get({keys[0]})"
        return f"{scope.variable}.deep_get({', '.join(keys)})"

    def kind(self, path: FieldPath, scope: Scope = Scope()) -> Kind:  # noqa: B008 - frozen
        """The declared kind of the value at a path."""
        return self._fields.kind(path.steps, scope.around(path).base)

    # -- the tree

    def _for_some(self, path: FieldPath, term: Expression, scope: Scope) -> Doc:
        variable = "item" if scope.depth == 0 else f"item_{scope.depth + 1}"
        listed = FieldPath(path.steps[:-1], path.rooted) if path.steps[-1] is None else path
        itself: str | None = None
        match elements_asked(term):
            case False, _:
                helper = "items"
            case _, True:
                helper = "elements"
            case _ if all(map(_of_text, predicates(term))):
                helper, itself = "texts", variable
            case _:
                helper, itself = "values", f"text({variable})"
        source = self.values(listed, scope, helper)
        inner = Scope(variable, scope.around(path).base + path.keys, scope.depth + 1, itself)
        return layout.Any(self.condition(term, inner), (f"for {variable} in {source}",))

    def _predicate(self, predicate: Predicate, scope: Scope) -> Doc:
        apart = separated(predicate)
        if apart is not predicate:
            return self.condition(apart, scope)
        if predicate.all_of and len(predicate.values) > 1:
            single = [
                msgspec.structs.replace(predicate, values=(value,), all_of=False)
                for value in predicate.values
            ]
            return layout.joined("and", [self._predicate(one, scope) for one in single])
        plain = self._plain(predicate, scope)
        return plain if plain is not None else self._general(predicate, scope)

    # -- the plain forms, exact where the field's kind is declared

    def _plain(self, predicate: Predicate, scope: Scope) -> Doc | None:
        path = predicate.subject
        if predicate.functions or not isinstance(path, FieldPath) or references(predicate):
            return None
        kind = self.kind(path, scope)
        if kind is Kind.UNKNOWN:
            return None
        match predicate.operator:
            case Operator.EXISTS:
                return layout.compared(self.lookup(path, scope), "is not", "None")
            case Operator.IS if not (predicate.ignore_case and kind is Kind.TEXT):
                return self._plain_is(predicate, path, kind, scope)
            case Operator.IS | Operator.STARTS_WITH | Operator.ENDS_WITH | Operator.CONTAINS:
                return self._plain_text(predicate, path, kind, scope)
            case Operator.LIKE | Operator.REGEX:
                return self._plain_text(predicate, path, kind, scope)
            case _:
                return None

    def _plain_is(self, predicate: Predicate, path: FieldPath, kind: Kind, scope: Scope) -> Doc | None:
        operands = [_as_kind(value, kind) for value in constants(predicate)]
        if any(operand is None for operand in operands):
            return None
        found = self.lookup(path, scope)
        if kind is Kind.BOOLEAN and len(operands) == 1:
            return layout.compared(found, "is", str(operands[0]))
        literals = list(dict.fromkeys(python_scalar(value) for value in operands if value is not None))
        if len(literals) == 1:
            return layout.compared(found, "==", literals[0])
        return layout.compared(found, "in", self._module.choices(path, literals))

    def _plain_text(self, predicate: Predicate, path: FieldPath, kind: Kind, scope: Scope) -> Doc | None:
        """A text operator on a declared text. A missing one is looked at as "", so "" must not satisfy it."""
        if kind is not Kind.TEXT:
            return None
        if predicate.operator is Operator.IS and any(
            not isinstance(v, (str, bool)) for v in predicate.values
        ):
            return None
        tests = self._tests.of(predicate, path)
        if tests is None or any(test.takes_empty for test in tests):
            return None
        element = f"str({self.lookup(path, scope, default=python_text(''))})"
        return layout.joined("or", [test.of(element) for test in tests])

    # -- the general forms, exact for any event

    def _general(self, predicate: Predicate, scope: Scope) -> Doc:
        if predicate.operator is Operator.EXISTS:
            return self._exists(predicate, scope)
        subject = self._subject(predicate.subject, predicate.functions, scope)
        for other in references(predicate):
            return self._related(predicate, subject, self._subject(*changes_of(other), scope))
        match predicate.operator:
            case Operator.IS:
                return self._is(predicate, subject, scope)
            case Operator.CIDR | Operator.IP:
                return self._address(predicate, subject)
            case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
                return self._order(predicate, subject)
            case _:
                tests = self._tests.of(predicate, _path_of(predicate)) or []
                return layout.joined("or", [_some(test, subject) for test in tests])

    def _exists(self, predicate: Predicate, scope: Scope) -> Doc:
        if isinstance(predicate.subject, FieldPath) and not predicate.functions:
            return layout.call(self.values(predicate.subject, scope, "exists"))
        if predicate.functions and predicate.functions[-1].name is FunctionName.JSON:
            before = self._subject(predicate.subject, predicate.functions[:-1], scope)
            return layout.call(self._inside_json("exists_in_json", before, predicate.functions[-1]))
        collection = self._subject(predicate.subject, predicate.functions, scope).collection
        return layout.Text(f"bool({collection})", f"not {collection}")

    def _subject(self, looked_at: Asked, functions: tuple[Function, ...], scope: Scope) -> Subject:
        """What is looked at as a collection, and what the value functions make of one element of it."""
        raw: str | None = None
        element, alone = "value", scope.itself is not None and looked_at == ELEMENT
        if alone:
            element = self._element(scope)
            collection, raw = f"[{element}]", None if functions else f"[{scope.variable}]"
        elif isinstance(looked_at, FieldPath):
            collection = self.values(looked_at, scope, "texts")
            if not functions:
                raw = self.values(looked_at, scope)
        else:
            collection = self._concat(looked_at, scope)
        is_length = False
        for function in functions:
            if is_length:
                element, is_length = f"str({element})", False
            match function.name:
                case FunctionName.SPLIT:
                    self._module.use("parts")
                    separator = python_text(function.separator or "")
                    source = f"[{element}]" if alone else _listed(collection, element)
                    collection = f"parts({source}, {separator}, {function.index})"
                    element, alone = "value", False
                case FunctionName.JSON:
                    found = Subject(collection, element, alone=alone)
                    collection = self._inside_json("in_json", found, function)
                    element, alone = "value", False
                case FunctionName.BASENAME:
                    self._module.use("basename")
                    element = f"basename({element})"
                case FunctionName.LENGTH:
                    element, is_length = f"len({element})", True
                case FunctionName.TRIM:
                    element = f'{element}.strip(" \\t\\r\\n\\f\\v")'
                case FunctionName.LOWER | FunctionName.UPPER:
                    element = f"{element}.{function.name.value}()"
        if alone:
            return Subject(f"[{element}]", element, raw, is_length, alone)
        return Subject(collection, element, raw, is_length)

    def _element(self, scope: Scope) -> str:
        """The element of a list as text."""
        assert scope.itself is not None
        if scope.itself != scope.variable:
            self._module.use("text")
        return scope.itself

    def _inside_json(self, helper: str, texts: Subject, function: Function) -> str:
        """A call of one of the helpers that look into JSON texts."""
        self._module.use(helper)
        element = f"str({texts.element})" if texts.is_length else texts.element
        source = f"[{element}]" if texts.alone else _listed(texts.collection, element)
        arguments = [source, *filter(None, [self.steps(function.path or ())])]
        return f"{helper}({', '.join(arguments)})"

    def _concat(self, concat: Concat, scope: Scope) -> str:
        """A list of the parts' values joined, in every combination."""
        names: list[str] = []
        clauses: list[str] = []
        for part in concat.parts:
            if isinstance(part, str):
                names.append(python_text(part))
                continue
            name = f"part_{len(clauses) + 1}"
            names.append(name)
            clauses.append(f"for {name} in {_texts(self._subject(*changes_of(part), scope))}")
        return f"[{' + '.join(names)} {' '.join(clauses)}]" if clauses else f"[{' + '.join(names)}]"

    def _is(self, predicate: Predicate, subject: Subject, scope: Scope) -> Doc:
        """Numbers are compared as numbers; texts as texts, but for a text like "0.50", which is both."""
        numbers: list[str] = []
        texts: list[Scalar] = []
        both: list[str] = []
        for value in constants(predicate):
            number = number_of(value)
            if number is not None and not isinstance(value, str):
                numbers.append(python_scalar(value))
            elif number is None or subject.raw is None or _written_plainly(str(value), number):
                texts.append(value)
            else:
                both.append(python_scalar(value))
        found: list[Doc] = []
        if subject.is_length:
            numbers += [python_scalar(n) for value in texts if (n := number_of(value)) is not None]
            texts = []
        if texts:
            operand = msgspec.structs.replace(predicate, values=tuple(texts))
            found += [_some(test, subject) for test in self._tests.of(operand, _path_of(predicate)) or []]
        if numbers:
            source = self._numbers(subject)
            if len(numbers) == 1:
                found.append(layout.compared(numbers[0], "in", source))
            else:
                choices = self._module.choices(_path_of(predicate), numbers)
                found.append(_any(layout.compared("number", "in", choices), f"for number in {source}"))
        for operand_text in both:
            self._module.use("same")
            flag = ", ignore_case=True" if predicate.ignore_case else ""
            source = _values(subject)
            found.append(_any(layout.call(f"same(value, {operand_text}{flag})"), f"for value in {source}"))
        return layout.joined("or", found)

    def _related(self, predicate: Predicate, subject: Subject, operand: Subject) -> Doc:
        """Some value of the subject and some value of the operand go together."""
        operator = predicate.operator
        if operator in _ORDER:
            self._module.use("order")
            text = f"order(one, other) {_ORDER[operator]} 0"
            return _pair(layout.Text(text, f"not {text}"), _values(subject), _values(operand))
        if operator is Operator.SAME_AS:
            self._module.use("same")
            flag = ", ignore_case=True" if predicate.ignore_case else ""
            return _pair(layout.call(f"same(one, other{flag})"), _values(subject), _values(operand))
        fold = ".lower()" if predicate.ignore_case else ""
        test = TextTest(TEXT_FORMS[operator], f"other{fold}", False, fold, True)
        return _pair(test.of("one"), _texts(subject), _texts(operand))

    def _order(self, predicate: Predicate, subject: Subject) -> Doc:
        operator = _ORDER[predicate.operator]
        found: list[Doc] = []
        for value in constants(predicate):
            number = number_of(value)
            if number is not None:
                limit, variable, source = python_scalar(number), "number", self._numbers(subject)
            else:
                self._module.use("moment", "moments")
                source = _values(subject)
                limit, variable, source = f"moment({python_text(text_of(value))})", "at", f"moments({source})"
            text = f"{variable} {operator} {limit}"
            found.append(_any(layout.Text(text, f"not {text}"), f"for {variable} in {source}"))
        return layout.joined("or", found)

    def _numbers(self, subject: Subject) -> str:
        if subject.is_length:
            return subject.listed
        self._module.use("numbers")
        return f"numbers({_values(subject)})"

    def _address(self, predicate: Predicate, subject: Subject) -> Doc:
        self._module.use("addresses")
        clause = f"for address in addresses({_values(subject)})"
        operands = list(map(text_of, constants(predicate)))
        if predicate.operator is Operator.CIDR:
            stem = words(path) if (path := _path_of(predicate)) is not None else "address"
            return _any(self._inside(f"{stem}_networks", tuple(operands)), clause)
        return layout.joined("or", [_any(self._in_class(name), clause) for name in operands])

    def _in_class(self, name: str) -> Doc:
        if name in _VERSIONS:
            return layout.compared("address.version", "==", str(_VERSIONS[name]))
        covered, excepted = CLASSES[name]
        terms: list[Doc] = []
        if tuple(covered) != _EVERYWHERE:
            terms.append(self._inside(f"{name}_networks", tuple(covered)))
        if excepted:
            terms.append(layout.negated(self._inside(f"not_{name}_networks", tuple(excepted))))
        return layout.joined("and", terms)

    def _inside(self, stem: str, networks: tuple[str, ...]) -> Doc:
        self._module.use("in_networks", "ip_network")
        name = self._module.constant(stem, _networks_text([python_text(network) for network in networks]))
        return layout.call(f"in_networks(address, {name})")


def _some(test: TextTest, subject: Subject) -> Doc:
    """Some text of the subject passes the test."""
    element = f"str({subject.element})" if subject.is_length else subject.element
    if subject.alone:
        return test.of(element)
    if test.form == "equal" and not test.several and not test.fold and element == "value":
        return layout.compared(test.operand, "in", subject.collection)
    return _any(test.of(element), f"for value in {subject.collection}")


def _pair(body: Doc, ones: str, others: str) -> Doc:
    """Some ``one`` and some ``other`` pass the test."""
    return _any(body, f"for one in {ones}", f"for other in {others}")


def _any(body: Doc, *clauses: str) -> Doc:
    return layout.Any(body, clauses)


def _listed(collection: str, element: str) -> str:
    """The collection with the element's changes applied."""
    return collection if element == "value" else f"[{element} for value in {collection}]"


def _values(subject: Subject) -> str:
    """All values of a subject: as they are, where nothing has changed them."""
    return subject.raw or subject.listed


def _texts(subject: Subject) -> str:
    """The texts of all values of a subject."""
    if not subject.is_length:
        return subject.listed
    element = f"str({subject.element})"
    return f"[{element}]" if subject.alone else _listed(subject.collection, element)


def _path_of(predicate: Predicate) -> FieldPath | None:
    """The path whose key names the constants of a predicate, where it has one."""
    subject = predicate.subject
    return subject if isinstance(subject, FieldPath) and subject.keys else None


def _of_text(predicate: Predicate) -> bool:
    """Whether a predicate asks nothing of the element of a list but its text, which is not changed."""
    if predicate.subject != ELEMENT or predicate.functions:
        return False
    texts = all(isinstance(value, str) and number_of(value) is None for value in predicate.values)
    return predicate.operator in TEXT_OPERATORS or (predicate.operator is Operator.IS and texts)


def _as_kind(value: Scalar, kind: Kind) -> Scalar | None:
    """The operand as a value of the field's kind equals it; None if plain equality cannot say it."""
    match kind:
        case Kind.TEXT:
            return text_of(value) if isinstance(value, (str, bool)) else None
        case Kind.NUMBER:
            return number_of(value)
        case Kind.BOOLEAN:
            return {"true": True, "false": False}.get(text_of(value))
        case _:
            return None


def _written_plainly(text: str, number: float) -> bool:
    """Whether a number that equals this text's is also written like it, whatever its type."""
    return abs(number) <= _LARGEST_EXACT_FLOAT and text_of(number) == text


def _networks_text(networks: list[str]) -> str:
    """A list of networks, in one line where it is short."""
    listed = tuple_text(networks)
    if "\n" not in listed:
        return f"[ip_network(network) for network in {listed}]"
    indented = listed.replace("\n", "\n    ")
    return f"[\n    ip_network(network)\n    for network in {indented}\n]"
