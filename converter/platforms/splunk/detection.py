"""A rule as a contentctl 5.6 detection: which values its fields take. templates/splunk lays them out.

What the tool requires is in its own models (contentctl.objects: detection_abstract, detection_tags, rba,
drilldown, unit_test, deployment); the docstrings below say which rule a choice answers to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Level, Rule, Status
from converter.platforms.splunk.names import Names
from converter.platforms.splunk.query import Query
from converter.platforms.splunk.settings import RiskObject, Settings, ThreatObject
from converter.platforms.splunk.spl.text import is_nameable

_STATUS: Final = {
    Status.STABLE: "production",
    Status.TEST: "experimental",
    Status.EXPERIMENTAL: "experimental",
    Status.DEPRECATED: "deprecated",
}
_SCORE: Final = {Level.INFO: 10, Level.LOW: 25, Level.MEDIUM: 50, Level.HIGH: 75, Level.CRITICAL: 95}
_RISK_TYPE: Final = {
    "user": "user",
    "username": "user",
    "email": "user",
    "host": "system",
    "hostname": "system",
}
_THREAT_TYPE: Final = {
    "ip": "ip_address",
    "ip_address": "ip_address",
    "address": "ip_address",
    "process": "process",
    "process_name": "process_name",
    "file": "file_path",
    "file_path": "file_path",
    "hash": "file_hash",
    "domain": "domain",
    "url": "url",
    "command": "command",
    "user_agent": "http_user_agent",
}
_DOMAIN_WORDS: Final = (
    ("endpoint", ("windows", "linux", "macos", "process", "file", "endpoint", "edr")),
    ("identity", ("okta", "azuread", "entra", "google_workspace", "duo", "onelogin")),
    ("network", ("network", "dns", "proxy", "firewall", "zeek", "vpc", "web")),
    ("audit", ("github", "gitlab", "kubernetes", "audit")),
)
_ASSET_WORDS: Final = (
    ("Kubernetes", ("kubernetes", "eks", "gke", "aks")),
    ("AWS Account", ("aws", "cloudtrail")),
    ("Okta Tenant", ("okta",)),
    ("GitHub", ("github",)),
    ("Azure Tenant", ("azure", "entra")),
    ("GCP", ("gcp", "google")),
    ("O365 Tenant", ("o365", "m365")),
    ("Web Server", ("web", "apache", "nginx", "iis")),
    ("Network", ("network", "dns", "firewall", "zeek")),
    ("Endpoint", ("windows", "linux", "macos", "process", "file")),
)
OLDEST_DATE: Final = "2000-01-01"
"""The date of a rule that has none: contentctl wants one, and a render must not depend on today's."""
_SHORTEST_TEXT = 4


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a detection file, in the order in which it shows them. Texts are not escaped yet."""

    names: Names
    id: str
    version: int
    date: str
    author: str
    status: str
    type: str
    description: str
    data_source: tuple[str, ...]
    search: str
    how_to_implement: str
    known_false_positives: str
    references: tuple[str, ...]
    drilldowns: tuple[tuple[str, str], ...]
    message: str
    risk_objects: tuple[RiskObject, ...]
    threat_objects: tuple[ThreatObject, ...]
    analytic_story: tuple[str, ...]
    asset_type: str
    techniques: tuple[str, ...]
    product: tuple[str, ...]
    security_domain: str
    manual_test: str
    throttle_fields: tuple[str, ...]
    throttle_period: str
    attack_data: tuple[str, ...]
    source: str
    sourcetype: str
    score: int
    severity: str
    title: str


def detection_of(
    rule: Rule, names: Names, query: Query, packs: Sequence[Pack], settings: Settings, losses: Losses
) -> Detection:
    """The detection of a rule."""
    search = query.text(names.filter_macro)
    score = min(100, max(1, rule.risk.score if rule.risk is not None else _SCORE[rule.severity]))
    status = _STATUS[rule.status]
    risk, threats = _objects(rule, query, packs, settings, score)
    type_ = _type(rule, settings, risk, losses)
    if type_ == "Hunting":
        risk, threats = (), ()
    period, fields = _throttle(rule, query, losses)
    told = packs[0].platforms.get("splunk", {}) if packs else {}
    return Detection(
        names=names,
        id=rule.id.lower(),
        version=settings.version,
        date=rule.updated or rule.created or OLDEST_DATE,
        author=(settings.author or rule.author or "unknown")[:255],
        status=status,
        type=type_,
        description=(rule.description or rule.title)[:10_000],
        data_source=settings.data_source,
        search=search,
        how_to_implement=_prose(
            settings.how_to_implement,
            "Bring the log source's events into Splunk and set its macro to where they are.",
        ),
        known_false_positives=_prose("\n".join(rule.false_positives), "None are known yet."),
        references=tuple(text for text in rule.references if text.startswith(("http://", "https://"))),
        drilldowns=_drilldowns(risk) if type_ != "Hunting" else (),
        message=_message(rule, query),
        risk_objects=risk,
        threat_objects=threats,
        analytic_story=settings.analytic_story,
        asset_type=settings.asset_type or _by_words(rule, _ASSET_WORDS, "Infrastructure"),
        techniques=_techniques(rule),
        product=settings.product,
        security_domain=settings.security_domain or _by_words(rule, _DOMAIN_WORDS, "threat"),
        manual_test=_manual_test(status, settings),
        throttle_fields=fields,
        throttle_period=period,
        attack_data=settings.attack_data,
        source=str(told.get("source") or told.get("sourcetype") or "unknown"),
        sourcetype=str(told.get("sourcetype") or "unknown"),
        score=score,
        severity=rule.severity.value,
        title=rule.title,
    )


def _prose(text: str | None, otherwise: str) -> str:
    """A text of the length that the tool asks for."""
    return text if text and len(text.strip()) >= _SHORTEST_TEXT else otherwise


def _type(rule: Rule, settings: Settings, risk: Sequence[RiskObject], losses: Losses) -> str:
    """TTP and Anomaly must name a risk object, Hunting must not."""
    wanted = settings.type
    if wanted is None:
        wanted = {Level.INFO: "Hunting", Level.LOW: "Anomaly"}.get(rule.severity, "TTP")  # type: ignore[assignment]
    if wanted != "Hunting" and not risk:
        losses.note(
            "no-risk-object",
            f"written as Hunting: {wanted} needs a field at risk, and the search names no user or host",
            "set platforms.splunk.risk_objects, or add a user or host field to output",
        )
        return "Hunting"
    return wanted or "TTP"


def _objects(
    rule: Rule, query: Query, packs: Sequence[Pack], settings: Settings, score: int
) -> tuple[tuple[RiskObject, ...], tuple[ThreatObject, ...]]:
    """Fields at risk and fields that threaten: the settings', else the log source's entities shown."""
    risk = tuple(
        entry if entry.score is not None else msgspec.structs.replace(entry, score=score)
        for entry in settings.risk_objects
    )
    threats = settings.threat_objects
    if risk and threats:
        return risk, threats
    found_risk: dict[str, RiskObject] = {}
    found_threats: dict[str, ThreatObject] = {}
    candidates = [output.field for output in rule.output]
    candidates += rule.alert.group_by
    candidates += rule.threshold.by if rule.threshold is not None else ()
    for path in candidates:
        for entity in _entities(path, packs):
            column = query.columns.final(query.columns.name(path))
            if not is_nameable(column) or " " in column:
                continue
            if entity in _RISK_TYPE:
                found_risk.setdefault(column, _risk_object(column, _RISK_TYPE[entity], score))
            elif entity in _THREAT_TYPE:
                found_threats.setdefault(column, ThreatObject(column, _THREAT_TYPE[entity]))
    if not risk and not found_risk and found_threats:
        column = next(iter(found_threats))
        found_risk[column] = _risk_object(column, "other", score)
    return risk or tuple(found_risk.values()), threats or tuple(found_threats.values())


def _risk_object(column: str, kind: str, score: int) -> RiskObject:
    return RiskObject(column, kind, score)  # type: ignore[arg-type]


def _entities(path: FieldPath, packs: Sequence[Pack]) -> list[str]:
    """The kinds of entity that a field names, in the singular that the tables above use."""
    plain = path.without_indexes()
    kinds = []
    for pack in packs:
        for kind, paths in pack.entities.items():
            if any(plain == other.without_indexes() for other in paths):
                kinds.append(kind)
                kinds.append(kind.removesuffix("es") if kind.endswith("sses") else kind.removesuffix("s"))
    return kinds


def _techniques(rule: Rule) -> tuple[str, ...]:
    """MITRE techniques; a technique whose sub-technique is listed too is left out, as the tool demands."""
    ids = dict.fromkeys(tag.technique for tag in rule.attack if tag.technique is not None)
    return tuple(one for one in ids if not any(other.startswith(one + ".") for other in ids))


def _by_words(rule: Rule, table: Sequence[tuple[str, Sequence[str]]], otherwise: str) -> str:
    names = {name for step in rule.steps for name in step.logsource}
    words = {word for name in names for word in name.lower().replace("_", ".").split(".")}
    return next((value for value, known in table if words.intersection(known)), otherwise)


def _message(rule: Rule, query: Query) -> str:
    """The alert's title with ``$field$`` tokens; dollar signs of its own are spelled out."""
    parts = [
        part.replace("$", "(dollar)")
        if isinstance(part, str)
        else f"${query.columns.final(query.columns.name(part))}$"
        for part in rule.alert.title
    ]
    return "".join(parts).strip() or rule.title.replace("$", "(dollar)")


def _drilldowns(risk: Sequence[RiskObject]) -> tuple[tuple[str, str], ...]:
    """Two searches, one over the detection's own results, as production detections must have."""
    if not risk:
        return ()
    named = " and ".join(f"${entry.field}$" for entry in risk)
    results = " ".join(f'"{entry.field}" = "${entry.field}$"' for entry in risk)
    listed = ", ".join(f'"${entry.field}$"' for entry in risk)
    return (
        (f"View the detection results for {named}", f"%original_detection_search% | search {results}"),
        (
            f"View risk events for the last 7 days for {named}",
            f"| from datamodel Risk.All_Risk | search normalized_risk_object IN ({listed})"
            " starthoursago=168 | stats count min(_time) as firstTime max(_time) as lastTime"
            " values(search_name) values(risk_message) by normalized_risk_object",
        ),
    )


def _manual_test(status: str, settings: Settings) -> str:
    """A production detection has a test on sample logs, or says why it has none."""
    if status != "production" or settings.attack_data:
        return ""
    return "The rule is tested on its own events before it is rendered; no log file to replay is published."


def _throttle(rule: Rule, query: Query, losses: Losses) -> tuple[str, tuple[str, ...]]:
    """Period (``1800s``) and fields of throttling; none if a field's name is one that cannot be listed.

    Without ``group_by`` the group of the threshold, sequence or new terms is the one suppressed.
    """
    if rule.alert.suppress_for is None:
        return "", ()
    seconds = max(1, -int(-rule.alert.suppress_for.total_seconds() // 1))
    named = [query.columns.final(query.columns.name(path)) for path in rule.alert.group_by] or query.group
    fields = tuple(dict.fromkeys(named))
    if any(" " in name or "," in name for name in fields):
        losses.lose(
            "suppression",
            Fidelity.WIDER,
            "alerts cannot be throttled by a field with a space or comma in its name",
        )
        return "", ()
    return f"{seconds}s", fields
