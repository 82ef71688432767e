"""Queries of the words that staff put on questions. Decides nothing about who may."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from facts.folding import fold
from storage.tables import QuestionTag, Tag

_TABLE = SQLModel.metadata.tables["question_tag"]
_PUT = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing(),
}


def all_tags(session: Session) -> Sequence[tuple[Tag, int]]:
    """Those in use first, by name, each with how many questions have it."""
    count = (
        select(func.count()).select_from(QuestionTag).where(QuestionTag.tag_id == Tag.id).correlate(Tag)
    ).scalar_subquery()
    rows = session.execute(select(Tag, count).order_by(col(Tag.active).desc(), func.lower(Tag.name)))
    return [(row[0], row[1]) for row in rows]


_ACTIVE = select(Tag).where(col(Tag.active)).order_by(func.lower(Tag.name))


def active_tags(session: Session) -> Sequence[Tag]:
    return session.exec(_ACTIVE).all()


def with_name(session: Session, name: str) -> Tag | None:
    """Capitals and accents aside. All are read: there are few, and no database knows all small letters."""
    return next((tag for tag in session.exec(select(Tag)) if fold(tag.name) == fold(name)), None)


def add(session: Session, name: str, now: datetime) -> Tag | None:
    """None when somebody added the same a moment before."""
    try:
        with session.begin_nested():
            tag = Tag(name=name, created_at=now)
            session.add(tag)
            session.flush()
    except IntegrityError:
        return None
    return tag


def put_on(session: Session, question_id: int, tag_id: int) -> bool:
    """False when it was there already."""
    connection = session.connection()
    done = connection.execute(_PUT[connection.dialect.name], {"question_id": question_id, "tag_id": tag_id})
    return done.rowcount == 1


def take_off(session: Session, question_id: int, tag_id: int) -> bool:
    """False when it was not there."""
    done = session.connection().execute(
        delete(_TABLE).where(_TABLE.c.question_id == question_id, _TABLE.c.tag_id == tag_id)
    )
    return done.rowcount == 1


_TAGS = (
    select(QuestionTag.question_id, Tag)
    .join(Tag, col(Tag.id) == col(QuestionTag.tag_id))
    .where(col(QuestionTag.question_id).in_(bindparam("ids", expanding=True)))
    .order_by(func.lower(Tag.name))
)


def tags_of(session: Session, question_ids: Sequence[int]) -> Mapping[int, Sequence[Tag]]:
    """By question, by name: retired ones, too."""
    found: dict[int, list[Tag]] = {}
    for question_id, tag in session.execute(_TAGS, {"ids": list(question_ids)}):
        found.setdefault(question_id, []).append(tag)
    return found
