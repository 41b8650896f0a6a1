"""Timing of programs and functions, and one plain table for all benchmarks."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent


def program(*command: str | Path, repeats: int = 1, accept: Sequence[int] = (0,)) -> float:
    """Median seconds of wall time that a program takes, output discarded. Raises if it fails otherwise."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        taken.append(time.perf_counter() - start)
        if run.returncode not in accept:
            raise RuntimeError(f"{command[0]} ended with {run.returncode}: {run.stderr[-2000:]}")
    return statistics.median(taken)


def function(work: Callable[[], object], repeats: int = 3) -> float:
    """Least seconds that a call takes: what else runs on the machine can only add."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print name and figure, aligned."""
    width = max(len(name) for name, _ in rows)
    print(title)
    for name, figure in rows:
        print(f"  {name:<{width}}  {figure}")
    print()
