"""Between password (or provider) and code: a browser whose owner has shown the first alone. It opens no page.

A signed value in a cookie of its own, good for ten minutes and only while password, second factor and the provider's
subject stay the same.
It is no session: no page but the one that asks the code looks at it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from itsdangerous import BadData, URLSafeSerializer
from sqlmodel import Session
from starlette.responses import Response

from desk import second_factor, security
from desk.house import DeskHouse
from storage.tables import Staff

LASTS = timedelta(minutes=10)


def cookie(house: DeskHouse) -> str:
    return "__Host-raccordo_half" if house.secure else "raccordo_half"


@dataclass(frozen=True, slots=True)
class Half:
    """Who it is, by the first factor. `subject`: the provider's, to open the account once the code is right."""

    person: Staff
    subject: str


def remember(house: DeskHouse, response: Response, person: Staff, now: datetime, *, subject: str = "") -> None:
    """This browser's owner has shown the first factor of `person`."""
    value = _signer(house).dumps([person.id, subject, _mark(person), int(now.timestamp())])
    security.set_cookie(house, response, cookie(house), value, seconds=int(LASTS.total_seconds()))


def forget(house: DeskHouse, response: Response) -> None:
    security.drop_cookie(house, response, cookie(house))


def whose(request: Request, house: DeskHouse, session: Session) -> Half | None:
    """Whose first factor was shown here; None when it was not, too long ago, or something changed since."""
    try:
        staff_id, subject, mark, at = _signer(house).loads(request.cookies.get(cookie(house)) or "")
    except (BadData, ValueError, TypeError):
        return None
    if not 0 <= house.clock().timestamp() - at < LASTS.total_seconds() + 1:
        return None
    person = session.get(Staff, staff_id)
    if person is None or not person.active or not second_factor.counts(person):
        return None
    return Half(person, subject) if hmac.compare_digest(mark, _mark(person)) else None


def _signer(house: DeskHouse) -> URLSafeSerializer:
    return URLSafeSerializer(house.secret_key, salt="raccordo.desk.half-signed")


def _mark(person: Staff) -> str:
    # Bound to both factors: when one changes, whoever stands between them begins again.
    kept = f"{person.email}|{person.password_hash}|{person.second_factor_since}|{person.oidc_subject}"
    return hashlib.sha256(kept.encode()).hexdigest()[:24]
