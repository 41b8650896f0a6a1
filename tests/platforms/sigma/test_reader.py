"""What Sigma's detections and conditions mean."""

from __future__ import annotations

import pytest

from tests.platforms.sigma.support import cases, expression, read_one, rule_text


@pytest.mark.parametrize(("detection", "expected"), list(cases("detections.txt")))
def test_detections(detection: str, expected: str) -> None:
    read = read_one(rule_text(detection))
    if expected.startswith("refused"):
        assert read.rule is None
        assert read.status == "refused"
        codes = {diagnostic.code for diagnostic in read.diagnostics}
        assert codes == {expected.split()[1]}
        assert all(diagnostic.line is not None for diagnostic in read.diagnostics)
    else:
        assert read.status == "exact", read.diagnostics
        assert read.rule is not None
        assert read.rule.condition == expression(expected)
