"""Cuts a mail into its parts as the bytes stand, because a signature is of bytes. Pure; refuses to guess a boundary.

The standard library's parser hands out text that it has read, not what was sent, and reads a base64 mail within a mail
as no mail at all. This one knows no nesting but what it is asked for, so that nothing can be too deep for it.
"""

import base64
import binascii
import quopri
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

MOST = 100  # parts
LONGEST_BOUNDARY = 200
LARGEST_HEADERS = 256 * 1024  # bytes
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """`body` as it was sent, still encoded."""

    headers: Message
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.get_content_type()

    @property
    def name(self) -> str:
        return (self.headers.get_filename() or "").strip().lower()

    def decoded(self) -> bytes:
        """What was meant; as it stands where its encoding is broken or unknown."""
        encoding = str(self.headers.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        if encoding != "base64":
            return self.body
        try:
            return base64.b64decode(self.body)
        except (binascii.Error, ValueError):
            return self.body


def part_of(raw: bytes) -> Part:
    """A whole mail, or one part of it."""
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        return Part(Message(), raw.lstrip(b"\r").removeprefix(b"\n"))
    blank = _BLANK.search(raw, 0, LARGEST_HEADERS)
    head, body = (raw, b"") if blank is None else (raw[: blank.start()], raw[blank.end() :])
    return Part(BytesHeaderParser().parsebytes(head[:LARGEST_HEADERS] + b"\n\n"), body)


def cut(headers: Message, body: bytes) -> list[bytes]:
    """The parts of a multipart, each with its own headers; none where there is no boundary. RFC 2046 §5.1.1."""
    boundary = headers.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        return []
    line = re.escape(boundary.rstrip().encode("latin-1", "replace"))
    found: list[bytes] = []
    begins: int | None = None
    for match in re.finditer(rb"(?:^|\r?\n)--" + line + rb"(--)?[ \t]{0,80}(?=\r?\n|$)", body):
        if begins is not None:
            found.append(_after_line(body, begins, match.start()))
        begins = match.end()
        if match[1] is not None or len(found) == MOST:
            return found
    if begins is not None:
        found.append(_after_line(body, begins, len(body)))
    return found


def _after_line(body: bytes, begins: int, ends: int) -> bytes:
    """Without the end of the line of the boundary; an empty part may share that with the next boundary."""
    for newline in (b"\r\n", b"\n"):
        if body.startswith(newline, begins):
            return body[begins + len(newline) : ends] if begins + len(newline) <= ends else b""
    return body[begins:ends]
