"""What was changed in a text, word by word. Pure: no database, no page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Looking for the shortest difference costs the square of the length: beyond this the two texts stand one by the other.
MOST_WORDS = 3_000
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """`kept`, `added` or `gone`: what happened to this piece of text."""

    what: str
    text: str


def difference(before: str, after: str) -> Sequence[Piece]:
    """The pieces of both texts in order; without those `gone` they are `after`, without those `added`, `before`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > 2 * MOST_WORDS:  # blanks count
        return [Piece("gone", before), Piece("added", after)]
    pieces: list[Piece] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(Piece("kept", "".join(old[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(Piece("gone", "".join(old[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("added", "".join(new[j1:j2])))
    return pieces
