"""Gives somebody another role for a category, for a group of municipalities, or for both; and takes it away again.

By administrators alone, to everybody but administrators: those are that everywhere. One role for one place: a second
one replaces the first.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from answering.groups import may_arrange, the_group
from answering.refusal import Refused
from facts.languages import N_
from storage import audit, local_roles
from storage.tables import Category, LocalRole, Role, Staff

GIVEN = (Role.READER, Role.VOLUNTEER, Role.OFFICER)


@dataclass(frozen=True, slots=True)
class Wished:
    """None: whatever category, whatever municipality; not both."""

    role: Role
    category_id: int | None = None
    group_id: int | None = None


def entrust(session: Session, person_id: int, by: int, wished: Wished, *, now: datetime) -> LocalRole:
    may_arrange(session, by)
    person = _the_person(session, person_id)
    _checked(session, person, wished)
    row = local_roles.same_place(session, person_id, wished.category_id, wished.group_id)
    if row is None:
        row = LocalRole(
            staff_id=person_id,
            category_id=wished.category_id,
            group_id=wished.group_id,
            role=wished.role,
            created_at=now,
        )
    row.role = wished.role
    session.add(row)
    session.flush()
    about = {"role": wished.role.value, "category_id": wished.category_id, "group_id": wished.group_id}
    audit.record(session, now, ("staff", by), "staff.entrust", ("staff", person_id), **about)
    return row


def take_away(session: Session, person_id: int, by: int, role_id: int, *, now: datetime) -> None:
    may_arrange(session, by)
    _the_person(session, person_id)
    row = local_roles.take_role(session, person_id, role_id)
    if row is None:
        raise Refused(N_("This role was taken away already."))
    about = {"role": row.role.value, "category_id": row.category_id, "group_id": row.group_id}
    audit.record(session, now, ("staff", by), "staff.entrust-end", ("staff", person_id), **about)


def _the_person(session: Session, person_id: int) -> Staff:
    """Until the commit nobody else gives them a role."""
    person = local_roles.person_alone(session, person_id)
    if person is None:
        raise Refused(N_("This account does not exist."))
    return person


def _checked(session: Session, person: Staff, wished: Wished) -> None:
    if person.role is Role.ADMIN:
        raise Refused(N_("An administrator is that everywhere: no other role counts."))
    if wished.role not in GIVEN:
        raise Refused(N_("Choose reader, volunteer or officer."))
    if wished.category_id is None and wished.group_id is None:
        raise Refused(N_("Choose a category, a group of municipalities, or both."))
    if wished.category_id is not None and session.get(Category, wished.category_id) is None:
        raise Refused(N_("This category does not exist."))
    if wished.group_id is not None:
        the_group(session, wished.group_id, alone=True)
