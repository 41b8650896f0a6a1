"""SPL text to pipelines: each command is read by its own small grammar (grammars/*.lark)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.pipeline import Expanded, MacroText, Part, expand, split
from converter.platforms.splunk.spl.trees import EvalTree, SearchTree, unescaped

if TYPE_CHECKING:
    from lark import Lark, Token

STATS_COMMANDS: Final = frozenset(
    {"stats", "eventstats", "streamstats", "sistats", "chart", "timechart", "top", "rare"}
)
WORD_COMMANDS: Final = frozenset(
    """abstract addcoltotals addinfo addtotals append appendcols appendpipe apply bin bucket bucketdir
    collect convert dedup delta extract fieldformat fields fieldsummary filldown fillnull fit foreach
    format from head highlight inputlookup iplocation join kv lookup makemv makeresults map metadata multikv
    multisearch mvcombine mvexpand nomv outputlookup regex replace rest return reverse rex savedsearch
    sendalert set sort spath strcat table tail transaction transpose typer union untable xmlkv xpath
    xyseries fromjson dbxquery datamodel outlier cluster anomalydetection predict trendline geostats
    gauge loadjob mstats pivot reltime overlap erex eventcount localize sichart sitop cofilter correlate
    associate anomalies""".split()
)
"""Commands that are read as words, options, texts and subsearches, whatever they mean."""

_TEMPLATED: Final = frozenset({"foreach", "map"})
"""Commands whose brackets hold a template, which is SPL only once its placeholders are filled in."""

_TSTATS_CLAUSE = re.compile(r"\b(from|where|by)\b(?=[\s(])", re.IGNORECASE)
_NAMED = r"""("[^"]*"|'[^']*'|[^\s,]+)"""
_RENAME = re.compile(rf"\s*{_NAMED}\s+(?i:as)\s+{_NAMED}\s*,?")


@cache
def _parser(name: str, start: str) -> Lark:
    from lark import Lark

    return Lark.open(
        f"grammars/{name}.lark", rel_to=__file__, parser="lalr", start=start, propagate_positions=True
    )


def _parsed(name: str, start: str, text: str, offset: int) -> Any:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

    try:
        return _parser(name, start).parse(text)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedEOF) or (
            isinstance(error, UnexpectedToken) and error.token.type == "$END"
        )
        at = len(text.rstrip()) if ended else (error.pos_in_stream or 0)
        what = "the text ends too early" if ended else f"unexpected {_found(error, text)!r}"
        assert isinstance(error, (UnexpectedCharacters, UnexpectedToken, UnexpectedEOF))
        raise SplError(what, offset + at) from error
    except RecursionError as error:
        raise SplError("the expression is nested too deeply", offset) from error


def _found(error: Any, text: str) -> str:
    token = getattr(error, "token", None)
    if token is not None:
        return str(token)
    at = error.pos_in_stream or 0
    return text[at : at + 1]


def parse_search(text: str, offset: int = 0) -> s.SearchNode:
    """A search expression. Raises SplError."""
    return SearchTree(offset).node(_parsed("search", "start", text, offset))


def parse_expression(text: str, offset: int = 0) -> s.EvalNode:
    """An eval expression. Raises SplError."""
    return EvalTree(offset).node(_parsed("eval", "expression", text, offset))


def parse_pipeline(text: str, macros: Mapping[str, MacroText]) -> tuple[s.Pipeline, Expanded]:
    """A whole search, and the map of its offsets. Raises SplError with an offset of the expanded text."""
    expanded = expand(text, macros)
    return parse_expanded(expanded), expanded


def parse_expanded(expanded: Expanded) -> s.Pipeline:
    """The commands of a search whose macros are expanded. Raises SplError."""
    return _pipeline(expanded.text, 0, 0)


def _pipeline(text: str, offset: int, depth: int) -> s.Pipeline:
    if depth > 20:
        raise SplError("subsearches are nested too deeply", offset)
    return s.Pipeline(tuple(_command(part, depth) for part in split(text, offset)))


def _command(part: Part, depth: int) -> s.Command:
    if part.name in _TEMPLATED:
        return s.Command(part.name, _body(part), part.offset)
    inner = tuple(_pipeline(text, offset, depth + 1) for text, offset in part.subsearches)
    return s.Command(part.name, _body(part), part.offset, inner)


def _body(part: Part) -> s.CommandBody:
    name, text, offset = part.name, part.text, part.offset
    if not name:
        return _lone_macro(part)
    if name in _READERS:
        return _READERS[name](part)
    if name in STATS_COMMANDS:
        return _stats(name, text, offset)
    if name in WORD_COMMANDS:
        return _words(part)
    raise SplError(f"the command {name} is not known here", offset - len(name), "spl-command")


def _lone_macro(part: Part) -> s.Macro:
    found = re.fullmatch(r"`([^`(\s]+)(?:\(.*\))?`\s*", part.text, re.DOTALL)
    if found is None:
        raise SplError("a command's name is expected here", part.offset)
    return s.Macro(found[1], part.offset)


def _eval(part: Part) -> s.Eval:
    tree = _parsed("eval", "assignments", part.text, part.offset)
    return s.Eval(EvalTree(part.offset).assignments(tree))


def _stats(name: str, text: str, offset: int) -> s.Stats:
    tree = _parsed("stats", "start", text, offset)
    aggregates: list[s.Aggregate] = []
    options: dict[str, str] = {}
    by: list[str] = []
    for child in tree.children:
        if _is_token(child):
            if child.type == "OPTION":
                options.update(_option(child))
        elif child.data == "aggregate":
            aggregates.append(_aggregate(child, offset))
        elif child.data == "by":
            for inner in child.children:
                if _is_token(inner):
                    options.update(_option(inner) if inner.type == "OPTION" else {})
                else:
                    by.append(_name(inner.children[0]))
    return s.Stats(name, tuple(aggregates), tuple(by), options)


def _aggregate(tree: Any, offset: int) -> s.Aggregate:
    function = shown = str(tree.children[0])
    argument: str | s.EvalNode | None = None
    alias: str | None = None
    for child in tree.children[1:]:
        token = child.children[0]
        if child.data == "alias":
            alias = _name(token)
        elif token.type == "EVAL":
            body = re.sub(r"(?is)^eval\s*\(", "", str(token))[:-1]
            argument = parse_expression(body, offset + token.start_pos + len(token) - 1 - len(body))
            shown = f"{function}({token})"
        else:
            argument = _name(token)
            shown = f"{function}({argument})"
    return s.Aggregate(function.lower(), argument, alias or shown)


def _tstats(part: Part) -> s.Tstats:
    text, offset = part.text, part.offset
    outside = _outside_quotes(text)
    cuts = [found for found in _TSTATS_CLAUSE.finditer(text) if outside[found.start()]]
    head = text[: cuts[0].start()] if cuts else text
    stats = _stats("tstats", head, offset)
    source: str | None = None
    where: s.SearchNode = s.Everything()
    by: tuple[str, ...] = ()
    options = dict(stats.options)
    for position, cut in enumerate(cuts):
        end = cuts[position + 1].start() if position + 1 < len(cuts) else len(text)
        body, at = text[cut.end() : end], offset + cut.end()
        clause = cut[1].lower()
        if clause == "from":
            source = body.strip()
            sourced = re.fullmatch(r"(\S+)\s+(\S.*)", source, re.DOTALL)
            if sourced is not None:
                source = sourced[1]
        elif clause == "where":
            where = parse_search(body, at)
        else:
            grouped = _stats("tstats", "by " + body, at - 3)
            by, options = grouped.by, {**options, **grouped.options}
    return s.Tstats(stats.aggregates, source, where, by, options)


def _outside_quotes(text: str) -> list[bool]:
    """For each place whether it is in no quotes and no parentheses."""
    plain = re.sub(r'"(?:\\.|[^"\\])*"', lambda found: "\0" * len(found[0]), text, flags=re.DOTALL)
    outside, depth = [], 0
    for character in plain:
        outside.append(character != "\0" and depth == 0)
        depth += (character == "(") - (character == ")")
    return outside


def _rename(part: Part) -> s.Rename:
    pairs: list[tuple[str, str]] = []
    position = 0
    text = part.text.rstrip()
    while position < len(text):
        found = _RENAME.match(text, position)
        if found is None:
            raise SplError("rename wants `old AS new`", part.offset + position)
        pairs.append((_unquoted(found[1]), _unquoted(found[2])))
        position = found.end()
    return s.Rename(tuple(pairs))


def _words(part: Part) -> s.Words:
    tree = _parsed("words", "start", part.text, part.offset)
    words: list[str] = []
    options: dict[str, str] = {}
    subsearches: list[int] = []
    for token in tree.children:
        if token.type == "OPTION":
            options.update(_option(token))
        elif token.type == "SUBSEARCH":
            subsearches.append(int(str(token).strip("[] \n\t\r")))
        elif token.type == "STRING":
            words.append(unescaped(str(token)[1:-1]))
        elif token.type == "WORD":
            words.append(str(token))
    return s.Words(part.name, tuple(words), options, tuple(subsearches))


def _option(token: Token) -> dict[str, str]:
    key, _, value = str(token).partition("=")
    return {key.strip().lower(): _unquoted(value.strip())}


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return unescaped(text[1:-1])
    return text


def _name(token: Token) -> str:
    return _unquoted(str(token).strip())


def _is_token(node: Any) -> bool:
    return not hasattr(node, "data")


_READERS: dict[str, Callable[[Part], s.CommandBody]] = {
    "search": lambda part: s.Search(parse_search(part.text, part.offset)),
    "where": lambda part: s.Where(parse_expression(part.text, part.offset)),
    "eval": _eval,
    "tstats": _tstats,
    "rename": _rename,
}
