"""Log files in every shape, good and bad."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from converter.events import logs
from converter.events.logs import read_logs
from converter.model.diagnostics import RuleError

GOOD = {
    "lines": (b'{"a": 1}\n{"a": 2}\n', [1, 2]),
    "lines, blank ones between, none at the end": (b'\n{"a": 1}\n\n{"a": 2}', [1, 2]),
    "one object": (b'{"a": 1}', [1]),
    "one object over several lines": (b'{\n "a": 1\n}\n', [1]),
    "an array": (b'[{"a": 1}, {"a": 2}]', [1, 2]),
    "an array over several lines": (b'[\n{"a": 1},\n{"a": 2}\n]\n', [1, 2]),
    "CloudTrail's wrapper": (b'{"Records": [{"a": 1}, {"a": 2}]}', [1, 2]),
    "gzip": (gzip.compress(b'{"a": 1}\n{"a": 2}\n'), [1, 2]),
    "nothing": (b"", []),
    "blank lines alone": (b"\n \n", []),
}
BAD = {
    "binary": (b"MZ\x90\x00\x03\x00\x00\x00\xff\xff", "not-json", 1),
    "text": (b"Nov 29 host sshd[1]: hello\n", "not-json", 1),
    "a broken line": (b'{"a": 1}\n{"a": \n', "not-json", 2),
    "a number": (b"5\n", "not-a-log", 1),
    "a line that is no object": (b'{"a": 1}\n[1]\n', "not-a-log", 2),
    "an array of numbers": (b"[1, 2]", "not-a-log", 1),
    "broken gzip": (b"\x1f\x8b\x08\x00garbage", "unreadable-log", None),
    "deep nesting": (b'{"a":' * 100_000, "not-json", 1),
}


@pytest.mark.parametrize(("data", "expected"), GOOD.values(), ids=GOOD)
def test_records_of(data: bytes, expected: list[int], tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(data)
    assert [record["a"] for record in read_logs([file])] == expected


@pytest.mark.parametrize(("data", "code", "line"), BAD.values(), ids=BAD)
def test_what_is_no_log(data: bytes, code: str, line: int | None, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(data)
    with pytest.raises(RuleError) as caught:
        list(read_logs([file]))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.file, diagnostic.line) == (code, str(file), line)


def test_a_line_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LONGEST_LINE", 100)
    file = tmp_path / "log"
    file.write_bytes(b'{"a": 1}\n' + b'{"a": "' + b"x" * 200 + b'"}\n')
    with pytest.raises(RuleError) as caught:
        list(read_logs([file]))
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].line) == ("line-too-long", 2)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        list(read_logs([tmp_path / "none"]))
