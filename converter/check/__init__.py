"""Do the derived forms agree with their rule? Test vectors, runner, report."""

from converter.check.report import Disagreement, Pair, Report, Summary
from converter.check.runner import Options, check_rules

__all__ = ["Disagreement", "Options", "Pair", "Report", "Summary", "check_rules"]
