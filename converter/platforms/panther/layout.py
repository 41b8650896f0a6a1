"""Boolean Python expressions as a small tree, and their layout in lines of at most 100 characters."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

WIDTH: Final = 100
_STEP: Final = 4


class Text(msgspec.Struct, frozen=True):
    """A finished Python expression whose value is a bool; ``negated`` is the expression of its opposite."""

    text: str
    negated: str


class Joined(msgspec.Struct, frozen=True):
    """Terms joined by ``and`` or ``or``."""

    word: str
    terms: tuple[Doc, ...]


class Negated(msgspec.Struct, frozen=True):
    """``not`` and a term."""

    term: Doc


class Any(msgspec.Struct, frozen=True):
    """``any(body for … in …)``; ``clauses`` are the parts from ``for`` on."""

    body: Doc
    clauses: tuple[str, ...]


Doc: TypeAlias = Text | Joined | Negated | Any

TRUE: Final = Text("True", "False")
FALSE: Final = Text("False", "True")


def call(text: str) -> Text:
    """A function call that gives a bool."""
    return Text(text, f"not {text}")


def compared(left: str, operator: str, right: str) -> Text:
    """A comparison, with the operator that is its opposite."""
    return Text(f"{left} {operator} {right}", f"{left} {_OPPOSITES[operator]} {right}")


_OPPOSITES: Final = {"==": "!=", "in": "not in", "is": "is not", "is not": "is"}


def joined(word: str, terms: list[Doc]) -> Doc:
    """The terms joined, those of the same word spliced in; none at all: the word's neutral value."""
    flat: list[Doc] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Joined) and term.word == word else (term,))
    if len(flat) == 1:
        return flat[0]
    if not flat:
        return TRUE if word == "and" else FALSE
    return Joined(word, tuple(flat))


def negated(term: Doc) -> Doc:
    """The opposite of a term."""
    if isinstance(term, Negated):
        return term.term
    if isinstance(term, Text):
        return Text(term.negated, term.text)
    return Negated(term)


def one_line(doc: Doc) -> str:
    """The expression in one line."""
    match doc:
        case Text(text):
            return text
        case Negated(Joined() as term):
            return f"not ({one_line(term)})"
        case Negated(term):
            return f"not {one_line(term)}"
        case Any(body, clauses):
            return f"any({one_line(body)} {' '.join(clauses)})"
        case Joined(word, terms):
            return f" {word} ".join(
                f"({one_line(term)})" if isinstance(term, Joined) else one_line(term) for term in terms
            )


def returned(doc: Doc) -> str:
    """A ``return`` statement in a function's body."""
    text = one_line(doc)
    if _STEP + len("return ") + len(text) <= WIDTH and not (isinstance(doc, Joined) and len(doc.terms) > 3):
        return f"    return {text}"
    if isinstance(doc, Joined):
        lines = [f"    {line}" for line in _lines(doc, WIDTH - 2 * _STEP)]
        return "\n".join(["    return (", *(f"    {line}" for line in lines), "    )"])
    lines = _lines(doc, WIDTH - _STEP - len("return "))
    return "\n".join([f"    return {lines[0]}", *(f"    {line}" for line in lines[1:])])


def branch(word: str, doc: Doc) -> str:
    """The head of an ``if`` or ``elif`` in a function's body."""
    text = one_line(doc)
    if _STEP + len(f"{word} {text}:") <= WIDTH:
        return f"    {word} {text}:"
    lines = [f"        {line}" for line in _lines(doc, WIDTH - 2 * _STEP)]
    return "\n".join([f"    {word} (", *lines, "    ):"])


def _lines(doc: Doc, width: int) -> list[str]:
    text = one_line(doc)
    if len(text) <= width and not (isinstance(doc, Joined) and len(doc.terms) > 3):
        return [text]
    match doc:
        case Joined(word, terms):
            lines: list[str] = []
            for position, term in enumerate(terms):
                inner = (
                    _group(term, width) if isinstance(term, Joined) else _lines(term, width - len(word) - 1)
                )
                head = f"{word} {inner[0]}" if position else inner[0]
                lines += [head, *inner[1:]]
            return lines
        case Negated(Joined() as term):
            inner = _group(term, width)
            return [f"not {inner[0]}", *inner[1:]]
        case Negated(term):
            inner = _lines(term, width - len("not "))
            return [f"not {inner[0]}", *inner[1:]]
        case Any(body, clauses):
            inner = [*_lines(body, width - _STEP), *clauses]
            return ["any(", *(" " * _STEP + line for line in inner), ")"]
        case _:
            return [text]


def _group(doc: Joined, width: int) -> list[str]:
    text = one_line(doc)
    if len(text) + 2 <= width and len(doc.terms) <= 3:
        return [f"({text})"]
    return ["(", *(" " * _STEP + line for line in _lines(doc, width - _STEP)), ")"]
