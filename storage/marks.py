"""Turns words into marks: numbers that are equal for equal words, and without the key say nothing of them.

Pure: knows no table. Why, and what they tell a thief all the same: `docs/decisions/0013-a-blind-index.md`.
"""

import hmac
from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from facts.words import SHORTEST, stem
from storage.sealing import Keyring

RECIPE = 1  # to be raised when the same text gets other marks: then everything is made anew
MARK_BYTES = 4  # a wrong find in a few thousand searches, for half the size of one in none
LONGEST_BEGINNING = 8  # letters of a word by which its beginning is looked for
LONGEST_CODE = 15  # of a CUP the first eight say only where it is from
CACHED = 20_000  # words, as many as an office uses

TEXT, FILE, ASKED = "text", "file", "asked"  # where a word stands; ASKED: in what was asked, and has been answered


class Marks(TypeDecorator[list[int]]):
    """Many small numbers: an array on PostgreSQL, packed on SQLite."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Integer()) if dialect.name == "postgresql" else LargeBinary())

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else array("i", value).tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> list[int] | None:
        return value if value is None or dialect.name == "postgresql" else array("i", value).tolist()


class Marker:
    """Marks words with one key; without one, anybody who guesses a word can make its mark."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.made = f"{RECIPE}:{hmac.digest(secret, b'made', 'sha256').hex()[:16]}"
        self.of_word = lru_cache(maxsize=CACHED)(self._of_word)

    def of_words(self, words: Iterable[str], kind: str = TEXT) -> set[int]:
        """All by which these words are found: by each form of the word, and by its beginning."""
        return {mark for word in words for mark in self.of_word(word, kind)}

    def finding(self, word: str, kind: str = TEXT) -> tuple[int, ...]:
        """Of these one must be there, where the word, a form of it or a longer one that begins so is to be found."""
        beginning = word[: _longest(word)]
        begun = (self._mark(f"{kind}^{beginning}"),) if len(beginning) >= SHORTEST else ()
        return (self.of_stem(word, kind), *begun)

    def of_stem(self, word: str, kind: str) -> int:
        """For every form of the word."""
        return self._mark(f"{kind}={stem(word)}")

    def _of_word(self, word: str, kind: str) -> tuple[int, ...]:
        if kind == ASKED:
            return (self.of_stem(word, kind),)
        lengths = range(SHORTEST, min(len(word), _longest(word)) + 1)
        return (self.of_stem(word, kind), *(self._mark(f"{kind}^{word[:length]}") for length in lengths))

    def _mark(self, said: str) -> int:
        digest = hmac.digest(self._secret, said.encode("utf-8", "replace"), "sha256")
        return int.from_bytes(digest[:MARK_BYTES], "big", signed=True)


def _longest(word: str) -> int:
    return LONGEST_BEGINNING if word.isalpha() else LONGEST_CODE


def marker_of(keys: Keyring | None) -> Marker:
    """The one for these keys. Rotation leaves the key of matching as it is, and so the marks."""
    return _marker(keys.ring.match.derived(b"search") if keys is not None else b"")


@lru_cache(maxsize=4)
def _marker(secret: bytes) -> Marker:
    return Marker(secret)
