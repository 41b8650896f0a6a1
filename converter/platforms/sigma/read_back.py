"""From the writer's files to rules over Sigma's own field names, by the text alone."""

from __future__ import annotations

from converter.model.diagnostics import RuleError
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context, ReadContext
from converter.platforms.sigma.reader import read_stored


def read_back(artifact: Artifact, context: Context) -> Rule:
    """What the artifact's file says. Raises RuleError where it is not one rule that can be read."""
    file = artifact.files[0]
    home = file.path.partition("/")[0]
    found = read_stored(file.text, file.path, ReadContext(packs=context.packs), home)
    diagnostics = [diagnostic for one in found for diagnostic in one.diagnostics]
    rules = [one.rule for one in found if one.rule is not None]
    if len(found) != 1 or len(rules) != 1:
        message = "; ".join(map(str, diagnostics)) or f"{file.path} holds {len(found)} rules"
        raise RuleError(message, diagnostics)
    return rules[0]
