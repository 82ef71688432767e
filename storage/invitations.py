"""Queries on invitations and on the chats they bind. A key is used by compare-and-set: once, whoever comes first."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, or_, update
from sqlmodel import Session, col, exists, select

from storage.people import INVITATION_DAYS
from storage.tables import Address, Channel, Draft, DraftState, Invitation
from storage.tokens import new_token, token_hash


def open_invitation(session: Session, token: str, now: datetime) -> Invitation | None:
    """The invitation with this key, when it can still be accepted."""
    return session.exec(
        select(Invitation).where(Invitation.token_hash == token_hash(token), *_open(now), _address_still_theirs())
    ).first()


def is_open(session: Session, invitation_id: int, now: datetime) -> bool:
    found = select(Invitation.id).where(Invitation.id == invitation_id, *_open(now), _address_still_theirs())
    return session.exec(found).first() is not None


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Invitation.used_at).is_(None),
        col(Invitation.revoked_at).is_(None),
        col(Invitation.expires_at) > now,
    )


def _address_still_theirs() -> ColumnElement[bool]:
    """An invitation mailed to an address that was taken from the referent since opens nothing."""
    theirs = exists().where(
        col(Address.referent_id) == col(Invitation.referent_id),
        col(Address.channel) == Channel.EMAIL,
        col(Address.value) == col(Invitation.email),
    )
    return or_(col(Invitation.email) == "", theirs)


def add_key(session: Session, referent_id: int, email: str, now: datetime) -> str:
    """One more key for the same invitation (its mail gets its own, as we keep none); the earlier ones stay open."""
    token = new_token()
    expires_at = now + timedelta(days=INVITATION_DAYS)
    session.add(
        Invitation(
            referent_id=referent_id,
            token_hash=token_hash(token),
            email=email,
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return token


def use_invitation(session: Session, invitation_id: int, now: datetime) -> bool:
    """True for whoever comes first; the referent's other keys open nothing from then on."""
    this = col(Invitation.id) == invitation_id
    if not _changed(session, update(Invitation).where(this, *_open(now)).values(used_at=now)):
        return False
    session.execute(
        update(Invitation)
        .where(col(Invitation.referent_id) == select(Invitation.referent_id).where(this).scalar_subquery(), *_open(now))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    return True


def revoke_invitations(session: Session, referent_id: int, now: datetime) -> int:
    """How many open keys of the referent were revoked."""
    theirs = update(Invitation).where(col(Invitation.referent_id) == referent_id, *_open(now))
    return _changed(session, theirs.values(revoked_at=now))


def bind_chat(session: Session, referent_id: int, chat_id: str, now: datetime) -> list[str]:
    """This chat, known to be free or theirs, becomes the referent's only Telegram address; which ones it was before."""
    theirs = (col(Address.referent_id) == referent_id, col(Address.channel) == Channel.TELEGRAM)
    before = list(session.exec(select(Address.value).where(*theirs)))
    session.execute(delete(Address).where(*theirs).execution_options(synchronize_session="fetch"))
    session.add(
        Address(referent_id=referent_id, channel=Channel.TELEGRAM, value=chat_id, verified_at=now, created_at=now)
    )
    session.flush()
    return [chat for chat in before if chat != chat_id]


def unbind_chat(session: Session, chat_id: str) -> None:
    session.execute(
        delete(Address)
        .where(col(Address.channel) == Channel.TELEGRAM, col(Address.value) == chat_id)
        .execution_options(synchronize_session="fetch")
    )


def cancel_drafts(session: Session, referent_id: int, now: datetime) -> int:
    """How many conversations the referent had begun and not finished; nobody can go on with them."""
    unfinished = col(Draft.state).in_((DraftState.OPEN, DraftState.PARKED))
    return _changed(
        session,
        update(Draft)
        .where(col(Draft.referent_id) == referent_id, unfinished)
        .values(state=DraftState.CANCELLED, revision=col(Draft.revision) + 1, touched_at=now),
    )


def _changed(session: Session, statement: Any) -> int:
    result: CursorResult[Any] = session.execute(statement.execution_options(synchronize_session=False))  # type: ignore[assignment]
    return result.rowcount
