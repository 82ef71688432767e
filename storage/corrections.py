"""Queries on corrections: what a message or an answer said before it was edited. Changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from storage.tables import CAPTION, Correction, Message

# What every page of a question asks is built once.
_NEWEST_OF_MESSAGE = (
    select(Correction)
    .where(Correction.message_id == bindparam("message_id"), col(Correction.attachment_id).is_(None))
    .order_by(col(Correction.id).desc())
    .limit(1)
)
_NEWEST_SINCE = (
    select(Correction)
    .join(Message, col(Message.id) == col(Correction.message_id))
    .where(Message.question_id == bindparam("question_id"), Correction.created_at > bindparam("instant"))
    .order_by(col(Correction.id).desc())
    .limit(1)
)
_OF_THREAD = (
    select(Correction)
    .join(Message, col(Message.id) == col(Correction.message_id))
    .where(Message.question_id == bindparam("question_id"), col(Correction.attachment_id).is_(None))
    .order_by(col(Correction.id))
)


def newest_of_message(session: Session, message_id: int) -> Correction | None:
    """Of its words, not of its files."""
    return session.exec(_NEWEST_OF_MESSAGE, params={"message_id": message_id}).first()


def newest_of_caption(session: Session, attachment_id: int) -> Correction | None:
    """Of the words below a file."""
    return session.exec(
        select(Correction)
        .where(Correction.attachment_id == attachment_id, Correction.field == CAPTION)
        .order_by(col(Correction.id).desc())
    ).first()


def newest_since(session: Session, question_id: int, instant: datetime) -> Correction | None:
    """The newest one of a question's messages, when it came after that instant."""
    return session.exec(_NEWEST_SINCE, params={"question_id": question_id, "instant": instant}).first()


def of_thread(session: Session, question_id: int) -> Mapping[int, Sequence[Correction]]:
    """The corrections of the words of a question's messages, by message, the oldest first."""
    found: defaultdict[int, list[Correction]] = defaultdict(list)
    for row in session.exec(_OF_THREAD, params={"question_id": question_id}):
        assert row.message_id is not None
        found[row.message_id].append(row)
    return found


def of_update(session: Session, update_id: int) -> Sequence[Correction]:
    """Those of its answers, the oldest first."""
    return session.exec(
        select(Correction)
        .where(Correction.update_id == update_id, col(Correction.attachment_id).is_(None))
        .order_by(col(Correction.id))
    ).all()


def of_files(session: Session, attachment_ids: Collection[int]) -> Mapping[int, Sequence[Correction]]:
    """What was corrected of these files, by file, the oldest first."""
    if not attachment_ids:
        return {}
    found: defaultdict[int, list[Correction]] = defaultdict(list)
    for row in session.exec(
        select(Correction).where(col(Correction.attachment_id).in_(attachment_ids)).order_by(col(Correction.id))
    ):
        assert row.attachment_id is not None
        found[row.attachment_id].append(row)
    return found


def corrected_updates(session: Session, update_ids: Collection[int]) -> frozenset[int]:
    """Those of these updates to which a correction was attached."""
    rows = session.exec(select(Correction.update_id).where(col(Correction.update_id).in_(update_ids)).distinct())
    return frozenset(one for one in rows if one is not None)
