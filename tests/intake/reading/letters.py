"""Mails of the tests, as bytes. Makers with sane defaults; everybody is invented."""

from collections.abc import Sequence

HEADERS = {
    "Return-Path": "<ada@example.org>",
    "From": "Ada Esempio <ada@example.org>",
    "To": "ufficio@example.net",
    "Subject": "Ribasso d'asta",
    "Date": "Tue, 24 Nov 2026 10:00:00 +0100",
    "Message-ID": "<uno@example.org>",
}
BOUNDARY = "confine"


def a_mail(body: bytes | str = "Possiamo usare il ribasso?\n", **headers: str | None) -> bytes:
    """`headers`: with `_` for `-`; None leaves one out."""
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}".encode() for name, value in given.items() if value is not None]
    return b"\r\n".join([*lines, b"", b""]) + as_bytes(body).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def as_bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def a_part(content: bytes | str, type_: str = "text/plain; charset=utf-8", **headers: str) -> bytes:
    lines = [f"Content-Type: {type_}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\n".join(lines).encode() + b"\n\n" + as_bytes(content)


def of_parts(parts: Sequence[bytes], boundary: str = BOUNDARY) -> bytes:
    """The body of a multipart."""
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\n" + part + b"\n" for part in parts) + mark + b"--\n"


def a_multipart(*parts: bytes, kind: str = "mixed", **headers: str | None) -> bytes:
    type_ = f'multipart/{kind}; boundary="{BOUNDARY}"'
    return a_mail(of_parts(parts), **{"MIME_Version": "1.0", "Content_Type": type_} | headers)
