"""Conditions of other people's searches, as when they are true and when they are false.

A part that the rule language cannot say is taken for unknown: it may be true and it may be false. What is
built around it then holds for every event that the search finds, and perhaps for more. Each such part is
recorded in ``failures``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from converter.evaluate import matches
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.captures import Capture, always_captured, capture, without_names
from converter.platforms.splunk.importing.derived import Derived, Piece, Trimmed
from converter.platforms.splunk.importing.rewriting import (
    ARITHMETIC,
    BLANKS,
    MIRRORED,
    NULL,
    normal,
    number_in,
    rewritten,
)
from converter.platforms.splunk.importing.scope import ALWAYS_THERE, OPAQUE
from converter.platforms.splunk.importing.scores import addends_of, compared
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_where import Value, WhereReader
from converter.platforms.three_valued import Truth, never_null, ternary_not

UNKNOWN: Final = Truth(TRUE, TRUE)
_PLACE: Final = FieldPath(("value",))
_CHOICES: Final = frozenset({"if", "case", "coalesce", "nullif"})
_MOST_BRANCHES: Final = 48
_MOST_NODES: Final = 20_000
_MOST_TERMS: Final = 500
"""Of the conditions under which a sum of choices has its values."""


REX: Final = "\0rex"
"""A call of this name stands for a group that ``rex`` takes out of a value: value, pattern, group."""

ELEMENT: Final = "\0element"
"""A call of this name stands for one value of a field that ``mvexpand`` has made rows of."""

CHANGED: Final = "\0changed"
"""A call of this name stands for a text that was changed in a way nobody can say here."""

_PRESENT: Final = "\0present"
_KEEPS_PRESENCE: Final = frozenset(
    {
        "trim",
        "ltrim",
        "rtrim",
        "replace",
        "mvdedup",
        "mvsort",
        "tostring",
        "mvjoin",
        "lower",
        "upper",
        "len",
        "urldecode",
        "split",
        "md5",
        "sha1",
        "sha256",
        ELEMENT,
        CHANGED,
    }
)
"""Functions of text that are null when, and only when, their first operand is."""

_OF_ONE: Final = frozenset({"lower", "upper", "len", "tonumber", "trim", "ltrim", "rtrim", "substr", REX})
"""Functions that make a value of their first operand."""
_TESTS: Final = frozenset({"like", "match", "in", "cidrmatch"})
_WANTS_ALL: Final = frozenset({"mvzip"})


class Failure(msgspec.Struct, frozen=True):
    """A part that could not be read: why, and where in the expanded text (0: not known). ``side``: it was
    taken for something else, which errs on that side; None: it is left out.
    """

    code: str
    message: str
    at: int = 0
    side: Fidelity | None = None


def simplified(expression: Expression, element: bool = False) -> Expression:
    """The same condition without terms that always or never hold, and without repeated terms.

    ``element``: it is asked of the elements of a list, whose keys are no fields of the event.
    """
    match expression:
        case All(terms):
            inner = dict.fromkeys(simplified(term, element) for term in terms)
            never = FALSE in inner or any(isinstance(one, Not) and one.term in inner for one in inner)
            return FALSE if never else all_of(*inner)
        case AnyOf(terms):
            inner = dict.fromkeys(simplified(term, element) for term in terms)
            always = TRUE in inner or any(isinstance(one, Not) and one.term in inner for one in inner)
            return TRUE if always else any_of(*inner)
        case Not(term):
            one = simplified(term, element)
            return FALSE if one == TRUE else TRUE if one == FALSE else negated(one)
        case ForSome(path, term):
            return ForSome(path, simplified(term, True))
        case Predicate(FieldPath((str(name),)), Operator.EXISTS) if name in ALWAYS_THERE and not element:
            return TRUE
        case _:
            return expression


def size(expression: Expression) -> int:
    """How many nodes the tree has."""
    count, waiting = 0, [expression]
    while waiting and count <= _MOST_NODES:
        current = waiting.pop()
        count += 1
        match current:
            case All(terms) | AnyOf(terms):
                waiting.extend(terms)
            case Not(term) | ForSome(_, term):
                waiting.append(term)
    return count


class Where(WhereReader):
    """``where`` conditions whose fields are already stored ones."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._strict = 0

    def condition(self, node: s.EvalNode) -> Truth:
        """When the condition is true and when it is false, unknown parts being either."""
        truth = self.read(node)
        truth = Truth(simplified(truth.true), simplified(truth.false))
        if size(truth.true) + size(truth.false) > _MOST_NODES:
            raise SplError("the condition is too large once its fields are put in", 0, "spl-size")
        return truth

    def exactly(self, node: s.EvalNode) -> Truth:
        """The same; a part that cannot be read raises SplError."""
        self._strict += 1
        try:
            return self.condition(node)
        finally:
            self._strict -= 1

    def read(self, node: s.EvalNode) -> Truth:
        """See :meth:`WhereReader.read`; a choice among its operands is read branch by branch."""
        try:
            return self._read(node)
        except SplError as error:
            if self._strict or error.code == "spl-size":
                raise
            self.failures.append(Failure(error.code, error.message, error.offset))
            return UNKNOWN

    def _read(self, node: s.EvalNode) -> Truth:
        match node:
            case s.Operation(">=", s.Call("mvfind", (field, pattern), at), s.Literal(0)):
                # The place of the first value that the regex finds; null when it finds none.
                return Truth(self._read(s.Call("match", (field, pattern), at)).true, FALSE)
            case s.Call("isnull", (inner,)):
                return ternary_not(never_null(self.present(inner)))
            case s.Call("isnotnull", (inner,)) if not _is_mvtest(inner):
                return never_null(self.present(inner))
            case s.Call(name, (s.Literal(reason),), at) if name == OPAQUE:
                raise SplError(str(reason), at, "spl-computed")
            case s.Call(name, (inner,), at) if name == _PRESENT:
                node = s.Call("isnotnull", (inner,), at)
        if node == NULL:
            return Truth(FALSE, FALSE)
        constant = self._constant(node)
        if constant is not None:
            return constant
        scored = self._scored(node)
        if scored is not None:
            return scored
        split = self._split(node)
        if split is None:
            plainer = rewritten(node)
            return super().read(node) if plainer is None else self._read(plainer)
        true: list[Expression] = []
        false: list[Expression] = []
        for when, inner in split:
            truth = self._read(inner)
            true.append(all_of(when, truth.true))
            false.append(all_of(when, truth.false))
        return Truth(simplified(any_of(*true)), simplified(any_of(*false)))

    def _constant(self, node: s.EvalNode) -> Truth | None:
        """A test of a literal, which is true or false whatever the event."""
        if not isinstance(node, s.Call) or node.name not in _TESTS:
            return None
        position = 1 if node.name == "cidrmatch" else 0
        value = _folded(node.arguments[position]) if len(node.arguments) > position else None
        if not isinstance(value, s.Literal):
            return None
        field = s.FieldName("value", True)
        arguments = (*node.arguments[:position], field, *node.arguments[position + 1 :])
        truth = super().read(msgspec.structs.replace(node, arguments=arguments))
        return never_null(TRUE if matches(truth.true, {"value": value.value}) else FALSE)

    def _scored(self, node: s.EvalNode) -> Truth | None:
        """A sum of choices among numbers against a number."""
        if not isinstance(node, s.Operation) or node.operator not in MIRRORED:
            return None
        sign, left, right = node.operator, node.left, node.right
        if isinstance(left, s.Literal):
            sign, left, right = MIRRORED[sign], right, left
        number = _number(right.value) if isinstance(right, s.Literal) else None
        addends = addends_of(left)
        if number is None or len(addends) < 2:
            return None
        choices: list[list[tuple[Expression, Fraction]]] = []
        for addend in addends:
            branches = self.branches(addend) if _is_choice(addend) else [(TRUE, addend)]
            if any(not isinstance(leaf, s.Literal) or isinstance(leaf.value, str) for _, leaf in branches):
                return None
            choices.append(
                [(when, Fraction(leaf.value)) for when, leaf in branches if isinstance(leaf, s.Literal)]
            )
        return never_null(simplified(compared(choices, sign, Fraction(number))))

    def _split(self, node: s.EvalNode) -> list[tuple[Expression, s.EvalNode]] | None:
        """A test of if(), case() or coalesce() as the same test of each branch, and when that is taken."""
        match node:
            case s.Operation(operator, left, right, at) if operator not in ("and", "or", "xor"):
                for position, operand in enumerate((left, right)):
                    if _is_choice(operand):
                        return [
                            (
                                when,
                                s.Operation(operator, *((leaf, right) if not position else (left, leaf)), at),
                            )
                            for when, leaf in self.branches(operand)
                        ]
            case s.Call(name, arguments, at) if name not in _CHOICES:
                for position, operand in enumerate(arguments):
                    if _is_choice(operand):
                        return [
                            (
                                when,
                                s.Call(name, (*arguments[:position], leaf, *arguments[position + 1 :]), at),
                            )
                            for when, leaf in self.branches(operand)
                        ]
            case s.Call(name, _, at) if name in ("if", "case"):
                return self.branches(node)
            case s.Inverted("-", _):
                raise SplError("the result of a minus sign is computed", 0, "spl-arithmetic")
        return None

    def branches(self, node: s.EvalNode) -> list[tuple[Expression, s.EvalNode]]:
        """The values that a choice can have and when it has each; the conditions exclude one another."""
        if not _is_choice(node):
            return [(TRUE, node)]
        if isinstance(node, s.Operation):
            return self._combined(node)
        assert isinstance(node, s.Call)
        if node.name in _OF_ONE:
            operand, *others = node.arguments
            return [
                (when, self._constant_value(s.Call(node.name, (leaf, *others), node.at)))
                for when, leaf in self.branches(operand)
            ]
        arguments = node.arguments
        choices: list[tuple[Expression, s.EvalNode]] = []
        if node.name == "coalesce":
            choices = [(self.present(one), one) for one in arguments]
        elif node.name == "nullif" and len(arguments) == 2:
            equal = self.exactly(s.Operation("==", arguments[0], arguments[1])).true
            choices = [(equal, NULL), (TRUE, arguments[0])]
        elif node.name == "if" and len(arguments) == 3:
            choices = [(self.exactly(arguments[0]).true, arguments[1]), (TRUE, arguments[2])]
        elif node.name == "case" and len(arguments) % 2 == 0:
            choices = [
                (self.exactly(arguments[place]).true, arguments[place + 1])
                for place in range(0, len(arguments), 2)
            ]
        else:
            raise SplError(f"{node.name} has other arguments than expected", node.at, "spl-function")
        found: list[tuple[Expression, s.EvalNode]] = []
        before: list[Expression] = []
        for when, value in [*choices, (TRUE, NULL)]:
            for inner, leaf in self.branches(value):
                condition = simplified(all_of(*before, when, inner))
                if condition != FALSE:
                    found.append((condition, leaf))
            if when == TRUE:
                break
            before.append(negated(when))
        if len(found) > _MOST_BRANCHES or sum(size(when) for when, _ in found) > _MOST_NODES:
            raise SplError("too many branches", node.at, "spl-size")
        return found

    def _constant_value(self, node: s.Call) -> s.EvalNode:
        """A function of a constant worked out."""
        match node:
            case s.Call(_, (one, *_)) if one == NULL:
                return NULL
            case s.Call(name, (s.Literal(text), s.Literal(str(pattern)), s.Literal())) if name == REX:
                found = self.exactly(s.Call("match", (s.Literal(str(text)), s.Literal(pattern)), node.at))
                return NULL if found.true == FALSE else node
        return normal(node)

    def _combined(self, node: s.Operation) -> list[tuple[Expression, s.EvalNode]]:
        """Arithmetic of choices: what each choice of operands gives, results that agree taken together."""
        found: dict[s.EvalNode, list[Expression]] = {}
        for when, left in self.branches(node.left):
            for also, right in self.branches(node.right):
                both = simplified(all_of(when, also))
                if both != FALSE:
                    found.setdefault(normal(s.Operation(node.operator, left, right, node.at)), []).append(
                        both
                    )
        merged = [(simplified(any_of(*whens)), value) for value, whens in found.items()]
        if len(merged) > _MOST_BRANCHES or sum(size(when) for when, _ in merged) > _MOST_TERMS:
            raise SplError("a sum of too many choices", node.at, "spl-arithmetic")
        return merged

    def present(self, node: s.EvalNode) -> Expression:
        """When the value is not null. Raises SplError if that cannot be said."""
        match node:
            case s.Literal():
                return TRUE
            case s.FieldName(name) if name in ALWAYS_THERE:
                return TRUE
            case s.Call("null", ()):
                return FALSE
            case s.Call(name, (inner, *_)) if name in _KEEPS_PRESENCE:
                return self.present(inner)
            case s.Call(name, (inner, s.Literal(str(pattern)), s.Literal(str(group)))) if name == REX:
                if not always_captured(pattern, group):
                    raise SplError("a group of rex that need not take part in a match", 0, "regex-construct")
                return self.exactly(s.Call("match", (inner, s.Literal(without_names(pattern))))).true
            case s.Call(name, arguments) if name in _WANTS_ALL:
                return simplified(all_of(*(self.present(one) for one in arguments)))
            case s.Call("now" | "time" | "true" | "false" | "random", ()):
                return TRUE
            case s.Call("mvappend" | "coalesce", arguments):
                return simplified(any_of(*(self.present(one) for one in arguments)))
            case s.Operation(".", left, right) if not _is_choice(node):
                return simplified(all_of(self.present(left), self.present(right)))
        if _is_choice(node) and all(self.present(leaf) == TRUE for _, leaf in self.branches(node)):
            return TRUE
        return self.exactly(s.Call(_PRESENT, (node,))).true

    def value(self, node: s.EvalNode) -> Value:
        """The value of an expression that is no choice. Raises SplError for one that cannot be named."""
        return self._value(node)

    def _value(self, node: s.EvalNode) -> Value:
        match node:
            case s.Call(name, (s.Literal(reason), *_)) if name == OPAQUE:
                raise SplError(str(reason), 0, "spl-computed")
            case s.Call(name, (inner, s.Literal(str(pattern)), s.Literal(str(group)))) if name == REX:
                return self._taken_out(capture(self._value(inner), pattern, group), group)
            case s.Call(("trim" | "ltrim" | "rtrim") as name, (inner, *given)):
                return self._trimmed(name, inner, given)
            case s.Call("substr", (inner, s.Literal(int(start)), *given)):
                source = self._source(inner)
                match given:
                    case []:
                        return Piece(source.subject, source.functions, start=start)
                    case [s.Literal(int(length))]:
                        return Piece(source.subject, source.functions, start=start, length=length)
                raise SplError("substr of a computed length", node.at, "spl-computed")
            case s.Call(name) if name == ELEMENT:
                raise SplError("one value of a list that mvexpand takes apart", 0, "multi-value")
            case s.Call("mvindex", (inner, s.Literal(index))) if isinstance(inner, s.FieldName):
                return (
                    Value(FieldPath((inner.name, int(index))))
                    if isinstance(index, int)
                    else super()._value(node)
                )
        return super()._value(node)

    def _taken_out(self, value: Capture, group: str) -> Capture:
        if value.loose:
            message = f"{group} is taken out of the first place that fits there, of any place here"
            if self._strict:
                raise SplError(message, 0, "spl-computed")
            self.failures.append(Failure("first-match", message, side=Fidelity.WIDER))
        return value

    def _source(self, node: s.EvalNode) -> Value:
        """A value whose text others are made from: a field's, but for the case of its letters."""
        value = self._value(node)
        if isinstance(value, Derived) or value.kind != "text":
            raise SplError("a part of a computed text", getattr(node, "at", 0), "spl-computed")
        return value

    def _trimmed(self, name: str, node: s.EvalNode, given: list[s.EvalNode]) -> Trimmed:
        characters = given[0].value if given and isinstance(given[0], s.Literal) else BLANKS
        if (
            len(given) > 1
            or (given and not isinstance(given[0], s.Literal))
            or not isinstance(characters, str)
        ):
            raise SplError(f"{name} of computed characters", getattr(node, "at", 0), "spl-computed")
        value = self._source(node)
        left, right = (characters if name != "rtrim" else ""), (characters if name != "ltrim" else "")
        return Trimmed(value.subject, value.functions, left=left, right=right)

    def _compared(self, operator: str, left: s.EvalNode, right: s.EvalNode, at: int) -> Truth:
        left, right = _folded(left), _folded(right)
        if NULL in (left, right):
            return Truth(FALSE, FALSE)
        if isinstance(left, s.Literal) and isinstance(right, s.Literal):
            one, other = _number(left.value), _number(right.value)
            if one is not None and other is not None:
                left, right = s.Literal(one), s.Literal(other)
        return super()._compared(operator, left, right, at)


def _number(value: str | int | float) -> int | float | None:
    return number_in(value) if isinstance(value, str) else value


def _folded(node: s.EvalNode) -> s.EvalNode:
    """A literal in place of a change of letters of one."""
    match node:
        case s.Call(("lower" | "upper") as name, (inner,)):
            value = _folded(inner)
            if isinstance(value, s.Literal) and isinstance(value.value, str):
                return s.Literal(value.value.lower() if name == "lower" else value.value.upper())
    return node


def _is_mvtest(node: s.EvalNode) -> bool:
    return isinstance(node, s.Call) and node.name in ("mvfilter", "mvfind", "null")


def _is_choice(node: s.EvalNode) -> bool:
    """Whether a value is one of several, each under its condition; or made of such values."""
    waiting = [node]
    while waiting:
        match waiting.pop():
            case s.Call(name) if name in _CHOICES:
                return True
            case s.Call(name, (inner, *_)) if name in _OF_ONE:
                waiting.append(inner)
            case s.Operation(operator, left, right) if operator in (*ARITHMETIC, "."):
                waiting += [left, right]
    return False
