"""Queries of what staff write first: drafts, what is being sent, what came back. Decides nothing about who may.

A change of state is one UPDATE that names the version its author saw; False means that somebody was quicker. To whom
one goes is in `storage/addressees.py`; by which filter people are chosen, in `storage/recipients.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.tables import (
    Addressee,
    Attachment,
    Circular,
    CircularState,
    Outbox,
    OutboxKind,
    OutboxState,
    Question,
    Referent,
    Role,
    Staff,
)

KEY = "circular:"  # how the dedupe key of its messages begins: `circular:<circular>:<referent>`
LATEST = 10  # shown on a personal page
_ARRIVED = (OutboxState.SENT, OutboxState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Head:
    """A circular with the names of who began, confirmed and stopped it."""

    circular: Circular
    author: str
    confirmed_by: str | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A circular in a list: for how many people it was confirmed, and how many of them wrote back.

    `waits`: for somebody who may send it.
    """

    circular: Circular
    author: str
    people: int
    replies: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A question that somebody wrote in answer."""

    question: Question
    referent: str | None


def key_of(circular_id: int, referent_id: int) -> str:
    """Under which a person is told once."""
    return f"{KEY}{circular_id}:{referent_id}"


def number_in(row: Outbox) -> int | None:
    """The circular that a message of ours is, or is a part of; None for any other message."""
    number = row.dedupe_key.removeprefix(KEY).partition(":")[0]
    return int(number) if row.kind is OutboxKind.CIRCULAR and number.isdecimal() else None


def find(session: Session, circular_id: int) -> Circular | None:
    return session.get(Circular, circular_id, populate_existing=True) if circular_id else None


def head(session: Session, circular_id: int) -> Head | None:
    author, confirmed, ended = aliased(Staff), aliased(Staff), aliased(Staff)
    row = session.execute(
        select(Circular, col(author.name), col(confirmed.name), col(ended.name))
        .join(author, col(author.id) == col(Circular.created_by))
        .outerjoin(confirmed, col(confirmed.id) == col(Circular.confirmed_by))
        .outerjoin(ended, col(ended.id) == col(Circular.ended_by))
        .where(col(Circular.id) == circular_id)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else Head(*row)


def change(session: Session, circular_id: int, version: int, only_from: Sequence[CircularState], **values: Any) -> bool:
    """One step ahead of `version`; False when it is not in one of these states any more, or somebody changed it."""
    return _changed(
        session,
        update(Circular)
        .where(col(Circular.id) == circular_id, col(Circular.version) == version, col(Circular.state).in_(only_from))
        .values(version=col(Circular.version) + 1, **values),
    )


def end(session: Session, circular_id: int, state: CircularState, now: datetime, *, by: int | None = None) -> bool:
    """What is being sent has left, or was stopped, whatever its version. False when it was over before."""
    return _changed(
        session,
        update(Circular)
        .where(col(Circular.id) == circular_id, col(Circular.state) == CircularState.SENDING)
        .values(state=state, ended_at=now, ended_by=by, version=col(Circular.version) + 1),
    )


def being_sent(session: Session) -> Sequence[int]:
    """The oldest first."""
    sending = select(Circular.id).where(Circular.state == CircularState.SENDING)
    return session.exec(sending.order_by(col(Circular.confirmed_at), col(Circular.id))).all()


def hold(session: Session, circular_id: int) -> Circular | None:
    """The circular, held until our transaction ends, while it is being sent: whoever stops it waits for us."""
    these = select(Circular).where(Circular.id == circular_id, Circular.state == CircularState.SENDING)
    return session.exec(these.with_for_update().execution_options(populate_existing=True)).first()


def waits_for_an_officer() -> ColumnElement[bool]:
    """Whether (in the query around) `Circular` is a draft that `Staff`, its author, may not send."""
    return and_(col(Circular.state) == CircularState.DRAFT, col(Staff.role).not_in((Role.OFFICER, Role.ADMIN)))


def page(session: Session, *, limit: int, offset: int) -> tuple[Sequence[Line], int]:
    """Those that were not thrown away, the newest first, and how many there are."""
    kept = col(Circular.state) != CircularState.DISCARDED
    people = select(func.count()).where(Addressee.circular_id == Circular.id).correlate(Circular).scalar_subquery()
    replies = select(func.count()).where(Question.circular_id == Circular.id).correlate(Circular).scalar_subquery()
    waits: Any = waits_for_an_officer()
    rows = session.execute(
        select(Circular, col(Staff.name), people, replies)
        .add_columns(waits)
        .join(Staff, col(Staff.id) == col(Circular.created_by))
        .where(kept)
        .order_by(col(Circular.id).desc())
        .limit(limit)
        .offset(offset)
    )
    total = session.exec(select(func.count()).select_from(Circular).where(kept)).one()
    return [Line(*row) for row in rows], total


# --- files


def files_of(session: Session, circular_id: int) -> Sequence[Attachment]:
    return session.exec(
        select(Attachment).where(Attachment.circular_id == circular_id).order_by(col(Attachment.id))
    ).all()


def let_go(session: Session, circular_id: int, attachment_id: int) -> bool:
    """This file does not go along after all. It stays in the house, and belongs to nothing."""
    its = (col(Attachment.id) == attachment_id, col(Attachment.circular_id) == circular_id)
    return _changed(session, update(Attachment).where(*its).values(circular_id=None))


def take_along(session: Session, old_id: int, new_id: int) -> None:
    """The same files for another circular: rows of their own, over the same bytes."""
    for file in files_of(session, old_id):
        values = file.model_dump(exclude={"id", "circular_id"})
        session.add(Attachment(**values, circular_id=new_id))
    session.flush()


# --- what came back


def replies(session: Session, circular_id: int) -> Sequence[Reply]:
    """The newest first."""
    rows = session.execute(
        select(Question, col(Referent.name))
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .where(col(Question.circular_id) == circular_id)
        .order_by(col(Question.id).desc())
    )
    return [Reply(*row) for row in rows]


def replied(session: Session, referent_id: int, circular_id: int) -> int | None:
    """The question in which this person has answered it already, or the one in which that stands now."""
    its = (Question.circular_id == circular_id, Question.referent_id == referent_id)
    stands = select(func.coalesce(Question.merged_into_id, Question.id)).where(*its)
    return session.exec(stands.order_by(col(Question.id).desc())).first()


def told_to(referent_id: int) -> Any:
    """The ids of all that this person was told, as part of a query."""
    return (
        select(Addressee.circular_id)
        .join(Outbox, col(Outbox.id) == col(Addressee.outbox_id))
        .where(Addressee.referent_id == referent_id, col(Outbox.state).in_(_ARRIVED))
    )


def received(session: Session, referent_id: int, circular_id: int | None = None) -> Sequence[tuple[Circular, datetime]]:
    """What this person was told, and when; the newest first. With a number: that one, if it is among them."""
    query = (
        select(Circular, Outbox.created_at)
        .join(Addressee, col(Addressee.circular_id) == col(Circular.id))
        .join(Outbox, col(Outbox.id) == col(Addressee.outbox_id))
        .where(Addressee.referent_id == referent_id, col(Outbox.state).in_(_ARRIVED))
        .order_by(col(Circular.id).desc())
        .limit(LATEST)
    )
    if circular_id is not None:
        query = query.where(Circular.id == circular_id)
    return [(circular, at) for circular, at in session.exec(query)]


def _changed(session: Session, statement: Any) -> bool:
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
