"""What is answered for everybody: proposed by whoever answers, published by an officer's act only, withdrawn.

No text is kept in which something looks like personal data, unless the person who sends it has said of each that it may
stay. One decision counts: who comes second is `Refused`, and sees the text as it is now (`version`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.likeness import Known, similar
from answering.personal_data import Trace, traces
from answering.refusal import Denied, Refused
from answering.roles import APPROVERS, may_act, may_act_on
from facts.languages import N_, Language
from storage import audit, faq
from storage.tables import Category, FaqEntry, FaqState, Question, QuestionState

LONGEST_QUESTION = 300
LONGEST_ANSWER = 3000  # characters: with its question it fits one Telegram message
SETTLED = (QuestionState.ANSWERED, QuestionState.CLOSED)


class Traced(Refused):
    """Something looks like personal data, and nobody has said that it may stay."""

    def __init__(self, found: Sequence[Trace]) -> None:
        super().__init__(N_("Something here looks like personal data. Take it out, or confirm that it may stay."))
        self.found = found


@dataclass(frozen=True, slots=True)
class Wished:
    """An entry as somebody wants it. `confirmed`: what looks like personal data and may stay."""

    question: str
    answer: str
    question_en: str = ""
    answer_en: str = ""
    category_id: int | None = None
    confirmed: frozenset[str] = frozenset()

    @property
    def texts(self) -> Sequence[str]:
        return self.question, self.answer, self.question_en, self.answer_en

    def columns(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "answer": self.answer,
            "question_en": self.question_en,
            "answer_en": self.answer_en,
            "category_id": self.category_id,
        }


def begin_from(session: Session, question_id: int) -> Wished:
    """What was asked, and answered last, to be made fit for everybody. `Refused` before there is an answer."""
    question = session.get(Question, question_id)
    asked, said = faq.first_words(session, question_id)
    if question is None or question.state not in SETTLED or not said:
        raise Refused(N_("Answer this question first: then it can be proposed for everybody."))
    return Wished(asked, said, category_id=question.category_id)


def propose(session: Session, staff_id: int, wished: Wished, *, question_id: int | None, now: datetime) -> FaqEntry:
    """Waits for an officer's check. Nobody else reads it until then."""
    if question_id is not None:
        begin_from(session, question_id)
        may_act_on(session, staff_id, session.get_one(Question, question_id))
    else:
        may_act(session, staff_id)
    wished = _checked(session, wished, question_id, None)
    entry = FaqEntry(**wished.columns(), question_id=question_id, proposed_by=staff_id, created_at=now, changed_at=now)
    session.add(entry)
    session.flush()
    _note(session, "faq.propose", entry.id, staff_id, now)
    return entry


def change_entry(
    session: Session, entry_id: int, staff_id: int, wished: Wished, *, version: int, now: datetime
) -> None:
    """The texts; of one that is published, everybody reads the new ones."""
    entry = _to_check(session, entry_id, staff_id)
    wished = _checked(session, wished, entry.question_id, entry)
    _set(session, entry, version, tuple(FaqState), **wished.columns(), changed_at=now)
    _note(session, "faq.change", entry_id, staff_id, now)


def publish(session: Session, entry_id: int, staff_id: int, wished: Wished, *, version: int, now: datetime) -> None:
    """With these texts, for everybody to read."""
    entry = _to_check(session, entry_id, staff_id)
    wished = _checked(session, wished, entry.question_id, entry)
    values = wished.columns() | {"checked_by": staff_id, "published_at": now, "changed_at": now}
    unpublished = (FaqState.PROPOSED, FaqState.WITHDRAWN)
    _set(session, entry, version, unpublished, state=FaqState.PUBLISHED, **values)
    _note(session, "faq.publish", entry_id, staff_id, now, confirmed=len(wished.confirmed))


def withdraw(session: Session, entry_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Nobody reads it any more, and it is offered to nobody; an officer can publish it again."""
    entry = _to_check(session, entry_id, staff_id)
    readable = (FaqState.PROPOSED, FaqState.PUBLISHED)
    _set(session, entry, version, readable, state=FaqState.WITHDRAWN, checked_by=staff_id, changed_at=now)
    _note(session, "faq.withdraw", entry_id, staff_id, now)


def found_in(session: Session, wished: Wished, question_id: int | None) -> Sequence[Trace]:
    """What looks like personal data in the texts, confirmed or not."""
    return traces(wished.texts, faq.names_around(session, question_id))


# --- offered


@dataclass(frozen=True, slots=True)
class Offer:
    """A published entry in the language of whoever reads it."""

    id: int
    question: str
    answer: str


def in_language(entry: FaqEntry, language: Language) -> Offer:
    """In English where there is an English text, else in Italian."""
    if language is Language.EN and entry.question_en and entry.answer_en:
        return Offer(entry.id, entry.question_en, entry.answer_en)
    return Offer(entry.id, entry.question, entry.answer)


def offers_for(session: Session, text: str, language: Language) -> Sequence[Offer]:
    """Up to three published answers to what looks like this question; none is usual."""
    offers = {entry.id: in_language(entry, language) for entry, _category in faq.published(session)}
    return [offers[one] for one in similar(text, [Known(it.id, it.question, it.answer) for it in offers.values()])]


# --- checked


def _checked(session: Session, wished: Wished, question_id: int | None, before: FaqEntry | None) -> Wished:
    wished = replace(
        wished,
        question=" ".join(_bare(wished.question).split()),
        answer=_bare(wished.answer),
        question_en=" ".join(_bare(wished.question_en).split()),
        answer_en=_bare(wished.answer_en),
    )
    if not wished.question or not wished.answer:
        raise Refused(N_("Write the question and its answer in Italian."))
    if bool(wished.question_en) != bool(wished.answer_en):
        raise Refused(N_("In English write both the question and the answer, or neither."))
    if max(len(wished.question), len(wished.question_en)) > LONGEST_QUESTION:
        raise Refused(N_("The question is too long: {most} characters at most."), most=LONGEST_QUESTION)
    if max(len(wished.answer), len(wished.answer_en)) > LONGEST_ANSWER:
        raise Refused(N_("The answer is too long: {most} characters at most."), most=LONGEST_ANSWER)
    _check_category(session, wished.category_id, before)
    found = found_in(session, wished, question_id)
    if any(one.text not in wished.confirmed for one in found):
        raise Traced(found)
    return replace(wished, confirmed=frozenset(one.text for one in found))


def _check_category(session: Session, category_id: int | None, before: FaqEntry | None) -> None:
    if category_id is None or (before is not None and before.category_id == category_id):
        return
    category = session.get(Category, category_id)
    if category is None or not category.active:
        raise Refused(N_("This category is no longer in use. Choose another one."))


def _to_check(session: Session, entry_id: int, staff_id: int) -> FaqEntry:
    if may_act(session, staff_id).role not in APPROVERS:
        raise Denied(N_("Officers and administrators check what everybody reads."))
    entry = session.get(FaqEntry, entry_id, populate_existing=True)
    if entry is None:
        raise Refused(N_("This entry does not exist."))
    return entry


def _set(session: Session, entry: FaqEntry, version: int, only_from: Sequence[FaqState], **values: Any) -> None:
    if not faq.change_entry(session, entry.id, version, only_from, **values):
        raise Refused(N_("A colleague has changed this entry in the meantime. Read it again, then decide."))
    session.expire(entry)


def _bare(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def _note(session: Session, action: str, entry_id: int, staff_id: int, now: datetime, **detail: Any) -> None:
    audit.record(session, now, ("staff", staff_id), action, (faq.OBJECT, entry_id), **detail)
