"""A file whose words were edited, or which was replaced, after it was sent: both versions are on every page."""

from typing import Any

from sqlmodel import Session, select

from intake.corrections import Edited, correct_caption, correct_file
from storage.tables import Attachment, FileKind, Message
from tests.desk.conftest import Desk
from tests.desk.test_personal import a_person, a_question
from tests.desk.test_updates import FIRST, a_followed_project, report

ZONE = "Europe/Rome"


def a_photo(session: Session, desk: Desk, name: str, **where: Any) -> Attachment:
    now = desk.house.clock()
    row = Attachment(kind=FileKind.PHOTO, size=9, name=name, caption="fachada", created_at=now, **where)
    session.add(row)
    session.flush()
    return row


def amended(session: Session, desk: Desk, **where: Any) -> None:
    """Its words are edited, then taken away, then another photo comes."""
    photo = a_photo(session, desk, "foto-7.jpg", **where)
    now = desk.house.clock()
    for before, after in (("fachada", "facciata <b>"), ("facciata <b>", "")):
        correct_caption(session, photo, Edited(before, after), now=now, zone=ZONE)
    correct_file(session, photo, a_photo(session, desk, "foto-7-2.jpg"), inbox_id=None, now=now, zone=ZONE)


def shows_both(page: str) -> bool:
    versions = ("fachada", "facciata &lt;b&gt;", "Il testo è stato tolto.", "Al suo posto è arrivato: foto-7-2.jpg")
    return all(said in page for said in versions) and page.index("fachada") < page.index("facciata")


async def test_both_versions_stand_in_a_thread_at_the_desk_and_on_the_personal_page(desk: Desk) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada)
    with desk.house.database.write() as session:
        message = session.exec(select(Message).where(Message.question_id == question)).one()
        amended(session, desk, message_id=message.id)

    assert shows_both((await desk.browser("Rita").get(f"/desk/questions/{question}")).text)
    assert shows_both((await desk.browser().get(f"{ada.page}/questions/{question}")).text)


async def test_both_versions_stand_beside_an_update(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    number = report(desk, project, ada, FIRST)
    with desk.house.database.write() as session:
        amended(session, desk, update_id=number)
    rita = desk.browser("Rita")

    assert shows_both((await rita.get(f"/desk/updates/{number}")).text)
    assert "Corretto" in (await rita.get("/desk/updates")).text
