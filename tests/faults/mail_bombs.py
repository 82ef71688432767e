"""Mails that were made to cost whoever reads them much. Harmless to keep: each is made where it is needed."""

from collections.abc import Callable

from tests.intake.reading.letters import a_mail, a_multipart, a_part
from tests.intake.reading.test_files_inside import a_tnef

MIB = 1024 * 1024


def nested(levels: int, kind: str = "multipart") -> bytes:
    """A mail of so many levels, each in the next."""
    if kind == "rfc822":
        return b"Content-Type: message/rfc822\n\n" * levels + b"Subject: fondo\n\nfondo"
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels))
    return (
        b"From: ada@example.org\n" + head + b"\nfondo\n" + b"".join(b"\n--b%d--" % n for n in reversed(range(levels)))
    )


def a_page(page: bytes) -> bytes:
    return a_mail(page, Content_Type="text/html; charset=utf-8")


def in_base64(content: bytes, type_: str = "application/octet-stream") -> bytes:
    return a_multipart(a_part("Ecco"), a_part(content, type_, Content_Transfer_Encoding="base64"))


def in_uuencode(content: bytes) -> bytes:
    return b"Content-Type: application/x\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + content


def a_status(recipients: int) -> bytes:
    blocks = "\n\n".join(f"Final-Recipient: rfc822; a{n}@example.org\nAction: failed" for n in range(recipients))
    return a_multipart(a_part("No"), a_part(blocks, "message/delivery-status"), kind="report")


def events(number: int) -> bytes:
    return b"BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261201T100000Z\nEND:VEVENT\n" * number


def charsets() -> str:
    return " ".join(f"=?x-{n}?q?a?= b" for n in range(20_000))


BOMBS: dict[str, Callable[[], bytes]] = {
    "20,000 encoded words": lambda: a_mail(Subject="\n ".join(["=?utf-8?q?=C3=A9?="] * 20_000)),
    "20,000 encoded words of 20,000 charsets": lambda: a_mail(Subject=charsets()),
    "20,000 addresses": lambda: a_mail(To=",\n ".join(f"A <a{n}@example.org>" for n in range(20_000))),
    "20,000 senders": lambda: a_mail(From=",".join(f"a{n}@example.org" for n in range(20_000))),
    "200,000 parts": lambda: a_multipart(*[b"\nx"] * 200_000),
    "200,000 parts in one of two forms": lambda: a_multipart(
        *[b"Content-Type: text/html\n\nx"] * 200_000, kind="alternative"
    ),
    "500 levels": lambda: nested(500),
    "500 mails inside each other": lambda: nested(500, "rfc822"),
    "49 levels around 20 MiB": lambda: nested(49).replace(b"fondo", b"--b1 x\n" * (3 * MIB)),
    "5,000 parameters": lambda: a_mail(Content_Type="text/plain" + "".join(f"; a{n}=b" for n in range(5_000))),
    "5,000 pieces of a name": lambda: a_multipart(
        a_part(
            "x",
            "application/pdf",
            Content_Disposition="attachment" + "".join(f"; filename*{n}*=%C3" for n in range(5_000)),
        )
    ),
    "100,000 <": lambda: a_mail(
        From="<" * 100_000, To="<" * 100_000, References="<" * 100_000, Message_ID="<" * 100_000
    ),
    "100,000 (": lambda: a_mail(From="(" * 100_000, To="(" * 100_000, Authentication_Results="mx" + "(" * 100_000),
    "100,000 quotes and backslashes": lambda: a_mail(
        From='"' * 50_000, To='"' + "\\" * 60_000, Content_Type='text/plain; a="' + "\\" * 60_000, Cc='"\\' * 30_000
    ),
    "a subject of 460 KB": lambda: a_mail(Subject="è " * 153_000),
    "100,000 headers": lambda: a_mail(**{f"X_{n}": "y" for n in range(100_000)}),
    "a header of 100,000 lines": lambda: a_mail(Subject="\n ".join(["x"] * 100_000)),
    "20 MiB of broken base64": lambda: in_base64(b"A!=" * (20 * MIB // 3)),
    "20 MiB of base64 that ends at once": lambda: in_base64(b"AA==" * (5 * MIB)),
    "20 MiB in one line": lambda: a_mail(b"x " * (10 * MIB)),
    "20 MiB of soft line ends": lambda: a_mail(b"=\n" * (10 * MIB), Content_Transfer_Encoding="quoted-printable"),
    "a million quoted lines": lambda: a_mail(b"> no\n" * 1_000_000),
    "a million flowing lines": lambda: a_mail(b"a \n" * 1_000_000, Content_Type="text/plain; format=flowed"),
    "100,000 beginnings of quotations": lambda: a_mail("Il giorno 24 nov 2026 alle 10:03\n" * 100_000),
    "100,000 who wrote": lambda: a_mail("Ada ha scritto:\n" * 60_000),
    "100,000 headings": lambda: a_mail("Da: Ada\n\n" * 100_000),
    "a page of 200,000 levels": lambda: a_page(b"<div>" * 200_000 + b"x"),
    "a page of 11,000 levels": lambda: a_page(b"<div>" * 11_000 + b"x"),
    "a page of 11,000 quotations": lambda: a_page(b"<blockquote>x" * 11_000),
    "a page of 11,000 links in each other": lambda: a_page(b"<a href='https://example.org'><p>x" * 5_900),
    "a million entities": lambda: a_page(b"&CounterClockwiseContourIntegral;&#x1F600;&amp" * 100_000),
    "a page that never ends its marks": lambda: a_page(b"<a href='" * 11_000 + b"<!--" * 100),
    "100,000 <s in a page": lambda: a_page(b"<" * 100_000),
    "100,000 attributes": lambda: a_page(b"<p " + b"".join(b"a%d=b " % n for n in range(100_000)) + b">x"),
    "20 MiB of almost a boundary": lambda: a_multipart(a_part(b"--confin\n" * (2 * MIB))),
    "a boundary and a MiB of blanks": lambda: a_multipart(a_part((b"\n--confine" + b" " * MIB + b"x") * 18)),
    "a boundary of 60 KB": lambda: a_mail(
        (b"--" + b"-" * 59_990 + b"\n") * 300, Content_Type='multipart/mixed; boundary="' + "-" * 60_000 + '"'
    ),
    "100,000 events": lambda: a_multipart(a_part("x"), a_part(events(100_000), "text/calendar")),
    "100,000 recipients that failed": lambda: a_status(100_000),
    "a signature of 100,000 levels": lambda: a_multipart(
        a_part(b"0\x80" * 100_000, "application/pkcs7-mime; name=a.p7m")
    ),
    "a winmail of 100,000 attributes": lambda: a_multipart(
        a_part(a_tnef("x", *[("a", b"b")] * 30_000), "application/ms-tnef")
    ),
    "an envelope of certified mail around 200,000 parts": lambda: (
        b"X-Trasporto: posta-certificata\r\n" + a_multipart(*[b"\nx"] * 200_000)
    ),
    "a receipt of certified mail of 500 levels": lambda: b"X-Ricevuta: avvenuta-consegna\n" + nested(500),
    "25 MiB of flowing line ends": lambda: a_mail(b"\n" * (12 * MIB), Content_Type="text/plain; format=flowed"),
    "25 MiB of line ends in uuencode": lambda: in_uuencode(b"\n" * (24 * MIB)),
    "24 MiB of uuencode that swells": lambda: in_uuencode(b"x\n" * (12 * MIB)),
    "verdicts without end": lambda: a_mail(Authentication_Results="mx; " + "dmarc=pass;" * 5_000 + ";(" * 20_000),
}
