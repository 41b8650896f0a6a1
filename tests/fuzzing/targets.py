"""What is fuzzed: each language that rules are read from, with texts to begin with.

The texts are those of the public rules (CONVERTER_CORPUS, PYPANTHER) where they are at hand, and the
renderings of the rules that come with the project.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from converter import api
from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.registry import readable_names, reader
from tests import corpus
from tests.fuzzing.mutation import EVERYWHERE, mutated

ROOT: Final = Path(__file__).resolve().parent.parent.parent
MOST_RENDERED: Final = 15


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A language: which platform reads it, where texts of it lie (patterns below the project, below the
    corpus and below pypanther's rules), what marks a text as one of it, and which part of it is the query.

    ``pieces``: what the language's texts are made of, for mutations.
    """

    platform: str
    own: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    marked: str = ""
    query: str = r"(?s)(.*)"
    pieces: tuple[str, ...] = ()


_TOML_QUERY: Final = r"(?s)query = (?:'''|\"\"\")(.*?)(?:'''|\"\"\")"


def _elastic(language: str, pieces: tuple[str, ...]) -> Target:
    """The rules whose query is in one of Elastic's languages."""
    return Target(
        platform="elastic",
        own=("outputs/elastic/**/*.toml", "tests/platforms/elastic/importing/rules/*.toml"),
        public=("elastic/**/*.toml",),
        marked=f'language = "{language}"',
        query=_TOML_QUERY,
        pieces=pieces,
    )


TARGETS: Final = {
    "kql": _elastic(
        "kuery",
        (":* ", " >= ", "a:{ b:c }", ":(", "*:*", "a.*:b", "not not ", "\\*", " AND ", '"a*"'),
    ),
    "lucene": _elastic(
        "lucene",
        ("_exists_:", " TO ", "[1 TO *]", "~2", "^3", " && ", " || ", "/a.b/", "a:>=", "*:*", "NOT "),
    ),
    "eql": _elastic(
        "eql",
        (
            *(
                "sequence by ",
                "[any where ",
                "] by ",
                "![",
                " with maxspan=",
                " with runs=",
                "until [",
                "| head ",
            ),
            *(
                "startsWith~(",
                "length(",
                "like~ (",
                " regex~ ",
                "?a.b",
                " in~ (",
                ' : "*"',
                "between(",
                "`a b`",
            ),
            *("substring(a,", "== null", "// x\n", "/* x */", " of [", "sample by ", "arraySearch(a, b, "),
        ),
    ),
    "esql": _elastic(
        "esql",
        (
            *(
                "| where ",
                "| stats count(*) by ",
                "| eval x = ",
                "| keep ",
                "| rename a as b",
                " is not null",
            ),
            *(
                "case(",
                "mv_contains(",
                "to_lower(",
                " rlike ",
                " like ",
                "::ip",
                "date_trunc(",
                "from a metadata ",
            ),
            *("| limit 3", "| sort a desc", "| grok a ", "count_distinct(", "[1, 2]", "?a", "`a b`"),
        ),
    ),
    "spl": Target(
        platform="splunk",
        own=("outputs/splunk/**/*.yml", "outputs/splunk/**/*.conf"),
        public=("splunk/detections/**/*.yml",),
        query=r"(?s)search: ?(.*?)\n\w",
        pieces=(
            *("| where ", "| stats count by ", "| eval a=if(", "| rex ", "| search ", "case(", "coalesce(a,"),
            *("a IN (", "```", "| tstats count from datamodel=X where ", "| rename a as b", "| lookup a b "),
            *(
                "| bin _time span=",
                "| fillnull ",
                "[search ",
                "NOT ",
                " OR ",
                "| foreach * [eval ",
                "mvfind(a,",
            ),
        ),
    ),
    "sigma": Target(
        platform="sigma",
        public=("sigma/rules*/**/*.yml",),
        pieces=(
            *("|re", "|windash", "|base64offset", "|expand", "|fieldref", "|cidr", "|all", "|exists", "|gt"),
            *(
                "1 of ",
                "all of them",
                "%x%",
                "<<: ",
                "---\n",
                "correlation: ",
                "filter: ",
                "action: global\n",
            ),
            *(
                "&a ",
                "*a ",
                "!!int ",
                "  - ",
                "condition: ",
                "\n  x: ",
                "|contains|all",
                "|utf16le",
                "count() > ",
            ),
        ),
    ),
    "python": Target(
        platform="panther",
        own=("outputs/panther/**/*.py",),
        classes=("**/*.py",),
        pieces=(
            *(
                "event.get(",
                "event.deep_get('a', 'b', default=",
                " if x else ",
                "any(",
                "for x in ",
                "lambda e: ",
            ),
            *(
                "def rule(event):\n    return ",
                "[x for x in ",
                "f'{event}'",
                "re.compile(",
                "import os\n",
                "**",
                "//",
            ),
            *(
                "while True:\n",
                "try:\n",
                "except Exception:\n",
                "with open('x') as f:\n",
                "return ",
                "is None",
                ":=",
            ),
            *(
                "'a' * 999999999",
                "2 ** 99999999",
                "[0] * 10 ** 9",
                "class A(Rule):\n",
                ".split('.')[",
                "\n        ",
            ),
        ),
    ),
    "panther-yaml": Target(
        platform="panther",
        own=("outputs/panther/**/*.yml",),
        public=("panther/**/*.yml",),
        pieces=(
            *(
                "AnalysisType: ",
                "Detection:\n  - ",
                "KeyPath: ",
                "Condition: ",
                "Values:\n",
                "MinMatchCount: ",
            ),
            *(
                "Sequence:\n",
                "Group:\n",
                "Transitions:\n",
                "Tests:\n",
                "RuleID: ",
                "\n---\n",
                "&a ",
                "*a ",
                "<<: ",
            ),
        ),
    ),
}


class Seed(msgspec.Struct, frozen=True):
    """A text to begin with: the file's name, and where its query begins and ends."""

    file: str
    text: str
    start: int
    end: int


def readable_targets() -> list[str]:
    """The names of the targets whose platform reads rules."""
    platforms = set(readable_names())
    return [name for name, target in TARGETS.items() if target.platform in platforms]


@cache
def seeds(name: str, *, public: bool = True) -> tuple[Seed, ...]:
    """The texts of a target; without ``public``, the project's own alone."""
    target = TARGETS[name]
    folders = [(ROOT, target.own)]
    if public:
        folders += [(corpus.CORPUS, target.public), (corpus.PANTHER_CLASSES, target.classes)]
    files = [file for folder, patterns in folders for pattern in patterns for file in folder.glob(pattern)]
    texts = [(file.name, file.read_text(encoding="utf-8")) for file in sorted(files)]
    found = [_seed(target, file, text) for file, text in texts if target.marked in text]
    return tuple(found or (_seed(target, *one) for one in _rendered(target)))


def _seed(target: Target, file: str, text: str) -> Seed:
    match = re.search(target.query, text)
    return Seed(file, text, *(match.span(1) if match else (0, len(text))))


def _rendered(target: Target) -> Iterator[tuple[str, str]]:
    """Renderings of the project's rules, for a language that no folder holds."""
    for rule in api.load(ROOT / "canonical_rules")[:MOST_RENDERED]:
        for file in api.render(rule, target.platform).files:
            yield Path(file.path).name, file.text


@cache
def context() -> ReadContext:
    """Every known log source, and nothing beside the rules."""
    return ReadContext(packs=load_packs())


def broken(name: str, number: int, *, public: bool = True) -> Source:
    """The changed text that a target and a number stand for: the same one each time."""
    chance = random.Random(f"{name} {number}")
    given = seeds(name, public=public)
    seed, other = chance.choice(given), chance.choice(given)
    pieces = EVERYWHERE + TARGETS[name].pieces
    return Source(file=seed.file, text=mutated(seed.text, other.text, pieces, chance, seed.start, seed.end))


def read(name: str, source: Source) -> list[ReadRule]:
    """What a target's reader makes of a text."""
    return reader(TARGETS[name].platform).read(source, context())


def check(rules: list[ReadRule]) -> None:
    """Hold a reader to what it promises. Raises AssertionError, or what loading a rule raises.

    A refused rule says why; what is read is a rule that its own file gives back, or that the loader refuses
    in so many words.
    """
    for found in rules:
        assert (found.rule is None) == (found.status == "refused"), found
        if found.rule is None:
            assert any(one.effect is not None for one in found.diagnostics), found
            continue
        load_text(dump_rule(found.rule))
