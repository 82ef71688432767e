"""What became of messages: when they left, what receipts say, whether a link was followed. Only looks; no words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, union_all
from sqlmodel import Session, col

from storage.mail_threads import BY_MAIL
from storage.receipts import receipts_of
from storage.tables import (
    Channel,
    Decision,
    Opening,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Receipt,
    Referent,
    Snooze,
    Step,
)

COPY_KEY = ":email"  # how the key of the mail ends that went instead of a message


@dataclass(frozen=True, slots=True)
class Message:
    """One message, less its words. `gathered`: of how many obligations it tells. `instead_of`: it is the mail that
    went because the way of that one was closed."""

    id: int
    kind: OutboxKind
    channel: Channel
    address: str
    state: OutboxState
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
    error: str | None
    provider_id: str | None
    possible_duplicate: bool
    to_id: int | None
    to: str
    opened_at: datetime | None
    confirmed_at: datetime | None
    gathered: int = 0
    instead_of: int | None = None
    receipts: Sequence[Receipt] = field(default_factory=tuple)

    @property
    def is_mail(self) -> bool:
        """Its address may be shown; that of a chat says nothing to anybody."""
        return self.channel in BY_MAIL


def messages(session: Session, outbox_ids: Collection[int]) -> list[Message]:
    """These, and the mails that went instead of some of them; in order."""
    if not outbox_ids:
        return []
    ids = list(outbox_ids)
    moved = {
        key + COPY_KEY: id_
        for key, id_ in session.execute(
            select(col(Outbox.dedupe_key), col(Outbox.id)).where(
                col(Outbox.id).in_(ids), col(Outbox.state) == OutboxState.MOVED
            )
        )
    }
    these = or_(col(Outbox.id).in_(ids), col(Outbox.dedupe_key).in_(list(moved)))
    rows: Sequence[Any] = session.execute(_MESSAGES.where(these).order_by(col(Outbox.id))).all()
    receipts, gathered = receipts_of(session, [row[0] for row in rows]), _gathered(session, ids)
    plain: list[tuple[Message, str]] = [(Message(**dict(zip(_COLUMNS, row, strict=False))), row[-1]) for row in rows]
    return [
        replace(
            one,
            gathered=gathered.get(one.id, 0),
            instead_of=moved.get(key),
            receipts=receipts.get(one.id, ()),
        )
        for one, key in plain
    ]


_COLUMNS = [one.name for one in fields(Message)][:-3]  # the rest is of other tables


_MESSAGES: Any = (
    select(
        col(Outbox.id),
        col(Outbox.kind),
        col(Outbox.channel),
        col(Outbox.address),
        col(Outbox.state),
        col(Outbox.created_at),
        col(Outbox.next_at),
        col(Outbox.sent_at),
        col(Outbox.error),
        col(Outbox.provider_id),
        col(Outbox.possible_duplicate),
        col(Outbox.referent_id),
        func.coalesce(Referent.name, ""),
        col(Opening.opened_at),
        col(Opening.confirmed_at),
        col(Outbox.dedupe_key),
    )
    .outerjoin(Referent, col(Referent.id) == col(Outbox.referent_id))
    .outerjoin(Opening, col(Opening.outbox_id) == col(Outbox.id))
)


def _gathered(session: Session, outbox_ids: Sequence[int]) -> Mapping[int, int]:
    """message → of how many obligations it tells."""
    by_step: Any = (
        select(col(Decision.outbox_id).label("message"), col(Step.obligation_id).label("about"))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .where(col(Decision.outbox_id).in_(outbox_ids), col(Decision.outcome) == Outcome.SENT)
    )
    again = select(col(Snooze.outbox_id), col(Snooze.obligation_id)).where(
        col(Snooze.outbox_id).in_(outbox_ids), col(Snooze.outcome) == Outcome.SENT
    )
    both = union_all(by_step, again).subquery()
    counted = select(both.c.message, func.count(both.c.about.distinct())).group_by(both.c.message)
    return {row[0]: row[1] for row in session.execute(counted)}
