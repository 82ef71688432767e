"""Keeps the bytes of files in one folder, sealed as they come. Knows no row and judges no content.

A file's name is a keyed hash of its content: it tells nothing, and the same content is kept once. Sealed in chunks of
64 KiB, each with its number and the last one marked, under a key of the file's own, derived from a random salt: a file
that was cut, lengthened or shuffled does not open. Files from before, in clear, do.
"""

import hashlib
import io
import os
import secrets
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.durable import sync_folder
from storage.keys import Key
from storage.sealing import CLEAR_BYTES, ID_LENGTH, MARK_BYTES, CannotOpen, Keyring

CHUNK = 64 * 1024
NAME_LENGTH = 64
TAG_BYTES = 16
SALT_BYTES = 32
HEAD = 4096
TAIL = 256 * 1024
_BEFORE_SALT = len(MARK_BYTES) + ID_LENGTH + 1
_HEADER = _BEFORE_SALT + SALT_BYTES
_IN_CLEAR = MARK_BYTES + CLEAR_BYTES


class TooLarge(Exception):
    """More came than may be kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Content that is on disk for good: the name that opens it, and its size in bytes."""

    name: str
    size: int


class KeptFile(io.BufferedReader):
    """Kept content, opened while it is read. `size` in bytes. Raises CannotOpen where it is not as it was kept."""

    def __init__(self, raw: io.RawIOBase, size: int) -> None:
        super().__init__(raw, CHUNK)
        self.size = size


class Files:
    """The folder, which any number of processes share, and the keys. Without keys files are kept in clear."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self.folder, self.keys = folder, keys

    @contextmanager
    def incoming(self, limit: int) -> Iterator["Incoming"]:
        """A file on its way in, of `limit` bytes at most; gone afterwards unless it was settled."""
        _make(self.folder)
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=".incoming-")
        try:
            with os.fdopen(descriptor, "wb") as temporary:
                yield Incoming(self, temporary, Path(name), limit)
        finally:
            Path(name).unlink(missing_ok=True)

    def open(self, name: str) -> KeptFile:
        """The kept content. Raises FileNotFoundError, and CannotOpen when its key is not in the ring."""
        return self._opened(self.path_of(name))

    def _opened(self, path: Path, key: Key | None = None) -> KeptFile:
        """`key`: the one it was sealed with, where the ring may not have it any more."""
        file = path.open("rb", buffering=0)
        try:
            size, head = os.fstat(file.fileno()).st_size, file.read(_HEADER)
            key_id = _key_of(head)
            if key_id is None:
                start = len(_IN_CLEAR) if head.startswith(_IN_CLEAR) else 0
                file.seek(start)
                return KeptFile(file, size - start)
            cipher = _Cipher((key or self._key(key_id)).derived(b"file", head[_BEFORE_SALT:]), head)
            chunks = max(1, -(-(size - _HEADER) // (CHUNK + TAG_BYTES)))
            content = max(0, size - _HEADER - chunks * TAG_BYTES)
            return KeptFile(_Opening(io.BufferedReader(file), cipher, chunks), content)
        except BaseException:
            file.close()
            raise

    @property
    def current_key(self) -> Key | None:
        """With which a file that comes now is sealed."""
        return self.keys.ring.current if self.keys is not None and self.keys.seals else None

    def _key(self, key_id: str) -> Key:
        if self.keys is None:
            raise CannotOpen(f"sealed with key {key_id}, and there are no keys")
        return self.keys.key(key_id)

    def names(self) -> Iterator[str]:
        """Of all that is kept."""
        return (path.name for path in sorted(self.folder.glob("??/*")) if len(path.name) == NAME_LENGTH)

    def sealed_with(self, name: str) -> str | None:
        """The id of the key that a file is sealed with; None when it is in clear."""
        with self.path_of(name).open("rb") as file:
            return _key_of(file.read(_HEADER))

    def keep_again(self, name: str) -> Kept:
        """Kept anew, as the keys want it now. Its name is another one when it was given without keys."""
        return self.copied(self.path_of(name))

    def copied(self, path: Path, key: Key | None = None) -> Kept:
        """A file of ours, kept once more."""
        with self._opened(path, key) as file, self.incoming(file.size) as again:
            while piece := file.read(CHUNK):
                again.write(piece)
            return again.settle()

    def forget(self, name: str, older_than: timedelta) -> bool:
        """Takes away bytes that nobody needs; False when the same content has come again since, or was not there.

        Its time is that of the machine: whoever leaves the same file now has no row yet that would say so.
        """
        path, aside = self.path_of(name), self.folder / f".leaving-{secrets.token_hex(8)}"
        if not _older(path, older_than):
            return False
        path.rename(aside)
        if not _older(aside, older_than):  # it came again between the look and the move
            aside.rename(path)
            return False
        aside.unlink()
        return True

    def path_of(self, name: str) -> Path:
        """Where a file lies. Only names that `settle` gave lead anywhere."""
        if len(name) != NAME_LENGTH or not set(name) <= set("0123456789abcdef"):
            raise ValueError("not the name of a kept file")
        return self.folder / name[:2] / name


def _key_of(head: bytes) -> str | None:
    """The id of the key that a file which begins so is sealed with; None when it is in clear."""
    if not head.startswith(MARK_BYTES) or head.startswith(_IN_CLEAR):
        return None
    if len(head) < _HEADER:
        raise CannotOpen("the file was cut")
    return head[len(MARK_BYTES) : _BEFORE_SALT - 1].decode("ascii", "replace")


def _older(path: Path, than: timedelta) -> bool:
    return path.is_file() and time.time() - path.stat().st_mtime >= than.total_seconds()


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)


class Incoming:
    """Write it piece by piece, then `settle`. `head` and `tail`: its first and last bytes, to tell what it is."""

    def __init__(self, files: Files, temporary: BinaryIO, path: Path, limit: int) -> None:
        self.size, self.head = 0, b""
        self._files, self._temporary, self._path, self._limit = files, temporary, path, limit
        keys = files.keys
        self._digest = hashlib.sha256() if keys is None else keys.fingerprint()
        self._key = files.current_key
        self._writer = _Clear(temporary) if self._key is None else _Sealing(temporary, self._key)
        self._last: deque[bytes] = deque()
        self._last_size = 0

    @property
    def tail(self) -> bytes:
        return b"".join(self._last)[-TAIL:]

    def write(self, piece: bytes) -> None:
        """Raises TooLarge before anything beyond the limit is on disk."""
        self.size += len(piece)
        if self.size > self._limit:
            raise TooLarge
        self._digest.update(piece)
        self._writer.write(piece)
        if len(self.head) < HEAD:
            self.head = (self.head + piece)[:HEAD]
        self._last.append(piece)
        self._last_size += len(piece)
        while self._last_size - len(self._last[0]) >= TAIL:
            self._last_size -= len(self._last.popleft())

    def settle(self) -> Kept:
        """Keeps it for good: on disk, under its name, whatever happens after this returns."""
        self._writer.finish()
        self._temporary.flush()
        os.fsync(self._temporary.fileno())
        now = self._files.current_key
        if self._key is not None and now is not None and now.id != self._key.id:
            # It took so long that the keys were changed meanwhile; the one that sealed it may be gone soon.
            return self._files.copied(self._path, self._key)
        name = self._digest.hexdigest()
        target = self._files.path_of(name)
        _make(target.parent)
        self._path.replace(target)
        sync_folder(target.parent)
        return Kept(name, self.size)


class _Clear:
    """As it comes. What begins with our mark gets it once more, or it would seem to be sealed."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._begun, self._first = target, False, b""

    def write(self, piece: bytes) -> None:
        if self._begun:
            self._target.write(piece)
            return
        self._first += piece
        if len(self._first) >= len(MARK_BYTES):
            self.finish()

    def finish(self) -> None:
        if not self._begun:
            self._begun = True
            self._target.write(_IN_CLEAR if self._first.startswith(MARK_BYTES) else b"")
            self._target.write(self._first)


class _Sealing:
    """In chunks. The last one waits for `finish`, which marks it."""

    def __init__(self, target: BinaryIO, key: Key) -> None:
        salt = os.urandom(SALT_BYTES)
        header = b"%b%b:%b" % (MARK_BYTES, key.id.encode(), salt)
        self._target, self._cipher, self._waiting = target, _Cipher(key.derived(b"file", salt), header), bytearray()
        target.write(header)

    def write(self, piece: bytes) -> None:
        self._waiting += piece
        while len(self._waiting) > CHUNK:
            self._target.write(self._cipher.seal(bytes(self._waiting[:CHUNK]), last=False))
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        self._target.write(self._cipher.seal(bytes(self._waiting), last=True))


class _Cipher:
    """One file's chunks in their order. Its key is used for nothing else, so a number is a nonce."""

    def __init__(self, key: bytes, header: bytes) -> None:
        self._aead, self._header, self._number = AESGCM(key), header, 0

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        return self._aead.encrypt(self._nonce(last), chunk, self._header)

    def open(self, chunk: bytes, *, last: bool) -> bytes:
        try:
            return self._aead.decrypt(self._nonce(last), chunk, self._header)
        except (InvalidTag, ValueError) as error:
            raise CannotOpen("the file is not as it was kept") from error

    def _nonce(self, last: bool) -> bytes:
        self._number += 1
        return self._number.to_bytes(11, "big") + bytes([last])


class _Opening(io.RawIOBase):
    """What a sealed file says, chunk by chunk."""

    def __init__(self, file: io.BufferedReader, cipher: _Cipher, chunks: int) -> None:
        self._file, self._cipher, self._left, self._clear = file, cipher, chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._clear and self._left:
            self._left -= 1
            sealed = self._file.read(CHUNK + TAG_BYTES)
            self._clear = memoryview(self._cipher.open(sealed, last=self._left == 0))
        wanted = memoryview(buffer).cast("B")
        size = min(len(wanted), len(self._clear))
        wanted[:size] = self._clear[:size]
        self._clear = self._clear[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
