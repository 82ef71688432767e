"""T3: the database is locked, full, cut off or restarted while messages come in. Nothing is lost, and all goes on."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pytest

from app.settings import TelegramMode
from storage.database import Database
from storage.schema import migrate
from tests.conftest import needed
from tests.faults import oracle
from tests.faults.conftest import people_with_projects
from tests.faults.harness import Sandbox, Serve, running_sandbox, serving, wait_until
from tests.faults.oracle import messages, queued, repeated
from tests.faults.outages import cut_off, full_disk, locked_file, locked_table, stopped
from tests.faults.table import LINES, Line
from tests.postgres import BINARIES, new_database, own_cluster

pytestmark = pytest.mark.faults

SEED = 20_261_124
EDGE = 0.5  # seconds around the beginning and the end of an outage of which nothing is asked
CATCH_UP = 120.0  # seconds in which all that waits must have come in
ALIVE = 5.0  # seconds after an outage in which something must have been taken
STRICT = ("locked", "full", "stopped", "crashed")  # nothing at all can be kept meanwhile

Outages = dict[str, Callable[[], AbstractContextManager[None]]]


@dataclass(frozen=True)
class Dose:
    """`every`: seconds between two messages of one person. `outages`: for each of the two ways in.

    `slack`: seconds more for a machine that does other work too.
    """

    people: int
    every: float
    outages: int
    shortest: float
    longest: float
    slack: float


DOSES = {"short": Dose(3, 0.4, 2, 0.8, 1.2, 5.0), "full": Dose(5, 1.0, 50, 1.0, 30.0, 0.0)}


@dataclass
class House:
    """The service with its Telegram and its database, one way in, and what may happen to it."""

    mode: TelegramMode
    sandbox: Sandbox
    serve: Serve
    database: Database
    chats: list[int]
    outages: Outages
    endured: list["Outage"] = field(default_factory=list)


@dataclass(frozen=True)
class Outage:
    """Epoch seconds, as in the ledger. A server takes a moment from `ended` until it is `mended`."""

    kind: str
    began: float
    ended: float
    mended: float


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_happens_to_the_database_nothing_is_lost_and_all_goes_on(kind: str, tmp_path: Path, dose: str) -> None:
    if kind == "postgresql" and not BINARIES:
        needed("PostgreSQL", "apt-get install postgresql")
    amount, began = DOSES[dose], time.monotonic()

    with ExitStack() as stack:
        houses = [stack.enter_context(a_house(kind, tmp_path / mode, mode, amount.people)) for mode in TelegramMode]
        for house in houses:
            house.serve.wait_ready()
        with ThreadPoolExecutor(len(houses)) as pool:
            list(pool.map(partial(endure, amount=amount), houses))
        for house in houses:
            wait_until(lambda house=house: quiet(house), 60, "everything is worked through", 0.2)  # type: ignore[misc]
        measured = [Measured.of(house, time.monotonic() - began) for house in houses]
        for house in houses:
            house.database.close()

    LINES.extend(each.line(kind) for each in measured)
    for each in measured:
        assert each.lost == 0, "an update was lost"
        assert each.doubled == 0, "an update is in the inbox twice"
        assert each.undone == 0, "an update was not handled"
        assert each.unanswered == 0, "somebody got no answer"
        assert each.taken_meanwhile == 0, "something was taken that could not be kept"
        assert each.statuses <= {200, 503}, "the webhook said something else than 200 or 503"
        assert max(each.silences) <= ALIVE + amount.slack


def endure(house: House, amount: Dose) -> None:
    """One outage after the other, people writing all the time."""
    chance = random.Random(f"{SEED} {house.mode}")
    kinds = list(house.outages)
    for number in range(amount.outages):
        kind = kinds[number % len(kinds)]
        # short ones are frequent, as in life: evenly on a scale of ratios
        length = amount.shortest * (amount.longest / amount.shortest) ** chance.random()
        talk(house, time.time() + EDGE, amount.every)
        with house.outages[kind]():
            began = time.time()
            talk(house, began + length, amount.every)
            ended = time.time()
        house.endured.append(Outage(kind, began, ended, mended=time.time()))
        wait_until(lambda: house.sandbox.pending == 0, CATCH_UP, f"all comes in after {kind}")
        house.serve.assert_alive()


def talk(house: House, until: float, every: float) -> None:
    """Everybody writes, again and again."""
    while True:
        house.sandbox.push_texts([(chat, "/aiuto") for chat in house.chats])
        left = until - time.time()
        time.sleep(max(0.0, min(every, left)))
        if left <= every:
            return


@contextmanager
def a_house(kind: str, folder: Path, mode: TelegramMode, people: int) -> Iterator[House]:
    """Starting, with a database of its own."""
    folder.mkdir()
    outages: Outages = {}
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(folder))
        if kind == "sqlite":
            path = folder / "raccordo.db"
            url = f"sqlite:///{path}"
            outages["locked"] = partial(locked_file, path)
        else:
            cluster = stack.enter_context(own_cluster("fsync=off"))
            url = new_database(cluster.url, "raccordo")
            outages |= {
                "stopped": partial(stopped, cluster, at_once=False),
                "locked": partial(locked_table, url),
                "crashed": partial(stopped, cluster, at_once=True),
                "cut off": partial(cut_off, url),
            }
        database = Database(url)
        migrate(database)
        chats = people_with_projects(database, sandbox, people)
        serve = stack.enter_context(serving(folder / "house", sandbox, url, RACCORDO_TELEGRAM_MODE=str(mode)))
        serve.start()
        assert serve.process is not None
        if kind == "sqlite":
            outages["full"] = partial(full_disk, serve.process.pid)
        yield House(mode, sandbox, serve, database, chats, outages)


def quiet(house: House) -> bool:
    house.serve.assert_alive()
    return house.sandbox.pending == 0 and oracle.waiting(house.database) == 0


@dataclass(frozen=True)
class Measured:
    """What the ledger and the database say in the end."""

    mode: TelegramMode
    outages: int
    sent: int
    lost: int
    doubled: int
    undone: int
    unanswered: int
    twice: int
    taken_meanwhile: int
    statuses: set[int]
    silences: list[float]
    seconds: float

    @classmethod
    def of(cls, house: House, seconds: float) -> "Measured":
        entries, arrived = house.sandbox.entries(), oracle.inbox(house.database)
        sent, kept = queued(entries), [row.update_id for row in arrived]
        answers = {chat: len(found) for chat, found in messages(entries).items()}
        asked = len(sent) // len(house.chats)
        posts = [entry for entry in entries if entry["kind"] == "posted"]
        taken = [entry["at"] for entry in entries if _took(entry)]
        return cls(
            mode=house.mode,
            outages=len(house.endured),
            sent=len(sent),
            lost=len(set(sent) - set(kept)),
            doubled=repeated(kept),
            undone=sum(row.state != "done" for row in arrived),
            unanswered=sum(max(0, asked - answers.get(chat, 0)) for chat in house.chats),
            twice=sum(max(0, answers.get(chat, 0) - asked) for chat in house.chats),
            taken_meanwhile=sum(_within(at, outage) for at in taken for outage in house.endured),
            statuses={entry["status"] for entry in posts},
            silences=[_silence(taken, outage) for outage in house.endured],
            seconds=seconds,
        )

    def line(self, kind: str) -> Line:
        said = f"; webhook answered {sorted(self.statuses)}" if self.statuses else ""
        return Line(
            f"T3 database away, {self.mode}",
            kind,
            self.sent,
            0,
            lost=self.lost,
            duplicated=self.doubled,
            other=f"{self.outages} outages, alive after {max(self.silences):.1f} s at most; "
            f"answers sent twice: {self.twice}{said}",
            p50=sorted(self.silences)[len(self.silences) // 2] * 1000,
            p99=max(self.silences) * 1000,
            seconds=self.seconds,
        )


def _took(entry: dict[str, Any]) -> bool:
    """Whether we told Telegram "got it": a post answered with 200, or updates confirmed by the next poll."""
    posted: bool = entry["kind"] == "posted" and entry["status"] == 200
    return posted or entry["kind"] == "confirmed"


def _within(at: float, outage: Outage) -> bool:
    return outage.kind in STRICT and outage.began + EDGE < at < outage.ended


def _silence(taken: Sequence[float], outage: Outage) -> float:
    """Seconds from the moment when all works again to the first thing taken."""
    return max(0.0, min((at for at in taken if at >= outage.ended), default=inf) - outage.mended)
