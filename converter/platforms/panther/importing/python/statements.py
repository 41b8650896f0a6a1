"""Statements: what a block returns and raises, when, and the local names it leaves behind."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Final

from converter.platforms.panther.importing.python import events, loops, truth
from converter.platforms.panther.importing.python.arithmetic import combined
from converter.platforms.panther.importing.python.formulas import TooLargeError, both, either, extend_effort
from converter.platforms.panther.importing.python.frames import Env, Flow, Frame
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.scopes import Imported, changed_names, scope_of
from converter.platforms.panther.importing.python.values import (
    NONE,
    Collection,
    Entry,
    Known,
    Opaque,
    Outcome,
    Routine,
    Table,
    UnreadableError,
    Value,
    gathered,
    one,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter

_MOST_CASES: Final = 24
"""What a name may stand for. A dict in which each of many keys may be set or not soon stands for more."""


class Block:
    """Reads statements in a frame; its environment is the state of the local names."""

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self.interpreter = interpreter
        self.machine = interpreter.machine
        self.frame = frame

    def function(self, body: list[ast.stmt]) -> Outcome:
        """What a call of a function with this body gives."""
        flow = self.run(body, dict(self.frame.env))
        cases = [*flow.returns]
        if flow.go_on != FALSE:
            cases.append((flow.go_on, NONE))
        return gathered(cases, [(guard, name) for guard, name, _ in flow.raises])

    def run(self, body: list[ast.stmt], env: Env) -> Flow:
        """Statements one after the other."""
        whole = Flow(TRUE, env)
        for statement in body:
            self.machine.step()
            with self.machine.given(whole.go_on):
                flow = self.statement(statement, whole.env)
            before = whole.go_on
            whole.returns += [(both(before, guard), value) for guard, value in flow.returns]
            whole.raises += [(both(before, guard), name, e) for guard, name, e in flow.raises]
            whole.breaks += [(both(before, guard), e) for guard, e in flow.breaks]
            whole.continues += [(both(before, guard), e) for guard, e in flow.continues]
            whole.go_on = self.machine.here(both(before, flow.go_on))
            whole.env = flow.env
            if whole.go_on == FALSE:
                break
        return whole

    def statement(self, node: ast.stmt, env: Env) -> Flow:
        """One statement; one that cannot be read leaves the names that it changes unread."""
        try:
            return self._statement(node, env)
        except UnreadableError as error:
            return self._unread(error, node, env)
        except TooLargeError as error:
            if not extend_effort():
                raise
            return self._unread(UnreadableError(str(error), node, code="too-large"), node, env)

    def _statement(self, node: ast.stmt, env: Env) -> Flow:
        match node:
            case ast.Return(value=value):
                return self._return(value, env)
            case ast.If(test=test, body=body, orelse=orelse):
                return self._if(test, body, orelse, env)
            case ast.Assign(targets=targets, value=value):
                return self._assign(targets, value, env)
            case ast.AnnAssign(target=target, value=value):
                return self._assign([target], value, env) if value is not None else Flow(TRUE, env)
            case ast.AugAssign():
                return self._augment(node, env)
            case ast.Expr(value=value):
                return self._expression(value, env)
            case ast.For():
                return loops.run(self, node, env)
            case ast.Try():
                return self._try(node, env)
            case ast.Match():
                return self._match(node, env)
            case ast.Raise(exc=raised):
                return Flow(FALSE, env, raises=[(TRUE, _exception_name(raised), env)])
            case ast.Assert(test=test):
                return self._assert(test, env)
            case ast.Pass() | ast.Global() | ast.Nonlocal():
                return Flow(TRUE, env)
            case ast.Break():
                return Flow(FALSE, env, breaks=[(TRUE, env)])
            case ast.Continue():
                return Flow(FALSE, env, continues=[(TRUE, env)])
            case ast.FunctionDef(name=name):
                frame = self.frame.child(env)
                frame.outer = self.frame.outer
                routine = Routine(node, self.frame.source, frame, self.frame.instance, self.frame.owner)
                return Flow(TRUE, {**env, name: one(routine)})
            case ast.Import() | ast.ImportFrom():
                return self._import(node, env)
            case _:
                raise UnreadableError(f"a {type(node).__name__.lower()} statement", node)

    def _unread(self, error: UnreadableError, node: ast.stmt, env: Env) -> Flow:
        number = self.machine.residue(str(error), error.node or node, self.frame.source, error.code)
        changed = {name: one(Opaque(number)) for name in changed_names([node])}
        after = {**env, **changed}
        if not any(isinstance(each, (ast.Return, ast.Raise)) for each in ast.walk(node)):
            passes = self.machine.unknown(Opaque(number))
            return Flow(passes, after, raises=[(opposite(passes), "Exception", env)])
        leaves = self.machine.unknown(Opaque(number))
        return Flow(opposite(leaves), after, returns=[(leaves, Opaque(number))])

    def frame_of(self, env: Env) -> Frame:
        """The frame with these local names."""
        return self.frame.child(env)

    def value(self, node: ast.expr, env: Env) -> tuple[Outcome, Env]:
        """An expression, and the names after it (an assignment expression adds one)."""
        frame = self.frame_of(dict(env))
        found = self.interpreter.value(node, frame)
        return found, frame.env

    # -- one method per statement

    def _return(self, value: ast.expr | None, env: Env) -> Flow:
        if value is None:
            return Flow(FALSE, env, returns=[(TRUE, NONE)])
        found, env = self.value(value, env)
        return Flow(FALSE, env, list(found.cases), [(guard, name, env) for guard, name in found.raises])

    def _if(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], env: Env) -> Flow:
        frame = self.frame_of(dict(env))
        found = self.interpreter.truth(test, frame)
        yes = either(*(both(guard, truth.truth(self.machine, value)) for guard, value in found.cases))
        yes = self.machine.here(yes)
        no = opposite(yes)
        if found.raises:
            no = self.machine.here(both(no, *(opposite(guard) for guard, _ in found.raises)))
        flows: list[tuple[Formula, Flow]] = []
        for guard, branch in ((yes, body), (no, orelse)):
            if guard != FALSE:
                with self.machine.given(guard):
                    flows.append((guard, self.run(branch, dict(frame.env))))
        whole = self.merged(flows, env)
        whole.raises += [(guard, name, env) for guard, name in found.raises]
        return whole

    def merged(self, flows: list[tuple[Formula, Flow]], env: Env) -> Flow:
        """Alternative flows as one: each local name is what the flow taken leaves it as."""
        whole = Flow(FALSE, env)
        ends: list[tuple[Formula, Env]] = []
        for guard, flow in flows:
            whole.returns += [(both(guard, each), value) for each, value in flow.returns]
            whole.raises += [(both(guard, each), name, e) for each, name, e in flow.raises]
            whole.breaks += [(both(guard, each), e) for each, e in flow.breaks]
            whole.continues += [(both(guard, each), e) for each, e in flow.continues]
            if flow.go_on != FALSE:
                ends.append((both(guard, flow.go_on), flow.env))
        whole.go_on = self.machine.here(either(*(guard for guard, _ in ends)))
        if ends:
            whole.env = self.merged_env(ends)
        return whole

    def merged_env(self, ends: list[tuple[Formula, Env]]) -> Env:
        """The local names after one of several ends."""
        if len(ends) == 1:
            return ends[0][1]
        names = dict.fromkeys(name for _, env in ends for name in env)
        merged: Env = {}
        for name in names:
            found = [(guard, env[name]) for guard, env in ends if name in env]
            if len(found) < len(ends):
                unbound = both(*(opposite(guard) for guard, _ in found))
                found.append((unbound, one(NONE)))
            first = found[0][1]
            if all(outcome is first or outcome == first for _, outcome in found):
                merged[name] = first
                continue
            cases = [(both(guard, each), value) for guard, outcome in found for each, value in outcome.cases]
            merged[name] = gathered(cases)
            if len(merged[name].cases) > _MOST_CASES:
                raise UnreadableError(f"{name}, which may be very many things here", code="too-large")
        return merged

    def _assign(self, targets: list[ast.expr], value: ast.expr, env: Env) -> Flow:
        found, after = self.value(value, env)
        frame = self.frame_of(dict(after))
        raises = list(found.raises)
        fine = both(*(opposite(guard) for guard, _ in found.raises))
        with self.machine.given(fine):
            for target in targets:
                if isinstance(target, ast.Subscript):
                    self._set_item(target, Outcome(found.cases), frame)
                    continue
                more = self.interpreter.names.assign(target, Outcome(found.cases), frame)
                raises += [(both(fine, guard), name) for guard, name in more]
        fine = both(fine, *(opposite(guard) for guard, _ in raises))
        return Flow(fine, frame.env, raises=[(guard, name, env) for guard, name in raises])

    def _set_item(self, target: ast.Subscript, found: Outcome, frame: Frame) -> None:
        """``name["key"] = value`` of a dict made here."""
        if not isinstance(target.value, ast.Name) or target.value.id not in frame.env:
            raise UnreadableError("an assignment to a part of a value", target)
        key = self.interpreter.value(target.slice, frame).single
        if not isinstance(key, Known):
            raise UnreadableError("an assignment to a part of a value", target)

        def changed(owner: Value) -> Outcome:
            match owner:
                case Known(dict() as known):
                    entries = tuple((each, one(Known(value))) for each, value in known.items())
                case Table(entries):
                    pass
                case _:
                    raise UnreadableError("an assignment to a part of a value", target)
            kept = tuple((each, outcome) for each, outcome in entries if each != key.value)
            return one(Table((*kept, (key.value, found))))

        name = target.value.id
        frame.env[name] = self.machine.bind(self.machine.narrowed(frame.env[name]), changed)

    def _augment(self, node: ast.AugAssign, env: Env) -> Flow:
        if not isinstance(node.target, ast.Name):
            raise UnreadableError("an assignment to a part of a value", node)
        loaded = ast.copy_location(ast.Name(id=node.target.id, ctx=ast.Load()), node.target)
        found, after = self.value(
            ast.copy_location(ast.BinOp(left=loaded, op=node.op, right=node.value), node), env
        )
        fine = both(*(opposite(guard) for guard, _ in found.raises))
        raises = [(guard, name, env) for guard, name in found.raises]
        return Flow(fine, {**after, node.target.id: Outcome(found.cases)}, raises=raises)

    def _expression(self, node: ast.expr, env: Env) -> Flow:
        match node:
            case ast.Constant():
                return Flow(TRUE, env)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[argument]) if (
                method in ("append", "add", "extend", "update") and name in env
            ):
                return self._grow(name, method, argument, env)
        found, after = self.value(node, env)
        fine = both(*(opposite(guard) for guard, _ in found.raises))
        if any(isinstance(value, Opaque) for _, value in found.cases):
            self.machine.note("ignored", "a call for its effect alone is passed over", node)
        return Flow(fine, after, raises=[(guard, exc, env) for guard, exc in found.raises])

    def _grow(self, name: str, method: str, argument: ast.expr, env: Env) -> Flow:
        """``name.append(value)`` of a list made here, and its kin."""
        found, after = self.value(argument, env)

        def grown(value: Value) -> Outcome:
            if isinstance(value, Table) or (isinstance(value, Known) and isinstance(value.value, dict)):
                if method != "update" or found.single is None:
                    raise UnreadableError(f".{method}() of a dict", argument)
                return combined(self.machine, "BitOr", value, found.single)
            entries = events.entries_of(self.machine, value)
            kind = value.kind if isinstance(value, Collection) else type(getattr(value, "value", [])).__name__
            if method in ("append", "add"):
                return one(Collection(kind, (*entries, Entry(Outcome(found.cases)))))
            added = (
                Entry(each.value, each.binders, both(guard, each.include))
                for guard, several in found.cases
                for each in events.entries_of(self.machine, several)
            )
            return one(Collection(kind, (*entries, *added)))

        changed = self.machine.bind(self.machine.narrowed(after[name]), grown)
        fine = both(*(opposite(guard) for guard, _ in found.raises))
        raises = [(guard, exc, env) for guard, exc in found.raises]
        return Flow(fine, {**after, name: changed}, raises=raises)

    def _assert(self, test: ast.expr, env: Env) -> Flow:
        found = self.interpreter.truth(test, self.frame_of(dict(env)))
        held = either(*(both(guard, truth.truth(self.machine, value)) for guard, value in found.cases))
        return Flow(held, env, raises=[(opposite(held), "AssertionError", env)])

    def _try(self, node: ast.Try, env: Env) -> Flow:
        self.machine.tries += 1
        try:
            flow = self.run(node.body, dict(env))
        finally:
            self.machine.tries -= 1
        if flow.go_on != FALSE and node.orelse:
            with self.machine.given(flow.go_on):
                rest = self.run(node.orelse, flow.env)
            before = flow.go_on
            flow.returns += [(both(before, guard), value) for guard, value in rest.returns]
            flow.raises += [(both(before, guard), name, e) for guard, name, e in rest.raises]
            flow.go_on, flow.env = both(before, rest.go_on), rest.env
        escaped: list[tuple[Formula, str, Env]] = []
        flows: list[tuple[Formula, Flow]] = []
        for guard, name, at in flow.raises:
            handler = next((each for each in node.handlers if _catches(each.type, name)), None)
            if handler is None:
                escaped.append((guard, name, at))
                continue
            with self.machine.given(guard):
                bound = {**at, handler.name: one(Known(name))} if handler.name else at
                flows.append((guard, self.run(handler.body, dict(bound))))
        flow.raises = escaped
        plain = Flow(TRUE, flow.env)
        whole = self.merged([(flow.go_on, plain), *flows] if flow.go_on != FALSE else flows, flow.env)
        whole.returns += flow.returns
        whole.raises += flow.raises
        whole.breaks += flow.breaks
        whole.continues += flow.continues
        if node.finalbody:
            with self.machine.given(whole.go_on):
                last = self.run(node.finalbody, whole.env)
            if last.returns or last.go_on != TRUE:
                raise UnreadableError("a finally that returns or raises", node)
            whole.env = last.env
        return whole

    def _match(self, node: ast.Match, env: Env) -> Flow:
        found, after = self.value(node.subject, env)
        frame = self.frame_of(dict(after))
        frame.env["\0subject"] = Outcome(found.cases)
        chain: list[ast.stmt] = []
        for case in reversed(node.cases):
            test = _pattern_test(case.pattern)
            body = list(case.body)
            if isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.pattern.name:
                bind = ast.Assign(targets=[ast.Name(case.pattern.name, ast.Store())], value=_subject(node))
                body.insert(0, ast.fix_missing_locations(ast.copy_location(bind, node)))
            if case.guard is not None:
                test = ast.BoolOp(ast.And(), [test, case.guard])
            made = ast.If(test=test, body=body, orelse=chain)
            chain = [ast.fix_missing_locations(ast.copy_location(made, node))]
        flow = self.run(chain, frame.env)
        flow.raises += [(guard, name, env) for guard, name in found.raises]
        return flow

    def _import(self, node: ast.Import | ast.ImportFrom, env: Env) -> Flow:
        after = dict(env)
        for name, bound in scope_of([node]).names.items():
            if isinstance(bound, Imported):
                after[name] = self.interpreter.names.imported(bound, self.frame.source)
        return Flow(TRUE, after)


def _subject(node: ast.Match) -> ast.expr:
    return ast.copy_location(ast.Name("\0subject", ast.Load()), node)


def _pattern_test(pattern: ast.pattern) -> ast.expr:
    subject = ast.Name("\0subject", ast.Load())
    match pattern:
        case ast.MatchValue(value=value):
            return ast.Compare(subject, [ast.Eq()], [value])
        case ast.MatchSingleton(value=value):
            return ast.Compare(subject, [ast.Is()], [ast.Constant(value)])
        case ast.MatchOr(patterns=patterns):
            return ast.BoolOp(ast.Or(), [_pattern_test(each) for each in patterns])
        case ast.MatchAs(pattern=None):
            return ast.Constant(True)
        case ast.MatchAs(pattern=ast.pattern() as inner, name=None):
            return _pattern_test(inner)
    raise UnreadableError(f"a {type(pattern).__name__} pattern", pattern)


_WIDE: Final = frozenset({"Exception", "BaseException"})
_PARENTS: Final = {"JSONDecodeError": "ValueError", "AddressValueError": "ValueError", "Error": "ValueError"}


def _catches(kind: ast.expr | None, name: str) -> bool:
    """Whether an ``except`` clause takes an exception of this name."""
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(_catches(each, name) for each in kind.elts)
    wanted = kind.attr if isinstance(kind, ast.Attribute) else kind.id if isinstance(kind, ast.Name) else ""
    if wanted in _WIDE or wanted == name:
        return True
    raised = getattr(builtins, _PARENTS.get(name, name), None)
    caught = getattr(builtins, wanted, None)
    return isinstance(raised, type) and isinstance(caught, type) and issubclass(raised, caught)


def _exception_name(node: ast.expr | None) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.id if isinstance(called, ast.Name) else "Exception"
