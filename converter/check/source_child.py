"""Run Panther detections as they are: a program of its own, which takes its order as JSON and imports nothing
of this package.

The limits stop mistakes and simple abuse: processor time, memory, and, once panther_core is loaded, opening
files to write, the network and other processes. They are no sandbox for code that means harm.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

_DENIED = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.kill",
)
_WRITES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.chmod",
    "os.truncate",
    "os.symlink",
    "os.link",
)
_WRITING = 3
"""The bits of ``open``'s flags that ask for writing (O_WRONLY, O_RDWR)."""


def _limit(seconds: int, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what no detection needs (Python documentation, "Audit events table")."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
    if writes or event.startswith((*_DENIED, *_WRITES)):
        raise PermissionError(f"{event} is not allowed here")


def _verdicts(order: dict[str, Any], event_of: Callable[..., Any], rule_of: Callable[..., Any]) -> list[Any]:
    """True or false for each event, or why the detection raised."""
    rule = rule_of({"id": "source", "versionId": "", "path": order["path"]})
    if rule.setup_exception is not None:
        return [f"the file does not load: {rule.setup_exception!r}"] * len(order["events"])
    found: list[Any] = []
    for event in order["events"]:
        result = rule.run(event_of(event), {}, {}, batch_mode=True)
        raised = result.detection_exception
        found.append(bool(result.detection_output) if raised is None else repr(raised))
    return found


def _main() -> None:
    order = json.load(sys.stdin)
    answer, sys.stdout = sys.stdout, sys.stderr
    sys.dont_write_bytecode = True
    from panther_core.enriched_event import PantherEvent
    from panther_core.rule import Rule

    sys.path[:0] = order["beside"]
    _limit(order["seconds"], order["megabytes"])
    sys.addaudithook(_watch)
    json.dump(_verdicts(order, PantherEvent, Rule), answer)


if __name__ == "__main__":
    _main()
