"""Filters of the queue kept under a name: saved, renamed, shared, deleted and brought back. Rules: `answering`."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import saved_filters as rules
from answering.refusal import Refused
from desk import denied, narrowing
from desk.house import DeskHouse
from desk.pages import House, Id, Reader, Refuse, redirect, render, speaker
from desk.security import SignedIn
from storage.tables import SavedFilter, Staff

router = APIRouter()

PLACE = "/desk/filters"
Text = Annotated[str, Form()]


@router.get("/desk/filters")
def list_them(
    request: Request, house: House, signed: Reader, name: str = "", query: str = "", shared: str = ""
) -> Response:
    """`name`, `query`, `shared`: what was deleted a moment ago, to be brought back by one button."""
    gone = {"name": name, "query": narrowing.query_of(narrowing.read(query)), "shared": shared} if name else None
    return _list(request, house, signed, gone=gone)


@router.post("/desk/filters")
def save(
    request: Request, house: House, signed: Reader, name: Text = "", query: Text = "", shared: Text = ""
) -> Response:
    kept = narrowing.query_of(narrowing.read(query))
    try:
        with house.database.write() as session:
            rules.save(session, signed.staff_id, name, kept, shared=bool(shared), now=house.clock())
    except Refused as no:
        gone = {"name": name, "query": kept, "shared": shared}
        return _list(request, house, signed, no, gone=gone)
    _ = speaker(request)
    return redirect(request, f"/desk/questions?{kept}", _("The filter is kept: you find it above the list."))


@router.post("/desk/filters/{filter_id}")
def change(
    request: Request, house: House, signed: Reader, filter_id: Id, name: Text = "", shared: Text = ""
) -> Response:
    try:
        with house.database.write() as session:
            _found(session, signed, filter_id)
            rules.change(session, filter_id, signed.staff_id, name, shared=bool(shared), now=house.clock())
    except Refused as no:
        return _list(request, house, signed, no)
    _ = speaker(request)
    return redirect(request, PLACE, _("The filter is saved."))


@router.post("/desk/filters/{filter_id}/delete")
def delete(request: Request, house: House, signed: Reader, filter_id: Id) -> Response:
    try:
        with house.database.write() as session:
            _found(session, signed, filter_id)
            gone = rules.delete(session, filter_id, signed.staff_id, now=house.clock())
    except Refused as no:
        return _list(request, house, signed, no)
    kept = {"name": gone.name, "query": gone.query, "shared": "1" if gone.shared else ""}
    return redirect(request, f"{PLACE}?{urlencode(kept)}")


def _list(
    request: Request,
    house: DeskHouse,
    signed: SignedIn,
    no: Refused | None = None,
    *,
    gone: dict[str, str] | None = None,
) -> Response:
    if no is not None:
        denied.refused(request, no)
    with house.database.read() as session:
        person = session.get_one(Staff, signed.staff_id)
        saved = narrowing.saved(session, signed, "", house.clock())
        return render(
            request,
            "filters.html",
            status=409 if no is not None else 200,
            saved=saved,
            may_change={one.kept.id for one in saved if rules.may_change(person, one.kept)},
            gone=gone,
            problem="" if no is None else speaker(request)(no.sentence, **no.values),
        )


def _found(session: Session, signed: SignedIn, filter_id: int) -> SavedFilter:
    """Somebody else's own is not there."""
    kept = session.get(SavedFilter, filter_id)
    if kept is None or not (kept.shared or kept.staff_id == signed.staff_id):
        raise Refuse(404)
    return kept
