"""What a message gets as it leaves: a key to the reader's own page and, by mail, its place among the mails before it.

In the caller's transaction, and never in the row: the database holds keys as hashes only. Refuses to word and to send.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from delivery.links import Links
from delivery.parcel import Letterhead, Parcel, Thread
from delivery.reply import question_tag, reply_token
from delivery.words import opens_personal_page, with_personal_page
from storage import mail_threads, people
from storage.mail_threads import Answered
from storage.reply_addresses import About, remember
from storage.tables import Channel, OutboxKind

MAIL = frozenset({Channel.EMAIL, Channel.PEC})


@dataclass(slots=True)
class Stamp:
    """`reply_key`: from which reply addresses follow; empty when mail to `name+token@` would not come to us."""

    links: Links
    office: Letterhead = field(default_factory=Letterhead)
    reply_key: bytes = field(default=b"", repr=False)

    def on(self, session: Session, parcel: Parcel, row: Row[Any], now: datetime) -> Parcel:
        if parcel.channel not in MAIL and not (parcel.words.buttons and opens_personal_page(parcel.words)):
            return parcel
        url = ""
        if parcel.referent_id is not None:
            url = self.links.personal(people.new_personal_link(session, parcel.referent_id, now, parcel.id))
        words = with_personal_page(parcel.words, url)
        if parcel.channel not in MAIL:
            return replace(parcel, words=words)
        answered = mail_threads.answered_mail(session, row.inbox_id) if row.inbox_id is not None else None
        thread = replace(_thread(session, parcel, answered), token=self._token(session, parcel, answered, now))
        return replace(parcel, words=words, office=self.office, personal_url=url, thread=thread)

    def _token(self, session: Session, parcel: Parcel, answered: Answered | None, now: datetime) -> str:
        """Certified mail has none: few providers take an address with a `+`."""
        if parcel.channel is not Channel.EMAIL or parcel.referent_id is None or not self.reply_key:
            return ""
        about = _about(parcel, answered)
        token = reply_token(self.reply_key, parcel.referent_id, about)
        remember(session, token, parcel.referent_id, about, now)
        return token


def place_in_thread(session: Session, parcel: Parcel) -> Thread:
    """Where a mail that answers no other one in particular would stand; without an address to reply to."""
    return _thread(session, parcel, None)


def _about(parcel: Parcel, answered: Answered | None) -> About:
    """A mail that answers theirs about a reminder is about that reminder, too."""
    if parcel.question_id is not None:
        return About(question_id=parcel.question_id)
    if parcel.kind in (OutboxKind.REMINDER, OutboxKind.CIRCULAR):
        return About(outbox_id=parcel.id)
    return About(outbox_id=answered.outbox_id if answered is not None else None)


def _thread(session: Session, parcel: Parcel, answered: Answered | None) -> Thread:
    earlier: Sequence[str] = ()
    tag = subject = ""
    if _may_repeat(parcel, answered):
        subject = answered.subject if answered is not None else ""
    if parcel.question_id is not None:
        earlier = mail_threads.earlier_mails(session, parcel.question_id, parcel.channel, parcel.address, parcel.id)
        asked_at = mail_threads.asked_at(session, parcel.question_id)
        tag = question_tag(parcel.question_id, asked_at) if asked_at is not None else ""
        if parcel.referent_id is not None and not subject and _may_repeat(parcel, answered):
            subject = mail_threads.subject_of(session, parcel.question_id, parcel.referent_id)
    last = [answered.message_id] if answered is not None and answered.message_id else []
    ids = [one for one in earlier if one not in last]
    return Thread(tuple(ids + last), tag, subject, in_answer=answered is not None)


def _may_repeat(parcel: Parcel, answered: Answered | None) -> bool:
    """What a machine answers repeats nothing of who may be somebody else: they would have us send their words."""
    return parcel.kind is not OutboxKind.AUTO_REPLY or (answered is not None and answered.sure)
