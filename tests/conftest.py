"""Settings for the whole suite."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

# How long one example takes says something about the machine, not about the code; and what continuous
# integration runs must not change from one run to the next.
settings.register_profile(
    "house",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is measured by the tests with examples of their own. Those with random ones take four times
    as long under it, and what they happen to reach is no floor.
    """
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """No measurement at all while a ``no_cover`` test runs, which takes three times as long under one.

    pytest-cov pauses its own; but in a process of pytest-xdist it has begun two, one on top of the other,
    and the lower one (which is never reported) goes on when the upper one pauses.
    """
    paused = []
    if item.get_closest_marker("no_cover") is not None and "coverage" in sys.modules:
        from coverage import Coverage

        while (running := Coverage.current()) is not None:
            running.stop()
            paused.append(running)
    try:
        return (yield)
    finally:
        for one in reversed(paused):
            one.start()
