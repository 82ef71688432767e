"""Questions about people: who has this address, how to reach them, which projects are theirs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, update
from sqlmodel import Session, col, select

from storage.tables import (
    Address,
    Channel,
    Following,
    Invitation,
    Membership,
    Office,
    Organization,
    PersonalLink,
    Project,
    Referent,
)
from storage.tokens import new_token, token_hash

PERSONAL_LINK_DAYS = 90
INVITATION_DAYS = 7
UNNAMED_OFFICE = "Raccordo"
# On which we write, the first that is open; by phone only a person is reached, by a person.
WAYS = (Channel.TELEGRAM, Channel.EMAIL, Channel.PEC)


def the_office(session: Session) -> Office:
    """The office of this desk; an unnamed one until somebody names it."""
    return session.get(Office, 1) or Office(name=UNNAMED_OFFICE)


def is_here(referent: Referent) -> bool:
    """A contact of ours: neither gone nor registered twice."""
    return referent.left_at is None and referent.merged_into_id is None


def here() -> ColumnElement[bool]:
    """The same as a condition on the referent of the query around."""
    return and_(col(Referent.left_at).is_(None), col(Referent.merged_into_id).is_(None))


def referent_at(session: Session, channel: Channel, value: str) -> Referent | None:
    """Who is reached at this address."""
    return session.exec(
        select(Referent)
        .join(Address, col(Address.referent_id) == col(Referent.id))
        .where(Address.channel == channel, Address.value == value)
    ).first()


def address_of(session: Session, referent_id: int, channel: Channel) -> Address | None:
    """The newest address of a referent on a channel, reachable ones first."""
    return session.exec(
        select(Address)
        .where(Address.referent_id == referent_id, Address.channel == channel)
        .order_by(col(Address.unreachable_since).is_not(None), col(Address.id).desc())
    ).first()


def reachable_addresses(session: Session, referent_id: int) -> dict[Channel, Address]:
    """One working address per channel on which we write; the way they prefer first."""
    return ways_to(session, [referent_id])[referent_id]


# Not by channel too: SQLite would rather read all addresses of two channels than those of fifty people.
_OPEN_WAYS = (
    select(Address, Referent.prefers)
    .join(Referent, col(Referent.id) == col(Address.referent_id))
    .where(col(Address.referent_id).in_(bindparam("ids", expanding=True)), col(Address.unreachable_since).is_(None))
    .order_by(col(Address.id))
)


def ways_to(session: Session, referent_ids: Collection[int]) -> dict[int, dict[Channel, Address]]:
    """The same for several people at once."""
    found: dict[int, dict[Channel, Address]] = {referent_id: {} for referent_id in referent_ids}
    preferred: dict[int, Channel | None] = {}
    for row, prefers in session.exec(_OPEN_WAYS, params={"ids": list(referent_ids)}):
        if row.channel in WAYS:
            found[row.referent_id][row.channel] = row
            preferred[row.referent_id] = Channel(prefers) if prefers else None
    return {
        referent_id: {way: ways[way] for way in in_order(preferred.get(referent_id)) if way in ways}
        for referent_id, ways in found.items()
    }


def in_order(prefers: Channel | None) -> tuple[Channel, ...]:
    """The ways on which we write, the one that somebody prefers first."""
    return WAYS if prefers not in WAYS else (prefers, *(way for way in WAYS if way is not prefers))


def prefer(session: Session, referent_id: int, language: str, way: Channel | None) -> None:
    """What they have chosen: their language, and by which way they would rather hear from us (None: as before)."""
    session.execute(update(Referent).where(col(Referent.id) == referent_id).values(language=language, prefers=way))


def reached(referent_id: Any) -> ColumnElement[bool]:
    """Whether something that we write reaches this person (a column of the query around)."""
    return exists().where(col(Address.referent_id) == referent_id, *_works())


def _works() -> tuple[ColumnElement[bool], ...]:
    return (col(Address.channel).in_(WAYS), col(Address.unreachable_since).is_(None))


def mark_unreachable(session: Session, channel: Channel, value: str, reason: str, now: datetime) -> Address | None:
    """Remembers that an address no longer works: the address. None when that was known; the first reason stays."""
    address = _address_at(session, channel, value)
    if address is None or address.unreachable_since is not None:
        return None
    address.unreachable_since, address.unreachable_reason = now, reason
    session.flush()
    return address


def mark_reachable(session: Session, channel: Channel, value: str) -> Address | None:
    """The address works again: the address. None when nobody thought otherwise. What bounced before counts no more."""
    address = _address_at(session, channel, value)
    if address is None:
        return None
    closed, address.bounces = address.unreachable_since is not None, 0
    address.unreachable_since = address.unreachable_reason = None
    session.flush()
    return address if closed else None


def count_bounce(session: Session, channel: Channel, value: str) -> int:
    """One more mail came back from this address since one is known to have arrived: how many; 0: it is nobody's."""
    address = _address_at(session, channel, value)
    if address is None:
        return 0
    address.bounces += 1
    session.flush()
    return address.bounces


def has_bounced(session: Session, channel: Channel, value: str) -> bool:
    """Whether mail came back from this address since one is known to have arrived."""
    address = _address_at(session, channel, value)
    return address is not None and address.bounces > 0


def _address_at(session: Session, channel: Channel, value: str) -> Address | None:
    here = select(Address).where(Address.channel == channel, Address.value == value)
    return session.exec(here.with_for_update(key_share=True).execution_options(populate_existing=True)).first()


def mark_verified(session: Session, channel: Channel, value: str, now: datetime) -> None:
    """Its owner has shown that the address is theirs; the first time stays."""
    session.execute(
        update(Address)
        .where(col(Address.channel) == channel, col(Address.value) == value, col(Address.verified_at).is_(None))
        .values(verified_at=now)
    )


def move_address(session: Session, channel: Channel, old: str, new: str) -> None:
    """A chat was given another id (a group became a supergroup)."""
    session.execute(update(Address).where(col(Address.channel) == channel, col(Address.value) == old).values(value=new))


def organizations_of(session: Session, referent_id: int) -> Sequence[Organization]:
    return session.exec(
        select(Organization)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == referent_id)
        .order_by(Organization.name)
    ).all()


def projects_of(session: Session, referent_id: int) -> Sequence[Project]:
    """The projects this referent reports on. Nothing else is theirs to see."""
    return session.exec(
        select(Project)
        .join(Following, col(Following.project_id) == col(Project.id))
        .where(Following.referent_id == referent_id)
        .order_by(Project.title, col(Project.id))
    ).all()


def own_project(session: Session, referent_id: int, project_id: int) -> Project | None:
    """The project when it is theirs; None for a foreign or unknown one alike."""
    if session.get(Following, (referent_id, project_id)) is None:
        return None
    return session.get(Project, project_id)


def followers_of(session: Session, project_id: int) -> Sequence[Referent]:
    return session.exec(
        select(Referent)
        .join(Following, col(Following.referent_id) == col(Referent.id))
        .where(Following.project_id == project_id)
        .order_by(col(Referent.id))
    ).all()


def new_personal_link(session: Session, referent_id: int, now: datetime, outbox_id: int | None = None) -> str:
    """A fresh key to the personal page; earlier ones go on until they expire. `outbox_id`: the message it stands in."""
    token = new_token()
    session.add(
        PersonalLink(
            referent_id=referent_id,
            outbox_id=outbox_id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + timedelta(days=PERSONAL_LINK_DAYS),
        )
    )
    session.flush()
    return token


def referent_with_link(session: Session, token: str, now: datetime) -> Referent | None:
    """Who may enter with this key; None when it is unknown, expired or revoked."""
    return session.exec(
        select(Referent)
        .join(PersonalLink, col(PersonalLink.referent_id) == col(Referent.id))
        .where(
            PersonalLink.token_hash == token_hash(token),
            PersonalLink.expires_at > now,
            col(PersonalLink.revoked_at).is_(None),
            here(),
        )
    ).first()


def revoke_personal_links(session: Session, referent_id: int, now: datetime) -> None:
    session.execute(
        update(PersonalLink)
        .where(col(PersonalLink.referent_id) == referent_id, col(PersonalLink.revoked_at).is_(None))
        .values(revoked_at=now)
    )


def new_invitation(session: Session, referent_id: int, email: str, now: datetime) -> str:
    """A fresh single-use key; earlier unused ones of the same referent are revoked."""
    session.execute(
        update(Invitation)
        .where(
            col(Invitation.referent_id) == referent_id,
            col(Invitation.used_at).is_(None),
            col(Invitation.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )
    token = new_token()
    session.add(
        Invitation(
            referent_id=referent_id,
            token_hash=token_hash(token),
            email=email,
            created_at=now,
            expires_at=now + timedelta(days=INVITATION_DAYS),
        )
    )
    session.flush()
    return token


def invitation_with(session: Session, token: str) -> Invitation | None:
    """The invitation with this key, whatever its state."""
    return session.exec(select(Invitation).where(Invitation.token_hash == token_hash(token))).first()


@dataclass(frozen=True)
class Contact:
    """A referent as lists show them."""

    referent: Referent
    organizations: tuple[str, ...]
    channels: tuple[str, ...]
    projects: int


def referents(session: Session) -> list[Contact]:
    """Every contact by name, with organisations, working channels and number of projects: four queries in all."""
    organizations: defaultdict[int, list[str]] = defaultdict(list)
    for referent_id, name in session.exec(
        select(Membership.referent_id, Organization.name)
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .order_by(Organization.name)
    ):
        organizations[referent_id].append(name)
    channels: defaultdict[int, list[str]] = defaultdict(list)
    for referent_id, channel in session.exec(
        select(Address.referent_id, Address.channel)
        .where(col(Address.unreachable_since).is_(None))
        .order_by(col(Address.id))
    ):
        channels[referent_id].append(str(channel))
    projects = dict(
        session.exec(select(Following.referent_id, func.count()).group_by(col(Following.referent_id))).all()
    )
    return [
        Contact(row, tuple(organizations[row.id]), tuple(channels[row.id]), projects.get(row.id, 0))
        for row in session.exec(select(Referent).where(here()).order_by(Referent.name, col(Referent.id)))
    ]
