"""What the office wrote first, on the page of whoever it was for: read, its files taken, answered with a question.

What was not for them, or did not leave, is a page that is not there.
"""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering.circular_words import addressed, filled, texts_for
from desk.house import DeskHouse
from desk.pages import House, Id, Refuse, redirect, render, speaker
from desk.personal import MOST_LETTERS, closed, enter
from facts.languages import Language
from intake.questions import add_message, ask
from storage import circulars
from storage.desk_people import note_use
from storage.questions import own_question
from storage.tables import Channel, Circular, Referent

router = APIRouter()


@dataclass
class Answer:
    """What they are writing, and what is wrong with it."""

    text: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@router.get("/r/{token}/circulars/{circular_id}")
def read(request: Request, house: House, token: str, circular_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        return _page(request, session, me, token, circular_id, Answer()) if me else closed(request)


@router.post("/r/{token}/circulars/{circular_id}")
def answer(request: Request, house: House, token: str, circular_id: Id, text: Annotated[str, Form()] = "") -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        _theirs(session, me, circular_id)
        _, written = speaker(request), Answer(text)
        if not text.replace("\x00", "").strip():
            written.errors["text"] = _("Write your answer first.")
        elif len(text) > MOST_LETTERS:
            written.errors["text"] = _("This is too long: keep it within {n} characters.", n=MOST_LETTERS)
        if written.errors:
            return _page(request, session, me, token, circular_id, written)
    number = _keep(house, me, token, circular_id, text)
    return redirect(request, f"/r/{token}/questions/{number}", _("The office has your answer. Thank you."))


def _keep(house: DeskHouse, me: Referent, token: str, circular_id: int, text: str) -> int:
    """The question that it is, or is a part of."""
    now = house.clock()
    said = {"referent_id": me.id, "text": text.strip(), "channel": Channel.WEB, "now": now, "zone": house.zone}
    with house.database.write() as session:
        note_use(session, token, now)
        known = circulars.replied(session, me.id, circular_id)
        question = own_question(session, me.id, known) if known is not None else None
        if question is None:
            return ask(session, circular_id=circular_id, **said).id  # type: ignore[arg-type]
        add_message(session, question, **said)  # type: ignore[arg-type]
        return question.id


def _theirs(session: Session, me: Referent, circular_id: int) -> Circular:
    found = circulars.received(session, me.id, circular_id)
    if not found:
        raise Refuse(404)
    return found[0][0]


def _page(request: Request, session: Session, me: Referent, token: str, circular_id: int, written: Answer) -> Response:
    circular, reader = _theirs(session, me, circular_id), addressed(session, me)
    subject, text = (filled(one, reader) for one in texts_for(circular, Language(me.language)))
    return render(
        request,
        "personal_circular.html",
        status=422 if written.errors else 200,
        token=token,
        subject=subject,
        text=text,
        number=circular_id,
        files=circulars.files_of(session, circular_id),
        replied=circulars.replied(session, me.id, circular_id),
        written=written,
    )
