"""T28: certified mail, receipts and bounces by whoever would like to be a provider. Nothing of ours changes.

The forger has a certified mailbox of their own with a provider that we trust, knows the Message-IDs of our mails, and
puts whatever they like around and into what that provider has really signed. Real bytes, read by `intake/mail.py`.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from intake.incoming import Incoming, PecKind, Report
from intake.mail import read
from intake.post.bounces import note_bounce
from intake.post.receipts import note_receipt
from sandbox.certified import RECEIPTS, CertifiedProvider
from storage.message_ids import message_id_of
from storage.tables import Address, Audit, Channel, Outbox, OutboxKind, OutboxState, Receipt
from storage.words import LetterKind, ReceiptKind, Standing
from tests import pec
from tests.cast import Cast
from tests.faults.conftest import kind_of
from tests.faults.table import LINES, Line

pytestmark = pytest.mark.faults

FORGED = {"short": 300, "full": 10_000}
A_TRUE_ONE = 20  # of so many receipts one is real: what it says must be heard, or nothing would be
EVE = "eve@pec.evil.example.org"
STATES = (OutboxState.SENT, OutboxState.UNCERTAIN, OutboxState.DEAD, OutboxState.QUEUED)


@dataclass
class Forger:
    """Makes receipts and envelopes that are not what they say."""

    random: random.Random
    ours: list[str]

    def mail(self) -> tuple[str, bytes]:
        """How it was forged, and the mail."""
        ways = [self.unsigned, self.changed, self.relabelled, self.own_receipt, self.by_a_stranger, self.dressed]
        way = self.random.choice([*ways, self.in_another_name])
        return way.__name__, way()

    def _receipt(self, message_id: str = "", by: CertifiedProvider | None = None) -> bytes:
        kind = self.random.choice(list(RECEIPTS))
        return pec.a_receipt(kind, pec.ADA, message_id or self.random.choice(self.ours), "no-dest: 5.1.1", by=by)

    def unsigned(self) -> bytes:
        head, _, body = self._receipt().partition(b"\r\n\r\n")
        signed = b"multipart/signed; protocol"
        return head.replace(signed, b"multipart/mixed; protocol") + b"\r\n\r\n" + body

    def changed(self) -> bytes:
        """A letter of what the provider has signed."""
        raw = self._receipt()
        begins, ends = raw.index(b"<postacert"), raw.index(b"</postacert>")
        at = self.random.randrange(begins, ends)
        return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] if raw[at] not in b"\r\n\x0b\x0c" else self.unsigned()

    def relabelled(self) -> bytes:
        """A real receipt of their own mail becomes one of ours, or of another kind."""
        raw = self._receipt("<mine@evil.example.org>")
        raw = pec.with_header(raw, "X-Riferimento-Message-ID", self.random.choice(self.ours))
        return pec.with_header(raw, "X-Ricevuta", self.random.choice(list(RECEIPTS)))

    def own_receipt(self) -> bytes:
        """They send a mail with our Message-ID to themselves: the provider signs that it was delivered, to them."""
        kind = self.random.choice(["avvenuta-consegna", "errore-consegna", "preavviso-errore-consegna"])
        mail = pec.a_mail(EVE, Message_ID=self.random.choice(self.ours))
        (raw,) = pec.provider().receipts(kind, mail, EVE, [EVE])
        return raw

    def by_a_stranger(self) -> bytes:
        return self._receipt(by=pec.provider("evil.example.org", "Nessuno"))

    def in_another_name(self) -> bytes:
        """A provider that we trust, under the address of another one."""
        raw = self._receipt(by=pec.provider("altro.example.org"))
        return pec.with_header(raw, "From", pec.provider().address)

    def dressed(self) -> bytes:
        """Ordinary mail that says to be from Ada, which the provider put into an anomaly, as certified mail."""
        raw = pec.provider().anomaly(pec.a_mail(pec.ADA), pec.ADA, pec.OFFICE)
        return pec.with_header(raw, "X-Trasporto", "posta-certificata")

    def bounce(self, row: Outbox) -> Incoming:
        """For a mail that it knows it names another recipient; for the right one it does not know the mail."""
        known = message_id_of(row.id, row.dedupe_key, "x.example.org")
        marked = f"<{row.id}.{self.random.randrange(16**20):020x}@x.example.org>"
        recipient, message_id = self.random.choice(
            [(EVE, known), (row.address, marked), ("", known), (row.address, "")]
        )
        report = Report(recipient, "failed", self.random.choice(["5.1.1", "5.2.2", "4.4.7"]), message_id)
        return Incoming(LetterKind.BOUNCE, "f", null_sender=True, reports=(report,))


def our_mails(session: Session, now: datetime) -> list[Outbox]:
    """In every state; to Ada by certified mail, and ordinary ones."""
    cast = Cast(session, now)
    ada = cast.a_referent("Ada Esempio", email="ada@example.org", chat=100)
    cast.add(Address(referent_id=ada.id, channel=Channel.PEC, value=pec.ADA, created_at=now))
    rows = []
    for number, state in enumerate(STATES * 2):
        channel = Channel.PEC if number < len(STATES) else Channel.EMAIL
        values: dict[str, Any] = {"kind": OutboxKind.ANSWER, "body": {"html": "Sì."}, "referent_id": ada.id}
        values |= {"channel": channel, "address": pec.ADA if channel is Channel.PEC else "ada@example.org"}
        rows.append(
            cast.add(Outbox(**values, dedupe_key=f"a:{number}", state=state, next_at=now, created_at=now, sent_at=now))
        )
    return rows


def snapshot(session: Session) -> list[dict[str, Any]]:
    session.expire_all()
    tables: tuple[Any, ...] = (Outbox, Address, Audit)
    return [row.model_dump() for table in tables for row in session.exec(select(table).order_by(col(table.id)))]


def test_no_forged_receipt_or_bounce_changes_anything(
    session: Session, database_url: str, now: datetime, tmp_path: Path, dose: str
) -> None:
    began = time.monotonic()
    rows = our_mails(session, now)
    trusted = str(pec.pem_file(tmp_path))
    ids = [message_id_of(row.id, row.dedupe_key, "pec.citta.example.org") for row in rows]
    forger = Forger(random.Random(28), ids[: len(STATES)])
    before, how, true = snapshot(session), Counter[str](), 0
    for number in range(FORGED[dose]):
        name, raw = forger.mail()
        letter = read(raw, trust=trusted)
        note_receipt(session, letter, None, now)
        note_bounce(session, forger.bounce(rows[number % len(rows)]), None, now)
        how[name] += 1
        assert letter.pec is None or letter.pec.standing is not Standing.CERTIFIED or name == "own_receipt"
        if number % A_TRUE_ONE == 0:
            true += _is_heard(session, read(pec.a_receipt("accettazione", pec.ADA, ids[0]), trust=trusted), number, now)

    assert snapshot(session) == before
    assert true == len(range(0, FORGED[dose], A_TRUE_ONE))
    assert min(how.values()) > 10, "each way was tried"
    doubtful = session.exec(select(Receipt).where(Receipt.standing != Standing.CERTIFIED)).all()
    assert len(doubtful) <= len(ids) * len(ReceiptKind) * 2
    LINES.append(
        Line(
            "T28 forged receipts, bounces, envelopes",
            kind_of(database_url),
            FORGED[dose] * 2,
            0,
            0,
            0,
            f"0 changes; {true} of {true} true receipts heard",
            seconds=time.monotonic() - began,
        )
    )


def _is_heard(session: Session, letter: Incoming, number: int, now: datetime) -> bool:
    """A true one is written down; once is enough for each mail, so it is taken out again."""
    assert letter.pec is not None
    assert letter.pec.kind is PecKind.ACCEPTED
    assert note_receipt(session, replace(letter, fingerprint=str(number)), None, now) is not None
    heard = session.exec(select(Receipt).where(Receipt.standing == Standing.CERTIFIED)).all()
    for row in heard:
        session.delete(row)
    session.flush()
    return len(heard) == 1
