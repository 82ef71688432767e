"""Writes down what became of messages, many in one transaction of the caller. Refuses to send and to commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from delivery import doors
from delivery.errors import Blocked, DeliveryError, Migrated, NeverLeft, Throttled, Uncertain
from delivery.lanes import Lanes
from delivery.outbox import CLOSED
from delivery.parcel import Outcome, Parcel
from delivery.verdicts import FALLS_BACK, Verdict, judge
from storage import audit, dispatching, people
from storage.crash import crashpoint
from storage.dispatching import Sent
from storage.tables import Channel, OutboxState

log = structlog.get_logger()

THROTTLE_WEIGHT = 0.3  # a 429 usually concerns one chat; ten in a row concern the bot


def note(lanes: Lanes, outcomes: Iterable[Outcome]) -> set[Channel]:
    """Remembers who has to wait; the channels that just came out of trouble. May be repeated without harm."""
    recovered = set()
    for outcome in outcomes:
        health, at = lanes.of(outcome.parcel.channel), outcome.at.timestamp()
        if outcome.error is None:
            if health.succeeded(at):
                lanes.reopen(outcome.parcel.channel)
                recovered.add(outcome.parcel.channel)
            continue
        if isinstance(outcome.error, Throttled):
            health.failed(at, THROTTLE_WEIGHT)
        elif isinstance(outcome.error, NeverLeft | Uncertain):
            health.failed(at)
        verdict = _verdict(outcome.parcel, outcome.error, outcome.at)
        if verdict.next_at is not None and verdict.next_at > outcome.at:
            unconnected = isinstance(outcome.error, NeverLeft)
            until = verdict.next_at.timestamp()
            lanes.close(outcome.parcel.channel, outcome.parcel.address, until, unconnected=unconnected)
    return recovered


def write(session: Session, outcomes: Iterable[Outcome], recovered: set[Channel], now: datetime) -> None:
    """One statement for all that went well, a few for each that did not."""
    sent = []
    for outcome in outcomes:
        parcel = outcome.parcel
        if outcome.error is not None:
            _write_failure(session, parcel, outcome.error, outcome.at)
            continue
        sent.append(Sent(parcel.id, parcel.attempt, outcome.provider_id, outcome.at, outcome.further))
        if parcel.thought_unreachable:
            doors.taken(session, parcel.channel, parcel.address, now)
        log.info("outbox.sent", outbox=parcel.id, channel=parcel.channel.value, attempt=parcel.attempt)
    dispatching.mark_sent(session, sent)
    for channel in recovered:
        dispatching.hasten(session, channel, NeverLeft.REASON, now)
    crashpoint("before-result-commit")


def _verdict(parcel: Parcel, error: DeliveryError, at: datetime) -> Verdict:
    flags = {str(name) for name in ("plain", "documents", "migrated") if name in parcel.body}
    if parcel.possible_duplicate:
        flags.add("possible_duplicate")
    if parcel.channel is Channel.PEC:
        flags.add("certified")
    return judge(error, parcel.attempt, frozenset(flags), at)


def _write_failure(session: Session, parcel: Parcel, error: DeliveryError, at: datetime) -> None:
    verdict = _verdict(parcel, error, at)
    ours = dispatching.finish(session, parcel.id, parcel.attempt, _values(parcel, error, verdict))
    _log(parcel, error, verdict, ours)
    if not ours:
        return
    if isinstance(error, Migrated) and verdict.state is OutboxState.RETRY:
        _move(session, parcel, error.address)
    if isinstance(error, Blocked) and _settled(session, parcel, error, at):
        return
    if verdict.state in {OutboxState.DEAD, OutboxState.UNCERTAIN}:
        audit.record(session, at, ("system", None), f"outbox.{verdict.state.value}", ("outbox", parcel.id))


def _settled(session: Session, parcel: Parcel, error: Blocked, at: datetime) -> bool:
    """Whether nobody need look at a message whose door is closed: it goes another way, or it was of use only there."""
    if parcel.id in doors.close(session, parcel.channel, parcel.address, error.reason, at, refused=[parcel.id]):
        return True
    if parcel.kind in FALLS_BACK:
        return False
    dispatching.leave(session, {parcel.id}, OutboxState.WITHHELD)
    return True


def _values(parcel: Parcel, error: DeliveryError, verdict: Verdict) -> dict[str, Any]:
    """The columns that change."""
    values: dict[str, Any] = {"state": verdict.state, "error": verdict.error}
    if verdict.next_at is not None:
        values["next_at"] = verdict.next_at
    if verdict.possible_duplicate:
        values["possible_duplicate"] = True
    if verdict.flag:
        values["body"] = parcel.body | {verdict.flag: True}
    if isinstance(error, Blocked):
        values["body"] = parcel.body | {CLOSED: True}
    if verdict.refund:
        values["attempts"] = parcel.attempt - 1
    if isinstance(error, Migrated) and verdict.state is OutboxState.RETRY:
        values["address"] = error.address
    return values


def _log(parcel: Parcel, error: DeliveryError, verdict: Verdict, ours: bool) -> None:
    known = {"outbox": parcel.id, "channel": parcel.channel.value, "attempt": parcel.attempt, "reason": verdict.error}
    if not ours:
        log.warning("outbox.late_result", **known)
    elif isinstance(error, Blocked):  # their door, not our fault; what becomes of the message is in its row
        log.warning("outbox.door_closed", **known)
    elif verdict.state in {OutboxState.DEAD, OutboxState.UNCERTAIN}:
        log.error(f"outbox.{verdict.state.value}", **known)
    else:
        log.warning(f"outbox.{verdict.state.value}", **known)


def _move(session: Session, parcel: Parcel, address: str) -> None:
    """The chat's other messages and its owner's address move too, unless the new one is known already."""
    try:
        with session.begin_nested():
            people.move_address(session, parcel.channel, parcel.address, address)
    except IntegrityError:
        log.info("address.known", outbox=parcel.id)
    dispatching.readdress(session, parcel.channel, parcel.address, address)


def interrupted(session: Session, now: datetime, ours: set[int], *, whatever_lease: bool) -> None:
    """What a dead process was sending may have arrived: again, marked; after several times it stays uncertain."""
    again, uncertain = dispatching.left_behind(session, now, ours, whatever_lease=whatever_lease)
    for outbox_id in again:
        log.warning("outbox.interrupted", outbox=outbox_id)
    for outbox_id in uncertain:
        log.error("outbox.uncertain", outbox=outbox_id, reason="interrupted")
        audit.record(session, now, ("system", None), "outbox.uncertain", ("outbox", outbox_id))


def closed_lanes(session: Session, lanes: Lanes, now: datetime) -> None:
    """Fills the memory of a new dispatcher: who waits for another try."""
    lanes.forget()
    for channel, address, until, error in dispatching.waiting_addresses(session, now):
        unconnected = (error or "").startswith(NeverLeft.REASON)
        lanes.close(channel, address, until.timestamp(), unconnected=unconnected)
