"""From a Python detection to what its functions say."""

from __future__ import annotations

from collections.abc import Sequence

from converter.model.diagnostics import Fidelity, Severity
from converter.platforms.panther.importing.python.interface import Detection, Modules, PythonSource, finding
from converter.platforms.panther.importing.python.shapes import Shapes


def read_detection(
    source: PythonSource, modules: Modules, log_types: Sequence[str], shapes: Shapes
) -> Detection:
    """What ``rule()`` and the functions beside it say. Never raises for what the text holds."""
    problem = finding(
        "python",
        "this detection is not read",
        file=source.file,
        severity=Severity.ERROR,
        effect=Fidelity.REFUSED,
    )
    return Detection(fidelity=Fidelity.REFUSED, diagnostics=(problem,))
