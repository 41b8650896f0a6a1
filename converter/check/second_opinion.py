"""A second opinion from pySigma: the rule as our Sigma, through another project's backend, and read again.

What two writers that share no code make of a rule has to mean the same. The conditions of a rule are written
as Sigma, turned into a platform's language by pySigma's backend, read by that language's reader, and run on
the events under Sigma's names. Nothing is said of what Sigma cannot say exactly, of what the backend refuses,
and where it is known not to keep Sigma's meaning.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from converter.check.comparison import ConditionCheck
from converter.check.report import Pair
from converter.check.samples import Sample
from converter.evaluate import Condition, compile_expression
from converter.model.diagnostics import ConverterError, Fidelity, MissingExtraError
from converter.model.expressions import Expression
from converter.model.rule import Rule, Step
from converter.platforms.base import Context, Platform, Skip
from converter.platforms.losses import STREAM_CODES
from converter.platforms.registry import platform


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """A backend for a platform: its name, its package, and how its queries are read. ``lists``: a pattern on
    how it writes texts of which any will do, in which it drops their case. ``sigma_flaws`` and
    ``query_flaws``: where else it is known not to keep Sigma's meaning, as a pattern on either text → why.
    """

    backend: str
    package: str
    read: Callable[[str], Expression]
    lists: str
    sigma_flaws: Mapping[str, str] = msgspec.field(default_factory=dict)
    query_flaws: Mapping[str, str] = msgspec.field(default_factory=dict)


def _spl(query: str) -> Expression:
    from converter.platforms.splunk.read_back import read_search

    return read_search(query, {}, "pySigma's search").condition


def _eql(query: str) -> Expression:
    from converter.platforms.elastic.eql.reader import read
    from converter.platforms.elastic.fields import StoredFields

    found = read(query, StoredFields()).condition
    assert found is not None
    return found


_CASED = "|cased"
_CASED_LIST = "a list of texts with case: pySigma writes lists without it"
OPINIONS: Final[Mapping[str, Opinion]] = {
    "splunk": Opinion(
        backend="splunk",
        package="pysigma-backend-splunk",
        read=_spl,
        lists=r" IN \(",
        sigma_flaws={
            r"(?<!\\)(?:\\\\)*\\\*": "a * that is no wildcard: SPL's search has no escape for it",
            r"\?": "one character of any kind: the backend writes any run of them",
            r"\|fieldref": "two fields compared: the backend regards case",
        },
    ),
    "elastic": Opinion(
        backend="eql",
        package="pysigma-backend-elasticsearch",
        read=_eql,
        lists=r" like~ \(",
        sigma_flaws={
            r"\|re(\||:)": "a regular expression: the backend has it match the whole text, in any case",
        },
        query_flaws={
            r'==\s*"[^"]*[*?]': "a wildcard after ==, which EQL takes as it stands",
            r'"::ffff:[^"]*/': "a network of IPv4 in IPv6, which is one of IPv4 in Elasticsearch",
        },
    ),
}
"""By platform. (pySigma's Lucene and ES|QL backends keep case where Sigma ignores it.)"""


class SecondOpinion:
    """pySigma's opinion of what a rule is on one platform. Raises MissingExtraError without its backend."""

    def __init__(self, opinion: Opinion, context: Context) -> None:
        from converter.platforms.sigma.backend import backend_names

        if opinion.backend not in backend_names():
            raise MissingExtraError(f"{opinion.package} is not installed; install the extra `engines`")
        self._opinion, self._context = opinion, context
        self._sigma = platform("sigma")
        self.name = f"{opinion.package} {importlib.metadata.version(opinion.package)}"

    def pair(self, of_reader: Pair, rule: Rule, samples: Sequence[Sequence[Sample]]) -> Pair:
        """The rule's conditions as pySigma has them, against the rule. ``samples``: those of each step."""
        disagreements, events = [], 0
        skipped: Counter[str] = Counter()
        for step, of_step in zip(rule.steps, samples, strict=True):
            verdicts = self._verdicts(rule, step, of_step)
            disagreements += ConditionCheck(step.condition, frozenset()).by_verdicts(of_step, verdicts)
            skipped.update(verdict.reason for verdict in verdicts if isinstance(verdict, Skip))
            events += len(verdicts)
        return msgspec.structs.replace(
            of_reader,
            fidelity=Fidelity.EXACT,
            language="sigma",
            engine=self.name,
            events=events - skipped.total(),
            streams=0,
            disagreements=tuple(disagreements),
            problem=None,
            losses=(),
            skipped=dict(skipped),
            diagnostics=(),
            shown={},
        )

    def _verdicts(self, rule: Rule, step: Step, samples: Sequence[Sample]) -> list[bool | Skip]:
        holds = self._condition(rule, step)
        if isinstance(holds, Skip):
            return [holds for _ in samples]
        pack = self._context.packs[step.logsource[0]]
        return [holds(self._sigma.project(sample.event.data, pack)) for sample in samples]

    def _condition(self, rule: Rule, step: Step) -> Condition | Skip:
        """The condition of a step as pySigma's query has it, over Sigma's names."""
        from converter.platforms.sigma.backend import to_backend

        alone = Rule(
            id=rule.id,
            title=rule.title,
            logsource=step.logsource,
            indicators=step.indicators,
            exclusions=step.exclusions,
        )
        artifact = self._sigma.render(alone, self._context)
        lost = sorted({d.code for d in artifact.diagnostics if d.effect and d.code not in STREAM_CODES})
        if lost:
            return Skip(f"Sigma cannot say it exactly: {', '.join(lost)}")
        text = artifact.files[0].text
        converted = to_backend(text, self._opinion.backend)
        if converted.refused:
            return Skip(f"the backend refuses it: {_reason(converted.diagnostics[0].message)}")
        (query,) = converted.queries
        if _CASED in _detection(text) and re.search(self._opinion.lists, query):
            return Skip(_CASED_LIST)
        flaws = (self._opinion.sigma_flaws, _detection(text)), (self._opinion.query_flaws, query)
        for known, where in flaws:
            for pattern, flaw in known.items():
                if re.search(pattern, where):
                    return Skip(flaw)
        try:
            return compile_expression(self._opinion.read(query))
        except ConverterError:
            return Skip("the backend's query is not in the language")


def _detection(text: str) -> str:
    """The part of a Sigma text that is about events."""
    return text.partition("\ndetection:")[2]


def _reason(message: str) -> str:
    """A backend's message without the place that it adds."""
    return message.partition(" (while")[0].rstrip(".")


def opinion_for(target: Platform, context: Context) -> SecondOpinion | None:
    """Who has an opinion on a platform; None if nobody. Raises MissingExtraError if not installed."""
    opinion = OPINIONS.get(target.name)
    return None if opinion is None else SecondOpinion(opinion, context)
