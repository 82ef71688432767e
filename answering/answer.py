"""Answers a question, and writes internal notes beside it. A note never leaves.

The answer goes where the referent wrote from. Two people who answer the same question at once: the first answer
leaves, the second is `Refused` and told who was first.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from markupsafe import escape
from sqlmodel import Session

from answering.moves import OPEN, may_act, overtaken, the_question
from answering.refusal import Refused
from delivery.callbacks import add_to, not_solved, solved
from delivery.outbox import queue_to
from delivery.words import Button, Keyboard, Words
from facts.languages import N_, Language, speaking
from intake.files import StoredFile, add_file
from storage import audit, threads
from storage.people import reachable_addresses, the_office
from storage.tables import Audience, Channel, Message, OutboxKind, Project, Question, QuestionState, Referent, Staff

LONGEST = 20_000  # characters: five Telegram messages

# A personal page cannot ring: who asked there is told by e-mail, or by Telegram when there is no address.
_PREFERRED = {
    Channel.TELEGRAM: Channel.TELEGRAM,
    Channel.EMAIL: Channel.EMAIL,
    Channel.PEC: Channel.PEC,
    Channel.WEB: Channel.EMAIL,
}


def answer(  # noqa: PLR0913 - what is said, by whom, about which state of the thread
    session: Session,
    question_id: int,
    staff_id: int,
    text: str,
    *,
    version: int,
    now: datetime,
    files: Sequence[StoredFile] = (),
) -> Message:
    """The answer as it stands in the thread; kept also when nothing reaches the referent (then nothing is queued).

    `files` go with it, on whatever channel. Taking the question is part of it. `Refused` when a colleague has it in
    hand, or when the thread is no longer what the author saw (`version`).
    """
    person = may_act(session, staff_id)
    text = _readable(text)
    question = the_question(session, question_id)
    if question.state is QuestionState.TAKEN and question.taken_by not in (None, staff_id):
        raise overtaken(session, question_id, staff_id)
    # What was said of an earlier answer is not said of this one.
    values = {"state": QuestionState.ANSWERED, "taken_by": staff_id, "last_message_at": now, "solved": None}
    if not threads.change(session, question_id, version, OPEN, **values):
        raise overtaken(session, question_id, staff_id)
    message = _write(session, question, staff_id, text, Audience.REFERENT, now)
    kept = [add_file(session, one, now=now, staff_id=staff_id, message_id=message.id).id for one in files]
    _send(session, question, message, person, kept, now)
    audit.record(session, now, ("staff", staff_id), "question.answer", ("question", question_id), message_id=message.id)
    return message


def note(session: Session, question_id: int, staff_id: int, text: str, *, now: datetime) -> Message:
    """An internal note. It changes no state: it never stops a colleague who is answering."""
    may_act(session, staff_id)
    message = _write(session, the_question(session, question_id), staff_id, _readable(text), Audience.STAFF, now)
    audit.record(session, now, ("staff", staff_id), "question.note", ("question", question_id), message_id=message.id)
    return message


def leaves_by(session: Session, question: Question) -> Channel | None:
    """The channel an answer would take now; None: only the phone is left."""
    if question.referent_id is None:
        return None
    reachable = reachable_addresses(session, question.referent_id)
    wanted = (_PREFERRED.get(question.channel), *reachable)
    return next((channel for channel in wanted if channel in reachable), None)


def _readable(text: str) -> str:
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise Refused(N_("The text is empty. Write something first."))
    if len(text) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    return text


def _write(
    session: Session, question: Question, staff_id: int, text: str, audience: Audience, now: datetime
) -> Message:
    message = Message(
        question_id=question.id,
        audience=audience,
        staff_id=staff_id,
        text=text,
        channel=question.channel,
        created_at=now,
    )
    session.add(message)
    session.flush()
    return message


def _send(
    session: Session, question: Question, message: Message, person: Staff, files: Sequence[int], now: datetime
) -> None:
    referent = session.get(Referent, question.referent_id) if question.referent_id is not None else None
    if referent is None:
        return
    queue_to(
        session,
        referent.id,
        replace(_words(session, question, message, person, Language(referent.language)), files=tuple(files)),
        kind=OutboxKind.ANSWER,
        now=now,
        dedupe_key=f"answer:{message.id}",
        question_id=question.id,
        prefer=_PREFERRED.get(question.channel),
    )


def _words(session: Session, question: Question, message: Message, person: Staff, language: Language) -> Words:
    """The answer as the referent reads it; staff's text is escaped like anybody's."""
    _ = speaking(language, html=True)
    project = session.get(Project, question.project_id) if question.project_id is not None else None
    heading = _("<b>Answer to your question no. {number}</b>", number=question.id)
    about = _("Project: {title}", title=project.title) if project else ""
    signature = _("{name}, {office}", name=person.name, office=the_office(session).name)
    parts = ("\n".join(part for part in (heading, about) if part), str(escape(message.text)), signature)
    asked = threads.newest_of_referent(session, question.id)
    return Words(
        html="\n\n".join(parts),
        subject=_subject(question.id, language),
        buttons=_buttons(question.id, language),
        reply_to=asked.provider_id if asked is not None and asked.channel is Channel.TELEGRAM else None,
    )


def _subject(question_id: int, language: Language) -> str:
    _ = speaking(language)
    return _("Answer to your question no. {number}", number=question_id)


def _buttons(question_id: int, language: Language) -> Keyboard:
    _ = speaking(language)
    return (
        (Button(_("Solved"), data=solved(question_id)), Button(_("Not solved"), data=not_solved(question_id))),
        (Button(_("Add something"), data=add_to(question_id)),),
    )
