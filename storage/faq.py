"""Queries of what is published for everybody: questions with their answers. Decides nothing about who may publish."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, func, update
from sqlmodel import Session, col, select

from storage.tables import Audience, Audit, Category, FaqEntry, FaqState, Message, Referent, Staff

OBJECT = "faq"


def entries_in(session: Session, state: FaqState) -> Sequence[tuple[FaqEntry, Category | None, str]]:
    """Those in this state, the one changed last first, each with its category and who proposed it."""
    rows = session.execute(
        select(FaqEntry, Category, Staff.name)
        .outerjoin(Category, col(Category.id) == col(FaqEntry.category_id))
        .join(Staff, col(Staff.id) == col(FaqEntry.proposed_by))
        .where(FaqEntry.state == state)
        .order_by(col(FaqEntry.changed_at).desc(), col(FaqEntry.id).desc())
    )
    return [(row[0], row[1], row[2]) for row in rows]


def faq_counts(session: Session) -> Mapping[FaqState, int]:
    rows = session.execute(select(FaqEntry.state, func.count()).group_by(col(FaqEntry.state)))
    found: dict[FaqState, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in FaqState}


def published(session: Session) -> Sequence[tuple[FaqEntry, Category | None]]:
    """What everybody may read, by category; what has none comes last."""
    rows = session.execute(
        select(FaqEntry, Category)
        .outerjoin(Category, col(Category.id) == col(FaqEntry.category_id))
        .where(FaqEntry.state == FaqState.PUBLISHED)
        .order_by(col(Category.id).is_(None), func.lower(Category.name), col(FaqEntry.category_id), col(FaqEntry.id))
    )
    return [(row[0], row[1]) for row in rows]


def published_entries(session: Session, ids: Sequence[int]) -> Sequence[FaqEntry]:
    """Those of these that are published, in the order given."""
    these = select(FaqEntry).where(col(FaqEntry.id).in_(ids), FaqEntry.state == FaqState.PUBLISHED)
    found = {one.id: one for one in session.exec(these)} if ids else {}
    return [found[one] for one in ids if one in found]


def published_at(session: Session) -> datetime | None:
    """When what everybody reads was last changed."""
    return session.exec(
        select(func.max(FaqEntry.changed_at)).where(col(FaqEntry.published_at).is_not(None))
    ).one_or_none()


_OF_QUESTION = (
    select(FaqEntry).where(FaqEntry.question_id == bindparam("question_id")).order_by(col(FaqEntry.id).desc())
)


def entries_of_question(session: Session, question_id: int) -> Sequence[FaqEntry]:
    return session.exec(_OF_QUESTION, params={"question_id": question_id}).all()


def change_entry(session: Session, entry_id: int, version: int, only_from: Sequence[FaqState], **values: Any) -> bool:
    """By compare-and-set; False when somebody was quicker."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(FaqEntry)
        .where(col(FaqEntry.id) == entry_id, col(FaqEntry.version) == version, col(FaqEntry.state).in_(only_from))
        .values(version=col(FaqEntry.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def count_opinion(session: Session, ids: Sequence[int], *, helped: bool) -> None:
    """One more to whom these published ones were offered says whether they helped."""
    column = FaqEntry.helped if helped else FaqEntry.not_helped
    session.execute(
        update(FaqEntry)
        .where(col(FaqEntry.id).in_(ids), col(FaqEntry.state) == FaqState.PUBLISHED)
        .values({col(column): col(column) + 1})
        .execution_options(synchronize_session=False)
    )


def history_of(session: Session, entry_id: int) -> Sequence[tuple[Audit, str | None]]:
    """What was done about it, the newest first, and by whom."""
    rows = session.execute(
        select(Audit, Staff.name)
        .outerjoin(Staff, (col(Audit.actor_kind) == "staff") & (col(Staff.id) == col(Audit.actor_id)))
        .where(Audit.object_kind == OBJECT, Audit.object_id == entry_id)
        .order_by(col(Audit.id).desc())
    )
    return [(row[0], row[1]) for row in rows]


def first_words(session: Session, question_id: int) -> tuple[str, str]:
    """What was asked first, and the last answer that left; empty when there is none."""
    seen = (Message.question_id == question_id, Message.audience == Audience.REFERENT)
    asked = select(Message.text).where(*seen, col(Message.staff_id).is_(None)).order_by(col(Message.id)).limit(1)
    said = select(Message.text).where(*seen, col(Message.staff_id).is_not(None)).order_by(col(Message.id).desc())
    return session.exec(asked).first() or "", session.exec(said.limit(1)).first() or ""


def names_around(session: Session, question_id: int | None) -> Sequence[str]:
    """The names that a published text must not hold: of all staff, and of whoever wrote in this question."""
    names = list(session.exec(select(Staff.name)))
    if question_id is not None:
        writers = select(Message.referent_id).where(Message.question_id == question_id)
        names += session.exec(select(Referent.name).where(col(Referent.id).in_(writers)))
    return [name for name in names if name]
