"""Queries of the answers that staff keep at hand. Decides nothing about who may change one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, case, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage.tables import Category, SavedAnswer

_title = func.lower(SavedAnswer.title)


class TitleTaken(Exception):
    """Another one has this title, perhaps since a moment ago."""


def all_saved(session: Session) -> Sequence[tuple[SavedAnswer, Category | None]]:
    """Those in use first, by title, each with its category."""
    rows = session.execute(
        select(SavedAnswer, Category)
        .outerjoin(Category, col(Category.id) == col(SavedAnswer.category_id))
        .order_by(col(SavedAnswer.active).desc(), _title, col(SavedAnswer.id))
    )
    return [(row[0], row[1]) for row in rows]


_nearness = case(
    (col(SavedAnswer.category_id) == bindparam("category_id"), 0), (col(SavedAnswer.category_id).is_(None), 1), else_=2
)
_AT_HAND = (
    select(SavedAnswer.id, SavedAnswer.title, _nearness)
    .where(col(SavedAnswer.active))
    .order_by(_nearness, _title, col(SavedAnswer.id))
)


def saved_at_hand(session: Session, category_id: int | None) -> Sequence[tuple[int, str, bool]]:
    """Those in use: number, title, and whether it is of this category. These first, then those for all, then others."""
    rows = session.execute(_AT_HAND, {"category_id": category_id or 0})
    return [(row[0], row[1], row[2] == 0) for row in rows]


def saved_with_title(session: Session, title: str) -> SavedAnswer | None:
    """Capitals aside; of other letters than a to z the database may not know the small ones."""
    return session.exec(select(SavedAnswer).where(_title == title.lower())).first()


def keep(session: Session, saved: SavedAnswer) -> None:
    """Raises TitleTaken."""
    with _one_of_a_title(session):
        session.add(saved)
        session.flush()


def change_saved(session: Session, saved_id: int, version: int, **values: Any) -> bool:
    """One step ahead of `version`; False when somebody was quicker. Raises TitleTaken."""
    these = (col(SavedAnswer.id) == saved_id, col(SavedAnswer.version) == version)
    with _one_of_a_title(session):
        return _changed(session, *these, version=col(SavedAnswer.version) + 1, **values)


def set_active(session: Session, saved_id: int, now: datetime, *, active: bool) -> bool:
    """Offered, or no more; False when it was so before."""
    these = (col(SavedAnswer.id) == saved_id, col(SavedAnswer.active) != active)
    return _changed(session, *these, active=active, changed_at=now)


def count_use(session: Session, saved_id: int) -> None:
    _changed(session, col(SavedAnswer.id) == saved_id, used=col(SavedAnswer.used) + 1)


@contextmanager
def _one_of_a_title(session: Session) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        raise TitleTaken from error


def _changed(session: Session, *these: ColumnElement[bool], **values: Any) -> bool:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(SavedAnswer).where(*these).values(**values).execution_options(synchronize_session=False)
    )
    return done.rowcount == 1
