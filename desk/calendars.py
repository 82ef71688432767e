"""Calendars that people's own programs read, and the pages where their addresses are made, replaced and closed.

An address is shown once, on the page that answers the button: we keep no more than its SHA-256. Whoever has it reads
the days and nothing else: it opens no page. What is unknown or closed answers 404, as if it had never been.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from answering.refusal import Refused
from delivery.calendar_feed import Feed, written
from desk.house import DeskHouse
from desk.pages import N_, FormNumber, House, Id, Reader, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from reminders.calendars import calendar_of, calendar_of_staff
from storage import audit, feeds
from storage.feeds import Owner
from storage.tables import Referent, Staff

router = APIRouter()

MOST = 5  # addresses of one person: the phone, the office, home
NONE = 0
TOO_MANY = N_("You have {n} addresses already: close one that you no longer use, then make another.")


@dataclass(frozen=True, slots=True)
class Mine:
    """Whose page it is, where it stands and with which template."""

    owner: Owner
    actor: tuple[str, int]
    address: str
    template: str
    values: dict[str, Any]


# --- what programs read


@router.get("/calendar/{calendar_key}.ics")
def read(request: Request, house: House, calendar_key: str, tasks: str = "", mine: str = "") -> Response:
    """`tasks`: as things to do. `mine`: of one of us, only what they follow or where they have a role."""
    now = house.clock()
    with house.database.read() as session:
        found = feeds.feed_with(session, calendar_key)
        if found is None:
            raise Refuse(404)
        row, person = found
        feed = _feed(session, house, person, now, tasks=bool(tasks), mine=bool(mine))
        news, since = feeds.is_news(row, feed.mark(), now), row.changed_at or now
    if news:
        with house.database.write() as session:
            since = feeds.note_reading(session, row.id, feed.mark(), now)
    headers = _headers(feed, since)
    if _has_it(request, headers["ETag"], since):
        return Response(status_code=304, headers=headers)
    return Response(written(feed, house.mail_from, since), media_type="text/calendar; charset=utf-8", headers=headers)


def _feed(
    session: Session, house: DeskHouse, person: Referent | Staff, now: datetime, *, tasks: bool, mine: bool
) -> Feed:
    if isinstance(person, Referent):
        return calendar_of(session, person, now, tasks=tasks)
    return calendar_of_staff(session, person, house.links, now, mine=mine, tasks=tasks)


def _headers(feed: Feed, since: datetime) -> dict[str, str]:
    """The mark is a weak one: the answer may be compressed on its way."""
    return {
        "ETag": f'W/"{feed.mark()[:32]}{"-tasks" if feed.tasks else ""}"',
        "Last-Modified": format_datetime(since.replace(microsecond=0), usegmt=True),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="raccordo.ics"',
    }


def _has_it(request: Request, mark: str, since: datetime) -> bool:
    """Whether the program has what we would send (RFC 9110 §13.2.2: the mark goes before the date)."""
    marks = request.headers.get("if-none-match")
    if marks is not None:
        return marks.strip() == "*" or mark.removeprefix("W/") in [
            it.strip().removeprefix("W/") for it in marks.split(",")
        ]
    try:
        had = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, TypeError, OverflowError):
        return False
    return had.tzinfo is not None and had >= since.replace(microsecond=0)


# --- a referent's addresses


@router.get("/r/{token}/calendar")
def own(request: Request, house: House, token: str) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    return closed(request) if me is None else _page(request, house, _referents(me, token))


@router.post("/r/{token}/calendar")
def make_own(request: Request, house: House, token: str, old: FormNumber = NONE) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    return closed(request) if me is None else _make(request, house, _referents(me, token), old)


@router.post("/r/{token}/calendar/{feed_id}/close")
def close_own(request: Request, house: House, token: str, feed_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    return closed(request) if me is None else _close(request, house, _referents(me, token), feed_id)


def _referents(me: Referent, token: str) -> Mine:
    values = {"token": token, "me": me}
    return Mine(Owner(referent_id=me.id), ("referent", me.id), f"/r/{token}/calendar", "personal_calendar.html", values)


# --- those of one of us


@router.get("/desk/account/calendar")
def ours(request: Request, house: House, signed: Reader) -> Response:
    return _page(request, house, _ours(signed.staff_id))


@router.post("/desk/account/calendar")
def make_ours(request: Request, house: House, signed: Reader, old: FormNumber = NONE) -> Response:
    return _make(request, house, _ours(signed.staff_id), old)


@router.post("/desk/account/calendar/{feed_id}/close")
def close_ours(request: Request, house: House, signed: Reader, feed_id: Id) -> Response:
    return _close(request, house, _ours(signed.staff_id), feed_id)


def _ours(staff_id: int) -> Mine:
    return Mine(Owner(staff_id=staff_id), ("staff", staff_id), "/desk/account/calendar", "account_calendar.html", {})


# --- what both do


def _make(request: Request, house: DeskHouse, mine: Mine, old: int) -> Response:
    """One more address; with `old`, one in its place."""
    now = house.clock()
    with house.database.write() as session:
        mine.owner.hold(session)
        if old != NONE and not feeds.close_feed(session, mine.owner, old, now):
            raise Refuse(404)
        if len(feeds.feeds_of(session, mine.owner)) >= MOST:
            raise Refused(TOO_MANY, n=MOST)
        row, token = feeds.add_feed(session, mine.owner, now)
        act = "calendar.make" if old == NONE else "calendar.replace"
        audit.record(session, now, mine.actor, act, ("calendar", row.id))
    return _page(request, house, mine, house.links.calendar(token))


def _close(request: Request, house: DeskHouse, mine: Mine, feed_id: int) -> Response:
    now = house.clock()
    with house.database.write() as session:
        if not feeds.close_feed(session, mine.owner, feed_id, now):
            raise Refuse(404)
        audit.record(session, now, mine.actor, "calendar.close", ("calendar", feed_id))
    _ = speaker(request)
    return redirect(
        request, mine.address, _("That address is closed: no program reads your deadlines with it any more.")
    )


def _page(request: Request, house: DeskHouse, mine: Mine, address: str = "") -> Response:
    """`address`: the one that was made just now."""
    with house.database.read() as session:
        rows = feeds.feeds_of(session, mine.owner)
        here = address.partition("://")[2]
        return render(
            request,
            mine.template,
            here=mine.address,
            feeds=rows,
            made=address,
            webcal=f"webcal://{here}" if here else "",
            may_make=len(rows) < MOST,
            **mine.values,
        )
