"""The register as tables: what its pages show below each other, and what their files hold. Decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlmodel import Session

from desk.labels import LABELS
from facts.languages import N_, Speaker
from registry.files import Line
from storage.desk import who_owes
from storage.obligations import Owed
from storage.register_lists import Way, late_ones, silent_ones, ways
from storage.register_view import BodyLine, Figures, Heap, Month, Narrowed, bodies, coming, names_of_bodies, totals
from storage.tables import Channel

HEAPS: Mapping[Heap, str] = {
    Heap.LATE: N_("Late"),
    Heap.AWAITED: N_("Awaited"),
    Heap.SENT: N_("To be accepted"),
    Heap.DONE: N_("Received"),
    Heap.WAIVED: N_("Not needed"),
}
DAYS_TO_COME = 30
A_YEAR, NINETY_DAYS = timedelta(days=365), timedelta(days=90)
MOST_IN_FILE = 50_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a table is made of, and for whom."""

    session: Session
    narrowed: Narrowed
    now: datetime
    zone: str
    say: Speaker
    most: int = MOST_IN_FILE


@dataclass(frozen=True, slots=True)
class RegisterTable:
    """`key` names it in the address of its files. `links`: where each line leads, from its cell `linked`."""

    key: str
    headers: Sequence[str]
    lines: Sequence[Line]
    links: Sequence[str] = ()
    linked: int = 0


def month_name(month: Month, _: Speaker) -> str:
    return format_date(date(*month, 1), "MMM yyyy", locale=_.language)


def heap_names(_: Speaker) -> list[str]:
    return [_(name) for name in HEAPS.values()]


def body_name(line: BodyLine, _: Speaker) -> str:
    return line.name or _("Without a body")


def by_body(asked: Asked) -> RegisterTable:
    """One line for each organisation and month that counts something; the months of all together at the end."""
    _ = asked.say
    lines: list[Line] = []
    for body in bodies(asked.session, asked.narrowed, limit=MOST_IN_FILE):
        lines += _month_lines(body_name(body, _), body.months, _)
    lines += _month_lines(_("All together"), totals(asked.session, asked.narrowed), _)
    return RegisterTable("map", [_("Municipality or body"), _("Month"), *heap_names(_)], lines)


def coming_days(asked: Asked) -> RegisterTable:
    _ = asked.say
    found = coming(asked.session, asked.narrowed, DAYS_TO_COME)
    lines: list[Line] = [[one.on, one.deadline.title, sum(one.figures.values()), *_left(one.figures)] for one in found]
    headers = [_("Due on"), _("Deadline"), _("In all"), _("Still awaited"), _("Received"), _("Not needed")]
    return RegisterTable("coming", headers, lines, [f"/desk/deadlines/{one.deadline.id}" for one in found], 1)


def late(asked: Asked) -> RegisterTable:
    _ = asked.say
    found = late_ones(asked.session, asked.narrowed, asked.now, limit=asked.most)
    names = names_of_bodies(asked.session, {one.obligation.body_id or 0 for one in found})
    people = who_owes(asked.session, found) if found else {}
    lines: list[Line] = [
        [
            _subject(one),
            names.get(one.obligation.body_id or 0, _("Without a body")),
            one.deadline.title,
            one.obligation.due_on,
            (asked.narrowed.today - one.obligation.due_on).days,
            ", ".join(name for _id, name in people[one.obligation.id]) or _("Nobody"),
        ]
        for one in found
    ]
    headers = [
        _("Project"),
        _("Municipality or body"),
        _("Deadline"),
        _("Was due"),
        _("Days late"),
        _("Who reports on it"),
    ]
    links = [f"/desk/deadlines/{one.deadline.id}/obligations/{one.obligation.id}" for one in found]
    return RegisterTable("late", headers, lines, links)


def silent(asked: Asked) -> RegisterTable:
    _ = asked.say
    found = silent_ones(asked.session, asked.narrowed, asked.now - A_YEAR, limit=asked.most)
    zone = ZoneInfo(asked.zone)
    lines: list[Line] = [[one.name, one.reminders, one.periods, one.last_at.astimezone(zone).date()] for one in found]
    headers = [_("Referent"), _("Reminders"), _("Periods"), _("Last reminder")]
    return RegisterTable("silent", headers, lines, [f"/desk/referents/{one.referent_id}" for one in found])


def channels(asked: Asked) -> RegisterTable:
    _ = asked.say
    lines: list[Line] = [
        [_(LABELS[Channel][way.channel]), way.reminders, way.delivered, way.asked, way.answered, _percent(way)]
        for way in ways(asked.session, asked.narrowed, asked.now - NINETY_DAYS)
    ]
    headers = [
        _("Channel"),
        _("Reminders"),
        _("Of these, left us"),
        _("Updates they asked for"),
        _("Received within 7 days"),
        _("Received within 7 days (%)"),
    ]
    return RegisterTable("channels", headers, lines)


def _percent(way: Way) -> Decimal | None:
    return round(Decimal(100 * way.answered) / way.asked, 1) if way.asked else None


def _subject(one: Owed) -> str:
    if one.project is not None:
        return one.project.title
    assert one.organization is not None
    return one.organization.name


def _left(figures: Figures) -> list[int]:
    awaited = figures[Heap.LATE] + figures[Heap.AWAITED]
    return [awaited, figures[Heap.SENT] + figures[Heap.DONE], figures[Heap.WAIVED]]


def _month_lines(name: str, months: Mapping[Month, Figures], _: Speaker) -> list[Line]:
    return [[name, month_name(month, _), *figures.values()] for month, figures in sorted(months.items())]


Maker = Callable[[Asked], RegisterTable]
MAKERS: dict[str, Maker] = {
    "map": by_body,
    "late": late,
    "silent": silent,
    "channels": channels,
    "coming": coming_days,
}
