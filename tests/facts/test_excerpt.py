"""The piece of a text in which the words stand that were looked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from facts.excerpt import excerpt


def test_the_words_found_are_marked_as_they_are_written() -> None:
    pieces = excerpt("Perché i Cortili sono chiusi?", ["cortile", "chius"])

    assert [piece.text for piece in pieces if piece.found] == ["Cortili", "chiusi"]
    assert "".join(piece.text for piece in pieces) == "Perché i Cortili sono chiusi?"


def test_of_a_long_text_only_the_piece_around_the_first_word_is_shown() -> None:
    pieces = excerpt(f"{'prima ' * 100}cortile {'dopo ' * 100}", ["cortile"], length=100)
    shown = "".join(piece.text for piece in pieces)

    assert shown.startswith("… prima")
    assert shown.endswith(" …")
    assert "cortile" in shown
    assert len(shown) <= 104


def test_a_text_without_the_words_shows_nothing() -> None:
    assert excerpt("Buongiorno", ["cortile"]) == ()


@settings(deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=5), max_size=3), st.integers(1, 100))
def test_what_is_shown_stands_in_the_text_in_this_order(text: str, wanted: list[str], length: int) -> None:
    shown = "".join(piece.text for piece in excerpt(text, wanted, length)).removeprefix("… ").removesuffix(" …")

    assert shown in " ".join(text.split()) + " …"
