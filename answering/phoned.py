"""A question that somebody asked on the phone: staff write it down, with what they answered if they did. Sends nothing.

What was said is theirs, in their own thread; who of staff wrote it down is in the log.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from answering.moves import OPEN, the_question
from answering.refusal import Refused
from answering.roles import may_act_on, may_work
from facts.languages import N_
from intake.phoned import keep_call
from intake.questions import add_message, ask
from storage import audit, calls, threads
from storage.questions import own_question, thread
from storage.tables import Audience, Channel, Message, Question, QuestionState

LONGEST = 20_000  # characters, as of an answer
SPOKEN = "call:"  # how the key of a call begins in `message.provider_id`


@dataclass(frozen=True, slots=True)
class Call:
    """What was said. `question_id`: an earlier one of theirs to which it belongs; `reply`: what staff answered."""

    referent_id: int
    text: str
    project_id: int | None = None
    question_id: int | None = None
    reply: str = ""


def write_down(session: Session, call: Call, staff_id: int, *, key: str, now: datetime, zone: str) -> int:
    """The question's number; the same one for the same `key`, however often it is sent.

    Answered by voice it is closed, unless a colleague has it in hand: then they see what was said. The caller has
    checked whose project it is. `Refused` for an empty text, a text too long, or a question of somebody else; or one,
    new or old, on which whoever writes it down may not work: nothing is kept then.
    """
    may_work(session, staff_id)
    _look_over(session, call)
    if call.question_id is not None:
        may_act_on(session, staff_id, the_question(session, call.question_id))
    inbox_id = keep_call(session, key, {**asdict(call), "staff_id": staff_id}, now)
    if inbox_id is None:
        made = calls.made_of(session, call.referent_id, SPOKEN + key)
        if made is None:
            raise Refused(N_("This page was sent already. Open it anew for another call."))
        return made
    question, message = _said(session, call, SPOKEN + key, inbox_id, now, zone)
    may_act_on(session, staff_id, question)
    if call.reply.strip():
        _answered(session, question, call.reply.strip(), staff_id, now)
    audit.record(session, now, ("staff", staff_id), calls.QUESTION, ("question", question.id), message_id=message.id)
    return question.id


def _look_over(session: Session, call: Call) -> None:
    if not call.text.strip():
        raise Refused(N_("Write in a few words what they said."))
    if max(len(call.text), len(call.reply)) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    if call.question_id is not None and own_question(session, call.referent_id, call.question_id) is None:
        raise Refused(N_("This question is not theirs."))


def _said(
    session: Session, call: Call, provider_id: str, inbox_id: int, now: datetime, zone: str
) -> tuple[Question, Message]:
    text = _plain(call.text)
    if call.question_id is None:
        question = ask(
            session,
            referent_id=call.referent_id,
            text=text,
            channel=Channel.PHONE,
            now=now,
            zone=zone,
            project_id=call.project_id,
            inbox_id=inbox_id,
            provider_id=provider_id,
        )
        return question, thread(session, question.id)[0]
    found = own_question(session, call.referent_id, call.question_id)
    assert found is not None, "it has just been looked up"
    question = found
    message = add_message(
        session,
        question,
        referent_id=call.referent_id,
        text=text,
        channel=Channel.PHONE,
        now=now,
        zone=zone,
        inbox_id=inbox_id,
        provider_id=provider_id,
    )
    session.refresh(question)
    return question, message


def _answered(session: Session, question: Question, reply: str, staff_id: int, now: datetime) -> None:
    """What was answered by voice stands in the thread; nothing leaves, for they have heard it."""
    message = Message(
        question_id=question.id,
        audience=Audience.REFERENT,
        staff_id=staff_id,
        text=_plain(reply),
        channel=Channel.PHONE,
        created_at=now,
    )
    session.add(message)
    session.flush()
    about = {"message_id": message.id, "by": "voice"}
    audit.record(session, now, ("staff", staff_id), "question.answer", ("question", question.id), **about)
    if question.state is QuestionState.TAKEN and question.taken_by != staff_id:
        return
    first = question.first_answer_at or now
    closed = {"state": QuestionState.CLOSED, "taken_by": staff_id, "closed_at": now, "last_message_at": now}
    if threads.change(session, question.id, question.version, OPEN, **closed, first_answer_at=first):
        audit.record(session, now, ("staff", staff_id), "question.close", ("question", question.id))


def _plain(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n").strip()
