"""Before something that matters is changed: is it really they? Asks the present password or a code; keeps nothing.

Guesses are counted as at the sign-in: a browser left open is no place to try passwords.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import Request

from desk import second_factor, security
from desk.house import DeskHouse
from desk.pages import speaker
from desk.security import SignedIn
from storage import audit
from storage import staff as accounts
from storage.tables import Staff


def too_many(request: Request, house: DeskHouse, again_at: datetime) -> str:
    _ = speaker(request)
    return _("Too many attempts from here. You can try again at {time}.", time=_hour(house, again_at))


def _hour(house: DeskHouse, instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo(house.zone)):%H:%M}"


def proven(request: Request, house: DeskHouse, signed: SignedIn, text: str) -> str:
    """What is wrong; nothing when `text` is a code of theirs, or, without a second factor, their password."""
    with house.database.read() as session:
        person = session.get_one(Staff, signed.staff_id)
    if not second_factor.counts(person):
        return password_proven(request, house, signed, text)
    with house.database.write() as session:
        person = session.get_one(Staff, signed.staff_id)
        tried = second_factor.try_code(session, person, text, security.network_of(request), house.clock())
    return said_of(request, house, tried)


def said_of(request: Request, house: DeskHouse, tried: second_factor.Tried) -> str:
    """What is wrong with a code, in words; nothing when it opened."""
    _ = speaker(request)
    if tried.again_at is not None and tried.everywhere:
        time = _hour(house, tried.again_at)
        return _("Too many wrong codes for this account. Use a recovery code, or try again at {time}.", time=time)
    if tried.again_at is not None:
        return too_many(request, house, tried.again_at)
    return "" if tried.proof else _("This code is not right, or it was used before. Wait for the next one.")


def password_proven(request: Request, house: DeskHouse, signed: SignedIn, password: str) -> str:
    """What is wrong; nothing when it is their present password."""
    network, now = security.network_of(request), house.clock()
    with house.database.write() as session:
        person = session.get_one(Staff, signed.staff_id)
        again_at = security.note_guess(session, person.email, network, now)
        kept = person.password_hash
    if again_at is not None:
        return too_many(request, house, again_at)
    # Between two transactions: hashing takes a while, on purpose, and the one writer must not wait for it.
    fits = security.password_fits(kept, password[: security.PASSWORD_MOST + 1])
    with house.database.write() as session:
        if fits:
            accounts.forget_failures(session, signed.email, network)
            return ""
        audit.record(session, now, ("staff", signed.staff_id), "staff.password-refused", ("staff", signed.staff_id))
    _ = speaker(request)
    return _("This is not your present password.")
