"""What a reading costs: loops over many constants, many optional keys, conditions that take too much work."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from converter.evaluate import compile_expression
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Operator, Predicate
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python import (
    DataModel,
    Detection,
    PythonSource,
    Shapes,
    read_detection,
)
from tests.platforms.panther.importing.python.support import Beside

# A reading may take so much processor time and no more; what measures coverage takes three times as much.
pytestmark = pytest.mark.no_cover


def read(text: str) -> tuple[Detection, float]:
    """What is read, and how many seconds of the processor's it took."""
    began = time.process_time()
    found = read_detection(PythonSource(file="rule.py", text=text), Beside({}), ["Custom.Log"], Shapes())
    return found, time.process_time() - began


LOOP = """
NAMES = [f"host{number}" for number in range(1000)]
def rule(event):
    name = event.get("name", "")
    for ending in NAMES:
        if name.endswith(ending):
            return True
    return False
"""


def test_a_loop_over_a_thousand_constants_is_one_question() -> None:
    found, seconds = read(LOOP)
    assert found.fidelity is Fidelity.EXACT
    holds = compile_expression(found.condition)
    assert [holds({"name": f"my-host{number}"}) for number in (0, 999, 1000)] == [True, True, False]
    assert seconds < 4


ANY = """
WANTED = [f"role-{number}" for number in range(300)]
def rule(event):
    kind = event.get("kind")
    if kind == "a":
        name = event.get("a", "none")
    elif kind == "b":
        name = event.get("b", "none")
    else:
        name = event.get("c", "none")
    return any(name == "my-" + wanted for wanted in WANTED)
"""


def test_any_of_many_constants_asks_each_field_once() -> None:
    found, seconds = read(ANY)
    holds = compile_expression(found.condition)
    assert holds({"kind": "b", "b": "my-role-299", "a": "x"})
    assert not holds({"kind": "a", "b": "my-role-299", "a": "x"})
    assert str(found.condition).count("my-role-299") <= 3
    assert seconds < 4


KEY = """
    if "k{number}" in event:
        made["k{number}"] = event.get("k{number}")
"""
MANY_KEYS = "def rule(event):\n    made = {}" + "".join(KEY.format(number=number) for number in range(40))


def test_a_dict_of_many_optional_keys_is_given_up_by_name() -> None:
    found, seconds = read(MANY_KEYS + '    return event.get("a") == "x" and made.get("k7") == "y"\n')
    assert found.fidelity is not Fidelity.EXACT
    assert "too-large" in {diagnostic.code for diagnostic in found.diagnostics}
    assert seconds < 4


TANGLE = """
    if event.get("p{n}") == "u" and event.get("q{n}") != event.get("p{m}"):
        found = found + (1 if event.get("r{n}") == event.get("s{m}") else 2)
"""
TANGLED = """
def rule(event):
    if event.get("a") != "x":
        return False
    found = 0
""" + "".join(TANGLE.format(n=n, m=n + 1) for n in range(40))


def test_what_takes_too_much_work_is_given_up_by_name() -> None:
    found, seconds = read(TANGLED + "    return found > 10\n")
    assert found.fidelity in (Fidelity.WIDER, Fidelity.REFUSED)
    assert "too-large" in {diagnostic.code for diagnostic in found.diagnostics}
    if found.fidelity is Fidelity.WIDER:
        assert compile_expression(found.condition)({"a": "x"})
        assert not compile_expression(found.condition)({"a": "y"})
    assert seconds < 6


class TwoModels(Beside):
    """Log types whose data models say different things, and one that has none."""

    def data_model(self, log_types: Sequence[str]) -> DataModel | None:
        """A path of its own for each of two log types."""
        paths = {"Custom.One": "client.address", "Custom.Two": "source"}
        found = [paths[name] for name in log_types if name in paths]
        return DataModel(paths={"source_ip": found[0]}) if found else None


def of_models(expression: str) -> Detection:
    """What is read of an expression over three log types."""
    source = PythonSource(file="rule.py", text=f"def rule(event):\n    return {expression}\n")
    return read_detection(source, TwoModels({}), ["Custom.One", "Custom.Two", "Custom.Three"], Shapes())


def test_log_types_are_told_apart_where_their_data_models_differ() -> None:
    found = of_models('event.udm("source_ip") == "192.0.2.1"')
    holds = compile_expression(found.condition)
    assert found.fidelity is Fidelity.EXACT
    assert holds({"p_log_type": "Custom.One", "client": {"address": "192.0.2.1"}})
    assert holds({"p_log_type": "Custom.Two", "source": "192.0.2.1"})
    assert holds({"p_log_type": "Custom.Three", "source_ip": "192.0.2.1"})
    assert not holds({"p_log_type": "Custom.Two", "client": {"address": "192.0.2.1"}})
    assert not holds({"p_log_type": "Custom.One", "source": "192.0.2.1"})


def test_log_types_are_not_asked_where_nothing_depends_on_them() -> None:
    found = of_models('event.get("a") == "x" and (event.udm("source_ip") is None or True)')
    assert found.condition == Predicate(FieldPath(("a",)), Operator.IS, ("x",))
