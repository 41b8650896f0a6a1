"""The command line: ``convert``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. ``--version`` alone is answered before anything else is imported."""
    if sys.argv[1:] == ["--version"]:
        from converter import __version__

        print(f"convert {__version__}")
        return
    from converter.cli.app import run

    run()
