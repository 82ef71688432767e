"""What Outlook packed into a `winmail.dat` (TNEF). Pure; never fails; opens it once, not what is inside it."""

import logging
import struct
from dataclasses import dataclass
from typing import Any

LARGEST = 25 * 1024 * 1024  # bytes
MOST = 100  # files
MOST_ATTRIBUTES = 5000
FIRST = 6  # after the signature and a key
CHECKSUM = 2
_ATTRIBUTE = struct.Struct("<BHHI")  # level, name, type, length (MS-OXTNEF §2.1.3)
SIGNATURE = (0x223E9F78).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Packed:
    """`text` and `page` only where the mail itself had none. `files`: name and content."""

    files: tuple[tuple[str, bytes], ...]
    text: str = ""
    page: str = ""


def unpacked(content: bytes) -> Packed | None:
    """None when it cannot be read: then the file is kept as it is."""
    if not content.startswith(SIGNATURE) or len(content) > LARGEST or not _is_whole(content):
        return None
    from tnefparse import TNEF

    logging.getLogger("tnefparse").setLevel(logging.CRITICAL)
    try:
        tnef = TNEF(content, do_checksum=False)
        files = tuple(_file(one) for one in tnef.attachments[:MOST])
        return Packed(files, _letters(tnef, "body"), _letters(tnef, "htmlbody"))
    except Exception:  # a library for a format of which nobody has a full description
        return None


def _is_whole(content: bytes) -> bool:
    """Whether its attributes end where it ends: of one that was cut, the library would give half without a word."""
    at = FIRST
    for _ in range(MOST_ATTRIBUTES):
        if at == len(content):
            return True
        if at + _ATTRIBUTE.size > len(content):
            return False
        at += _ATTRIBUTE.size + _ATTRIBUTE.unpack_from(content, at)[-1] + CHECKSUM
    return False


def _file(one: Any) -> tuple[str, bytes]:
    try:
        name = one.long_filename()
    except Exception:
        name = ""
    if isinstance(name, bytes):
        name = name.decode("cp1252", "replace")
    return str(name).strip("\x00"), bytes(one.data or b"")


def _letters(tnef: Any, name: str) -> str:
    found = getattr(tnef, name, None)
    if isinstance(found, bytes):
        found = found.decode("cp1252", "replace")
    return found.replace("\x00", "") if isinstance(found, str) else ""
