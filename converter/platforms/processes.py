"""Work spread over several processes: each job done by one of them, the results in the order of the jobs."""

from __future__ import annotations

import itertools
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Job = TypeVar("Job")
Result = TypeVar("Result")


def spread(
    start: Callable[..., Callable[[Job], Result]],
    setting: tuple[Any, ...],
    jobs: Iterable[Job],
    processes: int,
    ahead: int = 16,
) -> Iterator[Result]:
    """What a worker makes of each job. An exception of a worker is raised in the place of its result.

    ``start(*setting)`` gives the worker, once in each process; ``processes``: at most so many, and no more
    than there are jobs. With one of either everything happens in this process. ``ahead``: jobs for each
    process that may be done or waiting before the first result is taken, which bounds the memory.
    """
    coming = iter(jobs)
    first = list(itertools.islice(coming, max(processes, 1)))
    if len(first) <= 1:
        yield from map(start(*setting), itertools.chain(first, coming))
        return
    from concurrent.futures import (
        ProcessPoolExecutor,
    )  # and multiprocessing with it: one process needs neither

    pool = ProcessPoolExecutor(len(first), initializer=_begin, initargs=(start, setting))
    try:
        waiting: deque[Future[Result]] = deque()
        for job in itertools.chain(first, coming):
            waiting.append(pool.submit(_work, job))
            if len(waiting) >= ahead * len(first):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


_WORKER: Final[list[Callable[[Any], Any]]] = []
"""This process's worker, in a process of a pool."""


def _begin(start: Callable[..., Callable[[Any], Any]], setting: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker, without a word of its own
    _WORKER[:] = [start(*setting)]


def _work(job: Any) -> Any:
    return _WORKER[0](job)
