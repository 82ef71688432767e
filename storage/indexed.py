"""What of a question, and of an update, is to be found: texts, names, files. Reads and opens; changes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, bindparam, select, union_all
from sqlmodel import Session, SQLModel

from storage.sealing import MARK
from storage.tables import Audience
from storage.types import SEALED

_tables = SQLModel.metadata.tables
_question, _message, _update = _tables["question"], _tables["message"], _tables["update"]
_attachment, _correction = _tables["attachment"], _tables["correction"]
_referent, _project, _organization = _tables["referent"], _tables["project"], _tables["organization"]
_membership, _place = _tables["membership"], _tables["place"]


@dataclass(slots=True)
class Content:
    """`asked`: the first message. `answered`: somebody has answered it, and the answer stands."""

    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    asked: str = ""
    answered: bool = False


def of_questions(session: Session, ids: Sequence[int]) -> dict[int, Content]:
    """Names first, then what was written, the newest first: where there is too much, the oldest is left out."""
    found = _begun(session, _ABOUT_QUESTIONS, _FILES_OF_QUESTIONS, _CORRECTIONS_OF_QUESTIONS, ids)
    for row in session.connection().execute(_MESSAGES, {"ids": ids}):
        _add(found[row.question_id], row)
    return found


def _add(content: Content, message: Any) -> None:
    """Called for the newest first: what was asked is the last one of a referent."""
    text = _readable(message.text)
    content.texts.append(text)
    if message.referent_id is not None:
        content.asked = text
    elif message.staff_id is not None and message.audience is Audience.REFERENT:
        content.answered = True


def of_updates(session: Session, ids: Sequence[int]) -> dict[int, Content]:
    found = _begun(session, _ABOUT_UPDATES, _FILES_OF_UPDATES, _CORRECTIONS_OF_UPDATES, ids)
    for id_, answers in session.connection().execute(_ANSWERS, {"ids": ids}):
        found[id_].texts += leaves(answers)
    return found


def leaves(answers: Any) -> Iterator[str]:
    """Every text in a document; of one that does not open, none."""
    if isinstance(answers, str):
        yield _readable(answers)
    elif isinstance(answers, dict) and SEALED not in answers:
        for value in answers.values():
            yield from leaves(value)
    elif isinstance(answers, list):
        for value in answers:
            yield from leaves(value)


def _begun(session: Session, about: Any, files: Any, corrections: Any, ids: Sequence[int]) -> dict[int, Content]:
    """Whom and what it is about, and what came along."""
    connection, these = session.connection(), {"ids": ids}
    found: dict[int, Content] = defaultdict(Content)
    for id_, text in connection.execute(about, these):
        found[id_].texts.append(text or "")
    for id_, name, caption in connection.execute(files, these):
        found[id_].files.append(_readable(name))
        found[id_].texts += (_readable(name), _readable(caption))
    for id_, after in connection.execute(corrections, these):
        found[id_].texts.append(_readable(after))
    return found


def _readable(text: str) -> str:
    """Nothing of what does not open: it is handed out as it lies there."""
    return "" if text.startswith(MARK) else text


# --- the statements, made once: with each message that comes in they are asked for one question

_IDS: Any = bindparam("ids", expanding=True)


def _about(subject: Any) -> list[Select[Any]]:
    """The person, the project, the organisations of the one and the places of the other."""
    person, project = subject.c.referent_id, subject.c.project_id
    towns = _organization.c.id
    return [
        select(subject.c.id, _referent.c.name).join(_referent, _referent.c.id == person),
        select(subject.c.id, _project.c.title).join(_project, _project.c.id == project),
        select(subject.c.id, _project.c.cup).join(_project, _project.c.id == project),
        select(subject.c.id, _organization.c.name)
        .join(_membership, _membership.c.referent_id == person)
        .join(_organization, towns == _membership.c.organization_id),
        select(subject.c.id, _organization.c.name)
        .join(_place, _place.c.project_id == project)
        .join(_organization, towns == _place.c.organization_id),
    ]


def _all_of(rows: list[Select[Any]], id_: Any) -> Any:
    return union_all(*(one.where(id_.in_(_IDS)) for one in rows))


_owner = select(_update.c.id, _organization.c.name).join(_organization, _organization.c.id == _update.c.organization_id)
_ABOUT_QUESTIONS = _all_of(_about(_question), _question.c.id)
_ABOUT_UPDATES = _all_of([*_about(_update), _owner], _update.c.id)
_FILES_OF_QUESTIONS = (
    select(_message.c.question_id, _attachment.c.name, _attachment.c.caption)
    .join(_message, _message.c.id == _attachment.c.message_id)
    .where(_message.c.question_id.in_(_IDS))
)
_FILES_OF_UPDATES = select(_attachment.c.update_id, _attachment.c.name, _attachment.c.caption).where(
    _attachment.c.update_id.in_(_IDS)
)
_CORRECTIONS_OF_QUESTIONS = (
    select(_message.c.question_id, _correction.c.after)
    .join(_message, _message.c.id == _correction.c.message_id)
    .where(_message.c.question_id.in_(_IDS))
)
_CORRECTIONS_OF_UPDATES = select(_correction.c.update_id, _correction.c.after).where(_correction.c.update_id.in_(_IDS))
_MESSAGES = (
    select(_message.c.question_id, _message.c.text, _message.c.staff_id, _message.c.referent_id, _message.c.audience)
    .where(_message.c.question_id.in_(_IDS))
    .order_by(_message.c.id.desc())
)
_ANSWERS = select(_update.c.id, _update.c.answers).where(_update.c.id.in_(_IDS))
