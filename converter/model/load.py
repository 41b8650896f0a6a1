"""Rules from YAML files and texts.

Everything that is wrong is found before anything is raised: one :class:`RuleError` carries the findings of
all files, each with its place, what was expected, and the nearest valid name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from converter.model.attack import attack_table
from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.expressions import Expression, all_of
from converter.model.expressions_in import read_expression, read_expressions
from converter.model.files import files_at, read_text, too_large
from converter.model.problems import Problem, Problems, describe_where, steps_of
from converter.model.rule import Place, Rule
from converter.model.rule_in import read_rule
from converter.model.tables import MAX_FILE_BYTES, MAX_PROBLEMS_PER_FILE
from converter.model.yaml_in import Document, Locator, YamlProblem, read_yaml

__all__ = ["attack_table", "expression_from_data", "load_rules", "load_text", "rule_files"]

_SUFFIXES: Final = (".yaml", ".yml")


def load_rules(paths: Iterable[str | Path]) -> list[Rule]:
    """The rules of files, and of every .yaml and .yml file below folders, in order of path.

    A file may hold several YAML documents, one rule each. Raises RuleError with every finding when a path
    does not exist, a file cannot be read or is malformed, or two rules have the same id.
    """
    findings: list[Diagnostic] = []
    rules: list[Rule] = []
    for file in _files(paths, findings):
        text = read_text(file, MAX_FILE_BYTES)
        if isinstance(text, Diagnostic):
            findings.append(text)
        else:
            rules.extend(_rules_of(text, str(file), findings))
    _check_ids(rules, findings)
    _raise_if(findings)
    return rules


def load_text(text: str, file: str = "<text>") -> list[Rule]:
    """The rules of a YAML text, one a document; ``file`` is what findings call it. Raises RuleError."""
    findings: list[Diagnostic] = []
    rules: list[Rule] = []
    if len(text) > MAX_FILE_BYTES:
        findings.append(_file_finding(file, "too-large", too_large(MAX_FILE_BYTES)))
    else:
        rules.extend(_rules_of(text, file, findings))
        _check_ids(rules, findings)
    _raise_if(findings)
    return rules


def expression_from_data(data: object, where: str = "") -> Expression:
    """A condition from decoded YAML or JSON: a mapping, or a list of mappings which must all hold.

    ``where`` names the place in messages. Raises RuleError with every finding.
    """
    problems = Problems()
    if isinstance(data, list):
        expression: Expression | None = all_of(*read_expressions(data, None, problems))
    else:
        expression = read_expression(data, None, problems)
    if len(problems) or expression is None:
        findings = [_plain_finding(problem, where) for problem in problems.found]
        raise RuleError("\n".join(map(str, findings)), findings)
    return expression


def rule_files(paths: Iterable[str | Path]) -> list[Path]:
    """The rule files that ``load_rules`` reads for these paths. Raises RuleError for one that is missing."""
    findings: list[Diagnostic] = []
    found = list(_files(paths, findings))
    _raise_if(findings)
    return found


def _files(paths: Iterable[str | Path], findings: list[Diagnostic]) -> Iterator[Path]:
    seen: set[str] = set()
    for given in paths:
        found = files_at(Path(given), _is_yaml)
        if isinstance(found, Diagnostic):
            findings.append(found)
            continue
        for file in found:
            key = os.path.abspath(file)
            if key not in seen:
                seen.add(key)
                yield file


def _is_yaml(file: Path) -> bool:
    return file.name.endswith(_SUFFIXES)


def _rules_of(text: str, file: str, findings: list[Diagnostic]) -> Iterator[Rule]:
    """The rules of one file's text; what is wrong goes to ``findings``, at most so many a file."""
    documents, yaml_problems = read_yaml(text)
    new = [_yaml_finding(problem, documents, file) for problem in yaml_problems]
    if not documents and not new:
        new.append(_file_finding(file, "empty", "the file holds no rule"))
    locator = Locator(text)
    unseen = 0
    for document in documents:
        if document.data is None and len(documents) > 1:
            continue
        problems = Problems(max(0, MAX_PROBLEMS_PER_FILE - len(new)))
        rule = read_rule(document.data, Place(file, document.line), problems)
        unseen += len(problems) - len(problems.found)
        new.extend(_located(problem, document, locator, file) for problem in problems.found)
        if rule is not None and not yaml_problems:
            yield rule
    new.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
    unseen += len(new) - MAX_PROBLEMS_PER_FILE if len(new) > MAX_PROBLEMS_PER_FILE else 0
    if unseen:
        del new[MAX_PROBLEMS_PER_FILE:]
        new.append(_file_finding(file, "more", f"{unseen} more findings in this file are not shown"))
    findings.extend(new)


def _check_ids(rules: list[Rule], findings: list[Diagnostic]) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.id, rule)
        if other is not rule and rule.place is not None:
            where = f" at {other.place.file}:{other.place.line}" if other.place else ""
            message = f"another rule{where} has the same id"
            hint = "give one of them a new UUID"
            findings.append(
                _file_finding(rule.place.file, "duplicate-id", message, rule.place.line, 1, hint, rule.id)
            )


def _raise_if(findings: list[Diagnostic]) -> None:
    if findings:
        raise RuleError("\n".join(map(str, findings)), findings)


# Findings as diagnostics -----------------------------------------------------------------------------


def _file_finding(
    file: str,
    code: str,
    message: str,
    line: int | None = None,
    column: int | None = None,
    hint: str | None = None,
    rule_id: str | None = None,
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        hint=hint,
        file=file,
        line=line,
        column=column,
        rule_id=rule_id,
    )


def _yaml_finding(problem: YamlProblem, documents: list[Document], file: str) -> Diagnostic:
    around = next((document for document in reversed(documents) if document.line <= problem.line), None)
    rule_id = None if around is None else _rule_id(around.data)
    return _file_finding(
        file, problem.code, problem.message, problem.line, problem.column, problem.hint, rule_id
    )


def _rule_id(data: object) -> str | None:
    """The id that a document claims, where it can be shown."""
    claimed = data.get("id") if isinstance(data, dict) else None
    return claimed if isinstance(claimed, str) and len(claimed) < 100 and claimed.isprintable() else None


def _located(problem: Problem, document: Document, locator: Locator, file: str) -> Diagnostic:
    steps = steps_of(problem.where)
    line, column = locator.position(document.index, steps, problem.on_key)
    place = describe_where(problem.where)
    message = f"{place}: {problem.message}" if place else problem.message
    rule_id = _rule_id(document.data)
    return _file_finding(file, problem.code, message, line, column, problem.hint, rule_id)


def _plain_finding(problem: Problem, where: str) -> Diagnostic:
    place = ".".join(part for part in (where, describe_where(problem.where)) if part)
    message = f"{place}: {problem.message}" if place else problem.message
    return Diagnostic(code=problem.code, severity=Severity.ERROR, message=message, hint=problem.hint)
