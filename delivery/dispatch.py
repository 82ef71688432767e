"""Sends what is in the outbox: one dispatcher at a time, by lease. Refuses to decide what is said or whether it is due.

One pass is one transaction: results of what was sent meanwhile, then the next claims. The sending itself happens
between passes, many at once, one per address. What is on its way when the process dies may arrive twice, marked.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlmodel import Session

from delivery import results
from delivery.claims import Claim, Desk, Wording, claim_due
from delivery.duty import Duty
from delivery.errors import DeliveryError, Uncertain
from delivery.lanes import Lanes
from delivery.limits import Limits
from delivery.links import Links
from delivery.parcel import Ids, Outcome, Parcel, Sender
from delivery.stamp import Stamp
from storage import dispatching
from storage.crash import crashpoint
from storage.database import Database, Ride
from storage.tables import Channel, OutboxKind

IN_FLIGHT: Mapping[Channel, int] = {Channel.TELEGRAM: 30, Channel.EMAIL: 4, Channel.PEC: 2}
LOOK_EVERY = 0.5  # seconds, when nobody wakes us
SHORTEST_REST = 0.005
# Seconds that a result waits for company while nothing else waits for it: the answer to what was just sent often
# comes first, and then one commit serves both.
GATHER = 0.02
LONGEST_REST = 10.0  # seconds, while the database refuses
LAST_WORDS = 10.0  # seconds that messages on their way have when the process stops

log = structlog.get_logger()


@dataclass
class Dispatcher:
    """`run()` until told to stop. `in_flight` bounds what a kill can repeat; `last_pass` is for /readyz.

    `owner` names this process. Where only one process can exist (SQLite) give it the same name at every start: it
    then has its duty back at once instead of waiting for the lease of the one that died.
    """

    database: Database
    senders: Mapping[Channel, Sender]
    still_due: Mapping[OutboxKind, Wording]
    clock: Callable[[], datetime]
    owner: str
    links: Links
    limits: Limits = field(default_factory=Limits)
    reply_key: bytes = field(default=b"", repr=False)
    in_flight: Mapping[Channel, int] = field(default_factory=lambda: dict(IN_FLIGHT))
    lease_seconds: float = 10.0
    last_pass: datetime | None = field(default=None, init=False)
    lanes: Lanes = field(default_factory=Lanes, init=False)
    _flying: dict[int, Parcel] = field(default_factory=dict, init=False)
    _done: list[Outcome] = field(default_factory=list, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _bell: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _passing: int | None = field(default=None, init=False)
    # Whoever chooses what goes next: our own pass, or a ride in somebody's transaction. Never waited for.
    _noted: tuple[int, list[Outcome]] | None = field(default=None, init=False)
    _refused: bool = field(default=False, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _crowded: bool = field(default=False, init=False)
    _gathering: asyncio.TimerHandle | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._desk = Desk(self.lanes, self.limits, self.still_due, Stamp(self.links, reply_key=self.reply_key))
        self._duty = Duty(self.owner, self.lanes, self.lease_seconds)

    def wake(self) -> None:
        """There may be something to send. From any thread; our own commits do not wake us."""
        if self._passing is not None and self._passing == threading.get_ident():
            self._passing = None
            return
        loop = self._loop
        if loop is not None and not self._bell.is_set():
            with suppress(RuntimeError):  # the loop was closed a moment before
                loop.call_soon_threadsafe(self._bell.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop`; then waits a little for what is on its way and gives the duty back."""
        self._loop = asyncio.get_running_loop()
        stopper = asyncio.create_task(stop.wait())
        stopper.add_done_callback(lambda _: self._bell.set())
        try:
            await self._until(stop)
            await self._finish()
        finally:
            stopper.cancel()
            self._loop = None

    async def _until(self, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            self._refused = not self._turn.acquire(blocking=False)
            if self._refused:
                await self._rest(LOOK_EVERY)  # the ride rings when it is over
                continue
            try:
                claim = await self.one_pass()
                self._send_all(claim)
            except Exception as error:  # a locked database must not end the sending for good
                log.exception("dispatch.pass_failed", error=type(error).__name__)
                failures += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(LONGEST_REST, 0.1 * 2**failures))
                continue
            finally:
                self._turn.release()
            failures = 0
            await self._rest(claim.again_in)

    async def one_pass(self) -> Claim:
        """Writes down what is done and claims what is next, in one transaction; none when there is nothing to do."""
        outcomes, now = list(self._done), self.clock()
        if not outcomes and self._duty.settled(now) and not await self._something_due(now):
            self.last_pass = now
            return Claim([])
        recovered = results.note(self.lanes, outcomes)
        try:
            claim = await self.database.run(lambda session: self._work(session, outcomes, recovered, now))
        finally:
            self._passing = None
        self._forget(outcomes)
        self.last_pass = now
        if claim.parcels:
            crashpoint("after-claim-commit")
        return claim

    def note(self, session: Session) -> Ride | None:
        """First half of our pass as part of somebody's transaction: writes down what was sent meanwhile.

        Before the messages of the same transaction are read: one of them may answer what has just arrived.
        """
        now = self.clock()
        if self._loop is None or not self._duty.ours or not self._duty.settled(now):
            return None
        if not self._turn.acquire(blocking=False):
            return None
        self._noted = (threading.get_ident(), list(self._done))
        try:
            self._write(session, self._noted[1], results.note(self.lanes, self._noted[1]), now)
        except BaseException:
            self._lost()
            raise
        return Ride(landed=self._noted_alone, lost=self._lost)

    def ride(self, session: Session) -> Ride | None:
        """The second half, after `note`: what the transaction has just queued is claimed with the same commit."""
        loop, now = self._loop, self.clock()
        if loop is None or self._noted is None or self._noted[0] != threading.get_ident():
            return None
        outcomes, self._noted = self._noted[1], None
        claim = self._claim(session, outcomes, now)

        def landed() -> None:
            self._passing = None
            with suppress(RuntimeError):  # the loop was closed a moment before
                loop.call_soon_threadsafe(self._landed, outcomes, claim, now)

        return Ride(landed, lost=lambda: None)

    def _noted_alone(self) -> None:
        if self._noted is not None:  # `ride` did not come
            self._lost()

    def _lost(self) -> None:
        self._passing, self._noted = None, None
        self._turn.release()

    def _landed(self, outcomes: list[Outcome], claim: Claim, now: datetime) -> None:
        self._forget(outcomes)
        self.last_pass = now
        if claim.parcels:
            crashpoint("after-claim-commit")
        self._send_all(claim)
        self._turn.release()
        if self._refused:
            self._bell.set()
        elif claim.again_in is not None and self._loop is not None:
            self._loop.call_later(max(SHORTEST_REST, claim.again_in), self._bell.set)

    async def _something_due(self, now: datetime) -> bool:
        """A look that writes nothing: every commit of the house wakes us, and most concern others."""
        if not self._duty.ours or self._duty.stopped:
            return False
        return await self.database.look(lambda session: dispatching.anything_due(session, now))

    def _forget(self, outcomes: list[Outcome]) -> None:
        """They are written down."""
        del self._done[: len(outcomes)]
        for outcome in outcomes:
            parcel = outcome.parcel
            if self._flying.pop(parcel.id, None) is not None and parcel.channel is Channel.TELEGRAM:
                self.limits.arrived(parcel.address, outcome.at.timestamp(), parcel.messages)

    def _work(self, session: Session, outcomes: list[Outcome], recovered: set[Channel], now: datetime) -> Claim:
        self._write(session, outcomes, recovered, now)
        return self._claim(session, outcomes, now)

    def _write(self, session: Session, outcomes: list[Outcome], recovered: set[Channel], now: datetime) -> None:
        self._passing = threading.get_ident()
        if outcomes:
            results.write(session, outcomes, recovered, now)

    def _claim(self, session: Session, outcomes: list[Outcome], now: datetime) -> Claim:
        if not self._duty.take(session, now, set(self._flying)):
            return Claim([])
        self._desk.stamp.office = self._duty.office
        done = {outcome.parcel.id for outcome in outcomes}
        flying = [parcel for parcel in self._flying.values() if parcel.id not in done]
        busy = {(parcel.channel, parcel.address) for parcel in flying}
        # All of them, also those of `outcomes`: they count as arrived only when this transaction is kept.
        telegrams = [parcel for parcel in self._flying.values() if parcel.channel is Channel.TELEGRAM]
        self.limits.on_their_way((parcel.address, parcel.messages) for parcel in telegrams)
        claim = claim_due(session, self._desk, self._room(flying, now), busy, now)
        self._crowded = claim.crowded
        return claim

    def _room(self, flying: list[Parcel], now: datetime) -> dict[Channel, int]:
        at = now.timestamp()
        room = {channel: self.lanes.of(channel).width(at, self.in_flight.get(channel, 1)) for channel in self.senders}
        for parcel in flying:
            room[parcel.channel] -= 1
        return room

    def _send_all(self, claim: Claim) -> None:
        for parcel in claim.parcels:
            self._flying[parcel.id] = parcel
            task = asyncio.create_task(self._send(parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, parcel: Parcel) -> None:
        error: DeliveryError | None = None
        ids: Ids = None
        try:
            ids = await self.senders[parcel.channel].send(parcel)
        except DeliveryError as refused:
            error = refused
        except Exception as bug:
            log.exception("outbox.sender_broke", outbox=parcel.id, error=type(bug).__name__)
            error = Uncertain(type(bug).__name__)
        crashpoint("after-send")
        self._done.append(Outcome(parcel, self.clock(), ids, error))
        if self._crowded or error is not None:
            self._bell.set()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER, self._bell.set)

    async def _rest(self, seconds: float | None) -> None:
        """Until somebody wakes us, a message is done, or the time has come."""
        longest = LOOK_EVERY if seconds is None else max(SHORTEST_REST, min(seconds, LOOK_EVERY))
        timer = asyncio.get_running_loop().call_later(longest, self._bell.set)
        await self._bell.wait()
        timer.cancel()
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self._bell.clear()

    async def _finish(self) -> None:
        while not self._turn.acquire(blocking=False):  # noqa: ASYNC110 - a thread holds it, for milliseconds
            await asyncio.sleep(SHORTEST_REST)  # and never given back: nobody rides any more
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_WORDS)
        outcomes = list(self._done)
        await self.database.run(lambda session: self._last_words(session, outcomes))
        self._forget(outcomes)

    def _last_words(self, session: Session, outcomes: list[Outcome]) -> None:
        now = self.clock()
        results.write(session, outcomes, set(), now)
        self._duty.give_back(session, now)
