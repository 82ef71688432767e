"""What a search through everything shows: a few of each kind, and how many there are. Opens the texts of those few."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlmodel import Session, col, select

from facts.calendar import OFFICE_ZONE, local_date
from facts.excerpt import Piece, excerpt, fits
from facts.folding import begin_words
from facts.words import wanted_words
from storage import indexed
from storage.desk_people import ReferentLine, referents_page
from storage.desk_updates import UpdateLine, updates_page
from storage.indexing import QUESTIONS, UPDATES, left_to_renew
from storage.marks import FILE
from storage.projects import ProjectFilter, ProjectLine, projects_page
from storage.queue import View, queue_page
from storage.queue_lines import QueueLine
from storage.searching import MOST_WANTED, narrow
from storage.tables import Attachment, Correction, Message, Organization, Question, Update

Line = TypeVar("Line", QueueLine, UpdateLine)

FEW = 5
LONGEST = 200  # letters that somebody looks for


@dataclass(frozen=True, slots=True)
class Hit(Generic[Line]):
    """One that was found, and the piece of text in which; nothing when it was found by a name."""

    line: Line
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file by its name, and where it is: in a question or in an update."""

    id: int
    name: str
    question_id: int | None
    update_id: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A few of each kind. The numbers say how many there are in all."""

    questions: Sequence[Hit[QueueLine]]
    projects: Sequence[ProjectLine]
    people: Sequence[ReferentLine]
    municipalities: Sequence[str]
    files: Sequence[FoundFile]
    updates: Sequence[Hit[UpdateLine]]
    counts: dict[str, int]
    unmarked: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def everywhere(session: Session, wanted: str, staff_id: int, now: datetime) -> Found:
    """`unmarked`: how many questions and updates cannot be found yet."""
    wanted = wanted[:LONGEST]
    words = wanted_words(wanted, most=MOST_WANTED)
    lines, questions = queue_page(session, View.ALL, staff_id, wanted, limit=FEW)
    today = local_date(now, OFFICE_ZONE)
    projects = projects_page(session, ProjectFilter(text=wanted), today=today, limit=FEW)
    people, referents = referents_page(session, now, wanted, limit=FEW)
    updates, of_updates = updates_page(session, wanted, limit=FEW)
    names = [name for name in session.exec(select(Organization.name)).all() if begin_words(name, wanted)]
    files = _files(session, wanted, words)
    return Found(
        [Hit(line, _piece(_said(session, line.id), words)) for line in lines],
        projects.lines,
        people,
        sorted(names)[:FEW],
        files,
        [Hit(line, _piece(indexed.leaves(line.answers), words)) for line in updates],
        {
            "questions": questions,
            "projects": projects.total,
            "people": referents,
            "municipalities": len(names),
            "files": len(files),
            "updates": of_updates,
        },
        left_to_renew(session),
    )


def _piece(texts: Iterable[str], words: Collection[str]) -> Sequence[Piece]:
    return next((pieces for text in texts if (pieces := excerpt(text, words))), ())


def _said(session: Session, question_id: int) -> Iterable[str]:
    """What stands in a question, the newest first."""
    yield from session.exec(
        select(Message.text).where(Message.question_id == question_id).order_by(col(Message.id).desc())
    )
    yield from session.exec(
        select(Correction.after)
        .join(Message, col(Message.id) == col(Correction.message_id))
        .where(Message.question_id == question_id)
    )


def _files(session: Session, wanted: str, words: Collection[str]) -> Sequence[FoundFile]:
    """Of the newest questions and updates that have such a file."""
    questions = narrow(session, select(Question.id), col(Question.id), wanted, shelf=QUESTIONS, kind=FILE)
    updates = narrow(session, select(Update.id), col(Update.id), wanted, shelf=UPDATES, kind=FILE)
    in_questions = session.execute(questions.limit(FEW)).scalars().all()
    in_updates = session.execute(updates.limit(FEW)).scalars().all()
    of_messages: Any = select(Attachment.id, Attachment.name, Message.question_id, Attachment.update_id).join(
        Message, col(Message.id) == col(Attachment.message_id)
    )
    of_updates: Any = select(Attachment.id, Attachment.name, Attachment.message_id, Attachment.update_id)
    rows = [
        *session.execute(of_messages.where(col(Message.question_id).in_(in_questions))),
        *session.execute(of_updates.where(col(Attachment.update_id).in_(in_updates))),
    ]
    found = [FoundFile(*row) for row in rows if any(fits(row[1], [word]) for word in words)]
    return sorted(found, key=lambda file: file.id, reverse=True)[:FEW]
