"""Groups of municipalities, for which people may have roles of their own. Arranged by administrators alone.

A group that somebody's role is for is not taken away: it would silently change who may do what.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from answering.refusal import Denied, Refused
from answering.roles import may_act
from facts.languages import N_
from storage import audit, groups
from storage.tables import MunicipalityGroup, Role

LONGEST_NAME = 80


def add_group(session: Session, staff_id: int, name: str, *, now: datetime) -> MunicipalityGroup:
    may_arrange(session, staff_id)
    group = MunicipalityGroup(name=_checked(session, name), created_at=now)
    if not groups.add_group(session, group):
        raise Refused(N_("There is a group of this name already."))
    _note(session, "group.add", group.id, staff_id, now)
    return group


def rename(session: Session, group_id: int, staff_id: int, name: str, *, now: datetime) -> None:
    may_arrange(session, staff_id)
    group = the_group(session, group_id)
    if not groups.rename(session, group, _checked(session, name, group.id)):
        raise Refused(N_("There is a group of this name already."))
    _note(session, "group.rename", group_id, staff_id, now)


def drop(session: Session, group_id: int, staff_id: int, *, now: datetime) -> None:
    may_arrange(session, staff_id)
    the_group(session, group_id, alone=True)
    if groups.held_by(session, group_id):
        raise Refused(N_("Colleagues have a role for this group. Take those roles away first."))
    groups.drop(session, group_id)
    _note(session, "group.drop", group_id, staff_id, now)


def put_in(
    session: Session, group_id: int, staff_id: int, organization_ids: Sequence[int], province: str, *, now: datetime
) -> int:
    """These, and every municipality of that province; how many came in."""
    may_arrange(session, staff_id)
    the_group(session, group_id, alone=True)
    wanted = [*organization_ids, *(groups.of_province(session, province) if province else ())]
    if not wanted:
        raise Refused(N_("Choose at least one municipality."))
    count = groups.put_in(session, group_id, wanted)
    if count:
        _note(session, "group.put-in", group_id, staff_id, now, count=count)
    return count


def take_out(session: Session, group_id: int, staff_id: int, organization_id: int, *, now: datetime) -> bool:
    """False when it was not in it."""
    may_arrange(session, staff_id)
    the_group(session, group_id)
    taken = groups.take_out(session, group_id, organization_id)
    if taken:
        _note(session, "group.take-out", group_id, staff_id, now, organization_id=organization_id)
    return taken


def may_arrange(session: Session, staff_id: int) -> None:
    if may_act(session, staff_id).role is not Role.ADMIN:
        raise Denied(N_("Administrators arrange who answers for what."))


def the_group(session: Session, group_id: int, *, alone: bool = False) -> MunicipalityGroup:
    """`alone`: until the commit nobody else gives roles for it, takes it away or fills it."""
    group = groups.one_group(session, group_id, alone=alone)
    if group is None:
        raise Refused(N_("This group does not exist."))
    return group


def _checked(session: Session, name: str, own_id: int | None = None) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise Refused(N_("Write the name of the group."))
    if len(name) > LONGEST_NAME:
        raise Refused(N_("The name is too long: {most} characters at most."), most=LONGEST_NAME)
    same = groups.with_name(session, name)
    if same is not None and same.id != own_id:
        raise Refused(N_("There is a group of this name already."))
    return name


def _note(session: Session, action: str, group_id: int, staff_id: int, now: datetime, **detail: Any) -> None:
    audit.record(session, now, ("staff", staff_id), action, ("group", group_id), **detail)
