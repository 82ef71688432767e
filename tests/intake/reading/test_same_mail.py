"""The same mail by two doors is known by its fingerprint, and no other is; what was read survives its journey."""

import pytest

from intake.incoming import Incoming, PecKind
from intake.mail import read
from intake.reading import parts
from intake.reading.frames import LENGTHS, BadFrame, answer, frame, lengths, taken
from storage.words import LetterKind
from tests.intake.reading.letters import HEADERS, a_mail, a_multipart, a_part


def fingerprint(raw: bytes) -> str:
    return read(raw).fingerprint


def test_what_servers_add_changes_nothing() -> None:
    by_imap = b"Return-Path: <>\r\nDelivered-To: altra@example.net\r\nReceived: from a by b\r\n" + a_mail(
        Return_Path=None
    )

    assert fingerprint(by_imap) == fingerprint(a_mail())
    assert fingerprint(a_mail("Perché  \n")) == fingerprint(
        a_mail("Perch=C3=A9\n", Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding="quoted-printable")
    )
    assert fingerprint(a_mail().replace(b"\r\n", b"\n")) == fingerprint(a_mail())
    assert fingerprint(a_mail(X_Spam="no", To="altra@example.net")) == fingerprint(a_mail())


@pytest.mark.parametrize("name", ["From", "Subject", "Date", "Message-ID"])
def test_another_mail_is_another(name: str) -> None:
    assert fingerprint(a_mail(**{name.replace("-", "_"): f"altro {HEADERS[name]}"})) != fingerprint(a_mail())


def test_another_text_or_file_is_another_mail() -> None:
    def with_file(content: str) -> bytes:
        return a_multipart(a_part("Ecco"), a_part(content, "application/pdf"))

    assert fingerprint(a_mail("Altro")) != fingerprint(a_mail())
    assert fingerprint(a_mail("Sì\n> no")) != fingerprint(a_mail("Sì\n> forse"))
    assert fingerprint(with_file("%PDF-1")) != fingerprint(with_file("%PDF-2"))


def test_what_was_read_travels_whole() -> None:
    mail = read(
        a_multipart(
            a_part("Ecco\n> prima"),
            a_part("%PDF-", 'application/pdf; name="a.pdf"'),
            a_part("%PDF-2", 'application/pdf; name="b.pdf"'),
            Reply_To="bruno@example.org",
            References="<a@x>",
        )
    )
    sent = answer(mail)
    heading, content = lengths(sent[: LENGTHS.size])
    start = LENGTHS.size + heading

    found = taken(sent[LENGTHS.size : start], sent[start : start + content])

    assert not isinstance(found, str)
    assert found[1] == [b"%PDF-", b"%PDF-2"]
    assert found[0] == Incoming.from_json(mail.to_json())
    assert (found[0].text, found[0].quoted, found[0].references) == ("Ecco", "> prima", ("<a@x>",))


@pytest.mark.parametrize("heading", [b"", b"{}", b"[]", b"nonsense", b'{"mail": {}, "sizes": []}', b'{"mail": 3}'])
def test_nonsense_is_no_answer(heading: bytes) -> None:
    with pytest.raises(BadFrame):
        taken(heading, b"")


def test_files_that_do_not_fit_are_no_answer() -> None:
    sent = answer(read(a_multipart(a_part("x", "application/pdf"))))
    heading, _ = lengths(sent[: LENGTHS.size])

    with pytest.raises(BadFrame):
        taken(sent[LENGTHS.size : LENGTHS.size + heading], b"")


def test_more_than_may_be_is_no_frame() -> None:
    with pytest.raises(BadFrame):
        lengths(b"\xff" * LENGTHS.size)
    assert lengths(frame({}, b"abc")[: LENGTHS.size]) == (2, 3)


def test_what_was_too_much_is_said() -> None:
    assert read(a_mail(Subject="x" * 70_000)).left_out == (parts.LONG_HEADER,)
    assert read(a_multipart(*[a_part("x")] * 600)).left_out == (parts.MANY_PARTS,)
    assert parts.TOO_LARGE in read(a_mail("x" * parts.LARGEST)).left_out
    assert read(a_mail()).left_out == ()


def test_control_headers_of_ours_say_nothing_when_others_write_them() -> None:
    assert fingerprint(a_mail(X_Raccordo_Kind="answer")) == fingerprint(a_mail())


def test_headers_of_certified_mail_open_its_envelope() -> None:
    inner = a_mail("Dentro", Message_ID="<dentro@example.org>")
    raw = a_multipart(
        a_part("Busta"),
        a_part(inner, 'message/rfc822; name="postacert.eml"'),
        X_Trasporto="posta-certificata",
        From='"Per conto di: ada@example.org" <posta-certificata@pec.example.com>',
        Delivered_To="ufficio@pec.example.net",
    )

    mail = read(raw)

    assert mail.pec is not None
    assert (mail.pec.kind, mail.text, mail.message_id) == (PecKind.TRANSPORT, "Dentro", "<dentro@example.org>")
    assert mail.kind is LetterKind.MESSAGE
    assert mail.delivered_to == ("ufficio@pec.example.net", "ufficio@example.net")


def test_receipts_of_certified_mail_are_receipts() -> None:
    mail = read(
        a_mail(
            "Consegnato",
            X_Ricevuta="avvenuta-consegna",
            X_Riferimento_Message_ID="<7.abc@example.net>",
            Return_Path="<>",
        )
    )

    assert mail.kind is LetterKind.RECEIPT
    assert mail.pec is not None
    assert mail.pec.refers_to == "<7.abc@example.net>"


def test_nothing_that_was_read_holds_a_nul() -> None:
    mail = read(a_mail(X_Trasporto="posta-certificata", From="ada@exa\x00mple.org", Subject="a\x00b"))

    assert mail.pec is not None
    assert "\x00" not in str(mail.to_json())
    assert mail.pec.provider == "example.org"
