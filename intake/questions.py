"""Opens questions, adds to their threads and settles them, from any door. Never answers one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from facts.calendar import add_working_hours
from facts.languages import Language, speaking
from storage import attachments, audit
from storage import questions as stored
from storage.categories import hours_of
from storage.drafts import became_question
from storage.tables import Audience, Channel, Message, Question, Referent, Standing
from storage.words import SURE

HOURS_TO_ANSWER = 19  # two working days, 08:30-18:00: what the office promises


@dataclass(frozen=True, slots=True)
class ByMail:
    """What a mail has besides its words. When its writer is not SURE, the person is not said to have done anything."""

    standing: Standing
    quoted: str = ""
    automatic: bool = False

    @property
    def sure(self) -> bool:
        return self.standing in SURE

    def columns(self) -> dict[str, Any]:
        return {"standing": self.standing, "quoted": self.quoted.replace("\x00", ""), "automatic": self.automatic}


def expected_by(now: datetime, zone: str, hours: int | None = None) -> datetime:
    """When the office means to have answered what is asked `now`. `hours`: what its category says, if it has one."""
    return add_working_hours(now, hours or HOURS_TO_ANSWER, zone)


def ask(  # noqa: PLR0913 - what came in, from whom, by which door
    session: Session,
    *,
    referent_id: int,
    text: str,
    channel: Channel,
    now: datetime,
    zone: str,
    project_id: int | None = None,
    inbox_id: int | None = None,
    provider_id: str | None = None,
    draft_id: int | None = None,
    circular_id: int | None = None,
    mail: ByMail | None = None,
) -> Question:
    """A new question with its first message, and the files of the draft it was. The caller has checked the project.

    `circular_id`: what it answers, when staff had written first.
    """
    question = Question(
        referent_id=referent_id,
        project_id=project_id,
        circular_id=circular_id,
        channel=channel,
        created_at=now,
        due_at=expected_by(now, zone),
        last_message_at=now,
    )
    session.add(question)
    session.flush()
    source = {"referent_id": referent_id, "channel": channel, "inbox_id": inbox_id, "provider_id": provider_id}
    first = _write(session, question.id, text, now, **source | (mail.columns() if mail else {}))
    if draft_id is not None:
        became_question(session, draft_id, question.id)
        attachments.hand_over(session, draft_id, message_id=first.id)
    audit.record(session, now, _writer(referent_id, mail), "question.ask", ("question", question.id))
    return question


def add_message(  # noqa: PLR0913 - what came in, from whom, by which door
    session: Session,
    question: Question,
    *,
    referent_id: int,
    text: str,
    channel: Channel,
    now: datetime,
    zone: str = "Europe/Rome",
    inbox_id: int | None = None,
    provider_id: str | None = None,
    mail: ByMail | None = None,
) -> Message:
    """One more message of the referent; a question that was answered or closed is open again.

    So it is when nobody knows who has written, for somebody should read it; but then what they said of the answer
    stays, and so does the channel by which they are answered. What a machine wrote moves nothing.

    `question` is as fresh afterwards as before: look it up again to see its new state.
    """
    assert question.referent_id == referent_id, "the caller has checked whose question it is"
    if mail is None or not mail.automatic:
        sure = mail is None or mail.sure
        due_at = _again_by(session, question.id, now, zone)
        home = stored.touch(session, question.id, channel if sure else None, due_at, now)
        session.expire(question)
    else:
        home = stored.home(session, question.id)
    source = {"referent_id": referent_id, "channel": channel, "inbox_id": inbox_id, "provider_id": provider_id}
    message = _write(session, home, text, now, **source | (mail.columns() if mail else {}))
    audit.record(session, now, _writer(referent_id, mail), "question.add", ("question", home))
    return message


def add_file(
    session: Session, message_id: int, name: str, *, channel: Channel, now: datetime, zone: str = "Europe/Rome"
) -> None:
    """A file came to a message after that was sent: the question moves, or opens again.

    When it was answered since, the thread says what came: the file itself stands further up.
    """
    message = session.get_one(Message, message_id)
    question = session.get_one(Question, message.question_id)
    due_at = _again_by(session, question.id, now, zone)
    home = stored.touch(session, question.id, question.channel, due_at, now)
    session.expire(question)
    if message.referent_id is None or stored.referent_wrote_last(session, home):
        return
    _ = speaking(Language(session.get_one(Referent, message.referent_id).language))
    said = _("I have added a file to an earlier message of mine: {name}", name=name)
    _write(session, home, said, now, referent_id=message.referent_id, channel=channel)


def settle(
    session: Session, question_id: int, referent_id: int, *, solved: bool, now: datetime, zone: str = "Europe/Rome"
) -> Question | None:
    """The referent says whether the answer helped: closes the question or opens it again.

    Saying it twice changes nothing the second time. None when the question is not theirs.
    """
    own = stored.own_question(session, referent_id, question_id)
    if own is None:
        return None
    question_id = own.id
    if solved:
        changed = stored.close_solved(session, question_id, now)
    else:
        changed = stored.reopen_unsolved(session, question_id, _again_by(session, question_id, now, zone))
    if changed:
        action = "question.solved" if solved else "question.unsolved"
        audit.record(session, now, ("referent", referent_id), action, ("question", question_id))
    return stored.own_question(session, referent_id, question_id)


def _again_by(session: Session, question_id: int, now: datetime, zone: str) -> datetime:
    return expected_by(now, zone, hours_of(session, question_id))


def _writer(referent_id: int, mail: ByMail | None) -> tuple[str, int | None]:
    """For the log: the person, when it is sure that it was them."""
    return ("referent", referent_id) if mail is None or mail.sure else ("stranger", None)


def _write(session: Session, question_id: int, text: str, now: datetime, **source: Any) -> Message:
    """`source`: who wrote it, by which channel, and where it came from."""
    # PostgreSQL refuses NUL in a text, and a message would never get in.
    message = Message(
        question_id=question_id,
        audience=Audience.REFERENT,
        text=text.replace("\x00", ""),
        created_at=now,
        **source,
    )
    session.add(message)
    session.flush()
    return message
