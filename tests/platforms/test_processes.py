"""Work in several processes: the order of its results, errors on their way back, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import RuleError
from converter.model.diagnostics import Diagnostic, Severity
from converter.platforms.processes import spread

ROOT = Path(__file__).resolve().parents[2]


def times(factor: int) -> Callable[[int], tuple[int, int]]:
    """A worker that multiplies, and says in which process."""
    return lambda job: (job * factor, os.getpid())


def failing(at: int) -> Callable[[int], int]:
    """A worker that finds fault with one job."""

    def work(job: int) -> int:
        if job == at:
            finding = Diagnostic(code="odd", severity=Severity.ERROR, message="odd", file="a.yaml", line=7)
            raise RuleError("odd", [finding])
        return job

    return work


@pytest.mark.parametrize(("jobs", "processes"), [(100, 3), (2, 4), (1, 4), (0, 4), (5, 1), (5, 0)])
def test_results_come_in_the_order_of_the_jobs(jobs: int, processes: int) -> None:
    found = list(spread(times, (3,), iter(range(jobs)), processes))
    assert [result for result, _ in found] == [3 * job for job in range(jobs)]
    used = {process for _, process in found}
    if min(jobs, processes) > 1:
        assert os.getpid() not in used
        assert len(used) <= min(jobs, processes)
    else:
        assert used <= {os.getpid()}


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_comes_in_the_place_of_its_result(processes: int) -> None:
    results = spread(failing, (40,), range(100), processes)
    assert [next(results) for _ in range(40)] == list(range(40))
    with pytest.raises(RuleError, match="odd") as error:
        next(results)
    assert [(found.file, found.line) for found in error.value.diagnostics] == [("a.yaml", 7)]


INTERRUPTED = """
import signal, sys, time
sys.path.insert(0, {root!r})
from converter.platforms.processes import spread

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background inherits none

def start():
    return lambda job: time.sleep(0.01 if job == 0 else 600)

for done in spread(start, (), range(20), 2):
    print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
def test_ctrl_c_ends_all_at_once_and_is_said_once() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(root=str(ROOT))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert told.count("KeyboardInterrupt") == 1
