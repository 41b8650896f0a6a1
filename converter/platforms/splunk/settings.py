"""What a team sets for Splunk: ``platforms: {splunk: {…}}`` of a rule, over the team's defaults.

The vocabularies (types, security domains, asset types, products, object types) are those of contentctl 5.6,
the tool that builds Splunk apps from detection files (contentctl.objects.enums, contentctl.objects.rba).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from converter.model.diagnostics import RuleError

AnalyticsType = Literal["TTP", "Anomaly", "Hunting"]
SecurityDomain = Literal["endpoint", "network", "threat", "identity", "access", "audit"]
Window = Literal["sliding", "tumbling"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]+$")]
Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+$")]
TimeModifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9@+\-:/.]+$")]
FieldName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.{}:-]+$")]


class RiskObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field whose value is at risk: contentctl's ``risk_objects`` entry. ``score``: 1 to 100."""

    field: FieldName
    type: Literal["system", "user", "other"]
    score: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class ThreatObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that names what acts: contentctl's ``threat_objects`` entry."""

    field: FieldName
    type: Name


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one rule. ``None`` leaves the choice to the writer.

    ``index``: searched in place of the log source's default. ``macro``: the team's own macro for the log
    source, which it keeps itself. ``window: tumbling`` counts a threshold in fixed windows. ``earliest`` and
    ``latest``: the time range of a run. ``attack_data``: addresses of sample logs for contentctl's tests.
    """

    index: FieldName | None = None
    macro: Name | None = None
    type: AnalyticsType | None = None
    schedule: Line = "*/15 * * * *"
    earliest: TimeModifier | None = None
    latest: TimeModifier = "now"
    window: Window = "sliding"
    enabled: bool = False
    security_domain: SecurityDomain | None = None
    asset_type: Line | None = None
    analytic_story: tuple[Line, ...] = ()
    product: tuple[Line, ...] = ("Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud")
    data_source: tuple[Line, ...] = ()
    risk_objects: tuple[RiskObject, ...] = ()
    threat_objects: tuple[ThreatObject, ...] = ()
    attack_data: tuple[Line, ...] = ()
    how_to_implement: str | None = None
    author: Line | None = None
    version: Annotated[int, msgspec.Meta(ge=0)] = 1
    email: tuple[Line, ...] = ()
    allow_loss: tuple[str, ...] = ()


DEFAULT = Settings()


def settings_of(own: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> Settings:
    """A rule's settings over the team's. Raises RuleError naming the key that is wrong."""
    if not own and not defaults:
        return DEFAULT
    try:
        return msgspec.convert({**defaults, **(own or {})}, Settings)
    except msgspec.ValidationError as error:
        raise RuleError(f"platforms.splunk: {error}") from error
