"""The rules of a git revision as they were, rendered by this tool with the templates of that time.

The rules, the project's settings, its log-source packs and, in a source tree of this package, the templates
are taken out of the revision into a temporary folder. Templates are loaded once per process, so another
process renders.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from converter.model.diagnostics import RuleError
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.base import Artifact

_SECONDS = 600
_PACKAGE = Path(__file__).resolve().parent.parent


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A revision taken out: ``root``: where the project lies in the temporary folder; ``templates``: those of
    that time, if they are in the same repository.
    """

    root: Path
    templates: Path | None


@contextmanager
def taken_out(revision: str, root: Path, templates: Path) -> Iterator[Revision]:
    """A revision of the repository that the project's ``root`` lies in, as long as the context lasts.

    Raises RuleError where there is no repository, or no such revision in it.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    tree = _git(top, "archive", "--format=tar", commit.decode().strip())
    with tempfile.TemporaryDirectory(prefix="convert-baseline-") as folder:
        with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
            archive.extractall(folder, filter="data")
        yield Revision(
            root=Path(folder) / root.resolve().relative_to(top.resolve()),
            templates=_inside(templates, top, Path(folder)),
        )


def _inside(templates: Path, top: Path, folder: Path) -> Path | None:
    """Where the templates of that time are; None if they do not belong to the repository."""
    if not templates.resolve().is_relative_to(top.resolve()):
        return None
    then = folder / templates.resolve().relative_to(top.resolve())
    return then if then.is_dir() else None


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - git itself, with arguments as a list
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the git that the user has
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuleError(f"git cannot be run: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise RuleError(f"git {arguments[0]} {arguments[-1]}: {said or 'no such revision'}")
    return done.stdout


def rendered_then(
    revision: Revision,
    paths: Sequence[Path],
    pack_folders: Sequence[Path],
    settings: Mapping[str, Mapping[str, Any]],
) -> list[list[Artifact]]:
    """For each rule at ``paths`` (in the revision's folder) its artifacts, in the order of ``settings``: a
    platform's name → the project's settings for it at that time.

    Raises RuleError for rules of that time that this version cannot load.
    """
    order = _Order(
        templates=None if revision.templates is None else str(revision.templates),
        paths=tuple(map(str, paths)),
        pack_folders=tuple(map(str, pack_folders)),
        settings={name: dict(values) for name, values in settings.items()},
    )
    done = subprocess.run(  # noqa: S603 - this package, in another process
        [sys.executable, "-P", "-m", __name__],
        input=msgspec.msgpack.encode(order),
        env={**os.environ, "PYTHONPATH": str(_PACKAGE.parent)},
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuleError(f"the revision cannot be rendered: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.msgpack.decode(done.stdout, type=list[list[Artifact]])


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the other process is asked to render."""

    templates: str | None
    paths: tuple[str, ...]
    pack_folders: tuple[str, ...]
    settings: dict[str, dict[str, Any]]


def _obey(order: _Order) -> list[list[Artifact]]:
    from converter.logsources import load_packs
    from converter.platforms.base import Context
    from converter.platforms.registry import platform
    from converter.platforms.templating import take_templates

    if order.templates is not None:
        take_templates(Path(order.templates))
    packs = load_packs(map(Path, order.pack_folders))
    writers = [
        (platform(name), Context(packs=packs, settings=settings)) for name, settings in order.settings.items()
    ]
    rules: list[Rule] = load_rules([Path(path) for path in order.paths])
    return [[writer.render(rule, context) for writer, context in writers] for rule in rules]


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.msgpack.encode(_obey(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Order)))
    )
