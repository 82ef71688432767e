"""T1 and T15: `raccordo serve` is killed again and again, while it receives and while it sends. Nothing may be lost."""

import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.dispatch import IN_FLIGHT
from delivery.outbox import queue
from delivery.words import Words
from storage.database import Database
from storage.outbox import outbox_page, retry_outbox
from storage.tables import Channel, OutboxKind, OutboxState
from tests.faults import oracle
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import Sandbox, Serve, kill_at_random, serving, wait_until
from tests.faults.oracle import firsts, messages, queued, repeated, rises
from tests.faults.table import LINES, Line

pytestmark = pytest.mark.faults

WHILE_RECEIVING = ("after-inbox-commit", "before-worker-commit", "after-worker-commit")
WHILE_SENDING = ("after-claim-commit", "after-send", "before-result-commit")
CRASHPOINTS = (*WHILE_RECEIVING, *WHILE_SENDING)
WHILE_FETCHING = ("after-fetch",)  # in test_albums.py
WHILE_MAILING = (  # in test_mail_doors.py
    "before-mail-commit",
    "after-mail-commit",
    "after-mailbox-commit",
    "before-reading-commit",
    "after-reading-commit",
)
AT_ONCE = IN_FLIGHT[Channel.TELEGRAM]
NUMBER = re.compile(r"numero(\d+)")
POSSIBLE = "possibile duplicato"
SEED = 20_261_123


@dataclass(frozen=True)
class Dose:
    people: int
    messages: int
    kills: int
    patience: float


RECEIVING = {
    ("short", "sqlite"): Dose(20, 500, 7, 300),
    ("short", "postgresql"): Dose(20, 200, 2, 300),
    ("full", "sqlite"): Dose(100, 10_000, 200, 600),
    ("full", "postgresql"): Dose(100, 10_000, 200, 600),
}
SENDING = {
    ("short", "sqlite"): Dose(20, 300, 4, 300),
    ("short", "postgresql"): Dose(20, 100, 1, 300),
    ("full", "sqlite"): Dose(100, 10_000, 200, 600),
    ("full", "postgresql"): Dose(100, 10_000, 200, 600),
}


def test_every_crashpoint_in_the_code_is_used_here() -> None:
    root = Path(__file__).parents[2]
    rooms = [path for room in ("bot", "intake", "delivery", "storage") for path in (root / room).rglob("*.py")]

    found = {name for path in rooms for name in re.findall(r'crashpoint\("([a-z-]+)"\)', path.read_text())}

    assert found == {*CRASHPOINTS, *WHILE_FETCHING, *WHILE_MAILING}


def test_nothing_is_lost_or_doubled_when_killed_while_receiving(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount = RECEIVING[dose, kind_of(database_url)]
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people)
    began = time.monotonic()

    with serving(tmp_path / "house", sandbox, database_url) as serve:
        open_a_choice_of_projects(serve, chats)
        for number, batch in enumerate(batches(chats, amount)):
            half = len(batch) // 2
            serve.patient = dose == "full" and number == amount.kills - 1
            sandbox.push_texts(batch[:half])
            if number < amount.kills:
                kill_once(serve, number, CRASHPOINTS)
            sandbox.push_texts(batch[half:])
        serve.start()
        until_quiet(serve, database, amount.patience)
        serve.stop()
    seconds = time.monotonic() - began

    entries, arrived, left = sandbox.entries(), oracle.inbox(database), oracle.outbox(database)
    sent_ids, kept_ids = queued(entries), [row.update_id for row in arrived]
    replies = {chat: numbers(found) for chat, found in messages(entries).items()}
    expected = {chat: [number for who, number in numbered(chats, amount) if who == chat] for chat in chats}
    unanswered = sum(len(set(expected[chat]) - set(replies[chat])) for chat in chats)
    again = sum(repeated(replies[chat]) for chat in chats)
    LINES.append(
        Line(
            "T1 kill -9 while polling",
            kind_of(database_url),
            len(sent_ids),
            serve.kills,
            lost=len(set(sent_ids) - set(kept_ids)) + unanswered,
            duplicated=repeated(kept_ids),
            other=f"answers sent twice: {again}, allowed {serve.kills * AT_ONCE}",
            seconds=seconds,
        )
    )
    assert set(kept_ids) == set(sent_ids), "an update was lost"
    assert repeated(kept_ids) == 0, "an update is in the inbox twice"
    assert Counter(row.state for row in arrived) == {"done": len(arrived)}
    assert oracle.lanes_in_order(arrived), "the inbox holds a chat's updates in another order"
    assert oracle.answers_in_order(left), "a chat's updates were handled in another order"
    assert all(firsts(replies[chat]) == expected[chat] for chat in chats), "an answer is missing or out of order"
    assert again <= serve.kills * AT_ONCE
    database.close()


def test_nothing_is_lost_when_killed_while_sending(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount = SENDING[dose, kind_of(database_url)]
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people)
    began = time.monotonic()

    with serving(tmp_path / "house", sandbox, database_url) as serve:
        for number, batch in enumerate(slices(numbered(chats, amount), amount.kills + 1)):
            put_in_outbox(database, batch)
            if number < amount.kills:
                kill_once(serve, number, WHILE_SENDING)
        serve.start()
        until_quiet(serve, database, amount.patience)
        unclear = staff_sends_again_what_is_unclear(database)
        until_quiet(serve, database, amount.patience)
        serve.stop()
    seconds = time.monotonic() - began

    found = messages(sandbox.entries())
    arrived = {chat: numbers(found[chat]) for chat in chats}
    expected = {chat: [number for who, number in numbered(chats, amount) if who == chat] for chat in chats}
    lost = sum(len(set(expected[chat]) - set(arrived[chat])) for chat in chats)
    doubled = sum(repeated(arrived[chat]) for chat in chats)
    unmarked = sum(unmarked_repeats(found[chat]) for chat in chats)
    LINES.append(
        Line(
            "T15 kill -9 while sending",
            kind_of(database_url),
            amount.messages,
            serve.kills,
            lost,
            doubled,
            other=f"unmarked: {unmarked}, allowed {serve.kills * AT_ONCE}; {unclear} left to staff as uncertain",
            seconds=seconds,
        )
    )
    assert lost == 0
    assert unmarked == 0, "a message came twice without saying so"
    assert doubled <= serve.kills * AT_ONCE
    assert {row.state for row in oracle.outbox(database)} == {"sent"}
    assert all(rises(firsts(arrived[chat])) for chat in chats) or unclear, "a chat's messages came in another order"
    database.close()


def numbered(chats: list[int], amount: Dose) -> list[tuple[int, int]]:
    """Who writes (or is written to) with which number, in order."""
    return [(chats[number % len(chats)], number) for number in range(1, amount.messages + 1)]


def slices(whole: list[tuple[int, int]], parts: int) -> list[list[tuple[int, int]]]:
    size = -(-len(whole) // parts)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def batches(chats: list[int], amount: Dose) -> list[list[tuple[int, str]]]:
    whole = slices(numbered(chats, amount), amount.kills + 1)
    return [[(who, f"numero{number}") for who, number in part] for part in whole]


def numbers(found: list[dict]) -> list[int]:  # type: ignore[type-arg]
    """The numbers that a chat's messages carry, in the order of arrival."""
    texts = [NUMBER.search(entry["params"]["text"]) for entry in found]
    return [int(text[1]) for text in texts if text is not None]


def unmarked_repeats(found: list[dict]) -> int:  # type: ignore[type-arg]
    """Messages that repeat an earlier one without saying that they may."""
    seen: set[str] = set()
    unmarked = 0
    for entry in found:
        text = entry["params"]["text"]
        number = NUMBER.search(text)
        if number is None:
            continue
        unmarked += number[1] in seen and POSSIBLE not in text
        seen.add(number[1])
    return unmarked


def open_a_choice_of_projects(serve: Serve, chats: list[int]) -> None:
    """Everybody begins an update. From then on each word they write is a search, and the answer repeats it."""
    serve.start()
    serve.wait_ready()
    serve.sandbox.push_texts([(chat, "/aggiorna") for chat in chats])
    wait_until(lambda: all(serve.sandbox.chat(chat)["messages"] for chat in chats), 60, "everybody is asked", 0.2)
    serve.kill()


def put_in_outbox(database: Database, batch: list[tuple[int, int]]) -> None:
    """Answers of the staff, one message each."""
    now = datetime.now(UTC)
    with database.write() as session:
        for who, number in batch:
            words = Words(html=f"Risposta numero{number}")
            key = f"test:{number}"
            queue(
                session,
                words,
                kind=OutboxKind.ANSWER,
                channel=Channel.TELEGRAM,
                address=str(who),
                now=now,
                dedupe_key=key,
            )


def kill_once(serve: Serve, number: int, points: tuple[str, ...]) -> None:
    """The first kills at each crashpoint, the others anywhere."""
    if number < len(points):
        serve.start(points[number])
        serve.wait_crash()
    else:
        kill_at_random(serve, random.Random(SEED + number), longest=0.4)


def until_quiet(serve: Serve, database: Database, patience: float) -> None:
    """Until Telegram holds nothing for us and we hold nothing for anybody."""

    def quiet() -> bool:
        serve.assert_alive()
        return serve.sandbox.pending == 0 and oracle.waiting(database) == 0

    wait_until(quiet, patience, "everything is worked through", 0.2)


def staff_sends_again_what_is_unclear(database: Database) -> int:
    """What was interrupted twice is not sent a third time by itself: somebody at the desk presses "send again"."""
    pressed = 0
    with database.write() as session:
        for row in outbox_page(session, OutboxState.UNCERTAIN, limit=10_000):
            pressed += retry_outbox(session, row.id, datetime.now(UTC))
    return pressed
