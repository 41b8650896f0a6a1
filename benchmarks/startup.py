"""Seconds until a program has told its version."""

from __future__ import annotations

from benchmarks.timing import BIN, program, table


def main() -> None:
    """Print the figures of this program and of sigma-cli."""
    ours = program(BIN / "convert", "--version", repeats=9).wall
    helped = program(BIN / "convert", "--help", repeats=5).wall
    theirs = program(BIN / "sigma", "--help", repeats=5).wall
    version = program(BIN / "sigma", "version", repeats=3).wall
    table(
        "Start-up (median wall time)",
        [
            ("convert --version", f"{ours:.3f} s"),
            ("convert --help", f"{helped:.3f} s"),
            ("sigma version (may ask the network)", f"{version:.3f} s"),
            ("sigma --help", f"{theirs:.3f} s"),
            ("sigma version / convert --version", f"{version / ours:.1f}"),
        ],
    )


if __name__ == "__main__":
    main()
