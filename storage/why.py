"""Because of what somebody got a message: the obligations it tells of, and since when they are theirs. Only looks."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from storage.asked import first_key
from storage.ladder import decisions_to_send
from storage.snoozes import snoozes_to_tell
from storage.tables import Following, Outbox, OutboxKind, PersonalLink
from storage.tokens import token_hash


def told_by(session: Session, row: Outbox) -> list[int]:
    """The obligations of which a reminder tells; none for any other message."""
    if row.kind is not OutboxKind.REMINDER:
        return []
    key = first_key(row.dedupe_key)
    return sorted({*decisions_to_send(session, key), *snoozes_to_tell(session, key)})


def message_with_key(session: Session, token: str) -> Outbox | None:
    """The message in which this key to a personal page stands."""
    return session.exec(
        select(Outbox)
        .join(PersonalLink, col(PersonalLink.outbox_id) == col(Outbox.id))
        .where(PersonalLink.token_hash == token_hash(token))
    ).first()


def following_since(session: Session, referent_id: int, project_ids: Sequence[int]) -> dict[int, datetime]:
    """Those of these projects that they follow, since when."""
    rows = session.exec(
        select(Following.project_id, Following.since).where(
            col(Following.referent_id) == referent_id, col(Following.project_id).in_(project_ids)
        )
    )
    return {row[0]: row[1] for row in rows}
