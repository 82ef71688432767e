"""What people of an office write, made up: Italian words as often as they come in Italian. Knows no database.

The words are those of our own Italian sentences, the frequent ones first; behind them stands a long tail of rarer ones,
made by changing their endings. The n-th is written a n-th as often as the first (Zipf's law).
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

CATALOGUES = Path(__file__).parents[1] / "facts" / "locale" / "it"
WORDS = 30_000
SENTENCES = 60_000
ENDINGS = ("mento", "zione", "mente", "abile", "ando", "evole", "anza", "ismo", "atore", "ata", "oni", "etti", "ura")
_WORD = re.compile(r"[a-zàèéìòù]{2,16}")
_VALUE = re.compile(r"\{\w+\}|<[^>]*>")
_SAYS = re.compile(r'^(?:msgstr(?:\[\d\])?\s)?"(.*)"$', re.MULTILINE)


@cache
def vocabulary() -> Sequence[str]:
    """The most frequent word first."""
    counted: Counter[str] = Counter()
    for catalogue in sorted(CATALOGUES.glob("*.po")):
        for entry in catalogue.read_text(encoding="utf-8").split("\n\n")[1:]:  # the first is the file's own heading
            said = " ".join(_SAYS.findall("msgstr" + entry.partition("\nmsgstr")[2]))
            counted.update(_WORD.findall(_VALUE.sub(" ", said).lower()))
    words = [word for word, _ in counted.most_common()]
    long = [word for word in words if len(word) > 5]
    tail = (word[:-2] + ending for ending in ENDINGS for word in long)
    return list(dict.fromkeys((*words, *tail)))[:WORDS]


class Writer:
    """Writes the same every time it begins anew: two databases of one size hold the same words."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        words = vocabulary()
        weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
        lengths = [self.chance.randint(5, 16) for _ in range(SENTENCES)]
        drawn = iter(self.chance.choices(words, cum_weights=weights, k=sum(lengths)))
        self._sentences = [" ".join(next(drawn) for _ in range(length)).capitalize() + "." for length in lengths]

    def text(self) -> str:
        """One to four sentences."""
        return " ".join(self.chance.choices(self._sentences, k=self.chance.choice((1, 1, 2, 2, 3, 4))))

    def title(self) -> str:
        """A few words."""
        return " ".join(self.chance.choice(self._sentences).rstrip(".").split()[:6])
