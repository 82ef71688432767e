"""Cuts the piece out of a text where the words that were looked for stand, and says which they are. Pure."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from facts.folding import fold
from facts.words import SHORTEST, stem

_WORD = re.compile(r"[^\W_]+")
BEFORE = 60  # letters before the first word that was found


class Piece(NamedTuple):
    """`found`: one of the words that were looked for."""

    text: str
    found: bool


def excerpt(text: str, wanted: Collection[str], length: int = 200) -> Sequence[Piece]:
    """The piece with the first word found; nothing when none is there. `wanted`: folded words."""
    text = " ".join(text.split())
    hits = [match.span() for match in _WORD.finditer(text) if fits(match[0], wanted)]
    if not hits:
        return ()
    begin = min(hits[0][0], _word_begins(text, max(0, hits[0][0] - BEFORE)))
    end = min(len(text), begin + length)
    pieces, at = [Piece("… " if begin else "", False)], begin
    for first, last in hits:
        if last <= end:
            pieces += [Piece(text[at:first], False), Piece(text[first:last], True)]
            at = last
    pieces.append(Piece(text[at:end] + (" …" if end < len(text) else ""), False))
    return [piece for piece in pieces if piece.text]


def fits(word: str, wanted: Collection[str]) -> bool:
    """Whether it is one of these, another form of it, or begins with it."""
    for part in fold(word).split():
        for one in wanted:
            if (len(one) >= SHORTEST and part.startswith(one)) or stem(part) == stem(one):
                return True
    return False


def _word_begins(text: str, at: int) -> int:
    """The next beginning of a word from `at` on."""
    if at == 0:
        return 0
    blank = text.find(" ", at)
    return at if blank < 0 else blank + 1
