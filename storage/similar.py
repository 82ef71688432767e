"""Finds answered questions that ask alike: by rare words that both first messages have. Reads only those it shows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from sqlalchemy import func
from sqlmodel import Session, col, select

from facts.words import SHORTEST, words_of
from storage.indexing import QUESTIONS, marker
from storage.marks import ASKED
from storage.searching import newest_with
from storage.tables import Audience, Message, Staff

MOST_SHOWN = 5
MOST_WORDS = 16  # of what is asked: the longest say the most
COMMON = 200  # a word in so many answered questions says nothing about two of them
LEAST_SHARED = 2


@dataclass(frozen=True, slots=True)
class Alike:
    """An answered question: what was asked, what was answered last, by whom and when."""

    question_id: int
    asked: str
    message_id: int
    answer: str
    author: str | None
    answered_at: datetime


def similar(session: Session, question_id: int, *, limit: int = MOST_SHOWN) -> Sequence[Alike]:
    """The most alike first; none when too little is said to compare."""
    asked = _first_of_referent(session, [question_id]).get(question_id, "")
    words = [word for word in words_of([asked], most=500) if word.isalpha() and len(word) >= SHORTEST]
    telling = sorted(words, key=len, reverse=True)[:MOST_WORDS]
    scores = _scores(session, question_id, {marker(session).of_stem(word, ASKED) for word in telling})
    best = sorted(scores, key=lambda id_: (scores[id_], id_), reverse=True)[:limit]
    return _shown(session, best)


def answer_text(session: Session, message_id: int) -> str | None:
    """The text of an answer that stands; None when it is anything else."""
    return session.exec(
        select(Message.text).where(
            Message.id == message_id,
            Message.audience == Audience.REFERENT,
            col(Message.staff_id).is_not(None),
        )
    ).first()


def _scores(session: Session, question_id: int, marks: set[int]) -> dict[int, float]:
    """Of those with two of these words at least. The rarer a word, the more it says."""
    scores: dict[int, float] = defaultdict(float)
    shared: dict[int, int] = defaultdict(int)
    for mark in sorted(marks):
        found = [id_ for id_ in newest_with(session, (mark,), QUESTIONS, COMMON) if id_ != question_id]
        if len(found) < COMMON - 1:
            for id_ in found:
                scores[id_] += log(1 + COMMON / len(found))
                shared[id_] += 1
    return {id_: score for id_, score in scores.items() if shared[id_] >= LEAST_SHARED}


def _shown(session: Session, ids: Sequence[int]) -> Sequence[Alike]:
    asked = _first_of_referent(session, ids)
    last = (
        select(func.max(Message.id))
        .where(
            col(Message.question_id).in_(ids),
            Message.audience == Audience.REFERENT,
            col(Message.staff_id).is_not(None),
        )
        .group_by(col(Message.question_id))
    )
    rows = session.execute(
        select(Message.question_id, Message.id, Message.text, Staff.name, Message.created_at)  # type: ignore[call-overload]
        .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
        .where(col(Message.id).in_(last))
    )
    answers = {row[0]: row for row in rows}
    return [Alike(id_, asked.get(id_, ""), *answers[id_][1:]) for id_ in ids if id_ in answers]


def _first_of_referent(session: Session, ids: Sequence[int]) -> dict[int, str]:
    first = (
        select(func.min(Message.id))
        .where(col(Message.question_id).in_(ids), col(Message.referent_id).is_not(None))
        .group_by(col(Message.question_id))
    )
    rows = session.execute(select(Message.question_id, Message.text).where(col(Message.id).in_(first)))
    return {row[0]: row[1] for row in rows}
