"""Works through the inbox: one lane's rows in order, each in its own savepoint. Never loses one, never holds up others.

A row whose handler raises is tried again after 1, 2, 4 and 8 seconds, then it is a dead letter and its sender is
told once. What a handler does belongs to other rooms: `handlers[row.kind]`, put together by `app`.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlmodel import Session

from storage import audit
from storage import inbox as rows
from storage.crash import crashpoint
from storage.database import Database, Ride
from storage.tables import Inbox

Handler = Callable[[Session, Inbox, datetime], None]

BACK_OFF = (1, 2, 4, 8)  # seconds before the 2nd, 3rd, 4th and 5th try
LIMIT = 40
POLL = 0.5  # seconds; who knows that something arrived calls `wake`
LONGEST_REST = 4.0  # seconds between passes while the database fails
ERROR_LENGTH = 200
HERE = Path(__file__).parent.parent

log = structlog.get_logger()


class HandlerRaised(Exception):
    """A handler raised in a pass without savepoints: nothing of the pass may be kept."""


class PassBroken(Exception):
    """A row broke the whole transaction and not only its own savepoint."""

    def __init__(self, row: Inbox, error: Exception) -> None:
        super().__init__(f"inbox row {row.id} broke the transaction: {short(error)}")
        self.row, self.error = row, error


@dataclass(slots=True)
class Round:
    """What a pass works with. `after`: the lane handled last, so that the next pass begins with another one.

    `bold`: without a savepoint per row, which is a sixth of a dialogue step. The first handler that raises ends
    such a pass by HandlerRaised, and the caller makes it again, not bold.
    """

    handlers: Mapping[str, Handler]
    apologies: Mapping[str, Handler]
    limit: int = LIMIT
    after: str = ""
    bold: bool = False


def work(
    session: Session,
    handlers: Mapping[str, Handler],
    apologies: Mapping[str, Handler],
    now: datetime,
    *,
    limit: int = LIMIT,
) -> int:
    """Handles up to `limit` rows, each lane's in order, and says how many it tried."""
    return work_round(session, Round(handlers, apologies, limit), now)


def work_round(session: Session, round_: Round, now: datetime) -> int:
    """As `work`, beginning after the lane where the last round ended. Raises PassBroken."""
    tried = 0
    while tried < round_.limit:
        start, most = round_.after, round_.limit - tried
        found = rows.oldest_of_each_lane(session, now, after=start, most=most)
        _handle_all(session, found, round_, now)
        tried += len(found)
        round_.after = found[-1].lane if len(found) == most else ""
        if not found and not start:
            break
    return tried


def _handle_all(session: Session, found: Sequence[Inbox], round_: Round, now: datetime) -> None:
    done = [row.id for row in found if _handled(session, row, round_, now)]
    if done:
        rows.mark_done(session, done, now)


def _handled(session: Session, row: Inbox, round_: Round, now: datetime) -> bool:
    handler = round_.handlers.get(row.kind, _unknown_kind)
    if round_.bold:
        try:
            handler(session, row, now)
        except Exception as raised:
            raise HandlerRaised from raised
        return True
    error = attempt(session, handler, row, now)
    if error is None:
        return True
    if fail(session, row, error, now) and row.kind in round_.apologies:
        sorry = attempt(session, round_.apologies[row.kind], row, now)
        if sorry is not None:
            log.warning("inbox.apology-failed", inbox_id=row.id, error=type(sorry).__name__)
    return False


def attempt(session: Session, handler: Handler, row: Inbox, now: datetime) -> Exception | None:
    """Runs a handler in its own savepoint; what it raised, when it did."""
    savepoint = session.begin_nested()
    try:
        handler(session, row, now)
        savepoint.commit()
    except Exception as error:  # whatever a handler raises, the others go on
        try:
            savepoint.rollback()
        except Exception as broken:
            raise PassBroken(row, error) from broken
        return error
    return None


def fail(session: Session, row: Inbox, error: Exception, now: datetime) -> bool:
    """Counts a failed try, and says whether it was the last."""
    dead = row.attempts >= len(BACK_OFF)
    next_at = None if dead else now + timedelta(seconds=BACK_OFF[row.attempts])
    rows.mark_failed(session, row, short(error), next_at)
    event, level = ("inbox.dead-letter", logging.ERROR) if dead else ("inbox.retry", logging.WARNING)
    log.log(level, event, inbox_id=row.id, attempt=row.attempts + 1, error=type(error).__name__)
    return dead


def short(error: Exception) -> str:
    """What went wrong and where, in one line. Only the first: a database's further lines show people's data."""
    where = next((f for f in reversed(traceback.extract_tb(error.__traceback__)) if _is_ours(f.filename)), None)
    place = f" ({Path(where.filename).relative_to(HERE)}:{where.lineno})" if where else ""
    message = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {message}"[: ERROR_LENGTH - len(place)].rstrip(": ") + place


def _is_ours(filename: str) -> bool:
    return filename.startswith(f"{HERE}/") and "/.venv/" not in filename and filename != __file__


def _unknown_kind(_session: Session, row: Inbox, _now: datetime) -> None:
    raise LookupError(f"nobody handles {row.kind!r}")


def retry_dead(session: Session, inbox_id: int, now: datetime, *, by: int | None = None) -> bool:
    """A dead letter goes back to the worker; False when it was not one. `by`: the staff member."""
    return _leave_dead(session, inbox_id, now, by, "retry", rows.revive(session, inbox_id))


def drop_dead(session: Session, inbox_id: int, now: datetime, *, by: int | None = None) -> bool:
    """A dead letter is put aside for good, kept as it came; False when it was not one."""
    return _leave_dead(session, inbox_id, now, by, "drop", rows.drop(session, inbox_id, now))


def _leave_dead(session: Session, inbox_id: int, now: datetime, by: int | None, verb: str, changed: bool) -> bool:
    if changed:
        actor = ("system", None) if by is None else ("staff", by)
        audit.record(session, now, actor, f"dead-letter.{verb}", ("inbox", inbox_id))
    return changed


class Worker:
    """Passes over the inbox until told to stop, whatever goes wrong in one of them."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        apologies: Mapping[str, Handler],
        clock: Callable[[], datetime],
        limit: int = LIMIT,
    ) -> None:
        self.last_pass: datetime | None = None
        self._database, self._clock = database, clock
        self._round = Round(handlers, apologies, limit)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._suspect: int | None = None

    def wake(self) -> None:
        """Something arrived. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def ride(self, session: Session) -> Ride | None:
        """Handles what somebody's transaction has just brought in, as part of it. Raises what a handler raises."""
        bold = Round(self._round.handlers, self._round.apologies, self._round.limit, bold=True)
        tried = work_round(session, bold, self._clock())
        crashpoint("before-worker-commit")

        def landed() -> None:
            crashpoint("after-worker-commit")
            if tried >= bold.limit:
                self.wake()  # there may be more

        return Ride(landed, lost=lambda: None)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A pass that fails is made again after a rest, and has lost nothing."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        while not stop.is_set():
            self._woken.clear()
            try:
                busy = await self.make_pass()
            except Exception as error:
                log.error("inbox.pass-failed", error=type(error).__name__)
                await self._blame(error)
                await _rest(stop, min(0.25 * 2**failures, LONGEST_REST))
                failures = min(failures + 1, 10)
                continue
            failures = 0
            if not busy:
                await _either(stop, self._woken, POLL)

    async def make_pass(self) -> bool:
        """One transaction over what is due; True when there may be more."""
        # A look first: an empty pass would end in a commit, and whoever wakes us after commits would wake us for ever.
        tried = 0
        if await self._database.look(lambda session: rows.any_due(session, self._clock())):
            tried = await self._work()
            crashpoint("after-worker-commit")
        self.last_pass = self._clock()
        return tried > 0

    async def _work(self) -> int:
        """Boldly first. When that fails, whatever the reason, nothing of it was kept: again, row by row."""
        after = self._round.after
        try:
            return await self._database.run(lambda session: self._pass(session, bold=True))
        except Exception:
            self._round.after = after
            return await self._database.run(lambda session: self._pass(session, bold=False))

    def _pass(self, session: Session, *, bold: bool) -> int:
        self._round.bold = bold
        tried = work_round(session, self._round, self._clock())
        crashpoint("before-worker-commit")
        return tried

    async def _blame(self, error: Exception) -> None:
        """A row that broke two passes running is counted as failed by itself, or it would hold up everybody."""
        if not isinstance(error, PassBroken):
            return
        if self._suspect != error.row.id:
            self._suspect = error.row.id
            return
        try:
            await self._database.run(lambda session: fail(session, error.row, error.error, self._clock()))
        except Exception as again:  # the database is down, not the row
            log.error("inbox.pass-failed", error=type(again).__name__)
        self._suspect = None


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    await _either(stop, stop, seconds)


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of two events is set, `seconds` at most."""
    waits = [asyncio.ensure_future(event.wait()) for event in {one, other}]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
