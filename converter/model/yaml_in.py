"""YAML text to plain data: bounded, with YAML 1.2's core schema, and places for every error.

PyYAML's C parser gives events; the rest is here, because its loader follows YAML 1.1 (``off`` becomes
False, dates become dates), lets duplicate keys pass, and expands aliases and nesting without bound.
Scalars follow the core schema of YAML 1.2.2, section 10.3.2; keys are always text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import yaml
from yaml._yaml import CParser

from converter.model.problems import shortened
from converter.model.tables import (
    MAX_ALIAS_WEIGHT,
    MAX_INTEGER,
    MAX_YAML_DEPTH,
    MIN_INTEGER,
)

_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final[dict[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|(?P<oct>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
    re.ASCII,
)
_BREAKS: Final = "\n\x85\u2028\u2029"
_TOP_KEY = re.compile(
    rf"""(?:^|[{_BREAKS}])["']?([^\s"'#&*!|>%@`\[\]{{}},?-][^{_BREAKS}"']*?)["']?[ \t]*:(?=\s|$)"""
)
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class YamlProblem(msgspec.Struct, frozen=True):
    """Something wrong with the YAML itself. Line and column count from 1."""

    code: str
    message: str
    line: int
    column: int
    hint: str | None = None


class Document(msgspec.Struct, frozen=True):
    """One YAML document as plain data, its number in the file, and the line it starts at (from 1)."""

    data: Any
    index: int
    line: int


class _Stop(Exception):
    """The file cannot be read further."""

    def __init__(self, problem: YamlProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Bad(ValueError):
    """A scalar that YAML allows and JSON has no place for."""


def top_keys(text: str) -> set[str]:
    """The keys of the outermost mappings of a YAML text in lower case, as far as they can be seen without
    reading it: those at the beginning of a line.
    """
    return {key.lower() for key in _TOP_KEY.findall(text)}


def plain_value(text: str) -> object:
    """What an unquoted YAML scalar means: None, a bool, a number, or the text itself.

    Raises ValueError for numbers that JSON cannot hold: infinities, NaN, integers beyond 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    kind = match.lastgroup
    if kind == "special":
        raise _Bad(f"{text} is no number that JSON can hold")
    if kind == "float":
        number = float(text)
        if not math.isfinite(number):
            raise _Bad(f"{shortened(text)} is too large for a number")
        return number
    if len(text) > 70:
        raise _Bad("an integer of this length is beyond 64 bits")
    integer = int(text, {"int": 10, "oct": 8, "hex": 16}[kind or "int"])
    if not MIN_INTEGER <= integer <= MAX_INTEGER:
        raise _Bad(f"the integer {text} is beyond 64 bits")
    return integer


class _Frame:
    """A mapping or sequence that is being filled."""

    __slots__ = ("anchor", "container", "key", "merges", "merging", "weight")

    def __init__(self, container: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.container = container
        self.anchor = anchor
        self.key: str | None = None
        self.merges: list[dict[str, Any]] = []
        self.merging = False
        self.weight = 1


_OPEN: Final = object()
"""Marks an anchor whose node is not complete: an alias to it would be recursive."""
_MERGE: Final = "<<"


class _Reader:
    """Turns one file's events into documents. Problems that do not stop the reading are collected."""

    def __init__(self, text: str, plain: Callable[[str], object]) -> None:
        self.parser = CParser(text)
        self.plain = plain
        self.problems: list[YamlProblem] = []
        self.alias_weight = 0
        self.anchors: dict[str, tuple[Any, int]] = {}

    def documents(self) -> Iterator[Document]:
        """Every document of the file. Raises _Stop."""
        get_event: Callable[[], Any] = self.parser.get_event
        index = 0
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return
            if kind is yaml.DocumentStartEvent:
                self.anchors = {}
                first: Any = self.parser.peek_event()
                line = first.start_mark.line + 1
                yield Document(self._content(), index, line)
                index += 1

    def _content(self) -> Any:
        """The document's root. One loop over events, no recursion."""
        get_event: Callable[[], Any] = self.parser.get_event
        stack: list[_Frame] = []
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                if stack and stack[-1].key is None and type(stack[-1].container) is dict:
                    self._begin_key(stack[-1], event)
                    continue
                value = self._scalar(event)
                weight = 1 + len(event.value) // 64
                if event.anchor is not None:
                    self.anchors[event.anchor] = (value, weight)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(stack, event, {} if kind is yaml.MappingStartEvent else [])
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                frame = stack.pop()
                value, weight = frame.container, frame.weight
                if frame.merges:
                    weight += self._merge(frame, event)
                if frame.anchor is not None:
                    self.anchors[frame.anchor] = (value, weight)
            else:
                value, weight = self._alias(stack, event)
            if not stack:
                return value
            self._place(stack[-1], value, weight, event)

    def _begin_key(self, frame: _Frame, event: Any) -> None:
        container = frame.container
        key: str = event.value
        if key == _MERGE and event.implicit[0] and event.tag is None:
            frame.merging = True
        elif key in container:
            hint = "the mapping already has this key; remove one, or rename it"
            self._note("duplicate-key", f"the key {shortened(key)} occurs twice", event, hint)
        if event.anchor is not None:
            self.anchors[event.anchor] = (key, 1)
        frame.key = key

    def _place(self, frame: _Frame, value: Any, weight: int, event: Any) -> None:
        frame.weight += weight
        container = frame.container
        if type(container) is list:
            container.append(value)
            return
        key, frame.key = frame.key, None
        if frame.merging:
            frame.merging = False
            merged = value if isinstance(value, list) else [value]
            if all(isinstance(item, dict) for item in merged):
                frame.merges.extend(merged)
            else:
                self._note("wrong-type", "a merge key << takes a mapping or a list of mappings", event)
            return
        assert isinstance(container, dict) and key is not None
        container.setdefault(key, value)

    def _merge(self, frame: _Frame, event: Any) -> int:
        """Fill in what << brings; own keys win, then earlier merges. Gives the weight that this adds."""
        assert isinstance(frame.container, dict)
        added = 0
        for mapping in frame.merges:
            added += len(mapping)
            self._spend(len(mapping), event)
            for key, value in mapping.items():
                frame.container.setdefault(key, value)
        return added

    def _open(self, stack: list[_Frame], event: Any, container: dict[str, Any] | list[Any]) -> None:
        if len(stack) >= MAX_YAML_DEPTH:
            message = f"nested more than {MAX_YAML_DEPTH} deep"
            raise _Stop(_problem("too-deep", message, event.start_mark, "no rule needs such nesting"))
        if stack and stack[-1].key is None and type(stack[-1].container) is dict:
            raise _Stop(_problem("yaml", "a key must be text, not a mapping or list", event.start_mark))
        wanted = f"{_TAG}map" if isinstance(container, dict) else f"{_TAG}seq"
        if event.tag is not None and event.tag not in (wanted, "!"):
            self._bad_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = (_OPEN, 0)
        stack.append(_Frame(container, event.anchor))

    def _alias(self, stack: list[_Frame], event: Any) -> tuple[Any, int]:
        if stack and stack[-1].key is None and type(stack[-1].container) is dict:
            raise _Stop(_problem("yaml", "a key must be text, not an alias", event.start_mark))
        if event.anchor not in self.anchors:
            message = f"the alias *{event.anchor} has no anchor &{event.anchor} before it"
            raise _Stop(_problem("alias", message, event.start_mark))
        value, weight = self.anchors[event.anchor]
        if value is _OPEN:
            message = f"the alias *{event.anchor} is inside of what it stands for"
            raise _Stop(_problem("alias", message, event.start_mark))
        self._spend(weight, event)
        return value, weight

    def _spend(self, weight: int, event: Any) -> None:
        self.alias_weight += weight
        if self.alias_weight > MAX_ALIAS_WEIGHT:
            message = f"aliases expand to more than {MAX_ALIAS_WEIGHT} nodes"
            raise _Stop(_problem("alias", message, event.start_mark, "write the data out, or use less of it"))

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        tag = event.tag
        if tag is None:
            if not event.implicit[0]:
                return text
        elif tag in ("!", f"{_TAG}str"):
            return text
        try:
            value = self.plain(text)
        except _Bad as error:
            self._note("bad-number", str(error), event, "put it in quotes to make it text")
            return 0
        if tag is not None and tag != f"{_TAG}{_TAG_OF_TYPE[type(value)]}":
            self._bad_tag(event)
        return value

    def _bad_tag(self, event: Any) -> None:
        self._note("yaml", f"the YAML tag {shortened(event.tag)} does not fit here", event, "leave it out")

    def _note(self, code: str, message: str, event: Any, hint: str | None = None) -> None:
        self.problems.append(_problem(code, message, event.start_mark, hint))


_TAG_OF_TYPE: Final[dict[type, str]] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
}


def read_yaml(
    text: str, plain: Callable[[str], object] = plain_value
) -> tuple[list[Document], list[YamlProblem]]:
    """The documents of a YAML text as plain data (dict, list, str, bool, int, float, None), and problems.

    ``plain``: what an unquoted scalar means, for formats that do not follow the core schema throughout.
    Never raises for what the text holds. Documents before a mistake that stops the parser are given.
    """
    documents: list[Document] = []
    try:
        reader = _Reader(text, plain)
    except (UnicodeEncodeError, yaml.YAMLError) as error:
        return [], [_parser_problem(error, text)]
    try:
        documents.extend(reader.documents())
    except _Stop as stop:
        return documents, [*reader.problems, stop.problem]
    except (UnicodeEncodeError, yaml.YAMLError) as error:
        return documents, [*reader.problems, _parser_problem(error, text)]
    return documents, reader.problems


def _problem(code: str, message: str, mark: Any, hint: str | None = None) -> YamlProblem:
    return YamlProblem(code, message, mark.line + 1, mark.column + 1, hint)


def _parser_problem(error: Exception, text: str) -> YamlProblem:
    """What the C parser raised, as a finding."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if error.context_mark is not None and "end of stream" in str(error.problem):
            mark = error.context_mark  # where the unfinished thing starts tells more than the file's end
        message = f"not valid YAML: {error.problem or error.context}"
        if error.problem and error.context:
            message += f" ({error.context})"
        hint = "indent with spaces" if "cannot start any token" in message else None
        if mark is not None:
            return _problem("yaml", message, mark, hint)
        return YamlProblem("yaml", message, 1, 1)
    bad = _NOT_YAML.search(text)
    if bad is None:
        return YamlProblem("yaml", "not valid YAML", 1, 1)
    line = text.count("\n", 0, bad.start()) + 1
    column = bad.start() - (text.rfind("\n", 0, bad.start()) + 1) + 1
    message = f"the character U+{ord(bad[0]):04X} cannot stand in YAML text as it is"
    return YamlProblem(
        "not-text", message, line, column, r"write it as an escape in double quotes, \x00 style"
    )


class Locator:
    """Finds the line and column of places in a text's documents. Made only when there is an error to show."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[Any] | None = None

    def position(self, document: int, steps: tuple[str | int, ...], on_key: bool) -> tuple[int, int]:
        """Line and column (from 1) of the value at ``steps`` or of its key, else of the nearest container."""
        roots = self._composed()
        if document >= len(roots) or roots[document] is None:
            return 1, 1
        node = roots[document]
        mark = node.start_mark
        for number, step in enumerate(steps):
            key, child = _child(node, step)
            if child is None:
                break
            last = number == len(steps) - 1
            mark = key.start_mark if key is not None and on_key and last else child.start_mark
            node = child
        return mark.line + 1, mark.column + 1

    def _composed(self) -> list[Any]:
        if self._roots is None:
            self._roots = []
            try:
                parser = _NodeParser(self._text)
                while parser.check_node():
                    self._roots.append(parser.get_node())
            except (yaml.YAMLError, _Stop):
                pass
        return self._roots


class _NodeParser(CParser):
    """The C composer without tag resolution: only positions are asked of it."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        self._depth = 0

    def resolve(self, _kind: type, _value: str | None, _implicit: object) -> str:
        return ""

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_YAML_DEPTH + 2:
            raise _Stop(YamlProblem("too-deep", "nested too deep", 1, 1))

    def ascend_resolver(self) -> None:
        self._depth -= 1


def _child(node: Any, step: str | int) -> tuple[Any, Any]:
    """The key's node and the child's node; (None, None) where there is none."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return (None, node.value[step]) if step < len(node.value) else (None, None)
    if not isinstance(node, yaml.MappingNode):
        return None, None
    for key, value in node.value:
        if key.value == step:
            return key, value
    for key, value in node.value:
        if key.value == _MERGE:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _child(source, step)
                if found[1] is not None:
                    return found
    return None, None
