"""The table of canonical_rules/README.md. ``python -m tests.canonical_rules.overview`` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from converter.model.expressions import (
    Concat,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Subject,
    changes_of,
    children,
    elements_asked,
    functions_in,
    predicates,
    references,
)
from converter.model.load import load_rules
from converter.model.rule import MissingKeys, Rule, Threshold, WindowStart

FOLDER = Path(__file__).parents[2] / "canonical_rules"
README = FOLDER / "README.md"
PLATFORMS = ("elastic", "panther", "splunk")
"""The platforms that the pack is written for."""
_TABLE = re.compile(r"(?ms)^\| Rule \|.*?(?=^[^|]|\Z)")


def expressions(rule: Rule) -> Iterator[Expression]:
    """Every top-level condition of the rule: indicators and exclusions of all steps."""
    for step in rule.steps:
        yield from step.indicators
        yield from step.exclusions


def nodes(expression: Expression) -> Iterator[Expression]:
    """The expression and every node below it."""
    yield expression
    for child in children(expression):
        yield from nodes(child)


def all_nodes(rule: Rule) -> Iterator[Expression]:
    """Every node of every condition of the rule."""
    for expression in expressions(rule):
        yield from nodes(expression)


def features(rule: Rule) -> list[str]:
    """What the rule shows of the language, in words: streams first, then operators, then functions."""
    found = [*_stream_features(rule)]
    if len(rule.logsource) > 1 and rule.sequence is None:
        found.append("several log sources")
    tree = list(all_nodes(rule))
    lists = [elements_asked(node.term) for node in tree if isinstance(node, ForSome)]
    found += ["for_some"] if any(objects for _, objects in lists) else []
    found += ["for_some of plain values"] if any(itself for itself, _ in lists) else []
    found += ["not"] if any(isinstance(node, Not) and not _is_missing(node) for node in tree) else []
    leaves = [leaf for expression in expressions(rule) for leaf in predicates(expression)]
    found += ["concat"] if any(isinstance(subject, Concat) for subject in _subjects(leaves)) else []
    found += ["a field as operand"] if any(map(_compares_fields, leaves)) else []
    found += sorted({leaf.operator.value for leaf in leaves} - {"is"})
    found += sorted({function.name.value for leaf in leaves for function in functions_in(leaf)})
    found += [flag for flag in ("ignore_case", "all_of") if any(getattr(leaf, flag) for leaf in leaves)]
    found += ["index"] if any(_indexed(leaf) for leaf in leaves) else []
    return found or ["is"]


def _subjects(leaves: list[Predicate]) -> Iterator[Subject]:
    """What the predicates and their operands are asked of."""
    for leaf in leaves:
        yield leaf.subject
        yield from (changes_of(operand)[0] for operand in references(leaf))


def _compares_fields(leaf: Predicate) -> bool:
    """Whether an operand is a value of the event, where the operator does not say so itself."""
    return leaf.operator is not Operator.SAME_AS and bool(references(leaf))


def _stream_features(rule: Rule) -> Iterator[str]:
    if rule.threshold is not None:
        what = f"{rule.threshold.count} distinct" if rule.threshold.distinct else f"{rule.threshold.count}"
        grouped = rule.threshold.by or rule.threshold.choices
        yield f"threshold of {what}{' per group' if grouped else ''}"
        yield from (
            key for key in ("choices", "missing_keys", "every", "having") if _is_given(rule.threshold, key)
        )
    if rule.sequence is not None:
        steps = rule.sequence.steps
        yield f"sequence of {len(steps)}"
        yield from ("absent step" for step in steps if step.absent)
        yield from (f"{step.repeat} in a row" for step in steps if step.repeat > 1)
    if rule.new_terms is not None:
        yield f"new terms of {len(rule.new_terms.fields)}"


def _is_given(threshold: Threshold, key: str) -> bool:
    return getattr(threshold, key) not in (None, (), MissingKeys.SKIP, WindowStart.SLIDING)


def _is_missing(node: Not) -> bool:
    """Whether this is how ``exists: false`` is read."""
    return isinstance(node.term, Predicate) and node.term.operator is Operator.EXISTS


def _indexed(leaf: Predicate) -> bool:
    return not isinstance(leaf.subject, Concat) and any(isinstance(step, int) for step in leaf.subject.steps)


def sources(rule: Rule) -> list[str]:
    """The rule's log sources, those of its steps included, in order."""
    return list(dict.fromkeys(name for step in rule.steps for name in step.logsource))


def table(rules: list[Rule], folder: Path = FOLDER) -> str:
    """The table in Markdown, one row a rule, in the order of the files."""
    rows = ["| Rule | Log source | Severity | Shows |", "|---|---|---|---|"]
    for rule in rules:
        assert rule.place is not None
        path = Path(rule.place.file).relative_to(folder).as_posix()
        cells = (
            f"[{rule.title}]({path})",
            ", ".join(sources(rule)),
            rule.severity.value,
            ", ".join(features(rule)),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Put today's table into the README, in place of the one that is there."""
    text = README.read_text(encoding="utf-8")
    new, count = _TABLE.subn(lambda _: table(load_rules([FOLDER])), text)
    if count != 1:
        raise SystemExit(f"{README} holds {count} tables that begin with '| Rule |'")
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
