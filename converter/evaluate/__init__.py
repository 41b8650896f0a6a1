"""What a rule means: the reference evaluator. It defines truth for every other part of the house."""

from converter.evaluate.compile import Condition, compile_expression, matches
from converter.evaluate.explain import Verdict, deciding_predicates, explain
from converter.evaluate.stream import Alert, LogEvent, StreamEvaluator, evaluate_stream

__all__ = [
    "Alert",
    "Condition",
    "LogEvent",
    "StreamEvaluator",
    "Verdict",
    "compile_expression",
    "deciding_predicates",
    "evaluate_stream",
    "explain",
    "matches",
]
