"""How alike a question is to those that are answered already. Pure: no database; better nothing than a wrong one.

Words are folded, the small ones left out, and two are the same when they begin alike (`rendicontare`,
`rendicontazione`). A word that many entries have says little; one that few have says much.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from facts.folding import fold

OFFERED = 3
ENOUGH = 0.5  # of the weight of an entry's question that must be found in the text
TOGETHER = 0.5  # as much of both must be common when a single word is
_SHORTEST, _BEGINS, _SHARE = 3, 4, 0.6
_NUMBER = re.compile(r"\d+")

_SMALL_WORDS = """
abbiamo aiuto alla alle allo agli anche ancora avere avete avrei avuto bisogno buona buonasera buongiorno che chi ciao
come con cosa cos cui dal dalla dalle dare degli dei del dell della delle dello devo deve dobbiamo dove dovrei ecco
era essere fare fatto gia gli grazie gentile gentilmente hai hanno infatti invece lei loro mai mia mio modo molto nei
nel nell nella nelle nello noi non nostra nostro nostri oppure ora per perche pero piu poi posso possiamo possibile
potete poter potrei prima puo puoi qual quale quali qualche quando quanto quella quelle quelli quello questa queste
questi questo qui quindi sapere salve saluti sara sapete sapreste scusate sei sempre senza serve servono siamo sia
siete solo sono sta stata stato stiamo sua sue sugli sui sul sulla sulle suo tra tutta tutte tutti tutto una uno vanno
vado viene vogliamo voi vorrei vorremmo vostra vostro and any are can could did does for from get has have hello help
how into its need not our please should that thank thanks the their them then there these they this was what when
where which who will with would you your
"""
_COMMON_WORDS = """
comune comuni comunale progetto progetti ufficio domanda domande informazioni dati intervento lavori ente project
projects office question data works municipality
"""
_SMALL, _COMMON = frozenset(_SMALL_WORDS.split()), frozenset(_COMMON_WORDS.split())
_SAYS_LITTLE = 0.3


@dataclass(frozen=True, slots=True)
class Known:
    """An entry: what it asks, and what it answers."""

    id: int
    question: str
    answer: str


def similar(text: str, entries: Sequence[Known], most: int = OFFERED) -> list[int]:
    """The entries whose question this seems to be, the likeliest first."""
    asked = words_of(text)
    if not asked:
        return []
    questions = {one.id: words_of(one.question) for one in entries}
    weights = _Weights(list(questions.values()))
    scored = [(_score(asked, questions[one.id], one.answer, weights), one.id) for one in entries]
    return [id_ for score, id_ in sorted(scored, key=lambda it: (-it[0], it[1])) if score > 0][:most]


def words_of(text: str) -> list[str]:
    """The words that say what a text is about, each once."""
    found = (word for word in fold(text).split() if len(word) >= _SHORTEST and not _NUMBER.fullmatch(word))
    return list(dict.fromkeys(word for word in found if word not in _SMALL))


def same_word(one: str, other: str) -> bool:
    """Whether two folded words begin alike for most of the longer one."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    common = next(
        (at for at, pair in enumerate(zip(shorter, longer, strict=False)) if pair[0] != pair[1]), len(shorter)
    )
    return common >= _BEGINS and common >= _SHARE * len(longer) and common >= len(shorter) - 3


class _Weights:
    """What a word says, by how many entries ask with it."""

    def __init__(self, questions: Sequence[list[str]]) -> None:
        self._questions = questions
        self._known: dict[str, float] = {}

    def of(self, word: str) -> float:
        if word not in self._known:
            asking = sum(any(same_word(word, other) for other in words) for words in self._questions)
            rare = log(1 + (len(self._questions) + 1) / (asking + 1))
            self._known[word] = rare * (_SAYS_LITTLE if word in _COMMON else 1)
        return self._known[word]

    def sum(self, words: Sequence[str]) -> float:
        return sum(map(self.of, words))


def _score(asked: Sequence[str], question: Sequence[str], answer: str, weights: _Weights) -> float:
    """0: not alike. Most of the entry's question must be in the text, by two words that say something.

    When it is one word, the text must be about little else.
    """
    common = [word for word in question if any(same_word(word, other) for other in asked)]
    telling = [word for word in common if word not in _COMMON]
    if not telling:
        return 0
    covered = weights.sum(common) / weights.sum(question)
    found = [word for word in asked if any(same_word(word, other) for other in common)]
    both = (weights.sum(common) + weights.sum(found)) / (weights.sum(question) + weights.sum(asked))
    if covered < ENOUGH or (len(telling) < 2 and both < TOGETHER):
        return 0
    told = words_of(answer)
    also = sum(any(same_word(word, other) for other in told) for word in asked) / len(asked)
    return covered + both + also / 4
