"""Which packs a Sigma log source means, and where the whole text of their logs is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from converter.logsources.pack import Pack
from converter.platforms.sigma.documents import NAME

KEYS: Final = ("category", "product", "service")
RAW: Final = "raw"
_LINE: Final = "message"
_TEXT_NAMES: Final = ("message", "Message", "_raw")
_WHOLE: Final = "event.original"
"""The text of an event as it was received (Elastic Common Schema: event.original; Splunk's _raw)."""

# Log sources by the names of Sigma's taxonomy ("Sigma log sources": categories, products and services).
_TEXT_CATEGORIES: Final = frozenset({"webserver", "proxy", "appliance"})
_TEXT_SERVICES: Final = frozenset(
    "apache nginx syslog auth auditd sshd sudo cron vsftpd guacamole clamav modsecurity".split()
)
_TEXT_PRODUCTS: Final = frozenset(
    "linux macos cisco huawei juniper fortios fortigate paloalto checkpoint apache nginx django spring jvm "
    "python nodejs ruby_on_rails velocity sql".split()
)
_LINES_OF: Final = frozenset({None, "application", "appliance", "firewall"})
"""Categories whose records those products write as lines; their processes and files come as fields."""
_NOT_TEXT: Final = frozenset({"duo"})


def logsource(data: Any) -> dict[str, str]:
    """Category, product and service of a rule's log source, as far as they are given."""
    if not isinstance(data, Mapping):
        return {}
    return {key: str(data[key]).strip().lower() for key in KEYS if data.get(key) not in (None, "")}


def contains(outer: Mapping[str, str], inner: Mapping[str, str]) -> bool:
    """Whether the log source ``outer``, of a filter, covers ``inner``, of a rule."""
    return all(inner.get(key) == value for key, value in outer.items())


class LogText(msgspec.Struct, frozen=True):
    """Where values without a field are looked for: stored fields; ``whole``: they hold all of the text."""

    fields: tuple[str, ...]
    whole: bool


def log_text(packs: Sequence[Pack], own: Mapping[str, str]) -> LogText:
    """Where the text of a rule's logs is.

    A pack names the field that holds the whole text (``platforms: {sigma: {message: FIELD}}``). A log that
    is written as lines of text (``own``, the rule's log source, says which) has the line under ``message``.
    Other logs may declare a message, which is a part of their text; where they do not, it is the text that
    was received.
    """
    told = [pack.platforms.get(NAME, {}).get("message") for pack in packs]
    if told and all(isinstance(name, str) and name for name in told):
        return LogText(tuple(dict.fromkeys(map(str, told))), whole=True)
    if is_text_log(own):
        return LogText((_LINE,), whole=True)
    names = [_message(pack) for pack in packs]
    if not names or None in names:
        return LogText((_WHOLE,), whole=True)
    return LogText(tuple(dict.fromkeys(map(str, names))), whole=False)


def is_text_log(own: Mapping[str, str]) -> bool:
    """Whether the records of a log source are lines of text (as syslog's are), not sets of fields."""
    if own.get("service") in _TEXT_SERVICES or own.get("category") in _TEXT_CATEGORIES:
        return True
    return (
        own.get("product") in _TEXT_PRODUCTS
        and own.get("category") in _LINES_OF
        and own.get("service") not in _NOT_TEXT
    )


def _message(pack: Pack) -> str | None:
    """The declared field that holds a message, by one of its usual names."""
    stored = {field.platforms[NAME].name for field in pack.fields.values() if NAME in field.platforms}
    return next((name for name in _TEXT_NAMES if name in stored), None)


def names_of(packs: Iterable[Pack]) -> tuple[str, ...]:
    """The packs' names, each once."""
    return tuple(dict.fromkeys(pack.name for pack in packs))
