"""Seals and opens what is kept, with AES-256-GCM. Who has the data and not the keys reads nothing and changes nothing.

Sealed is a mark, the id of the key, and a fresh nonce with what was encrypted. What a value is (`message.text`) is
bound to it: moved to another place it does not open. What is in clear stays readable: databases from before, and
houses that do not seal.
"""

import hashlib
import hmac
import os
import threading
import time
from binascii import a2b_base64, b2a_base64
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag

from storage.keys import Key, Ring, read_ring

MARK = "\x1asealed:"
MARK_BYTES = MARK.encode()
CLEAR = "clear:"  # behind the mark: what follows only looks as if it were sealed
CLEAR_BYTES = CLEAR.encode()
ID_LENGTH = 8
BEGIN = ID_LENGTH + 1  # the id and a colon
NONCE_BYTES = 12
LOOK_SECONDS = 1.0  # how soon a change of the file of keys is noticed, at the latest


class CannotOpen(Exception):
    """Sealed with a key that is not in the ring, or not as it was sealed."""


class Keyring:
    """The keys in use. With a `path` it follows the file: a new key is taken up within a second, without a restart.

    `seals`: what is kept from now on is sealed, or only opened. `seals_mail`: also what comes and goes by e-mail.
    """

    def __init__(self, ring: Ring, *, path: Path | None = None, seals: bool = True, seals_mail: bool = True) -> None:
        self.seals, self.seals_mail = seals, seals and seals_mail
        self._ring = ring
        self._path = path
        self._seen: Any = None
        self._look_at = 0.0
        self._looking = threading.Lock()

    @property
    def ring(self) -> Ring:
        """As it is now."""
        if self._path is not None and time.monotonic() >= self._look_at:
            self.look()
        return self._ring

    @property
    def follows_a_file(self) -> bool:
        return self._path is not None

    @property
    def whole(self) -> bool:
        """Whether what is written down still holds the key in use: without it the next start could open nothing."""
        if self._path is None:
            return True
        try:
            return self._ring.current.id in read_ring(self._path.read_text(encoding="ascii")).by_id
        except (OSError, ValueError):
            return False

    def seal(self, place: bytes, clear: bytes) -> bytes:
        """`id:` and the rest. `place` says what it is."""
        key = self.ring.current
        return key.begin_bytes + _encrypted(key, place, clear)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """What `seal` was given. Raises CannotOpen."""
        key = self.key(sealed[:ID_LENGTH].decode("ascii", "replace"))
        return _decrypted(key, place, sealed[BEGIN:])

    def seal_text(self, place: bytes, clear: bytes) -> str:
        """As `seal`, in letters."""
        key = self.ring.current
        return key.begin + b2a_base64(_encrypted(key, place, clear), newline=False).decode()

    def open_text(self, place: bytes, sealed: str) -> bytes:
        key = self.key(sealed[:ID_LENGTH])
        try:
            return _decrypted(key, place, a2b_base64(sealed[BEGIN:]))
        except ValueError as error:  # no letters of base64
            raise CannotOpen(f"{place.decode()} is not as it was sealed") from error

    def key(self, key_id: str) -> Key:
        """The key with this id; another process may have put it there a moment ago. Raises CannotOpen."""
        found = self._ring.by_id.get(key_id)
        if found is None and self._path is not None:
            self.look()
            found = self._ring.by_id.get(key_id)
        if found is None:
            raise CannotOpen(f"sealed with key {key_id}, which is not in the ring")
        return found

    def fingerprint(self) -> "hmac.HMAC":
        """To be fed with content: equal for equal content, and to whoever has not our key it confirms no guess."""
        return hmac.new(self._ring.match.secret, digestmod=hashlib.sha256)

    def look(self) -> None:
        """Reads the file again, now, when it has changed. While it cannot be read, what we know stays in use."""
        if self._path is None:
            return
        with self._looking:
            try:
                state = self._path.stat()
                seen = (state.st_mtime_ns, state.st_ino, state.st_size)
                if seen != self._seen:
                    self._ring = read_ring(self._path.read_text(encoding="ascii"))
                    self._seen = seen
            except (OSError, ValueError):  # must not stop a service that has its keys; `whole` tells
                self._seen = None
            self._look_at = time.monotonic() + LOOK_SECONDS


def _encrypted(key: Key, place: bytes, clear: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.values.encrypt(nonce, clear, place)


def _decrypted(key: Key, place: bytes, sealed: bytes) -> bytes:
    try:
        return key.values.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(f"{place.decode()} is not as it was sealed") from error
