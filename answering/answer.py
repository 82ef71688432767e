"""Answers a question, and writes internal notes beside it. A note never leaves.

The answer goes where the referent wrote from. Two people who answer the same question at once: the first answer
leaves, the second is `Refused` and told who was first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from markupsafe import escape
from sqlmodel import Session

from answering.mentions import called_upon
from answering.moves import OPEN, overtaken, the_question
from answering.refusal import Denied, Refused
from answering.roles import Acting, may_act_on, role_in
from delivery.callbacks import add_to, not_solved, solved
from delivery.outbox import queue_to
from delivery.words import Button, Keyboard, Words
from facts.languages import N_, Language, speaking
from intake.files import StoredFile, add_file
from storage import attachments, audit, joining, mentions, proposals, threads
from storage.local_roles import RANKS
from storage.people import reachable_addresses, the_office
from storage.questions import home
from storage.tables import (
    Audience,
    Category,
    Channel,
    Message,
    OutboxKind,
    Project,
    Question,
    QuestionState,
    Referent,
    Role,
    Staff,
)

LONGEST = 20_000  # characters: five Telegram messages
UNDO = timedelta(seconds=20)  # an answer waits this long before it leaves: `answering/undo.py`

# A personal page cannot ring: who asked there is told by e-mail, or by Telegram when there is no address.
_PREFERRED = {
    Channel.TELEGRAM: Channel.TELEGRAM,
    Channel.EMAIL: Channel.EMAIL,
    Channel.PEC: Channel.PEC,
    Channel.WEB: Channel.EMAIL,
}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer and who signs it. `files` have just come, `kept` are rows that belong to something else until now.

    `awaits`: it asks the referent for something, and is no answer until that comes.
    """

    author: Staff
    text: str
    awaits: bool = False
    files: Sequence[StoredFile] = ()
    kept: Sequence[int] = ()


class Freedom(NamedTuple):
    """How much somebody may do with a question: the greater, the more."""

    rank: int
    answers_alone: bool


def answer(  # noqa: PLR0913 - what is said, by whom, about which state of the thread
    session: Session,
    question_id: int,
    staff_id: int,
    text: str,
    *,
    version: int,
    now: datetime,
    files: Sequence[StoredFile] = (),
    kept: Sequence[int] = (),
    awaits: bool = False,
) -> Message:
    """The answer as it stands in the thread; kept also when nothing reaches the referent (then nothing is queued).

    `files` go with it, on whatever channel. Taking the question is part of it. `Refused` when a colleague has it in
    hand, when the thread is no longer what the author saw (`version`), or when somebody has to approve it first
    (`answering/approval.py`).
    """
    question = the_question(session, question_id)
    acting = may_act_on(session, staff_id, question)
    if needs_approval(session, acting, question):
        raise Denied(N_("An officer approves your answer before it leaves. Propose it."))
    said = Said(acting.person, readable(text), awaits, files, own_files(session, question, staff_id, kept))
    free_to_answer(session, question, staff_id)
    message = leave(session, question, said, version=version, only_from=OPEN, now=now)
    audit.record(session, now, ("staff", staff_id), "question.answer", ("question", question_id), message_id=message.id)
    return message


def needs_approval(session: Session, acting: Acting, question: Question) -> bool:
    """A volunteer's answer does, unless the question's category is free for volunteers. No setting turns it off."""
    if acting.role is not Role.VOLUNTEER:
        return False
    category = session.get(Category, question.category_id) if question.category_id is not None else None
    return category is None or not category.free


def freedom(session: Session, person: Staff, question: Question) -> Freedom:
    """How much this person may do with it."""
    role = role_in(session, person, question)
    return Freedom(RANKS[role], not needs_approval(session, Acting(person, role), question))


def free_to_answer(session: Session, question: Question, staff_id: int) -> None:
    """`Refused` when a colleague has it in hand."""
    if question.state is QuestionState.TAKEN and question.taken_by not in (None, staff_id):
        raise overtaken(session, question.id, staff_id)


def own_files(session: Session, question: Question, staff_id: int, wanted: Sequence[int]) -> Sequence[int]:
    """Those of `wanted` that came back to this person with what they had written, or that they chose and kept.

    `Refused` when one was taken away meanwhile: an answer that promises a file does not leave without it.
    """
    back = proposals.back_with(session, question, staff_id) if wanted else None
    returned = [file.id for file in back.files if file.id in wanted] if back is not None else []
    return [*returned, *still_chosen(session, staff_id, wanted)]


def still_chosen(session: Session, staff_id: int, wanted: Sequence[int]) -> list[int]:
    """Those of `wanted` that this person chose and that have not gone anywhere. `Refused` when one is gone."""
    found = [file.id for file in attachments.loose_of(session, staff_id, wanted, to_send=True)]
    if not attachments.all_there(session, wanted):
        raise Refused(N_("A file you chose is not here any more: it waited for more than a day. Choose it again."))
    return found


def leave(
    session: Session,
    question: Question,
    said: Said,
    *,
    version: int,
    only_from: Sequence[QuestionState],
    now: datetime,
) -> Message:
    """Writes the answer and queues it, when the thread is still what its sender saw. Checks nobody's role."""
    values: dict[str, Any] = {
        "state": QuestionState.ANSWERED,
        "taken_by": said.author.id,
        "last_message_at": now,
        "solved": None,  # what was said of an earlier answer is not said of this one
        "awaits": said.awaits,
    }
    if question.first_answer_at is None and not said.awaits:
        values["first_answer_at"] = now
    if not threads.change(session, question.id, version, only_from, **values):
        raise overtaken(session, question.id, said.author.id)
    message = _write(session, question, said.author.id, said.text, Audience.REFERENT, now)
    fresh = [add_file(session, one, now=now, staff_id=said.author.id, message_id=message.id).id for one in said.files]
    attachments.put_in_message(session, said.kept, message.id)
    _send(session, question, message, said, [*said.kept, *fresh], now)
    return message


def note(session: Session, question_id: int, staff_id: int, text: str, *, now: datetime, calls: int = 0) -> Message:
    """An internal note. It changes no state: it never stops a colleague who is answering.

    Colleagues whose names stand in it behind an `@`, and the one of number `calls`, are called upon.
    """
    question = the_question(session, home(session, question_id))
    may_act_on(session, staff_id, question)
    text = readable(text)
    called = called_upon(text, mentions.colleagues(session, staff_id), calls)
    message = _write(session, question, staff_id, text, Audience.STAFF, now)
    mentions.call_upon(session, message.id, called, now)
    audit.record(session, now, ("staff", staff_id), "question.note", ("question", question_id), message_id=message.id)
    return message


def leaves_by(session: Session, question: Question) -> Channel | None:
    """The channel an answer would take now; None: only the phone is left."""
    if question.referent_id is None:
        return None
    reachable = reachable_addresses(session, question.referent_id)
    wanted = (_PREFERRED.get(question.channel), *reachable)
    return next((channel for channel in wanted if channel in reachable), None)


def readable(text: str) -> str:
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
    session: Session, question: Question, message: Message, said: Said, files: Sequence[int], now: datetime
) -> None:
    referent = session.get(Referent, question.referent_id) if question.referent_id is not None else None
    if referent is None:
        return
    queue_to(
        session,
        referent.id,
        replace(words_of(session, question, said, Language(referent.language)), files=tuple(files)),
        kind=OutboxKind.ANSWER,
        now=now,
        after=now + UNDO,
        dedupe_key=f"answer:{message.id}",
        question_id=question.id,
        prefer=_PREFERRED.get(question.channel),
    )


def words_of(session: Session, question: Question, said: Said, language: Language) -> Words:
    """The answer as the referent reads it; staff's text is escaped like anybody's."""
    _ = speaking(language, html=True)
    project = session.get(Project, question.project_id) if question.project_id is not None else None
    heading = (
        _("<b>About your question no. {number} we ask you something</b>", number=question.id)
        if said.awaits
        else _("<b>Answer to your question no. {number}</b>", number=question.id)
    )
    about = _("Project: {title}", title=project.title) if project else ""
    numbers = _other_numbers(session, question, language)
    signature = _("{name}, {office}", name=said.author.name, office=the_office(session).name)
    parts = ("\n".join(part for part in (heading, numbers, about) if part), str(escape(said.text)), signature)
    asked = threads.newest_of_referent(session, question.id)
    return Words(
        html="\n\n".join(parts),
        subject=_subject(question.id, language),
        buttons=_buttons(question.id, language, awaits=said.awaits),
        reply_to=asked.provider_id if asked is not None and asked.channel is Channel.TELEGRAM else None,
    )


def _other_numbers(session: Session, question: Question, language: Language) -> str:
    """They know their question by the number that it had before it was merged or split off."""
    _ = speaking(language, html=True)
    merged = joining.merged_into(session, question.id)
    if merged:
        return _("It answers your question no. {numbers}, too.", numbers=", ".join(str(one) for one in merged))
    return (
        _("It was part of your question no. {number}.", number=question.split_from_id) if question.split_from_id else ""
    )


def _subject(question_id: int, language: Language) -> str:
    _ = speaking(language)
    return _("Answer to your question no. {number}", number=question_id)


def _buttons(question_id: int, language: Language, *, awaits: bool) -> Keyboard:
    _ = speaking(language)
    add = (Button(_("Add something"), data=add_to(question_id)),)
    if awaits:
        return (add,)
    return (Button(_("Solved"), data=solved(question_id)), Button(_("Not solved"), data=not_solved(question_id))), add
