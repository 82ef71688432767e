"""Makes a mail of the head of one that was not fetched whole, and of a note that says so. Pure."""

import re
from email.header import Header

# What describes a body that is not here would have the note read as something else.
_OF_THE_BODY = re.compile(
    rb"^(?:content-[^:\s]*|mime-version)\s*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE
)
_ENDS = re.compile(rb"\r\n|\r|\n")


def with_note(head: bytes, note: str, subject: str) -> bytes:
    """The fields of `head`, then the note as the text. `subject`: for a mail of which not even the head is known."""
    lines = _ENDS.sub(b"\r\n", head.strip(b"\r\n") + b"\r\n") if head.strip() else b""
    fields = _OF_THE_BODY.sub(b"", lines) or b"Subject: %s\r\n" % Header(subject, "utf-8").encode().encode("ascii")
    described = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    return fields + described + b"\r\n" + _ENDS.sub(b"\r\n", note.encode()) + b"\r\n"
