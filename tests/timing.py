"""Limits on processor time, as a process of its own would keep them."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The block takes no more processor time. What the session holds in memory is none of its garbage."""
    gc.freeze()
    started = time.process_time()
    try:
        yield
        took = time.process_time() - started
    finally:
        gc.unfreeze()
    assert took < seconds, f"{took:.2f} s"
