"""Queries on people registered twice: who may be, and everything of one becoming the other's. Decides nothing.

Every column that names a referent is named here (`MOVED`, or a function of its own): a test walks all tables, so that
a new one cannot be forgotten.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col

from facts.folding import fold
from storage import halts
from storage.people import here
from storage.tables import (
    Address,
    Addressee,
    Album,
    Channel,
    Decision,
    Delegation,
    Draft,
    DraftState,
    Following,
    Membership,
    Outcome,
    Reason,
    Referent,
    Snooze,
)
from storage.touched import touch

# Simply another name in the column: nothing there is one per person.
MOVED = (
    ("address", "referent_id"),
    ("invitation", "referent_id"),
    ("personal_link", "referent_id"),
    ("access_request", "referent_id"),
    ("letter", "referent_id"),
    ("reply_address", "referent_id"),
    ("question", "referent_id"),
    ("message", "referent_id"),
    ("update", "referent_id"),
    ("answer_change", "referent_id"),
    ("attachment", "referent_id"),
    ("outbox", "referent_id"),
    ("extension", "referent_id"),
    ("feed", "referent_id"),
)
# One per person, or naming two people: each with its own rule below.
RULED = (
    ("membership", "referent_id"),
    ("following", "referent_id"),
    ("decision", "referent_id"),
    ("addressee", "referent_id"),
    ("snooze", "referent_id"),
    ("draft", "referent_id"),
    ("album", "referent_id"),
    ("delegation", "referent_id"),
    ("delegation", "substitute_id"),
    ("referent", "substitute_id"),
    ("referent", "successor_id"),
    ("referent", "merged_into_id"),
)
MOST_PAIRS = 200  # shown at once: who has more has imported a file twice


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who may be one: they have the same name, or the same letters before the @."""

    one: Referent
    other: Referent
    same_name: bool


# --- who may be registered twice


def likely_pairs(session: Session) -> Sequence[Pair]:
    """Same name in a common organisation, or the same local part of an address; names read and folded here."""
    people = {one.id: one for one in session.scalars(select(Referent).where(here()))}
    by_name = _groups((fold(one.name), one.id) for one in people.values())
    places = _places(session)
    found = {pair: True for pair in _pairs(by_name) if places[pair[0]] & places[pair[1]]}
    for pair in _pairs(_local_parts(session)):
        if pair[0] in people and pair[1] in people:
            found.setdefault(pair, False)
    ordered = sorted(found, key=lambda pair: (fold(people[pair[0]].name), pair))
    return [Pair(people[one], people[other], found[one, other]) for one, other in ordered[:MOST_PAIRS]]


def _places(session: Session) -> defaultdict[int, set[int]]:
    places: defaultdict[int, set[int]] = defaultdict(set)
    for referent_id, organization_id in session.execute(
        select(col(Membership.referent_id), col(Membership.organization_id))
    ):
        places[referent_id].add(organization_id)
    return places


def _local_parts(session: Session) -> dict[str, list[int]]:
    """`info@` is everybody's: only what has a dot, as names have, tells anything."""
    rows = session.execute(
        select(col(Address.value), col(Address.referent_id)).where(col(Address.channel) == Channel.EMAIL)
    )
    return _groups((value.split("@")[0], id_) for value, id_ in rows if "." in value.split("@")[0])


def _groups(keyed: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for key, id_ in keyed:
        groups[key].append(id_)
    return groups


def _pairs(groups: dict[str, list[int]]) -> Iterable[tuple[int, int]]:
    for ids in groups.values():
        yield from combinations(sorted(set(ids)), 2)


# --- one of two


def claim(session: Session, gone_id: int, stays_id: int) -> bool:
    """True for whoever comes first; who is here no more is neither merged nor merged into."""
    ours = session.scalars(select(Referent).where(col(Referent.id).in_((gone_id, stays_id))).with_for_update()).all()
    if len(ours) != 2:
        return False
    merged = update(Referent).where(col(Referent.id) == gone_id, here(), _still_here(stays_id))
    return (
        _count(session, merged.values(merged_into_id=stays_id, substitute_id=None, away_from=None, away_until=None))
        == 1
    )


def _still_here(referent_id: int) -> Any:
    other = aliased(Referent)
    whole = (col(other.id) == referent_id, col(other.left_at).is_(None), col(other.merged_into_id).is_(None))
    return exists().where(*whole)


def album_open(session: Session, *referent_ids: int) -> bool:
    """Photos of one of them are coming in this very moment."""
    these = select(col(Album.id)).where(col(Album.referent_id).in_(referent_ids), col(Album.closed_at).is_(None))
    return session.execute(these.limit(1)).first() is not None


def move_all(session: Session, gone_id: int, stays_id: int, now: datetime) -> dict[str, int]:
    """Table → how many rows became the other's. Delegations between the two must be over before."""
    moved = {table: _move(session, table, column, gone_id, stays_id) for table, column in MOVED}
    moved["membership"] = _move_memberships(session, gone_id, stays_id)
    moved["following"] = _move_followings(session, gone_id, stays_id)
    moved["decision"] = _move_decisions(session, gone_id, stays_id)
    moved["addressee"] = _move_addressees(session, gone_id, stays_id)
    moved["snooze"] = _move_snoozes(session, gone_id, stays_id, now)
    moved["draft"] = _move_drafts(session, gone_id, stays_id, now)
    moved["album"] = _move(session, "album", "referent_id", gone_id, stays_id)
    moved["delegation"] = _move(session, "delegation", "referent_id", gone_id, stays_id)
    moved["delegation"] += _move(session, "delegation", "substitute_id", gone_id, stays_id)
    moved["halt"] = halts.move(session, gone_id, stays_id, now)
    _point_elsewhere(session, gone_id, stays_id)
    session.expire_all()
    touch(session, Referent, [stays_id])
    return {table: count for table, count in moved.items() if count}


def _move(session: Session, table: str, column: str, gone_id: int, stays_id: int, *which: Any) -> int:
    whole = SQLModel.metadata.tables[table]
    theirs = update(whole).where(whole.c[column] == gone_id, *which).values({column: stays_id})
    return session.connection().execute(theirs).rowcount


def _move_memberships(session: Session, gone_id: int, stays_id: int) -> int:
    """Where both are, the role that stays is the one that is written."""
    mine = {
        one.organization_id: one
        for one in session.scalars(select(Membership).where(col(Membership.referent_id) == stays_id))
    }
    theirs = session.scalars(select(Membership).where(col(Membership.referent_id) == gone_id)).all()
    for one in theirs:
        if one.organization_id in mine:
            mine[one.organization_id].role = mine[one.organization_id].role or one.role
        else:
            session.add(Membership(referent_id=stays_id, organization_id=one.organization_id, role=one.role))
        session.delete(one)
    session.flush()
    return len(theirs)


def _move_followings(session: Session, gone_id: int, stays_id: int) -> int:
    """Of a project that both follow: since the earlier day, and in their own right when one of them does."""
    mine = {
        one.project_id: one for one in session.scalars(select(Following).where(col(Following.referent_id) == stays_id))
    }
    theirs = session.scalars(select(Following).where(col(Following.referent_id) == gone_id)).all()
    for one in theirs:
        known = mine.get(one.project_id)
        if known is None:
            new = Following(
                referent_id=stays_id, project_id=one.project_id, since=one.since, delegation_id=one.delegation_id
            )
            session.add(new)
        else:
            known.since = min(known.since, one.since)
            known.delegation_id = known.delegation_id if one.delegation_id is not None else None
        session.delete(one)
    session.flush()
    return len(theirs)


def _move_decisions(session: Session, gone_id: int, stays_id: int) -> int:
    """What was decided for both stays under both names: it is the proof of two reminders."""
    mine = aliased(Decision)
    both = select(col(mine.step_id)).where(col(mine.referent_id) == stays_id)
    return _move(session, "decision", "referent_id", gone_id, stays_id, col(Decision.step_id).not_in(both))


def _move_addressees(session: Session, gone_id: int, stays_id: int) -> int:
    """One message is enough of a circular that is for both; what each was told already stays under both names."""
    mine = aliased(Addressee)
    both = select(col(mine.circular_id)).where(col(mine.referent_id) == stays_id)
    double = delete(Addressee).where(
        col(Addressee.referent_id) == gone_id, col(Addressee.circular_id).in_(both), col(Addressee.decided_at).is_(None)
    )
    _count(session, double)
    return _move(session, "addressee", "referent_id", gone_id, stays_id, col(Addressee.circular_id).not_in(both))


def _move_snoozes(session: Session, gone_id: int, stays_id: int, now: datetime) -> int:
    """Told again once: of two that wait for one thing, theirs has been overtaken."""
    mine = aliased(Snooze)
    waiting = select(col(mine.obligation_id)).where(col(mine.referent_id) == stays_id, col(mine.decided_at).is_(None))
    double = update(Snooze).where(
        col(Snooze.referent_id) == gone_id,
        col(Snooze.decided_at).is_(None),
        col(Snooze.obligation_id).in_(waiting),
    )
    _count(session, double.values(outcome=Outcome.WITHHELD, reason=Reason.OVERTAKEN, decided_at=now))
    return _move(session, "snooze", "referent_id", gone_id, stays_id)


def _move_drafts(session: Session, gone_id: int, stays_id: int, now: datetime) -> int:
    """One is open at a time: of two, theirs is put by, and can be gone on with."""
    open_one = col(Draft.state) == DraftState.OPEN
    mine = select(col(Draft.id)).where(col(Draft.referent_id) == stays_id, open_one)
    if session.execute(mine).first() is not None:
        theirs = update(Draft).where(col(Draft.referent_id) == gone_id, open_one)
        _count(session, theirs.values(state=DraftState.PARKED, revision=col(Draft.revision) + 1, touched_at=now))
    return _move(session, "draft", "referent_id", gone_id, stays_id)


def _point_elsewhere(session: Session, gone_id: int, stays_id: int) -> None:
    """Whoever named the one names the other, but nobody themselves."""
    for column in ("substitute_id", "successor_id", "merged_into_id"):
        _move(session, "referent", column, gone_id, stays_id, col(Referent.id) != stays_id)
        themselves = update(Referent).where(
            col(Referent.id) == stays_id, SQLModel.metadata.tables["referent"].c[column] == gone_id
        )
        _count(session, themselves.values({column: None}))


def held_between(session: Session, gone_id: int, stays_id: int) -> Sequence[int]:
    """Open delegations that cannot be one person's: of one to the other, and the absence of one of two away."""
    ids = (gone_id, stays_id)
    open_ones = session.scalars(
        select(Delegation).where(col(Delegation.ended_at).is_(None), col(Delegation.referent_id).in_(ids))
    ).all()
    mine_away = any(one.referent_id == stays_id and one.substitute_id != gone_id for one in open_ones)
    return [one.id for one in open_ones if one.substitute_id in ids or (one.referent_id == gone_id and mine_away)]


def telegram_of(session: Session, referent_id: int) -> Sequence[Address]:
    """Their chats, the one to keep first: one that works, then the one that was linked first."""
    theirs = select(Address).where(col(Address.referent_id) == referent_id, col(Address.channel) == Channel.TELEGRAM)
    return session.scalars(theirs.order_by(col(Address.unreachable_since).is_not(None), col(Address.id))).all()


def _count(session: Session, statement: Any) -> int:
    result: CursorResult[Any] = session.execute(statement.execution_options(synchronize_session="fetch"))  # type: ignore[assignment]
    return result.rowcount
