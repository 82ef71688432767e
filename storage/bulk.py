"""Acts on many questions at once: how each stood before, what is put back when it is undone. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from storage.tables import BulkAct, Question, QuestionState, QuestionTag


@dataclass(frozen=True, slots=True)
class Standing:
    """What an act on many may change of a question, and its version."""

    state: QuestionState
    taken_by: int | None
    closed_at: datetime | None
    urgent: bool
    category_id: int | None
    due_at: datetime
    tagged: frozenset[int]
    version: int


def standing(session: Session, question_id: int) -> Standing | None:
    """As it is now; None when it is not there."""
    one = session.get(Question, question_id, populate_existing=True)
    if one is None:
        return None
    tags = frozenset(session.exec(select(QuestionTag.tag_id).where(QuestionTag.question_id == question_id)))
    return Standing(one.state, one.taken_by, one.closed_at, one.urgent, one.category_id, one.due_at, tags, one.version)


def keep(session: Session, act: BulkAct) -> BulkAct:
    session.add(act)
    session.flush()
    return act


def one(session: Session, bulk_id: int) -> BulkAct | None:
    return session.get(BulkAct, bulk_id, populate_existing=True)


def mark_undone(session: Session, bulk_id: int, now: datetime) -> bool:
    """False when it was undone before."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(BulkAct)
        .where(col(BulkAct.id) == bulk_id, col(BulkAct.undone_at).is_(None))
        .values(undone_at=now)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def put_back(session: Session, question_id: int, still: dict[str, Any], values: dict[str, Any]) -> bool:
    """Puts `values` back while what was changed is `still` as the act left it. False when it moved on since."""
    same = [getattr(Question, name) == value for name, value in still.items()]
    rises = {"version": col(Question.version) + 1} if "version" in still else {}
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Question)
        .where(col(Question.id) == question_id, col(Question.merged_into_id).is_(None), *same)
        .values(**values, **rises)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1
