"""The written ``rule()`` gives the reference evaluator's verdict on any event, and never raises."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from converter.evaluate import compile_expression
from converter.model.expressions import Expression
from converter.model.losses import Losses
from converter.platforms.panther import layout
from converter.platforms.panther.conditions import ConditionWriter
from converter.platforms.panther.fields import Fields
from converter.platforms.panther.interpreter import Interpreter
from converter.platforms.panther.module import Module
from converter.platforms.panther.writer import fill
from tests.platforms.panther.made import events, expressions
from tests.platforms.panther.stand_in import EventDict


def python_of(expression: Expression) -> str:
    """The file that holds this condition, over undeclared fields."""
    module, losses = Module(), Losses("panther")
    text = layout.returned(ConditionWriter(module, Fields(()), losses).condition(expression))
    assert not losses.diagnostics
    return fill("rule.py.j2", {"sections": module.around([f"def rule(event):\n{text}"])})


def run(source: str, event: dict[str, Any]) -> Any:
    """What ``rule()`` gives for the event."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "rule.py", "exec"), namespace)
    return namespace["rule"](EventDict(event))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions, events)
def test_any_expression_on_any_event(expression: Expression, event: dict[str, Any]) -> None:
    source = python_of(expression)
    assert run(source, event) is compile_expression(expression)(event), source


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions, events)
def test_the_reader_gives_the_written_condition_back(expression: Expression, event: dict[str, Any]) -> None:
    source = python_of(expression)
    read = Interpreter(source, Fields(())).condition("rule")
    assert compile_expression(read)(event) is compile_expression(expression)(event), source
