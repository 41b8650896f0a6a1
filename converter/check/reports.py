"""A report in the forms that other programs read: its findings as diagnostics, and JUnit's XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as XML

import msgspec

from converter.check.report import Disagreement, Pair, Report
from converter.check.sarif import sarif_log
from converter.model.diagnostics import Diagnostic, Fidelity, Severity


def findings(report: Report) -> Iterator[Diagnostic]:
    """Everything the report says, each with the file and line of its rule: what disagrees, what could not be
    run, the losses and notes of the renderings, and what was said on the way.
    """
    yield from report.diagnostics
    for pair in report.pairs:
        for diagnostic in pair.diagnostics:
            yield placed(diagnostic, pair)
        if pair.problem is not None:
            yield _finding(pair, "not-run", f"{pair.engine}: {pair.problem}")
        for disagreement in pair.disagreements:
            yield _finding(pair, "disagreement", f"{pair.engine}: {described(disagreement)}")
    for change in report.changes:
        yield change.diagnostic


FORMATS: Final = ("json", "junit", "sarif")


def written(report: Report, form: str) -> str:
    """The report as the text of a file in one of :data:`FORMATS`."""
    if form == "junit":
        return junit(report)
    value = sarif_log(findings(report)) if form == "sarif" else report
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def placed(diagnostic: Diagnostic, pair: Pair) -> Diagnostic:
    """The diagnostic with the place of the pair's rule, if it has none of its own."""
    if diagnostic.file is not None:
        return diagnostic
    return msgspec.structs.replace(diagnostic, file=pair.file, line=pair.line)


def described(found: Disagreement) -> str:
    """A disagreement in a few lines: where from, what was expected, what decided it, and the event."""
    decided = f"\ndecided by: {found.predicate}" if found.predicate else ""
    event = msgspec.json.encode(found.event).decode()
    return f"{found.origin}: expected {found.expected}, got {found.got}{decided}\nevent: {event}"


def junit(report: Report) -> str:
    """The report as JUnit XML, as test runners and CI servers read it.

    A suite for each platform and engine (and one for what changed), a case for each rule. A disagreement is
    a failure, a text that could not be run an error; a refused rule is skipped, and so is one that the
    engine skipped altogether.
    """
    suites: dict[tuple[str, str], list[Pair]] = {}
    for pair in report.pairs:
        suites.setdefault((pair.platform, pair.engine), []).append(pair)
    root = XML.Element("testsuites", name="convert check")
    for (platform, engine), pairs in suites.items():
        suite = XML.SubElement(root, "testsuite", name=f"{platform} {engine}")
        for pair in pairs:
            _case(suite, pair)
        _count(suite)
    if report.changes:
        suite = XML.SubElement(root, "testsuite", name="changes since the baseline")
        for change in report.changes:
            case = XML.SubElement(
                suite, "testcase", name=_plain(change.title), classname=f"{change.platform}.{change.rule}"
            )
            _said(case, "failure", change.kind, change.diagnostic.message)
        _count(suite)
    _count(root)
    XML.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + XML.tostring(root, encoding="unicode") + "\n"


_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _count(element: XML.Element) -> None:
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(sum(1 for _ in element.iter(tag))))


def _case(suite: XML.Element, pair: Pair) -> None:
    case = XML.SubElement(
        suite, "testcase", name=_plain(pair.title), classname=f"{pair.platform}.{pair.rule}"
    )
    if pair.file is not None:
        case.set("file", pair.file)
    if pair.line is not None:
        case.set("line", str(pair.line))
    if pair.problem is not None:
        _said(case, "error", pair.problem, pair.problem)
    elif pair.disagreements:
        texts = [described(found) for found in pair.disagreements]
        _said(case, "failure", texts[0].partition("\n")[0], "\n\n".join(texts))
    elif pair.fidelity is Fidelity.REFUSED:
        reasons = [found.message for found in pair.diagnostics if found.severity is Severity.ERROR]
        _said(case, "skipped", "refused: " + "; ".join(reasons))
    elif pair.skipped and not pair.events:
        _said(case, "skipped", "; ".join(pair.skipped))


def _said(case: XML.Element, tag: str, message: str, text: str | None = None) -> None:
    element = XML.SubElement(case, tag, message=_plain(message))
    element.text = None if text is None else _plain(text)


def _plain(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold (section 2.2), written as escapes."""
    return "".join(c if _allowed(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def _allowed(character: str) -> bool:
    code = ord(character)
    return (
        (code >= 0x20 or character in "\t\n\r") and not 0xD800 <= code <= 0xDFFF and code & 0xFFFE != 0xFFFE
    )


def _finding(pair: Pair, code: str, message: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        file=pair.file,
        line=pair.line,
        rule_id=pair.rule,
        platform=pair.platform,
    )
