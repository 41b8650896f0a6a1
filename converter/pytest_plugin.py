"""Rules and their renderings as tests: ``pytest canonical_rules --platform elastic -k mfa``.

Canonical rule files are collected only when that is asked for: those of the project's rules folder when a
path on the command line leads to them, those below the paths of the ini setting ``converter_rules``, and,
with ``--platform`` or ``--engine``, those below any path on the command line that load as rules. In a
repository without rules the plugin adds no option, and nothing of this package is imported before a rule
file is collected.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from converter.check.report import Pair
    from converter.check.runner import RuleUnderCheck
    from converter.check.samples import SamplePool
    from converter.model.rule import Rule, RuleTest
    from converter.platforms.base import Engine

_INI = "converter_rules"
_SUFFIXES = (".yaml", ".yml")
_MARKS = ("converter.toml", "canonical_rules")
"""What a repository of rules has at its root (see converter.project, which is not imported for this)."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a repository of rules alone: others may have options of the same names."""
    parser.addini(
        _INI, "files and folders with canonical rules, collected as tests", type="paths", default=[]
    )
    if not _has_rules([Path.cwd(), *map(Path, sys.argv[1:])]):
        return
    group = parser.getgroup("rule-converter", "detection rules")
    for option, what in _OPTIONS.items():
        group.addoption(
            f"--{option}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"only {what}",
            dest=_kept(option),
        )


_OPTIONS = {"platform": "these platforms' renderings", "engine": "these engines (reader, eql, ...)"}


def _kept(option: str) -> str:
    """Where the values of an option of ours are kept: apart from another plugin's of that name."""
    return f"rule_converter_{option}"


def _has_rules(paths: Iterable[Path]) -> bool:
    """Whether some path lies in a repository of rules."""
    folders = {folder for path in paths for folder in (path.absolute(), *path.absolute().parents)}
    return any((folder / mark).exists() for folder in folders for mark in _MARKS)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A rule file that was asked for."""
    if file_path.suffix not in _SUFFIXES:
        return None
    chosen = _chosen(file_path, parent.config)
    if chosen is None:
        return None
    file: RuleFile = RuleFile.from_parent(parent, path=file_path)
    file.certain = chosen
    return file


def _chosen(file: Path, config: pytest.Config) -> bool | None:
    """Whether the file is certainly one of rules (so that a broken one is an error); None: not asked for."""
    if any(file.is_relative_to(path) for path in config.getini(_INI)):
        return True
    if config.getoption(_kept("platform"), None) is None or config.args_source is not config.ArgsSource.ARGS:
        return None
    named = [Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args]
    if not any(file.resolve().is_relative_to(path) for path in named):
        return None
    if file.resolve().is_relative_to(_workbench(config).rules_folder):
        return True
    return False if _names(config, "platform") or _names(config, "engine") else None


def _names(config: pytest.Config, option: str) -> list[str]:
    """The names given with an option, which a comma may part."""
    given: Sequence[str] = config.getoption(_kept(option), ())
    return [name.strip() for names in given for name in names.split(",")]


_WORKBENCH = pytest.StashKey["_Workbench"]()


def _workbench(config: pytest.Config) -> _Workbench:
    if _WORKBENCH not in config.stash:
        config.stash[_WORKBENCH] = _Workbench(config)
    return config.stash[_WORKBENCH]


class _Workbench:
    """What all rules of a session share: packs, engines, and one pool of sample events."""

    def __init__(self, config: pytest.Config) -> None:
        from converter.project import find_project

        self._config = config
        self._project = find_project(config.invocation_params.dir)
        self._checked: tuple[str, RuleUnderCheck] | None = None
        self.rules: list[Rule] = []

    @property
    def rules_folder(self) -> Path:
        """The project's own rules."""
        return Path(self._project.root, self._project.rules).resolve()

    @cached_property
    def packs(self) -> Any:
        """Every log source by name."""
        from converter.logsources import load_packs

        return load_packs(self._project.pack_folders)

    @cached_property
    def platforms(self) -> list[str]:
        """The names of the platforms that were asked for, or of all SIEMs."""
        from converter.platforms.registry import siem_names

        return _names(self._config, "platform") or list(siem_names())

    @cached_property
    def _engines(self) -> dict[str, list[Engine]]:
        from converter.check.runner import installed_engines
        from converter.platforms.registry import platform

        found, _ = installed_engines([platform(name) for name in self.platforms])
        return found

    def engines(self, platform_name: str) -> Iterator[tuple[str, Engine | None]]:
        """The engines of a platform that were asked for, by name; the reader's is None."""
        wanted = _names(self._config, "engine")
        known = [None, *self._engines.get(platform_name, ())]
        for name, engine in zip(self._engine_names(platform_name), known, strict=True):
            if not wanted or name in wanted:
                yield name, engine

    def _engine_names(self, platform_name: str) -> list[str]:
        from converter.check.runner import READER

        return [READER, *(each.name for each in self._engines.get(platform_name, ()))]

    def check_names(self, rules: Iterable[Rule]) -> None:
        """Raises RuleError for a platform, an engine or a log source that does not exist."""
        from converter.events.records import packs_of
        from converter.model.diagnostics import RuleError

        known = dict.fromkeys(each for name in self.platforms for each in self._engine_names(name))
        for name in _names(self._config, "engine"):
            if name not in known:
                raise RuleError(f"--engine {name}: no such engine; there are: {', '.join(known)}")
        for rule in rules:
            packs_of(rule, self.packs)

    @cached_property
    def _pool(self) -> SamplePool:
        from converter.check.samples import SamplePool

        return SamplePool(self.rules, self.packs)

    def checked(self, rule: Rule, platform_name: str, engine: Engine | None) -> Pair:
        """One rendering under one engine."""
        from converter.api import context_for
        from converter.check.runner import RuleUnderCheck
        from converter.platforms.registry import platform

        if self._checked is None or self._checked[0] != rule.id:
            self._checked = rule.id, RuleUnderCheck(rule, self.packs, self._pool)
        context = context_for(self.packs, self._project.platforms.get(platform_name))
        writer = platform(platform_name)
        return self._checked[1].pair(writer, writer.render(rule, context), context, engine)


class RuleFile(pytest.File):
    """A file of canonical rules. ``certain``: a broken one is an error, and not just no rule file."""

    certain = True

    def collect(self) -> Iterator[RuleNode]:
        """A node for each rule."""
        from converter.model.diagnostics import ConverterError
        from converter.model.load import load_rules

        try:
            rules = load_rules([self.path])
            _workbench(self.config).check_names(rules)
        except ConverterError as error:
            if not self.certain:
                return
            told = "\n".join(map(str, error.diagnostics)) or str(error)
            raise self.CollectError(told) from None
        workbench = _workbench(self.config)
        known = {rule.id for rule in workbench.rules}
        workbench.rules += [rule for rule in rules if rule.id not in known]
        for rule in rules:
            node: RuleNode = RuleNode.from_parent(self, name=rule.title)
            node.rule = rule
            yield node


class RuleNode(pytest.Collector):
    """A rule: its own tests, and each of its renderings under each engine."""

    rule: Rule

    def collect(self) -> Iterator[pytest.Item]:
        """The rule's tests first, unless platforms or engines were chosen."""
        workbench = _workbench(self.config)
        if not _names(self.config, "platform") and not _names(self.config, "engine"):
            for test in self.rule.tests:
                item: OwnTest = OwnTest.from_parent(self, name=test.name)
                item.rule, item.test = self.rule, test
                yield item
        for platform_name in workbench.platforms:
            for engine_name, engine in workbench.engines(platform_name):
                form: Rendering = Rendering.from_parent(self, name=f"{platform_name}-{engine_name}")
                form.rule, form.platform_name, form.engine = self.rule, platform_name, engine
                yield form


class RuleFailureError(Exception):
    """A rule, or a rendering of one, that does not give what it must; the text says on which event."""


class _RuleItem(pytest.Item):
    rule: Rule

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """What was expected and what came, without the frames of this package."""
        if isinstance(excinfo.value, RuleFailureError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the rule stands."""
        line = self.rule.place.line - 1 if self.rule.place else None
        return self.path, line, f"{self.rule.title}: {self.name}"


class OwnTest(_RuleItem):
    """One of the rule's own tests."""

    test: RuleTest

    def runtest(self) -> None:
        """Run it under the reference evaluator."""
        import msgspec

        from converter.check.own_tests import run_tests

        alone = msgspec.structs.replace(self.rule, tests=(self.test,))
        for failure in run_tests([alone], _workbench(self.config).packs).failures:
            events = "\n".join(msgspec.json.encode(event).decode() for event in self.test.events)
            decided = self._decided()
            raise RuleFailureError(
                f"expected: {failure.expected}\ngot: {failure.got}\n{decided}event: {events}"
            )

    def _decided(self) -> str:
        """Which predicates decided, where the test is about one event and one condition."""
        from converter.check.comparison import decided_by
        from converter.events.records import log_events, packs_of

        if self.test.alerts is not None or len(self.rule.steps) > 1:
            return ""
        packs = packs_of(self.rule, _workbench(self.config).packs)
        (event,) = log_events(self.test.events, packs, trusted=True)
        return f"decided by: {decided_by(self.rule.condition, event.data)}\n"


class Rendering(_RuleItem):
    """One rendering of a rule, run by one engine."""

    platform_name: str
    engine: Engine | None

    def runtest(self) -> None:
        """Compare it with the reference evaluator."""
        from converter.check.reports import described

        pair = _workbench(self.config).checked(self.rule, self.platform_name, self.engine)
        if pair.problem is not None:
            raise RuleFailureError(pair.problem)
        if pair.disagreements:
            raise RuleFailureError("\n\n".join(map(described, pair.disagreements)))
        if pair.fidelity == "refused":
            pytest.skip(f"refused: {', '.join(pair.losses)}")
        if pair.idle:
            pytest.skip("; ".join(pair.skipped))
