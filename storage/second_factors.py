"""Questions about second factors and recovery codes: kept, used once, taken away. Knows no secret's meaning."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, func, or_, update
from sqlmodel import Session, col, select

from storage.tables import RecoveryCode, Staff


def keep_factor(
    session: Session, staff_id: int, secret: str, step: int, now: datetime, *, instead_of: datetime | None
) -> bool:
    """From now on this secret counts, and the code of `step` is used. False when another was set meanwhile."""
    since = col(Staff.second_factor_since)
    same = since.is_(None) if instead_of is None else since == instead_of
    return _did(
        session,
        update(Staff)
        .where(col(Staff.id) == staff_id, same)
        .values(second_factor=secret, second_factor_since=now, second_factor_step=step),
    )


def take_step(session: Session, staff_id: int, step: int, *, since: datetime | None) -> bool:
    """Uses the code of this half minute up; False when it, or a later one, was used, or the factor is another."""
    last = col(Staff.second_factor_step)
    return _did(
        session,
        update(Staff)
        .where(
            col(Staff.id) == staff_id,
            col(Staff.second_factor_since) == since,
            or_(last.is_(None), last < step),
        )
        .values(second_factor_step=step),
    )


def clear_factor(session: Session, staff_id: int) -> bool:
    """No second factor and no recovery codes any more; False when there was none."""
    done = _did(
        session,
        update(Staff)
        .where(col(Staff.id) == staff_id, col(Staff.second_factor_since).is_not(None))
        .values(second_factor="", second_factor_since=None, second_factor_step=None),
    )
    if done:
        session.execute(delete(RecoveryCode).where(col(RecoveryCode.staff_id) == staff_id))
    return done


def keep_codes(session: Session, staff_id: int, hashes: Sequence[str], now: datetime) -> None:
    """These recovery codes in place of all earlier ones."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.staff_id) == staff_id))
    session.add_all(RecoveryCode(staff_id=staff_id, code_hash=each, created_at=now) for each in hashes)
    session.flush()


def use_code(session: Session, staff_id: int, code_hash: str, now: datetime) -> bool:
    """Uses a recovery code up; False when it is none of theirs, or was used before."""
    return _did(
        session,
        update(RecoveryCode)
        .where(
            col(RecoveryCode.staff_id) == staff_id,
            col(RecoveryCode.code_hash) == code_hash,
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=now),
    )


def codes_left(session: Session, staff_id: int) -> int:
    """How many recovery codes still open."""
    unused = select(func.count()).where(RecoveryCode.staff_id == staff_id, col(RecoveryCode.used_at).is_(None))
    return session.exec(unused).one()


def _did(session: Session, change: Any) -> bool:
    done: CursorResult[Any] = session.execute(change)  # type: ignore[assignment]  # an UPDATE answers with a row count
    return done.rowcount == 1
