"""Queries about mail that came in: whether it was here, who wrote it, which letters wait for staff. Decides nothing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, func, text, update
from sqlmodel import Session, col, select

from storage.ladder import decisions_to_send
from storage.tables import (
    Address,
    Attachment,
    Channel,
    Letter,
    LetterState,
    Message,
    Obligation,
    Organization,
    Outbox,
    OutboxKind,
    Staff,
)
from storage.touched import touch

BY_MAIL = (Channel.EMAIL, Channel.PEC)
# In words: with a bound value neither database may use the partial index.
HELD: Any = text("letter.state = 'held'")


# --- one mail that has come


def is_known(session: Session, fingerprint: str) -> bool:
    """Whether this mail has come before, by whatever door."""
    return session.exec(select(Letter.id).where(Letter.fingerprint == _content(fingerprint))).first() is not None


def add_letter(session: Session, fingerprint: str, **values: Any) -> Letter:
    """Of the fingerprint a keyed hash is kept. Nothing of it may hold a NUL, which PostgreSQL refuses."""
    clean: dict[str, Any] = {
        name: value.replace("\x00", "") if type(value) is str else value for name, value in values.items()
    }
    letter = Letter(fingerprint=_content(fingerprint), **clean)
    session.add(letter)
    session.flush()
    return letter


def _content(fingerprint: str) -> Any:
    """As content, of which the database keeps a keyed hash: the hash of a short mail would tell what it says."""
    return fingerprint.encode()


def writer_at(session: Session, address: str, channel: Channel) -> Address | None:
    """The address of the referent who writes from there; one of this channel rather than of the other."""
    found = session.exec(select(Address).where(Address.value == address, col(Address.channel).in_(BY_MAIL))).all()
    return next((one for one in found if one.channel is channel), found[0] if found else None)


def organization_at(session: Session, pec: str) -> int | None:
    """The organisation with this certified address."""
    return session.exec(
        select(Organization.id).where(func.lower(col(Organization.pec)) == pec).order_by(col(Organization.id))
    ).first()


def questions_of_mails(session: Session, referent_id: int, message_ids: Collection[str]) -> Mapping[str, int]:
    """By Message-ID: the question into which one of the referent's own mails went."""
    if not message_ids:
        return {}
    rows = session.execute(
        select(col(Message.provider_id), col(Message.question_id))
        .where(
            col(Message.provider_id).in_(message_ids),
            Message.referent_id == referent_id,
            col(Message.channel).in_(BY_MAIL),
        )
        .order_by(col(Message.id))
    )
    return {message_id: question_id for message_id, question_id in rows if message_id}


def project_of_reminder(session: Session, row: Outbox) -> int | None:
    """The project of which a reminder speaks; None when they are several, or it is none."""
    first = ":".join(row.dedupe_key.split(":")[:4])  # its parts, and the mail in its place, have more behind
    ids = list(decisions_to_send(session, first))
    found = session.exec(select(Obligation.project_id).where(col(Obligation.id).in_(ids)).distinct()).all()
    return found[0] if len(found) == 1 else None


def answered_since(session: Session, address: str, since: datetime) -> int:
    """How many automatic answers were written to this address from then on."""
    return session.exec(
        select(func.count())
        .select_from(Outbox)
        .where(Outbox.address == address, Outbox.kind == OutboxKind.AUTO_REPLY, Outbox.created_at > since)
    ).one()


def forget_bounces(session: Session, address_id: int) -> None:
    session.execute(update(Address).where(col(Address.id) == address_id, col(Address.bounces) > 0).values(bounces=0))


# --- what waits for staff


def held_count(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Letter).where(HELD)).one()


def a_letter_waits(session: Session, after: datetime | None) -> bool:
    """Whether one has come to wait since then (None: ever)."""
    newer = [] if after is None else [col(Letter.received_at) > after]
    return session.exec(select(Letter.id).where(HELD, *newer).limit(1)).first() is not None


def letters_in(
    session: Session, states: Collection[LetterState], *, offset: int = 0, limit: int = 50
) -> tuple[Sequence[tuple[Letter, str | None]], int]:
    """One page of letters, with who decided, and how many there are. Those that wait: the oldest first."""
    waiting = set(states) == {LetterState.HELD}
    these = HELD if waiting else col(Letter.state).in_(states) & col(Letter.decided_at).is_not(None)
    total = session.exec(select(func.count()).select_from(Letter).where(these)).one()
    order = (col(Letter.id),) if waiting else (col(Letter.decided_at).desc(), col(Letter.id).desc())
    rows = session.exec(
        select(Letter, Staff.name)
        .outerjoin(Staff, col(Staff.id) == col(Letter.decided_by))
        .where(these)
        .order_by(*order)
        .offset(offset)
        .limit(limit)
    ).all()
    return rows, total


def one_letter(session: Session, letter_id: int) -> Letter | None:
    """As it is in the database."""
    return session.get(Letter, letter_id, populate_existing=True)


def held_from(session: Session, sender: str) -> Sequence[Letter]:
    """All that waits from one address, the oldest first. Read whole and compared here: senders are sealed."""
    waiting = session.exec(select(Letter).where(HELD).order_by(col(Letter.id)))
    return [letter for letter in waiting if letter.sender == sender]


def change_letter(session: Session, letter_id: int, states: Collection[LetterState], **values: Any) -> bool:
    """Changes a letter that is in one of `states`; False when somebody was quicker."""
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Letter)
        .where(col(Letter.id) == letter_id, col(Letter.state).in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1


def files_of(session: Session, letter_id: int) -> Sequence[Attachment]:
    """What came along and belongs to nobody yet."""
    return session.exec(select(Attachment).where(Attachment.letter_id == letter_id).order_by(col(Attachment.id))).all()


def give_files(session: Session, letter_id: int, message_id: int, referent_id: int) -> None:
    """The letter has become a message of somebody: its files go with it."""
    session.execute(
        update(Attachment)
        .where(col(Attachment.letter_id) == letter_id)
        .values(letter_id=None, message_id=message_id, referent_id=referent_id)
        .execution_options(synchronize_session=False)
    )
    touch(session, Message, [message_id])


_OF_THREAD = (
    select(Letter)
    .join(Message, col(Message.id) == col(Letter.message_id))
    .where(Message.question_id == bindparam("question_id"))
)


def letters_of_thread(session: Session, question_id: int) -> Mapping[int, Letter]:
    """By message: the mail that it was."""
    rows = session.exec(_OF_THREAD, params={"question_id": question_id})
    return {letter.message_id: letter for letter in rows if letter.message_id is not None}
