"""Decides about mail of people we do not know, without letting them in: answers once, discards, thinks better of it.

Letting them in is `registry/letters.py`. Nothing is deleted: what was discarded can be taken back.
"""

from datetime import datetime

from markupsafe import escape
from sqlmodel import Session

from answering.refusal import Refused
from answering.roles import may_act
from delivery.outbox import queue
from delivery.words import Words
from facts.languages import N_
from storage import audit, letters
from storage.people import the_office
from storage.tables import Letter, LetterState, OutboxKind, Staff

LONGEST = 20_000  # characters, as an answer


def answer_letter(session: Session, letter_id: int, staff_id: int, text: str, *, now: datetime) -> int:
    """One mail to the address that wrote, by hand; the outbox id. The person is not let in by it."""
    person = may_act(session, staff_id)
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise Refused(N_("The text is empty. Write something first."))
    if len(text) > LONGEST:
        raise Refused(N_("The text is too long: {most} characters at most."), most=LONGEST)
    letter = _change(session, letter_id, LetterState.HELD, LetterState.ANSWERED, person, now)
    if not letter.sender:
        raise Refused(N_("This e-mail does not say clearly who wrote it: it cannot be answered."))
    outbox_id = queue(
        session,
        Words("\n\n".join((str(escape(text)), str(escape(_signature(session, person))))), letter.subject),
        kind=OutboxKind.ANSWER,
        channel=letter.channel,
        address=letter.sender,
        now=now,
        dedupe_key=f"letter-answer:{letter.id}",
        inbox_id=letter.inbox_id,
    )
    assert outbox_id is not None, "a letter is answered once"
    letters.change_letter(session, letter_id, (LetterState.ANSWERED,), outbox_id=outbox_id)
    audit.record(session, now, ("staff", staff_id), "letter.answer", ("letter", letter_id), outbox=outbox_id)
    return outbox_id


def discard(session: Session, letter_id: int, staff_id: int, *, now: datetime) -> None:
    """It waits no more, and stays stored."""
    person = may_act(session, staff_id)
    _change(session, letter_id, LetterState.HELD, LetterState.DISCARDED, person, now)
    audit.record(session, now, ("staff", staff_id), "letter.discard", ("letter", letter_id))


def take_back(session: Session, letter_id: int, staff_id: int, *, now: datetime) -> None:
    """What was discarded waits again."""
    person = may_act(session, staff_id)
    _change(session, letter_id, LetterState.DISCARDED, LetterState.HELD, person, now)
    audit.record(session, now, ("staff", staff_id), "letter.take-back", ("letter", letter_id))


def _change(
    session: Session, letter_id: int, before: LetterState, after: LetterState, person: Staff, now: datetime
) -> Letter:
    decided = after is not LetterState.HELD
    values = {"decided_by": person.id if decided else None, "decided_at": now if decided else None}
    changed = letters.change_letter(session, letter_id, (before,), state=after, **values)
    letter = letters.one_letter(session, letter_id)
    if letter is None or not changed:
        raise Refused(N_("Somebody else was quicker. Look again at how things stand, then decide."))
    return letter


def _signature(session: Session, person: Staff) -> str:
    return f"{person.name}, {the_office(session).name}"
