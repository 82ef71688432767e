"""Reads what came with a message: a file, a place, a contact. Pure; never raises, whatever the message looks like.

Telegram shows a photo in several sizes: the largest is the one kept. It makes photos smaller itself; whoever wants
the original sends it as a file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.tables import FileKind

LONGEST_ID = 300
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Enclosed:
    """`file_id` is Telegram's, to fetch it with, and empty for a place or a contact: those say it all in `detail`.

    `size` in bytes and `type` are as Telegram claims them; 0 and empty where it does not.
    """

    kind: FileKind
    file_id: str = ""
    unique_id: str = ""
    size: int = 0
    name: str = ""
    type: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def enclosed_in(message: Mapping[str, Any]) -> Enclosed | None:
    """What came along; None when nothing did, or something that cannot be kept (a sticker, a poll)."""
    number = message.get("message_id")
    for name, read in _READERS.items():
        part = message.get(name)
        if isinstance(part, dict | list) and part:
            return read(part, number if isinstance(number, int) else 0)
    return None


def _photo(sizes: Any, number: int) -> Enclosed | None:
    known = [one for one in sizes if isinstance(one, dict)] if isinstance(sizes, list) else []
    if not known:
        return None
    return _file(max(known, key=_area), FileKind.PHOTO, f"foto-{number}.jpg", "image/jpeg")


def _area(size: Mapping[str, Any]) -> int:
    return _number(size.get("width")) * _number(size.get("height"))


def _kept(kind: FileKind, stem: str, ending: str, type_: str) -> Callable[[Any, int], Enclosed | None]:
    """Reads a file of this kind; where Telegram tells no name, `stem` and the message's number make one."""
    return lambda part, number: _file(part, kind, f"{stem}-{number}{ending}", type_)


def _file(part: Any, kind: FileKind, name: str, type_: str) -> Enclosed | None:
    if not isinstance(part, dict):
        return None
    file_id = _text(part.get("file_id"), LONGEST_ID)
    if not file_id:
        return None
    return Enclosed(
        kind,
        file_id,
        _text(part.get("file_unique_id"), LONGEST_ID),
        _number(part.get("file_size")),
        _text(part.get("file_name"), LONGEST_NAME) or name,
        _text(part.get("mime_type"), LONGEST_NAME) or type_,
    )


def _venue(part: Any, number: int) -> Enclosed | None:
    """A place with a name. Its bare location comes along in the same message."""
    found = _location(part.get("location"), number) if isinstance(part, dict) else None
    if found is None:
        return None
    named = {name: _text(part.get(name), LONGEST_NAME) for name in ("title", "address")}
    return Enclosed(FileKind.LOCATION, detail={**found.detail, **{name: text for name, text in named.items() if text}})


def _location(part: Any, _number_: int) -> Enclosed | None:
    if not isinstance(part, dict):
        return None
    at = {name: part.get(name) for name in ("latitude", "longitude")}
    degrees = {name: round(value, 6) for name, value in at.items() if isinstance(value, int | float)}
    if len(degrees) < 2 or any(abs(value) > 180 for value in degrees.values()):
        return None
    return Enclosed(FileKind.LOCATION, detail=degrees)


def _contact(part: Any, _number_: int) -> Enclosed | None:
    if not isinstance(part, dict):
        return None
    names = (_text(part.get(name), LONGEST_NAME) for name in ("first_name", "last_name"))
    detail = {"name": " ".join(filter(None, names)), "phone": _text(part.get("phone_number"), 40)}
    return Enclosed(FileKind.CONTACT, detail=detail) if any(detail.values()) else None


_READERS: Mapping[str, Callable[[Any, int], Enclosed | None]] = {
    # an animation comes with a document for older programs, a venue with its location: the richer one first
    "animation": _kept(FileKind.VIDEO, "animazione", ".mp4", "video/mp4"),
    "document": _kept(FileKind.FILE, "documento", "", ""),
    "photo": _photo,
    "voice": _kept(FileKind.VOICE, "messaggio-vocale", ".ogg", "audio/ogg"),
    "audio": _kept(FileKind.VOICE, "audio", ".mp3", "audio/mpeg"),
    "video": _kept(FileKind.VIDEO, "video", ".mp4", "video/mp4"),
    "video_note": _kept(FileKind.VIDEO, "videomessaggio", ".mp4", "video/mp4"),
    "venue": _venue,
    "location": _location,
    "contact": _contact,
}


def _text(value: object, longest: int) -> str:
    return value.replace("\x00", "")[:longest] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0
