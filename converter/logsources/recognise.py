"""Which log sources a platform's own rule reads, by the names that the platform gives them.

A pack says these names under ``platforms.NAME``; ``also`` there holds further ones that rules use and that
writers do not, and ``unnamed: true`` says that no name there tells this log source from a wider one. What a
platform tells about a rule is its *facts*, all of them optional:

- sigma: ``product``, ``category``, ``service``
- elastic: ``index``, ``dataset``, ``integration``, ``category`` (of EQL, or event.category), ``code``
  (event.code), ``tags``, ``os`` (host.os.type)
- splunk: ``macro``, ``sourcetype``, ``source``, ``eventtype``, ``datamodel``, ``data_source`` (of the
  detection), ``eventcode``
- panther: ``log_types``

A fact is a text (or number) or a list of them; letters' case and macros' arguments do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from converter.logsources.loader import PackLibrary
from converter.logsources.naming import sigma_source
from converter.logsources.pack import Pack
from converter.logsources.remembered import Remembered
from converter.model.wildcards import wildcard_regex

_RAW: Final = "raw"

_SPLUNK_NAMES: Final = ("data_source", "macro", "sourcetype", "source", "eventtype", "datamodel")
"""What names a log source in Splunk, the most telling first."""

_MOST_ANSWERS: Final = 4096

_NO_NAMES: Final = ("also", "aliases", "guard", "misses", "definition", "prefix", "unnamed")
"""What a pack says of a platform beside its names there."""

_SHARED_INDEXES: Final = frozenset(
    {"", "logs", "filebeat", "winlogbeat", "auditbeat", "packetbeat", "endgame"}
)
"""Beginnings of index names below which any log may lie."""

_OS_TAGS: Final = {"os: linux": "linux", "os: windows": "windows", "os: macos": "macos"}
"""Elastic's rules name the systems that they are for in their tags."""


class _Names(msgspec.Struct, frozen=True):
    """One pack's names on one platform, in lower case; ``narrow``: they let other logs in as well."""

    pack: str
    facts: Mapping[str, frozenset[str]]
    entries: tuple[Mapping[str, str], ...] = ()
    narrow: bool = False


def find_packs(platform: str, facts: Mapping[str, Any], packs: Mapping[str, Pack]) -> list[Pack]:
    """The log sources that a rule with these ``facts`` reads, the most telling first; none known: empty."""
    told = {key: texts for key, value in facts.items() if (texts := _texts(value))}
    answers = _ANSWERS(packs, platform)
    question = tuple(sorted(told.items()))
    found = answers.get(question)
    if found is None:
        found = tuple(dict.fromkeys(_found(platform, _NAMES(packs, platform), told)))
        if len(answers) < _MOST_ANSWERS:
            answers[question] = found
    return [packs[name] for name in found]


def _found(platform: str, names: Sequence[_Names], told: Mapping[str, tuple[str, ...]]) -> list[str]:
    match platform:
        case "sigma":
            return _by_entry(names, told)
        case "elastic":
            return _in_elastic(names, told)
        case "splunk":
            return _in_splunk(names, told)
        case _:
            return _by_log_type(names, told)


def recognised_names(pack: Pack, platform: str) -> Mapping[str, frozenset[str]]:
    """Every name of the pack on the platform, in lower case, by kind (``index``, ``sourcetype``, …)."""
    return _OWN_NAMES(pack, platform).facts


# -- the names of all packs


def _all_names(packs: Mapping[str, Pack], platform: str) -> tuple[_Names, ...]:
    declared = {name: _declared(packs, name, platform) for name in packs if name != _RAW}
    if platform == "sigma":
        declared = {name: {**told, **sigma_source(name, told)[0]} for name, told in declared.items()}
    return tuple(_names(name, told) for name, told in declared.items() if not told.get("unnamed"))


def _declared(packs: Mapping[str, Pack], name: str, platform: str) -> Mapping[str, Any]:
    if isinstance(packs, PackLibrary):
        return packs.names_on(name, platform)
    return packs[name].platforms.get(platform, {})


def _names(name: str, declared: Mapping[str, Any]) -> _Names:
    also = declared.get("also") or {}
    entries = also if isinstance(also, list) else []
    also = also if isinstance(also, Mapping) else {}
    facts = {
        key: frozenset((*_texts(declared.get(key)), *_texts(also.get(key))))
        for key in dict.fromkeys((*declared, *also))
        if key not in _NO_NAMES
    }
    own = {key: value for key, value in declared.items() if key in ("product", "category", "service")}
    return _Names(
        pack=name,
        facts=facts,
        entries=tuple(
            {key: str(value).lower() for key, value in entry.items()} for entry in (own, *entries) if entry
        ),
        narrow="guard" in declared,
    )


_NAMES: Final = Remembered[Mapping[str, Pack], tuple[_Names, ...]](_all_names)
_ANSWERS: Final = Remembered[
    Mapping[str, Pack], dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[str, ...]]
](lambda _packs, _platform: {})
"""What was found for facts before: the rules of a collection say the same few things."""

_OWN_NAMES: Final = Remembered[Pack, _Names](
    lambda pack, platform: _names(pack.name, pack.platforms.get(platform, {}))
)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return tuple(text for entry in values if entry is not None and (text := str(entry).strip().lower()))


# -- sigma


def _by_entry(names: Sequence[_Names], told: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The packs of which an entry asks for the most of what the rule's logsource says, and nothing else."""
    best: list[str] = []
    most = 0
    for pack in names:
        for entry in pack.entries:
            if len(entry) >= most and all(told.get(key) == (value,) for key, value in entry.items()):
                best = [*best, pack.pack] if len(entry) == most else [pack.pack]
                most = len(entry)
    return best


# -- panther


def _by_log_type(names: Sequence[_Names], told: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The packs of each log type, of those the ones that hold all of its events; ``raw`` for unknown ones."""
    found: list[str] = []
    unknown = False
    for log_type in told.get("log_types", ()):
        own = [pack for pack in names if log_type in pack.facts.get("log_types", ())]
        whole = [pack for pack in own if not pack.narrow]
        found.extend(pack.pack for pack in whole or own)
        unknown = unknown or not own
    return [*found, _RAW] if found and unknown else found


# -- splunk


def _in_splunk(names: Sequence[_Names], told: Mapping[str, tuple[str, ...]]) -> list[str]:
    codes = told.get("eventcode", ())
    told = {**told, "macro": tuple(macro.split("(", 1)[0].strip("`") for macro in told.get("macro", ()))}
    candidates: list[_Names] = []
    for key in _SPLUNK_NAMES:
        mine = [pack for pack in names if _meets(key, told.get(key, ()), pack.facts.get(key, frozenset()))]
        if candidates and key in ("macro", "sourcetype", "source", "datamodel"):
            mine = [pack for pack in candidates if pack in mine]
        candidates = mine or candidates
    by_code = _of_codes(candidates, codes)
    if by_code:
        return [pack.pack for pack in by_code]
    whole = [pack for pack in candidates if not pack.facts.get("eventcode")]
    most = max((len(pack.facts["eventcode"]) for pack in candidates), default=0) if not whole else 0
    widest = [pack for pack in candidates if len(pack.facts.get("eventcode", ())) == most]
    return [pack.pack for pack in whole or widest]


def _of_codes(candidates: Sequence[_Names], codes: Sequence[str]) -> list[_Names]:
    """The candidates of Windows event ids that are the rule's: that of the fewest others, or some."""
    known = [(pack, pack.facts.get("eventcode", frozenset())) for pack in candidates]
    wanted = set(codes)
    around = [(pack, own) for pack, own in known if wanted and wanted <= own]
    if around:
        fewest = min(len(own) for _, own in around)
        return [pack for pack, own in around if len(own) == fewest]
    parts = [(pack, own) for pack, own in known if own and own <= wanted]
    covered: set[str] = set().union(*(own for _, own in parts))
    return [pack for pack, _ in parts] if wanted and covered == wanted else []


def _meets(key: str, told: Iterable[str], known: frozenset[str]) -> bool:
    if key != "datamodel":
        return not known.isdisjoint(told)
    wanted = {text.replace('"', "") for text in told}
    return any(one == other or other.startswith(f"{one}.") for one in wanted for other in known)


# -- elastic


def _in_elastic(names: Sequence[_Names], told: Mapping[str, tuple[str, ...]]) -> list[str]:
    """By data set, else by index, else by integration; of several those of the category and system."""
    systems = set(told.get("os", ())) or {
        system for tag in told.get("tags", ()) if (system := _OS_TAGS.get(tag)) is not None
    }
    integrations = set(told.get("integration", ()))
    by_name = (
        [p for p in names if _like_any(told.get("dataset", ()), p.facts.get("dataset", frozenset()))],
        [p for p in names if _index_meets(told.get("index", ()), p.facts.get("index", frozenset()))],
        [p for p in names if integrations & p.facts.get("integration", frozenset())],
    )
    for candidates in by_name:
        if candidates:
            return [pack.pack for pack in _narrowed(candidates, told, systems)]
    return []


def _narrowed(
    candidates: Sequence[_Names], told: Mapping[str, tuple[str, ...]], systems: set[str]
) -> Sequence[_Names]:
    """The candidates of the rule's system, category and event ids; a step that leaves none is passed over."""
    if systems:
        whole = [pack for pack in candidates if systems <= pack.facts.get("os", frozenset())]
        fewest = min((len(pack.facts["os"]) for pack in whole), default=0)
        whole = [pack for pack in whole if len(pack.facts["os"]) == fewest]
        candidates = (
            whole or [p for p in candidates if systems & p.facts.get("os", frozenset())] or candidates
        )
    by_code = _of_codes(candidates, told.get("code", ()))
    if by_code:
        return by_code
    categories = set(told.get("category", ())) - {"any"}
    fitting = [pack for pack in candidates if categories & pack.facts.get("category", frozenset())]
    candidates = fitting or [p for p in candidates if "any" in p.facts.get("category", ())] or candidates
    return [pack for pack in candidates if not pack.narrow] or candidates


def _like_any(told: Iterable[str], known: frozenset[str]) -> bool:
    return any(re.fullmatch(wildcard_regex(one), name, re.DOTALL) for one in told for name in known)


def _index_meets(told: Iterable[str], known: frozenset[str]) -> bool:
    """Whether some pattern of both is about the same indexes, by what stands before the first wildcard."""
    mine = {_beginning(pattern) for pattern in told} - _SHARED_INDEXES
    own = {_beginning(pattern) for pattern in known} - _SHARED_INDEXES
    return any(a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.") for a in mine for b in own)


def _beginning(pattern: str) -> str:
    """``logs-aws.cloudtrail-*`` and ``logs-aws.cloudtrail*`` both begin with ``logs-aws.cloudtrail``."""
    return pattern.rpartition(":")[2].split("*", 1)[0].rstrip("-_.")
