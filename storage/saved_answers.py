"""Queries of the answers that staff keep at hand. Decides nothing about who may change one."""

from collections.abc import Sequence

from sqlalchemy import case, func, update
from sqlmodel import Session, col, select

from storage.tables import Category, SavedAnswer

_title = func.lower(SavedAnswer.title)


def all_saved(session: Session) -> Sequence[tuple[SavedAnswer, Category | None]]:
    """Those in use first, by title, each with its category."""
    rows = session.execute(
        select(SavedAnswer, Category)
        .outerjoin(Category, col(Category.id) == col(SavedAnswer.category_id))
        .order_by(col(SavedAnswer.active).desc(), _title, col(SavedAnswer.id))
    )
    return [(row[0], row[1]) for row in rows]


def saved_at_hand(session: Session, category_id: int | None) -> Sequence[tuple[int, str, bool]]:
    """Those in use: number, title, and whether it is of this category. These first, then those for all, then others."""
    mine = col(SavedAnswer.category_id) == category_id if category_id is not None else col(SavedAnswer.id) < 0
    nearness = case((mine, 0), (col(SavedAnswer.category_id).is_(None), 1), else_=2)
    rows = session.execute(
        select(SavedAnswer.id, SavedAnswer.title, nearness)
        .where(col(SavedAnswer.active))
        .order_by(nearness, _title, col(SavedAnswer.id))
    )
    return [(row[0], row[1], row[2] == 0) for row in rows]


def saved_with_title(session: Session, title: str) -> SavedAnswer | None:
    """Capitals aside; of other letters than a to z the database may not know the small ones."""
    return session.exec(select(SavedAnswer).where(_title == title.lower())).first()


def count_use(session: Session, saved_id: int) -> None:
    session.execute(
        update(SavedAnswer)
        .where(col(SavedAnswer.id) == saved_id)
        .values(used=col(SavedAnswer.used) + 1)
        .execution_options(synchronize_session=False)
    )
