"""One file that could not be had from Telegram, left on the person's own page: it lands where it was missing.

Shows nothing of others: whoever has no such file to leave gets a page that is not there.
"""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from delivery.outbox import queue_to
from delivery.words import Words
from desk.house import DeskHouse
from desk.pages import House, Id, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from facts.languages import Language, speaking
from intake.expected import WhyMissing, fill
from intake.files import PAGE_LIMIT, FileRefused, StoredFile, store_file
from storage.attachments import place_of
from storage.desk import own_file
from storage.desk_people import note_use
from storage.tables import Attachment, Channel, FileState, OutboxKind, Referent

router = APIRouter()


@router.get("/r/{token}/upload/{attachment_id}")
def before_leaving(request: Request, house: House, token: str, attachment_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        return _page(request, session, me, token, attachment_id) if me else closed(request)


@router.post("/r/{token}/upload/{attachment_id}")
def leave_it(
    request: Request,
    house: House,
    token: str,
    attachment_id: Id,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        _theirs(session, me, attachment_id)  # before a byte of the file is kept
    _ = speaker(request)
    if file is None or not file.filename:
        return _again(request, house, token, attachment_id, _("Choose the file first."))
    try:
        stored = store_file(house.files, file.filename, file.content_type or "", file.file, limit=PAGE_LIMIT)
    except FileRefused as refused:
        return _again(request, house, token, attachment_id, _(refused.sentence, **refused.values))
    _keep(house, me, token, attachment_id, stored)
    return redirect(request, f"/r/{token}/upload/{attachment_id}", _("We have your file. Thank you."))


def _keep(house: DeskHouse, me: Referent, token: str, attachment_id: int, stored: StoredFile) -> None:
    """It takes its place, and the chat says so: that is where the person was waiting for it."""
    now = house.clock()
    with house.database.write() as session:
        if not fill(session, _theirs(session, me, attachment_id), stored, now=now, zone=house.zone):
            return  # sent twice: the first one counts
        note_use(session, token, now)
        _ = speaking(Language(me.language), html=True)
        queue_to(
            session,
            me.id,
            Words(_("📎 “{name}” has arrived and is in its place.", name=stored.name)),
            kind=OutboxKind.DIALOGUE,
            now=now,
            dedupe_key=f"file:{attachment_id}:filled",
            prefer=Channel.TELEGRAM,
        )


def _theirs(session: Session, me: Referent, attachment_id: int) -> Attachment:
    found = own_file(session, me.id, attachment_id)
    if found is None or not found.file_id:
        raise Refuse(404)
    return found


def _again(request: Request, house: DeskHouse, token: str, attachment_id: int, error: str) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        return _page(request, session, me, token, attachment_id, error=error) if me else closed(request)


def _page(
    request: Request, session: Session, me: Referent, token: str, attachment_id: int, *, error: str = ""
) -> Response:
    found = _theirs(session, me, attachment_id)
    return render(
        request,
        "personal_upload.html",
        status=422 if error else 200,
        token=token,
        file=found,
        here=found.state is FileState.KEPT,
        place=place_of(session, found),
        reasons=WhyMissing,
        error=error,
    )
