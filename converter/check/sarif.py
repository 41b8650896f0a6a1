"""Diagnostics as SARIF 2.1.0, what code hosts show beside the lines of a change.

OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0": sections 3.13 (log), 3.14 (run),
3.27 (result), 3.29 (physicalLocation), 3.30 (region).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from converter import __version__
from converter.model.diagnostics import Diagnostic, Severity

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def sarif_log(diagnostics: Iterable[Diagnostic], root: Path | None = None) -> dict[str, Any]:
    """One run with a result for each diagnostic. ``root`` (default: the current folder) is what files are
    named from; those outside it get absolute URIs.
    """
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    base = (root or Path.cwd()).resolve()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "rule-converter",
                        "version": __version__,
                        "rules": [{"id": code} for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, codes, base) for diagnostic in found],
            }
        ],
    }


def _result(diagnostic: Diagnostic, codes: list[str], base: Path) -> dict[str, Any]:
    about = f"{diagnostic.platform}: " if diagnostic.platform else ""
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": f"{about}{diagnostic.message}{hint}"},
        "partialFingerprints": {"finding/v1": _fingerprint(diagnostic)},
    }
    if diagnostic.file is not None:
        result["locations"] = [_location(diagnostic, diagnostic.file, base)]
    properties = {"rule": diagnostic.rule_id, "platform": diagnostic.platform, "effect": diagnostic.effect}
    known = {name: str(value) for name, value in properties.items() if value is not None}
    if known:
        result["properties"] = known
    return result


def _location(diagnostic: Diagnostic, file: str, base: Path) -> dict[str, Any]:
    path = Path(file).resolve()
    inside = path.is_relative_to(base)
    uri = _escaped(path.relative_to(base).as_posix()) if inside else path.as_uri()
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if diagnostic.line is not None:
        column = {} if diagnostic.column is None else {"startColumn": diagnostic.column}
        place["region"] = {"startLine": diagnostic.line, **column}
    return {"physicalLocation": place}


def _escaped(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _fingerprint(diagnostic: Diagnostic) -> str:
    """The same for the same finding when lines move: what is found, of which rule, where."""
    parts = (diagnostic.code, diagnostic.rule_id, diagnostic.platform, diagnostic.message)
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
