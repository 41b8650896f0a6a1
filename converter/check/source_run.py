"""A reading of a Panther detection against the detection itself, run by panther_core in another process.

This executes the rule's own Python, so it happens only when it is asked for. The process has limits on time
and memory, an empty environment, and may neither write files nor use the network; that is care, not a
sandbox. An exception in ``rule()`` is no alert (Panther documentation, Rules).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from converter.check import source_child
from converter.check.comparison import ConditionCheck
from converter.check.report import Pair
from converter.check.samples import Sample, SamplePool
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity, RuleError
from converter.model.rule import Rule
from converter.platforms.base import Platform, Skip
from converter.platforms.collection import Collected

_SECONDS = 20
_MEGABYTES = 1_024
_GRACE = 10
_MIRRORED = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


class SourceRun:
    """Runs the Python that readings came from. ``beside``: folders with what it imports.

    Raises MissingExtraError where panther_core is not installed.
    """

    def __init__(self, panther: Platform, packs: Mapping[str, Pack], beside: Iterable[Path]) -> None:
        factory = panther.engines()[0]
        self._engine = factory()
        self._panther, self._packs = panther, packs
        self._beside = [str(path.resolve()) for path in beside]

    def pair(self, read: Collected, rule: Rule) -> Pair:
        """The reading, on the events made from it, against its source."""
        blank = Pair(
            rule=read.id,
            title=read.title,
            platform=self._panther.name,
            fidelity=read.fidelity,
            engine=f"its own Python, {self._engine.name} {self._engine.version}",
            language="python",
            file=read.source,
            diagnostics=read.diagnostics,
        )
        samples = [] if rule.sequence else SamplePool([rule], self._packs).step_samples(rule, 0, True, 0)
        file = None if rule.sequence else _python_of(Path(read.source))
        if file is None:
            return msgspec.structs.replace(blank, skipped={"a source that is no function of one event": 1})
        pack = self._packs[rule.logsource[0]]
        stored = [self._panther.project(sample.event.data, pack) for sample in samples]
        try:
            verdicts = self._run(file, stored)
        except RuleError as error:
            return msgspec.structs.replace(blank, problem=str(error))
        skipped = Counter(verdict.reason for verdict in verdicts if isinstance(verdict, Skip))
        return msgspec.structs.replace(
            blank,
            events=len(verdicts) - skipped.total(),
            skipped=dict(skipped),
            disagreements=tuple(_compared(rule, read.fidelity, samples, verdicts)),
        )

    def _run(self, file: Path, events: Sequence[Any]) -> list[bool | Skip]:
        """One verdict per event. Raises RuleError where the process does not end as it should."""
        order = {
            "path": str(file.resolve()),
            "beside": [str(file.resolve().parent), *self._beside],
            "events": events,
            "seconds": _SECONDS,
            "megabytes": _MEGABYTES,
        }
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, on a file of this package
                [sys.executable, "-I", source_child.__file__],
                input=msgspec.json.encode(order),
                capture_output=True,
                env={},
                timeout=_SECONDS + _GRACE,
                check=False,
            )
            answers = json.loads(done.stdout) if done.returncode == 0 else None
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise RuleError(f"{file} cannot be run: {error}") from error
        if answers is None:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise RuleError(f"{file} ended with {done.returncode}: {said or 'out of time or memory'}")
        return [_verdict(answer) for answer in answers]


def _verdict(answer: Any) -> bool | Skip:
    """An exception is no alert; one of the limits' making, or of a file that does not load, is no verdict."""
    if isinstance(answer, str):
        beyond = answer.startswith(("the file does not load", "PermissionError", "MemoryError"))
        return Skip(answer) if beyond else False
    return bool(answer)


def _compared(
    rule: Rule, fidelity: Fidelity, samples: Sequence[Sample], verdicts: Sequence[bool | Skip]
) -> list[Any]:
    """Where the source differs from the reading: a reading that may alert on more has a source that may on
    fewer.
    """
    allowed = frozenset({_MIRRORED[fidelity]} if fidelity in _MIRRORED else ())
    return ConditionCheck(rule.condition, allowed).by_verdicts(samples, verdicts)


def _python_of(source: Path) -> Path | None:
    """The Python file of a detection: named by its specification."""
    if source.suffix == ".py":
        return source
    try:
        data = yaml.safe_load(source.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    name = data.get("Filename") if isinstance(data, dict) else None
    file = source.parent / str(name)
    return file if name and file.is_file() else None
