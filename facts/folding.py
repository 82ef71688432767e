"""Makes two spellings of one name equal. Pure; for comparing and searching, never for showing."""

import re
import unicodedata
from collections.abc import Iterable

_LATIN_MARKS = re.compile("[\u0300-\u036f]+")
_SIGNS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Lower case, no accents, apostrophes and signs as single spaces: `Cassano d’Àdda` is `cassano d adda`."""
    return _SIGNS.sub(" ", _bare(text)).strip()


def holds(text: str, words: Iterable[str]) -> bool:
    """Whether every one of these folded words stands in the text, whole or as a part of a longer one."""
    bare = _bare(text)  # the signs may stay: no word has one inside
    return all(word in bare for word in words)


def _bare(text: str) -> str:
    """Lower case, no accents."""
    bare = unicodedata.normalize("NFKD", text)
    if not bare.isascii():
        # Nearly always enough, and ten thousand messages are searched: the general way asks letter by letter.
        bare = _LATIN_MARKS.sub("", bare)
    if not bare.isascii():
        bare = "".join(c for c in bare if not unicodedata.combining(c))
    return bare.casefold()


def begin_words(name: str, typed: str) -> bool:
    """Whether each word typed begins a different word of the name, in any order: `ses gio`, `S. Giovanni`.

    Nothing typed begins nothing.
    """
    left = fold(name).split()
    words = sorted(fold(typed).split(), key=len, reverse=True)
    for word in words:
        fitting = next((part for part in left if part.startswith(word)), None)
        if fitting is None:
            return False
        left.remove(fitting)
    return bool(words)
