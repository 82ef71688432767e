"""Who was told what about a project, on what day: looked for, read, taken along as a file. For staff alone.

Words are shown one message at a time, for whoever asks. Whoever takes the rows along, words and all, stands in the log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import Response

from delivery.words import plain_text
from desk.house import DeskHouse
from desk.pages import House, Id, Page, Reader, Refuse, render, speaker
from facts.languages import N_, Speaker
from registry.cells import Cell
from registry.files import FILE_WRITERS, MEDIA_TYPES
from reminders.timeline import Line, Rows, standing, timeline, told_words
from storage import audit
from storage.desk_people import referents_page
from storage.obligations import Owed, deadline_titles
from storage.projects import find_organization, search_projects
from storage.sendings import messages
from storage.tables import Outbox
from storage.told_search import MOST_TOLD, Telling, TellingFilter, bodies_of, reminder_message, tellings_page

router = APIRouter()

MOST_MATCHES = 200  # projects or people that a text may mean
COLUMNS = (
    N_("When it was decided"),
    N_("Who"),
    N_("About"),
    N_("CUP"),
    N_("Deadline"),
    N_("Period"),
    N_("What was decided, and why"),
    N_("Message"),
    N_("Channel"),
    N_("Address"),
    N_("When it left"),
    N_("What became of it"),
    N_("Words"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, as the address says it."""

    project: str = ""
    organization: str = ""
    person: str = ""
    deadline: str = ""
    since: str = ""
    until: str = ""

    def given(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `chat`: its address is a chat, which is nobody's business."""

    telling: Telling
    said: str
    became: str
    about: str


def wanted(request: Request) -> Wanted:
    return Wanted(
        **{name: request.query_params.get(name, "").replace("\0", "").strip()[:200] for name in Wanted.__slots__}
    )


Asked = Annotated[Wanted, Depends(wanted)]


@router.get("/desk/told")
def told(request: Request, house: House, signed: Reader, asked: Asked, pages: Page) -> Response:
    _ = speaker(request)
    with house.database.read() as session:
        looked_for = _filter(session, asked, house)
        found: tuple[list[Telling], int] = ([], 0)
        if looked_for.narrows:
            found = tellings_page(session, looked_for, limit=pages.size, offset=min(pages.offset, MOST_TOLD))
        return render(
            request,
            "told.html",
            asked=asked,
            query=urlencode(asked.given()),
            narrows=looked_for.narrows,
            deadlines=deadline_titles(session),
            rows=_rows(found[0], _, house),
            most=MOST_TOLD,
            pages=pages.counted(found[1]),
        )


@router.get("/desk/told/export.{format}")
def export(request: Request, house: House, signed: Reader, asked: Asked, format: str) -> Response:
    """What the search finds, with the words of each message. Written down before a byte leaves."""
    if format not in MEDIA_TYPES:
        raise Refuse(404)
    _ = speaker(request)
    with house.database.read() as session:
        looked_for = _filter(session, asked, house)
        if not looked_for.narrows:
            raise Refuse(422, N_("Say a project, an organisation, a person or a deadline first."))
        found, _total = tellings_page(session, looked_for, limit=MOST_TOLD, offset=0)
        file = BytesIO()
        FILE_WRITERS[format](file, map(_, COLUMNS), _lines(session, _rows(found, _, house), house))
    with house.database.write() as session:
        audit.record(session, house.clock(), ("staff", signed.staff_id), "told.export", ("page", None), rows=len(found))
    headers = {"Content-Disposition": f'attachment; filename="promemoria.{format}"'}
    return Response(file.getvalue(), media_type=MEDIA_TYPES[format], headers=headers)


@router.get("/desk/told/{outbox_id}")
def message(request: Request, house: House, signed: Reader, outbox_id: Id) -> Response:
    """The words of one reminder, as they left, and what became of it."""
    _ = speaker(request)
    with house.database.read() as session:
        row = reminder_message(session, outbox_id)
        if row is None:
            raise Refuse(404)
        return render(
            request,
            "told_message.html",
            row=row,
            text=words_of(row),
            lines=lines_of_message(session, outbox_id, _, house),
        )


def words_of(row: Outbox) -> str:
    """What it says; "" while it has not been worded, which is when it leaves."""
    return _plain(row.body)


def lines_of_message(session: Session, outbox_id: int, _: Speaker, house: DeskHouse) -> Sequence[Line]:
    return timeline(Rows(messages=messages(session, [outbox_id])), _, house.clock(), house.zone)


def name_of(about: Owed) -> str:
    if about.project is not None:
        return about.project.title
    assert about.organization is not None
    return about.organization.name


def _plain(body: dict[str, object]) -> str:
    html = body.get("html")
    return plain_text(html) if isinstance(html, str) else ""


def _filter(session: Session, asked: Wanted, house: DeskHouse) -> TellingFilter:
    """What cannot be read as a day or a number is left out; what names nothing of ours finds nothing."""
    since, until = _day(asked.since), _day(asked.until)
    body = find_organization(session, asked.organization) if asked.organization else None
    return TellingFilter(
        projects=_projects(session, asked.project),
        people=_people(session, asked.person, house),
        organization_id=(0 if body is None else body.id) if asked.organization else None,
        deadline_id=_number(asked.deadline),
        since=None if since is None else _midnight(since, house.zone),
        until=None if until is None else _midnight(until + timedelta(days=1), house.zone),
    )


def _projects(session: Session, text: str) -> list[int] | None:
    return [one.id for one in search_projects(session, text, MOST_MATCHES)] if text else None


def _people(session: Session, text: str, house: DeskHouse) -> list[int] | None:
    if not text:
        return None
    return [one.id for one in referents_page(session, house.clock(), text, limit=MOST_MATCHES)[0]]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 9000 else None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _rows(found: Sequence[Telling], _: Speaker, house: DeskHouse) -> list[Row]:
    def became(one: Telling) -> str:
        return "" if one.message is None else standing(one.message, _, house.clock(), house.zone)

    return [Row(one, told_words(one.told, _), became(one), name_of(one.about)) for one in found]


def _lines(session: Session, rows: Sequence[Row], house: DeskHouse) -> Iterator[list[Cell]]:
    zone = ZoneInfo(house.zone)
    bodies = bodies_of(session, {row.telling.message.id for row in rows if row.telling.message is not None})
    for row in rows:
        one, sent = row.telling, row.telling.message
        line: list[Cell] = [
            _local(one.told.at, zone),
            one.told.who,
            row.about,
            "" if one.about.project is None else one.about.project.cup,
            one.about.deadline.title,
            one.about.obligation.period,
            row.said,
        ]
        if sent is None:
            yield [*line, None, "", "", None, "", ""]
        else:
            address = sent.address if sent.is_mail else ""
            words = _plain(bodies.get(sent.id, {}))
            yield [*line, sent.id, sent.channel.value, address, _local(sent.sent_at, zone), row.became, words]


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if at is None else at.astimezone(zone).replace(tzinfo=None, microsecond=0)
