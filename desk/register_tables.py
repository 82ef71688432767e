"""The register as tables: what its pages show below each other, and what their files hold. Decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from sqlmodel import Session

from facts.languages import N_, Speaker
from registry.files import Line
from storage.register_view import BodyLine, Figures, Heap, Month, Narrowed, bodies, coming, totals

HEAPS: Mapping[Heap, str] = {
    Heap.LATE: N_("Late"),
    Heap.AWAITED: N_("Awaited"),
    Heap.SENT: N_("To be accepted"),
    Heap.DONE: N_("Received"),
    Heap.WAIVED: N_("Not needed"),
}
DAYS_TO_COME = 30
MOST_IN_FILE = 50_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a table is made of, and for whom."""

    session: Session
    narrowed: Narrowed
    say: Speaker


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


def _left(figures: Figures) -> list[int]:
    awaited = figures[Heap.LATE] + figures[Heap.AWAITED]
    return [awaited, figures[Heap.SENT] + figures[Heap.DONE], figures[Heap.WAIVED]]


def _month_lines(name: str, months: Mapping[Month, Figures], _: Speaker) -> list[Line]:
    return [[name, month_name(month, _), *figures.values()] for month, figures in sorted(months.items())]


Maker = Callable[[Asked], RegisterTable]
MAKERS: dict[str, Maker] = {"map": by_body, "coming": coming_days}
