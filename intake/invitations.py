"""Lets a referent in: invites, binds their private chat once, lets them go. Identifies nobody by name or text.

Keys are never stored, not even in the outbox: the invitation's mail gets its own key while it is being worded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlmodel import Session

from delivery.doors import follow, tell_kept
from delivery.links import Links
from delivery.outbox import queue
from delivery.words import UNWRITTEN, Words
from facts.languages import N_, Language, speaking
from storage import access, audit, dispatching, people
from storage import invitations as keys
from storage.tables import Channel, Outbox, OutboxKind, Referent


@dataclass(frozen=True, slots=True)
class Invited:
    """What to hand over once: neither link can be shown again. `mailed`: the invitation is also on its way by mail."""

    start_link: str
    personal_link: str
    mailed: bool


class ChatTaken(Exception):
    """This chat already speaks for another referent. `sentence` is for whoever asked."""

    sentence = N_(
        "This chat is already linked to another contact person. "
        "Send /esci to unlink it, then open the invitation again."
    )


class NobodyToInvite(LookupError):
    """There is no such referent."""


def invite(session: Session, referent_id: int, now: datetime, links: Links, *, by: int | None = None) -> Invited:
    """A new key (earlier ones no longer open) and a personal page; the mail is queued when there is an address."""
    referent = session.get(Referent, referent_id)
    if referent is None or not people.is_here(referent):
        raise NobodyToInvite(referent_id)
    address = people.address_of(session, referent_id, Channel.EMAIL)
    token = people.new_invitation(session, referent_id, address.value if address else "", now)
    invitation = people.invitation_with(session, token)
    assert invitation is not None
    actor = ("system", None) if by is None else ("staff", by)
    audit.record(session, now, actor, "referent.invite", ("referent", referent_id), invitation=invitation.id)
    outbox_id = None
    if address is not None and address.unreachable_since is None:
        outbox_id = queue(
            session,
            _words(session, referent, links, start_link=None),
            kind=OutboxKind.INVITATION,
            channel=Channel.EMAIL,
            address=address.value,
            now=now,
            dedupe_key=f"invitation:{invitation.id}",
            referent_id=referent_id,
        )
    personal = people.new_personal_link(session, referent_id, now)
    return Invited(links.start(token), links.personal(personal), outbox_id is not None)


def word_invitation(links: Links) -> Callable[[Session, Outbox, datetime], Words | None]:
    """For `STILL_DUE[OutboxKind.INVITATION]`: the mail with a key of its own; None when no longer wanted."""

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        invitation_id = row.dedupe_key.split(":")[1]
        referent = session.get(Referent, row.referent_id)
        if referent is None or not keys.is_open(session, int(invitation_id), now):
            return None
        start_link = None
        if links.bot and row.channel is Channel.EMAIL:
            start_link = links.start(keys.add_key(session, referent.id, row.address, now))
        return _words(session, referent, links, start_link=start_link)

    return word


def _words(session: Session, referent: Referent, links: Links, *, start_link: str | None) -> Words:
    """The sender adds the way to the personal page, as to every mail to a referent."""
    language = Language(referent.language)
    _ = speaking(language, html=True)
    office = people.the_office(session)
    sender = f"{office.name}, {office.authority}" if office.authority not in ("", office.name) else office.name
    parts = [
        _("Hello {name},", name=referent.name.split()[0] if referent.name.split() else ""),
        _("We are writing to you from the office: {office}.", office=sender),
        _(
            "With Raccordo you send us updates on your projects from Telegram. From your own page you see your "
            "projects and deadlines, ask questions and leave files. We remind you of the deadlines."
        ),
    ]
    if start_link:
        parts.append(
            _(
                "<b>On Telegram:</b> open this link on your phone and confirm. It works once, within {days} days.",
                days=people.INVITATION_DAYS,
            )
            + Markup('\n<a href="{0}">{0}</a>').format(UNWRITTEN)
        )
    parts += [
        _(
            "<b>Without Telegram:</b> use your own page. Its link is at the end of this mail and is for you alone: "
            "please do not pass it on."
        ),
        _('How we treat your data: <a href="{url}">privacy notice</a>.', url=links.privacy()),
        _("Were you not expecting this? Do nothing: nothing is linked until you confirm."),
    ]
    subject = speaking(language)(N_("{office}: how to send us updates and questions"), office=office.name)
    return Words("\n\n".join(parts), subject=subject, secret=start_link or "")


def invitation_for(session: Session, token: str, now: datetime) -> Referent | None:
    """Whom this key would let in. Uses nothing up: mail scanners open links too."""
    invitation = keys.open_invitation(session, token, now)
    return session.get(Referent, invitation.referent_id) if invitation else None


def accept(session: Session, token: str, chat_id: str, now: datetime) -> Referent | None:
    """Binds the private chat to the referent, once; None when the key opens nothing (any more). Raises ChatTaken."""
    invitation = keys.open_invitation(session, token, now)
    if invitation is None:
        return None
    holder = people.referent_at(session, Channel.TELEGRAM, chat_id)
    if holder is not None and holder.id != invitation.referent_id:
        raise ChatTaken
    if not keys.use_invitation(session, invitation.id, now):
        return None
    access.cancel_requests(session, chat_id, now)  # they have got in
    link_chat(session, invitation.referent_id, chat_id, now)
    person = ("referent", invitation.referent_id)
    audit.record(session, now, person, "invitation.accept", person, invitation=invitation.id)
    return session.get(Referent, invitation.referent_id)


def link_chat(session: Session, referent_id: int, chat_id: str, now: datetime) -> None:
    """This chat, which is nobody else's, speaks for the referent from now on, and no other one.

    What waits for the chat they had before goes to the new one, and the old one is told, once.
    """
    for old in keys.bind_chat(session, referent_id, chat_id, now):
        dispatching.readdress(session, Channel.TELEGRAM, old, chat_id)
        access.move_requests(session, old, chat_id)
        _tell_old_chat(session, referent_id, old, now)
    tell_kept(session, referent_id, Channel.TELEGRAM, chat_id, now)


def _tell_old_chat(session: Session, referent_id: int, chat_id: str, now: datetime) -> None:
    """In nobody's name: the chat is nobody's, and whoever reads there may be somebody else."""
    language = session.get_one(Referent, referent_id).language
    _ = speaking(Language(language), html=True)
    office = people.the_office(session)
    contacts = ", ".join(part for part in (office.name, office.phone, office.email) if part)
    parts = [
        _("This chat is no longer linked: from now on another one is used, on another phone."),
        _("If it was not you, tell the office at once: {contacts}", contacts=contacts),
    ]
    queue(
        session,
        Words("\n\n".join(parts)),
        kind=OutboxKind.NOTICE,
        channel=Channel.TELEGRAM,
        address=chat_id,
        now=now,
        dedupe_key=f"unlinked:{chat_id}:{now.isoformat()}",
    )


def leave(session: Session, chat_id: str, now: datetime) -> Referent | None:
    """Unlinks a chat and cancels what was begun and not finished; None when the chat was nobody's.

    What waits there for them goes by mail: who uses the phone next must not read it.
    """
    referent = people.referent_at(session, Channel.TELEGRAM, chat_id)
    if referent is None:
        return None
    keys.unbind_chat(session, chat_id)
    follow(session, referent.id, chat_id, now)
    access.cancel_requests(session, chat_id, now)
    cancelled = keys.cancel_drafts(session, referent.id, now)
    person = ("referent", referent.id)
    audit.record(session, now, person, "referent.leave", person, cancelled_drafts=cancelled)
    return referent


def revoke(session: Session, referent_id: int, now: datetime, *, by: int | None = None) -> int:
    """Makes the referent's open invitations useless; how many there were."""
    revoked = keys.revoke_invitations(session, referent_id, now)
    if revoked:
        actor = ("system", None) if by is None else ("staff", by)
        audit.record(session, now, actor, "invitation.revoke", ("referent", referent_id), count=revoked)
    return revoked
