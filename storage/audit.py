"""The log of who did what. Appended in the transaction of the act itself; holds ids, never personal data."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from storage.tables import Audit


def record(
    session: Session,
    now: datetime,
    actor: tuple[str, int | None],
    action: str,
    obj: tuple[str, int | None],
    **detail: Any,
) -> None:
    """Appends one act: `record(session, now, ("staff", 3), "question.take", ("question", 41))`."""
    session.add(
        Audit(
            at=now,
            actor_kind=actor[0],
            actor_id=actor[1],
            action=action,
            object_kind=obj[0],
            object_id=obj[1],
            detail=detail,
        )
    )
