"""The parts of a mail, as slices of its bytes. Pure; never fails, never recurses, stops at its limits.

Python's own parser makes an object of each of 200,000 parts, recurses into each level and copies every line. This one
looks for the boundaries only, and a part's `raw` is exactly what came, which a signature needs.
"""

import binascii
import re
from dataclasses import dataclass, field
from email.message import Message
from email.policy import compat32

from facts.languages import N_
from intake.reading.headers import from_base64, parameters

LARGEST = 25 * 1024 * 1024  # bytes of a mail
HEADER = 64 * 1024  # bytes of one header
HEADERS = 256 * 1024  # bytes of all of a part's
PARTS = 500
DEPTH = 50
MOST_BAD = 100  # lines of what calls itself uuencoded
LOOKED_AT = 10 * LARGEST  # bytes, for boundaries, on all levels together

TOO_LARGE = N_("It is larger than 25 MB: only its beginning was read.")
LONG_HEADER = N_("Its heading is too long: only the beginning was read.")
MANY_PARTS = N_("It has more than 500 parts: the others were not read.")
TOO_DEEP = N_("Its parts are nested too deep: the innermost were not read.")

_EMPTY_LINE = re.compile(rb"^\r?\n", re.MULTILINE)
_NAME = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_LINE = re.compile(rb"[^\r\n]+")
_UUENCODED = frozenset(("x-uuencode", "uuencode", "x-uue"))


@dataclass(slots=True)
class Part:
    """A stretch of the mail `data`. `headers`: name in lower case and bytes, unfolded, in their order.

    Without copies, or fifty levels of a large mail would be fifty large mails.
    """

    data: bytes
    begin: int
    start: int  # of its body
    end: int
    headers: list[tuple[str, bytes]]
    type: str
    parameters: dict[str, str]
    children: "list[Part]" = field(default_factory=list)

    @property
    def raw(self) -> bytes:
        """All of it, as it came."""
        return self.data[self.begin : self.end]

    @property
    def body(self) -> bytes:
        return self.data[self.start : self.end]

    def first(self, name: str) -> bytes:
        """The topmost header of this name; b"" when there is none."""
        return next((value for found, value in self.headers if found == name), b"")

    def all(self, name: str) -> list[bytes]:
        return [value for found, value in self.headers if found == name]

    def content(self) -> bytes:
        """The body as it was before it was encoded for its journey (RFC 2045 §6)."""
        how = self.first("content-transfer-encoding").strip().strip(b'"').lower().decode("ascii", "replace")
        if how == "base64":
            return from_base64(self.body)
        if how == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return _from_uuencode(self.body) if how in _UUENCODED else self.body

    def heading(self) -> Message:
        """Its headers alone, as Python's own library has them (policy compat32)."""
        message = Message(policy=compat32)
        for name, value in self.headers:
            message.add_header(name, value.replace(b"\x00", b"").decode("ascii", "surrogateescape"))
        return message


@dataclass(slots=True)
class Limits:
    """What may still be read of one mail, and what was left out of it."""

    parts: int = PARTS
    depth: int = DEPTH
    looked_at: int = LOOKED_AT
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, sentence: str) -> None:
        if sentence not in self.left_out:
            self.left_out.append(sentence)


def take_apart(raw: bytes, limits: Limits) -> Part:
    """The tree of a mail's parts."""
    if len(raw) > LARGEST:
        limits.leave_out(TOO_LARGE)
    top = _part(raw, (0, min(len(raw), LARGEST)), "text/plain", limits)
    waiting = [(top, 1)]
    while waiting:
        part, depth = waiting.pop()
        if not part.type.startswith("multipart/"):
            continue
        limits.looked_at -= part.end - part.start
        if depth >= limits.depth or limits.looked_at < 0:
            limits.leave_out(TOO_DEEP)
            part.type = "application/octet-stream"
            continue
        inner = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
        part.children = [_part(raw, piece, inner, limits) for piece in _pieces(part, limits)]
        waiting += [(child, depth + 1) for child in reversed(part.children)]
    return top


def _part(data: bytes, span: tuple[int, int], otherwise: str, limits: Limits) -> Part:
    headers, start = _headers(data, span, limits)
    value = next((value for name, value in headers if name == "content-type"), b"")
    type_, given = parameters(value)
    if "/" not in type_.strip("/"):
        type_ = otherwise
    return Part(data, span[0], start, span[1], headers, type_, given)


def _headers(data: bytes, span: tuple[int, int], limits: Limits) -> tuple[list[tuple[str, bytes]], int]:
    """And where the body starts: after the first empty line, or at the first that is no header. So do mail servers."""
    begin, end = span
    empty = _EMPTY_LINE.search(data, begin, end)
    if empty is not None and empty.start() == begin:
        return [], empty.end()
    block_end, start = (end, end) if empty is None else (empty.start(), empty.end())
    if block_end - begin > HEADERS:
        limits.leave_out(LONG_HEADER)
        block_end = begin + HEADERS
    headers: list[tuple[str, list[bytes]]] = []
    at = begin
    for line in data[begin:block_end].split(b"\n"):
        if headers and line[:1] in (b" ", b"\t"):
            headers[-1][1].append(line.rstrip(b"\r"))
        elif (name := _NAME.match(line)) is not None:
            headers.append((name[0][:-1].rstrip().decode("ascii").lower(), [line[name.end() :].rstrip(b"\r")]))
        elif line and not (at == begin and line.startswith((b"From ", b">From "))):  # a mailbox file's first line
            start = at
            break
        at += len(line) + 1
    return [_cut(name, lines, limits) for name, lines in headers], start


def _cut(name: str, lines: list[bytes], limits: Limits) -> tuple[str, bytes]:
    value = b"".join(lines).strip() if len(lines) > 1 else lines[0].strip()
    if len(value) > HEADER:
        limits.leave_out(LONG_HEADER)
        value = value[:HEADER]
    return name, value


def _pieces(part: Part, limits: Limits) -> list[tuple[int, int]]:
    """Between a multipart's boundaries. Without a boundary there is none, and it is read as one text."""
    boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
    if not boundary:
        return []
    line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|\Z)")
    found: list[tuple[int, int]] = []
    start = -1
    # From the line end before the body, so that its first line is like the others.
    for mark in line.finditer(part.data, max(part.start - 1, 0), part.end):
        if start >= 0:
            found.append((start, _without_return(part.data, start, mark.start())))
            limits.parts -= 1
        start = -1 if mark[1] else mark.end() + 1
        if mark[1]:
            break
        if limits.parts <= 0:
            limits.leave_out(MANY_PARTS)
            return found
    if 0 <= start < part.end:
        found.append((start, part.end))
        limits.parts -= 1
    return found


def _without_return(data: bytes, start: int, end: int) -> int:
    return end - 1 if end > start and data[end - 1] == 13 else max(end, start)


def _from_uuencode(data: bytes) -> bytes:
    """As it is where it is none."""
    result = bytearray()
    bad = 0
    for found in _LINE.finditer(data):
        line = found[0]
        if line.startswith((b"begin ", b"end", b"`")):
            continue
        try:
            result += binascii.a2b_uu(line)
        except binascii.Error:
            # Some programs write more than the length at the beginning of the line says.
            if not (rest := _uu_line(line)):
                bad += 1
            result += rest
        if bad > MOST_BAD or len(result) > LARGEST:  # what is missing of a line counts as zeros: it may swell
            return data
    return bytes(result)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
    except binascii.Error:
        return b""
