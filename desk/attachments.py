"""Hands out the files that referents left, always to be saved and never to be shown inside our pages."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import Response, StreamingResponse

from desk.house import DeskHouse
from desk.pages import N_, Actor, House, Id, Reader, Refuse, redirect, speaker
from desk.security import NotAllowed
from intake.expected import fetch_again
from intake.files import open_file
from storage.files import KeptFile
from storage.tables import Attachment

router = APIRouter()

CHUNK = 256 * 1024


@router.get("/desk/attachments/{attachment_id}")
def attachment(house: House, signed: Reader, attachment_id: Id) -> Response:
    with house.database.read() as session:
        found = session.get(Attachment, attachment_id)
        if found is None:
            raise Refuse(404)
        if found.letter_id is not None and not signed.may_manage:
            raise NotAllowed  # of an e-mail that waits for those who sort them
        return file_response(house, found)


@router.post("/desk/attachments/{attachment_id}/fetch")
def fetch(
    request: Request, house: House, signed: Actor, attachment_id: Id, back: Annotated[str, Form()] = "/desk/questions"
) -> Response:
    """Another try at what Telegram did not hand over. `back`: the page on which it was asked for."""
    with house.database.write() as session:
        asked = fetch_again(session, attachment_id, house.clock(), by=signed.staff_id)
    if not asked:
        raise Refuse(404)
    here = back if back.startswith("/desk/") else "/desk/questions"
    return redirect(request, here, speaker(request)(N_("We are trying again. Look at this page in a minute.")))


def file_response(house: DeskHouse, found: Attachment) -> Response:
    """The kept bytes. Whatever they are, the browser saves them: a page inside a file would run as ours."""
    if found.sha256 is None:
        raise Refuse(404)  # it has not been fetched yet, or is no file
    try:
        file = open_file(house.files, found)
    except FileNotFoundError as missing:
        raise Refuse(404) from missing
    return StreamingResponse(
        _chunks(file),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Length": str(file.size),
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
    )


def _chunks(file: KeptFile) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
