"""What people were told by mail and is over, or has another day, by now. Only reads."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlmodel import Session, col

from storage.mail_threads import BY_MAIL
from storage.tables import (
    Deadline,
    Decision,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Step,
)


def over_since_told(session: Session, referent_id: int, today: date) -> Sequence[int]:
    """The obligations of which this person has had a mail, due from `today` on and no longer open."""
    over = or_(col(Obligation.state) != ObligationState.OPEN, not_(col(Deadline.active)))
    return _told_by_mail(session, referent_id, today, over)


def postponed_since_told(session: Session, referent_id: int, today: date) -> Sequence[int]:
    """The open ones of which this person has had a mail, due from `today` on, that staff gave another day."""
    open_still = and_(col(Obligation.state) == ObligationState.OPEN, col(Deadline.active))
    return _told_by_mail(session, referent_id, today, and_(open_still, col(Obligation.postponed_from).is_not(None)))


def _told_by_mail(session: Session, referent_id: int, today: date, which: ColumnElement[bool]) -> Sequence[int]:
    """A reminder that was MOVED went by mail in the end."""
    by_mail = or_(
        and_(col(Outbox.channel).in_(BY_MAIL), col(Outbox.state) == OutboxState.SENT),
        col(Outbox.state) == OutboxState.MOVED,
    )
    return (
        session.execute(
            select(col(Obligation.id))
            .join(Step, col(Step.obligation_id) == col(Obligation.id))
            .join(Decision, col(Decision.step_id) == col(Step.id))
            .join(Outbox, col(Outbox.id) == col(Decision.outbox_id))
            .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
            .where(
                col(Outbox.referent_id) == referent_id,
                col(Outbox.kind) == OutboxKind.REMINDER,
                col(Decision.outcome) == Outcome.SENT,
                col(Obligation.due_on) >= today,
                by_mail,
                which,
            )
            .distinct()
            .order_by(col(Obligation.id))
        )
        .scalars()
        .all()
    )
