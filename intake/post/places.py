"""Finds where a mail belongs: by the address it came to, by the mails it answers, by the number in its subject.

Refuses to give anybody a place in somebody else's thread, whatever the mail claims.
"""

from dataclasses import dataclass

from sqlmodel import Session

from delivery.reply import question_in, token_in
from intake.incoming import Incoming
from intake.post.house import PostHouse
from storage import circulars, reply_addresses
from storage.letters import questions_of_mails
from storage.message_ids import mail_of_ours
from storage.questions import came_of, own_question
from storage.tables import Outbox, ReplyAddress

MOST_REFERENCES = 20  # the newest; a thread of years names them all


@dataclass(frozen=True, slots=True)
class Place:
    """A question; or a message of ours about no question (`said`): a reminder, or what staff wrote
    first. Neither: something new."""

    question_id: int | None = None
    said: Outbox | None = None


NEW = Place()


def token_of(session: Session, house: PostHouse, incoming: Incoming) -> ReplyAddress | None:
    """What the first of our addresses that has a good token stands for."""
    for address in incoming.delivered_to:
        token = token_in(address, house.own)
        found = reply_addresses.reply_address(session, token) if token else None
        if found is not None:
            return found
    return None


def place_of(session: Session, referent_id: int, incoming: Incoming, token: ReplyAddress | None) -> Place:
    """`token`: one that was given to this very person, or None."""
    if token is not None:
        found = _by_token(session, token)
        if found is not None:
            return _split_off(session, referent_id, incoming, found) or found
    return _by_references(session, referent_id, incoming) or _by_subject(session, referent_id, incoming) or NEW


def answered(session: Session, incoming: Incoming) -> int | None:
    """The question in whose thread somebody we do not know seems to write. For staff to see, and nothing else."""
    ours = (mail_of_ours(session, one) for one in _newest_first(incoming))
    return next((one.question_id for one in ours if one is not None and one.question_id is not None), None)


def _by_token(session: Session, token: ReplyAddress) -> Place | None:
    """None when it is about nothing, or about something that is not theirs any more."""
    if token.question_id is not None:
        return _own(session, token.referent_id, token.question_id)
    said = None if token.outbox_id is None else session.get(Outbox, token.outbox_id)
    return _by_message(session, token.referent_id, said)


def _split_off(session: Session, referent_id: int, incoming: Incoming, found: Place) -> Place | None:
    """All mails of one question have one address; when part of it was split off, which one they answer decides."""
    closer = _by_references(session, referent_id, incoming)
    if closer is None or closer.question_id is None or found.question_id is None:
        return None
    return closer if came_of(session, closer.question_id) == found.question_id else None


def _by_references(session: Session, referent_id: int, incoming: Incoming) -> Place | None:
    names = _newest_first(incoming)
    theirs = questions_of_mails(session, referent_id, names)
    for name in names:
        found = _by_message(session, referent_id, mail_of_ours(session, name))
        if found is None and name in theirs:
            found = _own(session, referent_id, theirs[name])
        if found is not None:
            return found
    return None


def _by_message(session: Session, referent_id: int, said: Outbox | None) -> Place | None:
    """A message of ours was written to one person: another who knows its Message-ID gets nothing by it."""
    if said is None or said.referent_id != referent_id:
        return None
    circular_id = circulars.number_in(said)
    replied = None if circular_id is None else circulars.replied(session, referent_id, circular_id)
    if replied is not None:
        return _own(session, referent_id, replied)
    return Place(said=said) if said.question_id is None else _own(session, referent_id, said.question_id)


def _by_subject(session: Session, referent_id: int, incoming: Incoming) -> Place | None:
    found = question_in(incoming.subject)
    return None if found is None or found[0] >= 2**31 else _own(session, referent_id, found[0])


def _own(session: Session, referent_id: int, question_id: int) -> Place | None:
    question = own_question(session, referent_id, question_id)
    return Place(question.id) if question is not None else None


def _newest_first(incoming: Incoming) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reversed(incoming.references)))[:MOST_REFERENCES]
