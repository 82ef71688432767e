"""What the desk's pages on referents look at, and the use of a personal page. Decides nothing; never commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from facts.folding import fold
from storage.tables import (
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


@dataclass(slots=True)
class ReferentLine:
    """One referent in the desk's list. `projects`: how many they report on."""

    id: int
    name: str
    organizations: list[str] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    projects: int = 0
    last_update_at: datetime | None = None

    def address(self, channel: Channel) -> Address | None:
        return next((one for one in self.addresses if one.channel is channel), None)


@dataclass(frozen=True, slots=True)
class Access:
    """How a referent may come in: keys that open something now. `used_at`: when their page was last written from."""

    invitation: Invitation | None
    links: int
    used_at: datetime | None


def referents_page(
    session: Session, text: str = "", *, limit: int = 50, offset: int = 0
) -> tuple[list[ReferentLine], int]:
    """Referents by name, narrowed to those whose name, organisations or addresses hold every word of `text`."""
    ids = _matching(session, text)
    lines = _lines(session, ids[offset : offset + limit])
    return lines, len(ids)


def _matching(session: Session, text: str) -> list[int]:
    """Read whole and compared here: no two databases fold accents alike."""
    names = {row.id: row.name for row in session.execute(select(col(Referent.id), col(Referent.name)))}
    hay = {id_: [name] for id_, name in names.items()}
    words = fold(text).split()
    if words:
        for id_, more in _names_of_organizations(session, list(names)):
            hay[id_].append(more)
        for id_, value in session.execute(select(col(Address.referent_id), col(Address.value))):
            hay[id_].append(value)
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


def _lines(session: Session, ids: Sequence[int]) -> list[ReferentLine]:
    rows = session.execute(select(col(Referent.id), col(Referent.name)).where(col(Referent.id).in_(ids)))
    lines = {id_: ReferentLine(id_, name) for id_, name in rows}
    for id_, organization in _names_of_organizations(session, ids):
        lines[id_].organizations.append(organization)
    for address in _addresses(session, ids):
        lines[address.referent_id].addresses.append(address)
    _count(session, lines)
    return [lines[id_] for id_ in ids]


def _count(session: Session, lines: dict[int, ReferentLine]) -> None:
    followed = select(col(Following.referent_id), func.count()).group_by(col(Following.referent_id))
    for id_, count in session.execute(followed.where(col(Following.referent_id).in_(list(lines)))):
        lines[id_].projects = count
    newest = select(col(Update.referent_id), func.max(col(Update.received_at))).group_by(col(Update.referent_id))
    for id_, instant in session.execute(newest.where(col(Update.referent_id).in_(list(lines)))):
        assert id_ is not None
        lines[id_].last_update_at = instant


def _addresses(session: Session, ids: Collection[int]) -> Sequence[Address]:
    # Those that work first: the list shows one per channel.
    return session.exec(
        select(Address)
        .where(col(Address.referent_id).in_(ids))
        .order_by(col(Address.unreachable_since).is_not(None), col(Address.channel), col(Address.id).desc())
    ).all()


def one_referent(session: Session, referent_id: int) -> Referent | None:
    return session.get(Referent, referent_id)


def addresses_of(session: Session, referent_id: int) -> Sequence[Address]:
    """Every address, those that work first."""
    return _addresses(session, [referent_id])


def roles_of(session: Session, referent_id: int) -> Sequence[tuple[Organization, str]]:
    """The referent's organisations, with what they are there."""
    return session.exec(
        select(Organization, Membership.role)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == referent_id)
        .order_by(Organization.name)
    ).all()


def access_of(session: Session, referent_id: int, now: datetime) -> Access:
    """The newest invitation, whatever its state, and the links to the personal page that open it now."""
    invitation = session.exec(
        select(Invitation).where(Invitation.referent_id == referent_id).order_by(col(Invitation.id).desc()).limit(1)
    ).first()
    links, used_at = session.execute(
        select(func.count(), func.max(col(PersonalLink.last_used_at))).where(
            PersonalLink.referent_id == referent_id,
            PersonalLink.expires_at > now,
            col(PersonalLink.revoked_at).is_(None),
        )
    ).one()
    return Access(invitation, links, used_at)


def note_use(session: Session, token: str, now: datetime) -> None:
    """Somebody wrote from the page of this link. Mere looks are not noted: mail scanners look too."""
    used: Any = update(PersonalLink).where(col(PersonalLink.token_hash) == token_hash(token))
    session.execute(used.values(last_used_at=now))
