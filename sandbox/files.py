"""Keeps the files that people and the bot send, by file_id and by path; refuses what Telegram no longer gives.

A file may be kept without its bytes, only with the size that it claims: then it can be named but never fetched.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from sandbox.wire import Json, Refusal, bad_request

LARGEST_DOWNLOAD = 20 * 1024 * 1024  # bytes
LINK_LIVES = 3600  # seconds
UNAVAILABLE = "wrong file_id or the file is temporarily unavailable"
FOLDERS = {"photo": "photos", "video": "videos", "voice": "voice", "document": "documents"}
PREFIXES = {"photo": "AgACAgQAAxk", "video": "BAACAgQAAxk", "voice": "AwACAgQAAxk", "document": "BQACAgQAAxk"}
SUFFIXES = {"photo": ".jpg", "video": ".mp4", "voice": ".oga"}


@dataclass(slots=True)
class StoredFile:
    """One file. `shown` is what a message that carries it again shows; `link_until` when its path stops working."""

    file_id: str
    unique_id: str
    kind: str
    path: str
    size: int
    name: str
    content: bytes | None
    shown: Json
    expired: bool = False
    link_until: float = 0.0

    def described(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}


class FileStore:
    """All files of one sandbox."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}

    def keep(self, kind: str, content: bytes | None, *, size: int | None = None, name: str = "") -> StoredFile:
        """A new file; `size` is claimed where there is no content."""
        suffix = SUFFIXES.get(kind, PurePosixPath(name).suffix)
        path = f"{FOLDERS[kind]}/file_{len(self._by_id)}{suffix}"
        true_size = size if content is None else len(content)
        file_id = PREFIXES[kind] + secrets.token_urlsafe(42)
        file = StoredFile(file_id, "Ag" + secrets.token_urlsafe(9), kind, path, true_size or 0, name, content, {})
        self._by_id[file.file_id] = self._by_path[path] = file
        return file

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def content(self, file_id: str) -> bytes | None:
        file = self._by_id.get(file_id)
        return file.content if file else None

    def expire(self, file_id: str) -> None:
        """From now on Telegram does not give this file any more. Raises KeyError when there is no such file."""
        self._by_id[file_id].expired = True

    def link(self, file_id: str) -> Json:
        """The answer to getFile: the path, good for an hour; raises Refusal."""
        file = self._by_id.get(file_id)
        if file is not None and not file.expired and file.size > LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        if file is None or file.expired or file.content is None:
            raise bad_request(UNAVAILABLE)
        file.link_until = self._clock() + LINK_LIVES
        return {**file.described(), "file_path": file.path}

    def download(self, path: str) -> bytes:
        """The bytes at a path that getFile gave within the last hour; raises Refusal."""
        file = self._by_path.get(path)
        if file is None or file.expired or file.content is None or self._clock() > file.link_until:
            raise Refusal(404, "Not Found")
        return file.content
