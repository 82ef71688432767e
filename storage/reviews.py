"""Queries on updates after they were sent: what changed in them, what staff remarked. Changed by compare-and-set."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from storage.tables import AnswerChange, Draft, DraftState, FormVersion, Remark, Review, Update
from storage.touched import touch

UNFINISHED = (DraftState.OPEN, DraftState.PARKED)


def find_update(session: Session, update_id: int) -> Update | None:
    """As it is in the database."""
    return session.get(Update, update_id, populate_existing=True)


def change_update(session: Session, update_id: int, revision: int, **values: Any) -> bool:
    """Changes an update as it was at `revision`; False when it has moved on since."""
    changed = session.execute(
        update(Update)
        .where(col(Update.id) == update_id, col(Update.revision) == revision)
        .values(revision=revision + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if "answers" in values:
        touch(session, Update, [update_id])
    return bool(getattr(changed, "rowcount", 0) == 1)


def fulfilled_by(session: Session, update_id: int) -> int | None:
    """The obligation that an update fulfils."""
    return session.exec(select(Update.obligation_id).where(Update.id == update_id)).first()


def changes_of(session: Session, update_id: int) -> Sequence[AnswerChange]:
    """The oldest first."""
    found = select(AnswerChange).where(AnswerChange.update_id == update_id).order_by(col(AnswerChange.id))
    return session.exec(found).all()


def corrections_of(session: Session, update_id: int) -> int:
    """How often it was corrected: what was changed at one instant is one correction."""
    found = select(func.count(func.distinct(AnswerChange.created_at))).where(AnswerChange.update_id == update_id)
    return session.exec(found).one()


def changes_since(session: Session, update_id: int, instant: datetime) -> Sequence[AnswerChange]:
    """Those made after an instant, the oldest first."""
    return session.exec(
        select(AnswerChange)
        .where(AnswerChange.update_id == update_id, AnswerChange.created_at > instant)
        .order_by(col(AnswerChange.id))
    ).all()


def remarks_on(session: Session, update_id: int) -> Sequence[Remark]:
    """All of them, the oldest first."""
    return session.exec(select(Remark).where(Remark.update_id == update_id).order_by(col(Remark.id))).all()


def open_remarks(session: Session, update_id: int) -> Mapping[str, str]:
    """What is still to be answered, by key; the newest where there are several."""
    return {one.key: one.text for one in remarks_on(session, update_id) if one.settled_at is None}


def settle_remarks(session: Session, update_id: int, now: datetime) -> None:
    session.execute(
        update(Remark)
        .where(col(Remark.update_id) == update_id, col(Remark.settled_at).is_(None))
        .values(settled_at=now)
        .execution_options(synchronize_session=False)
    )


def correction_of(session: Session, update_id: int, referent_id: int) -> Draft | None:
    """The correction of an update that this person has begun and not sent."""
    return session.exec(
        select(Draft)
        .where(Draft.corrects_id == update_id, Draft.referent_id == referent_id, col(Draft.state).in_(UNFINISHED))
        .order_by(col(Draft.id).desc())
        .execution_options(populate_existing=True)
    ).first()


def is_newest(session: Session, one: Update) -> bool:
    """Whether no later update of the same project by the same form has come: then the project repeats its answers."""
    form_id = select(FormVersion.form_id).where(FormVersion.id == one.form_version_id).scalar_subquery()
    later = (
        select(Update.id)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(Update.project_id == one.project_id, FormVersion.form_id == form_id, Update.id > one.id)
        .limit(1)
    )
    return session.exec(later).first() is None


def changed_updates(session: Session, update_ids: Collection[int]) -> frozenset[int]:
    """Those of these updates whose answers were changed after they were sent."""
    rows = session.exec(select(AnswerChange.update_id).where(col(AnswerChange.update_id).in_(update_ids)).distinct())
    return frozenset(rows)


def to_check(session: Session) -> int:
    """How many updates nobody has looked at yet."""
    return len(session.exec(select(Update.id).where(Update.review == Review.RECEIVED)).all())
