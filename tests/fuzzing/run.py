"""Fuzzing the readers: changed rule texts for so many seconds each, in a process of limited memory.

    python -m tests.fuzzing.run [--seconds N] [--first N] [TARGET ...]

A failure is an exception other than RuleError, more than two seconds of processor time, or a process that
ends. Each is shown with the number that makes the text again: ``--show NUMBER TARGET`` prints it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from multiprocessing.connection import Connection
from types import FrameType
from typing import Final

from converter.model.diagnostics import RuleError
from tests.fuzzing.targets import broken, check, read, readable_targets

MOST_SECONDS: Final = 2.0
"""Of processor time for one text."""
SECONDS_TO_KILL: Final = 20.0
"""Of processor time: what does not even take the signal is ended."""
MEMORY: Final = 3 * 1024**3
"""Bytes of address space of the reading process."""
MOST_FAILURES: Final = 25


class HangError(BaseException):
    """Reading takes too long. No ``except Exception`` catches it."""


def _stop(signum: int, frame: FrameType | None) -> None:
    raise HangError


def attempt(name: str, number: int, *, public: bool = True) -> str | None:
    """Read one changed text; what went wrong, or None. Ends a hang by SIGPROF."""
    source = broken(name, number, public=public)
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        found = read(name, source)
        signal.setitimer(signal.ITIMER_PROF, 0)  # a rule with many regular expressions may take long to check
        check(found)
    except RuleError:
        return None
    except HangError:
        return f"a hang, stopped in\n{''.join(traceback.format_exc(limit=-6))}"
    except Exception:
        return traceback.format_exc(limit=-8)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _worker(name: str, first: int, seconds: float, report: Connection) -> None:
    """Texts one after another: before each its number goes to the parent, and what went wrong after it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ends = time.monotonic() + seconds
    number = first
    while time.monotonic() < ends:
        report.send((number, None))
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_TO_KILL)
        failure = attempt(name, number)
        if failure is not None:
            report.send((number, failure))
        number += 1
    report.send((number, None))


def fuzz(name: str, first: int, seconds: float) -> tuple[int, dict[int, str]]:
    """How many texts were read in so many seconds, and what went wrong by number."""
    ends = time.monotonic() + seconds
    failures: dict[int, str] = {}
    number = first
    spawn = multiprocessing.get_context("spawn")
    while time.monotonic() < ends and len(failures) < MOST_FAILURES:
        here, there = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_worker, args=(name, number, ends - time.monotonic(), there))
        process.start()
        there.close()
        try:
            while True:
                number, failure = here.recv()
                if failure is not None:
                    failures[number] = failure
        except EOFError:
            process.join()
        if process.exitcode:
            failures.setdefault(number, f"the process ended with {process.exitcode}")
            number += 1
        elif process.exitcode == 0:
            break
    return number - first, failures


def main() -> int:
    """Fuzz the named targets, or all; 1 if something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(readable_targets()))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--first", type=int, default=0, help="the first number")
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print one text and read it")
    given = parser.parse_args()
    failed = False
    for name in given.targets or readable_targets():
        if given.show is not None:
            print(broken(name, given.show).text)
            failure = attempt(name, given.show)
            count, failures = 1, {given.show: failure} if failure else {}
        else:
            count, failures = fuzz(name, given.first, given.seconds)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        memory = f", {largest} MiB at most so far" if largest else ""
        print(f"{name}: {count} texts, {len(failures)} failures{memory}", flush=True)
        for number, failure in failures.items():
            print(f"--- {name} {number}\n{failure}", flush=True)
        failed = failed or bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
