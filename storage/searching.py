"""Finds questions by what stands in them. SQL sees of a sealed text only that it is sealed: read and compared here."""

from sqlmodel import Session, col, select

from facts.folding import fold, holds
from storage.tables import Message, Project, Question, Referent

MOST_READ = 50_000  # messages that one search reads, the newest first: about a second
BATCH = 1000


def questions_with(session: Session, wanted: str) -> set[int]:
    """Questions of which a message, the referent's name, or the project's title or CUP holds every word of `wanted`.

    Case and accents aside. Messages older than the newest `MOST_READ` are not looked at.
    """
    words = fold(wanted).split()
    if not words:
        return set()
    return _saying(session, words) | _about(session, words)


def _saying(session: Session, words: list[str]) -> set[int]:
    rows = session.execute(
        select(Message.question_id, Message.text).order_by(col(Message.id).desc()).limit(MOST_READ),
        execution_options={"yield_per": BATCH},
    )
    found: set[int] = set()
    for question_id, text in rows:
        if question_id not in found and holds(text, words):
            found.add(question_id)
    return found


def _about(session: Session, words: list[str]) -> set[int]:
    people = {id_ for id_, name in session.execute(select(Referent.id, Referent.name)) if holds(name, words)}
    projects = {
        id_
        for id_, title, cup in session.execute(select(Project.id, Project.title, Project.cup))
        if holds(title, words) or holds(cup, words)
    }
    rows = session.execute(select(Question.id, Question.referent_id, Question.project_id))
    return {id_ for id_, referent_id, project_id in rows if referent_id in people or project_id in projects}
