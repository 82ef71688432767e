"""Certified mail as the reader makes it out, and what becomes of that: by whom it is, and what it says of ours."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from intake.incoming import Incoming, PecKind
from intake.mail import read
from intake.pec import CONTRADICTED
from intake.post.receipts import note_receipt
from storage.tables import OutboxState
from storage.words import LetterKind, Standing
from tests import pec
from tests.intake.test_receipts import a_sent_mail, id_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What to trust. The certificates of the tests hold for ten years."""
    return pec.pem_file(tmp_path)


def understood(raw: bytes, folder: Path) -> Incoming:
    """As it comes back from the process that reads."""
    return Incoming.from_json(read(raw, trust=str(folder)).to_json())


def test_the_letter_is_the_one_inside(folder: Path) -> None:
    letter = understood(pec.a_transport(pec.a_mail(text="Il collaudo è fatto.")), folder)

    assert letter.pec is not None
    assert (letter.pec.standing, letter.pec.sender, letter.kind) == (
        Standing.CERTIFIED,
        pec.ADA,
        LetterKind.MESSAGE,
    )
    assert letter.sender is not None
    assert (letter.sender.address, letter.text.strip()) == (pec.ADA, "Il collaudo è fatto.")


@pytest.mark.parametrize(
    "sender",
    [
        f"sindaca@pec.comune.example.org\r\nFrom: {pec.ADA}",
        f"{pec.ADA}\r\nFrom: sindaca@pec.comune.example.org",
        f"sindaca@pec.comune.example.org, Ada <{pec.ADA}>",
        f'"sindaca@pec.comune.example.org" <{pec.ADA}>',
        f"sindaca@pec.comune.example.org <{pec.ADA}>",
        f"=?utf-8?q?sindaca=40pec.comune.example.org?= <{pec.ADA}>",
        f"{pec.ADA} (<sindaca@pec.comune.example.org>)",
        f"{pec.ADA}\rFrom: sindaca@pec.comune.example.org",
        f"{pec.ADA}\nX: y\n\rFrom: sindaca@pec.comune.example.org",
    ],
)
def test_nobody_is_certified_as_somebody_else(folder: Path, sender: str) -> None:
    """Ada has a certified mailbox of her own, and writes in her mail whatever she likes."""
    letter = understood(pec.a_transport(pec.a_mail(sender)), folder)

    assert letter.pec is not None
    writer = letter.sender.address if letter.sender is not None else ""
    assert letter.pec.standing is not Standing.CERTIFIED or writer == pec.ADA


def test_who_is_read_as_somebody_else_is_not_believed(folder: Path) -> None:
    letter = understood(pec.provider().transport(pec.a_mail("sindaca@pec.comune.example.org"), pec.ADA, "x@y"), folder)

    assert letter.pec is not None
    assert (letter.pec.standing, letter.pec.why) == (Standing.UNTRUSTED, CONTRADICTED)


@pytest.mark.parametrize("kind", ["accettazione", "avvenuta-consegna", "errore-consegna"])
def test_a_receipt_finds_its_mail_through_the_reader(session: Session, now: datetime, folder: Path, kind: str) -> None:
    row = a_sent_mail(session, now)

    letter = understood(pec.a_receipt(kind, pec.ADA, id_of(row), "no-dest: 5.1.1"), folder)

    assert letter.kind is LetterKind.RECEIPT
    assert note_receipt(session, letter, None, now) is row
    assert row.state is (OutboxState.DEAD if kind == "errore-consegna" else OutboxState.SENT)


def test_an_anomaly_is_a_letter_of_nobody_in_particular(folder: Path) -> None:
    letter = understood(pec.provider().anomaly(pec.a_mail(pec.ADA), pec.ADA, pec.OFFICE), folder)

    assert letter.pec is not None
    assert (letter.pec.kind, letter.pec.standing, letter.kind) == (
        PecKind.ANOMALY,
        Standing.UNVERIFIED,
        LetterKind.MESSAGE,
    )


def test_without_certificates_to_trust_nobody_is_certified() -> None:
    letter = read(pec.a_transport())

    assert letter.pec is not None
    assert letter.pec.standing is Standing.UNTRUSTED
