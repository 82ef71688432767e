"""What people were told by mail and is over by now. Only reads."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import and_, not_, or_, select
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
    """The obligations of which this person has had a mail, due from `today` on and no longer open.

    A reminder that was MOVED went by mail in the end.
    """
    by_mail = or_(
        and_(col(Outbox.channel).in_(BY_MAIL), col(Outbox.state) == OutboxState.SENT),
        col(Outbox.state) == OutboxState.MOVED,
    )
    over = or_(col(Obligation.state) != ObligationState.OPEN, not_(col(Deadline.active)))
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
                over,
            )
            .distinct()
            .order_by(col(Obligation.id))
        )
        .scalars()
        .all()
    )
