"""Certified mail as a way of its own: when it is taken, and that nobody sends it twice without asking."""

from datetime import datetime

import pytest
from sqlmodel import Session, select

from delivery import doors
from delivery.errors import Blocked, NeverLeft, Uncertain
from delivery.outbox import queue_to
from delivery.results import interrupted
from delivery.words import Words
from storage.outbox import retry_outbox
from storage.people import reachable_addresses, reached
from storage.tables import Address, Channel, Outbox, OutboxKind, OutboxState, Referent
from tests.cast import Cast
from tests.delivery.wiring import Bench, Recorder, said

ADA = "ada@pec.example.org"


@pytest.fixture
def pec(bench: Bench) -> Recorder:
    """What leaves by certified mail."""
    sender = Recorder()
    bench.dispatcher.senders = {**bench.dispatcher.senders, Channel.PEC: sender}
    return sender


def ada(bench: Bench, **ways: str | int) -> int:
    with bench.database.write() as session:
        return a_referent(session, bench.clock.now, **ways).id


def a_referent(session: Session, now: datetime, **ways: str | int) -> Referent:
    """Ada, with a certified mailbox and whatever else."""
    cast = Cast(session, now)
    chat, email = ways.get("chat"), ways.get("email")
    assert not isinstance(chat, str)
    person = cast.a_referent("Ada Esempio", chat=chat, email=str(email) if email else None)
    cast.add(Address(referent_id=person.id, channel=Channel.PEC, value=ADA, created_at=now))
    return person


def answer(bench: Bench, referent_id: int, *, prefer: Channel | None = None) -> int:
    with bench.database.write() as session:
        number = queue_to(
            session,
            referent_id,
            Words("Sì."),
            kind=OutboxKind.ANSWER,
            now=bench.clock.now,
            dedupe_key="answer:1",
            prefer=prefer,
        )
    assert number is not None
    return number


@pytest.mark.parametrize(
    ("ways", "prefer", "taken"),
    [
        ({}, None, Channel.PEC),
        ({"email": "ada@example.org"}, None, Channel.EMAIL),
        ({"chat": 100, "email": "ada@example.org"}, None, Channel.TELEGRAM),
        ({"chat": 100, "email": "ada@example.org"}, Channel.PEC, Channel.PEC),
    ],
)
async def test_it_is_the_last_way_unless_they_came_by_it(
    bench: Bench, ways: dict[str, str | int], prefer: Channel | None, taken: Channel
) -> None:
    number = answer(bench, ada(bench, **ways), prefer=prefer)

    assert bench.row(number).channel is taken


async def test_it_leaves_with_the_office_and_a_personal_page_and_without_a_token(bench: Bench, pec: Recorder) -> None:
    answer(bench, ada(bench))

    await bench.drain()

    (parcel,) = pec.sent
    assert (parcel.channel, parcel.address) == (Channel.PEC, ADA)
    assert parcel.personal_url
    assert parcel.thread.token == ""


async def test_one_that_may_have_left_waits_for_a_person(bench: Bench, pec: Recorder) -> None:
    pec.errors = {ADA: [Uncertain("dropped")]}
    number = answer(bench, ada(bench))

    await bench.drain()
    bench.clock.forward(hours=2)
    await bench.drain()

    assert (len(pec.tried), bench.row(number).state) == (1, OutboxState.UNCERTAIN)


async def test_a_person_may_send_it_again(bench: Bench, pec: Recorder) -> None:
    pec.errors = {ADA: [Uncertain("dropped")]}
    number = answer(bench, ada(bench))
    await bench.drain()

    with bench.database.write() as session:
        assert retry_outbox(session, number, bench.clock.now)
    bench.clock.forward(seconds=10)
    await bench.drain()

    assert bench.row(number).state is OutboxState.SENT
    assert "possibile duplicato" in pec.sent[0].words.html


async def test_one_that_never_left_is_tried_again(bench: Bench, pec: Recorder) -> None:
    pec.errors = {ADA: [NeverLeft("refused")]}
    number = answer(bench, ada(bench))

    await bench.drain()
    bench.clock.forward(minutes=5)
    await bench.drain()

    assert (len(pec.tried), bench.row(number).state) == (2, OutboxState.SENT)


async def test_one_that_a_dead_process_was_sending_waits_for_a_person(bench: Bench, pec: Recorder) -> None:
    number = answer(bench, ada(bench))
    other = bench.queue("Altro", referent_id=None)
    await bench.dispatcher.one_pass()

    with bench.database.write() as session:
        interrupted(session, bench.clock.now, set(), whatever_lease=True)

    assert (bench.row(number).state, bench.row(other).state) == (OutboxState.UNCERTAIN, OutboxState.RETRY)
    assert bench.row(number).possible_duplicate


async def test_what_telegram_refuses_goes_by_certified_mail_when_there_is_nothing_else(
    bench: Bench, pec: Recorder
) -> None:
    bench.telegram.always = lambda _: Blocked("403")
    bench.queue("Ecco", kind=OutboxKind.ANSWER, referent_id=ada(bench, chat=100))

    await bench.drain()

    assert said(pec.sent) == ["Ecco"]


async def test_what_a_certified_mailbox_refuses_waits_for_a_person(bench: Bench, pec: Recorder) -> None:
    """Ordinary mail instead would not be what was asked for."""
    pec.always = lambda _: Blocked("550 recipient refused")
    number = answer(bench, ada(bench, email="ada@example.org"), prefer=Channel.PEC)

    await bench.drain()

    assert (bench.row(number).state, bench.mail.tried) == (OutboxState.DEAD, [])


def test_a_certified_mailbox_reaches_somebody(session: Session, now: datetime) -> None:
    person = a_referent(session, now)

    assert set(reachable_addresses(session, person.id)) == {Channel.PEC}
    assert session.scalar(reached(person.id).select())


def test_it_is_told_there_again_when_it_opens(session: Session, now: datetime) -> None:
    person = a_referent(session, now)
    doors.close(session, Channel.PEC, ADA, "certified mail not delivered: no-dest", now)
    assert queue_to(session, person.id, Words("Sì."), kind=OutboxKind.ANSWER, now=now, dedupe_key="answer:1") is None

    doors.open_again(session, Channel.PEC, ADA, now)

    row = session.exec(select(Outbox)).one()
    assert (row.channel, row.state) == (Channel.PEC, OutboxState.QUEUED)
