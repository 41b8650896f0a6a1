"""Thousands of rendered queries with one thing changed, over this repository's rules and public ones.

``python -m tests.check.mutants`` prints what became of them, and ends with 1 where the check noticed too few
(``make mutants``).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from converter import Rule, load, read
from converter.logsources import load_packs
from converter.platforms.registry import reader
from tests.check.mutation import Mutation, Outcome, caught, summary
from tests.corpus import COLLECTIONS

RULES: Final = Path(__file__).resolve().parents[2] / "canonical_rules"
FEWEST: Final = 0.98
"""So large a share of the mutants that mean something else must be caught."""
OF_OWN: Final = 24
OF_PUBLIC: Final = 16
"""So many mutants at most of one rendering: of this repository's rules, of a public rule."""
MOST_PUBLIC: Final = 20
"""So many rules at most of each public collection, spread over it."""
_GOLDEN: Final = 0.618_033_988_749_895


@cache
def own() -> tuple[Rule, ...]:
    """The rules of this repository."""
    return tuple(load(RULES))


def public(most: int = MOST_PUBLIC, turn: int = 0) -> list[Rule]:
    """Public rules of every format that are read exactly; none where they are not at hand."""
    return [rule for name in COLLECTIONS for rule in of_format(name, most, turn)]


def of_format(name: str, most: int, turn: int = 0) -> list[Rule]:
    """Rules of one public collection, spread over it."""
    collection, reads = COLLECTIONS[name], reader(name)
    files = sorted(
        path for folder in collection.folders for path in folder.rglob("*") if reads.is_rule_file(path)
    )
    beside = [folder for folder in collection.beside if folder.is_dir()]
    found: list[Rule] = []
    for file in _scattered(files, turn):
        if len(found) >= most:
            break
        exact = [one.rule for one in read(file, name, beside=beside) if one.rule and one.status == "exact"]
        found += exact[:1]
    return found


def _scattered(files: Sequence[Path], turn: int) -> list[Path]:
    """All of them, in an order whose every beginning is spread over the whole."""
    places = sorted(range(len(files)), key=lambda place: (place + turn) * _GOLDEN % 1)
    return [files[place] for place in places]


class Task(msgspec.Struct, frozen=True):
    """One rule whose renderings are changed: its place among all, and how many mutants of each."""

    place: int
    most: int
    turn: int


class Done(msgspec.Struct, frozen=True):
    """What became of one rule's mutants, and how long that took (seconds of a processor)."""

    title: str
    outcomes: tuple[Outcome, ...]
    seconds: float


_WORKER: dict[str, tuple[Mutation, Sequence[Rule]]] = {}


def _begin(rules: Sequence[Rule]) -> None:
    """In each process, once: the rules, and the events of all their tests."""
    _WORKER["it"] = Mutation(rules, load_packs()), rules


def _run(task: Task) -> Done:
    mutation, rules = _WORKER["it"]
    start = time.process_time()
    found = tuple(mutation.outcomes(rules[task.place], task.most, task.turn))
    return Done(rules[task.place].title, found, time.process_time() - start)


def run(rules: Sequence[Rule], turn: int = 0, processes: int = 1, scale: int = 1) -> Iterator[Done]:
    """What becomes of the mutants of this repository's rules and of these, rule by rule, as they are done.

    ``turn``: another number is another selection of mutants; ``scale``: so many times as many.
    """
    everything = (*own(), *rules)
    tasks = [
        Task(place, scale * (OF_OWN if place < len(own()) else OF_PUBLIC), turn)
        for place in range(len(everything))
    ]
    if processes == 1:
        _begin(everything)
        yield from map(_run, tasks)
        return
    with multiprocessing.Pool(processes, _begin, (everything,)) as pool:
        yield from pool.imap_unordered(_run, tasks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of the mutants. 1 where too few were caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--public", type=int, default=MOST_PUBLIC, help="rules of each public collection")
    parser.add_argument("--turn", type=int, default=0, help="another number is another selection")
    parser.add_argument("--scale", type=int, default=1, help="so many times as many mutants of each rule")
    parser.add_argument("--slowest", type=int, default=5, help="so many rules that took longest are named")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    done: list[Done] = []
    rules = public(options.public, options.turn)
    for each in run(rules, options.turn, options.processes, options.scale):
        done.append(each)
        print(f"{len(done)}: {each.title}, {each.seconds:.1f} s", file=sys.stderr)
    outcomes = [one for each in done for one in each.outcomes]
    print(summary(outcomes))
    for each in sorted(done, key=lambda each: -each.seconds)[: options.slowest]:
        print(f"{each.seconds:.0f} s: {each.title}: {len(each.outcomes)} mutants")
    busy = sum(each.seconds for each in done)
    print(f"{time.monotonic() - start:.0f} s, of processors {busy:.0f} s, in {options.processes} processes")
    return 0 if caught(Counter(one.fate for one in outcomes)) >= FEWEST else 1


if __name__ == "__main__":
    sys.exit(main())
