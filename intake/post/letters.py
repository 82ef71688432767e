"""What a mail means: a message of a thread, a new question, an update, something for staff to decide, or nothing.

One mail is one letter, by however many doors it comes. Refuses to do anything in somebody's name because a mail says
it is theirs: who is not sure to have written adds words to a thread, under a warning, and that is all
(`standing`, `places`). What a machine wrote is kept and moves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from delivery import doors
from facts.languages import Language
from intake.incoming import Incoming, PecKind
from intake.post.as_message import source_of, words_of
from intake.post.automatic import answer_stranger, confirm
from intake.post.bounces import note_bounce
from intake.post.enclosures import add_enclosures
from intake.post.house import PostHouse
from intake.post.keys import without_keys
from intake.post.places import NEW, Place, answered, place_of, token_of
from intake.post.receipts import note_receipt
from intake.post.standing import standing_of
from intake.questions import add_message, ask
from intake.worker import Handler
from storage import letters
from storage.circulars import number_in
from storage.people import own_project
from storage.questions import thread
from storage.readings import forget_reading, reading_of
from storage.tables import (
    Address,
    Channel,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Message,
    Outbox,
    Question,
    Referent,
    ReplyAddress,
    Standing,
)
from storage.words import SURE

CHANNELS = {"mail": Channel.EMAIL, "pec": Channel.PEC}  # by the kind of the inbox's row

# Reads a reply to a reminder: whether it was an update, and nothing else is to be done with it. Asked only when it is
# sure who wrote; the message is the reminder.
Updates = Callable[[Session, PostHouse, Incoming, Letter, Referent, Outbox, datetime], bool]


def no_updates(*_: object) -> bool:
    """Where nobody reads updates in mail: every reply is a message."""
    return False


@dataclass(frozen=True, slots=True)
class Case:
    """One mail in hand, and where it is written down."""

    session: Session
    house: PostHouse
    updates: Updates
    incoming: Incoming
    letter: Letter
    now: datetime


def mail_handler(house: PostHouse, updates: Updates = no_updates) -> Handler:
    """For what came by mail and by certified mail, once it has been read (`storage/readings.py`)."""

    def handle(session: Session, row: Inbox, now: datetime) -> None:
        document = reading_of(session, row.id)
        if document is None:
            raise LookupError("this mail has not been read")
        incoming = without_keys(Incoming.from_json(document))
        if not letters.is_known(session, incoming.fingerprint):
            letter = _keep(session, row, incoming, _channel(house, row, incoming))
            _understand(Case(session, house, updates, incoming, letter, now))
        forget_reading(session, row.id)

    return handle


def _channel(house: PostHouse, row: Inbox, incoming: Incoming) -> Channel:
    """Certified mail may come to our ordinary mailbox, too; it is answered as it was written, where we can."""
    envelope = incoming.pec
    certified = envelope is not None and envelope.kind is PecKind.TRANSPORT and envelope.standing is Standing.CERTIFIED
    return Channel.PEC if certified and house.sends_certified else CHANNELS[row.kind]


def _keep(session: Session, row: Inbox, incoming: Incoming, channel: Channel) -> Letter:
    writer = incoming.sender
    return letters.add_letter(
        session,
        incoming.fingerprint,
        inbox_id=row.id,
        channel=channel,
        provider_id=incoming.message_id,
        kind=incoming.kind,
        state=LetterState.FILED,
        standing=Standing.UNVERIFIED if incoming.pec is None else incoming.pec.standing,
        sender="" if writer is None else writer.address,
        sender_name="" if writer is None else writer.name,
        subject=incoming.subject,
        text=incoming.text,
        quoted=incoming.quoted,
        about=_about(incoming),
        received_at=row.received_at,
    )


def _about(incoming: Incoming) -> dict[str, Any]:
    """What staff should see beside the words."""
    said = {
        "doubt": incoming.doubt,
        "left_out": list(incoming.left_out),
        "events": list(incoming.events),
        "why": "" if incoming.pec is None else incoming.pec.why,
        "provider": "" if incoming.pec is None else incoming.pec.provider,
    }
    return {name: value for name, value in said.items() if value}


def _understand(case: Case) -> None:
    incoming, letter = case.incoming, case.letter
    if incoming.kind is LetterKind.BOUNCE:
        note_bounce(case.session, incoming, letter.inbox_id, case.now)
        return
    if incoming.kind is LetterKind.RECEIPT and _is_ours(case):
        note_receipt(case.session, incoming, letter.inbox_id, case.now)
    if incoming.kind is LetterKind.RECEIPT:
        return
    if incoming.sender is not None and case.house.is_own(incoming.sender.address):
        return  # our own mail, come back: filed
    token = token_of(case.session, case.house, incoming)
    known = _known(case)
    fits = known is not None and token is not None and token.referent_id == known.referent_id
    letter.standing = standing_of(incoming, token_fits=fits)
    if known is None:
        _from_a_stranger(case, token)
    else:
        _from_a_referent(case, known, token, fits=fits)


def _is_ours(case: Case) -> bool:
    """Whoever sends a mail with our Message-ID has true receipts for it: the provider says whose mail it was."""
    envelope = case.incoming.pec
    return envelope is None or not envelope.sender or case.house.is_own(envelope.sender)


def _known(case: Case) -> Address | None:
    """Whose address it is. A mail that is odd there (two senders, a name that looks like another) is nobody's."""
    if case.incoming.sender is None or case.incoming.doubt:
        return None
    return letters.writer_at(case.session, case.letter.sender, case.letter.channel)


# --- from somebody whose address we do not know


def _from_a_stranger(case: Case, token: ReplyAddress | None) -> None:
    """To the holding pen, with the thread in which it seems to belong. A machine's mail is filed instead."""
    incoming, letter = case.incoming, case.letter
    thread_id = token.question_id if token is not None else answered(case.session, incoming)
    organization = letters.organization_at(case.session, letter.sender) if letter.channel is Channel.PEC else None
    seems = {"thread": thread_id, "organization": organization}
    letter.about = letter.about | {name: value for name, value in seems.items() if value is not None}
    if incoming.kind in (LetterKind.MESSAGE, LetterKind.CALENDAR):
        letter.state = LetterState.HELD
    add_enclosures(case.session, incoming, case.now, inbox_id=letter.inbox_id, letter_id=letter.id)
    if letter.state is LetterState.HELD:
        answer_stranger(case.session, case.house, letter, incoming, case.now)
    case.session.add(letter)


# --- from a referent, or from who says so


def _from_a_referent(case: Case, known: Address, token: ReplyAddress | None, *, fits: bool) -> None:
    letter = case.letter
    referent = case.session.get_one(Referent, known.referent_id)
    letter.referent_id = referent.id
    place = place_of(case.session, referent.id, case.incoming, token if fits else None)
    if letter.kind is LetterKind.AUTO_REPLY:
        _keep_automatic(case, referent, place)
        return
    if letter.standing in SURE:
        _is_reached(case, known)
    if token is not None and not fits and token.question_id is not None:
        letter.about = letter.about | {"thread": token.question_id}  # somebody else's: staff are told, nothing more
    if place.said is not None:
        letter.outbox_id = place.said.id
        if letter.standing in SURE and _is_an_update(case, referent, place):
            return
    _to_the_desk(case, referent, place)


def _is_reached(case: Case, known: Address) -> None:
    """They wrote from there, and it is sure that it was them. Mostly nobody thought otherwise."""
    if known.unreachable_since is None and not known.bounces:
        return
    doors.open_again(case.session, known.channel, known.value, case.now)
    letters.forget_bounces(case.session, known.id)


def _is_an_update(case: Case, referent: Referent, place: Place) -> bool:
    assert place.said is not None
    if not case.updates(case.session, case.house, case.incoming, case.letter, referent, place.said, case.now):
        return False
    case.letter.state = LetterState.UPDATE
    case.session.add(case.letter)
    return True


def _to_the_desk(case: Case, referent: Referent, place: Place) -> None:
    """Into the thread where it belongs, or as a new question, whose number they are told."""
    question = _question(case, referent, place)
    message = thread(case.session, question.id)[0] if question is not None else _add(case, referent, place)
    _threaded(case, message)
    if question is not None:
        confirm(case.session, case.house, case.letter, question, case.now)


def _question(case: Case, referent: Referent, place: Place) -> Question | None:
    """A new one, unless it belongs in a thread."""
    if place.question_id is not None:
        return None
    project = None if place.said is None else letters.project_of_reminder(case.session, place.said)
    if project is not None and own_project(case.session, referent.id, project) is None:
        project = None
    return ask(
        case.session,
        text=words_of(case.letter, Language(referent.language), first=True),
        project_id=project,
        circular_id=None if place.said is None else number_in(place.said),
        zone=case.house.zone,
        **source_of(case.letter, referent.id, case.now),
    )


def _add(case: Case, referent: Referent, place: Place, *, automatic: bool = False) -> Message:
    assert place.question_id is not None
    question = case.session.get_one(Question, place.question_id)  # one of theirs: it has just been looked up
    return add_message(
        case.session,
        question,
        text=words_of(case.letter, Language(referent.language)),
        zone=case.house.zone,
        **source_of(case.letter, referent.id, case.now, automatic=automatic),
    )


def _keep_automatic(case: Case, referent: Referent, place: Place) -> None:
    """Out of office and the like: folded in the thread that it answers, else filed."""
    if place == NEW or place.question_id is None:
        case.letter.outbox_id = None if place.said is None else place.said.id
        add_enclosures(case.session, case.incoming, case.now, inbox_id=case.letter.inbox_id, letter_id=case.letter.id)
        return
    _threaded(case, _add(case, referent, place, automatic=True))


def _threaded(case: Case, message: Message) -> None:
    letter = case.letter
    letter.state, letter.question_id, letter.message_id = LetterState.THREADED, message.question_id, message.id
    case.session.add(letter)
    add_enclosures(
        case.session,
        case.incoming,
        case.now,
        inbox_id=letter.inbox_id,
        message_id=message.id,
        referent_id=message.referent_id,
    )
