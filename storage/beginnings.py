"""What a new office has done already, for its guide. Looks at whether there is any, never at what it says."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, exists, func, select

from storage.people import UNNAMED_OFFICE
from storage.tables import Audit, Deadline, Office, Outbox, Project, Referent, Staff

PUT_AWAY = "guide.put-away"
TEST = "test:"  # how the key of a test message begins: `test:<staff>:<instant>`


@dataclass(frozen=True, slots=True)
class Begun:
    named: bool
    staff: bool  # somebody besides the first
    projects: bool
    referents: bool
    deadlines: bool


# Every page of the queue asks these two: built once.
_NAMED = select(Office.id).where(Office.id == 1, Office.name != UNNAMED_OFFICE).exists()
_STAFF = select(func.count()).select_from(Staff).where(col(Staff.active).is_(True)).scalar_subquery() > 1
_BEGUN: Any = select(_NAMED, _STAFF, *(exists(select(one.id)) for one in (Project, Referent, Deadline)))
_PUT_AWAY = (
    select(Audit.id)
    .where(Audit.action == PUT_AWAY, Audit.actor_id == bindparam("staff_id"), Audit.actor_kind == "staff")
    .limit(1)
)


def begun(session: Session) -> Begun:
    return Begun(*map(bool, session.execute(_BEGUN).one()))


def has_put_away(session: Session, staff_id: int) -> bool:
    """Whether this person no longer wants to see the guide at their desk."""
    return session.exec(_PUT_AWAY, params={"staff_id": staff_id}).first() is not None


def last_test(session: Session, staff_id: int) -> Outbox | None:
    """The last test message of this person to themselves."""
    return session.exec(
        select(Outbox)
        .where(col(Outbox.dedupe_key) >= f"{TEST}{staff_id}:", col(Outbox.dedupe_key) < f"{TEST}{staff_id};")
        .order_by(col(Outbox.id).desc())
        .limit(1)
    ).first()
