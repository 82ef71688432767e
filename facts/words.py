"""What is a word of a text, and which words are one word: its forms in Italian. Pure; keeps no text.

Compares folded words (`facts/folding.py`): case, accents and signs say nothing here.
"""

import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from facts.folding import fold

LONGEST = 40  # letters of a word that count
SHORTEST = 3  # letters from which on the beginning of a word finds it
_CUP = re.compile(r"[a-z]\d\d[a-z]\d{11}")

# What stands in every text and tells nothing about it: the Snowball list for Italian, folded and cut to what people
# write here.
STOP = frozenset(
    """
    a ad agl agli ai al alla alle allo anche avete aveva avevano avevo avuto che chi ci coi col come con contro cui
    da dagl dagli dai dal dall dalla dalle dallo degl degli dei del dell della delle dello di dove e ed era erano
    ero essere fa faccio fanno fare fatto gli ha hai hanno ho i il in io la le lei li lo loro lui ma mi mia mie miei
    mio ne negl negli nei nel nell nella nelle nello noi non nostra nostre nostri nostro o piu quale quanta
    quante quanti quanto quella quelle quelli quello questa queste questi questo se sei si sia siamo siano siete
    sono sta stata stati stato su sua sue sugl sugli sui sul sull sulla sulle sullo suo suoi ti tra tu tua tue tuo
    tuoi tutti tutto un una uno vi voi vostra vostre vostri vostro
    """.split()  # noqa: SIM905 - a list of words is read, not parsed
)

_stemming = threading.Lock()


def words_of(texts: Iterable[str], *, most: int) -> list[str]:
    """The different words of these texts, in order, without those that tell nothing; `most` of them."""
    found: dict[str, None] = {}
    for text in texts:
        for word in fold(text).split():
            if word not in STOP:
                found[word[:LONGEST]] = None
        if len(found) >= most:
            break
    return list(found)[:most]


def wanted_words(wanted: str, *, most: int) -> list[str]:
    """The words that somebody looks for. A CUP is one, however it is spaced.

    What tells nothing, and what is hardly begun, is passed over beside a word that says more.
    """
    words = fold(wanted).split()
    together = "".join(words)
    if _CUP.fullmatch(together):
        return [together]
    telling = [word for word in words if word not in STOP]
    long = [word for word in telling if len(word) >= SHORTEST or not word.isalpha()]
    return [word[:LONGEST] for word in dict.fromkeys(long or telling or words)][:most]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What the forms of a word have in common: `cortile` and `cortili` are `cortil`."""
    if not word.isalpha():
        return word
    with _stemming:  # it works on one word at a time, and keeps it in itself
        stemmed: str = _stemmer().stemWord(word)
    return stemmed


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from snowballstemmer import stemmer  # loads every language there is, a tenth of a second

    return stemmer("italian")
