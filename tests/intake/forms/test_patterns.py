import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.forms.automaton import MOST_REMEMBERED, TooMuchWork
from intake.forms.patterns import BadPattern, pattern
from tests.yardstick import effort

ALPHABET = "abAB01_- .@\n"


@pytest.mark.parametrize(
    ("written", "fitting", "unfitting"),
    [
        ("[0-9]{5}", "20121", "2012"),
        ("^[A-Z]{3}[0-9]+$", "ABC12", "ABC"),
        (r"\d{4}-\d{2}-\d{2}", "2026-11-24", "24/11/2026"),
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "ada@comune.bollate.mi.it", "ada@comune"),
        (r"[A-Z]\d{2}[A-Z]\d{8}\w{4}", "B12C340056780004", "B12C34005678"),
        ("(si|no)", "si", "sino"),
        ("(?:ab)*c?", "ababc", "abac"),
        ("(?<first>a)b", "ab", "a"),
        ("(?i)comune", "COMUNE", "COMUN"),
        (r"\p{Lu}\p{L}*", "Città", "città"),
        (r"\P{L}+", "123", "1a"),
        (r"[\p{L} ']+", "Ca' Granda", "Ca2"),
        (r".*\bponte\b.*", "il ponte nuovo", "i pontefici"),
        (r"a\Bb", "ab", "a b"),
        (r"\Aabc\z", "abc", "abcd"),
        ("[^0-9]*", "ciao", "c1ao"),
        ("[-+]?[0-9]+", "-12", "12-"),
        ("[a-]", "-", "b"),
        ("a{0}b", "b", "ab"),
        ("a{2,}", "aaaa", "a"),
        ("a{1,3}", "aaa", "aaaa"),
        ("a+?b", "aab", "b"),
        (r"€\$\{\}\.", "€${}.", "€"),
        (r"\u00e0\x41", "àA", "aA"),
        ("", "", "a"),
        ("a||b", "", "c"),
        (".", "à", "\n"),
        (r"\d", "3", "٣"),
    ],
)
def test_a_pattern_fits_the_whole_text(written: str, fitting: str, unfitting: str) -> None:
    assert pattern(written).fits(fitting)
    assert not pattern(written).fits(unfitting)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("(a", "("),
        ("a)", ")"),
        ("[a", "a"),
        ("[]", "]"),
        ("[a[b]]", "["),
        ("[a&&b]", "&"),
        ("[z-a]", "-"),
        (r"[a-\d]", "-"),
        ("*a", "*"),
        ("a**", "*"),
        ("a++", "+"),
        ("a{2", "{"),
        ("a{3,1}", "{3,1}"),
        ("a\\", "\\"),
        (r"(a)\1", r"\1"),
        (r"\q", r"\q"),
        (r"\p{Greek}", r"\p{Greek}"),
        (r"\u00", r"\00"),
        ("(?=a)", "(?="),
        ("(?!a)", "(?!"),
        ("(?<=a)b", "(?<"),
        ("a(?i)b", "(?i"),
        ("((a{99}){99})", ""),
        ("(" * 40 + ")" * 40, ""),
        ("a" * 501, ""),
    ],
)
def test_what_is_no_pattern_or_not_possible_is_named(written: str, found: str) -> None:
    with pytest.raises(BadPattern) as problem:
        pattern(written)

    assert problem.value.found == found


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("(a+)+b", "a" * 1500),
        ("(a|a)*b", "a" * 1500),
        ("(a*)*b", "a" * 1500),
        ("(.*)(.*)(.*)(.*)(.*)x", "ab" * 750),
        (
            r"([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}))",
            "a" * 1500,
        ),
        (".{10,1500}", "x" * 1500),
    ],
)
def test_no_pattern_is_to_be_afraid_of(written: str, text: str) -> None:
    automaton = pattern(written)

    assert effort(lambda: automaton.fits(text)) < 300


def test_a_text_that_would_take_too_long_is_given_up() -> None:
    with pytest.raises(TooMuchWork):
        pattern("(.{0,30}){0,40}y").fits("ab" * 700)


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    automaton = pattern("(.|[a-m])*")

    for n in range(MOST_REMEMBERED):
        automaton.fits(chr(256 + n))

    assert len(automaton._stepped) < MOST_REMEMBERED / 2


ATOMS = st.sampled_from(
    ["a", "b", "A", "0", "_", ".", r"\d", r"\w", r"\s", "[a-b]", "[^a]", "[0-9_]", r"\b", "^", "$", r"\."]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}", "*?"])).map(
            lambda both: f"(?:{both[0]}){both[1]}"
        ),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text(ALPHABET, max_size=8))
@settings(max_examples=500, deadline=None)
def test_it_says_what_python_says_where_both_can(written: str, text: str) -> None:
    python = re.compile(written.replace("$", r"\Z"), re.ASCII)

    assert pattern(written).fits(text) is bool(python.fullmatch(text))


@given(st.text("ab*+?{}[]()|\\^$.,-12dwpLu&<:=!i", max_size=25), st.text(ALPHABET, max_size=30))
@settings(max_examples=500, deadline=None)
def test_anything_is_a_pattern_or_refused(written: str, text: str) -> None:
    try:
        automaton = pattern(written)
    except BadPattern:
        return
    assert automaton.fits(text) in {True, False}
