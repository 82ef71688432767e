"""The log of who did what: filtered, read, taken along as a file. For administrators alone. Changes nothing in it.

It says what colleagues did and when, so nobody else reads it; whoever takes it along stands in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import Response, StreamingResponse

from desk import audit_words, denied
from desk.pages import Admin, House, Page, Refuse, render, speaker
from facts.languages import Speaker
from registry.export import export_log
from registry.files import MEDIA_TYPES
from storage import audit
from storage import staff as accounts
from storage.audit_chain import newest_link
from storage.audit_log import AuditFilter, log_page, names_of

router = APIRouter()

IN_MEMORY = 1 << 20
CHUNK = 1 << 16
LINKS = {
    "question": "/desk/questions/",
    "update": "/desk/updates/",
    "project": "/desk/projects/",
    "referent": "/desk/referents/",
    "deadline": "/desk/deadlines/",
    "obligation": "/desk/obligations/",
    "form": "/desk/forms/",
    "circular": "/desk/circulars/",
    "letter": "/desk/letters/",
    "access-request": "/desk/access/",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as the address says it. What cannot be read is left out."""

    who: str = ""
    act: str = ""
    kind: str = ""
    number: str = ""
    since: str = ""
    until: str = ""

    def filter(self, zone: str) -> AuditFilter:
        kind, _, number = self.who.partition("-")
        last = _day(self.until)
        return AuditFilter(
            actor=(kind, _number(number)) if kind in audit_words.ACTORS else None,
            action=self.act if self.act in audit_words.ACTS else "",
            object_kind=self.kind if self.kind in audit_words.THINGS else "",
            object_id=_number(self.number),
            since=_midnight(_day(self.since), zone),
            until=_midnight(last + timedelta(days=1) if last and last < date.max else None, zone),
        )

    def given(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}


def asked(request: Request) -> Asked:
    return Asked(**{name: request.query_params.get(name, "")[:60] for name in Asked.__slots__})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date | None, zone: str) -> datetime | None:
    if day is None or not 1900 < day.year < 9000:
        return None
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


Question = Annotated[Asked, Depends(asked)]


@router.get("/desk/audit")
def audit_log(request: Request, house: House, signed: Admin, wanted: Question, pages: Page) -> Response:
    denied.settle(house.database, denied.denials_of(request), house.clock())
    _ = speaker(request)
    with house.database.read() as session:
        rows, total = log_page(session, wanted.filter(house.zone), limit=pages.size, offset=pages.offset)
        return render(
            request,
            "audit.html",
            rows=rows,
            names=names_of(session, rows),
            asked=wanted,
            query=urlencode(wanted.given()),
            people=_people(session, _),
            acts=_choices(_, audit_words.ACTS),
            things=_choices(_, audit_words.THINGS),
            words=audit_words,
            links=LINKS,
            newest=newest_link(session),
            pages=pages.counted(total),
        )


@router.get("/desk/audit/export.{format}")
def export(request: Request, house: House, signed: Admin, wanted: Question, format: str) -> Response:
    """The rows that the filter shows, the oldest first. Written down before a byte leaves."""
    if format not in MEDIA_TYPES:
        raise Refuse(404)
    _ = speaker(request)
    file = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - closed when it has been sent
    with house.database.read() as session:
        count = export_log(
            session, wanted.filter(house.zone), format, file, language=_.language, zone=ZoneInfo(house.zone)
        )
    with house.database.write() as session:
        audit.record(session, house.clock(), ("staff", signed.staff_id), "audit.export", ("page", None), rows=count)
    file.seek(0)
    name = f"registro.{format}"
    return StreamingResponse(
        _chunks(file),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _choices(_: Speaker, words: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(((key, _(word)) for key, word in words.items()), key=lambda one: one[1].casefold())


def _people(session: Session, _: Speaker) -> list[tuple[str, str]]:
    """Everybody of the office by name, then the rest by kind."""
    staff = [(f"staff-{one.id}", one.name) for one in accounts.list_staff(session)]
    return staff + [(kind, _(audit_words.ACTORS[kind])) for kind in ("referent", "system", "browser", "stranger")]
