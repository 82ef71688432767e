"""Answers that staff keep at hand: added, changed, retired, and filled in for one question. Sends nothing.

Officers and administrators arrange them; whoever answers may use them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from answering.answer import LONGEST
from answering.moves import the_question
from answering.placeholders import check_gaps, fill_gaps, gaps_in
from answering.refusal import Denied, Refused
from answering.roles import APPROVERS, may_act, may_act_on
from facts.languages import N_, Language
from storage import audit, saved_answers
from storage.people import organizations_of, the_office
from storage.tables import Category, Project, Question, Referent, SavedAnswer

LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Wished:
    """A saved answer as somebody wants it. `category_id` None: for every question."""

    title: str
    text: str
    text_en: str = ""
    category_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A saved answer for one question. `gaps`: what nobody knows, and has to be written by hand."""

    text: str
    gaps: Sequence[str]


def add_saved(session: Session, staff_id: int, wished: Wished, *, now: datetime) -> SavedAnswer:
    _may_arrange(session, staff_id)
    wished = _checked(session, wished, None)
    saved = SavedAnswer(
        title=wished.title,
        text=wished.text,
        text_en=wished.text_en,
        category_id=wished.category_id,
        created_by=staff_id,
        created_at=now,
        changed_at=now,
    )
    try:
        saved_answers.keep(session, saved)
    except saved_answers.TitleTaken as error:
        raise _title_taken() from error
    _note(session, "saved-answer.add", saved, staff_id, now)
    return saved


def change_saved(
    session: Session, saved_id: int, staff_id: int, wished: Wished, *, version: int, now: datetime
) -> None:
    """What was sent with it stays as it was. `version`: as its author saw it; of two, the second is `Refused`."""
    _may_arrange(session, staff_id)
    saved = _the_saved(session, saved_id)
    wished = _checked(session, wished, saved)
    try:
        done = saved_answers.change_saved(session, saved_id, version, changed_at=now, **asdict(wished))
    except saved_answers.TitleTaken as error:
        raise _title_taken() from error
    if not done:
        raise Refused(N_("A colleague has changed this saved answer in the meantime. Read it again, then decide."))
    session.expire(saved)
    _note(session, "saved-answer.change", saved, staff_id, now)


def set_at_hand(session: Session, saved_id: int, staff_id: int, *, active: bool, now: datetime) -> None:
    """A retired one is offered no more, and can be brought back."""
    _may_arrange(session, staff_id)
    saved = _the_saved(session, saved_id)
    if not saved_answers.set_active(session, saved_id, now, active=active):
        return
    _note(session, "saved-answer.use" if active else "saved-answer.retire", saved, staff_id, now)


def ready_for(session: Session, saved_id: int, question_id: int, staff_id: int) -> Ready:
    """The text for this question, in the language of whoever asks; counted as one use."""
    question = the_question(session, question_id)
    may_act_on(session, staff_id, question)
    saved = _the_saved(session, saved_id)
    if not saved.active:
        raise Refused(N_("This saved answer has been retired in the meantime. Choose another one."))
    referent = session.get(Referent, question.referent_id) if question.referent_id is not None else None
    english = referent is not None and referent.language == Language.EN and bool(saved.text_en)
    text = fill_gaps(saved.text_en if english else saved.text, _values(session, question, referent))
    saved_answers.count_use(session, saved_id)
    return Ready(text, gaps_in(text))


def _values(session: Session, question: Question, referent: Referent | None) -> dict[str, str]:
    project = session.get(Project, question.project_id) if question.project_id is not None else None
    organizations = organizations_of(session, referent.id) if referent is not None else []
    return {
        "name": referent.name if referent is not None else "",
        "organization": ", ".join(one.name for one in organizations),
        "project": project.title if project is not None else "",
        "number": str(question.id),
        "office": the_office(session).name,
    }


def _checked(session: Session, wished: Wished, before: SavedAnswer | None) -> Wished:
    title = " ".join(wished.title.replace("\x00", "").split())
    text, text_en = _tidy(wished.text), _tidy(wished.text_en)
    if not title:
        raise Refused(N_("Write a title: by it colleagues find the answer."))
    if len(title) > LONGEST_TITLE:
        raise Refused(N_("The title is too long: {most} characters at most."), most=LONGEST_TITLE)
    if not text:
        raise Refused(N_("Write the text of the answer in Italian."))
    if max(len(text), len(text_en)) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    check_gaps(text)
    check_gaps(text_en)
    _check_category(session, wished.category_id, before)
    same = saved_answers.saved_with_title(session, title)
    if same is not None and (before is None or same.id != before.id):
        raise _title_taken()
    return Wished(title, text, text_en, wished.category_id)


def _title_taken() -> Refused:
    return Refused(N_("There is a saved answer with this title already."))


def _check_category(session: Session, category_id: int | None, before: SavedAnswer | None) -> None:
    if category_id is None or (before is not None and before.category_id == category_id):
        return
    category = session.get(Category, category_id)
    if category is None or not category.active:
        raise Refused(N_("This category is no longer in use. Choose another one."))


def _tidy(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def _may_arrange(session: Session, staff_id: int) -> None:
    if may_act(session, staff_id).role not in APPROVERS:
        raise Denied(N_("Officers and administrators arrange the saved answers."))


def _the_saved(session: Session, saved_id: int) -> SavedAnswer:
    saved = session.get(SavedAnswer, saved_id)
    if saved is None:
        raise Refused(N_("This saved answer does not exist."))
    return saved


def _note(session: Session, action: str, saved: SavedAnswer, staff_id: int, now: datetime) -> None:
    audit.record(session, now, ("staff", staff_id), action, ("saved-answer", saved.id), category=saved.category_id)
