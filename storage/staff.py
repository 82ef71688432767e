"""Questions about desk accounts: who works here, which browser is signed in, which sign-ins failed. Hashes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage.tables import Role, SignInAttempt, Staff, StaffSession
from storage.tokens import token_hash


@dataclass(frozen=True, slots=True)
class Whence:
    """From where somebody signs in: what their browser says of itself, and their network."""

    browser: str = ""
    network: str = ""


UNSAID = Whence()


def add_staff(session: Session, *, email: str, name: str, role: Role, now: datetime) -> Staff:
    """A new account, without a password yet. The e-mail address is kept in lower case."""
    staff = Staff(email=email.strip().lower(), name=name.strip() or email, role=role, created_at=now)
    session.add(staff)
    session.flush()
    return staff


def add_new_staff(session: Session, *, email: str, name: str, role: Role, now: datetime) -> Staff | None:
    """A new account; None when the address has one, even one that somebody else made a moment before."""
    try:
        with session.begin_nested():
            return add_staff(session, email=email, name=name, role=role, now=now)
    except IntegrityError:
        return None


def set_active(session: Session, staff_id: int, *, active: bool) -> bool:
    """Lets a person in, or no longer; False when that is how it stands already."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Staff).where(col(Staff.id) == staff_id, col(Staff.active).is_(not active)).values(active=active)
    )
    return done.rowcount == 1


def change_role(session: Session, staff_id: int, was: Role, role: Role) -> bool:
    """Another role of the account; False when it is no longer what it `was`."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Staff).where(col(Staff.id) == staff_id, col(Staff.role) == was).values(role=role)
    )
    return done.rowcount == 1


def administrators(session: Session) -> Sequence[int]:
    """Those who may sign in. Until the commit nobody else asks: of two who remove each other, one comes too late."""
    return session.exec(
        select(Staff.id)
        .where(Staff.role == Role.ADMIN, col(Staff.active).is_(True))
        .order_by(col(Staff.id))
        .with_for_update()
    ).all()


def list_staff(session: Session) -> Sequence[Staff]:
    return session.exec(select(Staff).order_by(col(Staff.active).desc(), Staff.name, col(Staff.id))).all()


def find_staff(session: Session, email: str) -> Staff | None:
    """The account of this address, active or not."""
    return session.exec(select(Staff).where(Staff.email == email.strip().lower())).first()


def with_subject(session: Session, subject: str) -> Staff | None:
    """The account that a provider knows by this subject, active or not."""
    return session.exec(select(Staff).where(Staff.oidc_subject == subject)).first()


def bind_subject(session: Session, staff_id: int, subject: str) -> bool:
    """From now on this subject opens this account; False when another one does, or somebody was quicker."""
    try:
        with session.begin_nested():
            done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
                update(Staff)
                .where(col(Staff.id) == staff_id, col(Staff.oidc_subject).is_(None))
                .values(oidc_subject=subject)
            )
    except IntegrityError:
        return False
    return done.rowcount == 1


def unbind_subject(session: Session, staff_id: int) -> bool:
    """False when none opens it."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Staff).where(col(Staff.id) == staff_id, col(Staff.oidc_subject).is_not(None)).values(oidc_subject=None)
    )
    return done.rowcount == 1


def keep_password(session: Session, staff_id: int, password_hash: str, *, instead_of: str | None) -> bool:
    """Sets the hash, unless somebody set another one in between."""
    same = col(Staff.password_hash).is_(None) if instead_of is None else col(Staff.password_hash) == instead_of
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Staff).where(col(Staff.id) == staff_id, same).values(password_hash=password_hash)
    )
    return done.rowcount == 1


def open_session(
    session: Session, staff_id: int, token: str, csrf: str, now: datetime, whence: Whence = UNSAID
) -> StaffSession:
    """Remembers a signed-in browser by the hash of its cookie."""
    row = StaffSession(
        staff_id=staff_id,
        token_hash=token_hash(token),
        csrf=csrf,
        browser=whence.browser,
        network=whence.network,
        created_at=now,
        seen_at=now,
    )
    session.add(row)
    session.flush()
    return row


# Every page asks: built once.
_SESSION = (
    select(StaffSession, Staff)
    .join(Staff, col(Staff.id) == col(StaffSession.staff_id))
    .where(
        StaffSession.token_hash == bindparam("hash"),
        col(StaffSession.ended_at).is_(None),
        col(Staff.active).is_(True),
    )
)


def session_with(session: Session, token: str) -> tuple[StaffSession, Staff] | None:
    """The browser with this cookie and whose it is, when neither has been ended."""
    return session.exec(_SESSION, params={"hash": token_hash(token)}).first()


def session_is_open(session: Session, session_id: int) -> bool:
    """Neither it nor the account has been ended."""
    open_still = select(StaffSession.id).join(Staff, col(Staff.id) == col(StaffSession.staff_id))
    open_still = open_still.where(StaffSession.id == session_id, col(StaffSession.ended_at).is_(None))
    return session.exec(open_still.where(col(Staff.active).is_(True))).first() is not None


def touch_session(session: Session, session_id: int, now: datetime) -> None:
    """It was used just now."""
    session.execute(update(StaffSession).where(col(StaffSession.id) == session_id).values(seen_at=now))


def end_session(session: Session, session_id: int, now: datetime) -> None:
    session.execute(
        update(StaffSession)
        .where(col(StaffSession.id) == session_id, col(StaffSession.ended_at).is_(None))
        .values(ended_at=now)
    )


def end_sessions_of(session: Session, staff_id: int, now: datetime) -> None:
    """Signs a person out everywhere (their password changed)."""
    session.execute(
        update(StaffSession)
        .where(col(StaffSession.staff_id) == staff_id, col(StaffSession.ended_at).is_(None))
        .values(ended_at=now)
    )


def sessions_of(
    session: Session, staff_id: int, *, made_after: datetime, seen_after: datetime
) -> Sequence[StaffSession]:
    """The browsers in which this person is signed in, the one used last first."""
    return session.exec(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            col(StaffSession.ended_at).is_(None),
            col(StaffSession.created_at) >= made_after,
            col(StaffSession.seen_at) >= seen_after,
        )
        .order_by(col(StaffSession.seen_at).desc(), col(StaffSession.id).desc())
    ).all()


def end_session_of(session: Session, staff_id: int, session_id: int, now: datetime) -> bool:
    """Signs one browser of this person out; False when it is none of theirs, or was ended before."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(StaffSession)
        .where(
            col(StaffSession.id) == session_id,
            col(StaffSession.staff_id) == staff_id,
            col(StaffSession.ended_at).is_(None),
        )
        .values(ended_at=now)
    )
    return done.rowcount == 1


def end_other_sessions(session: Session, staff_id: int, kept_id: int, now: datetime) -> None:
    """Signs a person out everywhere but in this browser."""
    session.execute(
        update(StaffSession)
        .where(
            col(StaffSession.staff_id) == staff_id,
            col(StaffSession.id) != kept_id,
            col(StaffSession.ended_at).is_(None),
        )
        .values(ended_at=now)
    )


def change_own(session: Session, staff_id: int, *, name: str, language: str, notices: bool) -> None:
    """What a person says of themselves."""
    session.execute(
        update(Staff).where(col(Staff.id) == staff_id).values(name=name, language=language, notices=notices)
    )


def forget_old(session: Session, *, sessions_before: datetime, attempts_before: datetime) -> None:
    """Removes what has no further use."""
    session.execute(delete(StaffSession).where(col(StaffSession.created_at) < sessions_before))
    session.execute(delete(SignInAttempt).where(col(SignInAttempt.at) < attempts_before))


def note_failure(session: Session, account: str, network: str, now: datetime) -> None:
    session.add(SignInAttempt(account=account, network=network, at=now))


def one_at_a_time(session: Session, network: str) -> None:
    """Until the commit, attempts from one network wait for each other: else guesses side by side each count none."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(network))))


def staff_name(session: Session, staff_id: int | None) -> str | None:
    """Who that is, of those who may have left; None for nobody."""
    found = session.get(Staff, staff_id) if staff_id is not None else None
    return found.name if found is not None else None


def failures_since(session: Session, account: str, network: str, since: datetime) -> tuple[int, datetime | None]:
    """How many sign-ins to this account failed from this network, and the first of them."""
    count, first = session.execute(
        select(func.count(), func.min(SignInAttempt.at)).where(
            SignInAttempt.account == account, SignInAttempt.network == network, col(SignInAttempt.at) > since
        )
    ).one()
    return count, first


def failures_of(session: Session, account: str, since: datetime) -> tuple[int, datetime | None]:
    """How many attempts on this account failed, whatever the network, and the first of them."""
    count, first = session.execute(
        select(func.count(), func.min(SignInAttempt.at)).where(
            SignInAttempt.account == account, col(SignInAttempt.at) > since
        )
    ).one()
    return count, first


def failures_from(session: Session, network: str, since: datetime) -> tuple[int, datetime | None]:
    """How many sign-ins failed from this network, whatever the account, and the first of them."""
    count, first = session.execute(
        select(func.count(), func.min(SignInAttempt.at)).where(
            SignInAttempt.network == network, col(SignInAttempt.at) > since
        )
    ).one()
    return count, first


def forget_failures(session: Session, account: str, network: str) -> None:
    """They got in: earlier slips from here no longer count."""
    session.execute(
        delete(SignInAttempt).where(col(SignInAttempt.account) == account, col(SignInAttempt.network) == network)
    )
