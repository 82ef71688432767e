"""Takes an answer back while it waits to leave (`UNDO`). Refuses once any part of it is on its way.

The text goes back to whoever wrote it, its files too; an answer that was approved waits for approval again. Nobody
but staff ever sees what was taken back.
"""

from datetime import datetime

from sqlmodel import Session

from answering.moves import the_question
from answering.refusal import Denied, Refused
from answering.roles import Acting, may_act_on
from facts.languages import N_
from storage import attachments, audit, proposals, threads
from storage.outbox import take_back
from storage.tables import Audience, Message, Proposal, ProposalState, QuestionState


def undo(session: Session, question_id: int, message_id: int, staff_id: int, *, now: datetime) -> Message:
    """The answer that was taken back. Its author may, and whoever approves answers."""
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    message = session.get(Message, message_id)
    if message is None or message.staff_id is None:
        raise Refused(N_("This answer does not exist."))
    if message.question_id != question.id:
        raise Denied(N_("This answer does not exist."))
    _may_undo(session, acting, message)
    if message.audience is not Audience.REFERENT or not take_back(session, question_id, message_id):
        raise Refused(N_("This answer has left already, or was taken back before: it cannot be stopped any more."))
    approved = proposals.of_message(session, message_id)
    state = QuestionState.PROPOSED if approved is not None else QuestionState.TAKEN
    stays_open = threads.take_back(session, message, state)
    proposal = _waits_again(session, approved, now, stays_open) if approved else _in_the_box(session, message, now)
    attachments.put_in_proposal(session, attachments.of_message(session, message_id), proposal.id)
    about = ("question", question_id)
    audit.record(session, now, ("staff", staff_id), "question.undo", about, message_id=message_id)
    return message


def _may_undo(session: Session, acting: Acting, message: Message) -> None:
    approved = proposals.of_message(session, message.id)
    if acting.approves or (approved is None and message.staff_id == acting.person.id):
        return
    raise Denied(N_("Only who sent this answer, or an officer, can stop it."))


def _waits_again(session: Session, approved: Proposal, now: datetime, stays_open: bool) -> Proposal:
    """Unless the question has been closed meanwhile: then it goes back to its author's papers."""
    after = ProposalState.WAITING if stays_open else ProposalState.OVERTAKEN
    values = {"message_id": None, "decided_by": None, "decided_at": None if stays_open else now}
    proposals.change(session, approved.id, ProposalState.SENT, after, **values)
    return approved


def _in_the_box(session: Session, message: Message, now: datetime) -> Proposal:
    assert message.staff_id is not None
    kept = Proposal(
        question_id=message.question_id,
        staff_id=message.staff_id,
        text=message.text,
        state=ProposalState.WITHDRAWN,
        decided_at=now,
        created_at=now,
    )
    session.add(kept)
    session.flush()
    return kept
