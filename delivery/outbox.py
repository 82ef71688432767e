"""Puts a message in the outbox, in the caller's transaction. Refuses to send and to commit.

`body` of a row is `Words.to_json()`; beside it may stand `plain` (markup was refused once), `migrated` (the chat's
id changed once), `closed` (it could not be told, because no way was open) and `part` (from the second part of a split
message on). A key to somebody's page never stands there: `words.PERSONAL_PAGE` does, until the message leaves; nor does
any other key or code: `words.UNWRITTEN` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from markupsafe import escape
from sqlmodel import Session

from delivery.parcel import Enclosure
from delivery.words import Words, split_words
from storage import attachments, people
from storage.outbox import insert_message, message_at
from storage.tables import Address, Channel, OutboxKind, OutboxState

__all__ = ["CLOSED", "KEPT", "NO_WAY", "URGENCY", "enclosures", "message_at", "queue", "queue_files", "queue_to"]

CLOSED = "closed"
NO_WAY = "no way is open"
# What is told later when it could not be told in time; the rest would only come too late. A reminder has its own
# memory: what was decided, and for whom.
KEPT = frozenset({OutboxKind.ANSWER, OutboxKind.NOTICE})
GROUP = 10  # files that Telegram shows as one

# Whoever is writing now waits for nobody: nor for a thousand answers that leave at once.
URGENCY = {
    OutboxKind.DIALOGUE: 0,
    OutboxKind.CODE: 0,
    OutboxKind.AUTO_REPLY: 1,
    OutboxKind.ANSWER: 1,
    OutboxKind.INVITATION: 1,
    OutboxKind.NOTICE: 1,
    OutboxKind.REMINDER: 2,
    OutboxKind.RECALL: 2,
    OutboxKind.CIRCULAR: 2,
}


def queue(  # noqa: PLR0913 - the columns of a message, each by name
    session: Session,
    words: Words,
    *,
    kind: OutboxKind,
    channel: Channel,
    address: str,
    now: datetime,
    dedupe_key: str,
    referent_id: int | None = None,
    question_id: int | None = None,
    inbox_id: int | None = None,
    after: datetime | None = None,
) -> int | None:
    """The outbox id of the (first part of the) message; None when `dedupe_key` is there already.

    What is too long for one Telegram message becomes several rows: `<dedupe_key>:2` and so on; files follow the text,
    `<dedupe_key>:files-1` and so on. A mail carries everything.
    """
    values: dict[str, Any] = {
        "kind": kind,
        "urgency": URGENCY[kind],
        "channel": channel,
        "address": address,
        "referent_id": referent_id,
        "question_id": question_id,
        "inbox_id": inbox_id,
        "dedupe_key": dedupe_key,
        "created_at": now,
        "next_at": after or now,
    }
    whole = replace(words, files=()) if channel is Channel.TELEGRAM else words
    parts = split_words(whole) if channel is Channel.TELEGRAM else [whole]
    outbox_id = insert_message(session, values | {"body": parts[0].to_json()})
    if outbox_id is not None and len(parts) > 1:
        queue_parts(session, parts[1:], values)
    if outbox_id is not None and words.files and channel is Channel.TELEGRAM:
        queue_files(session, words, values)
    return outbox_id


def queue_files(session: Session, words: Words, values: dict[str, Any]) -> None:
    """Behind the text, as Telegram groups them: up to ten photos, or up to ten documents. The subject stands below."""
    found = enclosures(session, words.files)
    photos = [id_ for id_, one in found.items() if one.is_photo]
    others = [id_ for id_, one in found.items() if not one.is_photo]
    groups = [kind[at : at + GROUP] for kind in (photos, others) for at in range(0, len(kind), GROUP)]
    for number, group in enumerate(groups, 1):
        below = Words(html=str(escape(words.subject)), subject=words.subject, files=tuple(group))
        key = f"{values['dedupe_key']}:files-{number}"
        insert_message(session, values | {"dedupe_key": key, "body": below.to_json()})


def enclosures(session: Session, ids: Sequence[int]) -> dict[int, Enclosure]:
    """The kept files among these attachments, in the order given."""
    rows = {row.id: row for row in attachments.kept(session, ids)}
    return {
        id_: Enclosure(row.name, row.sha256 or "", row.size, row.type_seen)
        for id_ in ids
        if (row := rows.get(id_)) is not None
    }


def queue_parts(session: Session, parts: list[Words], values: dict[str, Any]) -> None:
    """The rows after the first one of a split message; `values` are the first one's columns."""
    for number, part in enumerate(parts, 2):
        key = f"{values['dedupe_key']}:{number}"
        insert_message(session, values | {"dedupe_key": key, "body": part.to_json() | {"part": number}})


def queue_to(  # noqa: PLR0913 - the columns of a message, each by name
    session: Session,
    referent_id: int,
    words: Words,
    *,
    kind: OutboxKind,
    now: datetime,
    dedupe_key: str,
    question_id: int | None = None,
    inbox_id: int | None = None,
    prefer: Channel | None = None,
    after: datetime | None = None,
    ways: Mapping[Channel, Address] | None = None,
) -> int | None:
    """Queues on `prefer`, else on the way they prefer, else Telegram, e-mail, PEC; None when nothing reaches
    them, or twice.

    `ways`: their working addresses as `reachable_addresses` orders them, when the caller has looked them up already.

    What is KEPT and reaches nobody stays for the day on which a way opens again (`delivery/doors.py`).
    """
    reachable = people.reachable_addresses(session, referent_id) if ways is None else ways
    channel = next((one for one in (prefer, *reachable) if one in reachable), None)
    if channel is None:
        if kind in KEPT:
            ids = {"referent_id": referent_id, "question_id": question_id, "inbox_id": inbox_id}
            _keep(session, words, ids | {"kind": kind, "dedupe_key": dedupe_key, "created_at": now, "next_at": now})
        return None
    return queue(
        session,
        words,
        kind=kind,
        channel=channel,
        address=reachable[channel].value,
        now=now,
        dedupe_key=dedupe_key,
        referent_id=referent_id,
        question_id=question_id,
        inbox_id=inbox_id,
        after=after,
    )


def _keep(session: Session, words: Words, values: dict[str, Any]) -> None:
    """As not delivered, at the address that worked last; nothing to keep it by when there never was one."""
    ways = (people.address_of(session, values["referent_id"], way) for way in people.WAYS)
    closed = next((way for way in ways if way is not None), None)
    if closed is not None:
        where = {"channel": closed.channel, "address": closed.value, "urgency": URGENCY[values["kind"]]}
        dead = {"state": OutboxState.DEAD, "error": NO_WAY, "body": words.to_json() | {CLOSED: True}}
        insert_message(session, values | where | dead)
