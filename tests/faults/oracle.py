"""Compares what the sandbox wrote down with what the database holds. Reads only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from storage.database import Database

Json = dict[str, Any]


@dataclass(frozen=True)
class Arrived:
    """One row of the inbox."""

    id: int
    update_id: int
    lane: str
    state: str


@dataclass(frozen=True)
class Left:
    """One row of the outbox."""

    id: int
    inbox_id: int | None
    address: str
    state: str
    possible_duplicate: bool
    provider_id: str | None


def inbox(database: Database) -> list[Arrived]:
    with database.read() as session:
        rows = session.connection().execute(text("SELECT id, provider_id, lane, state FROM inbox ORDER BY id"))
        return [Arrived(row[0], int(row[1]), row[2], row[3]) for row in rows]


def outbox(database: Database) -> list[Left]:
    with database.read() as session:
        rows = session.connection().execute(
            text(
                "SELECT id, inbox_id, address, state, possible_duplicate, provider_id FROM outbox "
                "WHERE channel = 'telegram' ORDER BY id"
            )
        )
        return [Left(row[0], row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows]


def waiting(database: Database) -> int:
    """Rows with which something is still to be done."""
    with database.read() as session:
        connection = session.connection()
        arrived = connection.execute(text("SELECT count(*) FROM inbox WHERE state IN ('new', 'retry')")).scalar_one()
        leaving = connection.execute(
            text("SELECT count(*) FROM outbox WHERE state IN ('queued', 'retry', 'sending')")
        ).scalar_one()
        return int(arrived) + int(leaving)


def queued(entries: Iterable[Json]) -> list[int]:
    """Ids of the updates that people sent."""
    return [update_id for entry in entries if entry["kind"] == "queued" for update_id in entry["update_ids"]]


def messages(entries: Iterable[Json]) -> dict[int, list[Json]]:
    """What each chat was sent, in the order of arrival: ledger entries."""
    found: dict[int, list[Json]] = defaultdict(list)
    for entry in entries:
        if entry["kind"] == "call" and entry["method"] == "sendMessage" and entry["status"] == 200:
            found[entry["chat_id"]].append(entry)
    return found


def repeated(values: Iterable[Any]) -> int:
    """How many are there once too often."""
    return sum(count - 1 for count in Counter(values).values())


def rises(values: Sequence[int]) -> bool:
    """Each at least as large as the one before it."""
    return all(a <= b for a, b in pairwise(values))


def firsts(values: Iterable[int]) -> list[int]:
    """Each value where it comes for the first time."""
    return list(dict.fromkeys(values))


def lanes_in_order(rows: Iterable[Arrived]) -> bool:
    """In each lane the inbox holds the updates in the order in which they were sent."""
    by_lane: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_lane[row.lane].append(row.update_id)
    return all(rises(ids) for ids in by_lane.values())


def answers_in_order(rows: Iterable[Left]) -> bool:
    """In each chat what was answered first answers what arrived first."""
    by_chat: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.inbox_id is not None:
            by_chat[row.address].append(row.inbox_id)
    return all(rises(ids) for ids in by_chat.values())


def waiting_times(entries: list[Json], database: Database, chats: set[int]) -> list[float]:
    """Seconds from the moment a person wrote to the moment their answer arrived."""
    asked = {update: entry["at"] for entry in entries if entry["kind"] == "queued" for update in entry["update_ids"]}
    arrived = {row.id: row.update_id for row in inbox(database)}
    answered = {
        (entry["chat_id"], entry["result_id"]): entry["at"] for entry in entries if entry["method"] == "sendMessage"
    }
    return [
        answered[int(row.address), int(row.provider_id)] - asked[arrived[row.inbox_id]]
        for row in outbox(database)
        if row.inbox_id is not None and row.provider_id is not None and int(row.address) in chats
    ]
