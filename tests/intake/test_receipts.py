"""Receipts of certified mail: what each changes of our mail, and what a forged one does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering.notices import notify_one
from delivery.links import Links
from delivery.outbox import queue
from delivery.silence import NO_RECEIPT, note_silence
from delivery.words import Words
from intake.incoming import Envelope, Incoming
from intake.post.receipts import note_receipt
from storage.inbox import add_arrivals
from storage.message_ids import message_id_of
from storage.outbox import retry_outbox, stuck_count
from storage.receipts import receipts_of
from storage.tables import Address, Audit, Channel, Inbox, Outbox, OutboxKind, OutboxState, Receipt
from storage.words import LetterKind, ReceiptKind, Standing
from tests import pec
from tests.cast import Cast

KINDS = ("accettazione", "non-accettazione", "avvenuta-consegna", "errore-consegna", "preavviso-errore-consegna")
NO_BOX = "no-dest: 5.1.1 - ada@pec.comune.example.org - casella inesistente"


def a_sent_mail(
    session: Session, now: datetime, *, channel: Channel = Channel.PEC, state: OutboxState = OutboxState.SENT
) -> Outbox:
    """An answer to Ada that has left by certified mail."""
    cast = Cast(session, now)
    ada = cast.a_referent("Ada Esempio")
    cast.add(Address(referent_id=ada.id, channel=channel, value=pec.ADA, created_at=now))
    number = queue(
        session,
        Words("Sì."),
        kind=OutboxKind.ANSWER,
        channel=channel,
        address=pec.ADA,
        now=now,
        dedupe_key=f"answer:{ada.id}",
        referent_id=ada.id,
    )
    assert number is not None
    row = session.get_one(Outbox, number)
    row.state, row.attempts = state, 1
    row.sent_at = now if state is OutboxState.SENT else None
    session.add(row)
    session.flush()
    return row


def id_of(row: Outbox) -> str:
    return message_id_of(row.id, row.dedupe_key, "pec.citta.example.org")


def incoming(raw: bytes) -> Incoming:
    envelope, _ = pec.opened(raw)
    return Incoming(LetterKind.RECEIPT, "f", pec=envelope)


def an_inbox_row(session: Session, now: datetime) -> int:
    number = len(session.exec(select(Inbox.id)).all())
    row = {"kind": "pec", "account": "a", "provider_id": str(number), "payload": b"x", "payload_hash": b"%d" % number}
    add_arrivals(session, [row | {"lane": "pec:", "state": "new", "attempts": 0, "received_at": now}])
    return session.exec(select(Inbox.id).order_by(col(Inbox.id).desc())).first() or 0


def heard(
    session: Session, row: Outbox, kind: str, now: datetime, *, why: str = "", to: str = pec.ADA
) -> Outbox | None:
    """A receipt of a provider that is trusted comes in."""
    raw = pec.a_receipt(kind, to, id_of(row), why)
    return note_receipt(session, incoming(raw), an_inbox_row(session, now), now)


def acts(session: Session) -> list[str]:
    return list(session.exec(select(Audit.action).order_by(col(Audit.id))))


@pytest.mark.parametrize("kind", KINDS)
def test_each_receipt_is_kept_with_its_mail(session: Session, now: datetime, kind: str) -> None:
    row = a_sent_mail(session, now)

    about = heard(session, row, kind, now)

    assert about is row
    (receipt,) = receipts_of(session, [row.id])[row.id]
    assert (receipt.standing, receipt.at) == (Standing.CERTIFIED, pec.NOW)


@pytest.mark.parametrize("kind", ["accettazione", "avvenuta-consegna", "preavviso-errore-consegna"])
def test_what_went_well_or_is_late_stays_sent(session: Session, now: datetime, kind: str) -> None:
    row = a_sent_mail(session, now)

    heard(session, row, kind, now)

    assert (row.state, acts(session)) == (OutboxState.SENT, [])


def told(session: Session) -> list[str]:
    """Which of the staff have a notice on its way."""
    return list(session.exec(select(Outbox.address).where(Outbox.kind == OutboxKind.NOTICE)))


@pytest.mark.parametrize("kind", ["non-accettazione", "errore-consegna"])
def test_a_failure_waits_for_somebody_and_staff_are_told(session: Session, now: datetime, kind: str) -> None:
    row = a_sent_mail(session, now)
    olga = Cast(session, now).a_staff()

    heard(session, row, kind, now, why="altro: errore del server")

    assert (row.state, row.lease_until) == (OutboxState.DEAD, None)
    assert stuck_count(session) == 1
    assert notify_one(session, now, Links("https://raccordo.example"))
    assert told(session) == [olga.email]


def test_the_reason_holds_no_personal_data(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)

    heard(session, row, "errore-consegna", now, why=NO_BOX)

    (receipt,) = receipts_of(session, [row.id])[row.id]
    assert receipt.detail == "no-dest 5.1.1"
    assert row.error == "certified mail not delivered: no-dest 5.1.1"


def test_a_mailbox_that_does_not_exist_is_not_written_to_any_more(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)

    heard(session, row, "errore-consegna", now, why=NO_BOX)

    assert session.exec(select(Address.unreachable_since)).one() == now
    assert acts(session) == ["outbox.dead", "address.unreachable"]


def test_a_mailbox_that_refused_once_stays_open(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)

    heard(session, row, "errore-consegna", now, why="altro: casella piena")

    assert session.exec(select(Address.unreachable_since)).one() is None


def test_a_delivery_after_it_was_given_up_is_one(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    heard(session, row, "errore-consegna", now)

    heard(session, row, "avvenuta-consegna", now)

    assert (row.state, row.error) == (OutboxState.SENT, None)


def test_a_failure_after_the_delivery_is_shown_and_changes_nothing(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    heard(session, row, "avvenuta-consegna", now)

    heard(session, row, "errore-consegna", now)

    assert row.state is OutboxState.SENT
    assert len(receipts_of(session, [row.id])[row.id]) == 2


@pytest.mark.parametrize("kind", ["accettazione", "avvenuta-consegna"])
def test_a_receipt_tells_what_nobody_knew(session: Session, now: datetime, kind: str) -> None:
    """The connection broke after the last dot: its provider had it."""
    row = a_sent_mail(session, now, state=OutboxState.UNCERTAIN)

    heard(session, row, kind, now)

    assert (row.state, row.provider_id, row.sent_at) == (OutboxState.SENT, id_of(row), pec.NOW)


def test_the_same_receipt_twice_is_one(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    letter, inbox_id = incoming(pec.a_receipt("accettazione", pec.ADA, id_of(row))), an_inbox_row(session, now)

    for _ in range(2):
        assert note_receipt(session, letter, inbox_id, now) is row

    assert len(session.exec(select(Receipt)).all()) == 1


def test_a_receipt_of_another_recipient_is_not_about_this_mail(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)

    assert heard(session, row, "errore-consegna", now, to="bruno@pec.comune.example.org") is None

    assert (row.state, receipts_of(session, [row.id])) == (OutboxState.SENT, {})


def _another(raw: bytes) -> str:
    return "errore-consegna" if b"X-Ricevuta: non-accettazione" in raw else "non-accettazione"


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "unsigned": lambda raw: raw.partition(b"MIME-Version")[0] + b"Content-Type: text/plain\r\n\r\nx\r\n",
    "altered": lambda raw: raw.replace(b"\r\n\r\nRicevuta: ", b"\r\n\r\nRicevute: "),
    "of another kind": lambda raw: pec.with_header(raw, "X-Ricevuta", _another(raw)),
    "by somebody else": lambda raw: pec.with_header(raw, "From", "posta-certificata@evil.example.org"),
}


@pytest.mark.parametrize("how", FORGED)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", [OutboxState.SENT, OutboxState.UNCERTAIN, OutboxState.DEAD])
def test_a_forged_receipt_is_shown_as_doubtful_and_changes_nothing(
    session: Session, now: datetime, how: str, kind: str, state: OutboxState
) -> None:
    row = a_sent_mail(session, now, state=state)
    before = row.model_dump()

    note_receipt(session, incoming(FORGED[how](pec.a_receipt(kind, pec.ADA, id_of(row), NO_BOX))), None, now)

    session.refresh(row)
    assert row.model_dump() == before
    assert acts(session) == []
    assert all(one.standing is not Standing.CERTIFIED for one in receipts_of(session, [row.id]).get(row.id, []))


def test_doubtful_ones_do_not_pile_up(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    letter = incoming(FORGED["altered"](pec.a_receipt("avvenuta-consegna", pec.ADA, id_of(row))))

    for _ in range(3):
        note_receipt(session, letter, an_inbox_row(session, now), now)

    assert len(session.exec(select(Receipt)).all()) == 1


@pytest.mark.parametrize(
    "message_id", ["", "<x@y>", "<1.00000000000000000000@pec.citta.example.org>", f"<{10**17}.{'a' * 20}@x>"]
)
def test_a_receipt_of_no_mail_of_ours_does_nothing(session: Session, now: datetime, message_id: str) -> None:
    a_sent_mail(session, now)

    raw = pec.a_receipt("errore-consegna", message_id=message_id or pec.OURS)
    letter = incoming(raw)
    assert letter.pec is not None
    letter = replace(letter, pec=replace(letter.pec, refers_to=message_id))

    assert note_receipt(session, letter, None, now) is None
    assert session.exec(select(Receipt)).all() == []


def test_a_receipt_about_an_ordinary_mail_does_nothing(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, channel=Channel.EMAIL)

    assert heard(session, row, "errore-consegna", now) is None

    assert row.state is OutboxState.SENT


def test_what_is_no_receipt_does_nothing(session: Session, now: datetime) -> None:
    assert note_receipt(session, Incoming(LetterKind.MESSAGE, "f"), None, now) is None


@pytest.mark.parametrize("at", ["", "gestern", "9999-12-31T23:59:59+01:00", "0001-01-01T00:00:00+14:00"])
def test_an_odd_time_of_a_provider_is_ours(session: Session, now: datetime, at: str) -> None:
    row = a_sent_mail(session, now)
    letter = incoming(pec.a_receipt("accettazione", pec.ADA, id_of(row)))
    envelope = letter.pec
    assert isinstance(envelope, Envelope)

    note_receipt(session, replace(letter, pec=replace(envelope, at=at)), None, now)

    assert session.exec(select(Receipt.at)).one() == now


# --- silence


def test_a_certified_mail_without_a_receipt_waits_for_somebody_after_a_day(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    heard(session, row, "accettazione", now)
    olga = Cast(session, now).a_staff()

    assert note_silence(session, now + timedelta(hours=23)) == 0
    late = now + timedelta(hours=24)
    assert note_silence(session, late) == 1
    assert note_silence(session, late) == 0

    session.refresh(row)
    assert (row.state, row.error) == (OutboxState.UNCERTAIN, NO_RECEIPT)
    assert notify_one(session, late, Links("https://raccordo.example"))
    assert told(session) == [olga.email]


@pytest.mark.parametrize("kind", ["avvenuta-consegna", "errore-consegna"])
def test_one_with_a_receipt_does_not(session: Session, now: datetime, kind: str) -> None:
    heard(session, a_sent_mail(session, now), kind, now)

    assert note_silence(session, now + timedelta(days=3)) == 0


def test_one_that_was_sent_again_after_a_failure_waits_for_its_own_receipt(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    heard(session, row, "errore-consegna", now)
    assert retry_outbox(session, row.id, now)
    session.refresh(row)
    row.state, row.sent_at = OutboxState.SENT, now
    session.add(row)
    session.flush()

    assert note_silence(session, now + timedelta(hours=24)) == 1


def test_a_forged_receipt_does_not_end_the_silence(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    note_receipt(
        session, incoming(FORGED["altered"](pec.a_receipt("avvenuta-consegna", pec.ADA, id_of(row)))), None, now
    )

    assert note_silence(session, now + timedelta(hours=24)) == 1


def test_ordinary_mail_may_be_silent(session: Session, now: datetime) -> None:
    a_sent_mail(session, now, channel=Channel.EMAIL)

    assert note_silence(session, now + timedelta(days=3)) == 0


def test_a_receipt_that_comes_late_ends_the_wait(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now)
    late = now + timedelta(hours=30)
    note_silence(session, late)

    heard(session, row, "avvenuta-consegna", late)

    assert (row.state, stuck_count(session)) == (OutboxState.SENT, 0)


def test_kinds_of_receipts_are_those_of_the_table() -> None:
    assert {incoming(pec.a_receipt(kind)).pec is not None for kind in KINDS} == {True}
    assert len(KINDS) + len({ReceiptKind.BOUNCED, ReceiptKind.DELAYED}) == len(ReceiptKind)
