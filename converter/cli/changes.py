"""What changed since a git revision, or since a baseline that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from converter.check import baseline as kept
from converter.check.baseline import Baseline, Events, Rendered, Samples
from converter.check.report import Change
from converter.check.revision import rendered_then, taken_out
from converter.cli.options import Workspace
from converter.logsources import load_packs
from converter.model.diagnostics import RuleError
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.base import Context
from converter.platforms.registry import platform
from converter.platforms.templating import templates_folder
from converter.project import find_project


def keep(folder: Path, workspace: Workspace, rules: Sequence[Rule], names: Sequence[str]) -> None:
    """Write what the rules do now into a folder."""
    platforms = [platform(name) for name in names]
    rendered = kept.render_all(rules, platforms, {name: workspace.context(name) for name in names})
    kept.save(folder, *kept.record(rendered, platforms, [Samples(rules, workspace.packs)]))


def changed_since(
    baseline: str, workspace: Workspace, rules: Sequence[Rule], paths: tuple[Path, ...], names: Sequence[str]
) -> list[Change]:
    """What is different now. ``baseline``: a folder that holds one, else a git revision; then ``paths`` are
    looked for in it. Raises RuleError for neither, and for rules of that time that cannot be loaded.
    """
    platforms = [platform(name) for name in names]
    rendered = kept.render_all(rules, platforms, {name: workspace.context(name) for name in names})
    if (Path(baseline) / kept.FILE_NAME).is_file():
        before, events = kept.stored(Path(baseline))
        chosen = {rule.id for rule in rules}
        if paths:
            entries = {rule_id: entry for rule_id, entry in before.rules.items() if rule_id in chosen}
            before = Baseline(tool=before.tool, rules=entries)
    else:
        before, events = _at_revision(baseline, workspace, rendered, paths, names)
    return list(kept.changes(before, events, rendered, platforms))


def _at_revision(
    revision: str,
    workspace: Workspace,
    now: Sequence[Rendered],
    paths: tuple[Path, ...],
    names: Sequence[str],
) -> tuple[Baseline, Events]:
    """What the revision's rules did, on their own samples and on those of today's rules."""
    root = Path(workspace.project.root).resolve()
    platforms = [platform(name) for name in names]
    with taken_out(revision, root, templates_folder()) as then:
        project = find_project(then.root)
        wanted = [then.root / _inside(path, root) for path in paths] or [then.root / project.rules]
        files = [path for path in wanted if path.exists()]
        if not files:
            return Baseline(tool="", rules={}), Events()
        old_rules = load_rules(files)
        packs = load_packs(project.pack_folders)
        settings = {name: project.platforms.get(name, {}) for name in names}
        contexts = {name: Context(packs=packs, settings=settings[name]) for name in names}
        artifacts = rendered_then(then, files, project.pack_folders, settings)
        rendered = [
            Rendered(rule=rule, artifacts=dict(zip(names, found, strict=True)), contexts=contexts)
            for rule, found in zip(old_rules, artifacts, strict=True)
        ]
        rules = {one.rule.id: one.rule for one in now}
        samples = [Samples(old_rules, packs), Samples(list(rules.values()), workspace.packs)]
        return kept.record(rendered, platforms, samples, rules, kept.same_now(rendered, now))


def _inside(path: Path, root: Path) -> Path:
    """The path from the root of the project."""
    if not path.resolve().is_relative_to(root):
        raise RuleError(f"{path} is outside {root}, and so in no revision of it")
    return path.resolve().relative_to(root)
