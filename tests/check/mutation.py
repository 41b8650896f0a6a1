"""What becomes of a changed query: the check reports it, or it means the same, or a named loss covers it."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from converter.check.constraints.answers import Impossible
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.overlap import arranged
from converter.check.runner import Options, RuleUnderCheck
from converter.check.samples import SamplePool
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Concat, Expression, Operator, Predicate, mapped
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context, Platform
from converter.platforms.losses import UNREAD_CODES
from converter.platforms.registry import platform
from tests.check.text_mutants import Change, Mutant, text_mutants

PLATFORMS: Final = ("elastic", "panther", "splunk")


class Fate(enum.StrEnum):
    """What became of a mutant. Only ``survived`` is a fault: of the check, or of the reader it leans on."""

    CAUGHT = "caught"
    SAME = "written otherwise"
    PROVED = "proved equal"
    HIDDEN = "under a named loss"
    SURVIVED = "survived"


class Outcome(msgspec.Struct, frozen=True):
    """One mutant of one rule on one platform."""

    rule: str
    platform: str
    language: str
    change: Change
    fate: Fate

    def __str__(self) -> str:
        return f"{self.rule} ({self.language}): {self.change}"


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?[Zz]?")
_MARK: Final = re.compile(r"\d+")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/\d+)?")

WRITTEN_OTHERWISE: Final[Mapping[str, Callable[[str, Change], bool]]] = {
    "a time in UTC whose zone is left out": lambda _, change: bool(
        _TIME.fullmatch(change.old) and change.old.upper().removesuffix("Z") == change.new.upper()
    ),
    "the T of a time in the other case": lambda _, change: bool(
        _TIME.fullmatch(change.old) and change.old.upper() == change.new.upper()
    ),
    "what if() gives where it is asked for the other": lambda _, change: bool(
        _MARK.fullmatch(change.old) and change.new != "0" and change.around.endswith("), 1, 0)==0")
    ),
    "a column that is only shown": lambda language, change: (
        language == "spl" and bool(re.match(r"\s*\| (?:rename|table) ", change.around))
    ),
    "a hexadecimal digit of an address in the other case": lambda _, change: bool(
        _HEXADECIMAL.fullmatch(change.old) and change.old.upper() == change.new.upper()
    ),
}
"""How a text may be changed and still be read as the very same rule. Any other change that the reader does
not see survives: it may lie in a part that the reader overlooks."""


class Mutation:
    """Mutants of some rules' renderings, and what becomes of them."""

    def __init__(self, rules: Sequence[Rule], packs: Mapping[str, Pack]) -> None:
        self._context = Context(packs=packs)
        self._packs = packs
        self._pool = SamplePool(rules, packs)

    def outcomes(self, rule: Rule, most: int) -> Iterator[Outcome]:
        """What becomes of the mutants of a rule: at most so many of each rendering, spread over all."""
        checked = RuleUnderCheck(rule, self._packs, self._pool, Options(engines=False, limit=200))
        for name in PLATFORMS:
            whole = platform(name)
            artifact = whole.render(rule, self._context)
            if (
                artifact.fidelity is Fidelity.REFUSED
                or not checked.pair(whole, artifact, self._context).agrees
            ):
                continue
            original = whole.read_back(artifact, self._context)
            for mutant in spread(list(text_mutants(artifact)), most):
                fate = self._fate(checked, whole, mutant, original)
                yield Outcome(rule.title, name, artifact.language, mutant.change, fate)

    def _fate(self, checked: RuleUnderCheck, whole: Platform, mutant: Mutant, original: Rule) -> Fate:
        if not checked.pair(whole, mutant.artifact, self._context).agrees:
            return Fate.CAUGHT
        reading = whole.read_back(mutant.artifact, self._context)
        if _as_read(reading) == _as_read(original):
            otherwise = any(
                fits(mutant.artifact.language, mutant.change) for fits in WRITTEN_OTHERWISE.values()
            )
            return Fate.SAME if otherwise else Fate.SURVIVED
        if _equal(original, reading):
            return Fate.PROVED
        return Fate.HIDDEN if _has_loss(mutant.artifact) else Fate.SURVIVED


def spread(mutants: Sequence[Mutant], most: int) -> list[Mutant]:
    """So many of them at most, from the first to the last."""
    if len(mutants) <= most:
        return list(mutants)
    return [mutants[position * len(mutants) // most] for position in range(most)]


def _has_loss(artifact: Artifact) -> bool:
    losses = (Fidelity.WIDER, Fidelity.NARROWER)
    return any(d.effect in losses and d.code not in UNREAD_CODES for d in artifact.diagnostics)


def _as_read(rule: Rule) -> tuple[object, ...]:
    """A reading, each condition in one order."""
    return (*_frame(rule), *(arranged(step.condition) for step in rule.steps))


def _folded(expression: Expression) -> Expression:
    """The same condition, operands whose case is ignored in lower case."""

    def fold(predicate: Predicate) -> Predicate:
        if not predicate.ignore_case or predicate.operator is Operator.REGEX:
            return predicate
        values = tuple(
            one.lower() if isinstance(one, str) and one.isascii() else one for one in predicate.values
        )
        subject = predicate.subject
        if isinstance(subject, Concat):
            parts = (one.lower() if isinstance(one, str) and one.isascii() else one for one in subject.parts)
            subject = Concat(tuple(parts))
        return replace(predicate, subject=subject, values=values)

    return mapped(expression, fold)


def _frame(rule: Rule) -> tuple[object, ...]:
    """All of a reading but its conditions: windows, counts, keys, and the order of steps."""
    sequence = rule.sequence
    if sequence is not None:
        steps = tuple(replace(step, indicators=(), exclusions=()) for step in sequence.steps)
        sequence = replace(sequence, steps=steps)
    return rule.threshold, rule.new_terms, sequence, rule.logsource


def _conditions(rule: Rule) -> list[Expression]:
    """The condition of each step."""
    return [_folded(step.condition) for step in rule.steps]


def _equal(one: Rule, other: Rule) -> bool:
    """Whether two readings are proved to match the same events: none satisfies one condition alone."""
    if _frame(one) != _frame(other):
        return False
    pairs = zip(_conditions(one), _conditions(other), strict=True)
    return all(_excludes(left, right) and _excludes(right, left) for left, right in pairs)


def _excludes(holds: Expression, fails: Expression) -> bool:
    """Whether no event satisfies the one and not the other, whatever the types of its fields."""
    if arranged(holds) == arranged(fails):
        return True
    answer = EventSolver(lambda path: None).solve([Goal(holds, True), Goal(fails, False)])
    return isinstance(answer, Impossible)


def summary(outcomes: Iterable[Outcome]) -> str:
    """How many were made and what became of them, by language; and every survivor."""
    found = list(outcomes)
    lines = [f"{len(found)} mutants of {len({one.rule for one in found})} rules"]
    for language in ("all", *sorted({one.language for one in found})):
        fates = Counter(one.fate for one in found if language in ("all", one.language))
        told = ", ".join(f"{fates[fate]} {fate}" for fate in Fate)
        lines.append(
            f"{language}: {fates.total()} made, {told}; {caught(fates):.2%} caught of those that count"
        )
    return "\n".join([*lines, *(f"survived: {one}" for one in found if one.fate is Fate.SURVIVED)])


def caught(fates: Mapping[Fate, int]) -> float:
    """The share that was caught, of the mutants that mean something else and that no loss covers."""
    counted = fates[Fate.CAUGHT] + fates[Fate.SURVIVED]
    return fates[Fate.CAUGHT] / counted if counted else 1.0
