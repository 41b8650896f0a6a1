"""Timing of programs and functions, and one plain table for all benchmarks."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

BIN = Path(sys.executable).parent


class Taken(msgspec.Struct, frozen=True):
    """Seconds of wall time and of processor time. The latter says more on a machine that others use too."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.cpu:.2f} s of processor)"


def program(*command: str | Path, repeats: int = 1, accept: Sequence[int] = (0,)) -> Taken:
    """Median time that a program takes, output discarded. Raises if it ends with a code not accepted."""
    taken = []
    for _ in range(repeats):
        start, spent = time.perf_counter(), _children()
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        taken.append(Taken(time.perf_counter() - start, _children() - spent))
        if run.returncode not in accept:
            raise RuntimeError(f"{command[0]} ended with {run.returncode}: {run.stderr[-2000:]}")
    return Taken(
        statistics.median(each.wall for each in taken), statistics.median(each.cpu for each in taken)
    )


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def function(work: Callable[[], object], repeats: int = 3) -> Taken:
    """Least time that a call takes: what else runs on the machine can only add."""
    taken = []
    for _ in range(repeats):
        start, spent = time.perf_counter(), time.process_time()
        work()
        taken.append(Taken(time.perf_counter() - start, time.process_time() - spent))
    return Taken(min(each.wall for each in taken), min(each.cpu for each in taken))


def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print name and figure, aligned."""
    width = max(len(name) for name, _ in rows)
    print(title)
    for name, figure in rows:
        print(f"  {name:<{width}}  {figure}")
    print()
