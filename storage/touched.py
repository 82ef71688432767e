"""Notes what a transaction writes that is to be found: which questions and updates to mark anew. Marks none.

What the session adds or changes is noticed by itself; whoever changes rows by a statement of their own says so with
`touch`. Before the commit one row is written for each question and update, however often it was touched; where nothing
was, not even that.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import PassiveFlag, attributes, object_session
from sqlmodel import Session, col, select

from storage.indexing import QUESTIONS, UPDATES, note
from storage.tables import (
    Attachment,
    Correction,
    Membership,
    Message,
    Organization,
    Place,
    Project,
    Question,
    Referent,
    Update,
)

MOST_IDS = 500  # in one statement

_NOTED = "touched"


def touch(session: Any, table: type, ids: Iterable[int | None]) -> None:
    """What stands in these rows, or belongs to these people, projects, organisations, is not what it was."""
    noted = session.info.setdefault(_NOTED, {})
    noted.setdefault(table, set()).update(id_ for id_ in ids if id_ is not None)


def write_down(session: Session) -> None:
    """To be called before the commit."""
    session.flush()
    noted: dict[type, set[int]] = session.info.pop(_NOTED, {})
    if noted:
        asks = noted.keys() - {Question, Update}  # a message or an update alone asks nothing
        note(session, QUESTIONS, noted.get(Question, set()) | (_questions(session, noted) if asks else set()))
        note(session, UPDATES, noted.get(Update, set()) | (_updates(session, noted) if asks else set()))


def _questions(session: Session, noted: dict[type, set[int]]) -> set[int]:
    message = select(Message.question_id)
    found = _ids(session, message, col(Message.id), noted.get(Message, ()))
    of_files = message.join(Attachment, col(Attachment.message_id) == col(Message.id))
    found |= _ids(session, of_files, col(Attachment.id), noted.get(Attachment, ()))
    return found | _concerned(session, Question, noted)


def _updates(session: Session, noted: dict[type, set[int]]) -> set[int]:
    of_files = select(Attachment.update_id).where(col(Attachment.update_id).is_not(None))
    found = _ids(session, of_files, col(Attachment.id), noted.get(Attachment, ()))
    found |= _ids(session, select(Update.id), col(Update.organization_id), noted.get(Organization, ()))
    return found | _concerned(session, Update, noted)


def _concerned(session: Session, table: Any, noted: dict[type, set[int]]) -> set[int]:
    """Whose person, project or organisation is called otherwise now."""
    found = _ids(session, select(table.id), table.referent_id, noted.get(Referent, ()))
    found |= _ids(session, select(table.id), table.project_id, noted.get(Project, ()))
    organizations = noted.get(Organization, ())
    theirs = select(table.id).join(Membership, col(Membership.referent_id) == table.referent_id)
    found |= _ids(session, theirs, col(Membership.organization_id), organizations)
    there = select(table.id).join(Place, col(Place.project_id) == table.project_id)
    return found | _ids(session, there, col(Place.organization_id), organizations)


def _ids(session: Session, rows: Any, column: Any, ids: Collection[int]) -> set[int]:
    wanted, found = sorted(ids), set[int]()
    for start in range(0, len(wanted), MOST_IDS):
        found.update(session.execute(rows.where(column.in_(wanted[start : start + MOST_IDS]))).scalars())
    return found


# --- what the session writes by itself

_WATCHED: dict[type, tuple[str, ...]] = {
    Question: ("referent_id", "project_id"),
    Message: ("question_id", "text", "audience"),
    Attachment: ("message_id", "update_id", "name", "caption"),
    Update: ("answers", "referent_id", "project_id", "organization_id"),
    Referent: ("name",),
    Organization: ("name",),
    Project: ("title", "cup"),
}
_NEW_IS_NOTHING = (Referent, Organization, Project)  # nothing is theirs yet


def _changed(_mapper: Any, _connection: Any, row: Any) -> None:
    if any(_history(row, name).has_changes() for name in _WATCHED[type(row)]):
        _note(row)


def _history(row: Any, name: str) -> attributes.History:
    return attributes.get_history(row, name, PassiveFlag.PASSIVE_NO_INITIALIZE)


def _added(_mapper: Any, _connection: Any, row: Any) -> None:
    _note(row)


def _note(row: Any) -> None:
    session = object_session(row)
    if isinstance(row, Correction):
        touch(session, Message, [row.message_id])
        touch(session, Update, [row.update_id])
    elif isinstance(row, Membership):
        touch(session, Referent, [row.referent_id])
    elif isinstance(row, Place):
        touch(session, Project, [row.project_id])
    elif isinstance(row, Attachment):
        touch(session, Message, [row.message_id, *(_history(row, "message_id").deleted or ())])
        touch(session, Update, [row.update_id, *(_history(row, "update_id").deleted or ())])
    elif isinstance(row, Message):  # where it stood before, too
        touch(session, Question, [row.question_id, *(_history(row, "question_id").deleted or ())])
    else:
        touch(session, type(row), [row.id])


for _table in _WATCHED:
    event.listen(_table, "after_update", _changed)
    if _table not in _NEW_IS_NOTHING:
        event.listen(_table, "after_insert", _added)
for _table in (Correction, Membership, Place):
    event.listen(_table, "after_insert", _added)
    event.listen(_table, "after_delete", _added)
