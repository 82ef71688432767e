"""What the demo shows is near enough to be seen: nobody should have to wait for January."""

from datetime import datetime, timedelta

from sqlmodel import select

from app.demo_data import PEOPLE, ZONE, furnish
from app.furnish import prepare
from app.sweep import Sweeper
from delivery.links import Links
from storage.addressees import Heap, counts
from storage.circulars import page, replies
from storage.database import Database
from storage.tables import Channel, CircularState, Outbox, OutboxKind, OutboxState


async def test_within_a_week_ada_is_reminded_by_telegram_and_bruno_by_mail(database: Database, now: datetime) -> None:
    links = Links("http://raccordo.example")
    prepare(database, lambda: now)
    with database.write() as session:
        furnish(session, now, links)

    for day in range(8):
        later = now + timedelta(days=day)
        await Sweeper(database, lambda later=later: later, links, ZONE)()

    ada, bruno, _carla = PEOPLE
    with database.read() as session:
        reminders = session.exec(select(Outbox.channel, Outbox.address).where(Outbox.kind == OutboxKind.REMINDER)).all()
    assert set(reminders) == {(Channel.TELEGRAM, str(ada.chat)), (Channel.EMAIL, bruno.email)}


def test_a_communication_was_sent_and_answered_and_another_waits_and_nothing_leaves_again(
    database: Database, now: datetime
) -> None:
    links = Links("http://raccordo.example")
    prepare(database, lambda: now)
    with database.write() as session:
        furnish(session, now, links)

    with database.read() as session:
        draft, sent = (line.circular for line in page(session, limit=5, offset=0)[0])
        assert (draft.state, sent.state) == (CircularState.DRAFT, CircularState.SENT)
        assert counts(session, sent.id).heaps[Heap.REACHED] == len(PEOPLE)
        assert len(replies(session, sent.id)) == 1
        states = session.exec(select(Outbox.state).where(Outbox.kind == OutboxKind.CIRCULAR)).all()
        assert set(states) == {OutboxState.SENT}
