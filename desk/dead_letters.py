"""What arrived and could not be understood, as it came. Raw content is only ever shown as text."""

import json
from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import Actor, House, Id, Manager, Reader, Refuse, redirect, render, saved_mail, speaker
from intake.reading.charsets import decoded
from intake.worker import drop_dead, retry_dead
from storage import audit
from storage.inbox import MAIL_KINDS, dead_letters, inbox_row
from storage.tables import Inbox, InboxState

router = APIRouter()

MOST = 200
MOST_LETTERS = 100_000


@router.get("/desk/dead-letters")
def letters(request: Request, house: House, signed: Reader) -> Response:
    with house.database.read() as session:
        return render(request, "dead_letters.html", rows=dead_letters(session, most=MOST), most=MOST)


@router.get("/desk/dead-letters/{inbox_id}")
def letter(request: Request, house: House, signed: Reader, inbox_id: Id) -> Response:
    with house.database.read() as session:
        row = inbox_row(session, inbox_id)
        if row is None or row.state not in (InboxState.DEAD, InboxState.DROPPED):
            raise Refuse(404)
        text, whole = shown(row)
        is_mail = row.kind in MAIL_KINDS
        return render(request, "dead_letter.html", row=row, text=text, whole=whole, is_mail=is_mail)


@router.get("/desk/dead-letters/{inbox_id}/raw")
def raw(house: House, signed: Manager, inbox_id: Id) -> Response:
    """As it came, to be saved: whoever tries to open a mail that broke our reading has more to go by than its text."""
    with house.database.write() as session:
        row = inbox_row(session, inbox_id)
        if row is None or row.state not in (InboxState.DEAD, InboxState.DROPPED) or row.kind not in MAIL_KINDS:
            raise Refuse(404)
        audit.record(session, house.clock(), ("staff", signed.staff_id), "dead-letter.raw", ("inbox", inbox_id))
        content = row.payload
    return saved_mail(inbox_id, content)


@router.post("/desk/dead-letters/{inbox_id}/retry")
def retry(request: Request, house: House, signed: Actor, inbox_id: Id) -> Response:
    with house.database.write() as session:
        done = retry_dead(session, inbox_id, house.clock(), by=signed.staff_id)
    _ = speaker(request)
    return _back(request, done, _("It is tried again now. If it fails, it comes back here."))


@router.get("/desk/dead-letters/{inbox_id}/drop")
def before_dropping(request: Request, house: House, signed: Actor, inbox_id: Id) -> Response:
    with house.database.read() as session:
        row = inbox_row(session, inbox_id)
        if row is None or row.state is not InboxState.DEAD:
            raise Refuse(404)
        return render(request, "dead_letter_drop.html", row=row)


@router.post("/desk/dead-letters/{inbox_id}/drop")
def drop(request: Request, house: House, signed: Actor, inbox_id: Id) -> Response:
    with house.database.write() as session:
        done = drop_dead(session, inbox_id, house.clock(), by=signed.staff_id)
    _ = speaker(request)
    return _back(request, done, _("It is put aside. Its content stays stored."))


def _back(request: Request, done: bool, sentence: str) -> Response:
    if done:
        return redirect(request, "/desk/dead-letters", sentence)
    _ = speaker(request)
    return redirect(request, "/desk/dead-letters", _("Its state has changed meanwhile: nothing is done."), level="info")


def shown(row: Inbox) -> tuple[str, bool]:
    """The raw content as text, JSON laid out, and whether that is all of it."""
    if row.kind in MAIL_KINDS:
        return decoded(row.payload[:MOST_LETTERS]), len(row.payload) <= MOST_LETTERS
    text = row.payload.decode("utf-8", "backslashreplace")
    with suppress(ValueError, RecursionError):  # not JSON, or JSON too deep to lay out: as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        text = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair fits into no page
    return text[:MOST_LETTERS], len(text) <= MOST_LETTERS
