"""What is written means what the rule says, by the reader's account of SPL."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings

from converter.evaluate import matches
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression, Operator, Predicate
from converter.model.paths import FieldPath
from tests.platforms.splunk.made import conditions, events, texts
from tests.platforms.splunk.support import meaning_of, spl_of

RELAXED = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@RELAXED
@given(conditions(), events)
def test_a_written_condition_reads_back_with_the_same_verdict(
    expression: Expression, event: dict[str, Any]
) -> None:
    text, losses = spl_of(expression)
    assume(losses.fidelity is Fidelity.EXACT)
    assert matches(meaning_of(text), event) == matches(expression, event), text


@RELAXED
@given(conditions(), events)
def test_a_loss_errs_on_the_side_that_it_names(expression: Expression, event: dict[str, Any]) -> None:
    text, losses = spl_of(expression)
    assume(losses.fidelity in (Fidelity.EXACT, Fidelity.WIDER))
    if matches(expression, event):
        assert matches(meaning_of(text), event), text


@RELAXED
@given(texts.filter(bool), texts.filter(bool))
def test_every_text_survives_the_way_there_and_back(text: str, other: str) -> None:
    for path in (FieldPath(("user",)), FieldPath(("tags{}",))):
        expression = Predicate(path, Operator.IS, (text,))
        written, _ = spl_of(expression)
        meaning = meaning_of(written)
        assert matches(meaning, {path.steps[0]: text})
        assert matches(meaning, {path.steps[0]: other}) == matches(expression, {path.steps[0]: other})
        assert "`" not in written
        assert "$" not in written
        assert "\n" not in written
