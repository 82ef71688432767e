"""Queries about requests for access: the one open in a chat, what waits at the desk, who they may be. Decides nothing.

A request is changed only by compare-and-set on its `revision`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, func, update
from sqlmodel import Session, col, select

from facts.folding import begin_words, fold
from storage.projects import municipality_name
from storage.tables import (
    AccessRequest,
    AccessState,
    Address,
    Audit,
    Channel,
    Draft,
    Membership,
    Organization,
    Outbox,
    OutboxKind,
    Referent,
    Staff,
)

OPEN = (AccessState.ASKING, AccessState.CONFIRMING, AccessState.WAITING)
CODE_SENT = "access.code"  # the act in the log that counts the codes of a chat and of the whole house


# --- the conversation


def open_request(session: Session, chat: str) -> AccessRequest | None:
    """The request that this chat has begun or that waits for the desk: one at most."""
    return session.exec(
        select(AccessRequest)
        .where(AccessRequest.chat == chat, col(AccessRequest.state).in_(OPEN))
        .execution_options(populate_existing=True)
    ).first()


def find_request(session: Session, request_id: int) -> AccessRequest | None:
    """Any request, as it is in the database."""
    return session.get(AccessRequest, request_id, populate_existing=True)


def change_request(
    session: Session, request_id: int, revision: int, states: Sequence[AccessState], now: datetime, **values: Any
) -> bool:
    """Changes a request as it was at `revision` and in one of `states`; False when it has moved on since."""
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(AccessRequest)
        .where(
            col(AccessRequest.id) == request_id,
            col(AccessRequest.revision) == revision,
            col(AccessRequest.state).in_(states),
        )
        .values(revision=col(AccessRequest.revision) + 1, touched_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1


def note_sources(session: Session, request: AccessRequest, sources: dict[str, Any]) -> None:
    """Which message gave which answer, of a request as it was read. No answer changes, so old buttons stay good."""
    session.execute(
        update(AccessRequest)
        .where(col(AccessRequest.id) == request.id, col(AccessRequest.revision) == request.revision)
        .values(sources=sources)
        .execution_options(synchronize_session=False)
    )


def cancel_requests(session: Session, chat: str, now: datetime) -> None:
    """Whatever this chat had asked for: it has got another way in, or has gone."""
    session.execute(
        update(AccessRequest)
        .where(col(AccessRequest.chat) == chat, col(AccessRequest.state).in_(OPEN))
        .values(state=AccessState.CANCELLED, revision=col(AccessRequest.revision) + 1, touched_at=now)
        .execution_options(synchronize_session=False)
    )


def move_requests(session: Session, old_chat: str, new_chat: str) -> None:
    """What somebody had asked for goes with them to their new chat, which has no request of its own."""
    session.execute(
        update(AccessRequest)
        .where(col(AccessRequest.chat) == old_chat, col(AccessRequest.state).in_(OPEN))
        .values(chat=new_chat, revision=col(AccessRequest.revision) + 1)
        .execution_options(synchronize_session=False)
    )


def began_since(session: Session, referent_id: int, instant: datetime) -> bool:
    """Whether this person has begun something else from then on."""
    found = select(Draft.id).where(Draft.referent_id == referent_id, Draft.touched_at >= instant).limit(1)
    return session.exec(found).first() is not None


def search_organizations(session: Session, text: str, limit: int) -> Sequence[Organization]:
    """Those whose name has a word beginning with each word typed, accents and "Comune di" aside.

    Read whole and compared here: no two databases fold accents alike.
    """
    wanted = municipality_name(text).removeprefix("comune ")
    first = wanted.partition(" ")[0]
    rows = session.execute(select(col(Organization.id), col(Organization.name)).order_by(col(Organization.name)))
    fitting = [(not fold(name).startswith(first), id_) for id_, name in rows if begin_words(name, wanted)]
    found = [id_ for _, id_ in sorted(fitting, key=lambda pair: pair[0])][:limit]
    by_id = {row.id: row for row in session.exec(select(Organization).where(col(Organization.id).in_(found)))}
    return [by_id[id_] for id_ in found]


# --- codes


def codes_of_chat(session: Session, chat: str, since: datetime) -> int:
    """How many codes were sent for requests of this chat."""
    requests = select(AccessRequest.id).where(AccessRequest.chat == chat)
    return _count(session, _codes(since).where(col(Audit.object_id).in_(requests)))


def codes_to_address(session: Session, address: str, since: datetime) -> int:
    """How many codes were queued for this mailbox."""
    sent = select(func.count()).select_from(Outbox).where(Outbox.address == address, Outbox.created_at > since)
    return _count(session, sent.where(Outbox.kind == OutboxKind.CODE))


def codes_in_all(session: Session, since: datetime) -> int:
    return _count(session, _codes(since))


def _codes(since: datetime) -> Any:
    return select(func.count()).select_from(Audit).where(Audit.action == CODE_SENT, Audit.at > since)


def _count(session: Session, query: Any) -> int:
    return int(session.exec(query).one())


# --- at the desk


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request in a list. `organization`: the one chosen, or as it was typed. `referent`: who asks or was let in."""

    request: AccessRequest
    organization: str
    referent: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Similar:
    """A referent who may be the one who asks, and by what."""

    referent: Referent
    organizations: Sequence[str]
    same_address: bool
    same_name: bool
    same_organization: bool


def count_waiting(session: Session) -> int:
    """How many requests wait for the desk."""
    return _count(session, select(func.count()).select_from(AccessRequest).where(waits()))


def requests_in(
    session: Session, states: Sequence[AccessState], *, limit: int, offset: int = 0
) -> tuple[list[RequestLine], int]:
    """Requests in these states and how many there are: those that wait the oldest first, the decided the newest."""
    these = col(AccessRequest.state).in_(states)
    total = _count(session, select(func.count()).select_from(AccessRequest).where(these))
    order = col(AccessRequest.touched_at)
    oldest_first = AccessState.WAITING in states
    rows = session.exec(
        _lines().where(these).order_by(order if oldest_first else order.desc()).limit(limit).offset(offset)
    )
    return [_line(row) for row in rows], total


def one_request(session: Session, request_id: int) -> RequestLine | None:
    row = session.exec(_lines().where(AccessRequest.id == request_id)).first()
    return None if row is None else _line(row)


def _lines() -> Any:
    return (
        select(AccessRequest, Organization.name, Referent.name, Staff.name)
        .outerjoin(Organization, col(Organization.id) == col(AccessRequest.organization_id))
        .outerjoin(Referent, col(Referent.id) == col(AccessRequest.referent_id))
        .outerjoin(Staff, col(Staff.id) == col(AccessRequest.decided_by))
        .execution_options(populate_existing=True)
    )


def _line(row: Any) -> RequestLine:
    request, chosen, referent, decided_by = row
    return RequestLine(request, chosen or request.organization, referent, decided_by)


def similar_referents(session: Session, request: AccessRequest, limit: int = 8) -> list[Similar]:
    """Who may be asking: the same address or name first, then whoever works in the same organisation."""
    by_address = set(
        session.exec(
            select(Address.referent_id).where(Address.channel == Channel.EMAIL, Address.value == request.email)
        )
    )
    names = session.execute(select(col(Referent.id), col(Referent.name))).all()
    by_name = {id_ for id_, name in names if _same_words(name, request.name)}
    colleagues = set(
        session.exec(select(Membership.referent_id).where(Membership.organization_id == request.organization_id))
    )
    found = by_address | by_name | colleagues
    organizations = _organization_names(session, found)
    similar = [
        Similar(one, organizations.get(one.id, []), one.id in by_address, one.id in by_name, one.id in colleagues)
        for one in session.exec(select(Referent).where(col(Referent.id).in_(found)))
    ]
    similar.sort(key=lambda one: (not one.same_address, not one.same_name, fold(one.referent.name)))
    return similar[:limit]


def _same_words(name: str, other: str) -> bool:
    """`Rossi Mario` is `Mario Rossi`."""
    return sorted(fold(name).split()) == sorted(fold(other).split())


def _organization_names(session: Session, referent_ids: set[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for referent_id, name in session.execute(
        select(col(Membership.referent_id), col(Organization.name))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Membership.referent_id).in_(referent_ids))
        .order_by(col(Organization.name))
    ):
        found.setdefault(referent_id, []).append(name)
    return found


def a_request_waits(session: Session, after: datetime | None) -> bool:
    """Whether one has come to wait since then (None: ever)."""
    newer = [] if after is None else [col(AccessRequest.touched_at) > after]
    return session.exec(select(AccessRequest.id).where(waits(), *newer).limit(1)).first() is not None


def waits() -> ColumnElement[bool]:
    return col(AccessRequest.state) == AccessState.WAITING
