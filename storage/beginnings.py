"""What a new office has done already, for its guide. Looks at whether there is any, never at what it says."""

from dataclasses import dataclass

from sqlmodel import Session, col, exists, func, select

from storage.people import UNNAMED_OFFICE, the_office
from storage.tables import Audit, Deadline, Outbox, Project, Referent, Staff

PUT_AWAY = "guide.put-away"
TEST = "test:"  # how the key of a test message begins: `test:<staff>:<instant>`


@dataclass(frozen=True, slots=True)
class Begun:
    named: bool
    staff: bool  # somebody besides the first
    projects: bool
    referents: bool
    deadlines: bool


def begun(session: Session) -> Begun:
    staff = select(func.count()).select_from(Staff).where(col(Staff.active).is_(True)).scalar_subquery() > 1
    found = session.execute(select(staff, *(exists(select(one.id)) for one in (Project, Referent, Deadline)))).one()
    return Begun(the_office(session).name != UNNAMED_OFFICE, *map(bool, found))


def has_put_away(session: Session, staff_id: int) -> bool:
    """Whether this person no longer wants to see the guide at their desk."""
    wish = select(Audit.id).where(Audit.action == PUT_AWAY, Audit.actor_id == staff_id, Audit.actor_kind == "staff")
    return session.exec(wish.limit(1)).first() is not None


def last_test(session: Session, staff_id: int) -> Outbox | None:
    """The last test message of this person to themselves."""
    return session.exec(
        select(Outbox)
        .where(col(Outbox.dedupe_key) >= f"{TEST}{staff_id}:", col(Outbox.dedupe_key) < f"{TEST}{staff_id};")
        .order_by(col(Outbox.id).desc())
        .limit(1)
    ).first()
