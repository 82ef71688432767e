"""Chooses what goes next and marks it as being sent, in the caller's transaction. Refuses to send.

Urgent before less urgent, then old before new; one message in flight per address; limits and closed lanes respected.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row
from sqlmodel import Session

from delivery import doors
from delivery.errors import DeliveryError
from delivery.lanes import Lanes
from delivery.limits import Limits
from delivery.outbox import enclosures, queue_parts
from delivery.parcel import Parcel
from delivery.stamp import Stamp
from delivery.verdicts import FALLS_BACK, IN_OFFICE_HOURS, MARKED, judge
from delivery.words import Words, split_words, with_secret
from facts.calendar import OFFICE_ZONE, next_working_instant, within_working_hours
from facts.languages import Language, speaking
from storage import dispatching
from storage.tables import Channel, Outbox, OutboxKind

Wording = Callable[[Session, Outbox, datetime], Words | None]

PAGE = 64
NEXT_PAGES = 256
PAGES = 20  # one claim looks at no more than this: thousands of closed lanes must not hold the database
LEASE = timedelta(seconds=180)  # longer than any send can last
_MISFIT = "it could not be worded"
_JOINED = {"language", "thought_unreachable", "holder"}  # what comes with a row and is no column of its table

log = structlog.get_logger()


@dataclass(slots=True)
class Desk:
    """What a claim needs to know: who waits, what may go, how things are worded."""

    lanes: Lanes
    limits: Limits
    still_due: Mapping[OutboxKind, Wording]
    stamp: Stamp


@dataclass(slots=True)
class Claim:
    """Messages to send now, and in how many seconds it is worth looking again (None: when something happens).

    `crowded`: others wait for a place, or behind one of these in their lane.
    """

    parcels: list[Parcel]
    again_in: float | None = None
    crowded: bool = False

    def wait(self, seconds: float) -> None:
        self.again_in = seconds if self.again_in is None else min(self.again_in, seconds)


def claim_due(
    session: Session, desk: Desk, room: Mapping[Channel, int], busy: set[tuple[Channel, str]], now: datetime
) -> Claim:
    """At most `room[channel]` messages each, none to an address in `busy`."""
    claim = Claim([])
    chosen = _choose(session, desk, dict(room), set(busy), (now, claim))
    worded = [(row, words) for row in chosen if (words := _word(session, desk, row, now)) is not None]
    ours = dispatching.claim(session, [row.id for row, _ in worded], now + LEASE)
    claim.parcels = [_pack(session, desk, row, words, now) for row, words in worded if row.id in ours]
    if len(claim.parcels) < len(chosen):
        claim.wait(0.0)  # withheld or lost to somebody: there is room for others
    return claim


def _choose(
    session: Session,
    desk: Desk,
    room: dict[Channel, int],
    busy: set[tuple[Channel, str]],
    moment: tuple[datetime, Claim],
) -> list[Row[Any]]:
    now, claim = moment
    chosen: list[Row[Any]] = []
    after, size, elsewhere = (-1, 0), PAGE, set[str]()
    for _ in range(PAGES):
        open_channels = _open(desk, room, now.timestamp(), claim)
        if not open_channels:
            break
        rows = dispatching.due(session, open_channels, now, after, size, elsewhere=elsewhere)
        not_now = _put_off(session, rows, now) | _follow(session, rows, (now, claim))
        for row in rows:
            if row.id in not_now:
                continue
            if room[row.channel] <= 0 or (row.channel, row.address) in busy:
                claim.crowded = True
            elif _may_go(desk, row, busy, now.timestamp(), claim):
                room[row.channel] -= 1
                busy.add((row.channel, row.address))
                chosen.append(row)
        if len(rows) < size:
            break
        after, size = (rows[-1].urgency, rows[-1].id), NEXT_PAGES
        elsewhere = {address for _, address in busy}
    claim.crowded = claim.crowded or any(places <= 0 for places in room.values())
    return chosen


def _put_off(session: Session, rows: Sequence[Row[Any]], now: datetime) -> set[int]:
    """Reminders leave in working hours, also those that an outage, a limit or a closed door held up: their ids."""
    reminders = {row.id for row in rows if row.kind in IN_OFFICE_HOURS}
    if not reminders or within_working_hours(now, OFFICE_ZONE):
        return set()
    dispatching.put_off(session, reminders, next_working_instant(now, OFFICE_ZONE))
    return reminders


def _follow(session: Session, rows: Sequence[Row[Any]], moment: tuple[datetime, Claim]) -> set[int]:
    """What was left in a chat that its reader has given up, or somebody else has now, follows them: their ids."""
    now, claim = moment
    astray = [row for row in rows if _is_astray(row)]
    for chat, referent_id in sorted({(row.address, row.referent_id) for row in astray}):
        doors.follow(session, referent_id, chat, now)
    if astray:
        claim.wait(0.0)  # they may go at once, by another way
    return {row.id for row in astray}


def _is_astray(row: Row[Any]) -> bool:
    """A prompt may go to a chat that is nobody's: the goodbye to who leaves does."""
    if row.channel is not Channel.TELEGRAM or row.referent_id is None or row.holder == row.referent_id:
        return False
    return row.holder is not None or row.kind in FALLS_BACK


def _open(desk: Desk, room: dict[Channel, int], at: float, claim: Claim) -> list[Channel]:
    """The channels that may take one more message now."""
    channels = [channel for channel, places in room.items() if places > 0]
    wait = desk.limits.bot_wait(at) if Channel.TELEGRAM in channels else 0.0
    if wait > 0:
        channels.remove(Channel.TELEGRAM)
        claim.wait(wait)
    return channels


def _may_go(desk: Desk, row: Row[Any], busy: set[tuple[Channel, str]], at: float, claim: Claim) -> bool:
    wait = desk.lanes.closed_for(row.channel, row.address, at)
    if row.channel is Channel.TELEGRAM and wait <= 0:
        messages = max(1, len(row.body.get("files", ())))  # to Telegram an album is as many as it has parts
        wait = max(desk.limits.bot_wait(at, messages), desk.limits.chat_wait(row.address, at, messages))
        if wait <= 0:
            desk.limits.set_off(row.address, messages)
    if wait > 0:
        claim.wait(wait)
        # Those behind it in the same lane wait with it, also when the clock is about to let one pass.
        busy.add((row.channel, row.address))
    return wait <= 0


def _word(session: Session, desk: Desk, row: Row[Any], now: datetime) -> Words | None:
    """What to say; None when nothing is left to say (written down) or it cannot be said now (postponed)."""
    wording = desk.still_due.get(row.kind)
    try:
        if wording is None or "part" in row.body:
            return Words.from_json(row.body)
        with session.begin_nested():
            return _word_now(session, row, wording, now)
    except Exception as error:
        log.exception("outbox.misfit", outbox=row.id, error=type(error).__name__)
        verdict = judge(DeliveryError(_MISFIT, permanent=False), row.attempts + 1, frozenset(), now)
        values = {"state": verdict.state, "error": _MISFIT, "attempts": row.attempts + 1}
        dispatching.postpone(session, row.id, values | ({"next_at": verdict.next_at} if verdict.next_at else {}))
        return None


def _word_now(session: Session, row: Row[Any], wording: Wording, now: datetime) -> Words | None:
    columns = {name: value for name, value in row._mapping.items() if name not in _JOINED}
    words = wording(session, Outbox(**columns), now)
    if words is None:
        dispatching.withhold(session, [row.id])
        log.info("outbox.withheld", outbox=row.id)
        return None
    parts = split_words(words) if row.channel is Channel.TELEGRAM else [words]
    flags = {name: row.body[name] for name in ("plain", "documents", "migrated") if name in row.body}
    body = parts[0].to_json() | flags
    if body != row.body:
        dispatching.set_body(session, row.id, row.channel, body)
    if len(parts) > 1:
        kept = ("kind", "urgency", "channel", "address", "referent_id", "question_id", "inbox_id", "dedupe_key")
        values = {name: columns[name] for name in kept} | {"created_at": now, "next_at": now}
        queue_parts(session, parts[1:], values)
    return parts[0]


def _pack(session: Session, desk: Desk, row: Row[Any], words: Words, now: datetime) -> Parcel:
    language = Language(row.language or Language.IT)
    words = with_secret(words)
    bare = Parcel(
        id=row.id,
        attempt=row.attempts + 1,
        kind=row.kind,
        channel=row.channel,
        address=row.address,
        dedupe_key=row.dedupe_key,
        words=_marked(words, language) if row.possible_duplicate and row.kind in MARKED else words,
        body=row.body,
        possible_duplicate=row.possible_duplicate,
        referent_id=row.referent_id,
        question_id=row.question_id,
        language=language,
        claimed_at=now,
        thought_unreachable=row.thought_unreachable,
        files=tuple(enclosures(session, words.files).values()) if words.files else (),
    )
    return desk.stamp.on(session, bare, row, now)


def _marked(words: Words, language: Language) -> Words:
    _ = speaking(language)
    return replace(words, html=f"<i>({_('possible duplicate')})</i>\n\n{words.html}")
