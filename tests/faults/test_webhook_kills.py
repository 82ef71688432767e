"""T2: as T1, by webhook: two processes behind a balancer, posts that come twice or late, and kills all the time."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.faults import oracle
from tests.faults.balancer import balanced
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import START_PATIENCE, Sandbox, Serve, serving, wait_until
from tests.faults.oracle import firsts, messages, queued, repeated
from tests.faults.table import LINES, Line
from tests.faults.test_kills import (
    AT_ONCE,
    CRASHPOINTS,
    SEED,
    WHILE_SENDING,
    numbers,
    staff_sends_again_what_is_unclear,
)

pytestmark = pytest.mark.faults

SECRET_KEY = "chiave-segreta-degli-esempi-4711-4711"
PROCESSES = {"sqlite": 1, "postgresql": 2}


@dataclass(frozen=True)
class Dose:
    """`points`: crashpoints at which a process dies, each once; the other kills come at random.

    `share`: of posts that come twice, and of posts that come late.
    """

    people: int
    messages: int
    kills: int
    points: tuple[str, ...]
    share: float
    patience: float


FULL = Dose(100, 10_000, 200, CRASHPOINTS, 0.05, 600)
DOSES = {
    ("short", "sqlite"): Dose(10, 100, 1, ("after-inbox-commit",), 0.15, 60),
    ("short", "postgresql"): Dose(10, 120, 2, ("after-inbox-commit",), 0.15, 60),
    ("full", "sqlite"): FULL,
    ("full", "postgresql"): FULL,
}


@dataclass
class Talk:
    """People write numbered messages, one after the other, without end. `said`: update, person and number."""

    sandbox: Sandbox
    chats: list[int]
    said: dict[int, tuple[int, int]] = field(default_factory=dict)

    def say(self, count: int) -> None:
        first = len(self.said) + 1
        batch = [(self.chats[number % len(self.chats)], number) for number in range(first, first + count)]
        ids = self.sandbox.push_texts([(who, f"numero{number}") for who, number in batch])
        self.said |= dict(zip(ids, batch, strict=True))

    def until(self, ready: Callable[[], Any], patience: float, what: str) -> None:
        """Goes on writing, twenty messages a second, until `ready`."""

        def writing() -> Any:
            self.say(1)
            return ready()

        wait_until(writing, patience, what, 0.05)


@dataclass
class House:
    """Processes that all have their door open, behind one address."""

    serves: list[Serve]
    talk: Talk
    chance: random.Random

    @property
    def kills(self) -> int:
        return sum(serve.kills for serve in self.serves)

    def crash_at(self, point: str) -> None:
        """One process dies at a named point. Only one of them sends: to die while sending, it must be alone."""
        victim, *others = self.chance.sample(self.serves, len(self.serves))
        for serve in [victim, *(others if point in WHILE_SENDING else ())]:
            serve.kill()
        victim.start(point)
        process = victim.process
        assert process is not None
        self.talk.until(lambda: process.poll() is not None, START_PATIENCE, f"{point} is reached")
        victim.wait_crash()
        self.start_all()

    def kill_one(self) -> None:
        """Up to 0.4 seconds after all processes answer and one of them sends, one time in ten while one starts."""
        victim = self.chance.choice(self.serves)
        if self.chance.random() < 0.9:
            self.talk.until(lambda: all(serve.is_ready() for serve in self.serves), START_PATIENCE, "all answer")
            before, sandbox = self.talk.sandbox.size(), self.talk.sandbox
            self.talk.until(lambda: sandbox.heard(before, b"sendMessage"), START_PATIENCE, "one sends")
        moment = time.monotonic() + self.chance.uniform(0.0, 0.4)
        self.talk.until(lambda: time.monotonic() >= moment, 5, "a moment passes")
        victim.kill()
        victim.start()

    def start_all(self) -> None:
        for serve in self.serves:
            if serve.process is None:
                serve.start()


def test_nothing_is_lost_or_doubled_when_killed_while_telegram_posts(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    kind = kind_of(database_url)
    amount = DOSES[dose, kind]
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people)
    began = time.monotonic()

    with a_house(database_url, sandbox, tmp_path, chats) as house:
        begin_an_update(house)
        sandbox.post_as(twice=amount.share, out_of_order=amount.share, held=1.5, first_pause=0.2, longest_pause=1.0)
        for point in amount.points:
            house.crash_at(point)
        while house.kills < amount.kills:
            house.kill_one()
        house.talk.say(max(0, amount.messages - len(house.talk.said)))
        until_quiet(house, database, amount.patience)
        staff_sends_again_what_is_unclear(database)
        until_quiet(house, database, amount.patience)
    seconds = time.monotonic() - began

    entries, arrived, said = sandbox.entries(), oracle.inbox(database), house.talk.said
    sent_ids, kept_ids = queued(entries), [row.update_id for row in arrived]
    replies = {chat: numbers(found) for chat, found in messages(entries).items()}
    expected = defaultdict(list)
    for row in arrived:
        if row.update_id in said:
            who, number = said[row.update_id]
            expected[who].append(number)
    unanswered = sum(number not in replies[who] for who, number in said.values())
    again = sum(repeated(replies[chat]) for chat in chats)
    posts = Counter(update for entry in entries if entry["kind"] == "posted" for update in entry["update_ids"])
    LINES.append(
        Line(
            f"T2 kill -9 by webhook, {len(house.serves)} processes",
            kind,
            len(sent_ids),
            house.kills,
            lost=len(set(sent_ids) - set(kept_ids)) + unanswered,
            duplicated=repeated(kept_ids),
            other=f"{posts.total() - len(posts)} posts came again, {late(arrived)} late; "
            f"answers sent twice: {again}, allowed {house.kills * AT_ONCE}",
            seconds=seconds,
        )
    )
    assert set(kept_ids) == set(sent_ids), "an update was lost"
    assert repeated(kept_ids) == 0, "an update is in the inbox twice"
    assert unanswered == 0
    assert Counter(row.state for row in arrived) == {"done": len(arrived)}
    assert oracle.answers_in_order(oracle.outbox(database)), "a chat's updates were handled in another order"
    assert all(firsts(replies[chat]) == expected[chat] for chat in chats), "an answer is out of order"
    assert again <= house.kills * AT_ONCE
    assert posts.total() > len(posts), "no post came twice"
    assert late(arrived), "no post came late"
    database.close()


@contextmanager
def a_house(database_url: str, sandbox: Sandbox, folder: Path, chats: list[int]) -> Iterator[House]:
    with ExitStack() as stack:
        serves = [
            stack.enter_context(serving(folder / f"house{number}", sandbox, database_url))
            for number in range(PROCESSES[kind_of(database_url)])
        ]
        url = stack.enter_context(balanced([serve.port for serve in serves]))
        for serve in serves:
            serve.settings |= {
                "RACCORDO_TELEGRAM_MODE": "webhook",
                "RACCORDO_BASE_URL": url,
                "RACCORDO_SECRET_KEY": SECRET_KEY,
                "RACCORDO_DATA_DIR": str(folder / "data"),
            }
        yield House(serves, Talk(sandbox, chats), random.Random(SEED))


def begin_an_update(house: House) -> None:
    """Everybody begins an update. From then on each word they write is a search, and the answer repeats it."""
    sandbox, chats = house.talk.sandbox, house.talk.chats
    house.start_all()
    sandbox.push_texts([(chat, "/aggiorna") for chat in chats])
    wait_until(lambda: all(sandbox.chat(chat)["messages"] for chat in chats), 60, "everybody is asked", 0.2)


def until_quiet(house: House, database: Database, patience: float) -> None:
    """Until Telegram holds nothing for us and we hold nothing for anybody."""

    def quiet() -> bool:
        for serve in house.serves:
            serve.assert_alive()
        return house.talk.sandbox.pending == 0 and oracle.waiting(database) == 0

    wait_until(quiet, patience, "everything is worked through", 0.2)


def late(arrived: list[oracle.Arrived]) -> int:
    """How many updates came after a later one of their chat."""
    newest: dict[str, int] = defaultdict(int)
    found = 0
    for row in arrived:
        found += row.update_id < newest[row.lane]
        newest[row.lane] = max(newest[row.lane], row.update_id)
    return found
