"""Column types that mean the same on SQLite and PostgreSQL. Pure: knows no table.

Those that seal find the keys at the dialect, which each `Database` has for itself. Without keys they keep in clear;
what is in clear they read as it is. What does not open is handed out as it lies there, sealed: one row that somebody
touched must not hold up all others.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from enum import StrEnum
from operator import eq, ne
from typing import Any

import orjson
import structlog
from sqlalchemy import JSON, BindParameter, ClauseElement, DateTime, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from storage.sealing import CLEAR, CLEAR_BYTES, MARK, MARK_BYTES, CannotOpen, Keyring

log = structlog.get_logger()

SEALED = "$sealed"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, aware and UTC. Refuses naive values at the door of the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a time zone cannot be stored: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum kept as its word, so that a dump reads plainly and a new word needs no migration."""

    impl = String(20)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words
        self._known = {word.value: word for word in words}

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(self._word(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self._word(value)

    def _word(self, value: Any) -> StrEnum:
        # A word in a dictionary: the enumeration's own call is slow, and this is asked for every state of every row.
        return self._known.get(value) or self.words(value)


Json = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document; on PostgreSQL one that can be searched."""


def keys_of(dialect: Dialect) -> Keyring | None:
    """The keys of the database that speaks this dialect."""
    return getattr(dialect, "keys", None)


def sealing_keys(dialect: Dialect) -> Keyring | None:
    """The keys, when what is kept from now on is to be sealed."""
    keys = keys_of(dialect)
    return keys if keys is not None and keys.seals else None


class InClear:
    """A value that is kept in clear although the house seals: mail, where the office wishes it so."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Closed(TypeDecorator.Comparator[Any]):
    """Refuses to look inside: SQL sees what is sealed, and would find nothing without saying so."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
        whether_empty = op in (operators.is_, operators.is_not) or (op in (eq, ne) and _harmless(other[0]))
        if not whether_empty:
            raise TypeError("what is sealed cannot be searched or sorted by SQL; read it and look in Python")
        return super().operate(op, *other, **kwargs)


def _harmless(other: Any) -> bool:
    """Nothing, or a column: SQLAlchemy compares columns with each other to find them in its dictionaries."""
    if isinstance(other, ClauseElement):
        return not isinstance(other, BindParameter)
    return other is None or other == ""


class _Sealed(TypeDecorator[Any]):
    """`place` names the column and is bound to each value. What is empty is kept as it is, and tells only that."""

    impl: Any = String
    cache_ok = True
    comparator_factory = _Closed

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place
        self._bound = place.encode()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, InClear):
            return self.in_clear(value.value)
        if not value:
            return value
        keys = sealing_keys(dialect)
        return self.in_clear(value) if keys is None else self.sealed(value, keys)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        try:
            return self.read(value, keys_of(dialect))
        except CannotOpen as error:
            log.error("sealed.cannot-open", place=self.place, why=str(error))
            return value

    def read(self, value: Any, keys: Keyring | None) -> Any:
        """What was to be kept, of what lies there. Raises CannotOpen."""
        return self.opened(value, keys) if self.is_marked(value) else value

    def is_marked(self, value: Any) -> Any:
        """Whether it is not simply what was to be kept."""

    def in_clear(self, value: Any) -> Any:
        """As it is, unless it looks as if it were sealed."""

    def sealed(self, value: Any, keys: Keyring) -> Any:
        """What is kept instead of it."""

    def opened(self, value: Any, keys: Keyring | None) -> Any:
        """What was to be kept, of what is marked."""


class SealedText(_Sealed):
    """A text that people wrote. No text of theirs is ever mistaken for a sealed one."""

    impl = String
    cache_ok = True

    def is_marked(self, value: Any) -> Any:
        return value is not None and value.startswith(MARK)

    def in_clear(self, value: Any) -> Any:
        return f"{MARK}{CLEAR}{value}" if self.is_marked(value) else value

    def sealed(self, value: Any, keys: Keyring) -> Any:
        return MARK + keys.seal_text(self._bound, value.encode())

    def opened(self, value: Any, keys: Keyring | None) -> Any:
        rest = value[len(MARK) :]
        if rest.startswith(CLEAR):
            return rest[len(CLEAR) :]
        return _there(keys).open_text(self._bound, rest).decode()


class SealedBytes(_Sealed):
    """Something raw, as it arrived."""

    impl = LargeBinary
    cache_ok = True

    def is_marked(self, value: Any) -> Any:
        return value is not None and value.startswith(MARK_BYTES)

    def in_clear(self, value: Any) -> Any:
        return MARK_BYTES + CLEAR_BYTES + value if self.is_marked(value) else value

    def sealed(self, value: Any, keys: Keyring) -> Any:
        return MARK_BYTES + keys.seal(self._bound, value)

    def opened(self, value: Any, keys: Keyring | None) -> Any:
        rest = value[len(MARK_BYTES) :]
        if rest.startswith(CLEAR_BYTES):
            return rest[len(CLEAR_BYTES) :]
        return _there(keys).open(self._bound, rest)


class SealedJson(_Sealed):
    """A JSON document; sealed, a small one in its stead. Its only name is none that a form or the house gives."""

    impl = Json
    cache_ok = True

    def is_marked(self, value: Any) -> Any:
        return isinstance(value, dict) and SEALED in value

    def in_clear(self, value: Any) -> Any:
        return value

    def sealed(self, value: Any, keys: Keyring) -> Any:
        return {SEALED: keys.seal_text(self._bound, _json_bytes(value))}

    def opened(self, value: Any, keys: Keyring | None) -> Any:
        return from_json(_there(keys).open_text(self._bound, value[SEALED]))


class Fingerprint(TypeDecorator[Any]):
    """Recognises content without telling what it is: bind the content (bytes), and its keyed hash is kept.

    It outlives the keys that seal, so that what comes twice is still known after a rotation. Without keys, a SHA-256.
    A text is taken to be a hash already.
    """

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, str):
            return value
        keys, plain = keys_of(dialect), hashlib.sha256(value)
        return plain.hexdigest() if keys is None else keyed_hash(keys, plain.digest())


def keyed_hash(keys: Keyring, plain: bytes) -> str:
    """Of content whose SHA-256 is `plain`. What was written down without keys can follow without its content."""
    return base64.urlsafe_b64encode(hmac.digest(keys.ring.match.secret, plain, "sha256")).decode().rstrip("=")


def _there(keys: Keyring | None) -> Keyring:
    if keys is None:
        raise CannotOpen("there are no keys")
    return keys


def to_json(value: Any) -> str:
    return _json_bytes(value).decode()


def _json_bytes(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, a huge number: the long way
        return json.dumps(value).encode()


def from_json(text: Any) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
