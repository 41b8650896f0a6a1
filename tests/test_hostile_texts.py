"""Hostile text in every place of a rule that takes text: refused with a name, or rendered so that every file
parses into the very tree that it has for a harmless text, with the text in it, and alerts on the same events.

A selection runs always; the whole, two hundred texts in every place on every platform, with the slow tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from converter import Fidelity, check, render
from converter.check import Options
from converter.platforms.base import Artifact
from tests.hostile import (
    MARK,
    NO_TEXT,
    PLACES,
    PLATFORMS,
    TEXTS,
    rule_with,
    settings_places,
    text_fields,
)
from tests.parsed_files import Leaves, leaves

TOLD = (
    *(place for place in PLACES if place.startswith(("Rule.", "RuleTest."))),
    "OutputField.alias",
    "AlertSettings.title: text",
    "Step.name",
    *settings_places(),
)
"""Places whose text is told and asked of no event: the files must have the same tree for every text."""
ASKED = tuple(place for place in PLACES if place not in TOLD)
"""Places whose text says which events match, or which field is meant: the rendering must say the same."""
_NAMES = ("Rule.title", "Step.name")
"""Texts that files, macros and rules are named after, in the letters that such a name may have."""
_NAME = r"[^\"`<>&%\n]*"
_LEAST_KEPT = 200
"""A line that is longer than a platform takes is cut short there, not before so many characters."""
_BUILD = {**PLACES, **settings_places()}


def test_every_place_that_takes_text_is_tried() -> None:
    assert {place.partition(":")[0] for place in PLACES} | set(NO_TEXT) == text_fields()
    assert len(TEXTS) >= 200
    assert all(rule_with(build(MARK)) is not None for build in _BUILD.values())


# -- texts that are told


@cache
def _rendered(place: str | None, text: str, platform: str) -> Artifact | None:
    """The rendering of a rule with a text in a place, or without; None where the loader refuses the rule."""
    rule = rule_with({} if place is None else _BUILD[place](text))
    return None if rule is None else render(rule, platform)


def _platforms(place: str) -> tuple[str, ...]:
    """A platform's settings are its own."""
    of = place.partition(": ")[0]
    return (of,) if of in PLATFORMS else PLATFORMS


def _escapes(place: str, text: str, platform: str, artifact: Artifact) -> Iterator[str]:
    """What the files hold otherwise than those of a harmless text, with the text in its place: nothing,
    unless the text got out of it. A text that a platform leaves out leaves what a rule without it has.
    """
    harmless, without = _rendered(place, MARK, platform), _rendered(None, "", platform)
    assert harmless is not None
    assert without is not None
    if not harmless.files:  # the setting takes some texts only, and MARK is none of them
        assert not artifact.files or list(map(leaves, artifact.files))
        return
    if len(artifact.files) != len(harmless.files):
        yield "another number of files"
        return
    for number, (file, like) in enumerate(zip(artifact.files, harmless.files, strict=True)):
        found, wanted = leaves(file), leaves(like)
        if not text.strip():  # nothing that could get out; an empty setting leaves something out
            continue
        bare = leaves(without.files[number]) if number < len(without.files) else {}
        if found != bare:
            yield from _differences(place, text, found, wanted, bare)


def _differences(place: str, text: str, found: Leaves, wanted: Leaves, bare: Leaves) -> Iterator[str]:
    if set(found) != set(wanted):
        yield f"another tree: {sorted(map(str, set(found) ^ set(wanted)))[:3]}"
        return
    for at, value in wanted.items():
        if not isinstance(value, str) or MARK not in value:
            same = found[at] == value
        else:
            same = _holds(place, text, str(found[at]), value) or found[at] == bare.get(at)
        if not same:
            yield f"{at}: {found[at]!r}"


def _holds(place: str, text: str, found: str, like: str) -> bool:
    """Whether a value is a harmless one with this text in place of the mark, blanks as they come."""
    if like.replace(MARK, text).startswith(found) and len(found) >= _LEAST_KEPT:
        return True
    quoted = f'"{text}"'  # as SPL quotes the name of a field, where it has to
    if found.split() in (like.replace(MARK, text).split(), like.replace(MARK, quoted).split()):
        return True
    if place not in _NAMES:
        return False
    spelled = re.fullmatch(re.escape(like).replace(f"_{MARK}", _NAME).replace(MARK, _NAME), found)
    return spelled is not None or bool(text in found and re.fullmatch(r"[\w ()-]*", found.replace(text, "")))


def _told(place: str, text: str) -> Counter[str]:
    """How often a text was put into a place, and refused; asserts that it did not get out."""
    counts: Counter[str] = Counter()
    for platform in _platforms(place):
        artifact = _rendered(place, text, platform)
        if artifact is None:
            counts["refused by the loader"] += 1
            continue
        if not artifact.files:
            assert any(found.effect is Fidelity.REFUSED for found in artifact.diagnostics)
            counts["refused by the writer"] += 1
            continue
        assert not list(_escapes(place, text, platform, artifact)), (place, text, platform)
        counts["held"] += 1
    return counts


# -- texts that are asked


def _asked(place: str, text: str) -> Counter[str]:
    """The same, of a text that decides which events match: every rendering agrees with the rule, on events
    around that text.
    """
    rule = rule_with(PLACES[place](text))
    if rule is None:
        return Counter({"refused by the loader": len(PLATFORMS)})
    counts: Counter[str] = Counter()
    for platform in PLATFORMS:
        files = render(rule, platform).files
        assert all(map(leaves, files))
        counts["held" if files else "refused by the writer"] += 1
    report = check([rule], platforms=PLATFORMS, options=Options(engines=False, limit=0))
    assert report.ok, (place, text, next(pair for pair in report.pairs if not pair.agrees))
    return counts


def _try(place: str, text: str) -> Counter[str]:
    return _told(place, text) if place in TOLD else _asked(place, text)


@pytest.mark.parametrize("place", TOLD)
def test_text_that_is_told(place: str) -> None:
    for text in TEXTS[TOLD.index(place) % 16 :: 16]:
        _told(place, text)


@pytest.mark.parametrize("place", ASKED)
def test_text_that_is_asked(place: str) -> None:
    for text in TEXTS[ASKED.index(place) % 32 :: 32]:
        _asked(place, text)


@pytest.mark.slow
@pytest.mark.corpus
def test_every_text_in_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for place in (*TOLD, *ASKED):
        for text in TEXTS:
            counts += _try(place, text)
        _rendered.cache_clear()
    with capsys.disabled():
        told = ", ".join(f"{count} {what}" for what, count in counts.items())
        print(
            f"\n{len(TEXTS)} texts in {len(_BUILD)} places on {len(PLATFORMS)} platforms: {told}; 0 got out"
        )
    assert counts["held"] > 100 * len(_BUILD)
