"""From lark's trees to the nodes of :mod:`converter.platforms.splunk.spl.syntax`."""

from __future__ import annotations

import itertools
import re
from typing import Any

from converter.platforms.numerals import NumeralError, numeral
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

_ESCAPE = re.compile(r'\\(["\\])')
_DEEPEST = 400


def unescaped(text: str) -> str:
    """The inside of a literal without escapes: ``\\\\`` and ``\\"``; an unknown one keeps its backslash."""
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


class SearchTree:
    """Search expressions. ``offset``: where the parsed text stands in the expanded text."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def node(self, tree: Any, depth: int = 0) -> s.SearchNode:
        """The node of a lark tree. Raises SplError when it is nested too deeply."""
        if depth > _DEEPEST:
            raise SplError("the search is nested too deeply", self._offset)
        children = tree.children
        match tree.data:
            case "everything":
                return s.Everything()
            case "both" | "either":
                return self._joined(tree, depth)
            case "negated":
                return s.Negated(self.node(children[0], depth + 1))
            case "compared":
                field, operator, value = children
                return s.Compared(_field(field), str(operator), self._text(value), self._at(tree))
            case "listed":
                field, *values = children
                if not values:
                    raise SplError("IN without a value", self._at(tree))
                return s.Listed(_field(field), tuple(self._text(value) for value in values), self._at(tree))
            case "word":
                return s.Term(s.Text(unescaped(str(children[0]))), self._at(tree))
            case "phrase":
                return s.Term(s.Text(unescaped(str(children[0])[1:-1]), quoted=True), self._at(tree))
            case "directive":
                return s.Term(_directive(str(children[0])), self._at(tree))
            case "macro":
                return s.Macro(_macro_name(str(children[0])), self._at(tree))
            case "subsearch":
                return s.Subsearch(int(str(children[0]).strip("[] \n\t\r")), self._at(tree))
        raise SplError(f"{tree.data} is not read", self._at(tree))

    def _joined(self, tree: Any, depth: int) -> s.SearchNode:
        """A chain of AND or of OR, flattened without recursion: it leans to the left."""
        kind = tree.data
        terms: list[s.SearchNode] = []
        while hasattr(tree, "data") and tree.data == kind:
            left, right = tree.children
            terms.append(self.node(right, depth + 1))
            tree = left
        terms.append(self.node(tree, depth + 1))
        flat = tuple(reversed(terms))
        return s.Both(flat) if kind == "both" else s.Either(flat)

    def _text(self, tree: Any) -> s.Text:
        token = tree.children[0]
        if token.type == "STRING":
            return s.Text(unescaped(str(token)[1:-1]), quoted=True)
        if token.type == "DIRECTIVE":
            return _directive(str(token))
        if token.type == "MACRO":
            raise SplError(
                f"the macro {_macro_name(str(token))} is not defined",
                self._offset + token.start_pos,
                "spl-macro",
            )
        return s.Text(unescaped(str(token)))

    def _at(self, tree: Any) -> int:
        return self._offset + int(getattr(tree.meta, "start_pos", 0) or 0)


def _field(tree: Any) -> str:
    token = tree.children[0]
    return str(token)[1:-1] if token.type == "STRING" else str(token)


def _directive(text: str) -> s.Text:
    inside = text[text.index("(") + 1 : -1].strip()
    quoted = inside.startswith('"')
    cased = text.startswith("CASE")
    return s.Text(unescaped(inside.strip('"')), quoted=quoted, cased=cased, term=not cased)


def _macro_name(text: str) -> str:
    return text.strip("`").partition("(")[0]


_LONG_CHAIN = 40
"""So many terms that no form which is looked for has more."""
_CHAINS = {
    "both": "and",
    "either": "or",
    "exclusive_or": "xor",
    "plus": "+",
    "minus": "-",
    "joined": ".",
    "times": "*",
    "divided": "/",
    "modulo": "%",
}


class EvalTree:
    """Eval expressions. ``offset``: where the parsed text stands in the expanded text."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def assignments(self, tree: Any) -> tuple[tuple[str, s.EvalNode], ...]:
        """The assignments of an eval command, in order."""
        found = []
        for child in tree.children:
            token, value = child.children
            name = str(token)
            if token.type in ("QUOTED", "STRING"):
                name = name[1:-1]
            found.append((name, self.node(value)))
        return tuple(found)

    def node(self, tree: Any, depth: int = 0) -> s.EvalNode:
        """The node of a lark tree. Raises SplError when it is nested too deeply."""
        if depth > _DEEPEST:
            raise SplError("the expression is nested too deeply", self._offset)
        kind, children = tree.data, tree.children
        if kind in _CHAINS:
            return self._chain(tree, depth)
        match kind:
            case "negated":
                return s.Inverted("not", self.node(children[0], depth + 1))
            case "minus_sign":
                operand = self.node(children[0], depth + 1)
                if isinstance(operand, s.Literal) and not isinstance(operand.value, str):
                    return s.Literal(-operand.value)
                return s.Inverted("-", operand)
            case "compared":
                left, operator, right = children
                sign = "==" if operator == "=" else str(operator)
                return s.Operation(
                    sign, self.node(left, depth + 1), self.node(right, depth + 1), self._at(tree)
                )
            case "listed" | "not_listed":
                arguments = (self.node(children[0], depth + 1), *self._arguments(children[1], depth))
                call = s.Call("in", arguments, self._at(tree))
                return call if kind == "listed" else s.Inverted("not", call)
            case "alike":
                return s.Call(
                    "like", tuple(self.node(child, depth + 1) for child in children), self._at(tree)
                )
            case "number":
                return s.Literal(self._number(str(children[0]), tree))
            case "text":
                return s.Literal(unescaped(str(children[0])[1:-1]))
            case "quoted_field":
                return s.FieldName(str(children[0])[1:-1], True, self._at(tree))
            case "field":
                return s.FieldName(str(children[0]), False, self._at(tree))
            case "call":
                arguments = self._arguments(children[1], depth) if len(children) > 1 else ()
                return s.Call(str(children[0]).lower(), arguments, self._at(tree))
            case "macro":
                return s.Macro(_macro_name(str(children[0])), self._at(tree))
            case "subsearch":
                return s.Subsearch(int(str(children[0]).strip("[] \n\t\r")), self._at(tree))
        raise SplError(f"{kind} is not read", self._at(tree))

    def _chain(self, tree: Any, depth: int) -> s.EvalNode:
        """A chain of one operator, built without recursion along its left side.

        A long one of AND or OR becomes a tree as low as can be, so that walking it goes no deeper than that.
        """
        kind = tree.data
        operands: list[s.EvalNode] = []
        while hasattr(tree, "data") and tree.data == kind:
            left, right = tree.children
            operands.append(self.node(right, depth + 1))
            tree = left
        operands.append(self.node(tree, depth + 1))
        operands.reverse()
        operator = _CHAINS[kind]
        if operator in ("and", "or"):
            while len(operands) > _LONG_CHAIN:
                pairs = itertools.zip_longest(operands[::2], operands[1::2])
                operands = [a if b is None else s.Operation(operator, a, b) for a, b in pairs]
        result, *others = operands
        for operand in others:
            result = s.Operation(operator, result, operand)
        return result

    def _arguments(self, tree: Any, depth: int) -> tuple[s.EvalNode, ...]:
        return tuple(self.node(child, depth + 1) for child in tree.children)

    def _number(self, text: str, tree: Any) -> int | float:
        try:
            return numeral(text)
        except NumeralError as error:
            raise SplError(str(error), self._at(tree)) from error

    def _at(self, tree: Any) -> int:
        return self._offset + int(getattr(tree.meta, "start_pos", 0) or 0)
