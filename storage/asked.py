"""What a reminder by mail must know of each thing it tells, beyond the thing itself. Only looks; decides nothing."""

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from storage.drafts import Subject
from storage.tables import (
    Channel,
    Deadline,
    FormVersion,
    Letter,
    Obligation,
    Organization,
    Outbox,
    Project,
    Update,
)


def first_key(dedupe_key: str) -> str:
    """What a reminder tells hangs on its first row: parts of a long one, and the mail instead, have more behind."""
    return ":".join(dedupe_key.split(":")[:4])


def subjects_owed(session: Session, obligation_ids: Collection[int]) -> dict[int, Subject]:
    """obligation id → what it is owed for, with the last update of it by the form that is owed. One statement."""
    last = (
        select(func.max(col(Update.id)))
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(
            or_(
                col(Update.project_id) == col(Obligation.project_id),
                col(Update.organization_id) == col(Obligation.organization_id),
            ),
            col(FormVersion.form_id) == col(Deadline.form_id),
        )
        .correlate(Obligation, Deadline)
        .scalar_subquery()
    )
    found = (
        select(
            col(Obligation.id),
            func.coalesce(col(Project.title), col(Organization.name)),
            func.coalesce(col(Project.cup), ""),
            func.coalesce(col(Project.total_cents), 0),
            col(Project.phase),
            col(Project.progress_tenths),
            col(Project.spent_cents),
            col(Project.expected_end),
            col(Update.answers),
            col(Update.received_at),
        )
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .outerjoin(Update, col(Update.id) == last)
        .where(col(Obligation.id).in_(obligation_ids))
    )
    return {row[0]: Subject(*row[1:]) for row in session.execute(found)}


def mail_comes_in(session: Session, channel: Channel) -> bool:
    """Whether any mail has come in by this channel yet."""
    return session.execute(select(col(Letter.id)).where(col(Letter.channel) == channel).limit(1)).first() is not None


def message_numbered(session: Session, outbox_id: int) -> Outbox | None:
    return session.get(Outbox, outbox_id)
