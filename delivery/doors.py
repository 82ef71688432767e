"""What happens when a way to somebody closes, and when it opens again. Refuses to send and to commit.

Closed: what waits there and must reach the person goes by another way that is open, at once and once. What has none
to go by stays, and staff see it. Opened: what nobody could tell them meanwhile is put in line again. A chat that is
theirs no more is left to whoever has it next: what waits there for them follows them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from delivery.missed import tell_missed
from delivery.outbox import CLOSED, KEPT, NO_WAY, URGENCY, queue_files, queue_parts
from delivery.verdicts import FALLS_BACK
from delivery.words import Words, split_words
from storage import addressees, audit, dispatching, people
from storage.outbox import insert_message
from storage.tables import Channel, OutboxKind, OutboxState, WhyNot

# What somebody whom nothing reaches hears later: told as it is, or gathered anew with what is due then.
TOLD_LATER = KEPT | {OutboxKind.REMINDER}
# What shows that a mailbox is theirs, or answers what came from it: elsewhere it would show and answer nothing.
OF_THAT_MAILBOX = frozenset({OutboxKind.INVITATION, OutboxKind.CODE, OutboxKind.AUTO_REPLY})


def close(
    session: Session, channel: Channel, value: str, reason: str, now: datetime, *, refused: Collection[int] = ()
) -> set[int]:
    """This address takes nothing any more. `refused`: messages that were told so. Which messages go another way.

    A certified mail does not: that somebody was told by certified mail, nothing else can say.
    """
    address = people.mark_unreachable(session, channel, value, reason, now)
    if address is not None:
        audit.record(session, now, ("system", None), "address.unreachable", ("address", address.id))
    moved: set[int] = set()
    if channel is not Channel.PEC:
        for parts in _messages(dispatching.waiting_at(session, channel, value, besides=refused)):
            moved |= _go_another_way(session, parts, now)
    return moved


def taken(session: Session, channel: Channel, value: str, now: datetime) -> None:
    """A provider took a message for this address. A mailbox from which mail has come back may do that all the time."""
    if channel is Channel.TELEGRAM or not people.has_bounced(session, channel, value):
        open_again(session, channel, value, now)


def open_again(session: Session, channel: Channel, value: str, now: datetime) -> bool:
    """This address works: they wrote from it, or it took a message. False when nobody thought otherwise."""
    address = people.mark_reachable(session, channel, value)
    if address is None:
        return False
    audit.record(session, now, ("system", None), "address.reachable", ("address", address.id))
    tell_kept(session, address.referent_id, channel, value, now)
    return True


def tell_kept(session: Session, referent_id: int, channel: Channel, value: str, now: datetime) -> None:
    """This way to them is open, or new: what nobody could tell them leaves by it; of the reminders, what is due."""
    tell_missed(session, referent_id, now)
    for row in dispatching.dead_to(session, referent_id, KEPT):
        if row.body.get(CLOSED):
            _put_in_line(session, row, channel, value, now)


def follow(session: Session, referent_id: int, chat: str, now: datetime) -> None:
    """This chat is not theirs: what waits there for them goes where they are reached now, or waits until they are.

    A prompt stays, being of use only there, unless somebody else reads it by now.
    """
    theirs = [row for row in dispatching.waiting_at(session, Channel.TELEGRAM, chat) if row.referent_id == referent_id]
    new = people.reachable_addresses(session, referent_id).get(Channel.TELEGRAM)
    if new is not None:
        dispatching.redirect(session, [row.id for row in theirs], new.value)
        return
    taken = people.referent_at(session, Channel.TELEGRAM, chat) is not None
    for parts in _messages(theirs):
        if parts[0].kind in FALLS_BACK:
            if not _go_another_way(session, parts, now):
                _put_by(session, parts, now)
        elif taken:
            dispatching.leave(session, [row.id for row in parts], OutboxState.WITHHELD)


def _put_by(session: Session, parts: Sequence[Any], now: datetime) -> None:
    """No way is open: as not delivered, for the day on which one is. What would come too late then is not said."""
    if parts[0].kind not in TOLD_LATER:
        dispatching.leave(session, [row.id for row in parts], OutboxState.WITHHELD)
        addressees.leave_out_message(session, parts[0].id, WhyNot.UNREACHABLE)
        return
    for row in parts:
        dead = {"state": OutboxState.DEAD, "error": NO_WAY, "body": row.body | {CLOSED: True}}
        dispatching.postpone(session, row.id, dead)
        audit.record(session, now, ("system", None), "outbox.dead", ("outbox", row.id))


def _messages(rows: Sequence[Any]) -> list[list[Any]]:
    """The parts of a split message together, each message where its first part stands."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(_first_key(row), []).append(row)
    return list(found.values())


def _first_key(row: Any) -> str:
    part = row.body.get("part", 1)
    key: str = row.dedupe_key
    return key.removesuffix(f":{part}") if part > 1 else key


def _go_another_way(session: Session, parts: Sequence[Any], now: datetime) -> set[int]:
    """One message for all the parts that were not taken: their ids. None when no other way is open, or no need."""
    first = parts[0]
    if first.referent_id is None or not _may_go_elsewhere(first):
        return set()
    reachable = people.reachable_addresses(session, first.referent_id)
    ways = ((channel, address.value) for channel, address in reachable.items())
    way = next((one for one in ways if one != (first.channel, first.address)), None)
    if way is None:
        return set()
    # Ours first: one that is being sent at this moment has its own answer to wait for.
    ours = dispatching.leave(session, [row.id for row in parts], OutboxState.MOVED)
    parts = [row for row in parts if row.id in ours]
    if parts:
        _leave_by(session, parts, way, now)
    return ours


def _may_go_elsewhere(row: Any) -> bool:
    return row.kind in FALLS_BACK and (row.channel is Channel.TELEGRAM or row.kind not in OF_THAT_MAILBOX)


def _leave_by(session: Session, parts: Sequence[Any], way: tuple[Channel, str], now: datetime) -> None:
    first, (channel, address) = parts[0], way
    values = {
        "kind": first.kind,
        "urgency": URGENCY[first.kind],
        "channel": channel,
        "address": address,
        "referent_id": first.referent_id,
        "question_id": first.question_id,
        "dedupe_key": f"{first.dedupe_key}:{channel.value}",
        "created_at": now,
        "next_at": now,
    }
    # It may have arrived before the door was closed.
    doubtful = {"possible_duplicate": any(row.possible_duplicate for row in parts)}
    whole = _whole([row.body for row in parts])
    if channel is not Channel.TELEGRAM:
        _goes(session, parts, insert_message(session, values | doubtful | {"body": whole}))
        return
    words = Words.from_json(whole)
    pages = split_words(replace(words, files=()))
    part = {"part": whole["part"]} if "part" in whole else {}
    _goes(session, parts, insert_message(session, values | doubtful | {"body": pages[0].to_json() | part}))
    queue_parts(session, pages[1:], values)
    if words.files:
        queue_files(session, words, values)


def _goes(session: Session, parts: Sequence[Any], new_id: int | None) -> None:
    """A circular knows by which message somebody was told."""
    if new_id is not None and parts[0].kind is OutboxKind.CIRCULAR:
        addressees.went_another_way(session, [row.id for row in parts], new_id)


def _whole(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One message for all parts. One that begins with a later part keeps its number: it is not to be worded anew."""
    first = {name: parts[0][name] for name in ("subject", "part") if name in parts[0]}
    last = {"buttons": parts[-1]["buttons"]} if "buttons" in parts[-1] else {}
    files = [one for part in parts for one in part.get("files", ())]
    return first | last | ({"files": files} if files else {}) | {"html": "\n\n".join(part["html"] for part in parts)}


def _put_in_line(session: Session, row: Any, channel: Channel, value: str, now: datetime) -> None:
    """As if it had just been written, for the way that is open now."""
    whole = Words.from_json(row.body)
    alone = ":files-" in row.dedupe_key  # files that had left their text behind already
    words = replace(whole, files=()) if channel is Channel.TELEGRAM and not alone else whole
    parts = split_words(words) if channel is Channel.TELEGRAM else [words]
    part = {"part": row.body["part"]} if "part" in row.body else {}
    fresh = {"channel": channel, "address": value, "next_at": now, "body": parts[0].to_json() | part}
    if not dispatching.revive(session, row.id, fresh):
        return
    kept = ("kind", "urgency", "referent_id", "question_id", "inbox_id", "dedupe_key")
    values = {name: getattr(row, name) for name in kept} | fresh | {"created_at": now}
    queue_parts(session, parts[1:], values)
    if words.files != whole.files:
        queue_files(session, whole, values)
