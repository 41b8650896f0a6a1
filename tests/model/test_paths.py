"""Field paths: text to steps and back."""

from __future__ import annotations

import pytest
from hypothesis import given

from converter.model.paths import ANY, FieldPath, PathStep, parse_path
from tests import strategies

PATHS: dict[str, tuple[PathStep, ...]] = {
    "user.username": ("user", "username"),
    "sourceIPs[0]": ("sourceIPs", 0),
    "sourceIPs[-1]": ("sourceIPs", -1),
    "spec.containers[].image": ("spec", "containers", ANY, "image"),
    "a[][2].b": ("a", ANY, 2, "b"),
    '"a.b"': ("a.b",),
    'annotations."authorization.k8s.io/decision"': ("annotations", "authorization.k8s.io/decision"),
    '"quote \\" and \\\\"': ('quote " and \\',),
    '""': ("",),
    "@timestamp": ("@timestamp",),
    "x-y.$ref.Ключ": ("x-y", "$ref", "Ключ"),
}


@pytest.mark.parametrize("text", PATHS)
def test_a_path_is_read_and_written(text: str) -> None:
    path = FieldPath.parse(text)
    assert path == FieldPath.of(*PATHS[text])
    assert str(path) == text


@given(strategies.field_paths())
def test_every_path_is_read_back(path: FieldPath) -> None:
    assert parse_path(str(path)) == path


BAD = {
    "": "expected a key at character 1",
    ".": "expected a key at character 1",
    "a.": "expected a key at character 3",
    "a..b": "expected a key at character 3",
    "[0]": "expected a key at character 1",
    "a b": "expected '.', '[]' or '[n]' at character 2",
    "a[x]": "expected '.', '[]' or '[n]' at character 2",
    "a[0": "expected '.', '[]' or '[n]' at character 2",
    "a[9999999999]": "expected '.', '[]' or '[n]' at character 2",
    'a."b': "expected a key at character 3",
    'a."\\q"': "bad quoted key at character 3",
    'a"b"': "expected '.', '[]' or '[n]' at character 2",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_path_is_an_error_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match="field path") as caught:
        FieldPath.parse(text)
    assert BAD[text] in str(caught.value)


def test_the_parts_of_a_path() -> None:
    path = FieldPath.parse("a[0].b[].c")
    assert path.keys == ("a", "b", "c")
    assert path.without_indexes() == FieldPath.of("a", "b", "c")
    assert path.joined(FieldPath.of("d", 1)) == FieldPath.of("a", 0, "b", ANY, "c", "d", 1)
