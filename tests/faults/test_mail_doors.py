"""T21, T22, T25 and T26: the doors of the mail fail in every way that is known, and the process dies between what it
was given and what it answers. The oracle is what the mail servers have; nothing may be lost, nothing be there twice.
"""

import asyncio
import hashlib
import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, func, select

from intake.post.imap_server import ImapServer
from intake.post.lmtp import SESSIONS, LmtpDoor
from intake.post.mailbox import Collector
from storage.database import Database
from storage.tables import Channel, Inbox, InboxState, Letter, Message
from tests.cast import Cast
from tests.faults.conftest import kind_of
from tests.faults.harness import NeverHappened, Sandbox, Serve, free_port, serving, wait_until
from tests.faults.table import LINES, Line
from tests.faults.test_kills import WHILE_MAILING
from tests.intake.post.lmtp_client import Client, opened
from tests.journeys.dovecot import Dovecot, running_dovecot

pytestmark = pytest.mark.faults

SEED = 20_261_201
DESK = "raccordo@example.org"
PEOPLE = [f"persona{number}@example.org" for number in range(5)]
SAID = {"250 2.0.0 Kept", "451 4.3.0 Not kept, come again"}
_boxes = count(1)


def a_mail(number: int, message_id: str | None = None, words: str = "ciao") -> bytes:
    """From somebody we know. `message_id`: "" for none, None for one of its own."""
    mine = f"{number}@posta.example.org" if message_id is None else message_id
    head = f"Message-ID: <{mine}>\r\n" if mine else ""
    return (
        f"{head}From: {PEOPLE[number % len(PEOPLE)]}\r\nTo: {DESK}\r\nSubject: Stato {number}\r\n"
        f"Date: Tue, 01 Dec 2026 10:00:00 +0100\r\n\r\nnumero{number} {words}\r\n"
    ).encode()


def they_live_here(database: Database) -> None:
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        organization = cast.an_organization("Ente di prova")
        for address in PEOPLE:
            cast.a_referent("Persona Esempio", organization, email=address)


# --- T21, T22: the door for the mail server fails, before and after its commit


@dataclass(frozen=True)
class Handing:
    mails: int
    most: int  # recipients


HANDING = {"short": Handing(40, 50), "full": Handing(2_000, 50)}


async def test_each_recipient_is_answered_and_what_failed_comes_again_without_loss(
    database: Database, dose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    amount, chance, began = HANDING[dose], random.Random(SEED), time.monotonic()
    failures = failing(database, chance, monkeypatch)
    wanted = {number: chance.randint(1, amount.most) for number in range(amount.mails)}
    said: list[str] = []
    todo = list(wanted)

    async def hand_over_all(client: Client) -> None:
        while todo:
            number = todo.pop()
            waiting = [f"raccordo+{number}-{place}@example.org" for place in range(wanted[number])]
            while waiting:  # as a mail server does: again to whom it was not taken for
                answers = await client.hand_over(a_mail(number), *waiting)
                said.extend(answers)
                waiting = [one for one, answer in zip(waiting, answers, strict=True) if not answer.startswith("250")]

    door = LmtpDoor(database, host="127.0.0.1", port=0, clock=lambda: datetime.now(UTC))
    async with opened(door) as port:
        clients = [await Client.at(port) for _ in range(SESSIONS)]
        await asyncio.gather(*map(hand_over_all, clients))
        for client in clients:
            await client.hang_up()

    with database.read() as session:
        rows = Counter(map(_recipient, session.exec(select(Inbox.payload))))
    expected = {f"raccordo+{number}-{place}@example.org" for number, most in wanted.items() for place in range(most)}
    LINES.append(
        Line(
            "T21/T22 LMTP fails, 1-50 recipients",
            database.url.get_backend_name(),
            len(expected),
            0,
            lost=len(expected - set(rows)),
            duplicated=sum(times - 1 for times in rows.values()),
            other=f"{amount.mails} mails, {sum(failures.values())} failures, {said.count(_again())} answers 451",
            seconds=time.monotonic() - began,
        )
    )
    assert min(failures.values()) > 0, "not every failure was met"
    assert set(said) == SAID, "an answer says more than it should"
    assert set(rows) == expected, "a recipient's mail was lost"
    assert set(rows.values()) == {1}, "a recipient's mail is here twice"


def _again() -> str:
    return next(one for one in SAID if one.startswith("451"))


def _recipient(payload: bytes) -> str:
    return payload.split(b"\r\n")[1].removeprefix(b"Delivered-To: ").decode()


def failing(database: Database, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The first commits fail in each of these ways, before they are there or when they are; then one in four."""
    ways: dict[str, Exception] = {
        "away": OperationalError("", {}, Exception("database is locked: persona0@example.org")),
        "code": RuntimeError("secret words"),
        "disk": OSError(28, "No space left on device"),
        "memory": MemoryError(),
    }
    met, run = Counter[str](), database.run
    for way in ways:
        met[f"{way} before"] = met[f"{way} after"] = 0

    async def fails(work: Callable[..., Any], *rest: Any) -> Any:
        unmet = [one for one, times in met.items() if times == 0]
        if not unmet and chance.random() > 0.25:
            return await run(work, *rest)
        way, when = chance.choice(unmet or list(met)).split()
        met[f"{way} {when}"] += 1
        if when == "after":
            await run(work, *rest)
        raise ways[way]

    monkeypatch.setattr(database, "run", fails)
    return met


# --- T25: whatever happens to a mailbox


MAILBOX = {"short": 16, "full": 200}  # rounds
EVENTS = ("renumbered", "read", "frozen", "cut", "off", "quiet", "moved back", "restored")


class Owner:
    """Of a mailbox: brings mail into it, and does what people and servers do to it."""

    def __init__(self, dovecot: Dovecot, database: Database) -> None:
        self.dovecot, self.database = dovecot, database
        self.user = f"cassetta{next(_boxes)}@example.org"
        self.sent: list[bytes] = []
        self.one: Collector | None = None
        self._stop: asyncio.Event | None = None
        self._running: asyncio.Task[None] | None = None

    async def on(self) -> None:
        if self._running is None:
            server = ImapServer.at(self.dovecot.url(self.user))
            self.one = one = Collector(
                self.database, server, Channel.EMAIL, owner="one", clock=lambda: datetime.now(UTC)
            )
            one.poll, one.patience = 2.0, 2.0
            self._stop = asyncio.Event()
            self._running = asyncio.create_task(one.run(self._stop))

    async def falls_silent(self) -> None:
        """The server, until we have seen it. Not longer: whoever is stopped may hold the lock of the mailbox."""
        one = self.one
        assert one is not None
        await _until(lambda: one.last_success is not None, "it is connected")
        await asyncio.to_thread(self.dovecot.freeze)
        with suppress(NeverHappened):  # it was just being connected anew, by a process that goes on
            await _until(lambda: one.problem is not None, "it sees that nobody is there", 20.0)
        await asyncio.to_thread(self.dovecot.freeze, frozen=False)

    async def off(self) -> None:
        if self._running is not None and self._stop is not None:
            self._stop.set()
            await self._running
            self._running = None

    def happens(self, event: str, mails: int) -> None:
        fresh = [a_mail(len(self.sent) + place) for place in range(mails)]
        self.sent += fresh
        self.dovecot.append(self.user, *fresh, flags=("\\Seen",) if event == "read" else ())
        match event:
            case "renumbered":
                self.dovecot.renumber(self.user)
                self.dovecot.hang_up()
            case "restored":
                self.dovecot.restore(self.user)
                self.dovecot.hang_up()
            case "cut":
                self.dovecot.hang_up()
            case "moved back":
                with self.dovecot.box(self.user) as box:
                    if box.folder.exists("Lavorati"):
                        box.folder.set("Lavorati")
                        box.move(box.uids()[:5], "INBOX")

    def all_kept(self) -> bool:
        with self.database.read() as session:
            return session.exec(select(func.count(col(Inbox.id)))).one() >= len(self.sent)

    def all_away(self) -> bool:
        return self.all_kept() and not self.dovecot.contents(self.user)


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    with running_dovecot() as dovecot:
        yield dovecot


async def test_whatever_happens_to_a_mailbox_each_mail_is_kept_once(
    database: Database, mailboxes: Dovecot, dose: str
) -> None:
    """Each round brings mail, and something happens meanwhile: each of these first, then any."""
    chance, began, happened = random.Random(SEED), time.monotonic(), Counter[str]()
    owner = Owner(mailboxes, database)
    for number in range(MAILBOX[dose]):
        event = EVENTS[number] if number < len(EVENTS) else chance.choice(EVENTS)
        happened[event] += 1
        await (owner.off() if event == "off" else owner.on())
        if event == "frozen":
            await owner.falls_silent()
        await asyncio.to_thread(
            owner.happens, event, chance.randint(50, 200) if event == "off" else chance.randint(1, 5)
        )
        if event in ("frozen", "quiet"):
            await _until(owner.all_kept, "all of it is kept")
    await owner.on()
    await _until(owner.all_away, "all of it is kept and put away")
    await owner.off()

    expected = Counter(map(_mark, owner.sent))
    with database.read() as session:
        rows = Counter(session.exec(select(Inbox.provider_id)))
    away = {_mark(content) for content, _ in mailboxes.contents(owner.user, "Lavorati")}
    LINES.append(
        Line(
            "T25 a mailbox by IMAP",
            database.url.get_backend_name(),
            len(expected),
            0,
            lost=len(expected - rows),
            duplicated=(rows - expected).total(),
            other=", ".join(f"{times} {event}" for event, times in happened.items()),
            seconds=time.monotonic() - began,
        )
    )
    assert rows == expected
    assert away == set(expected), "a mail is gone from the mailbox"


def _mark(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def _until(ready: Callable[[], bool], what: str, patience: float = 180.0) -> None:
    await asyncio.to_thread(wait_until, ready, patience, what)


# --- T26, and kill -9 at both doors


@dataclass(frozen=True)
class Killing:
    mails: int  # in each life
    lives: int


KILLING = {
    ("short", "sqlite"): Killing(6, len(WHILE_MAILING)),
    ("short", "postgresql"): Killing(6, 2),
    ("full", "sqlite"): Killing(50, 100),
    ("full", "postgresql"): Killing(50, 100),
}
IDS = (None, "", "uno@posta.example.org")  # of its own, none, one that many share


class Servers:
    """A mail server that hands over until it is taken, and one with a mailbox. `sent`: what they were given."""

    def __init__(self, dovecot: Dovecot) -> None:
        self.dovecot, self.port = dovecot, free_port()
        self.user = f"cassetta{next(_boxes)}@example.org"
        self.sent: list[bytes] = []
        self.rows: list[str] = []  # what each should be called in the inbox
        self._work: Queue[bytes | None] = Queue()
        self._thread = threading.Thread(target=self._bring_all, daemon=True)
        self._thread.start()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "RACCORDO_LMTP_LISTEN": f"127.0.0.1:{self.port}",
            "RACCORDO_IMAP_URL": self.dovecot.url(self.user),
        }

    def bring(self, number: int) -> None:
        """So many mails more: by one door, by the other, by both; with all kinds of Message-IDs."""
        for _ in range(number):
            mail = a_mail(len(self.sent), IDS[len(self.sent) // 3 % len(IDS)])
            self.sent.append(mail)
            self._work.put(mail)

    def finish(self) -> None:
        self._work.put(None)
        self._thread.join(300)
        assert not self._thread.is_alive(), "a mail is not taken"

    def _bring_all(self) -> None:
        place = 0
        while (mail := self._work.get()) is not None:
            if place % 3 != 0:
                self.dovecot.append(self.user, mail)
                self.rows.append(_mark(mail))
            if place % 3 != 1:
                self._hand_over(mail)
                self.rows.append(
                    _mark(b"Return-Path: <ada@example.org>\r\nDelivered-To: %s\r\n" % DESK.encode() + mail)
                )
            place += 1

    def _hand_over(self, mail: bytes) -> None:
        while True:
            with suppress(OSError), smtplib.LMTP("127.0.0.1", self.port, timeout=60) as server:
                server.sendmail("ada@example.org", [DESK], mail)
                return
            time.sleep(0.05)


def test_no_mail_is_lost_or_doubled_when_killed_with_it_in_hand_whatever_its_message_id(
    database_url: str, sandbox: Sandbox, mailboxes: Dovecot, tmp_path: Path, dose: str
) -> None:
    """The first lives end at each point, the others anywhere."""
    amount, chance, began = KILLING[dose, kind_of(database_url)], random.Random(SEED), time.monotonic()
    servers, database = Servers(mailboxes), Database(database_url)
    they_live_here(database)
    with serving(tmp_path / "house", sandbox, database_url, **servers.settings) as serve:
        for life in range(amount.lives):
            servers.bring(amount.mails)
            live_and_die(serve, WHILE_MAILING[life] if life < len(WHILE_MAILING) else "", chance)
        serve.start()
        servers.finish()
        wait_until(lambda: _at_rest(serve, database, len(servers.rows)), 300, "all of it is understood", 0.2)
        serve.stop()

    with database.read() as session:
        rows = Counter(session.exec(select(Inbox.provider_id).where(Inbox.kind == "mail")))
        states = set(session.exec(select(Inbox.state).where(Inbox.kind == "mail")))
        letters = Counter(session.exec(select(Letter.inbox_id)))
        understood = session.exec(select(func.count(col(Message.id))).where(col(Message.inbox_id).is_not(None))).one()
    expected = Counter(servers.rows)
    LINES.append(
        Line(
            "T26 kill -9 with mail in hand, odd Message-IDs",
            kind_of(database_url),
            len(servers.sent),
            serve.kills,
            lost=len(expected - rows) + max(0, len(servers.sent) - understood),
            duplicated=(rows - expected).total() + max(0, understood - len(servers.sent)),
            other=f"{len(servers.rows)} rows by two doors, {len(letters)} letters",
            seconds=time.monotonic() - began,
        )
    )
    assert rows == expected, "a mail is not kept, or twice"
    assert states == {InboxState.DONE}
    assert (letters.total(), understood) == (len(servers.sent), len(servers.sent)), "a mail is not one item"
    database.close()


def live_and_die(serve: Serve, point: str, chance: random.Random) -> None:
    serve.start(point)
    if point:
        serve.wait_crash(120)
        return
    serve.wait_ready()
    time.sleep(chance.uniform(0.0, 1.0))
    serve.kill()


def _at_rest(serve: Serve, database: Database, rows: int) -> bool:
    serve.assert_alive()
    waiting = (InboxState.UNREAD, InboxState.NEW, InboxState.RETRY)
    mails = select(func.count(col(Inbox.id))).where(Inbox.kind == "mail")
    with database.read() as session:
        here = session.exec(mails).one()
        return here >= rows and session.exec(mails.where(col(Inbox.state).in_(waiting))).one() == 0
