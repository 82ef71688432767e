"""Keeps a file that somebody left. Refuses programs, scripts, web pages and too much.

What a file is, its first bytes say, not its name. Archives are looked at and never unpacked. Where and how the bytes
lie is in `storage/files.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlmodel import Session

from facts.languages import N_
from intake.file_names import NAME_LENGTH, printable, safe_name, suffix
from storage import audit
from storage.files import Files, Incoming, KeptFile, TooLarge
from storage.tables import Attachment

MIB = 1024 * 1024
LIMIT = 20 * MIB  # what Telegram lets a bot fetch
PAGE_LIMIT = 50 * MIB  # what people may leave on their own page, and staff may send
PIECE = 256 * 1024
UNKNOWN = "application/octet-stream"
ZIP = "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"

# fmt: off
_REFUSED_NAMES = frozenset((
    ".apk", ".app", ".bat", ".chm", ".cmd", ".com", ".cpl", ".deb", ".dll", ".dmg", ".exe", ".gadget", ".hta",
    ".htm", ".html", ".img", ".inf", ".iso", ".jar", ".js", ".jse", ".lnk", ".mht", ".mhtml", ".mjs", ".msc",
    ".msi", ".msp", ".php", ".pif", ".ps1", ".py", ".reg", ".rpm", ".scr", ".sh", ".svg", ".svgz", ".url", ".vbe",
    ".vbs", ".wsf", ".wsh", ".xht", ".xhtml", ".xll",
))
# fmt: on
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"#!", b"L\x00\x00\x00\x01\x14\x02\x00", b"dex\n", b"!<arch>")
_MACH_O = tuple(bytes.fromhex(word) for word in ("feedface", "feedfacf", "cefaedfe", "cffaedfe"))
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<iframe", b"<?php")
_MAGIC: Mapping[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"\x1aE\xdf\xa3": "video/webm",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "application/x-ole-storage",  # Word and Excel before 2007
}
_INSIDE: Mapping[bytes, str] = {
    b"word/document.xml": f"{_OFFICE}.wordprocessingml.document",
    b"xl/workbook.xml": f"{_OFFICE}.spreadsheetml.sheet",
    b"ppt/presentation.xml": f"{_OFFICE}.presentationml.presentation",
}
_PROGRAM_INSIDE = (b"META-INF/MANIFEST.MF", b"AndroidManifest.xml")


class FileRefused(Exception):
    """A file that is not kept. `sentence` (to be said with `values`) tells whoever sent it what to do."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values


class FileTooLarge(FileRefused):
    """More came than may be kept."""


class FileEmpty(FileRefused):
    """Nothing came."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that are on disk for good, and what is known about them. Nobody can reach them without a row."""

    sha256: str
    size: int
    name: str
    type_claimed: str
    type_seen: str


class Arriving:
    """A file that comes piece by piece. Both methods raise FileRefused, and then nothing is kept."""

    def __init__(self, incoming: Incoming, name: str, claimed_type: str, limit: int) -> None:
        self._incoming, self._name, self._limit = incoming, name, limit
        self._claimed = printable(claimed_type)[:NAME_LENGTH]

    def write(self, piece: bytes) -> None:
        try:
            self._incoming.write(piece)
        except TooLarge as too_large:
            raise FileTooLarge(
                N_("This file is larger than {limit} MB. Make it smaller, or send it in parts."),
                limit=self._limit // MIB,
            ) from too_large

    def settle(self) -> StoredFile:
        """Looks at what has come, and keeps it: on disk for good before it returns."""
        incoming = self._incoming
        if incoming.size == 0:
            raise FileEmpty(N_("This file is empty. Choose it again, please."))
        seen = seen_type(incoming.head, incoming.tail)
        kept = incoming.settle()
        return StoredFile(kept.name, kept.size, self._name, self._claimed, seen)


@contextmanager
def arriving(files: Files, name: str, claimed_type: str, *, limit: int = LIMIT) -> Iterator[Arriving]:
    """For who gets the content piece by piece. What was not settled at the end of the block is gone.

    Raises FileRefused already here when the name says that we cannot take it.
    """
    shown = safe_name(name)
    if is_refused_name(shown):
        raise _dangerous()
    with files.incoming(limit) as incoming:
        yield Arriving(incoming, shown, claimed_type, limit)


def keep_file(  # noqa: PLR0913 - what is known about a file
    session: Session,
    files: Files,
    name: str,
    claimed_type: str,
    stream: BinaryIO,
    *,
    now: datetime,
    referent_id: int | None = None,
    message_id: int | None = None,
    limit: int = LIMIT,
) -> Attachment:
    """Both steps at once, `store_file` and `add_file`, for who holds no transaction that others wait for."""
    stored = store_file(files, name, claimed_type, stream, limit=limit)
    return add_file(session, stored, now=now, referent_id=referent_id, message_id=message_id)


def store_file(files: Files, name: str, claimed_type: str, stream: BinaryIO, *, limit: int = LIMIT) -> StoredFile:
    """Keeps what `stream` gives, `limit` bytes at most, on disk for good before it returns. Raises FileRefused.

    Needs no transaction, and should have none: SQLite's one writer would wait for the disk. A file whose row never
    comes stays behind: nobody can reach it, and it does no harm.
    """
    with arriving(files, name, claimed_type, limit=limit) as file:
        while piece := stream.read(PIECE):
            file.write(piece)
        return file.settle()


def add_file(  # noqa: PLR0913 - where it belongs, each by name
    session: Session,
    stored: StoredFile,
    *,
    now: datetime,
    referent_id: int | None = None,
    staff_id: int | None = None,
    message_id: int | None = None,
    proposal_id: int | None = None,
    circular_id: int | None = None,
) -> Attachment:
    """The row that says whose file this is and where it belongs."""
    attachment = Attachment(
        sha256=stored.sha256,
        size=stored.size,
        name=stored.name,
        type_claimed=stored.type_claimed,
        type_seen=stored.type_seen,
        referent_id=referent_id,
        staff_id=staff_id,
        message_id=message_id,
        proposal_id=proposal_id,
        circular_id=circular_id,
        created_at=now,
    )
    session.add(attachment)
    session.flush()
    actor = ("referent", referent_id) if referent_id is not None else ("staff" if staff_id else "system", staff_id)
    audit.record(session, now, actor, "file.keep", ("attachment", attachment.id), size=stored.size)
    return attachment


def open_file(files: Files, attachment: Attachment) -> KeptFile:
    """The kept bytes. To be served as `attachment; nosniff`, whatever they seem to be.

    Raises FileNotFoundError, and CannotOpen when they are not as they were kept.
    """
    assert attachment.sha256 is not None, "the caller knows that it was fetched"
    return files.open(attachment.sha256)


def is_refused_name(name: str) -> bool:
    """Whether the ending alone says that we cannot take it."""
    return suffix(name) in _REFUSED_NAMES


def seen_type(head: bytes, tail: bytes) -> str:
    """The media type that the first and the last bytes show. Raises FileRefused for programs, scripts and web pages."""
    if head.startswith(_PROGRAMS + _MACH_O):
        raise _dangerous()
    known = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if known is not None:
        return known
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    if head.startswith(b"PK\x03\x04"):
        return _archive_type(head, tail)
    # A web page stays one in UTF-16, and behind any number of blanks and comments.
    if any(mark in head.replace(b"\x00", b"").lower() for mark in _PAGES):
        raise _dangerous()
    return "text/plain" if _is_text(head) else UNKNOWN


def _archive_type(head: bytes, tail: bytes) -> str:
    """By the names inside, which an archive lists at its end. OpenDocument writes its type first, uncompressed."""
    if head[30:38] == b"mimetype" and head[38:].startswith(b"application/vnd.oasis.opendocument."):
        return head[38:].partition(b"PK")[0].decode("ascii", "replace")[:NAME_LENGTH]
    if any(mark in tail for mark in _PROGRAM_INSIDE):
        raise _dangerous()
    return next((kind for mark, kind in _INSIDE.items() if mark in tail), ZIP)


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def _dangerous() -> FileRefused:
    return FileRefused(N_("We cannot take programs, scripts or web pages. Send it as a PDF, for example."))
