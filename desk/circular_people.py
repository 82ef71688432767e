"""For whom a communication is: the filter, people added and taken out, how many and by which way. Sends nothing."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import circulars as rules
from answering.refusal import Refused
from desk import denied
from desk.circular_page import Version, address, the_draft, the_head
from desk.house import DeskHouse
from desk.pages import N_, Actor, House, Id, Page, Pages, Refuse, redirect, render, speaker
from desk.security import SignedIn
from facts.calendar import local_date
from facts.phases import PHASES
from storage import recipients
from storage.projects import programmes
from storage.recipients import Wanted
from storage.tables import Circular

router = APIRouter()

LONGEST_SEARCH = 100
CODES = frozenset(phase.code for phase in PHASES)


@dataclass(frozen=True, slots=True)
class Filter:
    """As the form says it. What cannot be read is left out."""

    by_filter: bool
    organizations: tuple[int, ...]
    programme: int | None
    phase: str
    late: bool
    silent: bool

    def on(self, wanted: Wanted) -> Wanted:
        """With people that were added and taken out before."""
        return replace(wanted, **{name: getattr(self, name) for name in self.__slots__})


def the_filter(
    who: Annotated[str, Form()] = "",
    organization: Annotated[list[str] | None, Form()] = None,
    programme: Annotated[str, Form()] = "",
    phase: Annotated[str, Form()] = "",
    late: Annotated[str, Form()] = "",
    silent: Annotated[str, Form()] = "",
) -> Filter:
    numbers = (_number(one) for one in organization or ())
    return Filter(
        by_filter=who == "filter",
        organizations=tuple(dict.fromkeys(one for one in numbers if one is not None)),
        programme=_number(programme),
        phase=phase if phase in CODES else "",
        late=bool(late),
        silent=bool(silent),
    )


Asked = Annotated[Filter, Depends(the_filter)]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@router.get("/desk/circulars/{circular_id}/people")
def people(request: Request, house: House, signed: Actor, circular_id: Id, pages: Page, q: str = "") -> Response:
    with house.database.read() as session:
        draft = the_draft(session, circular_id)
        return _page(request, session, house, draft, pages, q=q[:LONGEST_SEARCH])


@router.post("/desk/circulars/{circular_id}/people")
def choose(request: Request, house: House, signed: Actor, circular_id: Id, asked: Asked, version: Version) -> Response:
    return _change(request, house, signed, circular_id, version, asked.on)


@router.post("/desk/circulars/{circular_id}/people/count")
def count(request: Request, house: House, signed: Actor, circular_id: Id, asked: Asked) -> Response:
    """How many it would be, while the filter is being chosen. Saves nothing."""
    with house.database.read() as session:
        draft = the_draft(session, circular_id)
        wanted = asked.on(Wanted.from_json(draft.audience))
        return render(
            request, "circular_people_part.html", saved=False, **_people(session, house, draft, wanted, Pages(1))
        )


@router.post("/desk/circulars/{circular_id}/people/{referent_id}/add")
def add(request: Request, house: House, signed: Actor, circular_id: Id, referent_id: Id, version: Version) -> Response:
    with house.database.read() as session:
        the_head(session, circular_id)
        if not recipients.named(session, [referent_id]):
            raise Refuse(404)

    def change(wanted: Wanted) -> Wanted:
        return rules.with_person(wanted, referent_id)

    return _change(request, house, signed, circular_id, version, change)


@router.post("/desk/circulars/{circular_id}/people/{referent_id}/leave-out")
def leave_out(
    request: Request, house: House, signed: Actor, circular_id: Id, referent_id: Id, version: Version
) -> Response:
    def change(wanted: Wanted) -> Wanted:
        return rules.without_person(wanted, referent_id)

    return _change(request, house, signed, circular_id, version, change)


def _change(
    request: Request, house: DeskHouse, signed: SignedIn, circular_id: int, version: int, change: Any
) -> Response:
    with house.database.read() as session:
        the_head(session, circular_id)
    try:
        with house.database.write() as session:
            draft = rules.the_circular(session, circular_id)
            wanted = change(Wanted.from_json(draft.audience))
            rules.choose(session, circular_id, signed.staff_id, wanted, version=version, now=house.clock())
    except Refused as no:
        return _not_now(request, house, circular_id, no)
    return redirect(request, f"{address(circular_id)}/people#people", speaker(request)(N_("The choice is saved.")))


def _not_now(request: Request, house: DeskHouse, circular_id: int, no: Refused) -> Response:
    """The choice as it is now, when it can still be changed."""
    denied.refused(request, no)
    problem = speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        draft = the_draft(session, circular_id)
        return _page(request, session, house, draft, Pages(1), problem=problem)


def _page(
    request: Request,
    session: Session,
    house: DeskHouse,
    draft: Circular,
    pages: Pages,
    *,
    q: str = "",
    problem: str = "",
) -> Response:
    wanted = Wanted.from_json(draft.audience)
    found = recipients.found_by_name(session, q)
    return render(
        request,
        "circular_people.html",
        status=409 if problem else 200,
        problem=problem,
        q=q,
        found=found,
        wanted=wanted,
        organizations=recipients.organizations_with_people(session),
        programmes=programmes(session),
        phases=PHASES,
        left_out=recipients.named(session, wanted.left_out),
        gone=recipients.gone(session, wanted),
        named={one.id: one.name for one in recipients.named(session, wanted.added)},
        saved=True,
        **_people(session, house, draft, wanted, pages),
    )


def _people(session: Session, house: DeskHouse, draft: Circular, wanted: Wanted, pages: Pages) -> dict[str, Any]:
    """How many, by which ways, and one page of names."""
    ids = recipients.chosen(session, wanted, local_date(house.clock(), house.zone))
    shown = ids[pages.offset : pages.offset + pages.size]
    return {
        "circular": draft,
        "base": address(draft.id),
        "reach": recipients.reach(session, ids),
        "people": recipients.recipients(session, shown, wanted),
        "pages": pages.counted(len(ids)),
    }
