"""What a message can carry besides text, and how Telegram describes it. Keeps the bytes in the file store.

Without `content` a small sample of the right kind is made; with a `size` but no content the file is only claimed.
"""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sandbox.files import FileStore, StoredFile
from sandbox.opus import silence
from sandbox.pictures import dimensions, plain_png
from sandbox.wire import Json

SIZES = (90, 320, 800)  # the longest side of the smaller copies of a photo, in pixels
PHOTO = (1280, 960)
ANY_TYPE = "application/octet-stream"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2\x00\x00\x00\x08mdat"


class Media(Protocol):
    """Describes itself for a message, once its file is kept."""

    def shown(self, files: FileStore) -> Json: ...


@dataclass(frozen=True, slots=True)
class Document:
    name: str = "documento.pdf"
    content: bytes | None = None
    size: int | None = None
    mime_type: str = ""

    def shown(self, files: FileStore) -> Json:
        mime_type = self.mime_type or mimetypes.guess_type(self.name)[0] or ANY_TYPE
        content = self.content
        if content is None and self.size is None:
            content = sample(mime_type, self.name)
        file = files.keep("document", content, size=self.size, name=self.name)
        return _remembered(file, {"document": {"file_name": self.name, "mime_type": mime_type, **file.described()}})


@dataclass(frozen=True, slots=True)
class Photo:
    """The largest size holds the bytes given; the smaller ones are plain pictures of their own."""

    content: bytes | None = None
    size: int | None = None

    def shown(self, files: FileStore) -> Json:
        content = self.content
        if content is None and self.size is None:
            content = plain_png(*PHOTO)
        sides = list(_sides(*((content and dimensions(content)) or PHOTO)))
        contents = [*(plain_png(*side) for side in sides[:-1]), content]
        stored = [files.keep("photo", each, size=self.size if each is None else None) for each in contents]
        shown: Json = {
            "photo": [
                {**file.described(), "width": width, "height": height}
                for file, (width, height) in zip(stored, sides, strict=True)
            ]
        }
        for file in stored:
            file.shown = shown
        return shown


@dataclass(frozen=True, slots=True)
class Video:
    content: bytes | None = None
    size: int | None = None
    name: str = "video.mp4"
    mime_type: str = "video/mp4"
    duration: int = 5  # seconds

    def shown(self, files: FileStore) -> Json:
        content = MP4 if self.content is None and self.size is None else self.content
        file = files.keep("video", content, size=self.size, name=self.name)
        video: Json = {"duration": self.duration, "width": 1280, "height": 720, "mime_type": self.mime_type}
        return _remembered(file, {"video": {**video, "file_name": self.name, **file.described()}})


@dataclass(frozen=True, slots=True)
class Voice:
    content: bytes | None = None
    size: int | None = None
    mime_type: str = "audio/ogg"
    duration: int = 3  # seconds

    def shown(self, files: FileStore) -> Json:
        content = silence(self.duration) if self.content is None and self.size is None else self.content
        file = files.keep("voice", content, size=self.size)
        return _remembered(
            file, {"voice": {"duration": self.duration, "mime_type": self.mime_type, **file.described()}}
        )


def sample(mime_type: str, name: str) -> bytes:
    """A small file of this type: a true PDF or picture, else the name as text."""
    if mime_type == "application/pdf":
        return PDF
    return plain_png(*PHOTO) if mime_type.startswith("image/") else f"{name}\n".encode()


def file_of(raw: Json) -> Json | None:
    """The file in a message, as Telegram describes it: of a photo the largest size; None when there is none."""
    if raw.get("photo"):
        largest: Json = raw["photo"][-1]
        return largest
    return next((raw[kind] for kind in ("document", "video", "voice") if kind in raw), None)


def _remembered(file: StoredFile, shown: Json) -> Json:
    file.shown = shown
    return shown


def _sides(width: int, height: int) -> Iterator[tuple[int, int]]:
    """The sides of each copy of a photo, the original last."""
    longest = max(width, height)
    for side in SIZES:
        if side < longest:
            yield max(1, width * side // longest), max(1, height * side // longest)
    yield width, height
