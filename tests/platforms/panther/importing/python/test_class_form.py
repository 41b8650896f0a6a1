"""Rules in class form: which classes are rules, and their attributes as literals."""

from __future__ import annotations

from converter.platforms.panther.importing.python import Made, PythonSource, class_attributes, rule_classes
from tests.platforms.panther.importing.python.support import Beside

BASE = """
from pypanther import Rule, Severity
class Base(Rule):
    id = "Base"
    default_severity = Severity.HIGH
    threshold = 2 * 5
"""
TEXT = """
from enum import Enum
from pypanther import LogType, Rule, RuleTest, panther_managed
from base import Base

class Kind(Enum):
    LOGIN = "login"

class Plain:
    pass

class Own(Rule):
    id = "Own"
    log_types = [LogType.AWS_CLOUDTRAIL]

@panther_managed
class Mine(Base):
    id = "Mine"
    NAMES = ["a", "b"]
    tags = [*NAMES, Kind.LOGIN]
    period = compute()
    tests = [RuleTest(name="one", expected_result=True, log={"a": {"b": [1, None]}})]
"""


def _source(name: str | None = None) -> PythonSource:
    return PythonSource(file="rules.py", text=TEXT, class_name=name)


def test_rules_are_found_through_their_bases() -> None:
    """A class that inherits from Rule, here or beside, is a rule; another is not."""
    assert rule_classes(_source(), Beside({"base": BASE})) == ("Own", "Mine")
    assert rule_classes(_source(), Beside({})) == ("Own",)


def test_attributes_are_literals() -> None:
    """Own and inherited ones, with enumerations by value, or by name where their class is not beside."""
    found = class_attributes(_source("Mine"), Beside({"base": BASE}))
    values = {name: attribute.value for name, attribute in found.items()}
    assert values["id"] == "Mine"
    assert values["default_severity"] == "HIGH"
    assert values["threshold"] == 10
    assert values["tags"] == ["a", "b", "login"]
    (test,) = values["tests"]
    assert isinstance(test, Made)
    assert test.name == "RuleTest"
    assert test.named == {"name": "one", "expected_result": True, "log": {"a": {"b": [1, None]}}}
    assert class_attributes(_source("Own"), Beside({}))["log_types"].value == ["AWS_CLOUDTRAIL"]


def test_what_is_no_literal_says_where() -> None:
    """An attribute that would have to be computed has a located problem."""
    attribute = class_attributes(_source("Mine"), Beside({}))["period"]
    assert attribute.problem is not None
    assert attribute.problem.line == attribute.line == TEXT.splitlines().index("    period = compute()") + 1


def test_a_broken_text_has_no_classes() -> None:
    """No Python, no rules, and no exception."""
    broken = PythonSource(file="rules.py", text="class Mine(Rule:\n", class_name="Mine")
    assert rule_classes(broken, Beside({})) == ()
    assert class_attributes(broken, Beside({})) == {}
