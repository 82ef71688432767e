"""Tells people that their mail has arrived. Refuses to answer machines, and anybody more than once (RFC 3834).

Whom we know is told the number of their question, at the address by which we know them. Whom we do not know is told
once a day that somebody will read it. Both are automatic replies: another program of this kind answers neither.
"""

import re
from datetime import datetime, timedelta

from sqlmodel import Session

from delivery.outbox import queue
from delivery.words import Words
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_, Language, speaking
from intake.incoming import Incoming, PecKind
from intake.post.house import PostHouse
from storage.letters import answered_since
from storage.tables import Letter, LetterKind, OutboxKind, Question, Referent
from storage.words import SURE, Standing

A_DAY = timedelta(hours=24)
# To people of whom it is sure that they wrote. A machine of theirs that opens a question for each of our replies, and
# does not say that it is one, stops there.
MOST_A_DAY = 5

# RFC 3834 §2 and what is in use. Each as a whole, or as a word beside dots, dashes and the like.
_MACHINES = re.compile(
    r"(?:^|[._+-])"
    r"(?:no-?_?\.?reply|do-?_?not-?_?reply|non-?_?rispondere|noreply|mailer-daemon|postmaster|bounces?|owner|request"
    r"|nobody|listserv|majordomo|mailman|autorisposta|posta-certificata|notifications?|notifiche)"
    r"(?:$|[._+=-])"
)


def may_answer(incoming: Incoming, house: PostHouse) -> bool:
    """Whether a mail from somebody we do not know may be answered by itself. Pure."""
    writer = incoming.sender
    if writer is None or incoming.doubt or incoming.null_sender or incoming.kind is not LetterKind.MESSAGE:
        return False
    if house.is_own(writer.address) or is_machine(writer.address):
        return False
    envelope = incoming.pec
    return envelope is None or (envelope.kind is PecKind.TRANSPORT and envelope.standing is Standing.CERTIFIED)


def is_machine(address: str) -> bool:
    """Whether the name before the @ says that nobody reads there."""
    return _MACHINES.search(address.rpartition("@")[0].lower()) is not None


def answer_stranger(
    session: Session, house: PostHouse, letter: Letter, incoming: Incoming, now: datetime
) -> int | None:
    """One polite automatic answer a day; None: none is due. Never to Reply-To: anybody can write anything there."""
    if not may_answer(incoming, house) or answered_since(session, letter.sender, now - A_DAY):
        return None
    other = Language.EN if house.language is Language.IT else Language.IT
    said = []
    for language in (house.language, other):
        _ = speaking(language, html=True)
        said.append(_("Your e-mail has arrived, but we do not know this address yet."))
        said.append(_("Somebody at the office will read it and write to you. There is no need to send it again."))
    words = Words("\n\n".join((f"{said[0]} {said[1]}", f"<i>{said[2]} {said[3]}</i>")), _subject(house.language))
    return queue(
        session,
        words,
        kind=OutboxKind.AUTO_REPLY,
        channel=letter.channel,
        address=letter.sender,
        now=now,
        dedupe_key=f"auto-reply:{letter.id}",
        inbox_id=letter.inbox_id,
    )


def confirm(
    session: Session, house: PostHouse, letter: Letter, question: Question, now: datetime, *, asked_for: bool = False
) -> int | None:
    """The number of their question, and when to expect the answer; None when it is not to be said.

    To who is not sure to have written once a day, so that nobody fills another's mailbox in this way. `asked_for`:
    staff have let them in, and it is said whatever was said before.
    """
    referent = None if question.referent_id is None else session.get(Referent, question.referent_id)
    if referent is None or letter.kind is not LetterKind.MESSAGE or not letter.sender or house.is_own(letter.sender):
        return None
    most = MOST_A_DAY if letter.standing in SURE else 1
    if not asked_for and (is_machine(letter.sender) or answered_since(session, letter.sender, now - A_DAY) >= most):
        return None
    return queue(
        session,
        _number(question, letter, Language(referent.language), house.zone),
        kind=OutboxKind.AUTO_REPLY,
        channel=letter.channel,
        address=letter.sender,
        now=now,
        dedupe_key=f"arrived:{question.id}",
        referent_id=referent.id,
        question_id=question.id,
        inbox_id=letter.inbox_id,
    )


def _number(question: Question, letter: Letter, language: Language, zone: str) -> Words:
    _ = speaking(language, html=True)
    day = show_date(local_date(question.due_at, zone), language)
    said = [
        _("Your e-mail has arrived: it is question no. {n}.", n=question.id),
        _("We usually answer within two working days. Expected: {day}.", day=day),
    ]
    if letter.standing not in SURE:
        said.append(_("If it was not you who wrote, tell us: somebody may be using your address."))
    return Words("\n\n".join(said), _subject(language))


def _subject(language: Language) -> str:
    return speaking(language)(N_("Your e-mail has arrived"))
