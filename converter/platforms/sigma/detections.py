"""Detections: from a mapping of fields to values, or a list of texts, to a canonical condition.

pySigma's value types and modifiers do the reading of each value; what the values mean together is here.
Paths are stored names: a field is one key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetectionItem
from sigma.types import (
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    sigma_type,
)

from converter.evaluate.values import text_of
from converter.model.expressions import (
    CASE_OPERATORS,
    FALSE,
    Expression,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.sigma.values import (
    DASHES,
    ENCODINGS,
    Asked,
    Dash,
    FieldAsked,
    ValueProblem,
    asked,
    encoded,
)

Steps: TypeAlias = tuple[str | int, ...]
"""Where in the document something stands: keys and indexes from its root."""

Report: TypeAlias = Callable[[str, str, Steps, str | None], None]
"""Takes the code, the message, the place and a hint of something that cannot be read."""

TIME_PARTS: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})
_SAME: Final = {"utf16le": "wide"}
"""Modifiers of the specification that pySigma knows by another name ("Value modifiers": wide)."""
_OF_TEXT: Final = frozenset(
    "contains startswith endswith base64 base64offset wide utf16 utf16be windash cased expand".split()
)
_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""Truth values of YAML 1.1, which pySigma reads, or in quotes."""
_ENDS: Final = frozenset({"startswith", "endswith"})
_MAX_DEPTH: Final = 20
_MAX_VALUES: Final = 20_000
"""Values of one rule, with all their variants."""


class Pattern(SigmaRegularExpression):
    """A regular expression that is checked as it is carried over, not by Python's engine."""

    def compile(self) -> None:
        """Nothing: see :func:`converter.platforms.sigma.values.linear`."""


def _pattern_text(raw: Any) -> str:
    text = raw if isinstance(raw, str) else "" if raw is None else str(raw)
    if not text:
        raise ValueProblem("regex-construct", "an empty regular expression")
    return text


def _typed(raw: Any, modifiers: list[str]) -> SigmaType:
    """The value as pySigma's type. Modifiers of texts take numbers and truth values as they are written."""
    if "exists" in modifiers and isinstance(raw, str):
        raw = _TRUTH.get(raw.lower(), raw)
    if not isinstance(raw, int | float):
        return sigma_type(raw)
    if _OF_TEXT & set(modifiers):
        return SigmaString(text_of(raw))
    if isinstance(raw, bool):
        return sigma_type(raw)
    number = SigmaNumber(0)
    number.number = int(raw) if isinstance(raw, float) and raw.is_integer() else raw
    return number


class Detections:
    """The detections of one document. ``keywords``: the stored fields that hold the log's text."""

    def __init__(
        self,
        definitions: Mapping[str, Any],
        at: Steps,
        report: Report,
        keywords: Iterable[str],
    ) -> None:
        self._definitions = definitions
        self._at = at
        self._report = report
        self._keywords = tuple(keywords)
        self._read: dict[str, Expression] = {}
        self._budget = _MAX_VALUES
        self._seeks: set[bool] = set()
        self._fieldless: dict[str, frozenset[bool]] = {}
        self.sought: set[bool] = set()
        """Of the values without a field that were read: whether they stand below a negation."""

    @property
    def names(self) -> list[str]:
        """The names of all detections, in order."""
        return list(self._definitions)

    def expression(self, name: str, negated_here: bool = False) -> Expression:
        """The condition of one detection. What cannot be read is reported once.

        ``negated_here``: whether the condition that names it stands below a negation.
        """
        if name not in self._read:
            self._seeks = set()
            self._read[name] = self._definition(self._definitions[name], (*self._at, name))
            self._fieldless[name] = frozenset(self._seeks)
        self.sought |= {inverted != negated_here for inverted in self._fieldless[name]}
        return self._read[name]

    def _definition(self, definition: Any, at: Steps) -> Expression:
        if len(at) > _MAX_DEPTH:
            return self._refuse("too-deep", f"lists nested more than {_MAX_DEPTH} deep", at)
        if isinstance(definition, Mapping):
            if not definition:
                return self._refuse("detection", "a detection without fields", at)
            return all_of(*(self._item(key, value, (*at, key)) for key, value in definition.items()))
        if not isinstance(definition, list):
            return self._item("", definition, at)
        if not definition:
            return self._refuse("detection", "a detection without values", at)
        if not any(isinstance(term, Mapping | list) for term in definition):
            return self._item("", definition, at)
        return any_of(*(self._definition(term, (*at, number)) for number, term in enumerate(definition)))

    def _refuse(self, code: str, message: str, at: Steps, hint: str | None = None) -> Expression:
        self._report(code, message, at, hint)
        return FALSE

    # -- one field

    def _item(self, key: str, value: Any, at: Steps) -> Expression:
        field, *named = key.split("|")
        modifiers = [_SAME.get(name, name) for name in named]
        unknown = [name for name in modifiers if name not in modifier_mapping]
        if unknown:
            return self._refuse("modifier", f"Sigma has no modifier {unknown[0]!r}", at, _nearest(unknown[0]))
        timed = next((name for name in modifiers if name in TIME_PARTS), None)
        if timed is not None:
            return self._refuse("time-part", f"the {timed} of a time cannot be asked for", at)
        raw = value if isinstance(value, list) else [value]
        values: list[list[Asked | FieldAsked]] = []
        for number, one in enumerate(raw):
            place = (*at, number) if isinstance(value, list) else at
            try:
                values.append(self._value(field, modifiers, one))
            except ValueProblem as problem:
                self._report(problem.code, str(problem), place, problem.hint)
            except SigmaError as error:
                self._report("sigma", str(error), place, None)
        if not raw:
            values = [[Asked(Operator.EXISTS, missing=True)]]
        if len(values) < max(1, len(raw)):
            return FALSE
        self._budget -= sum(map(len, values))
        if self._budget < 0:
            return self._refuse("too-many", f"more than {_MAX_VALUES} values", at)
        if not field:
            self._seeks.add("neq" in modifiers)
        condition = self._linked(field, values, "all" in modifiers, "cased" in modifiers, at)
        return negated(condition) if "neq" in modifiers else condition

    def _value(self, field: str, modifiers: list[str], raw: Any) -> list[Asked | FieldAsked]:
        """One value with its modifiers applied. Raises ValueProblem or SigmaError."""
        if isinstance(raw, Mapping | list):
            raise ValueProblem("detection", "expected a value, found a mapping or a list")
        if not field and _ENDS & set(modifiers):
            raise ValueProblem("keywords", "where the whole text of a log begins and ends cannot be said")
        if "re" in modifiers:
            if modifiers[0] != "re":
                raise ValueProblem("modifier", "re takes a value without other modifiers before it")
            values: list[SigmaType] = [Pattern(_pattern_text(raw))]
        else:
            values = [_typed(raw, modifiers)]
        item = SigmaDetectionItem(field or None, [], [], auto_modifiers=False)
        applied: list[Any] = []
        for name, before, after in zip(modifiers, ["", *modifiers], [*modifiers[1:], ""], strict=False):
            if name in _BASE64:
                values = [_in_base64(value, name, before) for value in values]
            elif name in ENCODINGS and after in _BASE64:
                pass  # said together with what follows
            elif name in _OWN:
                values = [_OWN[name](value) for value in values]
            elif name not in ("all", "neq", "re") and not (name == "cased" and "fieldref" in modifiers):
                change = modifier_mapping[name](item, applied)
                values = [changed for value in values for changed in change.apply(value)]
            applied.append(modifier_mapping[name])
        return [one for value in values for one in (asked(value) if field else _keyword(value))]

    def _linked(
        self, field: str, values: list[list[Asked | FieldAsked]], every: bool, cased: bool, at: Steps
    ) -> Expression:
        """The values of one field: any of them, or every one, where one value's variants are alternatives."""
        subjects = [FieldPath((field,))] if field else self._text_fields(at)
        if not subjects:
            return FALSE
        if every and any(len(variants) > 1 for variants in values):
            return all_of(*(_over(subjects, variants, False, cased) for variants in values))
        flat = [one for variants in values for one in variants]
        if every and len(subjects) > 1:
            return all_of(*(_over(subjects, [one], False, cased) for one in flat))
        return _over(subjects, flat, every and len(flat) > 1, cased)

    def _text_fields(self, at: Steps) -> list[FieldPath]:
        if not self._keywords:
            self._refuse(
                "keywords",
                "values without a field are looked for in the whole text of the log, and the log source does "
                "not say which field holds it",
                at,
                "name it in the log source's pack: platforms: {sigma: {message: FIELD}}",
            )
            return []
        return [FieldPath((name,)) for name in self._keywords]


def _over(
    subjects: list[FieldPath], values: list[Asked | FieldAsked], every: bool, cased: bool
) -> Expression:
    """Any of the values in any of the fields, or with ``every`` each of them."""
    terms = [term for subject in subjects for term in _predicates(subject, values, every, cased)]
    return all_of(*terms) if every else any_of(*terms)


def _predicates(
    subject: FieldPath, values: list[Asked | FieldAsked], every: bool, cased: bool
) -> list[Expression]:
    """One predicate for each operator, in order of appearance."""
    groups: dict[tuple[Operator, bool], list[Asked]] = {}
    terms: list[Expression] = []
    for value in values:
        if isinstance(value, FieldAsked):
            other = FieldPath((value.field,))
            terms.append(Predicate(subject, value.operator, (other,), ignore_case=not cased))
        elif value.operator is Operator.EXISTS:
            exists = Predicate(subject, Operator.EXISTS)
            terms.append(negated(exists) if value.missing else exists)
        else:
            groups.setdefault((value.operator, _minds_case(value)), []).append(value)
    for (operator, _), members in groups.items():
        operands = tuple(dict.fromkeys((type(m.operand), m.operand) for m in members))
        terms.append(
            Predicate(
                subject,
                operator,
                tuple(operand for _, operand in operands),
                ignore_case=operator in CASE_OPERATORS and any(_folds(m) for m in members),
                all_of=every and len(operands) > 1,
            )
        )
    return terms


def _minds_case(value: Asked) -> bool:
    """Whether the value must be compared with case: ``cased`` texts with letters, regexes without ``i``."""
    return isinstance(value.operand, str) and not value.ignore_case and _has_case(value.operand)


def _folds(value: Asked) -> bool:
    if value.operator is Operator.REGEX:  # [!-Z] has letters that are not written
        return value.ignore_case
    return value.ignore_case and isinstance(value.operand, str) and _has_case(value.operand)


def _has_case(text: str) -> bool:
    return text.lower() != text or text.upper() != text


def _keyword(value: SigmaType) -> list[Asked | FieldAsked]:
    """A value without a field: somewhere in the text of the log."""
    if isinstance(value, SigmaExpansion):
        return [one for inner in value.values for one in _keyword(inner)]
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if isinstance(value, SigmaString):
        change = modifier_mapping["contains"](SigmaDetectionItem(None, [], [], auto_modifiers=False), [])
        return [one for changed in change.apply(value) for one in asked(changed)]
    found = asked(value)
    if any(isinstance(one, FieldAsked) or one.operator is not Operator.REGEX for one in found):
        raise ValueProblem(
            "keywords", "only texts, numbers and regular expressions can be had without a field"
        )
    return found


# -- modifiers that pySigma applies otherwise


def _windash(value: SigmaType) -> SigmaType:
    """Dashes as parts of their own: pySigma writes out 5 ** n texts at once, whatever n is."""
    if isinstance(value, SigmaExpansion):
        return SigmaExpansion([_windash(inner) for inner in value.values])
    if not isinstance(value, SigmaString):
        raise ValueProblem("modifier", "windash takes a text")
    changed = value.replace_with_placeholder(_DASH, _MARK)
    changed.s = [Dash() if getattr(part, "name", None) == _MARK else part for part in changed.s]
    return changed


def _in_base64(value: SigmaType, modifier: str, before: str) -> SigmaType:
    """The text in Base64, after the encoding that the modifier before asks for."""
    if isinstance(value, SigmaExpansion):
        return SigmaExpansion([_in_base64(inner, modifier, before) for inner in value.values])
    if not isinstance(value, SigmaString):
        raise ValueProblem("modifier", "base64 takes a text")
    encoding = before if before in ENCODINGS else None
    texts = [_exactly(text) for text in encoded(value, modifier == "base64offset", encoding)]
    return texts[0] if len(texts) == 1 else SigmaExpansion(list(texts))


def _fieldref(value: SigmaType) -> SigmaType:
    """The field that is meant, by its own name (pySigma keeps the escapes in it)."""
    if not isinstance(value, SigmaString) or not value.s:
        raise ValueProblem("modifier", "fieldref takes the name of a field")
    if any(not isinstance(part, str) for part in value.s):
        raise ValueProblem("modifier", "fieldref takes the name of one field, without wildcards")
    return SigmaFieldReference("".join(map(str, value.s)))


def _exactly(text: str) -> SigmaString:
    """A text in which nothing is a wildcard."""
    value = SigmaString()
    value.s = [text] if text else []
    value.original = text
    return value


_DASH: Final = re.compile(rf"\B[{''.join(DASHES[1:])}-]\b")
"""A dash of any kind that begins a word (pySigma's expression, which knows the first two kinds)."""
_MARK: Final = "\0windash"
_OWN: Final[Mapping[str, Callable[[SigmaType], SigmaType]]] = {
    "windash": _windash,
    "fieldref": _fieldref,
}
_BASE64: Final = ("base64", "base64offset")


def _nearest(name: str) -> str | None:
    close = difflib.get_close_matches(name, modifier_mapping, n=1)
    return f"did you mean {close[0]!r}?" if close else None
