"""Two spellings of one name are one, and a word is found however it is written around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from facts.folding import fold, holds


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Cassano d’Àdda", "cassano d adda"),
        ("  PERCHÉ?! ", "perche"),
        ("E perche' no", "e perche no"),
        ("ẞ_ﬁne", "ss fine"),
        ("Ἀθῆναι", "αθηναι"),
        ("क़लम", "कलम"),
        ("", ""),
    ],
)
def test_names_are_compared_without_case_accents_and_signs(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(text=some.text(), words=some.lists(some.text(min_size=1, max_size=3), max_size=3))
def test_a_text_holds_exactly_the_words_that_its_folding_holds(text: str, words: list[str]) -> None:
    folded_words = [each for word in words for each in fold(word).split()]

    assert holds(text, folded_words) == all(word in fold(text) for word in folded_words)
