"""Rules made by chance from a seed, spread like the public ones.

Most rules have one to five predicates, a quarter have exclusions, about one in eight counts matches, few are
sequences or look for new terms. The same predicates are written as canonical rules and as Sigma rules.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from converter.logsources import load_packs, localise
from converter.logsources.pack import FieldType, Pack
from converter.model.expressions import Operator, Predicate

SEED = 20240717
TEXTUAL = (FieldType.KEYWORD, FieldType.WILDCARD)
WORDS = (
    "create delete list get update patch assume login logout admin root system token secret policy bucket "
    "shell curl wget python bash /usr/bin/nc /etc/passwd powershell.exe cmd.exe C:\\Windows\\System32\\ "
    "kube-system default ConsoleLogin AssumeRole user.session.start repo.create 10.0.0.1 Mozilla/5.0 "
    '"quoted" a*b café --flag=$HOME %TEMP% {x} [y] (z) a|b'
).split(" ")
DESCRIPTION = (
    "Detects activity that was made up to measure how long its conversion takes. Public rules explain in two "
    "or three sentences what they look for and why it matters, and their metadata is read and written too."
)
REFERENCES = [
    "https://example.org/threats/made-up-activity",
    "https://example.com/blog/2024/07/how-it-was-found.html",
]
FALSE_POSITIVES = ["Administrators at their daily work", "Scanners of the security team"]
SIGMA_MODIFIERS = {
    "starts_with": "|startswith",
    "ends_with": "|endswith",
    "contains": "|contains",
    "regex": "|re",
}
OPERATORS = ("is", "starts_with", "ends_with", "contains", "regex", "exists", "like", "gte", "cidr")
WEIGHTS = (52, 10, 10, 16, 4, 4, 2, 1, 1)


class Term(msgspec.Struct, frozen=True):
    """One predicate before it is written in either language."""

    field: str
    operator: str
    values: tuple[Any, ...]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One rule before it is written in either language. ``extra``: threshold, new_terms or sequence."""

    number: int
    pack: Pack
    terms: tuple[Term, ...]
    exclusions: tuple[Term, ...] = ()
    extra: Mapping[str, Any] = {}


def drafts(count: int, seed: int = SEED) -> list[Draft]:
    """``count`` rules over the built-in packs; the same for the same seed."""
    chance = random.Random(seed)
    packs = [pack for name, pack in load_packs().items() if name != "raw"]
    usable = [(pack, fields) for pack in packs if (fields := _fields(pack))[0]]
    return [_draft(chance, number, *chance.choice(usable)) for number in range(count)]


def _fields(pack: Pack) -> tuple[list[str], list[str], list[str]]:
    """Names of single textual, numeric and address fields that every platform stores."""
    by_kind: dict[str, list[str]] = {"text": [], "number": [], "ip": []}
    for path, field in pack.fields.items():
        if field.is_list or any(other.type is not field.type for other in field.platforms.values()):
            continue
        question = Predicate(path, Operator.IS, ("1",))
        if any(localise(question, [pack], name).diagnostics for name in ("elastic", "panther", "splunk")):
            continue
        kind = {FieldType.INTEGER: "number", FieldType.IP: "ip"}.get(field.type, "text")
        if kind != "text" or field.type in TEXTUAL:
            by_kind[kind].append(str(path))
    return by_kind["text"], by_kind["number"], by_kind["ip"]


def _draft(chance: random.Random, number: int, pack: Pack, fields: tuple[list[str], ...]) -> Draft:
    texts = fields[0]
    terms = _terms(chance, fields, chance.choices((1, 2, 3, 4, 5, 8), (18, 30, 24, 14, 9, 5))[0])
    exclusions = _terms(chance, fields, chance.choice((1, 1, 2))) if chance.random() < 0.25 else ()
    kind = chance.random()
    extra: dict[str, Any] = {}
    if kind < 0.12:
        extra["threshold"] = {"count": chance.randint(3, 50), "by": [chance.choice(texts)], "within": "10m"}
    elif kind < 0.135:
        extra["new_terms"] = {"fields": [chance.choice(texts)], "history": "7d"}
    elif kind < 0.15:
        key = chance.choice(texts)
        steps = [
            {"by": [key], "indicators": canonical_terms(part)} for part in (terms, _terms(chance, fields, 2))
        ]
        extra["sequence"] = {"within": "5m", "steps": steps}
    return Draft(number=number, pack=pack, terms=terms, exclusions=exclusions, extra=extra)


def _terms(chance: random.Random, fields: tuple[list[str], ...], count: int) -> tuple[Term, ...]:
    texts, numbers, addresses = fields
    terms = []
    for name in chance.sample(texts, min(count, len(texts))):
        operator = chance.choices(OPERATORS, WEIGHTS)[0]
        if operator == "gte" and numbers:
            terms.append(Term(chance.choice(numbers), operator, (chance.randint(1, 500),)))
        elif operator == "cidr" and addresses:
            terms.append(Term(chance.choice(addresses), operator, (f"10.{chance.randint(0, 255)}.0.0/16",)))
        elif operator == "exists":
            terms.append(Term(name, operator, (True,)))
        else:
            terms.append(Term(name, *_text_operands(chance, operator)))
    return tuple(terms)


def _text_operands(chance: random.Random, operator: str) -> tuple[str, tuple[str, ...]]:
    many = chance.choices((1, 2, 3, 6), (70, 15, 10, 5))[0]
    words = tuple(chance.sample(WORDS, many))
    match operator:
        case "regex":
            return operator, tuple(f"^[a-z]+-{index}[0-9]{{2,4}}$" for index in range(many))
        case "like":
            return operator, tuple(f"*{word.replace(chr(92), chr(92) * 2)}?*" for word in words)
        case "gte" | "cidr":
            return "is", words
        case _:
            return operator, words


def canonical_terms(terms: Sequence[Term]) -> list[dict[str, Any]]:
    """The terms as canonical YAML has them."""
    return [
        {"field": term.field, term.operator: list(term.values) if len(term.values) > 1 else term.values[0]}
        for term in terms
    ]


def canonical(draft: Draft) -> dict[str, Any]:
    """The draft as a canonical rule, ready to be dumped as YAML."""
    rule: dict[str, Any] = {
        "id": _id(draft),
        "title": f"Generated rule {draft.number}",
        "description": DESCRIPTION,
        "severity": "medium",
        "status": "test",
        "logsource": draft.pack.name,
        "attack": ["TA0007", "TA0007:T1613"],
        "false_positives": FALSE_POSITIVES,
        "references": REFERENCES,
        "author": "Generator",
        "created": "2024-07-17",
        "updated": "2025-01-08",
    }
    if "sequence" not in draft.extra:
        rule["indicators"] = canonical_terms(draft.terms)
        if draft.exclusions:
            rule["exclusions"] = canonical_terms(draft.exclusions)
    return rule | dict(draft.extra)


def sigma(draft: Draft) -> dict[str, Any]:
    """The same predicates as a Sigma rule. What counts or orders events is left out: less to convert."""
    detection: dict[str, Any] = {"selection": dict(_sigma_terms(draft.terms)), "condition": "selection"}
    if draft.exclusions:
        detection["filter"] = dict(_sigma_terms(draft.exclusions))
        detection["condition"] = "selection and not filter"
    return {
        "title": f"Generated rule {draft.number}",
        "id": _id(draft),
        "status": "test",
        "description": DESCRIPTION,
        "references": REFERENCES,
        "author": "Generator",
        "date": "2024-07-17",
        "modified": "2025-01-08",
        "tags": ["attack.discovery", "attack.t1613"],
        "logsource": {"product": "generated", "service": draft.pack.name},
        "detection": detection,
        "falsepositives": FALSE_POSITIVES,
        "level": "medium",
    }


def _sigma_terms(terms: Sequence[Term]) -> Iterator[tuple[str, Any]]:
    for term in terms:
        values: Any = list(term.values) if len(term.values) > 1 else term.values[0]
        match term.operator:
            case "is" | "like":
                yield term.field, values
            case "exists" | "gte" | "cidr":
                yield f"{term.field}|{term.operator}", values
            case _:
                yield term.field + SIGMA_MODIFIERS[term.operator], values


def _id(draft: Draft) -> str:
    return str(uuid.UUID(int=random.Random(draft.number).getrandbits(128), version=4))
