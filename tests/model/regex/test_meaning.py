"""Properties: whatever the dialect, a rendered pattern finds a match in exactly the same texts."""

from __future__ import annotations

import re
import warnings

import pytest
import re2
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from converter.model.regex import RegexError, ignores_case, parse, render

LETTERS = "aAbkKsSiI1_ -\n\t\u212a\u017f\u0131\u0130éÉσςΣßẞ€.\\[]{}$^|#@~&<>\"'\x00"

_literal = st.sampled_from("aAbkKsSiIz1_ -")
_odd_literal = st.sampled_from(
    [
        "\u212a",
        "\u017f",
        "\u0131",
        *'éÉσẞ"@~#&<',
        r"\.",
        r"\\",
        r"\[",
        r"\n",
        r"\x{212a}",
        r"\x00",
        r"\Qa.k\E",
    ]
)
_class = st.sampled_from(
    r"\d \w \W \s \S \D [a-z] [^k] [A-Z0-9] [^\W] [\W_] [[:alpha:]] [^[:^space:]] []a] [^]s] [a-] [\-\]é-ü] "
    r"[i] [^i] [\d\s-z] [^\n] . [Σ-ς] [[:upper:]\d]".split(" ")
)
_anchor = st.sampled_from(["^", "$", r"\A", r"\z"])
_lucene_anchor = st.sampled_from(["^", "$", r"\A", r"\z", r"\b", r"\b", r"\b"])
_rich_anchor = st.sampled_from(["^", "$", r"\A", r"\z", r"\b", r"\B", "(?m:^)", "(?m:$)"])
_repeat = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??", "{0}"])
_opening = st.sampled_from(["(", "(?:", "(?i:", "(?s:", "(?-i:", "(?P<n>", "(?is:", "(?U:"])


def patterns(anchor: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """RE2 patterns of a few parts, flags in front of some."""
    atom = _literal | _literal | _odd_literal | _class | anchor
    wrapped = st.recursive(
        atom,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map("".join),
            st.tuples(_opening, inner, inner).map(lambda t: f"{t[0]}{t[1]}|{t[2]})"),
            st.tuples(_opening, inner).map(lambda t: f"{t[0]}{t[1]})"),
            st.tuples(inner, _repeat).map(lambda t: f"(?:{t[0]}){t[1]}"),
        ),
        max_leaves=8,
    )
    flags = st.sampled_from(["", "", "(?i)", "(?s)", "(?is)"])
    return st.tuples(flags, wrapped, wrapped).map(
        lambda t: f"{t[0]}{t[1]}|{t[2]}" if t[1] != t[2] else t[0] + t[1]
    )


TEXTS = st.lists(st.text(alphabet=LETTERS, max_size=6), min_size=4, max_size=8)
COMMON = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def unique_names(pattern: str) -> str:
    """Each ``(?P<n>`` under a name of its own."""
    numbers = iter(range(pattern.count("(?P<n>")))
    return re.sub(r"\(\?P<n>", lambda _: f"(?P<n{next(numbers)}>", pattern)


def found(pattern: str, text: str) -> bool:
    """What RE2 itself says."""
    return re2.search(pattern, text) is not None


def telling(pattern: str, texts: list[str]) -> list[str]:
    """The texts that say something: RE2 sees ``\\B`` between the bytes of one character, others do not."""
    return [text for text in texts if text.isascii()] if "\\B" in pattern else texts


@COMMON
@given(patterns(_rich_anchor).map(unique_names), TEXTS)
@example("(?i)[^\\W]|k", ["\u017f", "\u212a", "k"])
def test_rendered_re2_is_the_same_search(pattern: str, texts: list[str]) -> None:
    again = render(parse(pattern), "re2")
    assert [found(again, text) for text in texts] == [found(pattern, text) for text in texts], again
    assert render(parse(again), "re2") == again


@COMMON
@given(patterns(_rich_anchor).map(unique_names), TEXTS)
@example("(?i)i", ["\u0131", "\u0130", "I"])
@example("a$", ["a\n", "a"])
def test_rendered_python_is_the_same_search(pattern: str, texts: list[str]) -> None:
    texts = telling(pattern, texts)
    python = render(parse(pattern), "python")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = re.compile(python)
    assert [compiled.search(text) is not None for text in texts] == [found(pattern, t) for t in texts], python


@COMMON
@given(patterns(_rich_anchor).map(unique_names), TEXTS)
def test_python_and_pcre_read_back(pattern: str, texts: list[str]) -> None:
    tree = parse(pattern)
    texts = telling(pattern, texts)
    expected = [found(pattern, text) for text in texts]
    python = render(parse(render(tree, "python"), "python"), "re2")
    assert [found(python, text) for text in texts] == expected, python


@COMMON
@given(patterns(_lucene_anchor).map(unique_names), TEXTS)
@example("^(a|b$)|c", ["a", "xa", "b", "bx", "c", "xcx"])
def test_rendered_lucene_holds_the_same_whole_values(pattern: str, texts: list[str]) -> None:
    try:
        lucene = render(parse(pattern), "lucene")
    except RegexError as refusal:
        assert any(word in refusal.construct for word in ("anchor", "no character", "boundary"))
        return
    anchored = render(parse(lucene, "lucene"), "re2")
    assert [found(anchored, text) for text in texts] == [found(pattern, text) for text in texts], lucene


@COMMON
@given(patterns(_anchor).map(unique_names), st.lists(st.text("aAbkKsSiI1.\n", max_size=5), max_size=8))
def test_case_left_to_the_caller(pattern: str, texts: list[str]) -> None:
    tree = parse("(?i)" + pattern.replace("(?-i:", "(?:"))
    if not ignores_case(tree):
        return
    try:
        lucene = render(tree, "lucene", case_by_caller=True)
    except RegexError:
        return
    anchored = "(?i)" + render(parse(lucene, "lucene"), "re2")
    expected = [found(render(tree, "re2"), text) for text in texts]
    assert [found(anchored, text) for text in texts] == expected, lucene


PYTHON_ONLY = st.sampled_from(r"\w \d \s \W [\W_] [\w-] $ \Z (?#c) \x41 é a i k \. [^a] (?:a|k)?".split(" "))


@COMMON
@given(st.sampled_from(["", "(?i)", "(?a)", "(?ai)", "(?x) "]), st.lists(PYTHON_ONLY, max_size=5), TEXTS)
def test_python_reads_as_re2(flags: str, parts: list[str], texts: list[str]) -> None:
    pattern = flags + "".join(parts)
    try:
        rendered = render(parse(pattern, "python"), "re2")
    except RegexError as refusal:
        assert "in the middle" in refusal.construct
        return
    expected = [re.search(pattern, text) is not None for text in texts]
    assert [found(rendered, text) for text in texts] == expected, rendered
    again = render(parse(pattern, "python"), "python")
    assert [re.search(again, text) is not None for text in texts] == expected, again


@pytest.mark.parametrize("letter", ["i", "k", "s", "é", "ß", "σ", "Ж", "ǆ", "ᾳ"])
def test_folding_is_re2_folding(letter: str) -> None:
    from converter.model.regex.classes import orbit

    every = "".join(chr(each) for each in range(0x2200) if chr(each).isalpha()) + "ẞﬅﬆ"
    assert set(orbit(letter)) == set(re2.findall("(?i)" + letter, every))


EVERY_CHARACTER = "".join(chr(code) for code in range(0x1F000) if not 0xD800 <= code < 0xE000)


@pytest.mark.parametrize(
    "text", [r"[\pL\pN_]", r"[^\pL\pM\pN_]", r"\pM", r"\pN", r"[^\pM.]", r"[^\pL\pM.:'·’]", r"[\pLKx]"]
)
def test_a_unicode_class_holds_the_same_characters_without_case(text: str) -> None:
    written = render(parse(f"(?i:{text}k)", "re2"), "pcre")
    assert written.startswith("(?i)")
    in_pcre = written.removeprefix("(?i)").removesuffix("k")
    expected = re2.findall(f"(?i){text}", EVERY_CHARACTER)
    assert re2.findall(in_pcre, EVERY_CHARACTER) == expected  # what is spelled out needs no folding
    assert re2.findall(f"(?i){in_pcre}", EVERY_CHARACTER) == expected  # and none changes it


@pytest.mark.parametrize("text", [r"\p{Lu}", r"\p{Greek}", r"\PL", r"[\pL\p{Lu}]"])
def test_a_part_of_the_letters_is_not_known_by_its_case(text: str) -> None:
    with pytest.raises(RegexError, match="Unicode class under"):
        render(parse(f"(?i:{text})", "re2"), "pcre")
