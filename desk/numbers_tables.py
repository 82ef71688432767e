"""The tables of the numbers page, in words: what the page shows, and what its files hold. Decides nothing.

A table is the same on the page and in a file: `lines` are cells of `registry.files`. Hours are working hours.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from answering.speed import OfCategory, Speed, answer_speed
from desk.labels import LABELS
from desk.numbers_period import Period
from facts.languages import N_, Language, Speaker
from registry.cells import Cell
from registry.files import Line
from storage import numbers
from storage.tables import Channel, QuestionState

UNITS = {"week": N_("Week from"), "month": N_("Month"), "year": N_("Year")}


@dataclass(frozen=True, slots=True)
class NumbersTable:
    """`key` names it in the address of its files."""

    key: str
    headers: Sequence[str]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a table is made of, and for whom."""

    session: Session
    period: Period
    now: datetime
    zone: str
    say: Speaker

    @property
    def edges(self) -> Sequence[datetime]:
        return self.period.edges(self.zone)

    @property
    def stretches(self) -> Sequence[str]:
        return self.period.names(self.say.language)


def questions_over_time(asked: Asked) -> NumbersTable:
    _ = asked.say
    counts = numbers.questions_by_channel(asked.session, asked.edges)
    by_channel = _heaps((one.at, one.what, one.number) for one in counts if not one.to_circular)
    circulars = _heaps((one.at, None, one.number) for one in counts if one.to_circular)
    lines: list[Line] = []
    for at, name in enumerate(asked.stretches):
        found = [*(by_channel[at, channel] for channel in Channel), circulars[at, None]]
        lines.append([name, *found, sum(found)])
    headers = [_(UNITS[asked.period.unit]), *_channels(_), _("Replies to circulars"), _("In all")]
    return NumbersTable("questions", headers, lines)


def updates_over_time(asked: Asked) -> NumbersTable:
    _ = asked.say
    found = _heaps((one.at, one.what, one.number) for one in numbers.updates_by_channel(asked.session, asked.edges))
    lines: list[Line] = []
    for at, name in enumerate(asked.stretches):
        each = [found[at, channel] for channel in Channel]
        lines.append([name, *each, sum(each)])
    return NumbersTable("updates", [_(UNITS[asked.period.unit]), *_channels(_), _("In all")], lines)


def by_body(asked: Asked) -> NumbersTable:
    """The one with the most questions first."""
    _ = asked.say
    whole = asked.edges[0], asked.edges[-1]
    questions = numbers.questions_by_body(asked.session, whole)
    own = _heaps((0, one.what, one.number) for one in questions if not one.to_circular)
    replies = _heaps((0, one.what, one.number) for one in questions if one.to_circular)
    updates = _heaps((0, one.what, one.number) for one in numbers.updates_by_body(asked.session, whole))
    names = {name for heap in (own, replies, updates) for _at, name in heap}
    lines: list[Line] = [
        [name or _("Without a body"), own[0, name], replies[0, name], updates[0, name]] for name in names
    ]
    lines.sort(key=lambda line: (-int(str(line[1])), -int(str(line[3])), str(line[0]).casefold()))
    headers = [_("Municipality or body"), _("Questions"), _("Replies to circulars"), _("Updates")]
    return NumbersTable("bodies", headers, lines)


def bodies_over_time(asked: Asked) -> NumbersTable:
    """Questions, replies to circulars aside; a column for each stretch."""
    _ = asked.say
    found: dict[str | None, list[int]] = defaultdict(lambda: [0] * len(asked.stretches))
    for one in numbers.questions_by_body(asked.session, asked.edges):
        if not one.to_circular:
            found[one.what][one.at] += one.number
    lines: list[Line] = [[name or _("Without a body"), *counts, sum(counts)] for name, counts in found.items()]
    lines.sort(key=lambda line: (-int(str(line[-1])), str(line[0]).casefold()))
    return NumbersTable("bodies-over-time", [_("Municipality or body"), *asked.stretches, _("In all")], lines)


def first_answers(asked: Asked) -> NumbersTable:
    _ = asked.say
    whole, each = answer_speed(asked.session, asked.edges[0], asked.edges[-1], now=asked.now, zone=asked.zone)
    headers = [
        _("Category"),
        _("To be answered within (hours)"),
        _("Questions"),
        _("Answered"),
        _("Half of them within (hours)"),
        _("Nine in ten within (hours)"),
        _("In time (%)"),
    ]
    lines = [_speed_line(_category(one, _), one.hours, one.speed) for one in each]
    return NumbersTable("first-answers", headers, [_speed_line(_("All questions"), None, whole), *lines])


def waiting_now(asked: Asked) -> NumbersTable:
    """Now, whatever the period."""
    _ = asked.say
    states = LABELS[QuestionState]
    zone = ZoneInfo(asked.zone)
    lines: list[Line] = [
        [_(states[one.state]), one.number, one.oldest.astimezone(zone).date(), one.late]
        for one in numbers.waiting_now(asked.session, asked.now)
    ]
    lines.append([_("Waiting for the referent"), numbers.awaiting_referents(asked.session), None, None])
    return NumbersTable(
        "waiting", [_("State"), _("Questions"), _("The oldest was asked on"), _("Past their time")], lines
    )


def reminders_sent(asked: Asked) -> NumbersTable:
    _ = asked.say
    found = numbers.reminded(asked.session, asked.edges[0], asked.edges[-1])
    lines: list[Line] = [
        [_("Reminders that left"), found.messages],
        [_("Updates they asked for"), found.obligations],
        [_("Of these, received since"), found.received],
    ]
    return NumbersTable("reminders", [_("Reminders"), _("How many")], lines)


Maker = Callable[[Asked], NumbersTable]
MAKERS: dict[str, Maker] = {
    "questions": questions_over_time,
    "bodies": by_body,
    "bodies-over-time": bodies_over_time,
    "first-answers": first_answers,
    "waiting": waiting_now,
    "updates": updates_over_time,
    "reminders": reminders_sent,
}


def hours(took: timedelta | None) -> Decimal | None:
    """With one decimal."""
    return None if took is None else round(Decimal(took.total_seconds()) / 3600, 1)


def _heaps(counted: Iterable[tuple[int, str | None, int]]) -> dict[tuple[int, str | None], int]:
    found: dict[tuple[int, str | None], int] = defaultdict(int)
    for at, what, number in counted:
        found[at, what] += number
    return found


def _channels(_: Speaker) -> list[str]:
    return [_(LABELS[Channel][channel]) for channel in Channel]


def _category(one: OfCategory, _: Speaker) -> str:
    if one.id is None:
        return _("Without a category")
    return (one.name_en or one.name) if _.language is Language.EN else one.name


def _speed_line(name: str, promised: int | None, speed: Speed) -> Line:
    cells: list[Cell] = [speed.asked, speed.answered, hours(speed.median), hours(speed.ninth), speed.percent_in_time]
    return [name, promised, *cells]
