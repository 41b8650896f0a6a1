"""How Elastic counts over time: over all that a scheduled run looks back on."""

from __future__ import annotations

import tomllib
from datetime import timedelta

from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context, WindowKind, Windows
from converter.platforms.elastic.fields import PLATFORM
from converter.platforms.elastic.schedule import MINUTE, parse_since
from converter.platforms.elastic.settings import interval_of, read_settings

_DEFAULT_INTERVAL = "5m"
_DEFAULT_FROM = "now-6m"


def windows(rule: Rule, artifact: Artifact, context: Context) -> Windows:
    """The artifact's schedule; a run looks back at least as far as the settings ask for."""
    data = tomllib.loads(artifact.files[0].text)["rule"]
    settings, _ = read_settings(context.settings, rule.platforms.get(PLATFORM, {}))
    return Windows(
        kind=WindowKind.RUNS,
        interval=interval_of(data.get("interval", _DEFAULT_INTERVAL)),
        unit=MINUTE,
        shortest=parse_since(settings.from_) if settings.from_ else timedelta(),
        history_unit=MINUTE,
        look_back=parse_since(data.get("from", _DEFAULT_FROM)),
    )
