"""Answers that an officer approves before they leave: propose, send (corrected perhaps), return, withdraw.

A volunteer's answer waits for approval unless the question's category is free for volunteers (`needs_approval`). One
answer waits at a time, and one decision is taken: whoever decides second is `Refused`. A new message of the referent
leaves the proposal where it is; but whoever decides has to have seen it (`version`). Never writes to the referent by
itself: what leaves, leaves by `answering/answer.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.answer import LONGEST, Said, free_to_answer, leave, needs_approval, own_files, readable
from answering.moves import OPEN, overtaken, the_question
from answering.refusal import Denied, Refused
from answering.roles import may_act_on
from facts.languages import N_
from intake.files import StoredFile, add_file
from storage import attachments, audit, proposals, threads
from storage.proposals import Proposed
from storage.tables import Message, Proposal, ProposalState, QuestionState, Staff

_PROPOSED = (QuestionState.PROPOSED,)


def propose(session: Session, question_id: int, said: Said, *, version: int, now: datetime) -> Proposal:
    """Keeps the answer until it is approved; the question is its author's meanwhile."""
    question = the_question(session, question_id)
    author = may_act_on(session, said.author.id, question).person
    kept = own_files(session, question, author.id, said.kept)
    free_to_answer(session, question, author.id)
    text = readable(said.text)
    if not threads.change(session, question_id, version, OPEN, state=QuestionState.PROPOSED, taken_by=author.id):
        raise overtaken(session, question_id, author.id)
    proposal = Proposal(question_id=question_id, staff_id=author.id, text=text, awaits=said.awaits, created_at=now)
    session.add(proposal)
    session.flush()
    for one in said.files:
        add_file(session, one, now=now, staff_id=author.id, proposal_id=proposal.id)
    attachments.put_in_proposal(session, kept, proposal.id)
    _note(session, "question.propose", proposal, author.id, now)
    return proposal


def must_propose(session: Session, question_id: int, staff_id: int) -> bool:
    """Whether what this person answers waits for an officer."""
    question = the_question(session, question_id)
    return needs_approval(session, may_act_on(session, staff_id, question), question)


def approve(  # noqa: PLR0913 - what is sent, by whom, about which state of the thread
    session: Session,
    question_id: int,
    staff_id: int,
    text: str,
    *,
    version: int,
    now: datetime,
    awaits: bool = False,
    files: Sequence[StoredFile] = (),
    kept: Sequence[int] = (),
) -> Message:
    """Sends the answer that waits, as `text` says it now, in its author's name; the first text stays beside it."""
    officer = _may_decide(session, question_id, staff_id)
    found = _waiting(session, question_id, staff_id)
    proposal, text = found.proposal, readable(text)
    author = session.get_one(Staff, proposal.staff_id)
    question = the_question(session, question_id)
    mine = own_files(session, question, staff_id, kept)
    said = Said(author, text, awaits, files, [*(file.id for file in found.files), *mine])
    try:
        message = leave(session, question, said, version=version, only_from=_PROPOSED, now=now)
    except Refused as refused:
        raise _late(session, question_id, staff_id) from refused
    decided = {"message_id": message.id, "decided_by": officer.id, "decided_at": now}
    _decide(session, proposal, ProposalState.SENT, staff_id, **decided)
    corrected = text != proposal.text
    _note(session, "question.approve", proposal, staff_id, now, message_id=message.id, corrected=corrected)
    return message


def give_back(session: Session, question_id: int, staff_id: int, remark: str, *, version: int, now: datetime) -> None:
    """Returns it to its author, with a remark that only colleagues read; the question is theirs to answer again."""
    officer = _may_decide(session, question_id, staff_id)
    found = _waiting(session, question_id, staff_id)
    remark = remark.replace("\x00", "").replace("\r\n", "\n").strip()
    if not remark:
        raise Refused(N_("Write what is to be changed, then return the answer."))
    if len(remark) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    _at_work_again(session, found, version, staff_id)
    decided = {"remark": remark, "decided_by": officer.id, "decided_at": now}
    _decide(session, found.proposal, ProposalState.RETURNED, staff_id, **decided)
    _note(session, "question.return", found.proposal, staff_id, now)


def withdraw(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
    """Its author takes it back before anybody decided."""
    may_act_on(session, staff_id, the_question(session, question_id))
    found = _waiting(session, question_id, staff_id)
    if found.proposal.staff_id != staff_id:
        raise Denied(N_("Only who proposed this answer can withdraw it."))
    _at_work_again(session, found, version, staff_id)
    _decide(session, found.proposal, ProposalState.WITHDRAWN, staff_id, decided_at=now)
    _note(session, "question.withdraw", found.proposal, staff_id, now)


def _may_decide(session: Session, question_id: int, staff_id: int) -> Staff:
    acting = may_act_on(session, staff_id, the_question(session, question_id))
    if not acting.approves:
        raise Denied(N_("Officers and administrators approve answers."))
    return acting.person


def _waiting(session: Session, question_id: int, staff_id: int) -> Proposed:
    the_question(session, question_id)
    found = proposals.waiting_on(session, question_id)
    if found is None:
        raise overtaken(session, question_id, staff_id)
    return found


def _at_work_again(session: Session, found: Proposed, version: int, staff_id: int) -> None:
    author = found.proposal.staff_id
    values: dict[str, Any] = {"state": QuestionState.TAKEN, "taken_by": author}
    if not threads.change(session, found.proposal.question_id, version, _PROPOSED, **values):
        raise _late(session, found.proposal.question_id, staff_id)


def _decide(session: Session, proposal: Proposal, state: ProposalState, staff_id: int, **values: Any) -> None:
    if not proposals.change(session, proposal.id, ProposalState.WAITING, state, **values):
        raise _late(session, proposal.question_id, staff_id)


def _late(session: Session, question_id: int, staff_id: int) -> Refused:
    """While it still waits, what changed is the thread: they have to read it first."""
    if the_question(session, question_id).state is QuestionState.PROPOSED:
        return Refused(N_("Something has changed in the meantime. Read the thread again, then decide."))
    return overtaken(session, question_id, staff_id)


def _note(session: Session, action: str, proposal: Proposal, staff_id: int, now: datetime, **detail: Any) -> None:
    about = ("question", proposal.question_id)
    audit.record(session, now, ("staff", staff_id), action, about, proposal_id=proposal.id, **detail)
