"""What a message says: buttons within Telegram's limits, long texts cut without breaking anything."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from delivery import callbacks
from delivery.callbacks import AboutQuestion, StartUpdate, Unchanged, Verdict
from delivery.links import Links
from delivery.words import Button, Words, plain_text, split_html, split_words, utf16
from sandbox.entities import parse_html

TEXT = st.text(st.sampled_from("ab c\nè😀\n. "), min_size=1, max_size=60)
LEAF = TEXT | st.just("&amp;") | st.just("&lt;")
NESTED = st.recursive(
    LEAF,
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        st.sampled_from(["b", "i", "code", 'a href="https://example.org/x"']),
        st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=40,
)


def test_a_button_has_either_data_or_an_address() -> None:
    with pytest.raises(ValueError, match="either"):
        Button("Sì")
    with pytest.raises(ValueError, match="either"):
        Button("Sì", data="x", url="https://example.org")


@pytest.mark.parametrize("data", ["", "x" * 65, "è" * 33])
def test_button_data_is_at_most_64_bytes(data: str) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        Button("Sì", data=data)


def test_words_come_back_from_the_outbox_as_they_went_in() -> None:
    words = Words("<b>Ciao</b>", "Oggetto", ((Button("Sì", data="q:1:yes"), Button("Apri", url="https://x.it")),), "7")

    assert Words.from_json(words.to_json() | {"plain": True}) == words


@given(NESTED, st.integers(min_value=90, max_value=300))
def test_parts_are_short_balanced_and_lose_no_word(html: str, limit: int) -> None:
    assume(_deepest(html) + 80 < limit)  # one atom has at most 40 characters, each two units

    parts = split_html(html, limit)

    assert all(utf16(part) <= limit for part in parts)
    shown = "".join(parse_html(part)[0] for part in parts)  # the sandbox refuses an unbalanced tag
    assert _letters(shown) == _letters(parse_html(html)[0] if _letters(plain_text(html)) else "")


def _deepest(html: str) -> int:
    """Units that the tags alone need where most of them are open."""
    deepest = 0
    opened: list[int] = []
    for tag in re.findall(r"</?[a-z][^<>]*>", html):
        if tag[1] == "/":
            opened.pop()
        else:
            opened.append(len(tag) + len(tag.split()[0]) + 3)
        deepest = max(deepest, sum(opened))
    return deepest


def _letters(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_a_long_text_is_cut_between_lines() -> None:
    lines = [f"riga {number} " + "x" * 50 for number in range(200)]

    parts = split_html("\n".join(lines))

    assert len(parts) > 2
    assert all(part.split("\n")[-1] in lines for part in parts)


def test_buttons_go_with_the_last_part_and_the_reply_with_the_first() -> None:
    keyboard = ((Button("Sì", data="x"),),)

    parts = split_words(Words("parola " * 1000, buttons=keyboard, reply_to="5"))

    assert [bool(part.buttons) for part in parts] == [False, True]
    assert [part.reply_to for part in parts] == ["5", None]


def test_plain_text_writes_links_out_and_reads_entities() -> None:
    html = 'Ciao <b>Ada &amp; co</b>, <a href="https://x.it/r">apri</a>\n<blockquote>uno\ndue</blockquote>'

    assert plain_text(html) == "Ciao Ada & co, apri (https://x.it/r)\n> uno\n> due"


def test_callbacks_are_read_as_they_were_written() -> None:
    assert callbacks.parse(callbacks.solved(12)) == AboutQuestion(12, Verdict.SOLVED)
    assert callbacks.parse(callbacks.not_solved(12)) == AboutQuestion(12, Verdict.NOT_SOLVED)
    assert callbacks.parse(callbacks.add_to(12)) == AboutQuestion(12, Verdict.ADD)
    assert callbacks.parse(callbacks.start_update(3, 4)) == StartUpdate(3, 4)
    assert callbacks.parse(callbacks.start_update(3)) == StartUpdate(3, None)
    assert callbacks.parse(callbacks.unchanged(3, 4)) == Unchanged(3, 4)


@pytest.mark.parametrize("data", ["", "q:1", "q:x:yes", "q:1:maybe", "r::", "q:1:yes\n", "m:menu", "q:" + "9" * 40])
def test_foreign_button_data_is_nothing(data: str) -> None:
    assert callbacks.parse(data) is None


def test_links_join_the_base_and_the_key() -> None:
    links = Links("https://raccordo.example.org/", bot="EsempioBot")

    assert links.personal("abc") == "https://raccordo.example.org/r/abc"
    assert links.start("abc") == "https://t.me/EsempioBot?start=abc"
    assert links.chat() == "https://t.me/EsempioBot"
    assert links.desk_question(4) == "https://raccordo.example.org/desk/questions/4"
