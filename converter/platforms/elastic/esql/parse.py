"""ES|QL text → tree. The grammar is the data file grammar.lark, loaded at first use."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.text import identifier_value, string_value
from converter.platforms.numerals import NumeralError, numeral

if TYPE_CHECKING:
    from lark import Lark, Tree

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_GROK_COLUMN = re.compile(r"%\{[A-Z0-9_]+:([^:}]+)|\(\?<([^>=!]+)>")
_DISSECT_COLUMN = re.compile(r"%\{[+?&*]?([^}:/>-]*)")
_CASTS = {"INT": "INTEGER", "KEYWORD": "STRING", "TEXT": "STRING", "BOOL": "BOOLEAN", "DATE": "DATETIME"}


def parse_query(text: str) -> tree.Query:
    """A whole query. Raises RuleError (code ``esql-syntax``) with line and column of what does not parse."""
    built: tree.Query = _build(text, "query")
    return built


def parse_condition(text: str) -> tree.Node:
    """What stands behind WHERE. Raises RuleError like :func:`parse_query`."""
    built: tree.Node = _build(text, "boolean")
    return built


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(
        _GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        start=["query", "boolean"],
        maybe_placeholders=True,
        propagate_positions=True,
        g_regex_flags=re.DOTALL,
    )


def _build(text: str, start: str) -> Any:
    from lark.exceptions import UnexpectedInput

    try:
        parsed = _parser().parse(text, start=start)
    except UnexpectedInput as error:
        at_end = getattr(getattr(error, "token", None), "type", None) == "$END"
        rest = [] if at_end else text[error.pos_in_stream or 0 :].split(None, 1)
        found = repr(rest[0][:40]) if rest else "end of query"
        line, column = (error.line, error.column) if rest else _end_of(text)
        raise _syntax_error(f"unexpected {found}", line, column) from error
    try:
        return _Builder(text).build(parsed)
    except RecursionError as error:
        raise _syntax_error("the query is nested too deeply", 1, 1) from error


def _syntax_error(message: str, line: int, column: int) -> RuleError:
    diagnostic = Diagnostic(
        code="esql-syntax",
        severity=Severity.ERROR,
        message=message,
        line=line,
        column=column,
        platform="elastic",
    )
    return RuleError(f"ES|QL does not parse: {message} at line {line}, column {column}", [diagnostic])


def _end_of(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


class _Builder:
    """Turns lark's parse tree into the nodes of tree.py: one method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text

    def build(self, node: Any) -> Any:
        """The node for a parse tree; a token stays as it is."""
        from lark import Tree

        if not isinstance(node, Tree):
            return node
        children = [self.build(child) for child in node.children]
        simple = _SIMPLE.get(node.data)
        try:
            if simple is not None:
                return simple(children)
            method: Callable[[list[Any], Tree[Any]], Any] = getattr(self, "_" + node.data.rstrip("_"))
            return method(children, node)
        except NumeralError as error:
            raise _syntax_error(str(error), node.meta.line, node.meta.column) from error

    def _source(self, node: Tree[Any]) -> str:
        return self._text[node.meta.start_pos : node.meta.end_pos]

    def _place(self, node: Tree[Any]) -> tree.Place:
        return tree.Place(self._source(node), node.meta.line, node.meta.column)

    def _where(self, children: list[Any], node: Tree[Any]) -> tree.Where:
        return tree.Where(
            tuple(tree.Conjunct(self.build(part), self._place(part)) for part in _conjuncts(node.children[0]))
        )

    def _named(self, children: list[Any], node: Tree[Any]) -> tree.Assignment:
        return tree.Assignment(identifier_value(children[0]), children[1], self._place(node))

    def _unnamed(self, children: list[Any], node: Tree[Any]) -> tree.Assignment:
        expression = children[0]
        name = expression.name if isinstance(expression, tree.Column) else self._source(node)
        return tree.Assignment(name, expression, self._place(node))

    def _stats(self, children: list[Any], node: Tree[Any]) -> tree.Stats:
        return tree.Stats(
            children[0] or (), children[1] or (), node.data == "inline_stats", self._place(node)
        )

    _inline_stats = _stats

    def _mv_expand(self, children: list[Any], node: Tree[Any]) -> tree.MvExpand:
        return tree.MvExpand(identifier_value(children[0]), self._place(node))

    def _grok(self, children: list[Any], node: Tree[Any]) -> tree.Extract:
        return self._extract("GROK", _GROK_COLUMN, children, node)

    def _dissect(self, children: list[Any], node: Tree[Any]) -> tree.Extract:
        return self._extract("DISSECT", _DISSECT_COLUMN, children, node)

    def _extract(
        self, command: str, columns: re.Pattern[str], children: list[Any], node: Tree[Any]
    ) -> tree.Extract:
        patterns = [string_value(child) for child in children[1:] if isinstance(child, str)]
        found = [name for text in patterns for match in columns.finditer(text) for name in match.groups()]
        named = tuple(filter(None, found))
        return tree.Extract(command, named, children[0], tuple(patterns), self._place(node))

    def _other(self, children: list[Any], node: Tree[Any]) -> tree.Other:
        return tree.Other(str(children[0]).upper(), self._place(node))

    def _call(self, children: list[Any], node: Tree[Any]) -> tree.Call:
        name, arguments = children
        return tree.Call(identifier_value(name).upper(), arguments or ())

    def _arithmetic(self, children: list[Any], node: Tree[Any]) -> tree.Arithmetic:
        left, operator, right = children if len(children) == 3 else (children[0], "*", children[1])
        return tree.Arithmetic(self._source(node), str(operator), left, right)

    _product_of = _arithmetic

    def _parameter(self, children: list[Any], node: Tree[Any]) -> tree.Unread:
        return tree.Unread(self._source(node))

    _map = _parameter

    def _signed(self, children: list[Any], node: Tree[Any]) -> tree.Node:
        sign, operand = children
        number = operand.value if isinstance(operand, tree.Literal) else None
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            return tree.Literal(-number if sign == "-" else number)
        return tree.Unread(self._source(node))


def _conjuncts(node: Any) -> list[Any]:
    """The parse trees that AND joins at the top."""
    if node.data != "and_":
        return [node]
    return [part for child in node.children for part in _conjuncts(child)]


def _junction(every: bool) -> Callable[[list[Any]], tree.Junction]:
    """AND and OR are left-recursive in the grammar; here their operands stand side by side."""

    def join(children: list[Any]) -> tree.Junction:
        left, right = children
        same = isinstance(left, tree.Junction) and left.every is every
        return tree.Junction(every, (*(left.operands if same else (left,)), right))

    return join


def _like(regex: bool, negated: bool) -> Callable[[list[Any]], tree.Node]:
    def make(children: list[Any]) -> tree.Node:
        test = tree.Like(children[0], tuple(map(string_value, children[1:])), regex)
        return tree.Negation(test) if negated else test

    return make


def _cast(children: list[Any]) -> tree.Call:
    name = str(children[1]).upper()
    return tree.Call("TO_" + _CASTS.get(name, name), (children[0],))


def _array(children: list[Any]) -> tree.Literal:
    return tree.Literal(tuple(child.value for child in children))


def _number(children: list[Any]) -> tree.Literal:
    sign, digits = children
    value = numeral(digits)
    return tree.Literal(-value if sign == "-" else value)


def _from(children: list[Any]) -> tree.From:
    indices = [child for child in children if isinstance(child, str)]
    metadata = next((child for child in children if isinstance(child, tuple)), ())
    return tree.From(
        tuple(string_value(index) if index.startswith('"') else str(index) for index in indices), metadata
    )


def _names(children: list[Any]) -> tuple[str, ...]:
    return tuple(map(identifier_value, children))


_SIMPLE: dict[str, Callable[[list[Any]], Any]] = {
    "query": tuple,
    "from_": _from,
    "metadata": _names,
    "row": lambda c: tree.Eval(tuple(c)),
    "eval_": lambda c: tree.Eval(tuple(c)),
    "keep": lambda c: tree.Keep(_names(c)),
    "drop": lambda c: tree.Drop(_names(c)),
    "rename": lambda c: tree.Rename(tuple(c)),
    "limit": lambda c: tree.Limit(int(numeral(c[0]))),
    "sort": lambda c: tree.Sort(),
    "sort_key": lambda c: None,
    "append": lambda c: None,
    "completion": lambda c: tree.Extract("COMPLETION", (identifier_value(c[0]) if c[0] else "completion",)),
    "aggregates": tuple,
    "aggregate": lambda c: tree.Assignment(c[0].name, c[0].expression, c[0].place, c[1]),
    "by": tuple,
    "renamed_as": lambda c: (identifier_value(c[0]), identifier_value(c[1])),
    "renamed_to": lambda c: (identifier_value(c[1]), identifier_value(c[0])),
    "or_": _junction(False),
    "and_": _junction(True),
    "not_": lambda c: tree.Negation(c[0]),
    "comparison": lambda c: tree.Comparison(str(c[1]), c[0], c[2]),
    "in_list": lambda c: tree.InList(c[0], tuple(c[1:])),
    "not_in_list": lambda c: tree.Negation(tree.InList(c[0], tuple(c[1:]))),
    "like": _like(False, False),
    "not_like": _like(False, True),
    "rlike": _like(True, False),
    "not_rlike": _like(True, True),
    "is_null": lambda c: tree.IsNull(c[0]),
    "is_not_null": lambda c: tree.Negation(tree.IsNull(c[0])),
    "match": lambda c: tree.Match(c[0], c[1]),
    "column": lambda c: tree.Column(identifier_value(c[0])),
    "cast": _cast,
    "star": lambda c: (),
    "arguments": lambda c: tuple(argument for argument in c if argument is not None),
    "timespan": lambda c: tree.Timespan(int(numeral(c[0])), str(c[1]).lower()),
    "integer": lambda c: tree.Literal(numeral(c[0])),
    "decimal": lambda c: tree.Literal(numeral(c[0])),
    "string": lambda c: tree.Literal(string_value(c[0])),
    "true": lambda c: tree.Literal(True),
    "false": lambda c: tree.Literal(False),
    "null": lambda c: tree.Literal(None),
    "array": _array,
    "array_number": _number,
}
