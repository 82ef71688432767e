"""One pass over everything that is due: reminders, drafts left half-way, silence, circulars, notices to staff.

Makes obligations ahead, takes away what staff left behind, and seals the log of who did what, too.

Does one thing per transaction until nothing is left, so that a kill in between loses nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from sqlmodel import Session

from answering.circular_sending import queue_some
from answering.notices import notify_one
from app.log_sealing import LogSealer, seal_all
from delivery.links import Links
from delivery.silence import note_silence
from facts.calendar import OFFICE_ZONE, local_date
from intake.absence import begin_one
from intake.delegation import end_one
from intake.leftovers import take_away
from reminders.deadlines import keep_obligations
from reminders.drafts import recall_one
from reminders.rounds import Round
from reminders.sweep import remind_some
from storage.database import Database
from storage.files import Files
from storage.waiting import newest_rows

log = structlog.get_logger()

TIDY_EVERY = timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=1)  # time alone brings news, too: what runs out, a quarter of an hour that is over


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """Up to which rows, and when, it was last asked what is new to the staff."""

    newest: Sequence[int | None]
    at: datetime


@dataclass
class Sweeper:
    """Holds the day on which obligations were last made ahead: once a day is enough.

    And how things stood when it was last asked what is new to the staff: that costs some queries for each of them.
    """

    database: Database
    clock: _Clock
    links: Links
    zone: str
    files: Files | None = None
    kept_on: date | None = None
    tidied_at: datetime | None = None
    sealer: LogSealer = field(init=False)
    told: Looked | None = None

    def __post_init__(self) -> None:
        self.sealer = LogSealer(self.database)

    async def __call__(self) -> None:
        today = local_date(self.clock(), self.zone)
        if self.kept_on != today:
            await self.database.run(lambda session: keep_obligations(session, self.clock()))
            self.kept_on = today
        # Before reminding: whoever is back today is reminded themselves, and who is away from today is not.
        await self._until_none_left(lambda session: end_one(session, today, self.clock()))
        await self._until_none_left(lambda session: begin_one(session, today, self.clock()))
        await self.remind()
        await self._until_none_left(lambda session: recall_one(session, self.clock()))
        await self.database.run(lambda session: note_silence(session, self.clock()))
        await self._until_none_left(lambda session: queue_some(session, self.clock()))
        await self._notify()
        await self._tidy()
        await self.sealer(self.clock())

    async def _tidy(self) -> None:
        """Once an hour, in a thread of its own: it waits for the disk."""
        now = self.clock()
        if self.files is None or (self.tidied_at is not None and self.tidied_at <= now < self.tidied_at + TIDY_EVERY):
            return
        await asyncio.to_thread(take_away, self.database, self.files, now)
        self.tidied_at = now

    async def _notify(self) -> None:
        """Asks for each of the staff what is new to them: when a row came anywhere, else once a minute."""
        now = self.clock()
        newest = await self.database.run(newest_rows)
        if self.told is not None and self.told.newest == newest and self.told.at <= now < self.told.at + LOOK_EVERY:
            return
        await self._until_none_left(lambda session: notify_one(session, self.clock(), self.links))
        self.told = Looked(newest, now)

    async def remind(self) -> None:
        """Many people in one transaction; when that fails, one by one, so that whoever fails takes nobody along."""
        people = Round(mixed=not self.database.is_sqlite)
        while True:
            try:
                if not await self.database.run(lambda session: remind_some(session, self.clock(), people)):
                    return
            except Exception as error:
                if not people.goes_on():
                    raise
                log.exception("reminder.failed", alone=people.alone, error=type(error).__name__)

    async def _until_none_left(self, do_one: Callable[[Session], bool]) -> None:
        while await self.database.run(do_one):
            pass


def sweep_once(database: Database, now: datetime, links: Links, files: Files | None = None) -> dict[str, int]:
    """The same pass for the command line. How many obligations and notices were made, people reminded, drafts seen."""
    with database.write() as session:
        made = keep_obligations(session, now)
    _count(database, partial(end_one, today=local_date(now, OFFICE_ZONE), now=now))
    _count(database, partial(begin_one, today=local_date(now, OFFICE_ZONE), now=now))
    reminded = remind_all(database, now)
    recalled = _count(database, partial(recall_one, now=now))
    with database.write() as session:
        note_silence(session, now)
    _count(database, partial(queue_some, now=now))
    noticed = _count(database, partial(notify_one, now=now, links=links))
    if files is not None:
        take_away(database, files, now)
    seal_all(database, now)
    return {"obligations": made, "reminders": reminded, "drafts": recalled, "notices": noticed}


def remind_all(database: Database, now: datetime) -> int:
    """One round, in this thread; how many people."""
    return _count(database, partial(remind_some, now=now, people=Round()))


def _count(database: Database, do_some: Callable[[Session], int]) -> int:
    done = 0
    while True:
        with database.write() as session:
            now_done = int(do_some(session))
        if not now_done:
            return done
        done += now_done
