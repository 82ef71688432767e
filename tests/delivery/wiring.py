"""Fake senders and a clock for the tests of sending. Imports no network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from delivery.claims import Claim, Wording
from delivery.dispatch import Dispatcher
from delivery.errors import DeliveryError
from delivery.limits import Limits
from delivery.links import Links
from delivery.outbox import queue
from delivery.parcel import Ids, Parcel, Sender
from delivery.words import Words
from storage.database import Database
from storage.tables import Channel, Outbox, OutboxKind, OutboxState
from tests.cast import Cast

LINKS = Links("https://raccordo.example.org", bot="EsempioBot")


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how: float) -> None:
        self.now += timedelta(**how)


@dataclass
class Recorder:
    """Remembers what it was given; answers each address with the next of `errors[address]`, then with success."""

    errors: dict[str, list[Exception]] = field(default_factory=dict)
    always: Callable[[Parcel], Exception | None] = lambda _: None
    sent: list[Parcel] = field(default_factory=list)
    tried: list[Parcel] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, parcel: Parcel) -> Ids:
        self.tried.append(parcel)
        waiting = self.errors.get(parcel.address)
        error = waiting.pop(0) if waiting else self.always(parcel)
        if error is not None:
            raise error
        self.sent.append(parcel)
        self.arrived.set()
        first = f"p{len(self.sent)}"
        return first if len(parcel.files) < 2 else (first, *(f"{first}-{n}" for n in range(2, len(parcel.files) + 1)))


@dataclass
class Bench:
    """A dispatcher with fake senders, moved by hand: `step()` is one pass and what it sends."""

    database: Database
    clock: Clock
    telegram: Recorder = field(default_factory=Recorder)
    mail: Recorder = field(default_factory=Recorder)
    still_due: dict[OutboxKind, Wording] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    owner: str = "one"
    reply_key: bytes = b"a key for tests"
    in_flight: Mapping[Channel, int] = field(default_factory=lambda: {Channel.TELEGRAM: 30, Channel.EMAIL: 4})

    def __post_init__(self) -> None:
        self.dispatcher = self.new_dispatcher(self.owner)

    def new_dispatcher(self, owner: str) -> Dispatcher:
        senders: dict[Channel, Sender] = {Channel.TELEGRAM: self.telegram, Channel.EMAIL: self.mail}
        return Dispatcher(
            self.database,
            senders,
            still_due=self.still_due,
            clock=self.clock,
            owner=owner,
            links=LINKS,
            limits=self.limits,
            in_flight=self.in_flight,
            reply_key=self.reply_key,
        )

    async def step(self) -> Claim:
        claim = await self.dispatcher.one_pass()
        for parcel in claim.parcels:
            self.dispatcher._flying[parcel.id] = parcel
            await self.dispatcher._send(parcel)
        return claim

    async def drain(self, passes: int = 50) -> None:
        """Passes without moving the clock until nothing more goes out, and the results are written."""
        for _ in range(passes):
            if not (await self.step()).parcels and not self.dispatcher._done:
                return
        raise AssertionError("the outbox never came to rest")

    def queue(self, text: str = "Ciao", **how: Any) -> int:
        """One message, committed."""
        with self.database.write() as session:
            return put(session, self.clock.now, text, **how)

    def row(self, outbox_id: int) -> Outbox:
        with self.database.read() as session:
            row = session.get(Outbox, outbox_id)
            assert row is not None
            session.expunge_all()
            return row

    def states(self) -> list[OutboxState]:
        with self.database.read() as session:
            return [OutboxState(state) for state in session.exec(select(Outbox.state).order_by(col(Outbox.id)))]


_number = iter(range(1, 10_000_000))


def put(session: Session, now: datetime, text: str = "Ciao", **how: Any) -> int:
    defaults: dict[str, Any] = {
        "kind": OutboxKind.DIALOGUE,
        "channel": Channel.TELEGRAM,
        "address": "100",
        "dedupe_key": f"test:{next(_number)}",
    }
    words = how.pop("words", None) or Words(text)
    outbox_id = queue(session, words, now=now, **(defaults | how))
    assert outbox_id is not None
    return outbox_id


def ada(bench: Bench, *, chat: int | None = 100, email: str | None = "ada@example.org") -> int:
    """A referent whom these ways reach; her id."""
    with bench.database.write() as session:
        return Cast(session, bench.clock.now).a_referent(chat=chat, email=email).id


def said(parcels: list[Parcel]) -> list[str]:
    return [parcel.words.html for parcel in parcels]


def temporary(reason: str = "later") -> DeliveryError:
    return DeliveryError(reason, permanent=False)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    """The dispatcher runs by itself, as in `serve`, until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(bench.dispatcher.run(stop))
    yield
    stop.set()
    await asyncio.wait_for(task, 60)
