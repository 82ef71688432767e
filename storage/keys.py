"""The keys of what is kept: how they are written down, and what is derived from each. Seals nothing.

A ring is one text: a word for each key, `seal:` or `match:` and 64 hexadecimal digits, in lines or with blanks between.
The first `seal:` is in use; those behind it only open what they sealed. `match:` recognises what is here already
without telling what it is; it outlives the others.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
HEADING = (
    "# The keys of what Raccordo keeps. Back this file up, apart from the data: without it nothing can be read.\n"
    "# The first `seal` is in use, the others only read; `match` recognises what is here already.\n"
)
_WORD = re.compile(r"(seal|match):([0-9a-fA-F]{64})")


class NoKeys(ValueError):
    """The text holds no ring; says what is wrong and shows nothing of it."""


class Key:
    """One secret. Each use has its own key, derived from it: what is said in one place means nothing in another."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.id = self.derived(b"id")[:4].hex()
        self.values = AESGCM(self.derived(b"values"))
        self.begin = f"{self.id}:"
        self.begin_bytes = self.begin.encode()

    def derived(self, use: bytes, salt: bytes = b"") -> bytes:
        """32 bytes for one use (RFC 5869, one step: the secret is random already)."""
        return hmac.digest(self.secret, b"raccordo " + use + b"\x00" + salt, "sha256")

    def __repr__(self) -> str:
        return f"Key({self.id})"


@dataclass(frozen=True)
class Ring:
    """The keys as they are at one moment."""

    seal: tuple[Key, ...]
    match: Key

    @property
    def current(self) -> Key:
        return self.seal[0]

    @cached_property
    def by_id(self) -> dict[str, Key]:
        return {key.id: key for key in self.seal}

    @property
    def ids(self) -> list[str]:
        """Of every key, the one in use first. They tell nothing about the keys."""
        return [*self.by_id, self.match.id]

    @property
    def text(self) -> str:
        words = [f"seal:{key.secret.hex()}" for key in self.seal]
        return HEADING + "\n".join([*words, f"match:{self.match.secret.hex()}"]) + "\n"

    def with_new(self) -> "Ring":
        """With a fresh key in use."""
        return Ring((_fresh(), *self.seal), self.match)

    def without(self, ids: set[str]) -> "Ring":
        """With the key in use, and of the others those not named."""
        first, *others = self.seal
        return Ring((first, *(key for key in others if key.id not in ids)), self.match)


def new_ring() -> Ring:
    return Ring((_fresh(),), _fresh())


def read_ring(text: str) -> Ring:
    """The ring that a file or a setting holds. Raises NoKeys."""
    found: dict[str, list[Key]] = {"seal": [], "match": []}
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for word in re.split(r"[\s,]+", " ".join(lines).strip()):
        known = _WORD.fullmatch(word)
        if known is None:
            raise NoKeys("each key is written as seal: or match: and 64 hexadecimal digits")
        found[known[1]].append(Key(bytes.fromhex(known[2])))
    if not found["seal"] or len(found["match"]) != 1:
        raise NoKeys("one seal: key at least and exactly one match: key are needed")
    return Ring(tuple(found["seal"]), found["match"][0])


def _fresh() -> Key:
    return Key(secrets.token_bytes(KEY_BYTES))
