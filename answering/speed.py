"""How soon questions are first answered, in working time, and how many in time. Changes nothing.

In time: within the working hours of its category as they are today; a question opened again later was answered all the
same. One that nobody has answered yet is late once these hours have passed, and says nothing before.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

from sqlmodel import Session

from facts.calendar import local_date
from facts.working_time import WorkingTime
from intake.questions import HOURS_TO_ANSWER
from storage.numbers import Answered, category_hours, first_answers


@dataclass(frozen=True, slots=True)
class Speed:
    """Of `asked` questions `answered` have an answer: half of them within `median`, nine in ten within `ninth`.

    `in_time` and `late` are those of which it is known.
    """

    asked: int = 0
    answered: int = 0
    median: timedelta | None = None
    ninth: timedelta | None = None
    in_time: int = 0
    late: int = 0

    @property
    def percent_in_time(self) -> Decimal | None:
        """With one decimal, of those of which it is known."""
        known = self.in_time + self.late
        return round(Decimal(100 * self.in_time) / known, 1) if known else None


@dataclass(frozen=True, slots=True)
class OfCategory:
    """The speed of one category; `id` None: of the questions without one. `hours`: in how many they are answered."""

    id: int | None
    name: str
    name_en: str
    hours: int
    speed: Speed


@dataclass(frozen=True, slots=True)
class _Timed:
    """How long the first answer took, None: there is none; and whether it came in time, None: not known yet."""

    took: timedelta | None
    in_time: bool | None


def answer_speed(
    session: Session, since: datetime, until: datetime, *, now: datetime, zone: str
) -> tuple[Speed, Sequence[OfCategory]]:
    """Of all questions asked between the two, and of each category that has some; those without one come first."""
    asked = first_answers(session, since, until)
    last = max((one.answered_at for one in asked if one.answered_at), default=now)
    time = WorkingTime(local_date(since, zone), local_date(max(now, last), zone), zone)
    categories = [(None, "", "", HOURS_TO_ANSWER), *category_hours(session)]
    promised = {id_: timedelta(hours=hours) for id_, _name, _name_en, hours in categories}
    heaps: dict[int | None, list[_Timed]] = defaultdict(list)
    for one in asked:
        heaps[one.category_id].append(_timed(one, time, promised[one.category_id], now))
    each = [OfCategory(*row, _speed(heaps[row[0]])) for row in categories if row[0] in heaps]
    return _speed(list(chain.from_iterable(heaps.values()))), each


def _timed(one: Answered, time: WorkingTime, promised: timedelta, now: datetime) -> _Timed:
    if one.answered_at is not None:
        took = time.between(one.asked_at, one.answered_at)
        return _Timed(took, took <= promised)
    late = one.waits and time.between(one.asked_at, now) > promised
    return _Timed(None, False if late else None)


def _speed(timed: Sequence[_Timed]) -> Speed:
    took = sorted(one.took for one in timed if one.took is not None)
    known = Counter(one.in_time for one in timed)
    return Speed(len(timed), len(took), _at(took, 50), _at(took, 90), known[True], known[False])


def _at(took: Sequence[timedelta], percent: int) -> timedelta | None:
    """The shortest time within which so many percent have their answer (nearest rank)."""
    return took[-(-len(took) * percent // 100) - 1] if took else None
