"""The chain over the log: each sealed row carries the hash of all before it. Seals and checks; mends nothing.

One sealer at a time gives the rows that are committed the next numbers, without gaps. A row of a transaction that ended
late gets a late number, whatever its id. Whoever alters, removes or puts in a row or a link breaks the chain there;
whoever makes the whole chain anew, or takes its end away, is found by a link that was kept elsewhere.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import Audit, AuditLink

BATCH = 500
FIRST = "0" * 64  # what stands before the first link

Pair = tuple[AuditLink, Audit | None]


@dataclass(frozen=True, slots=True)
class Link:
    """The number and the hash of one link: what is to be kept elsewhere."""

    number: int = 0
    hash: str = FIRST


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold. `why`: "missing-link", "missing-row", "altered" or "not-as-kept"."""

    number: int
    audit_id: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: the newest link, the first break if there is one, how many rows wait for their seal.

    `backdated`: rows that were put in the chain after a row that is more than a day younger.
    """

    newest: Link
    broken: Break | None
    unsealed: int
    backdated: int

    @property
    def whole(self) -> bool:
        return self.broken is None


def hash_of(number: int, before: str, row: Audit, sealed_at: datetime) -> str:
    """SHA-256 over the canonical JSON of the link before, this number and instant, and the row as it is kept."""
    said: dict[str, Any] = {
        "number": number,
        "before": before,
        "sealed_at": sealed_at.isoformat(),
        "row": {name: getattr(row, name) for name in Audit.model_fields} | {"at": row.at.isoformat()},
    }
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def unsealed_after(session: Session, audit_id: int) -> bool:
    """Whether a row beyond this id waits: a look, so that a quiet minute writes nothing."""
    return session.exec(_waiting(audit_id).limit(1)).first() is not None


def seal_some(session: Session, now: datetime, *, after: int, most: int = BATCH) -> int | None:
    """Seals the next rows beyond the id `after`; the last id sealed, or None when none waits."""
    rows = session.exec(_waiting(after).limit(most)).all()
    newest = newest_link(session)
    number, before = newest.number, newest.hash
    for row in rows:
        number += 1
        before = hash_of(number, before, row, now)
        session.add(AuditLink(number=number, audit_id=row.id, hash=before, sealed_at=now))
    session.flush()
    return rows[-1].id if rows else None


def newest_link(session: Session) -> Link:
    """The end of the chain; number 0 when nothing is sealed yet."""
    link = session.exec(select(AuditLink).order_by(col(AuditLink.number).desc()).limit(1)).first()
    return Link(link.number, link.hash) if link else Link()


def newest_sealed_id(session: Session) -> int:
    """The highest id of a row that has its link; 0 when none has."""
    return session.exec(select(func.max(AuditLink.audit_id))).one() or 0


def verify(session: Session, kept: Link | None = None) -> Verdict:
    """Walks the whole chain. `kept`: a link written down elsewhere, which must be there as it was."""
    broken = _first_break(session, kept)
    unsealed = session.exec(
        select(func.count())
        .select_from(Audit)
        .outerjoin(AuditLink, col(AuditLink.audit_id) == col(Audit.id))
        .where(col(AuditLink.number).is_(None))
    ).one()
    return Verdict(newest_link(session), broken, unsealed, _backdated(session))


def _first_break(session: Session, kept: Link | None) -> Break | None:
    number, before = 0, FIRST
    for link, row in _walk(session):
        number += 1
        if link.number != number:
            return Break(number, None, "missing-link")
        if row is None:
            return Break(number, link.audit_id, "missing-row")
        before = hash_of(number, before, row, link.sealed_at)
        if before != link.hash:
            return Break(number, link.audit_id, "altered")
        if kept is not None and kept.number == number and kept.hash != before:
            return Break(number, link.audit_id, "not-as-kept")
    return Break(kept.number, None, "not-as-kept") if kept is not None and kept.number > number else None


def _backdated(session: Session) -> int:
    newest: datetime | None = None
    found = 0
    for _link, row in _walk(session):
        if row is None:
            continue
        if newest is not None and (newest - row.at).days >= 1:
            found += 1
        newest = max(row.at, newest) if newest else row.at
    return found


def _walk(session: Session) -> Iterator[Pair]:
    """Every link with its row, by number; a batch at a time in memory."""
    after = -(2**31)  # a link with a number below 1 is none of ours, and must be seen
    while True:
        pairs = session.exec(
            select(AuditLink, Audit)
            .outerjoin(Audit, col(Audit.id) == col(AuditLink.audit_id))
            .where(col(AuditLink.number) > after)
            .order_by(col(AuditLink.number))
            .limit(BATCH)
        ).all()
        if not pairs:
            return
        yield from pairs
        after = pairs[-1][0].number
        session.expunge_all()


def _waiting(after: int) -> Any:
    return (
        select(Audit)
        .outerjoin(AuditLink, col(AuditLink.audit_id) == col(Audit.id))
        .where(col(Audit.id) > after, col(AuditLink.number).is_(None))
        .order_by(col(Audit.id))
    )
