"""Queries of whom a circular would go to: a filter, people added and taken out, by which way each is reached.

Only contacts of ours: who left, or is registered twice, is never among them. Decides nothing, changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, true
from sqlmodel import Session, col, select

from facts.folding import fold
from storage.addressees import organizations_of
from storage.people import here, ways_to
from storage.tables import (
    Address,
    Channel,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Project,
    Referent,
    Update,
    WhyNot,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom it is. Without `by_filter` only for those who were added.

    Of the filter every part that is given must fit. `organizations`: any of these. `late`: an update of theirs is
    overdue. `silent`: they have never sent one. `left_out` wins over everything.
    """

    by_filter: bool = False
    organizations: tuple[int, ...] = ()
    programme: int | None = None
    phase: str = ""
    late: bool = False
    silent: bool = False
    added: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Ids and words only, for `Circular.audience`."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Wanted":
        lists: dict[str, Any] = {name: tuple(document.get(name, ())) for name in ("organizations", "added", "left_out")}
        plain = {
            name: document[name] for name in ("by_filter", "programme", "phase", "late", "silent") if name in document
        }
        return cls(**lists, **plain)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody it would go to, and by which way; None: nothing reaches them, for these are `closed`."""

    referent: Referent
    organizations: tuple[str, ...]
    channel: Channel | None
    closed: tuple[Address, ...] = ()
    added: bool = False


@dataclass(slots=True)
class Reach:
    """How many people, by which channels, and in which language by each; `unreached` of them by none.

    `english` of them read English.
    """

    people: int = 0
    channels: dict[Channel, int] = field(default_factory=dict)
    readers: dict[tuple[Channel, str], int] = field(default_factory=dict)
    unreached: int = 0
    english: int = 0


def chosen(session: Session, wanted: Wanted, today: date) -> list[int]:
    """Everybody it would go to, by name."""
    rows = session.execute(select(col(Referent.id), col(Referent.name)).where(here(), _fits(wanted, today)))
    taken_out = set(wanted.left_out)
    found = [(fold(name), id_) for id_, name in rows if id_ not in taken_out]
    return [id_ for _, id_ in sorted(found)]


def gone(session: Session, wanted: Wanted) -> Mapping[int, WhyNot]:
    """Those among the added who are no contact any more, and why."""
    rows = session.exec(select(Referent).where(col(Referent.id).in_(wanted.added), ~here()))
    return {one.id: WhyNot.MERGED if one.merged_into_id is not None else WhyNot.LEFT for one in rows}


def reach(session: Session, ids: Collection[int]) -> Reach:
    """By which way each of them hears from us first."""
    english = set(session.exec(select(Referent.id).where(col(Referent.id).in_(ids), Referent.language == "en")))
    found = Reach(people=len(ids), english=len(english))
    for person, ways in ways_to(session, ids).items():
        first = next(iter(ways), None)
        if first is None:
            found.unreached += 1
            continue
        reader = (first, "en" if person in english else "it")
        found.channels[first] = found.channels.get(first, 0) + 1
        found.readers[reader] = found.readers.get(reader, 0) + 1
    return found


def recipients(session: Session, ids: Sequence[int], wanted: Wanted) -> Sequence[Recipient]:
    """These people, in their order, with what a list shows of them."""
    people = {one.id: one for one in session.exec(select(Referent).where(col(Referent.id).in_(ids)))}
    names, ways = organizations_of(session, ids), ways_to(session, ids)
    unreached = [id_ for id_ in ids if not ways[id_]]
    closed: dict[int, tuple[Address, ...]] = {}
    for address in session.exec(
        select(Address).where(col(Address.referent_id).in_(unreached)).order_by(col(Address.channel), col(Address.id))
    ):
        closed[address.referent_id] = (*closed.get(address.referent_id, ()), address)
    return [
        Recipient(
            people[id_], names.get(id_, ()), next(iter(ways[id_]), None), closed.get(id_, ()), id_ in wanted.added
        )
        for id_ in ids
    ]


def named(session: Session, ids: Collection[int]) -> Sequence[Referent]:
    """These people by name, whether they are here or not."""
    rows = session.exec(select(Referent).where(col(Referent.id).in_(ids))).all()
    return sorted(rows, key=lambda one: (fold(one.name), one.id))


def found_by_name(session: Session, text: str, limit: int = 20) -> Sequence[Referent]:
    """Contacts whose name has every word typed; nothing typed finds nobody."""
    words = fold(text).split()
    if not words:
        return []
    rows = session.execute(select(col(Referent.id), col(Referent.name)).where(here()))
    ids = [id_ for id_, name in rows if all(word in fold(name) for word in words)]
    return named(session, ids)[:limit]


def organizations_with_people(session: Session) -> Sequence[Organization]:
    """Those of which anybody is a contact."""
    anybody = exists().where(
        col(Membership.organization_id) == col(Organization.id),
        col(Membership.referent_id) == col(Referent.id),
        here(),
    )
    rows = session.exec(select(Organization).where(anybody)).all()
    return sorted(rows, key=lambda one: fold(one.name))


def _fits(wanted: Wanted, today: date) -> ColumnElement[bool]:
    return or_(col(Referent.id).in_(wanted.added), _passes(wanted, today) if wanted.by_filter else false())


def _passes(wanted: Wanted, today: date) -> ColumnElement[bool]:
    me = col(Referent.id)
    parts: list[ColumnElement[bool]] = []
    if wanted.organizations:
        theirs = col(Membership.organization_id).in_(wanted.organizations)
        parts.append(exists().where(col(Membership.referent_id) == me, theirs))
    if wanted.programme is not None or wanted.phase:
        parts.append(_follows(me, wanted))
    if wanted.late:
        parts.append(_is_late(me, today))
    if wanted.silent:
        parts.append(~exists().where(col(Update.referent_id) == me))
    return and_(true(), *parts)


def _is_late(me: Any, today: date) -> ColumnElement[bool]:
    """An update of a project they follow, or of an organisation of theirs, is past its day."""
    overdue = (col(Obligation.state) == ObligationState.OPEN, col(Obligation.due_on) < today)
    of_project, of_organization = col(Obligation.project_id), col(Obligation.organization_id)
    followers = select(Following.referent_id).join(Obligation, of_project == col(Following.project_id))
    members = select(Membership.referent_id).join(Obligation, of_organization == col(Membership.organization_id))
    return or_(me.in_(followers.where(*overdue)), me.in_(members.where(*overdue)))


def _follows(me: Any, wanted: Wanted) -> ColumnElement[bool]:
    """One project for both: of this programme, and in this phase."""
    which = [col(Following.referent_id) == me, col(Following.project_id) == col(Project.id)]
    if wanted.programme is not None:
        which.append(col(Project.programme_id) == wanted.programme)
    if wanted.phase:
        which.append(col(Project.phase) == wanted.phase)
    return exists().where(*which)
