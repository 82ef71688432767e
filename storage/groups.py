"""Groups of organisations: what they are called and who is in them. Decides nothing about who may change it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from facts.folding import fold
from storage.tables import GroupMember, LocalRole, MunicipalityGroup, Organization


@dataclass(frozen=True, slots=True)
class GroupLine:
    """`members`: how many organisations; `people`: how many colleagues have a role for it."""

    group: MunicipalityGroup
    members: int
    people: int


def all_groups(session: Session) -> Sequence[GroupLine]:
    """By name."""
    members = (
        select(func.count()).select_from(GroupMember).where(GroupMember.group_id == MunicipalityGroup.id)
    ).scalar_subquery()
    people = (
        select(func.count(func.distinct(LocalRole.staff_id))).where(LocalRole.group_id == MunicipalityGroup.id)
    ).scalar_subquery()
    rows = session.execute(select(MunicipalityGroup, members, people))
    return sorted((GroupLine(*row) for row in rows), key=lambda line: fold(line.group.name))


def one_group(session: Session, group_id: int, *, alone: bool = False) -> MunicipalityGroup | None:
    """`alone`: until the commit nobody else gets it so."""
    wanted = select(MunicipalityGroup).where(MunicipalityGroup.id == group_id)
    return session.exec(wanted.with_for_update() if alone else wanted).first()


def add_group(session: Session, group: MunicipalityGroup) -> bool:
    """False when there is one of this name, even one that somebody made a moment before."""
    try:
        with session.begin_nested():
            session.add(group)
            session.flush()
    except IntegrityError:
        return False
    return True


def rename(session: Session, group: MunicipalityGroup, name: str) -> bool:
    """False when another one has this name."""
    try:
        with session.begin_nested():
            group.name = name
            session.add(group)
            session.flush()
    except IntegrityError:
        session.refresh(group)
        return False
    return True


def with_name(session: Session, name: str) -> MunicipalityGroup | None:
    """Capitals and accents aside."""
    return next((one for one in session.exec(select(MunicipalityGroup)) if fold(one.name) == fold(name)), None)


def held_by(session: Session, group_id: int) -> int:
    """How many local roles are for this group."""
    return session.exec(select(func.count()).select_from(LocalRole).where(LocalRole.group_id == group_id)).one()


def drop(session: Session, group_id: int) -> None:
    session.execute(delete(GroupMember).where(col(GroupMember.group_id) == group_id))
    session.execute(delete(MunicipalityGroup).where(col(MunicipalityGroup.id) == group_id))


def members_of(session: Session, group_id: int) -> Sequence[Organization]:
    rows = session.exec(
        select(Organization)
        .join(GroupMember, col(GroupMember.organization_id) == col(Organization.id))
        .where(GroupMember.group_id == group_id)
    )
    return sorted(rows, key=lambda one: fold(one.name))


def outside(session: Session, group_id: int, wanted: str = "", limit: int = 50) -> tuple[Sequence[Organization], int]:
    """Organisations not in this group whose name holds every word, and how many they are. Read whole: accents."""
    inside = select(GroupMember.organization_id).where(GroupMember.group_id == group_id)
    words = fold(wanted).split()
    rows = session.exec(select(Organization).where(col(Organization.id).not_in(inside)))
    found = [one for one in rows if all(word in fold(one.name) for word in words)]
    found.sort(key=lambda one: fold(one.name))
    return found[:limit], len(found)


def provinces_outside(session: Session, group_id: int) -> Sequence[tuple[str, int]]:
    """The provinces (first three digits of the ISTAT code) with municipalities that are not in this group."""
    inside = select(GroupMember.organization_id).where(GroupMember.group_id == group_id)
    province = func.substr(Organization.istat_code, 1, 3)
    rows = session.execute(
        select(province, func.count())
        .where(col(Organization.istat_code).is_not(None), col(Organization.id).not_in(inside))
        .group_by(province)
        .order_by(province)
    )
    return [(row[0], row[1]) for row in rows]


def of_province(session: Session, province: str) -> Sequence[int]:
    code = func.substr(Organization.istat_code, 1, 3)
    return session.exec(select(Organization.id).where(code == province)).all()


def put_in(session: Session, group_id: int, organization_ids: Sequence[int]) -> int:
    """How many came in; who is there already, or does not exist, is passed over."""
    known = set(session.exec(select(Organization.id).where(col(Organization.id).in_(organization_ids))))
    inside = set(session.exec(select(GroupMember.organization_id).where(GroupMember.group_id == group_id)))
    fresh = sorted(known - inside)
    session.add_all(GroupMember(group_id=group_id, organization_id=one) for one in fresh)
    session.flush()
    return len(fresh)


def take_out(session: Session, group_id: int, organization_id: int) -> bool:
    row = session.get(GroupMember, (group_id, organization_id))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True
