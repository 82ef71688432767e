"""Lets in somebody whose mail waits in the holding pen: the letter becomes a question of theirs. Never commits.

Who may do so, the desk checks. Two officers at once: the second is told who was first. How the letter came to wait is
in `intake/post/letters.py`; answered once or discarded, `answering/letters.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facts.languages import N_, Language
from intake.post.as_message import source_of, words_of
from intake.post.automatic import confirm
from intake.post.house import PostHouse
from intake.questions import add_message, ask
from registry.admission import NOBODY, Admission, Overtaken
from registry.referents import TAKEN_EMAIL, Person, Registrar
from registry.report import RegistryRefused
from storage import audit, letters, people
from storage.questions import own_question, thread
from storage.tables import Address, Channel, Letter, LetterState, Message, Question, Referent, Staff

DECIDED = N_("{name} has decided about this e-mail in the meantime. Look again at how it stands.")
NOT_WAITING = N_("This e-mail does not wait any more. Look again at how it stands.")
NO_SENDER = N_("This e-mail does not say clearly who wrote it: no address can be kept for it.")


class NoSuchLetter(LookupError):
    """There is no letter with this number that ever waited."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """Who sorts, and when."""

    house: PostHouse
    by: int
    now: datetime


def admit(
    session: Session, letter_id: int, admission: Admission, sorting: Sorting, *, email: str = "", keep: bool
) -> Message:
    """The letter as a message of `admission`'s person: in the thread it named when that is theirs, else a new question.

    `keep`: its address is theirs from now on, and what else waits from there joins it; the person is told the number.
    `email`: of a new person who wrote by certified mail. Raises NoSuchLetter, Overtaken, RegistryRefused; roll back.
    """
    letter = _decide(session, letter_id, sorting)
    if keep and not letter.sender:
        raise RegistryRefused(NO_SENDER)
    referent = _person(session, letter, admission, email, sorting)
    if keep:
        _keep_address(session, letter, referent, sorting.now)
    message = _as_message(session, letter, referent, sorting)
    _note(session, letter.id, message, sorting, address=keep)
    if keep:
        for other in letters.held_from(session, letter.sender):
            _join(session, other.id, referent, message.question_id, sorting)
    return message


def _note(session: Session, letter_id: int, message: Message, sorting: Sorting, **detail: bool) -> None:
    what = {"referent": message.referent_id, "question": message.question_id} | detail
    audit.record(session, sorting.now, ("staff", sorting.by), "letter.admit", ("letter", letter_id), **what)


def _decide(session: Session, letter_id: int, sorting: Sorting) -> Letter:
    changed = _mark(session, letter_id, sorting)
    letter = letters.one_letter(session, letter_id)
    if letter is None:
        raise NoSuchLetter(letter_id)
    if not changed:
        colleague = None if letter.decided_by is None else session.get(Staff, letter.decided_by)
        raise Overtaken(NOT_WAITING) if colleague is None else Overtaken(DECIDED, name=colleague.name)
    return letter


def _mark(session: Session, letter_id: int, sorting: Sorting) -> bool:
    values = {"state": LetterState.ADMITTED, "decided_by": sorting.by, "decided_at": sorting.now}
    return letters.change_letter(session, letter_id, (LetterState.HELD,), **values)


def _person(session: Session, letter: Letter, admission: Admission, email: str, sorting: Sorting) -> Referent:
    if admission.referent_id is not None:
        referent = session.get(Referent, admission.referent_id)
        if referent is None:
            raise RegistryRefused(NOBODY)
        return referent
    person = Person(
        name=admission.name,
        email=letter.sender if letter.channel is Channel.EMAIL and letter.sender else email,
        organization=admission.organization,
        role=admission.role,
        cups=admission.cups,
        new_actor=admission.new_actor,
    )
    return Registrar(session, sorting.now, ("staff", sorting.by)).register(person).referent


def _keep_address(session: Session, letter: Letter, referent: Referent, now: datetime) -> None:
    """Not as verified: staff say whose it is, its owner has shown nothing."""
    owner = people.referent_at(session, letter.channel, letter.sender)
    if owner is not None and owner.id != referent.id:
        raise RegistryRefused(TAKEN_EMAIL, email=letter.sender, name=owner.name)
    if owner is None:
        session.add(Address(referent_id=referent.id, channel=letter.channel, value=letter.sender, created_at=now))
        session.flush()


def _as_message(session: Session, letter: Letter, referent: Referent, sorting: Sorting) -> Message:
    thread_id = letter.about.get("thread")
    known = own_question(session, referent.id, thread_id) if isinstance(thread_id, int) else None
    if known is not None:
        return _add(session, letter, referent, known, sorting)
    question = ask(
        session,
        text=words_of(letter, Language(referent.language), first=True),
        zone=sorting.house.zone,
        **source_of(letter, referent.id, sorting.now),
    )
    message = thread(session, question.id)[0]
    _settle(session, letter, message)
    if people.referent_at(session, letter.channel, letter.sender) is not None:
        confirm(session, sorting.house, letter, question, sorting.now, asked_for=True)
    return message


def _add(session: Session, letter: Letter, referent: Referent, question: Question, sorting: Sorting) -> Message:
    message = add_message(
        session,
        question,
        text=words_of(letter, Language(referent.language)),
        zone=sorting.house.zone,
        **source_of(letter, referent.id, sorting.now),
    )
    _settle(session, letter, message)
    return message


def _settle(session: Session, letter: Letter, message: Message) -> None:
    assert message.referent_id is not None, "it has just become somebody's"
    letter.referent_id, letter.question_id, letter.message_id = message.referent_id, message.question_id, message.id
    session.add(letter)
    session.flush()
    letters.give_files(session, letter.id, message.id, message.referent_id)


def _join(session: Session, letter_id: int, referent: Referent, question_id: int, sorting: Sorting) -> None:
    """What else had come from there goes into the same thread, in order."""
    if not _mark(session, letter_id, sorting):
        return
    letter = letters.one_letter(session, letter_id)
    question = own_question(session, referent.id, question_id)
    assert letter is not None
    assert question is not None
    _note(session, letter_id, _add(session, letter, referent, question, sorting), sorting, joined=True)
