"""The register of deadlines: organisations by month as a map, what each figure counts, lists, files. Changes nothing.

The figures are those of the cells (`storage/register.py`), a second old.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.pages import BEYOND, House, Page, Reader, Refuse, render, speaker
from desk.register_tables import HEAPS, MAKERS, Asked, month_name
from facts.calendar import local_date
from registry.files import FILE_WRITERS, MEDIA_TYPES
from storage import filters
from storage.desk import who_owes
from storage.groups import all_groups
from storage.register_view import (
    Heap,
    Month,
    Narrowed,
    behind,
    bodies,
    deadline_choices,
    how_many_bodies,
    newest_month,
    totals,
)
from storage.tables import Organization

router = APIRouter()

LONGEST_LIST = 100  # lines on a page; all of them are in the files
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
BodyId = Annotated[int, Path(ge=0, lt=BEYOND)]


class Wanted:
    """The filter as the address says it; what names nothing is left out."""

    def __init__(
        self, house: House, deadline: str = "", programme: str = "", group: str = "", state: str = "", until: str = ""
    ) -> None:
        self.today = local_date(house.clock(), house.zone)
        self.until = _month(until)
        self.narrowed = Narrowed(
            self.today,
            self.until or (self.today.year, self.today.month),
            deadline_id=_number(deadline),
            programme_id=_number(programme),
            group_id=_number(group),
            heap=Heap(state) if state in set(Heap) else None,
        )

    def seen(self, session: Session) -> Narrowed:
        """Up to the month that was asked for, or the last in which something that has opened is due."""
        return self.narrowed if self.until else replace(self.narrowed, month=newest_month(session, self.narrowed))

    @property
    def query(self) -> dict[str, str]:
        one = self.narrowed
        named = {"deadline": one.deadline_id, "programme": one.programme_id, "group": one.group_id, "state": one.heap}
        until = {"until": month_key(self.until)} if self.until else {}
        return {name: str(value) for name, value in named.items() if value} | until


Chosen = Annotated[Wanted, Depends()]


@router.get("/desk/register")
def register(request: Request, house: House, signed: Reader, wanted: Chosen, pages: Page) -> Response:
    say = speaker(request)
    with house.database.read() as session:
        narrowed = wanted.seen(session)
        return render(
            request,
            "register.html",
            narrowed=narrowed,
            months=[(month, month_key(month), month_name(month, say)) for month in narrowed.months],
            lines=bodies(session, narrowed, limit=pages.size, offset=pages.offset),
            totals=totals(session, narrowed),
            pages=pages.counted(how_many_bodies(session, narrowed)),
            earlier=month_key(_a_year(narrowed.month, -1)),
            later=month_key(_a_year(narrowed.month, 1)) if wanted.until else "",
            **_frame(session, wanted),
        )


@router.get("/desk/register/bodies/{body_id}/{month}")
def figure(
    request: Request, house: House, signed: Reader, wanted: Chosen, pages: Page, *, body_id: BodyId, month: str
) -> Response:
    """What one figure of the map counts."""
    found = _month(month)
    with house.database.read() as session:
        body = session.get(Organization, body_id) if body_id else None
        if found is None or (body_id and body is None):
            raise Refuse(404)
        lines, total = behind(session, wanted.narrowed, body_id, found, limit=pages.size, offset=pages.offset)
        return render(
            request,
            "register_figure.html",
            body=body,
            month=month_name(found, speaker(request)),
            lines=lines,
            people=who_owes(session, lines),
            pages=pages.counted(total),
            query=wanted.query,
        )


@router.get("/desk/register/late")
def late(request: Request, house: House, signed: Reader, wanted: Chosen) -> Response:
    return _list(request, house, wanted, "late")


@router.get("/desk/register/silent")
def silent(request: Request, house: House, signed: Reader, wanted: Chosen) -> Response:
    return _list(request, house, wanted, "silent")


@router.get("/desk/register/channels")
def channels(request: Request, house: House, signed: Reader, wanted: Chosen) -> Response:
    return _list(request, house, wanted, "channels")


@router.get("/desk/register/coming")
def coming(request: Request, house: House, signed: Reader, wanted: Chosen) -> Response:
    return _list(request, house, wanted, "coming")


@router.get("/desk/register/{key}.{format}")
def file(request: Request, house: House, signed: Reader, wanted: Chosen, *, key: str, format: str) -> Response:
    if key not in MAKERS or format not in FILE_WRITERS:
        raise Refuse(404)
    with house.database.read() as session:
        table = MAKERS[key](Asked(session, wanted.seen(session), house.clock(), house.zone, speaker(request)))
    out = BytesIO()
    FILE_WRITERS[format](out, table.headers, table.lines)
    name = f"raccordo-register-{key}-{wanted.today}.{format}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type=MEDIA_TYPES[format], headers=disposition)


def _list(request: Request, house: House, wanted: Wanted, key: str) -> Response:
    with house.database.read() as session:
        asked = Asked(session, wanted.narrowed, house.clock(), house.zone, speaker(request), most=LONGEST_LIST + 1)
        return render(
            request, "register_list.html", table=MAKERS[key](asked), most=LONGEST_LIST, **_frame(session, wanted)
        )


def _frame(session: Session, wanted: Wanted) -> Mapping[str, Any]:
    """The filter above each list, and what may be chosen in it."""
    return {
        "query": wanted.query,
        "deadlines": deadline_choices(session),
        "programmes": [(one.id, one.name) for one in filters.programmes(session)],
        "groups": [(one.group.id, one.group.name) for one in all_groups(session)],
        "heaps": HEAPS,
    }


def month_key(month: Month) -> str:
    return f"{month[0]}-{month[1]:02}"


def _month(text: str) -> Month | None:
    found = MONTH.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def _a_year(month: Month, by: int) -> Month:
    return min(max(month[0] + by, 2001), 2098), month[1]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
