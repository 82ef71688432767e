"""What questions are about: adds and changes categories, puts a question into one. Never writes to the referent.

A category says in how many working hours its questions are answered, and whether volunteers answer them by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from answering.answer import Freedom, freedom, needs_approval
from answering.moves import the_question
from answering.refusal import Denied, Refused
from answering.roles import APPROVERS, Acting, may_act, may_act_on
from facts.calendar import add_working_hours
from facts.languages import N_
from intake.questions import HOURS_TO_ANSWER
from storage import audit, categories
from storage.tables import Category, Question, Staff

LONGEST_NAME = 80
MOST_HOURS = 500  # working hours: about two and a half months


@dataclass(frozen=True, slots=True)
class Wished:
    """A category as somebody wants it. `hours`: working hours to answer; `free`: volunteers need no approval."""

    name: str
    name_en: str = ""
    hours: int = HOURS_TO_ANSWER
    free: bool = False


def add_category(session: Session, staff_id: int, wished: Wished, *, now: datetime) -> Category:
    _may_arrange(session, staff_id)
    wished = _checked(session, wished, None)
    category = Category(name=wished.name, name_en=wished.name_en, hours=wished.hours, free=wished.free, created_at=now)
    session.add(category)
    session.flush()
    _note(session, "category.add", category, staff_id, now)
    return category


def change_category(session: Session, category_id: int, staff_id: int, wished: Wished, *, now: datetime) -> None:
    """What is due already keeps its time: that was what somebody was told."""
    _may_arrange(session, staff_id)
    category = _the_category(session, category_id)
    wished = _checked(session, wished, category)
    category.name, category.name_en, category.hours, category.free = (
        wished.name,
        wished.name_en,
        wished.hours,
        wished.free,
    )
    session.add(category)
    _note(session, "category.change", category, staff_id, now)


def set_in_use(session: Session, category_id: int, staff_id: int, *, active: bool, now: datetime) -> None:
    """A retired one stays with the questions that have it, and is offered no more."""
    _may_arrange(session, staff_id)
    category = _the_category(session, category_id)
    category.active = active
    session.add(category)
    _note(session, "category.use" if active else "category.retire", category, staff_id, now)


def categorise(
    session: Session, question_id: int, staff_id: int, category_id: int | None, *, now: datetime, zone: str
) -> None:
    """Puts the question into a category (None: into no one). Until it is answered, it is due by that one's hours.

    They count from when it was asked; of a question that was opened again, from then.
    """
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    category = _the_category(session, category_id) if category_id is not None else None
    if category is not None and not category.active and category.id != question.category_id:
        raise Refused(N_("This category is no longer in use. Choose another one."))
    if question.category_id == category_id:
        return
    before = freedom(session, acting.person, question)
    since = question.created_at if question.first_answer_at is None else question.last_message_at
    due_at = add_working_hours(since, category.hours if category else HOURS_TO_ANSWER, zone)
    if categories.put_in(session, question_id, category_id, due_at):
        _gains_nothing(before, freedom(session, acting.person, the_question(session, question_id)))
        audit.record(
            session, now, ("staff", staff_id), "question.category", ("question", question_id), category=category_id
        )


def open_to(session: Session, acting: Acting, question: Question) -> Sequence[Category]:
    """Those that somebody is offered for a question: who needs approval, none where they would need it no more."""
    found = categories.active_categories(session)
    if not needs_approval(session, acting, question):
        return found
    return [one for one in found if not one.free]


def _gains_nothing(before: Freedom, after: Freedom) -> None:
    """Nobody moves a question to where they may do more with it: else a volunteer would approve their own answer."""
    if after.rank > before.rank:
        raise Denied(N_("In that category you would have more rights on this question: ask a colleague to move it."))
    if after > before:
        raise Denied(N_("In that category volunteers answer without approval: ask an officer to move the question."))


def _checked(session: Session, wished: Wished, now: Category | None) -> Wished:
    name, name_en = " ".join(wished.name.split()), " ".join(wished.name_en.split())
    if not name:
        raise Refused(N_("Write the name of the category."))
    if max(len(name), len(name_en)) > LONGEST_NAME:
        raise Refused(N_("The name is too long: {most} characters at most."), most=LONGEST_NAME)
    if not 1 <= wished.hours <= MOST_HOURS:
        raise Refused(N_("Write from 1 to {most} working hours."), most=MOST_HOURS)
    same = categories.with_name(session, name)
    if same is not None and (now is None or same.id != now.id):
        raise Refused(N_("There is a category of this name already."))
    return Wished(name, name_en, wished.hours, wished.free)


def _may_arrange(session: Session, staff_id: int) -> Staff:
    person = may_act(session, staff_id)
    if person.role not in APPROVERS:
        raise Denied(N_("Officers and administrators arrange the categories."))
    return person


def _the_category(session: Session, category_id: int) -> Category:
    category = session.get(Category, category_id)
    if category is None:
        raise Refused(N_("This category does not exist."))
    return category


def _note(session: Session, action: str, category: Category, staff_id: int, now: datetime) -> None:
    what = {"hours": category.hours, "free": category.free}
    audit.record(session, now, ("staff", staff_id), action, ("category", category.id), **what)
