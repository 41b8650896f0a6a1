"""The rules in a file: contentctl's YAML, or stanzas of savedsearches.conf, and where their searches are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING: Final = "tag:yaml.org,2002:null"
_STANZA: Final = re.compile(r"\[(.*)\]\s*$")
_KEY: Final = re.compile(r"([A-Za-z0-9_.\-]+)\s*=\s?(.*)$", re.DOTALL)
_DEEPEST: Final = 60


_OTHER_FOLDERS: Final = frozenset(
    {"macros", "lookups", "data_sources", "stories", "deployments", "baselines"}
)


def is_rule_file(path: Path) -> bool:
    """Whether a file may hold detections: YAML outside of contentctl's other folders, or a .conf."""
    suffix = path.suffix.lower()
    if suffix == ".conf":
        return path.name == "savedsearches.conf" or path.parent.name == "savedsearches"
    return suffix in (".yml", ".yaml") and path.parent.name not in _OTHER_FOLDERS


def yaml_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; empty if it holds none, or cannot be read."""
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - safe loaders
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


class Broken(ValueError):
    """A text that is no file of rules; ``line`` and ``column`` from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1, code: str = "syntax") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.code = code


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One rule as the file has it: its keys, and where the text of its search begins (line, column from 1).

    ``written``: the file's text from there on, to find the place of a character in; ``line``: the rule's.
    """

    data: Mapping[str, Any]
    form: str
    line: int = 1
    search_line: int = 1
    search_column: int = 1
    written: str = ""

    @property
    def search(self) -> str | None:
        """The search; None if there is none."""
        value = self.data.get("search")
        return value if isinstance(value, str) and value.strip() else None

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of a character of the search: the file has the same visible ones in
        the same order, but for the quotes and escapes of a quoted scalar.
        """
        text = self.search or ""
        wanted = sum(1 for character in text[:offset] if not character.isspace())
        written, style = self.written, self.written[:1]
        start = 1 if style in ("'", '"') else 0
        if style in ("|", ">"):
            start = written.find("\n") + 1
        position, seen = start, 0
        while position < len(written):
            character = written[position]
            skip = 1
            if style == "'" and written.startswith("''", position):
                skip = 2
            elif style == '"' and character == "\\":
                skip = 2
                following = written[position + 1 : position + 2]
                if following in ("\n", "\r", "n", "t", "r", " "):
                    position += skip
                    continue
            elif self.form == "conf" and written.startswith("\\\n", position):
                position += 2
                continue
            if not character.isspace():
                if seen == wanted:
                    break
                seen += 1
            position += skip
        line = self.search_line + written.count("\n", 0, position)
        last = written.rfind("\n", 0, position)
        return line, (position - last) if last >= 0 else self.search_column + position


def documents(file: str, text: str) -> list[Document]:
    """The rules of a text. Raises Broken if it has none, or cannot be parsed."""
    if Path(file).suffix.lower() == ".conf" or (
        not file.lower().endswith((".yml", ".yaml")) and _looks_like_conf(text)
    ):
        return list(_stanzas(text))
    found = list(_yaml(text))
    if not found:
        raise Broken("no rule in this text", code="empty")
    return found


def _looks_like_conf(text: str) -> bool:
    return (
        re.search(r"^\[[^\]\n]+\]\s*$", text, re.MULTILINE) is not None
        and re.search(r"^search\s*=", text, re.MULTILINE) is not None
    )


def _yaml(text: str) -> Iterator[Document]:
    try:
        loader = _LOADER(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                if node.tag != _NOTHING:
                    yield _document(loader, node, text)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        line = min(line, text.count("\n") + 1)
        raise Broken(f"no YAML: {error.problem or error.context}", line, column) from error
    except yaml.YAMLError as error:
        raise Broken(f"no YAML: {str(error).splitlines()[0] if str(error) else 'unreadable'}") from error
    except RecursionError as error:
        raise Broken("the YAML is nested too deeply") from error
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        if isinstance(error, Broken):
            raise
        raise Broken(f"no YAML that can be read: {error}") from error


def _document(loader: Any, node: Any, text: str) -> Document:
    if not isinstance(node, yaml.MappingNode):
        raise Broken(
            "a mapping with a search is expected", node.start_mark.line + 1, node.start_mark.column + 1
        )
    _bounded(node)
    data = loader.construct_document(node)
    line, column, written = node.start_mark.line + 1, 1, ""
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "search" and isinstance(value, yaml.ScalarNode):
            line, column = value.start_mark.line + 1, value.start_mark.column + 1
            written = _from(text, value.start_mark.line, value.start_mark.column)
    return Document(
        data=data,
        form="yaml",
        line=node.start_mark.line + 1,
        search_line=line,
        search_column=column,
        written=written,
    )


def _from(text: str, line: int, column: int) -> str:
    position = 0
    for _ in range(line):
        found = text.find("\n", position)
        if found < 0:
            return ""
        position = found + 1
    return text[position + column :]


def _bounded(root: Any) -> None:
    """Raises Broken for a tree that is too deep, or that aliases blow up."""
    waiting = [(root, 1)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > _DEEPEST or count > 200_000:
            raise Broken("the YAML is too deep or too large")
        if isinstance(node, yaml.MappingNode):
            waiting += [(part, depth + 1) for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(part, depth + 1) for part in node.value]


def _stanzas(text: str) -> Iterator[Document]:
    """The stanzas of a .conf file that have a search; ``[default]``, or what is before any, is for all."""
    found: list[tuple[str, int, dict[str, str], int, int, str]] = []
    name, start = "", 1
    data: dict[str, str] = {}
    place = (1, 1, "")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    number = 0
    while number < len(lines):
        line, at = lines[number], number
        number += 1
        stanza = _STANZA.match(line)
        if stanza is not None:
            found.append((name, start, data, *place))
            name, start, data, place = stanza[1], at + 1, {}, (at + 1, 1, "")
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        value = line
        while value.endswith("\\") and number < len(lines):
            value = value[:-1] + "\n" + lines[number]
            number += 1
        pair = _KEY.match(value)
        if pair is None:
            continue
        data[pair[1]] = pair[2].strip()
        if pair[1] == "search":
            column = len(line) - len(line.partition("=")[2].lstrip())
            place = (at + 1, column + 1, "\n".join([line[column:], *lines[at + 1 : number]]))
    found.append((name, start, data, *place))
    default = {key: value for one in found if one[0] in ("", "default") for key, value in one[2].items()}
    some = False
    for stanza_name, line_number, own, search_line, column, written in found:
        if "search" not in own or stanza_name in ("default", ""):
            continue
        some = True
        yield Document(
            data={**default, **own, "name": stanza_name},
            form="conf",
            line=line_number,
            search_line=search_line,
            search_column=column,
            written=written,
        )
    if not some:
        raise Broken("no stanza with a search", code="empty")
