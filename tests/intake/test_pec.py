"""Envelopes of certified mail: every type, and what is believed of each."""

import base64
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes

from intake.certified import signature as why
from intake.certified.trust import Trust
from intake.incoming import PecKind
from intake.pec import CONTRADICTED, MISSING, open_envelope
from sandbox.certified import CertifiedProvider
from storage.words import Standing
from tests import pec

KINDS = {
    "accettazione": PecKind.ACCEPTED,
    "non-accettazione": PecKind.NOT_ACCEPTED,
    "avvenuta-consegna": PecKind.DELIVERED,
    "errore-consegna": PecKind.NOT_DELIVERED,
    "preavviso-errore-consegna": PecKind.LATE,
}


def doubted(raw: bytes, trusted: Trust | None = None) -> str:
    envelope, _ = pec.opened(raw, trusted)
    assert envelope.standing is Standing.UNTRUSTED
    return envelope.why


def test_a_transport_is_certified_and_gives_the_mail_inside_byte_by_byte() -> None:
    mail = pec.a_mail(text="Perché no? È già così.")

    envelope, inner = pec.opened(pec.a_transport(mail))

    assert (envelope.kind, envelope.standing, envelope.why) == (PecKind.TRANSPORT, Standing.CERTIFIED, "")
    assert inner == mail
    assert envelope.provider == "gestore.example.org"
    assert envelope.at == "2026-11-24T10:00:00+01:00"
    assert envelope.recipients == (pec.OFFICE,)


@pytest.mark.parametrize("word", KINDS)
def test_a_receipt_says_of_which_mail_of_ours_it_speaks(word: str) -> None:
    envelope, inner = pec.opened(pec.a_receipt(word))

    assert (envelope.kind, envelope.standing) == (KINDS[word], Standing.CERTIFIED)
    assert (envelope.refers_to, envelope.recipients, inner) == (pec.OURS, (pec.ADA,), None)


def test_what_was_not_delivered_says_why() -> None:
    envelope, _ = pec.opened(pec.a_receipt("errore-consegna", why="no-dest: 5.1.1 - casella inesistente"))

    assert envelope.why == "no-dest: 5.1.1 - casella inesistente"


def test_an_anomaly_is_ordinary_mail_and_never_certified() -> None:
    mail = pec.a_mail("mario@example.org")

    envelope, inner = pec.opened(pec.provider().anomaly(mail, "mario@example.org", pec.OFFICE))

    assert (envelope.kind, envelope.standing, inner) == (PecKind.ANOMALY, Standing.UNVERIFIED, mail)


def test_ordinary_mail_is_none_whatever_its_subject() -> None:
    raw = pec.a_mail(subject="POSTA CERTIFICATA: ACCETTAZIONE: CONSEGNA: x")

    assert open_envelope(raw, pec.parsed(raw), pec.trust()) is None


@pytest.mark.parametrize("name", ["x-ricevuta", "X-RICEVUTA", "X-ricevuta"])
def test_the_case_of_headers_does_not_matter(name: str) -> None:
    raw = pec.with_header(pec.with_header(pec.a_receipt("accettazione"), "X-Ricevuta", ""), name, "Accettazione")

    assert pec.opened(raw)[0].standing is Standing.CERTIFIED


def test_a_door_that_changed_the_line_ends_changed_nothing() -> None:
    raw = pec.a_transport().replace(b"\r\n", b"\n")

    envelope, inner = pec.opened(raw)

    assert envelope.standing is Standing.CERTIFIED
    assert inner == pec.a_mail().replace(b"\r\n", b"\n")


def test_the_parts_may_come_in_another_order() -> None:
    def turned(one: CertifiedProvider, mail: bytes) -> list[bytes]:
        data = one.data("posta-certificata", pec.ADA, [pec.OFFICE], about=(pec.OURS, "x"))
        return [one.mail_part(mail), one.data_part(data), one.note("x")]

    envelope, inner = pec.opened(pec.a_transport_of(turned))

    assert (envelope.standing, inner) == (Standing.CERTIFIED, pec.a_mail())


def test_the_mail_inside_may_be_base64() -> None:
    def encoded(one: CertifiedProvider, mail: bytes) -> list[bytes]:
        data = one.data("posta-certificata", pec.ADA, [pec.OFFICE], about=(pec.OURS, "x"))
        head = b'Content-Type: message/rfc822; name="postacert.eml"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        return [one.note("x"), one.data_part(data), head + base64.encodebytes(mail).replace(b"\n", b"\r\n")]

    envelope, inner = pec.opened(pec.a_transport_of(encoded))

    assert (envelope.standing, inner) == (Standing.CERTIFIED, pec.a_mail())


@pytest.mark.parametrize(
    "data", [None, b"", b"<postacert", b"\xff\xfe\x00", b"<altro/>", b"<?xml encoding='nope'?><a/>"]
)
def test_without_the_data_of_the_provider_the_mail_is_read_and_not_believed(data: bytes | None) -> None:
    def parts(one: CertifiedProvider, mail: bytes) -> list[bytes]:
        return [one.note("x"), *([one.data_part(data)] if data is not None else []), one.mail_part(mail)]

    raw = pec.a_transport_of(parts)

    assert doubted(raw) == MISSING
    assert pec.opened(raw)[1] == pec.a_mail()


def test_a_receipt_without_data_keeps_what_its_headers_say() -> None:
    one = pec.provider()
    headers = one.headers("CONSEGNA: x", pec.OFFICE)
    headers |= {"X-Ricevuta": "avvenuta-consegna", "X-Riferimento-Message-ID": pec.OURS}

    envelope, _ = pec.opened(one.signed(headers, one.mixed([one.note("x")])))

    assert (envelope.kind, envelope.refers_to) == (PecKind.DELIVERED, pec.OURS)
    assert (envelope.standing, envelope.why) == (Standing.UNTRUSTED, MISSING)
    assert envelope.at == "2026-11-24T09:00:00+00:00"


def test_without_a_signature_it_is_not_verified() -> None:
    head, _, _ = pec.a_receipt("avvenuta-consegna").partition(b"\r\nMIME-Version")
    raw = head + b"\r\nContent-Type: text/plain\r\n\r\nConsegnato.\r\n"

    envelope, _ = pec.opened(raw)

    assert (envelope.kind, envelope.standing) == (PecKind.DELIVERED, Standing.UNVERIFIED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Riferimento-Message-ID", "<8.aaaaaaaaaaaaaaaaaaaa@pec.citta.example.org>"),
        ("X-Ricevuta", "avvenuta-consegna"),
    ],
)
def test_headers_put_before_a_real_receipt_are_not_believed(name: str, value: str) -> None:
    """No signature covers them: the receipt of a mail of one's own would become one of ours."""
    assert doubted(pec.with_header(pec.a_receipt("accettazione"), name, value)) == CONTRADICTED


def test_an_anomaly_dressed_as_certified_mail_is_not_believed() -> None:
    """The provider has signed the anomaly, with any From inside."""
    anomaly = pec.provider().anomaly(pec.a_mail(pec.ADA), pec.ADA, pec.OFFICE)

    assert doubted(pec.with_header(anomaly, "X-Trasporto", "posta-certificata")) == MISSING


def test_a_mail_inside_by_somebody_else_than_the_provider_says_is_not_believed() -> None:
    raw = pec.provider().transport(pec.a_mail("sindaca@pec.comune.example.org"), pec.ADA, pec.OFFICE)

    assert doubted(raw) == CONTRADICTED


def test_two_mails_inside_are_none() -> None:
    def twice(one: CertifiedProvider, mail: bytes) -> list[bytes]:
        data = one.data("posta-certificata", pec.ADA, [pec.OFFICE], about=(pec.OURS, "x"))
        return [one.data_part(data), one.mail_part(mail), one.mail_part(pec.a_mail(text="Altro"))]

    raw = pec.a_transport_of(twice)

    assert doubted(raw) == why.UNREADABLE
    assert pec.opened(raw)[1] is None


def test_a_signature_for_another_address_is_not_believed() -> None:
    other = pec.provider("altro.example.org")
    raw = pec.with_header(pec.a_transport(by=other), "From", "posta-certificata@gestore.example.org")

    assert doubted(raw) == why.OTHER_SIGNER


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "posta-certificata@gestore.example.org <x@evil.example.org>",
        "posta-certificata@gestore.example.org, x@evil.example.org",
        "posta-certificata@gestore.example.org\r\nFrom: x@evil.example.org",
    ],
)
def test_an_odd_sender_is_not_believed(sender: str) -> None:
    assert doubted(pec.with_header(pec.a_transport(), "From", sender)) == why.OTHER_SIGNER


def test_a_changed_letter_is_seen() -> None:
    raw = pec.a_transport(pec.a_mail(text="Il ribasso resta al Comune."))

    assert doubted(raw.replace(b"resta al Comune", b"torna al Comune")) == why.ALTERED


def test_the_signature_of_another_mail_is_seen() -> None:
    first, second = pec.a_transport(), pec.a_transport(pec.a_mail(text="Altro"))
    cut = b'Content-Type: application/x-pkcs7-signature; name="smime.p7s"'

    assert doubted(first.partition(cut)[0] + cut + second.partition(cut)[2]) == why.ALTERED


@pytest.mark.parametrize(
    "one", [pec.expired(), pec.self_signed(), pec.provider(authority_name="Nessuno")], ids=["expired", "self", "other"]
)
def test_who_is_not_trusted_is_not_believed(one: CertifiedProvider) -> None:
    assert doubted(pec.a_transport(by=one)) == why.NOT_TRUSTED


def test_nobody_is_trusted_until_somebody_is_named() -> None:
    assert doubted(pec.a_transport(), Trust.load("")) == why.NOT_TRUSTED


def test_a_provider_may_be_trusted_by_itself() -> None:
    one = pec.self_signed()
    signer = one.signer
    assert signer is not None

    envelope, _ = pec.opened(pec.a_transport(by=one), Trust((signer.certificate,), at=pec.NOW))

    assert envelope.standing is Standing.CERTIFIED


def test_a_provider_cannot_issue_certificates() -> None:
    """Its certificate is none of an authority: what it signs is mail."""
    signer = pec.provider().signer
    assert signer is not None
    false = pec.authority("Falso")
    false.key, false.name = signer.key, signer.certificate.subject
    raw = pec.a_transport(by=CertifiedProvider("gestore.example.org", pec.NOW, false.signer(pec.provider().address)))

    assert doubted(raw, Trust((signer.certificate,), at=pec.NOW)) == why.NOT_TRUSTED


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA512()], ids=["sha256", "sha512"])
@pytest.mark.parametrize("pss", [False, True])
def test_rsa_signatures_hold(digest: hashes.HashAlgorithm, pss: bool) -> None:
    raw, trusted = pec.signed_by_rsa(digest, pss=pss)

    assert pec.opened(raw, trusted)[0].standing is Standing.CERTIFIED


def _indefinite(der: bytes) -> bytes:
    """The same CMS with lengths that only the end tells, as some programs write it: three levels of it."""
    content = cms.ContentInfo.load(der)
    inner: bytes = content["content"].dump()
    while inner[0] != 0x30:
        inner = _contents(inner)
    kind: bytes = content["content_type"].dump()
    return b"\x30\x80" + kind + b"\xa0\x80" + b"\x30\x80" + _contents(inner) + b"\0\0" * 3


def _contents(der: bytes) -> bytes:
    longer = der[1] & 0x7F if der[1] & 0x80 else 0
    return der[2 + longer :]


def test_a_signature_of_indefinite_length_holds() -> None:
    one = pec.provider()
    content = one.mixed([one.note("x"), one.data_part(pec.data()), one.mail_part(pec.a_mail())])
    headers = one.headers("POSTA CERTIFICATA: x", pec.OFFICE, on_behalf_of=pec.ADA) | {
        "X-Trasporto": "posta-certificata"
    }
    signature = _indefinite(one.signature(content))

    assert signature[1] == 0x80
    assert pec.opened(one.around(headers, content, signature))[0].standing is Standing.CERTIFIED
    assert doubted(one.around(headers, content.replace(b"fatto", b"falso"), signature)) == why.ALTERED


def test_sha1_is_not_believed() -> None:
    raw, trusted = pec.signed_by_rsa(None)

    assert doubted(raw, trusted) == why.WEAK


def test_a_short_key_is_not_believed() -> None:
    raw, trusted = pec.signed_by_rsa(hashes.SHA256(), bits=1024)

    assert doubted(raw, trusted) == why.NOT_TRUSTED


def test_trust_is_read_from_a_file_or_a_folder(tmp_path: Path) -> None:
    file = pec.pem_file(tmp_path)
    (tmp_path / "broken.crt").write_text("no certificate")
    (tmp_path / "readme.txt").write_text("not looked at")

    assert len(Trust.load(str(file)).anchors) == 1
    assert Trust.load(str(tmp_path)) == Trust(Trust.load(str(file)).anchors, ("broken.crt",))
    assert Trust.load(str(tmp_path / "nothing.pem")).unread == ("nothing.pem",)


def test_entities_are_not_opened() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><postacert>&b;</postacert>'

    def parts(one: CertifiedProvider, mail: bytes) -> list[bytes]:
        return [one.data_part(bomb), one.mail_part(mail)]

    assert doubted(pec.a_transport_of(parts)) == MISSING
