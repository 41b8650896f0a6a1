"""Conditions as ``where`` says them: with case, exactly, and true whenever the two-valued rule is.

``where`` has three truth values (a null operand gives null, and null drops the row), so negation is pushed
down to the predicates, where it reads ``(isnull('x') OR NOT (…))``. A field that can hold several values is
asked value by value through ``mvfilter``, which keeps the values an expression is true for and gives null
when there are none (Search Reference, "Multivalue eval functions"), so a condition on it is never null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    ORDER_OPERATORS,
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
    Reference,
    Scalar,
    Subject,
    changes_of,
    constants,
    functions_in,
    reference,
    references,
    separated,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.splunk.spl import (
    relations,
    times,
)
from converter.platforms.splunk.spl.addresses import MACRO_PREFIX, class_template, has_macro, network
from converter.platforms.splunk.spl.matching import matches_text, pattern_test
from converter.platforms.splunk.spl.text import element_name, eval_name, is_plain, quoted
from converter.platforms.splunk.spl.values import number_text

_ORDER = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_NUMERIC_TYPES = frozenset({FieldType.INTEGER, FieldType.FLOAT})
_TRIM = r"^[ \t\r\n\f\v]+|[ \t\r\n\f\v]+\z"
_BASENAME = r"(?s)^.*[/\\]"

_PLAIN_ARGUMENT = re.compile(r"'[A-Za-z0-9_.{}:@-]+'")
"""A macro's argument without commas, quotes or spaces, which would end it."""

_ELEMENT = re.compile(r"mvindex\('([^']+)', (-?\d+)\)")

ALWAYS, NEVER = "true()", "false()"
_NUMBER_TEXTS = "texts such as 007 and 7 may agree, should both fields hold such"
_TIME_FORMS = f"times are read from text in the forms {', '.join(times.FORMATS)} only"


class WhereTerms:
    """Prints conditions as eval expressions. ``fields`` tells how each stored path is stored."""

    def __init__(self, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> None:
        self._fields = fields
        self._losses = losses
        self._single: FieldPath | None = None
        """The field of which one value is being asked, in ``mvfilter``."""
        self.address_classes: dict[str, None] = {}
        self.elements: dict[str, str] = {}

    def condition(self, expression: Expression, holds: bool = True) -> str:
        """The eval condition that is true exactly when ``expression`` is ``holds``."""
        match expression:
            case All(terms):
                return self._joined(terms, holds, " AND " if holds else " OR ", ALWAYS if holds else NEVER)
            case AnyOf(terms):
                return self._joined(terms, holds, " OR " if holds else " AND ", NEVER if holds else ALWAYS)
            case Not(term):
                with self._losses.flipped():
                    return self.condition(term, not holds)
            case ForSome(path, term):
                return self._for_some(path, term, holds)
            case Predicate():
                return self._predicate(expression, holds)
        raise TypeError(f"not a flat condition: {expression!r}")

    def _joined(self, terms: Iterable[Expression], holds: bool, joint: str, empty: str) -> str:
        texts = [self.condition(term, holds) for term in terms]
        if not texts:
            return empty
        return texts[0] if len(texts) == 1 else f"({joint.join(texts)})"

    def _for_some(self, path: FieldPath, term: Expression, holds: bool) -> str:
        """A condition on one and the same value of a multivalue field."""
        before, self._single = self._single, path
        try:
            found = f"mvfilter({self._unwrapped(term)})"
        finally:
            self._single = before
        return f"isnotnull({found})" if holds else f"isnull({found})"

    def _unwrapped(self, term: Expression) -> str:
        """A condition without the parentheses around all of it."""
        if isinstance(term, All) and len(term.terms) > 1:
            return " AND ".join(self.condition(each) for each in term.terms)
        return self.condition(term)

    def value(self, subject: Subject, functions: tuple[Function, ...]) -> str | None:
        """The eval expression of a value, null where there is none; None where there may be several."""
        if isinstance(subject, Concat):
            text = self._concat(subject)
        elif self._may_be_list(subject) and len(subject.steps) == 1:
            text = None
        else:
            text = self._whole_field(subject)
        return None if text is None else _applied(text, functions)

    # -- one predicate

    def _predicate(self, predicate: Predicate, holds: bool) -> str:
        if any(function.name is FunctionName.JSON for function in functions_in(predicate)):
            self._losses.refuse(
                "value-function", "what eval functions make of JSON in a text is not documented"
            )
            return NEVER
        apart = separated(predicate)
        if apart is not predicate:
            return self.condition(apart, holds)
        for operand in references(predicate):
            return self._related(predicate, operand, holds)
        subject = predicate.subject
        if isinstance(subject, Concat):
            text = self._concat(subject)
            if text is None:
                return self._given_up("multi-value", "a list of values joined to other texts", holds)
            return self._on_one(predicate, text, holds)
        name = eval_name(str(subject.steps[0]))
        if len(subject.steps) > 1:
            index = self._index(subject)
            if index is not None:
                return self._on_one(predicate, f"mvindex({name}, {index})", holds)
        if self._may_be_list(subject):
            return self._on_list(predicate, name, holds)
        return self._on_one(predicate, name, holds)

    def _may_be_list(self, path: FieldPath) -> bool:
        if path == self._single:
            return False
        field = self._fields.get(path)
        return field is None or field.is_list or "{}" in field.name

    def _index(self, path: FieldPath) -> int | None:
        """The one index of a path that ``mvindex`` can take; else the predicate is asked of any value."""
        name, indexes = str(path.steps[0]), path.steps[1:]
        index = indexes[0]
        if len(indexes) == 1 and isinstance(index, int) and (name.count("{}") <= 1 and "{}." not in name):
            self._losses.note("null-element", f"{name} is taken to hold no nulls: its values are counted")
            return index
        self._losses.lose(
            "array-index",
            Fidelity.WIDER,
            f"Splunk flattens {name}, so one position of a list inside it cannot be addressed: any will do",
        )
        return None

    def _on_one(self, predicate: Predicate, base: str, holds: bool) -> str:
        """A condition on a single value ``base`` (an eval expression that is null when there is none)."""
        value = _applied(base, predicate.functions)
        if predicate.operator is Operator.EXISTS:
            return f"isnotnull({value})" if holds else f"isnull({value})"
        tests, guard = self._tests(predicate, value)
        joint = " AND " if predicate.all_of else " OR "
        test = tests[0] if len(tests) == 1 else f"({joint.join(tests)})"
        if holds:
            return test
        if predicate.operator in (Operator.CIDR, Operator.IP):
            return f"if({test}, 1, 0)==0"
        if self._single is not None and guard == base:
            return f"NOT {_in_parentheses(test)}"
        return f"(isnull({guard}) OR NOT {_in_parentheses(test)})"

    def _on_list(self, predicate: Predicate, name: str, holds: bool) -> str:
        """A condition that some value of a multivalue field meets (with ``all_of``: each operand by some)."""
        value = _applied(name, predicate.functions)
        asks = "isnotnull" if holds else "isnull"
        if predicate.operator is Operator.EXISTS:
            if not predicate.functions:
                return f"{asks}({name})"
            return f"{asks}(mvfilter(isnotnull({value})))"
        tests, _ = self._tests(predicate, value)
        if predicate.all_of and len(tests) > 1:
            joint = " AND " if holds else " OR "
            return "(" + joint.join(f"{asks}(mvfilter({test}))" for test in tests) + ")"
        return f"{asks}(mvfilter({' OR '.join(tests)}))"

    def _related(self, predicate: Predicate, other: Reference, holds: bool) -> str:
        """A comparison with another value of the event."""
        if predicate.operator is Operator.SAME_AS and isinstance(other, FieldPath):
            return self._same_as(predicate, other, holds)
        sides = ((predicate.subject, predicate.functions), changes_of(other))
        values = [
            None if (single := self._one_value(subject)) is None else _applied(single, functions)
            for subject, functions in sides
        ]
        left, right = values
        if left is None or right is None:
            return self._given_up("multi-value", "a list of values against another field like that", holds)
        if predicate.ignore_case:
            left, right = f"lower({left})", f"lower({right})"
        if predicate.operator is Operator.SAME_AS:
            self._losses.note("number-text", _NUMBER_TEXTS)
            test = f"{left}=={right}"
        elif predicate.operator in ORDER_OPERATORS:
            test = self._in_order(predicate, left, right, other)
        else:
            test = relations.written(predicate.operator, left, right)
        return test if holds else f"if({test}, 1, 0)==0"

    def _in_order(self, predicate: Predicate, left: str, right: str, other: Reference) -> str:
        """Numbers with numbers, or times with times; what a field is declared to hold leaves one of them."""
        sign = _ORDER[predicate.operator]
        subject = reference(predicate.subject, predicate.functions)
        if all(_counts(side) for side in (subject, other)):
            return f"{left}{sign}{right}"
        numbers = f"tonumber({left}){sign}tonumber({right})"
        kinds = {self._type_of(side) for side in (subject, other)}
        if kinds & _NUMERIC_TYPES:
            return numbers
        self._losses.note("time-format", _TIME_FORMS)
        moments = f"{times.epoch_of(left)}{sign}{times.epoch_of(right)}"
        return moments if FieldType.DATE in kinds else f"({numbers} OR {moments})"

    def _type_of(self, operand: Reference) -> FieldType | None:
        if _counts(operand):
            return FieldType.INTEGER
        field = self._fields.get(operand) if isinstance(operand, FieldPath) else None
        return None if field is None else field.type

    def _same_as(self, predicate: Predicate, other: FieldPath, holds: bool) -> str:
        """Equality with another field. On lists: the two have fewer distinct values together than apart."""
        subject = predicate.subject
        left = self._concat(subject) if isinstance(subject, Concat) else self._whole_field(subject)
        right = self._whole_field(other)
        if left is None or right is None:
            return self._given_up("multi-value", "a list of values joined to other texts", holds)
        lists = self._may_be_list(other) and len(other.steps) == 1
        if isinstance(subject, FieldPath):
            lists = lists or (self._may_be_list(subject) and len(subject.steps) == 1)
        if not lists:
            fields = [side for side in (subject, other) if isinstance(side, FieldPath)]
            if not any(self._type_of(field) in _NUMERIC_TYPES for field in fields):
                self._losses.note("number-text", _NUMBER_TEXTS)
            left = _applied(left, predicate.functions)
            if predicate.ignore_case:
                left, right = f"lower({left})", f"lower({right})"
            if holds:
                return f"{left}=={right}"
            return f"(isnull({left}) OR isnull({right}) OR NOT ({left}=={right}))"
        if predicate.functions or predicate.ignore_case:
            return self._given_up("same-as", "two lists compared after a change of their values", holds)
        together = f"mvcount(mvdedup(mvappend({left}, {right})))"
        apart = f"mvcount(mvdedup({left}))+mvcount(mvdedup({right}))"
        if holds:
            return f"{together}<{apart}"
        return f"(isnull({left}) OR isnull({right}) OR NOT ({together}<{apart}))"

    def _whole_field(self, path: FieldPath) -> str:
        name = eval_name(str(path.steps[0]))
        index = self._index(path) if len(path.steps) > 1 else None
        return name if index is None else f"mvindex({name}, {index})"

    def _concat(self, concat: Concat) -> str | None:
        """The joined text; None when a part is a list, of which ``.`` would join something else."""
        parts: list[str] = []
        for part in concat.parts:
            if isinstance(part, str):
                if not is_plain(part):
                    return None
                parts.append(quoted(part))
                continue
            subject, functions = changes_of(part)
            single = self._one_value(subject)
            if single is None:
                return None
            parts.append(_applied(single, functions))
        return f"({'.'.join(parts)})" if len(parts) > 1 else parts[0]

    def _one_value(self, subject: Subject) -> str | None:
        """What has one value at most, as an eval expression; None for a list."""
        if isinstance(subject, Concat):
            return self._concat(subject)
        name = eval_name(str(subject.steps[0]))
        if len(subject.steps) > 1:
            index = self._index(subject)
            return None if index is None else f"mvindex({name}, {index})"
        return None if self._may_be_list(subject) else name

    def _given_up(self, code: str, what: str, holds: bool) -> str:
        """The side that alerts more in place of a condition that cannot be said."""
        self._losses.lose(code, Fidelity.WIDER if holds else Fidelity.NARROWER, f"Splunk cannot test {what}")
        return ALWAYS

    # -- operators

    def _tests(self, predicate: Predicate, value: str) -> tuple[list[str], str]:
        """The tests of ``value``, and what must not be null for them to be true or false.

        One test per operand, or one for all where SPL has a list form.
        """
        operands = list(constants(predicate))
        operator, ignore_case = predicate.operator, predicate.ignore_case
        counts = _counts(reference(predicate.subject, predicate.functions))
        if operator is Operator.IS:
            return self._is(operands, value, predicate, counts), value
        if operator in ORDER_OPERATORS:
            return self._ordered(predicate, operands, value, counts)
        if operator is Operator.CIDR:
            return [f'cidrmatch("{network(text_of(operand))}", {value})' for operand in operands], value
        if operator is Operator.IP:
            return [self._in_class(text_of(operand), value) for operand in operands], value
        return [
            pattern_test(operator, text_of(operand), value, ignore_case, self._losses) for operand in operands
        ], value

    def _in_class(self, class_name: str, value: str) -> str:
        """Membership in an address class: by its macro where the argument is one plain field."""
        element = _ELEMENT.fullmatch(value)
        if element is not None and has_macro(class_name):
            name = element_name(element[1], int(element[2]))
            self.elements[name] = value
            value = eval_name(name)
        if has_macro(class_name) and _PLAIN_ARGUMENT.fullmatch(value):
            self.address_classes[class_name] = None
            return f"`{MACRO_PREFIX}{class_name}({value})`"
        return class_template(class_name).format(value)

    def _is(self, operands: list[Scalar], value: str, predicate: Predicate, counts: bool) -> list[str]:
        literals: list[str] = []
        tests: list[str] = []
        compared = f"lower({value})" if predicate.ignore_case and not counts else value
        for operand in operands:
            text = text_of(operand).lower() if predicate.ignore_case else text_of(operand)
            number = number_of(operand) if counts or not isinstance(operand, str) else None
            if number is not None and (counts or not predicate.functions):
                literals.append(number_text(number))
            elif is_plain(text):
                literals.append(quoted(text))
            else:
                tests.append(matches_text(value, text_of(operand), predicate.ignore_case))
        if predicate.all_of or len(literals) == 1:
            tests[:0] = [f"{compared}=={literal}" for literal in literals]
        elif literals:
            tests.insert(0, f"in({compared}, {', '.join(literals)})")
        return tests

    def _ordered(
        self, predicate: Predicate, operands: list[Scalar], value: str, counts: bool
    ) -> tuple[list[str], str]:
        sign = _ORDER[predicate.operator]
        tests: list[str] = []
        guard = value
        for operand in operands:
            number = number_of(operand)
            if number is not None:
                if not counts and not self._is_numeric(predicate):
                    guard = f"tonumber({value})"
                tests.append(f"{value if counts else guard}{sign}{number_text(number)}")
                continue
            moment = times.parse(text_of(operand))
            if moment is None:
                self._losses.refuse("time-format", f"{operand!r} is neither a number nor a timestamp")
                tests.append(ALWAYS)
                continue
            guard = times.epoch_of(value)
            self._losses.note("time-format", _TIME_FORMS)
            tests.append(f"{guard}{sign}{number_text(moment)}")
        return tests, guard

    def _is_numeric(self, predicate: Predicate) -> bool:
        if predicate.functions or not isinstance(predicate.subject, FieldPath):
            return False
        field = self._fields.get(predicate.subject)
        return field is not None and field.type in _NUMERIC_TYPES


def _counts(operand: Reference) -> bool:
    """Whether an operand is a number of characters."""
    functions = changes_of(operand)[1]
    return bool(functions) and functions[-1].name is FunctionName.LENGTH


def _in_parentheses(test: str) -> str:
    return test if test.startswith("(") and test.endswith(")") and _closes_at_end(test) else f"({test})"


def _closes_at_end(text: str) -> bool:
    """Whether the first parenthesis of a test closes at its very end (texts in quotes aside)."""
    depth, position, inside = 0, 0, False
    while position < len(text):
        character = text[position]
        if inside and character == "\\":
            position += 1
        elif character == '"':
            inside = not inside
        elif not inside and character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return position == len(text) - 1
        position += 1
    return False


def _applied(value: str, functions: tuple[Function, ...]) -> str:
    """``value`` after the value functions, as an eval expression."""
    for function in functions:
        match function.name:
            case FunctionName.LOWER:
                value = f"lower({value})"
            case FunctionName.UPPER:
                value = f"upper({value})"
            case FunctionName.TRIM:
                value = f'replace({value}, {quoted(_TRIM)}, "")'
            case FunctionName.BASENAME:
                value = f'replace({value}, {quoted(_BASENAME)}, "")'
            case FunctionName.LENGTH:
                value = f"len({value})"
            case FunctionName.SPLIT:
                value = f"mvindex(split({value}, {quoted(function.separator or '')}), {function.index})"
    return value
