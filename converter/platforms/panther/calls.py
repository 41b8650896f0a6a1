"""What calls and comprehensions mean: event look-ups, text methods, quantifiers, and the known helpers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import msgspec

from converter.evaluate.timestamps import parse_text
from converter.model.addresses import CLASSES
from converter.model.expressions import FALSE, Function, FunctionName, Operator, Predicate
from converter.model.paths import ELEMENT, FieldPath, PathStep
from converter.platforms.panther import abstract as a
from converter.platforms.panther.abstract import Condition, UnreadableError, Value
from converter.platforms.panther.comparisons import element_test, pair_test, re2_pattern, text_test

if TYPE_CHECKING:
    from converter.platforms.panther.interpreter import Env, Interpreter

_BLANKS: Final = " \t\r\n\f\v"
_CHANGES: Final = {"lower": FunctionName.LOWER, "upper": FunctionName.UPPER, "strip": FunctionName.TRIM}
_EDGES: Final = {"startswith": Operator.STARTS_WITH, "endswith": Operator.ENDS_WITH}
_GATHERED: Final = {"values": "raw", "texts": "text", "items": "object", "elements": "mixed"}
_NARROWED: Final = {"numbers": "number", "addresses": "address", "moments": "moment"}


class Calls:
    """The calls of one file, read with its interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._elements: list[int] = []
        """The scopes of the elements of lists that are being asked, the innermost last."""
        self._named: Mapping[str, Callable[[ast.Call, Env], Value]] = {
            "any": self._any,
            "all": self._all,
            "str": self._str,
            "text": self._text,
            "bool": self._bool,
            "len": self._len,
            "tuple": self._same_items,
            "list": self._same_items,
            "set": self._same_items,
            "sorted": self._same_items,
            "re.compile": self._compile,
            "ip_network": self._network,
            "exists": self._exists,
            "same": self._same,
            "in_networks": self._in_networks,
            "basename": self._basename,
            "like": self._like,
            "parts": self._parts,
            "in_json": self._in_json,
            "exists_in_json": self._exists_in_json,
            "moment": self._moment,
            "order": self._order,
            "group_key": self._group_key,
            "open_group_key": self._group_key,
            "group_keys": self._group_key,
            "first_key": self._group_key,
        }

    def call(self, node: ast.Call, env: Env) -> Value:
        """The value of a call."""
        called = self._interpreter.value(node.func, env)
        if isinstance(called, a.Method):
            return self._method(called, node, env)
        if isinstance(called, a.Named):
            if called.name in _GATHERED:
                scope, path = self._path(node, env)
                return a.Gathered(scope, path, _GATHERED[called.name])
            if called.name in _NARROWED:
                return self._narrowed(_NARROWED[called.name], node, env)
            if called.name in self._named:
                return self._named[called.name](node, env)
            raise UnreadableError(f"a call of {called.name}", node)
        raise UnreadableError("a call of something that is no known function", node)

    def list_of(self, node: ast.ListComp, env: Env) -> Value:
        """A list comprehension: over known values each by each, over values of the event all at once."""
        local, opened = self._bound(node, env)
        if opened is None:
            return a.Several(
                tuple(self._interpreter.value(node.elt, one) for one in self._unrolled(node, env))
            )
        found = self._interpreter.value(node.elt, local)
        match found:
            case a.Element(source=source):
                return source
            case a.Joining(parts):
                elements = [part for part in parts if isinstance(part, a.Element)]
                return a.Gathered(
                    elements[0].source.scope if elements else 0, a.joined_subject(parts), "text"
                )
            case _:
                raise UnreadableError("a list of something that is no changed value", node)

    # -- look-ups and text methods

    def _method(self, called: a.Method, node: ast.Call, env: Env) -> Value:
        owner, name = called.owner, called.name
        if isinstance(owner, a.Mapped) and name in ("get", "deep_get"):
            return self._lookup(owner, name, node, env)
        if isinstance(owner, a.Pattern) and name in ("search", "match", "fullmatch"):
            subject = self._argument(node, 0, env)
            return a.Match(text_test(subject, "search", re2_pattern(owner, name, node), node))
        if name in _CHANGES:
            blanks = [self._constant(argument, env) for argument in node.args]
            if (name == "strip") != (blanks == [_BLANKS]) or (name != "strip" and blanks):
                raise UnreadableError(f"{name}() with these arguments", node)
            return changed(owner, Function(_CHANGES[name]), node)
        if name in ("startswith", "endswith"):
            given = self._argument(node, 0, env)
            if isinstance(owner, a.Element) and isinstance(given, a.Element):
                return pair_test(owner, _EDGES[name], given, node)
            operands = self._texts(given, node)
            return a.either([text_test(owner, name, operand, node) for operand in operands])
        raise UnreadableError(f"the method {name} of a {type(owner).__name__}", node)

    def _lookup(self, owner: a.Mapped, name: str, node: ast.Call, env: Env) -> Value:
        keys = [self._constant(argument, env) for argument in node.args]
        default = next((self._constant(k.value, env) for k in node.keywords if k.arg == "default"), None)
        if name == "get":
            default = keys.pop() if len(keys) == 2 else None
            if default is not None:
                raise UnreadableError("get() with a default, which a null does not take", node)
        if not keys or not all(isinstance(key, str) for key in keys):
            raise UnreadableError("a look-up whose keys are no texts", node)
        return a.Lookup(*self._seen_from_here(owner.scope, tuple(str(key) for key in keys)), default)

    def _str(self, node: ast.Call, env: Env) -> Value:
        value = self._argument(node, 0, env)
        match value:
            case a.Lookup():
                return a.LookupText(value)
            case a.LookupText() | a.Element(source=a.Gathered(kind="text")):
                return value
            case a.Element(source=a.Gathered(kind="number") as source) if source.functions:
                return msgspec.structs.replace(value, source=msgspec.structs.replace(source, kind="text"))
            case _:
                raise UnreadableError(f"str() of a {type(value).__name__}", node)

    def _text(self, node: ast.Call, env: Env) -> Value:
        value = self._argument(node, 0, env)
        if isinstance(value, a.Element) and value.source.kind in ("raw", "text"):
            return msgspec.structs.replace(value, source=msgspec.structs.replace(value.source, kind="text"))
        raise UnreadableError(f"text() of a {type(value).__name__}", node)

    def _bool(self, node: ast.Call, env: Env) -> Value:
        return self._interpreter.truth(self._argument(node, 0, env), node)

    def _len(self, node: ast.Call, env: Env) -> Value:
        found = changed(self._argument(node, 0, env), Function(FunctionName.LENGTH), node)
        if not isinstance(found, a.Element):
            raise UnreadableError("len() of something that is no value of a list", node)
        return msgspec.structs.replace(found, source=msgspec.structs.replace(found.source, kind="number"))

    def _basename(self, node: ast.Call, env: Env) -> Value:
        return changed(self._argument(node, 0, env), Function(FunctionName.BASENAME), node)

    def _like(self, node: ast.Call, env: Env) -> Value:
        pattern = self._constant(node.args[1], env)
        if not isinstance(pattern, str):
            raise UnreadableError("like() with another pattern", node)
        return text_test(self._argument(node, 0, env), "like", pattern, node)

    def _parts(self, node: ast.Call, env: Env) -> Value:
        source = self._list(node, env)
        separator, index = (self._constant(argument, env) for argument in node.args[1:])
        if not isinstance(source, a.Gathered) or not isinstance(separator, str) or not isinstance(index, int):
            raise UnreadableError("parts() with these arguments", node)
        function = Function(FunctionName.SPLIT, separator, index)
        return msgspec.structs.replace(source, kind="text", functions=(*source.functions, function))

    def _in_json(self, node: ast.Call, env: Env) -> Value:
        source = self._list(node, env)
        steps = [self._interpreter.value(argument, env) for argument in node.args[1:]]
        if not isinstance(source, a.Gathered):
            raise UnreadableError("JSON in something that is no list of texts", node)
        function = Function(FunctionName.JSON, path=self._steps(tuple(steps), node))
        return msgspec.structs.replace(source, kind="text", functions=(*source.functions, function))

    def _exists_in_json(self, node: ast.Call, env: Env) -> Value:
        source = self._in_json(node, env)
        assert isinstance(source, a.Gathered)
        return a.predicate(source.scope, source.subject, Operator.EXISTS, functions=source.functions)

    # -- quantifiers

    def _any(self, node: ast.Call, env: Env) -> Value:
        generator = self._generator(node)
        if (of_element := self._any_element(generator, env, node)) is not None:
            return of_element
        local, opened = self._bound(generator, env)
        if opened is None:
            found = [self._truth(generator.elt, one) for one in self._unrolled(generator, env)]
            return a.either(found)
        body = self._asked(
            generator.elt, local, [number for source, number in opened if _holds_objects(source)]
        )
        for source, variable in reversed(opened):
            if _holds_objects(source):
                body = a.for_some(body, source, variable, node)
            elif variable in body.open:
                body = a.closed(body, variable)
            elif body.expression == FALSE:
                continue
            else:
                if source.kind not in ("raw", "text"):
                    raise UnreadableError("any() that does not look at its values", node)
                body = a.both([a.some_value(source), body], node)
        return body

    def _any_element(self, generator: ast.GeneratorExp, env: Env, node: ast.Call) -> Condition | None:
        """``any()`` that asks several things of the same value; None where one element is asked one thing."""
        clause = generator.generators[0]
        if len(generator.generators) > 1 or clause.ifs or not isinstance(clause.target, ast.Name):
            return None
        if not _asks_several(generator.elt, clause.target.id):
            return None
        source = self._interpreter.value(clause.iter, env)
        if not isinstance(source, a.Gathered) or source.kind not in ("raw", "text") or source.functions:
            return None
        scope = self._interpreter.bind(source)
        itself = a.Element(a.Gathered(scope, ELEMENT, source.kind), None)
        body = self._asked(generator.elt, {**env, clause.target.id: itself}, [scope])
        return a.for_some(body, source, scope, node)

    def _all(self, node: ast.Call, env: Env) -> Value:
        generator = self._generator(node)
        _, opened = self._bound(generator, env)
        if opened is not None:
            raise UnreadableError("all() over values of the event", node)
        return a.both([self._truth(generator.elt, one) for one in self._unrolled(generator, env)], node)

    def _bound(
        self, node: ast.GeneratorExp | ast.ListComp, env: Env
    ) -> tuple[dict[str, Value], list[tuple[a.Gathered, int]] | None]:
        """The names inside a comprehension over values of the event; None when it is over known values."""
        local = dict(env)
        opened: list[tuple[a.Gathered, int]] = []
        for clause in node.generators:
            source = self._interpreter.value(clause.iter, local)
            if isinstance(source, a.Several) and len(node.generators) == 1:
                return local, None
            if clause.ifs or not isinstance(clause.target, ast.Name):
                raise UnreadableError("a comprehension of another form", node)
            if isinstance(source, a.Several) and len(source.items) == 1:
                local[clause.target.id] = source.items[0]
                continue
            if not isinstance(source, a.Gathered):
                raise UnreadableError("a comprehension of another form", node)
            number = self._interpreter.bind(source)
            opened.append((source, number))
            bound: Value = a.Mapped(number) if _holds_objects(source) else a.Element(source, number)
            local[clause.target.id] = bound
        return local, opened

    def _unrolled(self, node: ast.GeneratorExp | ast.ListComp, env: Env) -> list[dict[str, Value]]:
        """The names inside, for each of the known values."""
        (clause,) = node.generators
        source = self._interpreter.value(clause.iter, env)
        if not isinstance(source, a.Several) or clause.ifs or not isinstance(clause.target, ast.Name):
            raise UnreadableError("a comprehension of another form", node)
        return [{**env, clause.target.id: item} for item in source.items]

    def _generator(self, node: ast.Call) -> ast.GeneratorExp:
        if len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp)):
            return node.args[0]
        raise UnreadableError("any() or all() of something that is no comprehension", node)

    def _truth(self, node: ast.expr, env: Env) -> Condition:
        return self._interpreter.truth(self._interpreter.value(node, env), node)

    def _asked(self, node: ast.expr, env: Env, scopes: list[int]) -> Condition:
        """The truth of an expression about the elements of these scopes."""
        self._elements += scopes
        try:
            return self._truth(node, env)
        finally:
            del self._elements[len(self._elements) - len(scopes) :]

    def _seen_from_here(self, scope: int, steps: tuple[PathStep, ...]) -> tuple[int, FieldPath]:
        """A path, and what it starts at: where elements are asked, a path of the event says so itself."""
        if scope or not self._elements:
            return scope, FieldPath(steps)
        return self._elements[-1], FieldPath(steps, rooted=True)

    # -- helpers of the library

    def _exists(self, node: ast.Call, env: Env) -> Value:
        scope, path = self._path(node, env)
        return a.predicate(scope, path, Operator.EXISTS)

    def _narrowed(self, kind: str, node: ast.Call, env: Env) -> Value:
        source = self._list(node, env)
        if isinstance(source, a.Gathered) and source.kind in ("raw", "text", "number"):
            return msgspec.structs.replace(source, kind=kind)
        raise UnreadableError(f"the {kind}s among something that is no list of values", node)

    def _same(self, node: ast.Call, env: Env) -> Value:
        one, other = self._argument(node, 0, env), self._argument(node, 1, env)
        flags = {keyword.arg: self._constant(keyword.value, env) for keyword in node.keywords}
        ignore_case = bool(flags.get("ignore_case", False))
        match one, other:
            case a.Element(), a.Constant(value=operand):
                found = element_test(one, Operator.IS, operand)
            case a.Element(), a.Element():
                return pair_test(one, Operator.SAME_AS, other, node, ignore_case)
            case _:
                raise UnreadableError("same() of these values", node)
        assert isinstance(found.expression, Predicate)
        changed_case = msgspec.structs.replace(found.expression, ignore_case=ignore_case)
        return msgspec.structs.replace(found, expression=changed_case)

    def _in_networks(self, node: ast.Call, env: Env) -> Value:
        address, networks = self._argument(node, 0, env), self._argument(node, 1, env)
        if not isinstance(address, a.Element) or not isinstance(networks, a.Several):
            raise UnreadableError("in_networks() of these values", node)
        texts = []
        for network in networks.items:
            if not isinstance(network, a.Network):
                raise UnreadableError("a network that is not known", node)
            texts.append(network.text)
        return a.Inside(address, tuple(texts))

    def inside(self, found: a.Inside, node: ast.AST | None) -> Condition:
        """Membership in networks as a predicate; in none of them only where an address class says so."""
        if found.positive:
            conditions = [element_test(found.element, Operator.CIDR, network) for network in found.networks]
            return a.either(conditions)
        for name, (covered, excepted) in CLASSES.items():
            if excepted and set(excepted) == set(found.networks) and set(covered) == {"0.0.0.0/0", "::/0"}:
                return element_test(found.element, Operator.IP, name)
        raise UnreadableError("an address in none of some networks", node)

    def _network(self, node: ast.Call, env: Env) -> Value:
        text = str(self._constant(node.args[0], env))
        try:
            ip_network(text)
        except ValueError as error:
            raise UnreadableError(f"ip_network() of {text!r}: {error}", node) from error
        return a.Network(text)

    def _moment(self, node: ast.Call, env: Env) -> Value:
        text = self._constant(node.args[0], env)
        if not isinstance(text, str) or parse_text(text) is None:
            raise UnreadableError(f"moment() of {text!r}, which is no timestamp", node)
        return a.Moment(text)

    def _order(self, node: ast.Call, env: Env) -> Value:
        one, other = self._argument(node, 0, env), self._argument(node, 1, env)
        if not isinstance(one, a.Element) or not isinstance(other, a.Element):
            raise UnreadableError("order() of these values", node)
        return a.Ordering(one, other)

    def _compile(self, node: ast.Call, env: Env) -> Value:
        flags: set[str] = set()
        for argument in node.args[1:]:
            flag = self._interpreter.value(argument, env)
            if not isinstance(flag, a.Named):
                raise UnreadableError("flags of another form", node)
            flags.add(flag.name.removeprefix("re."))
        return a.Pattern(str(self._constant(node.args[0], env)), frozenset(flags))

    def _group_key(self, node: ast.Call, env: Env) -> Value:
        assert isinstance(node.func, ast.Name)
        paths = []
        event = self._argument(node, 0, env)
        if not isinstance(event, a.Mapped) or event.scope:
            raise UnreadableError("a group of something other than the event", node)
        for argument in node.args[1:]:
            steps = self._interpreter.value(argument, env)
            if not isinstance(steps, a.Several):
                raise UnreadableError("a group of something that is no path", node)
            paths.append(FieldPath(self._steps(steps.items, node)))
        return a.GroupKey(node.func.id, tuple(paths))

    def _same_items(self, node: ast.Call, env: Env) -> Value:
        source = self._argument(node, 0, env)
        if not isinstance(source, a.Several):
            raise UnreadableError("a copy of something that is no known list", node)
        return source

    # -- arguments

    def _list(self, node: ast.Call, env: Env) -> Value:
        """The first argument, a list; one of a single element has that element's source."""
        match self._argument(node, 0, env):
            case a.Several((a.Element(source, None),)):
                return source
            case found:
                return found

    def _path(self, node: ast.Call, env: Env) -> tuple[int, FieldPath]:
        start, *steps = (self._interpreter.value(argument, env) for argument in node.args)
        if isinstance(start, a.Element) and start.variable is None:
            return start.source.scope, FieldPath(self._steps(tuple(steps), node))
        if not isinstance(start, a.Mapped):
            raise UnreadableError("a path from something that is no object", node)
        return self._seen_from_here(start.scope, self._steps(tuple(steps), node))

    def _steps(self, steps: tuple[Value, ...], node: ast.AST) -> tuple[PathStep, ...]:
        found: list[PathStep] = []
        for step in steps:
            if not isinstance(step, a.Constant) or not isinstance(step.value, str | int | None):
                raise UnreadableError("a path with an unknown step", node)
            found.append(step.value)
        return tuple(found)

    def _argument(self, node: ast.Call, position: int, env: Env) -> Value:
        if len(node.args) <= position:
            raise UnreadableError("a call with too few arguments", node)
        return self._interpreter.value(node.args[position], env)

    def _constant(self, node: ast.expr, env: Env) -> object:
        value = self._interpreter.value(node, env)
        if not isinstance(value, a.Constant):
            raise UnreadableError("something that is no constant", node)
        return value.value

    def _texts(self, value: Value, node: ast.AST) -> list[str]:
        items = value.items if isinstance(value, a.Several) else (value,)
        texts = [item.value for item in items if isinstance(item, a.Constant) and isinstance(item.value, str)]
        if len(texts) != len(items):
            raise UnreadableError("something that is no text", node)
        return texts


def _holds_objects(source: a.Gathered) -> bool:
    """Whether the elements of a list are asked for what is under their keys."""
    return source.kind in ("object", "mixed")


def _asks_several(node: ast.expr, name: str) -> bool:
    """Whether an expression asks more of a variable than one positive question."""
    inside = list(ast.walk(node))
    uses = sum(isinstance(each, ast.Name) and each.id == name for each in inside)
    return uses > 1 or any(isinstance(each, ast.Not | ast.NotIn | ast.NotEq) for each in inside)


def changed(value: Value, function: Function, node: ast.AST) -> Value:
    """A text with a function applied to it."""
    match value:
        case a.LookupText(lookup, functions):
            return a.LookupText(lookup, (*functions, function))
        case a.Element(source=a.Gathered(kind="text") as source, variable=variable):
            functions = (*source.functions, function)
            return a.Element(msgspec.structs.replace(source, functions=functions), variable)
        case _:
            raise UnreadableError(f"a text function of a {type(value).__name__}", node)
