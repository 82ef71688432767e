"""Mail of ours that comes back: what is believed, what it changes, which way is taken instead."""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from delivery import doors
from delivery.outbox import queue
from delivery.words import Words
from intake.incoming import Incoming, Report
from intake.post.bounces import note_bounce
from storage.message_ids import message_id_of
from storage.outbox import retry_outbox, stuck_count
from storage.people import reachable_addresses
from storage.receipts import receipts_of
from storage.tables import Address, Audit, Channel, Outbox, OutboxKind, OutboxState, Receipt, Referent
from storage.words import LetterKind, ReceiptKind
from tests.cast import Cast
from tests.intake.test_receipts import an_inbox_row

ADA = "ada@example.org"


def ada(session: Session, now: datetime, *, chat: int | None = 100) -> Referent:
    return Cast(session, now).a_referent("Ada Esempio", email=ADA, chat=chat)


def a_sent_mail(
    session: Session,
    now: datetime,
    to: Referent,
    number: int = 1,
    *,
    kind: OutboxKind = OutboxKind.ANSWER,
    state: OutboxState = OutboxState.SENT,
) -> Outbox:
    outbox_id = queue(
        session,
        Words(f"Risposta {number}"),
        kind=kind,
        channel=Channel.EMAIL,
        address=ADA,
        now=now,
        dedupe_key=f"{kind}:{number}",
        referent_id=to.id,
    )
    assert outbox_id is not None
    row = session.get_one(Outbox, outbox_id)
    row.state = state
    session.add(row)
    session.flush()
    return row


def bounce(
    session: Session,
    row: Outbox,
    now: datetime,
    status: str = "5.1.1",
    *,
    action: str = "failed",
    recipient: str = ADA,
    message_id: str | None = None,
) -> Outbox | None:
    about = message_id if message_id is not None else message_id_of(row.id, row.dedupe_key, "example.org")
    report = Report(recipient, action, status, about)
    return note_bounce(session, Incoming(LetterKind.BOUNCE, "f", null_sender=True, reports=(report,)), None, now)


def elsewhere(session: Session) -> list[tuple[Channel, str]]:
    """What waits to leave."""
    waiting = session.exec(select(Outbox).where(Outbox.state == OutboxState.QUEUED).order_by(col(Outbox.id)))
    return [(row.channel, row.body["html"]) for row in waiting]


def test_no_such_mailbox_closes_the_address_at_once_and_goes_by_telegram(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))

    assert bounce(session, row, now) is row

    assert elsewhere(session) == [(Channel.TELEGRAM, "Risposta 1")]
    address = session.exec(select(Address).where(Address.channel == Channel.EMAIL)).one()
    assert (address.unreachable_since, address.unreachable_reason) == (now, "bounced 5.1.1")
    assert (row.state, stuck_count(session)) == (OutboxState.MOVED, 0)


def test_one_full_mailbox_is_shown_and_closes_nothing(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, person := ada(session, now))

    bounce(session, row, now, "5.2.2")

    assert Channel.EMAIL in reachable_addresses(session, person.id)
    assert (row.state, row.error, stuck_count(session)) == (OutboxState.DEAD, "bounced 5.2.2", 1)
    assert elsewhere(session) == []


def test_the_second_takes_along_the_first_and_what_waits(session: Session, now: datetime) -> None:
    person = ada(session, now)
    first, second = (a_sent_mail(session, now, person, number) for number in (1, 2))
    third = a_sent_mail(session, now, person, 3, state=OutboxState.QUEUED)

    bounce(session, first, now, "5.2.2")
    bounce(session, second, now, "5.2.2")

    assert elsewhere(session) == [(Channel.TELEGRAM, f"Risposta {number}") for number in (1, 2, 3)]
    session.refresh(first)
    session.refresh(third)
    assert [first.state, second.state, third.state] == [OutboxState.MOVED] * 3
    assert Channel.EMAIL not in reachable_addresses(session, person.id)


def test_without_another_way_staff_see_it(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now, chat=None))

    bounce(session, row, now)

    assert (row.state, stuck_count(session)) == (OutboxState.DEAD, 1)
    assert "outbox.dead" in session.exec(select(Audit.action)).all()


def test_a_certified_mailbox_is_another_way(session: Session, now: datetime) -> None:
    person = ada(session, now, chat=None)
    pec = Address(referent_id=person.id, channel=Channel.PEC, value="ada@pec.example.org", created_at=now)
    Cast(session, now).add(pec)

    bounce(session, a_sent_mail(session, now, person), now)

    assert elsewhere(session) == [(Channel.PEC, "Risposta 1")]


def test_a_mail_that_came_back_twice_goes_once_and_counts_once(session: Session, now: datetime) -> None:
    person = ada(session, now)
    row = a_sent_mail(session, now, person)

    for _ in range(3):
        bounce(session, row, now, "5.2.2")

    assert Channel.EMAIL in reachable_addresses(session, person.id)
    assert elsewhere(session) == []


def test_what_staff_send_again_may_come_back_again(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))
    bounce(session, row, now, "5.2.2")
    assert retry_outbox(session, row.id, now)
    session.refresh(row)
    row.state = OutboxState.SENT
    session.add(row)
    session.flush()

    report = Report(ADA, "failed", "5.2.2", message_id_of(row.id, row.dedupe_key, "example.org"))
    letter = Incoming(LetterKind.BOUNCE, "g", null_sender=True, reports=(report,))
    note_bounce(session, letter, an_inbox_row(session, now), now)

    assert elsewhere(session) == [(Channel.TELEGRAM, "Risposta 1")]


def test_what_no_longer_works_twice_is_moved_once(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))

    for _ in range(3):
        bounce(session, row, now)

    assert elsewhere(session) == [(Channel.TELEGRAM, "Risposta 1")]


def test_a_delay_is_only_shown(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))

    bounce(session, row, now, "4.4.7", action="delayed")

    (receipt,) = receipts_of(session, [row.id])[row.id]
    assert (receipt.kind, receipt.detail, row.state) == (ReceiptKind.DELAYED, "4.4.7", OutboxState.SENT)


def test_what_a_server_gave_up_after_days_says_nothing_about_the_mailbox(session: Session, now: datetime) -> None:
    person = ada(session, now)

    for number in (1, 2, 3):
        bounce(session, a_sent_mail(session, now, person, number), now, "4.4.7")

    assert Channel.EMAIL in reachable_addresses(session, person.id)
    assert stuck_count(session) == 3


def test_a_mail_from_there_forgets_what_came_back(session: Session, now: datetime) -> None:
    person = ada(session, now)
    bounce(session, a_sent_mail(session, now, person, 1), now, "5.2.2")

    doors.open_again(session, Channel.EMAIL, ADA, now)
    bounce(session, a_sent_mail(session, now, person, 2), now, "5.2.2")

    assert Channel.EMAIL in reachable_addresses(session, person.id)


def test_when_they_write_again_they_are_told_what_came_back(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now, chat=None))
    bounce(session, row, now)

    assert doors.open_again(session, Channel.EMAIL, ADA, now)

    assert elsewhere(session) == [(Channel.EMAIL, "Risposta 1")]


def test_a_server_that_takes_mail_does_not_open_a_mailbox_that_gave_it_back(session: Session, now: datetime) -> None:
    person = ada(session, now)
    bounce(session, a_sent_mail(session, now, person), now)

    doors.taken(session, Channel.EMAIL, ADA, now)

    assert Channel.EMAIL not in reachable_addresses(session, person.id)


def test_it_may_come_before_we_know_that_the_mail_has_left(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now), state=OutboxState.SENDING)

    bounce(session, row, now)

    assert elsewhere(session) == [(Channel.TELEGRAM, "Risposta 1")]


def test_an_invitation_goes_nowhere_else(session: Session, now: datetime) -> None:
    """It shows that the mailbox is theirs."""
    row = a_sent_mail(session, now, ada(session, now), kind=OutboxKind.INVITATION)

    bounce(session, row, now)

    assert (row.state, elsewhere(session), stuck_count(session)) == (OutboxState.DEAD, [], 1)


@pytest.mark.parametrize("state", [OutboxState.MOVED, OutboxState.DROPPED, OutboxState.WITHHELD, OutboxState.QUEUED])
def test_what_never_left_does_not_change_its_state(session: Session, now: datetime, state: OutboxState) -> None:
    row = a_sent_mail(session, now, ada(session, now), state=state)

    bounce(session, row, now, "5.2.2")

    assert row.state is state


@pytest.mark.parametrize(
    "forged",
    [
        {"recipient": "bruno@example.org"},
        {"recipient": ""},
        {"message_id": ""},
        {"message_id": "<1.00000000000000000000@example.org>"},
        {"message_id": f"<{10**9 * 5}.{'a' * 20}@example.org>"},
        {"message_id": "<" + "9" * 5000 + "@example.org>"},
        {"action": "delivered"},
        {"action": "relayed"},
        {"action": "whatever"},
    ],
)
def test_a_forged_bounce_does_nothing(session: Session, now: datetime, forged: dict[str, str]) -> None:
    row = a_sent_mail(session, now, person := ada(session, now))
    before = row.model_dump()

    bounce(session, row, now, **forged)

    session.refresh(row)
    assert row.model_dump() == before
    assert set(reachable_addresses(session, person.id)) == {Channel.TELEGRAM, Channel.EMAIL}
    assert session.exec(select(Receipt)).all() == []
    assert session.exec(select(Audit)).all() == []
    assert session.exec(select(Address.bounces).where(Address.channel == Channel.EMAIL)).one() == 0


def test_an_odd_code_is_not_written_down(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))

    bounce(session, row, now, "5.1.1 ada@example.org unknown")

    assert session.exec(select(Receipt.detail)).one() == ""
    assert row.error == "bounced"


def test_what_is_no_bounce_does_nothing(session: Session, now: datetime) -> None:
    row = a_sent_mail(session, now, ada(session, now))
    report = Report(ADA, "failed", "5.1.1", message_id_of(row.id, row.dedupe_key, "example.org"))

    assert note_bounce(session, Incoming(LetterKind.MESSAGE, "f", reports=(report,)), None, now) is None
    assert row.state is OutboxState.SENT
