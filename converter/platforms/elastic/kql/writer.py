"""From a localised expression to KQL text.

What KQL cannot say exactly is written in the closest form and reported, or refused; see the table in
:mod:`converter.platforms.elastic.codes`. Facts: Elastic, "Kibana Query Language"; Kibana's kuery grammar and
its translation to query DSL (whole-value ``wildcard`` queries on keyword fields, escapes kept, since 8.12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Scalar,
    references,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.elastic.clause import (
    Binding,
    Clause,
    conjunction,
    disjunction,
    listed,
    negation,
    on_lines,
)
from converter.platforms.elastic.describe import describe, stored_name
from converter.platforms.elastic.fields import field_of
from converter.platforms.elastic.kql import literals
from converter.platforms.elastic.kql.settings import MATCH_ALL, PLAIN_NUMBER, RANGE, WORD
from converter.platforms.elastic.operands import (
    EXACT_TYPES,
    NUMBER_TYPES,
    class_as_union,
    class_networks,
    equal_operand,
    has_case,
    network_as_union,
)
from converter.platforms.elastic.ordering import Ordering
from converter.platforms.elastic.patterns import (
    ANY,
    PATTERN_OF,
    Pattern,
)
from converter.platforms.elastic.patterns import (
    literals as pattern_literals,
)
from converter.platforms.elastic.same_element import report_unbound
from converter.platforms.elastic.simplify import simplified

_TRUE = Clause(MATCH_ALL)
_FALSE = Clause(f"not {MATCH_ALL}", Binding.NOT)


def write(expression: Expression, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> Clause:
    """KQL for an expression in stored names. What is lost goes into ``losses``."""
    return _Writer(fields, losses).clause(expression)


def write_query(expression: Expression, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> str:
    """The same as a whole query, its top-level terms on lines of their own where it is long."""
    writer = _Writer(fields, losses)
    if not isinstance(expression, All) or not expression.terms:
        return writer.clause(expression).text
    terms = [writer.clause(term) for term in expression.terms]
    return on_lines(conjunction(terms), terms, "  ")


class _Writer:
    def __init__(self, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> None:
        self._fields = fields
        self._losses = losses
        self._nested = ""

    def clause(self, expression: Expression) -> Clause:
        match expression:
            case Predicate():
                return self._predicate(expression)
            case All(terms):
                return conjunction([self.clause(term) for term in terms]) if terms else _TRUE
            case AnyOf(terms):
                return disjunction([self.clause(term) for term in terms]) if terms else _FALSE
            case Not(term):
                with self._losses.flipped():
                    return negation(self.clause(term))
            case ForSome(path, term):
                return self._for_some(path, term)

    def _for_some(self, path: FieldPath, term: Expression) -> Clause:
        if field_of(self._fields, path).type is not FieldType.NESTED:
            report_unbound(path, term, self._losses)
            return self.clause(term)
        outer, self._nested = self._nested, stored_name(path) + "."
        try:
            inner = self.clause(term)
        finally:
            self._nested = outer
        return Clause(f"{self._name(stored_name(path))}:{{ {inner.text} }}")

    def _name(self, stored: str) -> str:
        return literals.name(stored.removeprefix(self._nested))

    # -- predicates

    def _predicate(self, predicate: Predicate) -> Clause:
        plain = simplified(predicate)
        if not isinstance(plain, Predicate):
            return self.clause(plain)
        if isinstance(plain.subject, Concat):
            return self._refused("concat", plain, "KQL cannot join fields")
        if plain.functions:
            return self._refused("value-function", plain, "KQL has no value functions")
        if references(plain):
            return self._refused("same-as", plain, "KQL cannot compare two fields")
        if plain.operator is Operator.REGEX:
            return self._refused("regex", plain, "KQL has no regular expressions")
        if len(plain.subject.steps) > 1:
            self._losses.lose(
                "array-index",
                Fidelity.WIDER,
                f"{describe(plain)}: KQL cannot ask for one place in a list; any element may match",
            )
        name = self._name(stored_name(plain.subject))
        if plain.operator is Operator.EXISTS:
            return Clause(f"{name}:*")
        field = field_of(self._fields, plain.subject)
        operands = self._operands(plain, field)
        if operands is None:
            return self._refused(
                "field-type", plain, f"KQL cannot ask that of a field of type {field.type.value}"
            )
        return _combined(name, operands, plain.all_of)

    def _operands(self, predicate: Predicate, field: PlatformField) -> list[Clause | str] | None:
        """What stands behind ``field:`` per operand (a text), or a whole clause; None: not sayable."""
        name = self._name(stored_name(predicate.subject))  # type: ignore[arg-type]
        values: tuple[Scalar, ...] = predicate.values  # type: ignore[assignment]
        kind, operator = field.type, predicate.operator
        if kind is FieldType.TEXT:
            return self._words(predicate, values)
        if operator is Operator.IS:
            return self._equal(predicate, field, values)
        if operator.value in RANGE:
            ordering = Ordering(name, RANGE[operator.value], Clause(f"{name}:*"), _FALSE, literals.quoted)
            ordered = ordering.clauses(operator, kind, values)
            return None if ordered is None else [*ordered]
        if operator is Operator.CIDR and kind is FieldType.IP:
            return [_in_network(name, network_as_union(text_of(value))) for value in values]
        if operator is Operator.IP and kind is FieldType.IP:
            return [_address_class(name, text_of(value), field.is_list) for value in values]
        make = PATTERN_OF.get(operator)
        if make is None or kind not in EXACT_TYPES:
            return None
        return self._wildcards(predicate, kind, [make(text_of(value)) for value in values])

    def _equal(
        self, predicate: Predicate, field: PlatformField, values: Iterable[Scalar]
    ) -> list[Clause | str]:
        written: list[Clause | str] = []
        for value in values:
            operand = equal_operand(value, field.type, predicate.ignore_case)
            if operand is None:
                written.append(_FALSE)
                continue
            if field.type in EXACT_TYPES:
                if number_of(value) is not None and not isinstance(value, str):
                    self._losses.note("number-text", f"{describe(predicate)} is compared as text")
                self._check_case(predicate, text_of(operand))
            written.append(_literal(operand, field.type))
        return written

    def _wildcards(
        self, predicate: Predicate, kind: FieldType, patterns: Iterable[Pattern]
    ) -> list[Clause | str] | None:
        written: list[Clause | str] = []
        for parts in patterns:
            texts = pattern_literals(parts)
            for text in texts:
                self._check_case(predicate, text)
            if ANY not in parts and len(texts) == len(parts):
                written.append(literals.value("".join(texts)))
                continue
            literal = literals.wildcard(parts) if _searchable(parts, kind) else None
            if literal is None:
                self._losses.refuse(
                    "pattern",
                    f"{describe(predicate)}: no KQL wildcard on a {kind.value} field says this pattern",
                )
            written.append(literal or "*")
        return written

    def _words(self, predicate: Predicate, values: Iterable[Scalar]) -> list[Clause | str] | None:
        """An analysed field: the words of the text, in a row or each somewhere. Always wider."""
        make = PATTERN_OF.get(predicate.operator)
        if make is None and predicate.operator is not Operator.IS:
            return None
        self._losses.lose(
            "text-field",
            Fidelity.WIDER,
            f"{describe(predicate)}: Elastic matches this text field by its words, without case",
        )
        written: list[Clause | str] = []
        for value in values:
            if make is None:
                text = text_of(value)
                written.append(literals.quoted(text) if WORD.search(text) else "*")
                continue
            words = [w for piece in pattern_literals(make(text_of(value))) for w in WORD.findall(piece)]
            stars = [f"*{w}*" for w in words if w.isascii()] or ["*"]
            written.append(stars[0] if len(stars) == 1 else "(" + " and ".join(stars) + ")")
        return written

    def _check_case(self, predicate: Predicate, text: str) -> None:
        if predicate.ignore_case and has_case(text):
            self._losses.lose(
                "case",
                Fidelity.NARROWER,
                f"{describe(predicate)}: KQL matches exact fields with case",
            )

    def _refused(self, code: str, predicate: Predicate, why: str) -> Clause:
        self._losses.refuse(code, f"{describe(predicate)}: {why}")
        return _TRUE


def _searchable(parts: Pattern, kind: FieldType) -> bool:
    """Whether Kibana's query for the type takes the pattern whole.

    Fields that are no keywords go through Lucene's query string, which cuts at blanks; a flattened field
    knows prefixes alone (Elasticsearch reference, "Flattened field type", supported operations).
    """
    if kind is FieldType.KEYWORD:
        return True
    if any(c.isspace() for text in pattern_literals(parts) for c in text):
        return False
    return kind is FieldType.WILDCARD or (len(parts) == 2 and parts[1] is ANY)


def _literal(operand: Scalar, kind: FieldType) -> str:
    if kind in EXACT_TYPES:
        return literals.value(text_of(operand))
    text = text_of(operand)
    if kind is FieldType.BOOLEAN or (kind in NUMBER_TYPES and PLAIN_NUMBER.fullmatch(text)):
        return text
    return _network(text) if kind is FieldType.IP else literals.quoted(text)


def _network(text: str) -> str:
    return literals.quoted(text) if ":" in text else text


def _in_network(name: str, networks: tuple[str, ...]) -> Clause | str:
    """One network stays an operand; none is never; several are a clause of their own."""
    if len(networks) == 1:
        return _network(networks[0])
    return _combined(name, list(map(_network, networks)), False) if networks else _FALSE


def _address_class(name: str, class_name: str, is_list: bool) -> Clause | str:
    covered, excepted = class_networks(class_name)
    if is_list and excepted:
        covered, excepted = class_as_union(class_name), ()
    everything = set(covered) >= {"0.0.0.0/0", "::/0"}
    inside = Clause(f"{name}:*") if everything else _combined(name, list(map(_network, covered)), False)
    if not excepted:
        return inside
    return conjunction([inside, negation(_combined(name, list(map(_network, excepted)), False))])


def _combined(name: str, operands: list[Clause | str], all_of: bool) -> Clause:
    """The operands of one field: plain ones share one ``field:( … )``."""
    plain = [operand for operand in operands if isinstance(operand, str)]
    clauses = [operand for operand in operands if isinstance(operand, Clause)]
    word = " and " if all_of else " or "
    if len(plain) == 1:
        clauses.insert(0, Clause(f"{name}:{plain[0]}"))
    elif plain:
        clauses.insert(0, Clause(f"{name}:({listed(plain, word)})"))
    return conjunction(clauses) if all_of else disjunction(clauses)
