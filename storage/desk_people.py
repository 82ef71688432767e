"""What the desk's pages on referents look at, and the use of a personal page. Decides nothing; never commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, not_, update
from sqlmodel import Session, col, select

from facts.calendar import OFFICE_ZONE, local_date
from facts.folding import fold
from storage.absences import away_today
from storage.delegations import away_until
from storage.people import WAYS, here, in_order, reached
from storage.tables import (
    AccessRequest,
    Address,
    Channel,
    Following,
    Invitation,
    Membership,
    Organization,
    PersonalLink,
    Referent,
    Update,
)
from storage.tokens import token_hash


class Door(StrEnum):
    """By which way a chat was linked to its referent."""

    INVITATION = "invitation"
    REQUEST = "request"


class Reach(StrEnum):
    """How a referent hears from us now. PAGE: only when they open it by themselves. NOBODY: somebody has to phone."""

    TELEGRAM = "telegram"
    EMAIL = "email"
    PEC = "pec"
    PAGE = "page"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Reached:
    """`since`: from when on; None for who is not reached. `closed`: the ways that no longer work."""

    how: Reach
    since: datetime | None
    closed: Sequence[Address]


@dataclass(slots=True)
class ReferentLine:
    """One referent in the desk's list. `projects`: how many they report on; `links`: what opens their page now."""

    id: int
    name: str
    organizations: list[str] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    projects: int = 0
    links: int = 0
    last_update_at: datetime | None = None
    prefers: Channel | None = None
    away_until: date | None = None

    @property
    def reached(self) -> Reached:
        return reached_by(self.addresses, self.links, self.prefers)


@dataclass(frozen=True, slots=True)
class Access:
    """How a referent may come in: keys that open something now. `used_at`: when their page was last written from."""

    invitation: Invitation | None
    links: int
    used_at: datetime | None


def reached_by(addresses: Sequence[Address], links: int, prefers: Channel | None = None) -> Reached:
    """In the order in which a message goes; `links` open their page now. Pure."""
    ways = [one for one in addresses if one.channel in WAYS]
    closed = [one for one in ways if one.unreachable_since is not None]
    for channel in in_order(prefers):
        works = next((one for one in ways if one.channel is channel and one not in closed), None)
        if works is not None:
            return Reached(Reach(channel), works.verified_at or works.created_at, closed)
    return Reached(Reach.PAGE if links else Reach.NOBODY, None, closed)


def referents_page(
    session: Session, now: datetime, text: str = "", *, unreached: bool = False, limit: int = 50, offset: int = 0
) -> tuple[list[ReferentLine], int]:
    """Referents by name, narrowed to those whose name, organisations or addresses hold every word of `text`.

    `unreached`: only those to whom no message of ours arrives.
    """
    ids = _matching(session, text)
    if unreached:
        nobody = unreached_ids(session)
        ids = [id_ for id_ in ids if id_ in nobody]
    lines = referent_lines(session, ids[offset : offset + limit], now)
    return lines, len(ids)


def unreached_ids(session: Session) -> set[int]:
    """Those to whom nothing that we write arrives."""
    return set(session.exec(select(Referent.id).where(here(), not_(reached(col(Referent.id))))))


def _matching(session: Session, text: str) -> list[int]:
    """Read whole and compared here: no two databases fold accents alike."""
    names = {row.id: row.name for row in session.execute(select(col(Referent.id), col(Referent.name)).where(here()))}
    hay = {id_: [name] for id_, name in names.items()}
    words = fold(text).split()
    if words:
        for id_, more in _names_of_organizations(session, list(names)):
            hay[id_].append(more)
        for id_, value in session.execute(select(col(Address.referent_id), col(Address.value))):
            hay.get(id_, []).append(value)
    found = [id_ for id_, parts in hay.items() if _holds(parts, words)]
    return sorted(found, key=lambda id_: (fold(names[id_]), id_))


def _holds(parts: Collection[str], words: Collection[str]) -> bool:
    text = " ".join(map(fold, parts))
    return all(word in text for word in words)


def _names_of_organizations(session: Session, ids: Collection[int]) -> Sequence[tuple[int, str]]:
    return [
        (referent_id, name)
        for referent_id, name in session.execute(
            select(col(Membership.referent_id), col(Organization.name))
            .join(Organization, col(Organization.id) == col(Membership.organization_id))
            .where(col(Membership.referent_id).in_(ids))
            .order_by(col(Organization.name))
        )
    ]


def referent_lines(session: Session, ids: Sequence[int], now: datetime) -> list[ReferentLine]:
    """These, in their order."""
    columns = select(col(Referent.id), col(Referent.name), col(Referent.prefers))
    rows = session.execute(columns.where(col(Referent.id).in_(ids)))
    lines = {id_: ReferentLine(id_, name, prefers=prefers) for id_, name, prefers in rows}
    for id_, organization in _names_of_organizations(session, ids):
        lines[id_].organizations.append(organization)
    for address in _addresses(session, ids):
        lines[address.referent_id].addresses.append(address)
    _count(session, lines, now)
    away = away_today(session, ids, local_date(now, OFFICE_ZONE)) | away_until(session, ids)
    for id_, until in away.items():
        lines[id_].away_until = until
    return [lines[id_] for id_ in ids]


def _count(session: Session, lines: dict[int, ReferentLine], now: datetime) -> None:
    for id_, count in session.execute(
        select(col(PersonalLink.referent_id), func.count())
        .where(*_opens(now), col(PersonalLink.referent_id).in_(list(lines)))
        .group_by(col(PersonalLink.referent_id))
    ):
        lines[id_].links = count
    followed = select(col(Following.referent_id), func.count()).group_by(col(Following.referent_id))
    for id_, count in session.execute(followed.where(col(Following.referent_id).in_(list(lines)))):
        lines[id_].projects = count
    newest = select(col(Update.referent_id), func.max(col(Update.received_at))).group_by(col(Update.referent_id))
    for id_, instant in session.execute(newest.where(col(Update.referent_id).in_(list(lines)))):
        assert id_ is not None
        lines[id_].last_update_at = instant


# Those that work first: the list shows one per channel.
_ADDRESSES = (
    select(Address)
    .where(col(Address.referent_id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Address.unreachable_since).is_not(None), col(Address.channel), col(Address.id).desc())
)


def _addresses(session: Session, ids: Collection[int]) -> Sequence[Address]:
    return session.exec(_ADDRESSES, params={"ids": list(ids)}).all()


def one_referent(session: Session, referent_id: int) -> Referent | None:
    return session.get(Referent, referent_id)


def addresses_of(session: Session, referent_id: int) -> Sequence[Address]:
    """Every address, those that work first."""
    return _addresses(session, [referent_id])


_ROLES = (
    select(Organization, Membership.role)
    .join(Membership, col(Membership.organization_id) == col(Organization.id))
    .where(Membership.referent_id == bindparam("referent_id"))
    .order_by(Organization.name)
)


def roles_of(session: Session, referent_id: int) -> Sequence[tuple[Organization, str]]:
    """The referent's organisations, with what they are there."""
    return session.exec(_ROLES, params={"referent_id": referent_id}).all()


def door_of(session: Session, address: Address) -> Door | None:
    """How this chat was linked, at `verified_at`; None when nobody opened a door: it was written in by hand."""
    theirs = address.referent_id
    accepted = select(Invitation.id).where(Invitation.referent_id == theirs, Invitation.used_at == address.verified_at)
    if session.exec(accepted).first() is not None:
        return Door.INVITATION
    approved = select(AccessRequest.id).where(
        AccessRequest.referent_id == theirs,
        AccessRequest.chat == address.value,
        AccessRequest.decided_at == address.verified_at,
    )
    return Door.REQUEST if session.exec(approved).first() is not None else None


def access_of(session: Session, referent_id: int, now: datetime) -> Access:
    """The newest invitation, whatever its state, and the links to the personal page that open it now."""
    invitation = session.exec(
        select(Invitation).where(Invitation.referent_id == referent_id).order_by(col(Invitation.id).desc()).limit(1)
    ).first()
    links, used_at = session.execute(_LINKS, {"referent_id": referent_id, "now": now}).one()
    return Access(invitation, links, used_at)


def links_of(session: Session, referent_id: int, now: datetime) -> int:
    """How many links open their page now."""
    links: int = session.execute(_LINKS, {"referent_id": referent_id, "now": now}).one()[0]
    return links


def _opens(now: Any) -> tuple[ColumnElement[bool], ...]:
    return (col(PersonalLink.expires_at) > now, col(PersonalLink.revoked_at).is_(None))


_LINKS = select(func.count(), func.max(col(PersonalLink.last_used_at))).where(
    PersonalLink.referent_id == bindparam("referent_id"), *_opens(bindparam("now"))
)


def note_use(session: Session, token: str, now: datetime) -> None:
    """Somebody wrote from the page of this link. Mere looks are not noted: mail scanners look too."""
    used: Any = update(PersonalLink).where(col(PersonalLink.token_hash) == token_hash(token))
    session.execute(used.values(last_used_at=now))
