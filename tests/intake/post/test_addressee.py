"""What a door writes on a mail, and makes of the head of one."""

import pytest

from intake.post.addressee import base_of, handed_over
from intake.post.heads import with_note
from storage.tables import Channel


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("Ricevuti+ABC@Example.org", "ricevuti@example.org"),
        ("a+b+c@example.org", "a@example.org"),
        ("postmaster", "postmaster"),
        ("a+b", "a+b"),
        ("x\0y@example.org ", "xy@example.org"),
        ("citt\udcc3\udca0@example.org", "città@example.org"),
        ("", ""),
    ],
)
def test_the_base_of_an_address(address: str, base: str) -> None:
    assert base_of(address) == base


def test_certified_mail_is_what_came_to_the_certified_address_with_any_token() -> None:
    to = [handed_over(b"", None, one, certified="Ente@pec.example.org") for one in ("ente+x@PEC.example.org", "b@c")]

    assert [mail.channel for mail in to] == [Channel.PEC, Channel.EMAIL]


def test_no_address_can_write_a_line_of_its_own() -> None:
    raw = handed_over(b"\r\n", "a\r\nBcc: x@example.org", "b\nX-Forged: yes@example.org").raw

    assert raw == b"Return-Path: <a Bcc: x@example.org>\r\nDelivered-To: b X-Forged: yes@example.org\r\n\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_head_loses_what_describes_the_body_that_is_not_there(end: bytes) -> None:
    lines = [b"From: a@example.org", b"Content-Type: multipart/mixed;", b" boundary=x", b"MIME-Version: 1.0"]
    lines += [b"content-disposition : attachment", b"Subject: Contents", b"\tmore", b"", b""]

    made = with_note(end.join(lines), "È troppo.\nDue righe.", "Una mail")

    head, _, text = made.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[:3] == [b"From: a@example.org", b"Subject: Contents", b"\tmore"]
    assert head.lower().count(b"content-type") == 1
    assert text.decode() == "È troppo.\r\nDue righe.\r\n"


def test_without_any_head_there_is_a_subject() -> None:
    assert with_note(b"", "x", "Una mail che non si può mostrare").startswith(b"Subject: =?utf-8?")
