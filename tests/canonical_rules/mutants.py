"""Rules with one part taken away or moved: the rule's own tests must notice each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from msgspec.structs import replace

from converter.check.slips import slips
from converter.logsources.pack import Pack
from converter.model.expressions import All, Expression
from converter.model.rule import Rule, Sequence, Step

Mutant: TypeAlias = tuple[str, Rule]
"""What was done to the rule, and the rule as it is then."""

_EARLIER = timedelta(milliseconds=-1)
_LATER = timedelta(seconds=1)


def mutants(rule: Rule, packs: Mapping[str, Pack]) -> Iterator[Mutant]:
    """Every mutant of a rule. What its log source's own selection already says is left in."""
    if rule.sequence is None:
        yield from _fewer_terms(rule, rule.logsource, "", lambda **parts: replace(rule, **parts), rule, packs)
    else:
        yield from _sequence_mutants(rule, rule.sequence, packs)
    yield from _threshold_mutants(rule)
    yield from _new_terms_mutants(rule)
    if rule.alert.suppress_for is not None:
        yield "without suppression", replace(rule, alert=replace(rule.alert, suppress_for=None))


def _fewer_terms(
    part: Rule | Step, logsource: tuple[str, ...], where: str, put: Any, rule: Rule, packs: Mapping[str, Pack]
) -> Iterator[Mutant]:
    """The rule without one indicator, or without one exclusion, of a step (or of itself)."""
    implied = _implied(logsource, packs)
    for kind in ("indicators", "exclusions"):
        terms: tuple[Expression, ...] = getattr(part, kind)
        for position, term in enumerate(terms):
            if kind == "indicators" and term in implied:
                continue
            name = f"{where}{kind}[{position}] taken away"
            yield name, put(**{kind: terms[:position] + terms[position + 1 :]})


def _implied(logsource: tuple[str, ...], packs: Mapping[str, Pack]) -> set[Expression]:
    """The conditions that every event of these log sources satisfies, because the pack selects them so."""
    selects = [packs[name].select for name in logsource]
    terms: list[set[Expression]] = [
        set(select.terms) if isinstance(select, All) else {select} for select in selects
    ]
    return set.intersection(*terms) if terms else set()


def _sequence_mutants(rule: Rule, sequence: Sequence, packs: Mapping[str, Pack]) -> Iterator[Mutant]:
    for position, step in enumerate(sequence.steps):

        def put(_position: int = position, _step: Step = step, **parts: Any) -> Rule:
            steps = list(sequence.steps)
            steps[_position] = replace(_step, **parts)
            return replace(rule, sequence=replace(sequence, steps=tuple(steps)))

        yield from _fewer_terms(
            step, step.logsource or rule.logsource, f"step {position}: ", put, rule, packs
        )
        if step.repeat > 1:
            yield f"step {position}: repeated once less", put(repeat=step.repeat - 1)
            yield f"step {position}: repeated once more", put(repeat=step.repeat + 1)
    for key in range(len(sequence.steps[0].by)):
        steps = tuple(replace(step, by=step.by[:key] + step.by[key + 1 :]) for step in sequence.steps)
        yield f"join key {key} taken away", replace(rule, sequence=replace(sequence, steps=steps))
    if sequence.within is not None:
        for name, by in (("shorter", _EARLIER), ("longer", _LATER)):
            yield f"within {name}", replace(rule, sequence=replace(sequence, within=sequence.within + by))


def _threshold_mutants(rule: Rule) -> Iterator[Mutant]:
    threshold = rule.threshold
    if threshold is None:
        return
    for name, more in (("one less", -1), ("one more", 1)):
        yield f"count {name}", replace(rule, threshold=replace(threshold, count=threshold.count + more))
    for name, by in (("shorter", _EARLIER), ("longer", _LATER)):
        yield f"within {name}", replace(rule, threshold=replace(threshold, within=threshold.within + by))
    for position in range(len(threshold.by)):
        fewer = threshold.by[:position] + threshold.by[position + 1 :]
        yield f"by[{position}] taken away", replace(rule, threshold=replace(threshold, by=fewer))
    if not threshold.is_simple:
        for name, slip in slips(threshold):
            yield name, replace(rule, threshold=slip)
    if threshold.every is not None:
        yield "a sliding window", replace(rule, threshold=replace(threshold, every=None))
    if threshold.distinct is not None:
        yield "matches counted, not values", replace(rule, threshold=replace(threshold, distinct=None))


def _new_terms_mutants(rule: Rule) -> Iterator[Mutant]:
    new_terms = rule.new_terms
    if new_terms is None:
        return
    for name, by in (("shorter", _EARLIER), ("longer", _LATER)):
        yield f"history {name}", replace(rule, new_terms=replace(new_terms, history=new_terms.history + by))
    if len(new_terms.fields) > 1:
        for position in range(len(new_terms.fields)):
            fewer = new_terms.fields[:position] + new_terms.fields[position + 1 :]
            yield f"fields[{position}] taken away", replace(rule, new_terms=replace(new_terms, fields=fewer))
