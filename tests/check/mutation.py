"""What becomes of a changed query: the check reports it, or it means the same, or a named loss covers it."""

from __future__ import annotations

import enum
import ipaddress
import itertools
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
from converter.evaluate.timestamps import parse_text
from converter.logsources.pack import Pack
from converter.model.diagnostics import ConverterError, Fidelity
from converter.model.expressions import Concat, Expression, Operator, Predicate, mapped
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context, Platform
from converter.platforms.losses import UNREAD_CODES
from converter.platforms.registry import platform
from tests.check.file_mutants import Mutant, text_mutants
from tests.check.text_mutants import Change, Kind

PLATFORMS: Final = ("elastic", "panther", "splunk")


class Fate(enum.StrEnum):
    """What became of a mutant. Only ``survived`` is a fault: of the check, or of the reader it leans on."""

    CAUGHT = "caught"
    EQUIVALENT = "equivalent"
    HIDDEN = "under a loss"
    SURVIVED = "survived"


class Outcome(msgspec.Struct, frozen=True):
    """One mutant of one rule on one platform, and why it was not caught."""

    rule: str
    platform: str
    language: str
    change: Change
    fate: Fate
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.rule} ({self.language}): {self.change}: {self.reason}"


_MARK: Final = re.compile(r"\d+")


def _moment(text: str) -> object:
    return parse_text(text)


def _network(text: str) -> object:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


SAME_VALUE: Final[Mapping[str, Callable[[str], object]]] = {
    "the same moment, written otherwise": _moment,
    "the same address, written otherwise": _network,
}
"""Values of which several texts are one and the same."""


def _same_value(change: Change) -> str | None:
    """Which value two texts have in common."""
    for reason, value in SAME_VALUE.items():
        found = value(change.old)
        if found is not None and found == value(change.new):
            return reason
    return None


def _not_asked(language: str, change: Change) -> str | None:
    """Why the changed place has no part in which events match.

    ``if(C, 1, 0)==0`` asks whether C fails, whatever else than 0 stands in it; ``table``, and ``rename``
    right before it, name what is shown, and so do ``KEEP`` at the end and ``VALUES``. streamstats keeps the
    last ``window`` events of ``time_window``: where the first of them is asked to be at most so long ago, a
    time window that is longer still changes nothing.
    """
    line = change.around
    if _MARK.fullmatch(change.old) and change.new != "0" and line.endswith("), 1, 0)==0"):
        return "what if() gives is not 0 either way"
    shown = {"spl": r"\s*\| (?:rename|table) ", "esql": r"\| KEEP |\s*Esql\.\w+_values = VALUES\("}
    if language in shown and re.match(shown[language], line):
        return "a column that is only shown"
    if re.match(r"\| streamstats time_window=\d+s window=\d+ global=f count AS ", line.strip()):
        longer = change.kind is Kind.WINDOW and int(change.new) > int(change.old)
        return "the time since the first match is asked for as well" if longer else None
    return None


class Mutation:
    """Mutants of some rules' renderings, and what becomes of them."""

    def __init__(self, rules: Sequence[Rule], packs: Mapping[str, Pack]) -> None:
        self._context = Context(packs=packs)
        self._packs = packs
        self._pool = SamplePool(rules, packs)

    def outcomes(self, rule: Rule, most: int, turn: int = 0) -> Iterator[Outcome]:
        """What becomes of the mutants of a rule: at most so many of each rendering, spread over all.

        ``turn``: another number is another selection.
        """
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
            for mutant in spread(list(text_mutants(artifact)), most, turn):
                fate, reason = self._fate(checked, whole, mutant, original)
                yield Outcome(rule.title, name, artifact.language, mutant.change, fate, reason)

    def _fate(
        self, checked: RuleUnderCheck, whole: Platform, mutant: Mutant, original: Rule
    ) -> tuple[Fate, str]:
        artifact = mutant.made()
        try:
            pair = checked.pair(whole, artifact, self._context)
        except Exception as error:
            error.add_note(f"{checked.rule.title}, {whole.name}: {mutant.change}")
            raise
        if not pair.agrees:
            return Fate.CAUGHT, ""
        reading = whole.read_back(artifact, self._context)
        if _as_read(reading) == _as_read(original):
            same = _same_value(mutant.change) or _not_asked(artifact.language, mutant.change)
            return (Fate.EQUIVALENT, same) if same else (Fate.SURVIVED, "the reader does not see it")
        differing = _differing(original, reading)
        if differing is None:
            return Fate.EQUIVALENT, "proved: no event satisfies the one condition alone"
        losses = _losses(artifact)
        if losses:
            return Fate.HIDDEN, ", ".join(losses)
        return Fate.SURVIVED, differing


def spread(mutants: Sequence[Mutant], most: int, turn: int = 0) -> list[Mutant]:
    """So many of them at most: of every kind in turn, and of each kind from the first to the last."""
    if len(mutants) <= most:
        return list(mutants)
    by_kind = [[one for one in mutants if one.change.kind is kind] for kind in Kind]
    shares = [0] * len(by_kind)
    for place in itertools.islice(itertools.cycle(range(len(by_kind))), most * len(by_kind)):
        if sum(shares) < most and shares[place] < len(by_kind[place]):
            shares[place] += 1
    return [
        found[(position * len(found) // share + turn) % len(found)]
        for found, share in zip(by_kind, shares, strict=True)
        for position in range(share)
    ]


def _losses(artifact: Artifact) -> tuple[str, ...]:
    losses = (Fidelity.WIDER, Fidelity.NARROWER)
    found = [d for d in artifact.diagnostics if d.effect in losses and d.code not in UNREAD_CODES]
    return tuple(dict.fromkeys(f"{d.code} ({d.effect})" for d in found))


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


def _differing(one: Rule, other: Rule) -> str | None:
    """What tells two readings apart; None if they are proved to match the same events: none satisfies one
    condition alone.
    """
    if _frame(one) != _frame(other):
        return "windows, counts or keys differ on no stream that was made"
    for left, right in zip(one.steps, other.steps, strict=True):
        conditions = _folded(left.condition), _folded(right.condition)
        for holds, fails in itertools.permutations(conditions):
            found = _alone(holds, fails)
            if found is not None:
                return found
    return None


def _alone(holds: Expression, fails: Expression) -> str | None:
    """An event that satisfies the one and not the other, whatever the types of its fields; None if it is
    proved that there is none.
    """
    if arranged(holds) == arranged(fails):
        return None
    try:
        answer = EventSolver(lambda path: None).solve([Goal(holds, True), Goal(fails, False)])
    except ConverterError as error:
        return str(error)
    match answer:
        case Impossible():
            return None
    return f"not among the events: {answer}"[:600]


# -- the report


def table(outcomes: Iterable[Outcome]) -> str:
    """How many were made and what became of them, by kind and platform."""
    found = list(outcomes)
    lines = [
        f"{len(found)} mutants of {len({one.rule for one in found})} rules",
        "",
        f"| kind | platform | made | {' | '.join(Fate)} |",
        f"|---|---|---|{'---|' * len(Fate)}",
    ]
    cells = Counter((one.change.kind, one.platform, one.fate) for one in found)
    for kind in (*Kind, None):
        for name in (*PLATFORMS, None) if kind is None else PLATFORMS:
            fates = Counter[Fate]()
            for (of, where, fate), count in cells.items():
                if kind in (None, of) and name in (None, where):
                    fates[fate] += count
            if fates:
                told = " | ".join(str(fates[fate]) for fate in Fate)
                lines.append(f"| {kind or 'all'} | {name or 'all'} | {fates.total()} | {told} |")
    return "\n".join(lines)


def summary(outcomes: Iterable[Outcome]) -> str:
    """The table, what is equivalent for which reason, what a loss hides, and every survivor."""
    found = list(outcomes)
    lines = [table(found), ""]
    for fate in (Fate.EQUIVALENT, Fate.HIDDEN):
        reasons = Counter((one.platform, one.reason) for one in found if one.fate is fate)
        for (where, reason), count in sorted(reasons.items()):
            lines.append(f"{fate}: {count} on {where}: {reason}")
    fates = Counter(one.fate for one in found)
    lines.append(f"caught of those that mean something else: {caught(fates):.2%}")
    return "\n".join([*lines, *(f"survived: {one}" for one in found if one.fate is Fate.SURVIVED)])


def caught(fates: Mapping[Fate, int]) -> float:
    """The share that was caught, of the mutants that mean something else and that no loss covers."""
    counted = fates[Fate.CAUGHT] + fates[Fate.SURVIVED]
    return fates[Fate.CAUGHT] / counted if counted else 1.0
