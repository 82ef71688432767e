"""Two questions that became one, and one that became two, are found where their messages stand now."""

from datetime import datetime

from sqlmodel import col, select

from answering import joining
from answering.joining import Seen
from app.mark_keeping import renew_all
from storage.database import Database
from storage.queue import View, queue_page
from storage.tables import Audience, Channel, Message, Question
from tests.cast import Cast

ZONE = "Europe/Rome"


def two(database: Database, now: datetime) -> tuple[int, int, int]:
    """A question about a roof, one about a yard, both of Ada; and Olga."""
    with database.write() as session:
        cast = Cast(session, now)
        ada, olga = cast.a_referent(), cast.a_staff()
        ids = cast.a_question(ada, "Il tetto").id, cast.a_question(ada, "Il cortile").id, olga.id
    renew_all(database)
    return ids


def seen(database: Database, id_: int) -> Seen:
    with database.read() as session:
        return Seen(id_, session.get_one(Question, id_).version)


def found(database: Database, wanted: str) -> list[int]:
    renew_all(database)
    with database.read() as session:
        return [line.id for line in queue_page(session, View.ALL, 1, wanted)[0]]


def test_what_was_merged_is_found_in_the_one_that_stays_and_taken_out_where_it_was(
    database: Database, now: datetime
) -> None:
    roof, yard, olga = two(database, now)

    with database.write() as session:
        joining.merge(session, seen(database, yard), seen(database, roof), olga, now=now)
    together = found(database, "tetto cortile"), found(database, "cortile")
    with database.write() as session:
        joining.take_out(session, seen(database, roof), yard, olga, now=now)

    assert together == ([roof], [roof])
    assert (found(database, "tetto cortile"), found(database, "tetto"), found(database, "cortile")) == (
        [],
        [roof],
        [yard],
    )


def test_what_was_split_off_is_found_by_its_own_number_only(database: Database, now: datetime) -> None:
    roof, _yard, olga = two(database, now)
    with database.write() as session:
        referent_id = session.get_one(Question, roof).referent_id
        session.add(
            Message(
                question_id=roof,
                audience=Audience.REFERENT,
                referent_id=referent_id,
                text="E la palestra?",
                channel=Channel.WEB,
                created_at=now,
            )
        )
    before = found(database, "tetto palestra")

    with database.write() as session:
        asked = select(Message.id).where(Message.question_id == roof).order_by(col(Message.id).desc())
        chosen = [session.exec(asked).first() or 0]
        new = joining.split(session, seen(database, roof), chosen, olga, now=now, zone=ZONE)

    assert before == [roof]
    assert (found(database, "palestra"), found(database, "tetto")) == ([new], [roof])
