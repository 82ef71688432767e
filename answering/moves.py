"""Who works on a question: take, assign, release, close, reopen; how urgent it is. Never writes to the referent.

Readers may do nothing.
Each move names the version its author saw. When that is no longer the present one the move is `Refused`, with a
sentence that says what happened meanwhile.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.refusal import Denied, Refused
from answering.roles import may_act_on, role_in
from facts.languages import N_
from storage import audit, local_roles, threads
from storage.tables import Question, QuestionState, Role, Staff

OPEN = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.ANSWERED)


def take(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Makes it this person's work, also from a colleague who had it. Taking one's own again changes nothing."""
    question = the_question(session, question_id)
    may_act_on(session, staff_id, question)
    if question.state is QuestionState.TAKEN and question.taken_by == staff_id:
        return
    before = question.taken_by
    if not threads.change(session, question_id, version, OPEN, state=QuestionState.TAKEN, taken_by=staff_id):
        raise overtaken(session, question_id, staff_id)
    _note(session, "question.take", question_id, staff_id, now, taken_from=before)


def assign(session: Session, question_id: int, staff_id: int, to_id: int, *, version: int, now: datetime) -> None:
    """Makes it a colleague's work: anybody's who may work on this question."""
    question = the_question(session, question_id)
    may_act_on(session, staff_id, question)
    to = session.get(Staff, to_id)
    if to is None or not to.active or role_in(session, to, question) is Role.READER:
        raise Refused(N_("This colleague cannot work on questions. Choose another one."))
    before = question.taken_by
    if not threads.change(session, question_id, version, OPEN, state=QuestionState.TAKEN, taken_by=to_id):
        raise overtaken(session, question_id, staff_id)
    _note(session, "question.assign", question_id, staff_id, now, to=to_id, taken_from=before)


def flag(session: Session, question_id: int, staff_id: int, *, urgent: bool, now: datetime) -> None:
    """Urgent, or no longer. It stops nobody who is answering: the version stays."""
    may_act_on(session, staff_id, the_question(session, question_id))
    if threads.flag(session, question_id, urgent=urgent):
        _note(session, "question.urgent" if urgent else "question.not-urgent", question_id, staff_id, now)


def release(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Gives it back to everybody. Only who has it, or an administrator."""
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    if question.state is QuestionState.TAKEN and question.taken_by != staff_id and acting.role is not Role.ADMIN:
        raise Denied(N_("Only who is working on this question can give it back."))
    taken = (QuestionState.TAKEN,)
    if not threads.change(session, question_id, version, taken, state=QuestionState.NEW, taken_by=None):
        raise overtaken(session, question_id, staff_id)
    _note(session, "question.release", question_id, staff_id, now)


def release_all(session: Session, whose_id: int, by_id: int, *, now: datetime) -> int:
    """Somebody works here no more: what they had in hand is everybody's again. How many. The caller asked who may."""
    given = threads.give_back_all(session, whose_id)
    for question_id in given:
        _note(session, "question.release", question_id, by_id, now, taken_from=whose_id)
    return len(given)


def release_unworkable(session: Session, whose_id: int, by_id: int, *, now: datetime) -> int:
    """Somebody's role is another: what they had in hand and may only read now is everybody's again. How many."""
    given = threads.give_back_some(session, whose_id, local_roles.reads_only())
    for question_id in given:
        _note(session, "question.release", question_id, by_id, now, taken_from=whose_id)
    return len(given)


def close(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Puts it away. A new message of the referent opens it again by itself."""
    may_act_on(session, staff_id, the_question(session, question_id))
    if not threads.change(session, question_id, version, OPEN, state=QuestionState.CLOSED, closed_at=now):
        raise overtaken(session, question_id, staff_id)
    _note(session, "question.close", question_id, staff_id, now)


def reopen(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Takes a closed question up again: it is now this person's."""
    may_act_on(session, staff_id, the_question(session, question_id))
    values = {"state": QuestionState.TAKEN, "taken_by": staff_id, "closed_at": None, "solved": None}
    if not threads.change(session, question_id, version, (QuestionState.CLOSED,), **values):
        raise overtaken(session, question_id, staff_id)
    _note(session, "question.reopen", question_id, staff_id, now)


def the_question(session: Session, question_id: int) -> Question:
    question = session.get(Question, question_id, populate_existing=True)
    if question is None:
        raise Refused(N_("This question does not exist."))
    return question


def overtaken(session: Session, question_id: int, staff_id: int) -> Refused:
    """Why this person's move came too late: somebody answered, took or closed it, or the referent wrote again."""
    head = threads.question_head(session, question_id)
    if head is None:
        return Refused(N_("This question does not exist."))
    state, whose = head.question.state, head.question.taken_by
    if state is QuestionState.CLOSED:
        return Refused(N_("This question is closed. Reopen it first."))
    if state is QuestionState.ANSWERED:
        # Only an answer leaves it so: whatever the referent says or edits afterwards opens it again.
        return _answered(session, question_id, staff_id)
    if state is QuestionState.PROPOSED and whose == staff_id:
        return Refused(N_("You have proposed an answer already: it waits for approval."))
    if state is QuestionState.PROPOSED and head.taken_by:
        return Refused(
            N_("{name} has proposed an answer, which waits for approval. Read it, then decide."), name=head.taken_by
        )
    if state is QuestionState.TAKEN and whose != staff_id and head.taken_by:
        return Refused(N_("{name} is working on this question now."), name=head.taken_by)
    return Refused(N_("Something has changed in the meantime. Read the thread again, then decide."))


def _answered(session: Session, question_id: int, staff_id: int) -> Refused:
    newest = threads.newest_message(session, question_id)
    if newest is None or newest[1] is None:
        return Refused(N_("Something has changed in the meantime. Read the thread again, then decide."))
    message, name = newest
    if message.staff_id == staff_id:
        return Refused(N_("You have answered already, perhaps from another window. See if something is missing."))
    return Refused(
        N_("{name} has answered in the meantime. Read the answer, then decide if something is missing."), name=name
    )


def _note(session: Session, action: str, question_id: int, staff_id: int, now: datetime, **detail: Any) -> None:
    audit.record(session, now, ("staff", staff_id), action, ("question", question_id), **detail)
