"""What comes odd off the wire is read the slow way where it can be, and else kept for a person: never dropped."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from bot.arrivals import posted
from bot.dialogue import apologise, telegram_handler
from bot.heard import hear, read
from bot.house import House
from desk.dead_letters import shown
from intake.inbox import receive_many
from intake.invitations import invite
from intake.worker import work
from storage.inbox import dead_letters
from storage.questions import thread
from storage.tables import Inbox, InboxState, Outbox, Question
from tests.bot.conftest import Stage
from tests.bot.talk import LINKS

HALF = "\ud83d"


def arrives(session: Session, body: bytes, now: datetime) -> Inbox:
    """Posted to the webhook, and worked on for as long as it takes."""
    assert receive_many(session, [posted(body, "123456")[1]], now) == 1
    house = House(LINKS)
    for seconds in range(0, 40, 4):
        later = now + timedelta(seconds=seconds)
        work(session, {"telegram": telegram_handler(house)}, {"telegram": apologise(house)}, later)
    session.expire_all()
    return session.exec(select(Inbox)).one()


def message(text: str, chat: int = 11, **other: Any) -> bytes:
    """As JSON allows it: everything outside ASCII escaped."""
    who = {"id": chat, "first_name": "Ada", "language_code": "it"}
    said = {"message_id": 7, "date": 0, "chat": {"id": chat, "type": "private"}, "from": who, "text": text} | other
    return json.dumps({"update_id": 7, "message": said}).encode()


def test_half_a_surrogate_pair_costs_one_letter_and_not_the_message(stage: Stage) -> None:
    row = arrives(stage.session, message(f"/domanda Il tetto {HALF} perde?"), stage.cast.now)
    stage.ada.presses_data(button(stage, "Nessun progetto"))

    assert row.state is InboxState.DONE
    question = stage.session.exec(select(Question)).one()
    assert [one.text for one in thread(stage.session, question.id)] == ["Il tetto \N{REPLACEMENT CHARACTER} perde?"]


def button(stage: Stage, label: str) -> str:
    (row,) = stage.session.exec(select(Outbox)).all()
    return next(str(one["data"]) for line in row.body["buttons"] for one in line if label in one["text"])


def test_bytes_that_are_no_utf8_cost_their_letters_and_not_the_message(stage: Stage) -> None:
    body = message("Perche").replace(b"Perche", b"Perch\xe8")

    assert arrives(stage.session, body, stage.cast.now).state is InboxState.DONE
    assert len(stage.session.exec(select(Outbox)).all()) == 1


def test_what_came_with_a_file_is_mended_too() -> None:
    contact = {"first_name": f"Bruno{HALF}", "phone_number": "02"}

    heard = hear(read(message("", contact=contact).replace(b'"text": "", ', b"")))

    assert heard.enclosed is not None
    assert heard.enclosed.detail["name"] == "Bruno\N{REPLACEMENT CHARACTER}"


def test_a_pair_that_is_whole_stays_whole() -> None:
    assert hear(read(message(f"🏗 {HALF}"))).text == "🏗 \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("body", [b"no JSON at all", b"", b'{"message": ', b"[" * 100_000, b"\xff\xfe"])
def test_what_cannot_be_read_is_a_dead_letter_with_all_that_came(session: Session, now: datetime, body: bytes) -> None:
    row = arrives(session, body, now)

    assert (row.state, row.payload) == (InboxState.DEAD, body)
    assert [one.id for one in dead_letters(session)] == [row.id]
    assert session.exec(select(Outbox)).all() == [], "nobody knows to whom to say it"


def test_the_desk_shows_a_dead_letter_with_half_a_pair(session: Session, now: datetime) -> None:
    row = Inbox(kind="telegram", account="1", provider_id="1", payload_hash="1", payload=message(HALF), lane="x")

    text, whole = shown(row)

    assert whole
    assert "\\ud83d" in text
    assert text.encode()


def test_an_invitation_is_found_again_in_an_odd_message(stage: Stage) -> None:
    """`/start` from a phone whose owner has half an emoji in the name."""
    dario = stage.cast.a_referent("Dario Esempio")
    key = invite(stage.session, dario.id, stage.cast.now, LINKS).start_link.rpartition("=")[2]
    body = message(f"/start {key}", chat=77).replace(b'"first_name": "Ada"', b'"first_name": "Dario \\ud83d"')
    row = arrives(stage.session, body, stage.cast.now)
    phone = type(stage.ada)(stage.session, 77, stage.cast.now)

    phone.presses_data(f"i:yes:{row.id}")

    assert "ora questa chat è la tua" in phone.text
