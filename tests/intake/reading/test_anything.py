"""No exception, whatever comes; the long dose is `make faults`."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.incoming import Incoming
from intake.mail import read
from intake.post.arrival import LARGEST
from storage.types import to_json
from tests.intake.reading.letters import a_mail, a_multipart, a_part
from tests.intake.reading.test_files_inside import a_signed, a_tnef
from tests.intake.reading.test_kinds import INVITATION, STATUS

# What a parser stumbles over, to be strewn into anything.
BITS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\n\n",
    b" ",
    b"\t",
    b";",
    b":",
    b",",
    b"<",
    b">",
    b'"',
    b"(",
    b")",
    b"\\",
    b"=",
    b"?",
    b"*",
    b"--",
    b"--confine",
    b"\n--confine\n",
    b"\n--confine--\n",
    b"\n>",
    b"=?utf-8?q?=C3?=",
    b"=?",
    b"?=",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"=E9",
    b"=\n",
    b"Content-Type: ",
    b"multipart/mixed; boundary=confine",
    b"message/rfc822",
    b"text/html",
    b"multipart/alternative; boundary=",
    b"Content-Transfer-Encoding: base64\n",
    b"charset=",
    b"utf-7",
    b"utf-16",
    b"filename*0*=utf-8''%",
    b"name=",
    b"From: ",
    b"To: ",
    b"Date: ",
    b"Subject: ",
    b"Authentication-Results: mx; dmarc=",
    b"application/pkcs7-mime; smime-type=signed-data",
    b"application/ms-tnef",
    b"text/calendar",
    b"message/delivery-status",
    b"multipart/report",
    b"BEGIN:VEVENT\n",
    b"END:VEVENT\n",
    b"DTSTART:",
    b"begin 644 x\n",
    b"<div>",
    b"<blockquote>",
    b"&#x0;",
    b"&#xD800;",
    b"X-Trasporto: posta-certificata\n",
    b"X-Ricevuta: accettazione\n",
    b"format=flowed",
    b"ha scritto:\n",
    b"-- \n",
    b"Final-Recipient: rfc822;",
    b"In-Reply-To: ",
    b"References: ",
    b"Return-Path: <>\n",
    b"Auto-Submitted: ",
]
WHOLE = [
    a_mail("Ciao\n> prima\n-- \nAda"),
    a_mail("<p>Ciao <a href='https://example.org'>qui</a>", Content_Type="text/html"),
    a_multipart(
        a_part("Ecco"), a_part("%PDF-", "application/pdf", Content_Disposition="attachment; filename*0*=utf-8''a")
    ),
    a_multipart(a_part("No"), a_part(STATUS, "message/delivery-status"), a_part("x", "message/rfc822"), kind="report"),
    a_multipart(a_part("Ecco"), a_part(INVITATION, "text/calendar; method=REQUEST"), kind="alternative"),
    a_multipart(a_part("Ecco"), a_part(a_tnef("è", ("a.pdf", b"%PDF")), "application/ms-tnef")),
    a_multipart(a_part("Ecco"), a_part(a_signed(a_part("x")), "application/pkcs7-mime; smime-type=signed-data")),
    a_multipart(a_part("Busta"), a_part(a_mail(), "message/rfc822"), X_Trasporto="posta-certificata"),
]
anything = st.lists(st.one_of(st.sampled_from(BITS), st.binary(max_size=20)), max_size=60).map(b"".join)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A mail in which some places hold something else."""
    raw = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(raw)))
        raw = (
            raw[:at]
            + draw(st.one_of(st.sampled_from(BITS), st.binary(max_size=8)))
            + raw[at + draw(st.integers(0, 12)) :]
        )
    return raw


def holds(raw: bytes) -> None:
    mail = read(raw, authserv_id="mx")

    assert re.fullmatch(r"[0-9a-f]{64}", mail.fingerprint)
    assert Incoming.from_json(mail.to_json()).to_json() == mail.to_json()
    assert "\\u0000" not in to_json(mail.to_json())
    to_json(mail.to_json()).encode()
    assert mail.doubt or mail.sender is not None
    assert not (mail.doubt and mail.dmarc)
    assert all(one.name and "/" not in one.name and one.size == len(one.content) <= LARGEST for one in mail.files)
    assert mail == read(raw, authserv_id="mx")


def examples(dose: str) -> Any:
    return settings(
        max_examples=150 if dose == "short" else 20_000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )


@pytest.mark.parametrize("source", [anything, anything.map(lambda rest: b"Content-Type: " + rest), spoilt()])
def test_any_bytes_are_read(dose: str, source: st.SearchStrategy[bytes]) -> None:
    examples(dose)(given(source)(holds))()
