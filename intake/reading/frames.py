"""How the process that reads mail and the one that asks speak: a JSON heading and bytes. Pure; never pickle.

A frame is two lengths (4 bytes each, big-endian), a heading of the first and bytes of the second. A question's heading
says who is believed, its bytes are a mail; an answer's heading is what `Incoming.to_json` says, or what went wrong, and
its bytes are the content of the files, one after the other. Before the first question the process says READY.
"""

import struct
from typing import Any

import orjson

from intake.incoming import Incoming

LENGTHS = struct.Struct(">II")
LONGEST_HEADING = 64 * 1024 * 1024
LONGEST_BYTES = 512 * 1024 * 1024


READY: dict[str, Any] = {"ready": True}


class BadFrame(Exception):
    """What came is no frame: whoever sent it is not to be believed any more."""


def frame(heading: dict[str, Any], content: bytes = b"") -> bytes:
    words = orjson.dumps(heading)
    return b"".join((LENGTHS.pack(len(words), len(content)), words, content))


def lengths(head: bytes) -> tuple[int, int]:
    """Of the heading and of the bytes. Raises BadFrame."""
    heading, content = LENGTHS.unpack(head)
    if heading > LONGEST_HEADING or content > LONGEST_BYTES:
        raise BadFrame("too long")
    return heading, content


def answer(incoming: Incoming) -> bytes:
    sizes = [len(one.content) for one in incoming.files]
    return frame({"mail": incoming.to_json(), "sizes": sizes}, b"".join(one.content for one in incoming.files))


def refusal(error: str) -> bytes:
    return frame({"error": error})


def taken(heading: bytes, content: bytes) -> tuple[Incoming, list[bytes]] | str:
    """A mail and its files' content, or what went wrong. Raises BadFrame for anything that `answer` does not write."""
    try:
        said = orjson.loads(heading)
        if "error" in said:
            return str(said["error"])[:200]
        mail, sizes = Incoming.from_json(said["mail"]), said["sizes"]
        if len(sizes) != len(mail.files) or any(size < 0 for size in sizes) or sum(sizes) != len(content):
            raise BadFrame("the files do not fit")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadFrame(type(error).__name__) from error
    pieces, at = [], 0
    for size in sizes:
        pieces.append(content[at : at + size])
        at += size
    return mail, pieces
