"""What every platform package offers, and the data it passes on.

A platform is one package with a module-level ``PLATFORM`` object that satisfies :class:`Platform`, made
known by an entry point in the group ``converter.platforms``. Platforms never import each other.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.rule import JsonObject, Rule

StoredEvent: TypeAlias = Mapping[str, Any]
"""An event as a platform stores it. Elastic and Splunk: flat, field name → scalar or list of scalars
(a nested field: list of objects). Panther: the raw JSON object."""


class File(msgspec.Struct, frozen=True):
    """A file to write: path relative to the platform's output folder with ``/``, and its text."""

    path: str
    text: str


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as one platform has it. Refused: no files, and a diagnostic that says why.

    ``language``: the query language chosen (kuery, eql, esql, spl, python); ``reason``: why that one.
    ``query``: the query text alone, where the platform has one.
    """

    rule_id: str
    platform: str
    files: tuple[File, ...] = ()
    fidelity: Fidelity = Fidelity.EXACT
    diagnostics: tuple[Diagnostic, ...] = ()
    language: str = ""
    reason: str = ""
    query: str = ""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer may need beside the rule. ``packs``: every known log source by name.

    ``keep_unmapped``: keep the name of a field that the pack does not know, and say so, instead of
    refusing. ``settings``: the team's defaults for this platform (converter.toml), which a rule's own
    ``platforms`` entry overrides.
    """

    packs: Mapping[str, Pack]
    keep_unmapped: bool = False
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of rule text to be read. ``file``: its name as the user gave it (also where macros, helpers
    and lookups beside it are looked for, when it is a real path); ``text``: what it holds.
    """

    file: str
    text: str


class ReadContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader may need beside the text. ``packs``: every known log source by name; ``beside``:
    folders with what rules lean on (Splunk macros and lookups, Panther helpers), searched in order.
    """

    packs: Mapping[str, Pack]
    beside: tuple[Path, ...] = ()


class ReadRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it was read from a platform's own text.

    ``id`` and ``title`` are the platform's; ``kind`` its kind of rule there (query, eql, threshold, TTP,
    correlation …). ``rule`` is the canonical rule, with canonical field names; None when refused.
    ``fidelity`` relates it to the text. ``residue``: parts of the text that the canonical rule leaves out,
    as written; with any, the rule is partial, and ``fidelity`` says on which side it errs.
    ``described``: what a refused rule says of itself (see :func:`without_logic`), as far as that can be read.
    ``query`` and ``language``: its query as written, where the platform has a query language.
    """

    source: str
    platform: str
    id: str
    title: str
    kind: str = ""
    rule: Rule | None = None
    described: Rule | None = None
    query: str = ""
    language: str = ""
    fidelity: Fidelity = Fidelity.EXACT
    residue: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def status(self) -> str:
        """``exact``, ``wider``, ``narrower``, ``partial`` or ``refused``."""
        return "partial" if self.residue and self.rule is not None else str(self.fidelity)


_LOGIC: Final = (
    "indicators exclusions threshold sequence new_terms"
    " output alert tests"  # they name the fields of its events
    " platforms"  # a platform's own settings, which nobody has looked at when a rule is refused
).split()


def without_logic(rule: Rule) -> Rule:
    """What a rule says of itself: title, severity, references and the like, for showing only."""
    return Rule(**{name: getattr(rule, name) for name in rule.__struct_fields__ if name not in _LOGIC})


class WindowKind(enum.StrEnum):
    """In which stretches of time a platform counts the matches of a threshold."""

    SLIDING = "sliding"
    """The last so long before each match, as the rule has it."""
    PERIOD = "period"
    """So long from a group's first match on, then anew from the next."""
    RUNS = "runs"
    """The last so long before each scheduled run."""
    SLICES = "slices"
    """Slices of the clock."""


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """How one platform counts over time, apart from what a rendering says.

    Lengths are whole ``unit``, at least ``shortest``, at most ``longest``; ``interval``: between two runs;
    ``distinct_more``: how much longer distinct values are counted. ``sequence_unit`` and ``history_unit``:
    what the spans of sequences and of new terms are whole numbers of. ``forgets``: no values are remembered;
    instead one alert per combination of values is kept open. ``look_back``: how far a run sees the events of
    a sequence, or looks for new terms. ``each_step``: a sequence's span is that of each step to the next.
    """

    kind: WindowKind
    interval: timedelta | None = None
    unit: timedelta = timedelta.resolution
    shortest: timedelta = timedelta()
    longest: timedelta = timedelta.max
    distinct_more: timedelta = timedelta()
    sequence_unit: timedelta = timedelta.resolution
    history_unit: timedelta = timedelta.resolution
    forgets: bool = False
    look_back: timedelta | None = None
    each_step: bool = False


class Skip(msgspec.Struct, frozen=True):
    """In place of a verdict: what an engine does not run as the platform would, and so says nothing of."""

    reason: str


class Engine(Protocol):
    """Runs what a platform's writer wrote. ``name`` and ``version`` go into the report."""

    name: str
    version: str

    def verdicts(
        self, artifact: Artifact, events: Iterable[StoredEvent], step: int = 0
    ) -> Sequence[bool | Skip]:
        """One verdict per stored event: does the event condition of this step (from 0, in the order of
        ``Rule.steps``) match it? Raises RuleError if the text cannot be run although it should.
        """
        ...


class FolderFinding(msgspec.Struct, frozen=True):
    """What a vendor's tool has against one rendering; ``rule_id`` is None where it names no rule."""

    rule_id: str | None
    message: str


class FolderEngine(Protocol):
    """A vendor's program that is run on the folder of everything that was rendered for its platform."""

    name: str
    version: str

    def findings(self, artifacts: Sequence[Artifact]) -> list[FolderFinding]:
        """What the tool finds wrong; nothing when it is content. Raises RuleError if it does not run."""
        ...


class Platform(Protocol):
    """One SIEM, or a format between them. ``losses``: every loss code that its writer may name, with what
    is lost. ``siem``: rules run there; a format between SIEMs (Sigma) is written only when it is named.
    """

    name: str
    siem: bool
    losses: Mapping[str, str]

    def render(self, rule: Rule, context: Context) -> Artifact:
        """Derive this platform's form. Never raises for a valid rule: what cannot be said is refused."""
        ...

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """Read the artifact's own text with the platform's exact meaning.

        The rule's paths name *stored* fields (on flat platforms each path is one key) and it is to be
        evaluated on stored events. Raises RuleError when the text does not parse.
        """
        ...

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """A canonical event as this platform stores it."""
        ...

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """Factories of the engines beside the reader. Each raises MissingExtraError if not installed."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A platform whose way of counting over time is known, so that it can be simulated."""

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        """How the platform counts for this rendering: its schedule and limits, not what the text says."""
        ...


@runtime_checkable
class WithTools(Protocol):
    """A platform whose vendor has programs to try its renderings with."""

    def folder_engines(self) -> tuple[Callable[[], FolderEngine], ...]:
        """Factories of them. Each raises MissingExtraError if the program is not installed."""
        ...


class Reader(Protocol):
    """A platform whose own rules can be read."""

    def read(self, source: Source, context: ReadContext) -> list[ReadRule]:
        """The rules in a piece of the platform's own text, with canonical field names. Never raises for what
        the text holds: a broken text is a refused rule with a located diagnostic. Nothing is executed.
        """
        ...

    def is_rule_file(self, path: Path) -> bool:
        """Whether a file of a folder may hold rules, by its name."""
        ...


@runtime_checkable
class LeaningReader(Protocol):
    """A reader whose rules lean on other files, and that can say which: a cache has to look at them too."""

    def leans_on(self, source: Source, beside: tuple[Path, ...]) -> tuple[Path, ...]:
        """The files that reading a text looks into. ``beside``: as in :class:`ReadContext`."""
        ...
