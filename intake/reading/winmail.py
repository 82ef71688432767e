"""What Outlook packed into a `winmail.dat` (TNEF). Pure; never fails; opens it once, not what is inside it."""

import logging
from dataclasses import dataclass
from typing import Any

LARGEST = 25 * 1024 * 1024  # bytes
MOST = 100  # files
SIGNATURE = (0x223E9F78).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Packed:
    """`text` and `page` only where the mail itself had none. `files`: name and content."""

    files: tuple[tuple[str, bytes], ...]
    text: str = ""
    page: str = ""


def unpacked(content: bytes) -> Packed | None:
    """None when it cannot be read: then the file is kept as it is."""
    if not content.startswith(SIGNATURE) or len(content) > LARGEST:
        return None
    from tnefparse import TNEF

    logging.getLogger("tnefparse").setLevel(logging.CRITICAL)
    try:
        tnef = TNEF(content, do_checksum=False)
        files = tuple(_file(one) for one in tnef.attachments[:MOST])
        return Packed(files, _letters(tnef, "body"), _letters(tnef, "htmlbody"))
    except Exception:  # a library for a format of which nobody has a full description
        return None


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
