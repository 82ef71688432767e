"""T17: doors that are closed, moved or shut for an hour, and messages that are refused. All end as the rules say, and
everybody else goes on.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.clock import MovableClock
from delivery.outbox import queue_to
from delivery.words import Words
from storage.database import Database
from storage.tables import Outbox, OutboxKind, OutboxState, Role
from tests.cast import Cast
from tests.faults import oracle
from tests.faults.conftest import kind_of
from tests.faults.harness import Sandbox
from tests.faults.inside import running
from tests.faults.table import LINES, Line, percentile

pytestmark = pytest.mark.faults

# Told by Telegram itself; told only when we write; told and without a mailbox.
CLOSED = ("blocked", "forbidden", "deleted", "gone", "alone")
KINDS = (*CLOSED, "migrated", "throttled", "refused", "fine")
EACH_TOLD = 2  # messages to each, so that their order shows
TALKERS = 20
LONGEST_WAIT = 3600  # seconds of RetryAfter
AT_A_TIME = 45  # chats that one transaction tells: a longer one would make the others wait for the database


@dataclass(frozen=True)
class Dose:
    """`each`: chats of each kind. `rate`: messages a second from people whose chats are well.

    Their answers and what all are told share the 30 messages a second that a bot may send.
    """

    each: int
    rate: float
    patience: float


DOSES = {"short": Dose(8, 20, 60), "full": Dose(1_000, 5, 3_600)}


@dataclass(frozen=True)
class Chat:
    kind: str
    id: int
    referent_id: int

    @property
    def moves_to(self) -> int:
        return self.id + 7

    def text(self, number: int) -> str:
        return f"{self.kind} {self.id} numero{number}"

    @property
    def texts(self) -> list[str]:
        return [self.text(number) for number in range(EACH_TOLD)]

    @property
    def wait(self) -> int:
        """From a second to an hour."""
        return 1 + self.id % LONGEST_WAIT


async def test_whatever_door_is_closed_all_arrives_or_is_shown_and_others_go_on(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount, database, clock = DOSES[dose], Database(database_url), MovableClock()
    chats = furnish(database, amount.each, clock())
    talkers = [chat.id for chat in chats if chat.kind == "fine"][:TALKERS]
    set_up_doors(sandbox, chats)
    began = time.monotonic()

    async with running(database_url, sandbox, tmp_path, clock=clock) as service:
        async with talking(sandbox, talkers, amount.rate):
            await asyncio.to_thread(close_doors, sandbox, chats)
            for some in batched(chats, AT_A_TIME):
                await service.rooms.database.run(partial(tell, chats=some, now=clock()))
            await until(lambda: at_rest(database, clock), amount.patience, "all that can go now has gone")
            early = told(sandbox)
            clock.advance(timedelta(seconds=LONGEST_WAIT))
            await until(lambda: at_rest(database, clock), amount.patience, "those who had to wait are told")
        late, states = told(sandbox), ends(database)
        await until(Alarm(sandbox), 60, "staff are told")
        for chat in of_kind(chats, "alone"):
            await asyncio.to_thread(sandbox.block, chat.id, blocked=False)
        await until(lambda: oracle.waiting(database) == 0 and sandbox.pending == 0, amount.patience, "they are back")
    seconds, waits = time.monotonic() - began, oracle.waiting_times(sandbox.entries(), database, set(talkers))
    note(kind_of(database_url), chats, sandbox, waits, seconds)

    mailed, at_last = mails(sandbox), told(sandbox)
    for chat in chats:
        assert_as_the_rules_say(chat, early, late, mailed, states)
    for chat in of_kind(chats, "alone"):
        assert at_last[chat.id] == chat.texts, "who came back was not told once what nobody could tell them"
    assert len(waits) > 0
    assert percentile(waits, 0.99) <= (5.0 if dose == "short" else 1.0), "somebody else had to wait"
    database.close()


def assert_as_the_rules_say(
    chat: Chat,
    early: dict[int, list[str]],
    late: dict[int, list[str]],
    mailed: dict[str, list[str]],
    states: dict[int, list[OutboxState]],
) -> None:
    by_mail, at_end = mailed[f"e{chat.id}@example.org"], Counter(states[chat.referent_id])
    match chat.kind:
        case "fine":
            assert early[chat.id] == chat.texts
        case "migrated":
            assert (early[chat.id], early[chat.moves_to]) == ([], chat.texts)
        case "throttled":
            assert late[chat.id] == chat.texts
        case "refused":
            assert late[chat.id] == []
            assert at_end == {OutboxState.DEAD: EACH_TOLD}, "staff do not see it"
        case "alone":
            assert late[chat.id] == []
            assert at_end == {OutboxState.DEAD: EACH_TOLD}, "staff do not see it"
        case _:
            assert late[chat.id] == []
            assert by_mail == chat.texts
            assert (at_end[OutboxState.SENT], at_end[OutboxState.DEAD]) == (EACH_TOLD, 0)
    if chat.kind in CLOSED[:-1]:
        return
    assert by_mail == [], "it came twice: by mail too"


# --- who there is, and what happens to them


def furnish(database: Database, each: int, now: datetime) -> list[Chat]:
    """`each` people of each kind, all mixed; and Olga at the desk."""
    with database.write() as session:
        cast = Cast(session, now)
        cast.a_staff("Olga Esempio", Role.OFFICER, email="olga@example.org")
        found = []
        for number in range(each):
            for place, kind in enumerate(KINDS, 1):
                id_ = place * 10_000_000 + number * 10
                email = None if kind == "alone" else f"e{id_}@example.org"
                found.append(Chat(kind, id_, cast.a_referent("Ada Esempio", chat=id_, email=email).id))
    return found


def of_kind(chats: Sequence[Chat], *kinds: str) -> list[Chat]:
    return [chat for chat in chats if chat.kind in kinds]


def set_up_doors(sandbox: Sandbox, chats: Sequence[Chat]) -> None:
    """Everybody is there but those who are gone; what will be answered to whom."""
    sandbox.add_people([chat.id for chat in chats if chat.kind != "gone"])
    sandbox.add_people([chat.moves_to for chat in of_kind(chats, "migrated")])
    rules: list[dict[str, Any]] = []
    for chat in chats:
        match chat.kind:
            case "forbidden":
                rules.append(a_rule(chat, 403, "Forbidden: bot was blocked by the user"))
            case "migrated":
                moved = a_rule(chat, 400, "Bad Request: group chat was upgraded to a supergroup chat")
                rules.append(moved | {"parameters": {"migrate_to_chat_id": chat.moves_to}})
            case "throttled":
                rules.append(a_rule(chat, 429, "Too Many Requests") | {"retry_after": chat.wait, "times": 1})
            case "refused":
                rules.append(a_rule(chat, 400, "Bad Request: BUTTON_URL_INVALID"))
    sandbox.set_faults(rules)


def a_rule(chat: Chat, status: int, description: str) -> dict[str, Any]:
    return {"method": "sendMessage", "chat_id": chat.id, "status": status, "description": description}


def close_doors(sandbox: Sandbox, chats: Sequence[Chat]) -> None:
    for chat in of_kind(chats, "blocked", "alone"):
        sandbox.block(chat.id)
    for chat in of_kind(chats, "deleted"):
        sandbox.delete_account(chat.id)


def batched(chats: Sequence[Chat], size: int) -> Iterator[Sequence[Chat]]:
    return (chats[start : start + size] for start in range(0, len(chats), size))


def tell(session: Session, chats: Sequence[Chat], now: datetime) -> None:
    """Answers of the staff: `numero0` to each, then `numero1`."""
    for number in range(EACH_TOLD):
        for chat in chats:
            key = f"test:{chat.id}:{number}"
            words = Words(chat.text(number))
            queue_to(session, chat.referent_id, words, kind=OutboxKind.ANSWER, now=now, dedupe_key=key)


@asynccontextmanager
async def talking(sandbox: Sandbox, chats: Sequence[int], rate: float) -> AsyncIterator[None]:
    """People whose chats are well go on writing."""

    async def talk() -> None:
        while True:
            for chat in chats:
                await asyncio.to_thread(sandbox.push_texts, [(chat, "/aiuto")])
                await asyncio.sleep(1 / rate)

    task = asyncio.create_task(talk())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# --- how it ended


def at_rest(database: Database, clock: MovableClock) -> bool:
    """No answer is to leave before a later hour, those included that wait behind one which has to wait."""
    waiting = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.RETRY)
    query = select(Outbox.address, Outbox.state, Outbox.next_at).where(Outbox.kind == OutboxKind.ANSWER)
    with database.read() as session:
        rows = session.exec(query.where(col(Outbox.state).in_(waiting))).all()
    soon = clock() + timedelta(seconds=1)
    shut = {address for address, state, next_at in rows if state == OutboxState.RETRY and next_at > soon}
    return all(address in shut for address, _state, _next_at in rows)


def told(sandbox: Sandbox) -> dict[int, list[str]]:
    """What each chat was sent of all this, in order."""
    found: dict[int, list[str]] = defaultdict(list)
    for chat, entries in oracle.messages(sandbox.entries()).items():
        found[chat] = [text for entry in entries if "numero" in (text := entry["params"]["text"])]
    return found


def mails(sandbox: Sandbox) -> dict[str, list[str]]:
    """What each mailbox got of all this, in order: the line that says which message it is."""
    found: dict[str, list[str]] = defaultdict(list)
    for mail in sandbox.mails():
        lines = [line.strip() for line in mail["text"].splitlines() if "numero" in line]
        found[mail["recipients"][0]] += lines
    return found


def ends(database: Database) -> dict[int, list[OutboxState]]:
    """The states of everybody's answers, by person."""
    found: dict[int, list[OutboxState]] = defaultdict(list)
    with database.read() as session:
        rows = session.exec(select(Outbox.referent_id, Outbox.state).where(Outbox.kind == OutboxKind.ANSWER))
        for referent_id, state in rows:
            assert referent_id is not None
            found[referent_id].append(OutboxState(state))
    return found


@dataclass
class Alarm:
    """Whether Olga has read that something did not arrive. Looks at each mail once: there are thousands."""

    sandbox: Sandbox
    seen: int = 0

    def __call__(self) -> bool:
        fresh = self.sandbox.mails(self.seen)
        self.seen += len(fresh)
        return any("non sono arrivati" in one["text"] for one in fresh if one["recipients"] == ["olga@example.org"])


async def until(ready: Callable[[], bool], patience: float, what: str) -> None:
    try:
        async with asyncio.timeout(patience):
            while not await asyncio.to_thread(ready):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {patience:.0f} s") from None


def note(kind: str, chats: Sequence[Chat], sandbox: Sandbox, waits: list[float], seconds: float) -> None:
    at_end, by_mail = told(sandbox), mails(sandbox)
    arrived = Counter[str]()
    for chat in chats:
        for where in (chat.id, chat.moves_to):
            arrived.update(at_end[where])
        arrived.update(by_mail[f"e{chat.id}@example.org"])
    wanted = [text for chat in chats if chat.kind != "refused" for text in chat.texts]
    LINES.append(
        Line(
            "T17 closed, moved and busy doors",
            kind,
            len(chats),
            0,
            lost=sum(arrived[text] == 0 for text in wanted),
            duplicated=sum(max(0, arrived[text] - 1) for text in wanted),
            other=f"{EACH_TOLD} messages each; {sum(map(len, by_mail.values()))} by mail; others' times beside",
            p50=percentile(waits, 0.5) * 1000,
            p99=percentile(waits, 0.99) * 1000,
            seconds=seconds,
        )
    )
