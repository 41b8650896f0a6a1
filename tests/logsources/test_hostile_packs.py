"""Packs with anything in any place: either a mistake that is said, or a pack that works."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from converter.logsources import canonical_event, localise, project
from converter.logsources.checks import PackProblem
from converter.logsources.loader import _BUILT_IN
from converter.logsources.reading import pack_from_data
from converter.model.expressions import Operator, Predicate
from converter.model.yaml_in import read_yaml

from .support import CASES, WITH_OWN_FIELDS

pytestmark = pytest.mark.no_cover  # many packs go the way of a few

ODD: tuple[Any, ...] = (
    None, 5, -1, 0.5, True, "", "x", "a..b", "a[]", "*", "[]", "a[0]", "\n", "a" * 300,
    [], [1], ["a"], [[]], [None], {}, {"a": 1}, {"a": None}, {"a": ["b"]},
    {"type": "ip"}, {"field": "a", "is": "b"},
)  # fmt: skip
EVENT = {
    "a": 1,
    "user": {"extra": {"x": [1]}},
    "requestObject": {"rules": [{"verbs": ["a"]}]},
    "target": [{"id": 1}],
    "Event": {"System": {"EventID": 1}},
}
BUILT_IN_FILES = [_BUILT_IN / f"{name}.yaml" for name in WITH_OWN_FIELDS]
FILES = sorted((*BUILT_IN_FILES, *(CASES / "packs").glob("*.yaml")))


def _places(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to every place in the data."""
    if above:
        yield above
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, inner in entries:
        yield from _places(inner, (*above, key))


def _spoilt(data: Any, chance: random.Random) -> Any:
    """The data with one place replaced, taken out or added to."""
    data = copy.deepcopy(data)
    *above, last = chance.choice(list(_places(data)))
    place = data
    for key in above:
        place = place[key]
    what = chance.random()
    if what < 0.7:
        place[last] = chance.choice(ODD)
    elif what < 0.85 or not isinstance(place, dict):
        del place[last]
    else:
        place[chance.choice(("zz", "type", "list", "a.b", "name", "join", "keys", "values"))] = chance.choice(
            ODD
        )
    return data


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_spoilt_pack_is_a_pack_or_a_mistake(file: Any) -> None:
    (document,), _ = read_yaml(file.read_text(encoding="utf-8"))
    chance = random.Random(file.stem)
    mistakes = 0
    for _ in range(150):
        try:
            pack = pack_from_data(_spoilt(document.data, chance))
        except PackProblem as problem:
            assert problem.message
            mistakes += 1
            continue
        event = canonical_event(pack, EVENT)
        fields = list(pack.fields)
        for platform in ("elastic", "splunk", "panther"):
            project(pack, event, platform)
            for path in chance.sample(fields, min(3, len(fields))):
                found = localise(Predicate(path, Operator.IS, ("a",)), [pack], platform)
                assert found.fields or found.diagnostics
    assert mistakes
