"""From a localised expression to an EQL condition.

``==`` and ``in`` keep case and know no wildcard; ``like`` has wildcards that cannot be escaped, so a literal
``*`` or ``?`` goes through ``startsWith`` (a prefix query) or a regex; ``~`` and ``:`` ignore the case of
ASCII letters (Elastic, "EQL syntax reference", "EQL function reference"). ``endsWith`` and ``stringContains``
are not written: on a field they become wildcard queries with their operand unescaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Derived,
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
    fields_asked,
    references,
    separated,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.clause import (
    Clause,
    conjunction,
    disjunction,
    listed,
    negation,
    on_lines,
)
from converter.platforms.elastic.describe import describe, stored_name
from converter.platforms.elastic.eql import literals
from converter.platforms.elastic.eql.settings import COMPARISONS, LIKE_RESERVED
from converter.platforms.elastic.fields import field_of
from converter.platforms.elastic.operands import (
    TEXT_TYPES,
    address_of,
    class_as_union,
    class_networks,
    equal_operand,
    folds_beyond_ascii,
    has_case,
    network_as_union,
)
from converter.platforms.elastic.ordering import Ordering
from converter.platforms.elastic.patterns import (
    ANY,
    ONE,
    PATTERN_OF,
    Pattern,
)
from converter.platforms.elastic.patterns import (
    literals as pattern_literals,
)
from converter.platforms.elastic.same_element import report_unbound
from converter.platforms.elastic.simplify import simplified

_TRUE = Clause("true")
_FALSE = Clause("false")


def write(expression: Expression, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> Clause:
    """An EQL condition for an expression in stored names. What is lost goes into ``losses``."""
    return _Writer(fields, losses).clause(expression)


def write_condition(
    expression: Expression,
    fields: Mapping[FieldPath, PlatformField],
    losses: Losses,
    indent: str = "  ",
    *,
    is_step: bool = False,
) -> str:
    """The same as a whole condition, its top-level terms on lines of their own where it is long.

    ``is_step``: of a sequence, for which there is no other language.
    """
    writer = _Writer(fields, losses, is_step)
    if not isinstance(expression, All) or not expression.terms:
        return writer.clause(expression).text
    terms = [writer.clause(term) for term in expression.terms]
    return on_lines(conjunction(terms), terms, indent)


class _Writer:
    def __init__(
        self, fields: Mapping[FieldPath, PlatformField], losses: Losses, is_step: bool = False
    ) -> None:
        self._fields = fields
        self._losses = losses
        self._is_step = is_step

    def clause(self, expression: Expression) -> Clause:
        match expression:
            case Predicate():
                return self._predicate(expression)
            case All(terms):
                return conjunction([self.clause(term) for term in terms]) if terms else _TRUE
            case AnyOf(terms):
                return disjunction([self.clause(term) for term in terms]) if terms else _FALSE
            case Not(Predicate(FieldPath() as path, Operator.EXISTS)):
                with self._losses.flipped():
                    return Clause(f"{self._field(path, expression.term)} == null")  # type: ignore[arg-type]
            case Not(term):
                with self._losses.flipped():
                    return _negated(self.clause(term))
            case ForSome(path, term):
                return self._for_some(path, term)

    def _for_some(self, path: FieldPath, term: Expression) -> Clause:
        if field_of(self._fields, path).type is FieldType.NESTED:
            self._losses.refuse("nested", f"EQL cannot ask about the nested field {stored_name(path)}")
            return _TRUE
        report_unbound(path, term, self._losses)
        return self.clause(term)

    # -- predicates

    def _predicate(self, predicate: Predicate) -> Clause:
        apart = separated(predicate)
        if apart is not predicate:
            return self.clause(apart)
        plain = simplified(predicate)
        if not isinstance(plain, Predicate):
            return self.clause(plain)
        for operand in references(plain):
            return self._related(plain, operand)
        if isinstance(plain.subject, Concat):
            return self._concat(plain, plain.subject)
        if plain.functions:
            return self._function(plain, plain.subject)
        name = self._field(plain.subject, plain)
        if plain.operator is Operator.EXISTS:
            return Clause(f"{name} != null")
        field = field_of(self._fields, plain.subject)
        if field.type is FieldType.FLATTENED:
            return _TRUE
        if field.type is FieldType.TEXT:
            return self._refused("text-field", plain, "EQL cannot search analysed text fields")
        clauses = self._compared(plain, name, field)
        if clauses is None:
            return self._refused(
                "field-type", plain, f"EQL cannot ask that of a field of type {field.type.value}"
            )
        return conjunction(clauses) if plain.all_of else disjunction(clauses)

    def _field(self, path: FieldPath, predicate: Predicate) -> str:
        if len(path.steps) > 1:
            self._losses.lose(
                "array-index",
                Fidelity.WIDER,
                f"{describe(predicate)}: EQL cannot ask for one place in a list; any element may match",
            )
        if field_of(self._fields, path).type is FieldType.FLATTENED:
            self._losses.refuse("flattened", f"{describe(predicate)}: EQL cannot search flattened fields")
        return literals.name(stored_name(path))

    def _compared(self, predicate: Predicate, name: str, field: PlatformField) -> list[Clause] | None:
        values: tuple[Scalar, ...] = predicate.values  # type: ignore[assignment]
        kind, operator = field.type, predicate.operator
        if operator is Operator.IS:
            return self._equal(predicate, name, kind, values)
        if operator.value in COMPARISONS:
            present = Clause(f"{name} != null")
            ordering = Ordering(name, COMPARISONS[operator.value], present, _FALSE, literals.string)
            return ordering.clauses(operator, kind, values)
        if operator is Operator.CIDR:
            return _networks(name, kind, [text_of(v) for v in values], predicate.all_of)
        if operator is Operator.IP:
            return (
                None
                if kind is not FieldType.IP
                else [_class(name, text_of(v), field.is_list) for v in values]
            )
        if kind not in TEXT_TYPES:
            return None
        if operator is Operator.REGEX:
            return self._regexes(predicate, name, [text_of(value) for value in values])
        return self._patterns(predicate, name, [PATTERN_OF[operator](text_of(value)) for value in values])

    def _equal(
        self, predicate: Predicate, name: str, kind: FieldType, values: Sequence[Scalar]
    ) -> list[Clause]:
        operands = [equal_operand(value, kind, predicate.ignore_case) for value in values]
        possible = [operand for operand in operands if operand is not None]
        if kind in TEXT_TYPES and any(number_of(v) is not None and not isinstance(v, str) for v in values):
            self._losses.note("number-text", f"{describe(predicate)} is compared as text")
        if len(possible) < len(operands) and (predicate.all_of or not possible):
            return [_FALSE]
        texts = [text_of(operand) for operand in possible]
        if kind not in TEXT_TYPES:
            written = [
                literals.string(t) if isinstance(o, str) else t for o, t in zip(possible, texts, strict=True)
            ]
            if kind is FieldType.BOOLEAN or predicate.all_of or len(written) == 1:
                return [Clause(f"{name} == {text}") for text in written]
            return [Clause(f"{name} in ({listed(written, ', ')})")]
        folds = predicate.ignore_case and any(map(has_case, texts))
        if folds:
            self._check_folding(predicate, texts)
        written = [literals.string(text) for text in texts]
        if len(written) > 1 and not predicate.all_of:
            return [Clause(f"{name} {'in~' if folds else 'in'} ({listed(written, ', ')})")]
        return [
            Clause(f"{name} {_equality(folds, text)[0]} {_equality(folds, text)[1] % shown}")
            for text, shown in zip(texts, written, strict=True)
        ]

    def _patterns(self, predicate: Predicate, name: str, patterns: Sequence[Pattern]) -> list[Clause]:
        """``like`` for what it can hold, and per pattern that it cannot a prefix query or a regex."""
        texts = [text for parts in patterns for text in pattern_literals(parts)]
        folds = predicate.ignore_case and any(map(has_case, texts))
        if folds:
            self._check_folding(predicate, texts)
        tilde = "~" if folds else ""
        plain: list[str] = []
        clauses: list[Clause] = []
        for parts in patterns:
            if not parts:
                clauses.append(Clause(f'{name} == ""'))
            elif not any(c in LIKE_RESERVED for text in pattern_literals(parts) for c in text):
                plain.append(literals.string("".join([p if isinstance(p, str) else p.value for p in parts])))
            elif len(parts) == 2 and parts[1] is ANY:
                clauses.append(Clause(f"startsWith{tilde}({name}, {literals.string(str(parts[0]))})"))
            else:
                clauses.append(Clause(f"{name} regex{tilde} {literals.raw_string(_lucene(parts))}"))
        if predicate.all_of or len(plain) == 1:
            clauses[:0] = [Clause(f"{name} like{tilde} {text}") for text in plain]
        elif plain:
            clauses.insert(0, Clause(f"{name} like{tilde} ({listed(plain, ', ')})"))
        return clauses

    def _regexes(self, predicate: Predicate, name: str, patterns: Sequence[str]) -> list[Clause]:
        tilde = "~" if predicate.ignore_case else ""
        written: list[str] = []
        for text in patterns:
            try:
                written.append(literals.raw_string(render(parse(text, "re2"), "lucene")))
            except RegexError as error:
                self._losses.refuse("regex-construct", f"{describe(predicate)}: {error}")
                return [_TRUE]
        if predicate.ignore_case and any(map(folds_beyond_ascii, patterns)):
            self._check_folding(predicate, patterns)
        if predicate.all_of or len(written) == 1:
            return [Clause(f"{name} regex{tilde} {text}") for text in written]
        return [Clause(f"{name} regex{tilde} ({listed(written, ', ')})")]

    # -- functions

    def _function(self, predicate: Predicate, path: FieldPath) -> Clause:
        if [function.name for function in predicate.functions] != [FunctionName.LENGTH]:
            return self._refused("value-function", predicate, "EQL has no such value function")
        kind = field_of(self._fields, path).type
        if kind not in TEXT_TYPES:
            return self._refused("field-type", predicate, f"EQL has no length of a {kind.value} field")
        sign = "==" if predicate.operator is Operator.IS else COMPARISONS.get(predicate.operator.value)
        if sign is None:
            return self._refused("value-function", predicate, "EQL compares a length with numbers only")
        name = self._field(path, predicate)
        numbers = [number_of(value) for value in predicate.values]  # type: ignore[arg-type]
        clauses = [
            Clause(f"length({name}) {sign} {text_of(n)}") if n is not None else _FALSE for n in numbers
        ]
        return conjunction(clauses) if predicate.all_of else disjunction(clauses)

    def _concat(self, predicate: Predicate, subject: Concat) -> Clause:
        if predicate.functions or predicate.operator not in _ON_CONCAT:
            return self._refused("concat", predicate, "EQL cannot ask that of joined fields")
        if predicate.ignore_case:
            return self._refused("concat", predicate, "EQL compares joined fields with case")
        found = self._joined(predicate, subject)
        if found is None:
            return _TRUE
        joined, present = found
        texts = [literals.string(text_of(value)) for value in predicate.values]  # type: ignore[arg-type]
        clauses = [Clause(_ON_CONCAT[predicate.operator] % (joined, text)) for text in texts]
        condition = conjunction(clauses) if predicate.all_of else disjunction(clauses)
        return conjunction([*present, condition])

    def _joined(self, predicate: Predicate, concat: Concat) -> tuple[str, list[Clause]] | None:
        """The joined text, and the conditions that its fields are there; None: it has been refused."""
        names: list[str] = []
        parts: list[str] = []
        for part in concat.parts:
            if isinstance(part, str):
                parts.append(literals.string(part))
                continue
            if isinstance(part, Derived) or field_of(self._fields, part).type not in TEXT_TYPES:
                self._refused("concat", predicate, "EQL joins keyword fields only, as they are")
                return None
            names.append(self._field(part, predicate))
            parts.append(names[-1])
        return f"concat({', '.join(parts)})", [Clause(f"{name} != null") for name in dict.fromkeys(names)]

    # -- two values of the event

    def _related(self, predicate: Predicate, operand: Reference) -> Clause:
        """A text function of two fields. As a script it runs for every value of the one with every value of
        the other, and is false without one (Elasticsearch's rewriting of scripts over several values).

        Two texts are the same when each ends with the other. That says it where each is but one, and is
        written in sequences alone: of single events ES|QL says it in plain words.
        """
        sides: list[str] = []
        present: list[Clause] = []
        for subject, functions in ((predicate.subject, predicate.functions), changes_of(operand)):
            found = self._side(predicate, subject, functions)
            if found is None:
                return _TRUE
            sides.append(found[0])
            present += [clause for clause in found[1] if clause not in present]
        tilde = "~" if predicate.ignore_case else ""
        one, other = sides
        if predicate.operator in _TEXT_FUNCTIONS:
            clause = Clause(f"{_TEXT_FUNCTIONS[predicate.operator]}{tilde}({one}, {other})")
            return conjunction([*present, clause])
        several = any(field_of(self._fields, path).is_list for path in fields_asked(predicate))
        if predicate.operator is not Operator.SAME_AS or several or not self._is_step:
            return self._refused("same-as", predicate, "EQL cannot compare two fields like that")
        both = [Clause(f"endsWith{tilde}({one}, {other})"), Clause(f"endsWith{tilde}({other}, {one})")]
        return conjunction([*present, *both])

    def _side(
        self, predicate: Predicate, subject: Subject, functions: tuple[Function, ...]
    ) -> tuple[str, list[Clause]] | None:
        """One side of a comparison, and the conditions that it is there; None: it has been refused."""
        if functions:
            self._refused("value-function", predicate, "EQL has no such value function")
            return None
        if isinstance(subject, Concat):
            return self._joined(predicate, subject)
        if field_of(self._fields, subject).type not in TEXT_TYPES:
            self._refused("field-type", predicate, "EQL compares keyword fields only")
            return None
        return self._field(subject, predicate), []

    # -- losses

    def _check_folding(self, predicate: Predicate, texts: Sequence[str]) -> None:
        if any(map(folds_beyond_ascii, texts)):
            self._losses.lose(
                "case",
                Fidelity.NARROWER,
                f"{describe(predicate)}: Elasticsearch ignores the case of ASCII letters only",
            )

    def _refused(self, code: str, predicate: Predicate, why: str) -> Clause:
        self._losses.refuse(code, f"{describe(predicate)}: {why}")
        return _TRUE


def _negated(clause: Clause) -> Clause:
    return negation(clause)


def _equality(folds: bool, text: str) -> tuple[str, str]:
    """The operator, and how its operand is laid out: ``:`` would take ``*`` and ``?`` for wildcards."""
    if not folds:
        return "==", "%s"
    return ("in~", "(%s)") if LIKE_RESERVED & set(text) else (":", "%s")


def _networks(name: str, kind: FieldType, networks: Sequence[str], all_of: bool) -> list[Clause] | None:
    if kind is not FieldType.IP:
        return None
    pieces = [network_as_union(network) for network in networks]
    if all_of:
        return [_cidr_match(name, piece) for piece in pieces]
    return [_cidr_match(name, [network for piece in pieces for network in piece])]


def _cidr_match(name: str, networks: Sequence[str]) -> Clause:
    if not networks:
        return _FALSE
    shown = [
        n if "/" in n or (address := address_of(n)) is None else f"{n}/{address.max_prefixlen}"
        for n in networks
    ]
    return Clause(f"cidrMatch({name}, {listed([literals.string(n) for n in shown], ', ')})")


def _class(name: str, class_name: str, is_list: bool) -> Clause:
    covered, excepted = class_networks(class_name)
    if is_list and excepted:
        covered, excepted = class_as_union(class_name), ()
    everything = set(covered) >= {"0.0.0.0/0", "::/0"}
    inside = Clause(f"{name} != null") if everything else _cidr_match(name, covered)
    if not excepted:
        return inside
    return conjunction([inside, negation(_cidr_match(name, excepted))])


def _lucene(parts: Pattern) -> str:
    """A wildcard pattern as Lucene's regular expression for the whole value."""
    return "".join([".*" if p is ANY else "." if p is ONE else _literal_regex(str(p)) for p in parts])


def _literal_regex(text: str) -> str:
    return "".join(["\\" + c if c in _REGEX_RESERVED else c for c in text])


_REGEX_RESERVED = frozenset('.?+*|{}[]()"\\#@&<>~^$-')
"""Reserved characters of Elasticsearch's regular expressions (reference, "Regular expression syntax")."""

_TEXT_FUNCTIONS: Mapping[Operator, str] = {
    Operator.STARTS_WITH: "startsWith",
    Operator.ENDS_WITH: "endsWith",
    Operator.CONTAINS: "stringContains",
}
_ON_CONCAT: Mapping[Operator, str] = {
    Operator.IS: "%s == %s",
    **{operator: f"{name}(%s, %s)" for operator, name in _TEXT_FUNCTIONS.items()},
}
"""On a joined value these run as scripts, with their operand as it is."""
