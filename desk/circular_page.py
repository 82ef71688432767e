"""What the pages of a circular share: the draft as it stands, or what became of it. Changes nothing."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering.circular_sending import sample
from answering.refusal import Refused
from desk import denied
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Pages, Refuse, redirect, render, speaker
from desk.security import SignedIn
from facts.calendar import local_date
from facts.languages import Language
from storage import addressees, circulars, recipients
from storage.addressees import Heap
from storage.circulars import Head
from storage.recipients import Reach, Wanted
from storage.tables import Circular, CircularState

FIRST_PAGE = Pages(1)
Version = Annotated[int, Form(ge=0, lt=BEYOND)]  # as the page showed it; no database holds a larger one
Act = Callable[[Session], object]


def the_head(session: Session, circular_id: int) -> Head:
    found = circulars.head(session, circular_id)
    if found is None:
        raise Refuse(404)
    return found


def the_draft(session: Session, circular_id: int) -> Circular:
    """Only a draft is changed: whoever comes too late gets a page that is not there any more."""
    circular = the_head(session, circular_id).circular
    if circular.state is not CircularState.DRAFT:
        raise Refused(N_("This communication is no draft any more: its page says what became of it."))
    return circular


def address(circular_id: int) -> str:
    return f"/desk/circulars/{circular_id}"


def act(request: Request, house: DeskHouse, signed: SignedIn, circular_id: int, work: Act, said: str = "") -> Response:
    """One change; what it refuses is said on the circular's own page."""
    with house.database.read() as session:
        the_head(session, circular_id)
    try:
        with house.database.write() as session:
            work(session)
    except Refused as no:
        return refused(request, house, signed, circular_id, no)
    return redirect(request, address(circular_id), said)


def refused(request: Request, house: DeskHouse, signed: SignedIn, circular_id: int, no: Refused) -> Response:
    denied.refused(request, no)
    sentence = speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        return show(request, session, signed, circular_id, problem=sentence)


def chosen_people(session: Session, house: DeskHouse, circular: Circular) -> tuple[list[int], Reach]:
    today = local_date(house.clock(), house.zone)
    ids = recipients.chosen(session, Wanted.from_json(circular.audience), today)
    return ids, recipients.reach(session, ids)


def show(
    request: Request,
    session: Session,
    signed: SignedIn,
    circular_id: int,
    *,
    heap: Heap = Heap.ALL,
    pages: Pages = FIRST_PAGE,
    problem: str = "",
) -> Response:
    head, house = the_head(session, circular_id), request.app.state.house
    status = 409 if problem else 200
    values: dict[str, Any] = {"head": head, "circular": head.circular, "problem": problem, "base": address(circular_id)}
    values["files"] = circulars.files_of(session, circular_id)
    if head.circular.state in (CircularState.DRAFT, CircularState.DISCARDED):
        _, reach = chosen_people(session, house, head.circular)
        values |= {"reach": reach, "reader": sample(session, head.circular, Language.IT, house.clock())}
        return render(request, "circular.html", status=status, **values)
    counts = addressees.counts(session, circular_id)
    return render(
        request,
        "circular_state.html",
        status=status,
        counts=counts,
        heap=heap,
        heaps=Heap,
        rows=addressees.page(session, circular_id, heap, limit=pages.size, offset=pages.offset),
        replies=circulars.replies(session, circular_id),
        pages=pages.counted(counts.heaps[heap]),
        **values,
    )
