"""``for``: over constants turn by turn, over a list of the event by what some element does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from converter.platforms.panther.importing.python.events import entries_of
from converter.platforms.panther.importing.python.formulas import both, either
from converter.platforms.panther.importing.python.frames import Env, Flow
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite, speaks_of
from converter.platforms.panther.importing.python.scopes import changed_names
from converter.platforms.panther.importing.python.selecting import picked
from converter.platforms.panther.importing.python.values import (
    Collection,
    Count,
    Entry,
    Known,
    Opaque,
    Outcome,
    Truth,
    UnreadableError,
    Value,
    gathered,
    identity,
    one,
    quantified,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.statements import Block

_MOST = 2_000


def run(block: Block, node: ast.For, env: Env) -> Flow:
    """What a loop does."""
    if (keyed := _makes_dict(node, env)) is not None:
        return block.run([keyed], env)
    source, env = block.value(node.iter, env)
    flows: list[tuple[Formula, Flow]] = []
    for guard, value in source.cases:
        if isinstance(value, Opaque):
            residue = block.machine.residues[value.number]
            raise UnreadableError(residue.message, residue.node, residue.code)
        with block.machine.given(guard):
            flows.append((guard, _over(block, node, value, dict(env))))
    whole = block.merged(flows, env) if flows else Flow(FALSE, env)
    whole.raises += [(guard, name, env) for guard, name in source.raises]
    return whole


def _makes_dict(node: ast.For, env: Env) -> ast.Assign | None:
    """``for x in xs: name[key] = value``, where ``name`` is an empty dict, as a comprehension of a dict."""
    tests: list[ast.expr] = []
    body = node.body
    while len(body) == 1 and isinstance(body[0], ast.If) and not body[0].orelse:
        tests.append(body[0].test)
        body = body[0].body
    match body:
        case [ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name) as made, slice=key)], value=value)]:
            empty = name in env and env[name].single == Known({})
            uses = sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))
            if empty and uses == 1 and not node.orelse:
                clause = ast.comprehension(target=node.target, iter=node.iter, ifs=tests, is_async=0)
                whole = ast.DictComp(key=key, value=value, generators=[clause])
                return ast.copy_location(ast.Assign([made], ast.copy_location(whole, node)), node)
    return None


def _over(block: Block, node: ast.For, value: Value, env: Env) -> Flow:
    entries = entries_of(block.machine, value)
    if len(entries) > _MOST:
        raise UnreadableError("a loop over very many constants", node)
    whole = Flow(TRUE, env)
    left: list[tuple[Formula, Env]] = []
    alike = _Alike(node)
    for entry in entries:
        with block.machine.given(whole.go_on):
            turn = (_for_some if entry.binders else _once)(block, node, entry, whole.env)
        if not alike.takes(turn, whole.env):
            _follow(block, whole, alike.taken(), left)
            _follow(block, whole, turn, left)
        if FALSE in (whole.go_on, turn.go_on):
            break
    _follow(block, whole, alike.taken(), left)
    if node.orelse and whole.go_on != FALSE:
        with block.machine.given(whole.go_on):
            last = block.run(node.orelse, whole.env)
        if not left:
            before = whole.go_on
            whole.returns += [(both(before, guard), each) for guard, each in last.returns]
            whole.raises += [(both(before, guard), name, e) for guard, name, e in last.raises]
            whole.go_on, whole.env = both(before, last.go_on), last.env
            return whole
        ended = block.merged([(whole.go_on, last)], whole.env)
        whole.returns += ended.returns
        whole.raises += ended.raises
        whole.go_on, whole.env = ended.go_on, ended.env
    if left:
        ends = [*left, *([(whole.go_on, whole.env)] if whole.go_on != FALSE else [])]
        whole.go_on = block.machine.here(either(*(guard for guard, _ in ends)))
        whole.env = block.merged_env(ends)
    return whole


def _follow(block: Block, whole: Flow, turn: Flow | None, left: list[tuple[Formula, Env]]) -> None:
    """Add a turn to the loop so far. ``left``: how the loop is broken off."""
    if turn is not None:
        before = whole.go_on
        whole.returns += [(both(before, guard), each) for guard, each in turn.returns]
        whole.raises += [(both(before, guard), name, env) for guard, name, env in turn.raises]
        left += [(both(before, guard), env) for guard, env in turn.breaks]
        whole.go_on, whole.env = block.machine.here(both(before, turn.go_on)), turn.env


class _Alike:
    """Turns one after the other that return the same constant, and leave nothing to the next. They are taken
    together: that the earlier ones did not return makes no difference to a later one, and would make the
    condition of a loop over many constants as large as the square of their number.
    """

    def __init__(self, node: ast.For) -> None:
        self._turn_names = set(changed_names([ast.Assign(targets=[node.target], value=ast.Constant(None))]))
        self._turns: list[Flow] = []

    def takes(self, turn: Flow, before: Env) -> bool:
        """Add a turn, if it is like those before it."""
        values = [value for each in (*self._turns[:1], turn) for _, value in each.returns]
        if (
            turn.breaks
            or not turn.returns
            or not isinstance(values[0], Known)
            or len({identity(value) for value in values}) > 1
            or (self._turns and _raised(turn) != _raised(self._turns[0]))
            or any(
                turn.env[name] is not kept and turn.env[name] != kept
                for name, kept in before.items()
                if name not in self._turn_names
            )
        ):
            return False
        self._turns.append(turn)
        return True

    def taken(self) -> Flow | None:
        """What the turns do that were taken, if there are any; they begin anew."""
        turns, self._turns = self._turns, []
        if not turns:
            return None
        returned = either(*(guard for turn in turns for guard, _ in turn.returns))
        raised = [opposite(guard) for guard, _ in _raised(turns[0])]
        value = turns[0].returns[0][1]
        return Flow(both(opposite(returned), *raised), turns[-1].env, [(returned, value)], turns[0].raises)


def _raised(turn: Flow) -> list[tuple[Formula, str]]:
    return [(guard, name) for guard, name, _ in turn.raises]


def _body(block: Block, node: ast.For, entry: Entry, env: Env) -> Flow:
    frame = block.frame_of(dict(env))
    block.interpreter.names.assign(node.target, Outcome(entry.value.cases), frame)
    flow = block.run(node.body, frame.env)
    flow.raises += [(guard, name, env) for guard, name in entry.value.raises]
    if flow.continues:
        ends = [*flow.continues, *([(flow.go_on, flow.env)] if flow.go_on != FALSE else [])]
        flow.go_on = block.machine.here(either(*(guard for guard, _ in ends)))
        flow.env = block.merged_env(ends)
        flow.continues = []
    return flow


def _once(block: Block, node: ast.For, entry: Entry, env: Env) -> Flow:
    """One turn with a known element, which may not be in the collection at all."""
    include = block.machine.here(entry.include)
    if include == FALSE:
        return Flow(TRUE, env)
    with block.machine.given(include):
        flow = _body(block, node, entry, env)
    if include == TRUE:
        return flow
    return block.merged([(include, flow), (opposite(include), Flow(TRUE, env))], env)


def _for_some(block: Block, node: ast.For, entry: Entry, env: Env) -> Flow:
    """All turns over the elements of a list of the event at once."""
    machine = block.machine
    changed = {name: where for name, where in changed_names(node.body).items() if name in env}
    growing = {name for name in changed if _only_grows(name, node)}
    carried: dict[str, int] = {}
    inside: Env = dict(env)
    for name, where in changed.items():
        if name in growing:
            inside[name] = one(Known(0) if _counts(name, node) else Known([]))
        else:
            message = f"{name}, which one turn of a loop hands to the next"
            carried[name] = machine.residue(message, where, block.frame.source)
            inside[name] = one(Opaque(carried[name]))
    with machine.given(entry.include):
        flow = _body(block, node, entry, inside)
    variables = {binder.variable for binder in entry.binders}
    returned, returns = _returned(block, entry, flow, variables)
    if flow.breaks and growing:
        raise UnreadableError("a loop that counts until it ends early", node)
    raises: list[tuple[Formula, str, Env]] = []
    for guard, name, _ in flow.raises:
        raised = both(quantified(entry, guard), opposite(returned))
        if raised != FALSE:
            machine.note(
                "raises-among-elements",
                "an element that makes Python raise ends rule() before later elements are looked at",
                node,
            )
            raises.append((raised, name, env))
    go_on = both(opposite(returned), *(opposite(guard) for guard, _, _ in raises))
    ends = [*flow.breaks, *([(flow.go_on, flow.env)] if flow.go_on != FALSE else [])]
    after = dict(env)
    for name in changed_names([node]):
        if name in growing:
            after[name] = _grown(block, entry, ends, name, env[name])
        else:
            after[name] = _left(block, node, entry, ends, name, env, carried.get(name))
    return Flow(go_on, after, list(returns), raises)


def _returned(
    block: Block, entry: Entry, flow: Flow, variables: set[int]
) -> tuple[Formula, list[tuple[Formula, Value]]]:
    """When some turn returns, and what: of several possible values, that of the one element that returns."""
    cases = [(guard, value) for guard, value in flow.returns if guard != FALSE]
    if not cases:
        return FALSE, []
    values = {identity(value): value for _, value in cases}
    if len(values) == 1 and not any(_mentions(value, variables) for value in values.values()):
        found = either(*(quantified(entry, guard) for guard, _ in cases))
        return found, [(found, value) for value in values.values()]
    return picked(block.machine, entry, cases)


def _mentions(value: Value, variables: set[int]) -> bool:
    match value:
        case Known() | Opaque():
            return False
        case Truth(formula):
            return speaks_of(formula, variables)
        case _:
            return True


def _left(
    block: Block,
    node: ast.For,
    entry: Entry,
    ends: list[tuple[Formula, Env]],
    name: str,
    env: Env,
    carried: int | None,
) -> Outcome:
    """A local name after the loop: a constant that some turn sets, or what it was."""
    new: dict[object, tuple[Formula, Value]] = {}
    for guard, end in ends:
        for each, value in end[name].cases if name in end else ():
            if carried is not None and value == Opaque(carried):
                continue
            key = identity(value)
            before = new[key][0] if key in new else FALSE
            new[key] = (either(before, both(guard, each)), value)
    if not new and name in env:
        return env[name]
    (formula, value), *others = new.values() or [(FALSE, Known(None))]
    if others or not isinstance(value, Known) or name not in env:
        number = block.machine.residue(
            f"{name}, which the last turn of a loop leaves", node, block.frame.source
        )
        return one(Opaque(number))
    some = quantified(entry, formula)
    kept = [(both(opposite(some), guard), old) for guard, old in env[name].cases]
    return gathered([(some, value), *kept])


def _grown(block: Block, entry: Entry, ends: list[tuple[Formula, Env]], name: str, old: Outcome) -> Outcome:
    """A list that every turn may add to, or a count that it may raise."""
    entries: list[Entry] = []
    counts = False
    for guard, end in ends:
        for each, value in end[name].cases:
            include = both(entry.include, guard, each)
            match value:
                case Known(int() as times):
                    counts = True
                    entries += [Entry(one(Known(1)), entry.binders, include)] * times
                case Known(list()):
                    continue
                case Collection(_, inner):
                    entries += [
                        Entry(one_.value, (*entry.binders, *one_.binders), both(include, one_.include))
                        for one_ in inner
                    ]
                case _:
                    raise UnreadableError(f"{name}, which a loop changes")

    def added(value: Value) -> Outcome:
        match value:
            case Known(int() as start):
                return one(Count(Collection("list", tuple(entries)), start))
            case Count(Collection() as collection, offset) if counts:
                return one(Count(Collection("list", (*collection.entries, *entries)), offset))
            case _:
                kind = value.kind if isinstance(value, Collection) else "list"
                return one(Collection(kind, (*entries_of(block.machine, value), *entries)))

    return block.machine.bind(old, added) if entries else old


def _only_grows(name: str, node: ast.For) -> bool:
    """Whether the loop does nothing with a name but append to it or count up."""
    uses = 0
    grows = 0
    for each in ast.walk(ast.Module(body=node.body, type_ignores=[])):
        match each:
            case ast.Name(id=used) if used == name:
                uses += 1
            case ast.Call(func=ast.Attribute(value=ast.Name(id=used), attr="append" | "add")) if used == name:
                grows += 1
            case ast.AugAssign(target=ast.Name(id=used), op=ast.Add(), value=ast.Constant(value=int())) if (
                used == name
            ):
                grows += 1
    return uses == grows


def _counts(name: str, node: ast.For) -> bool:
    return any(
        isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name) and each.target.id == name
        for statement in node.body
        for each in ast.walk(statement)
    )
