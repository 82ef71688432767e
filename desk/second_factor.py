"""The second factor: codes that an app shows (RFC 6238) and recovery codes. Each opens once. Shows no page.

A code is good half a minute before and after its own, for clocks that are not quite right. Guesses are counted like
those of passwords; beyond that, of one account no more than 20 codes are tried in 15 minutes, wherever they come from.
Recovery codes open even then: they cannot be guessed, so nobody is locked out.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyotp
import segno
from markupsafe import Markup
from sqlmodel import Session

from desk import account_letters as letters
from desk import security
from storage import audit
from storage import second_factors as factors
from storage import staff as accounts
from storage.tables import Staff
from storage.tokens import token_hash

ISSUER = "Raccordo"
STEP = 30  # seconds
DIGITS = 6
CODES = 10
CODE_BYTES = 15  # 120 bits: 24 letters
GROUP = 4
CODES_OF_ACCOUNT = 20
WRONG_TOLD = 5  # after so many wrong codes its owner is told that somebody has the password


class Proof(StrEnum):
    """By what somebody has shown that it is they."""

    CODE = "code"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a code: `proof` when it opened; `again_at` when too many were tried; else it was wrong.

    `everywhere`: too many of this account, from whatever network; a recovery code still opens.
    """

    proof: Proof | None = None
    again_at: datetime | None = None
    everywhere: bool = False


# --- secrets and codes


def new_secret() -> str:
    """160 bits in base32, as RFC 4226 §4 recommends."""
    return pyotp.random_base32()


def picture(secret: str, email: str) -> Markup:
    """The QR code that an app reads, as SVG."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return Markup(segno.make(uri, error="m").svg_inline(scale=4, border=4, light="#fff", svgclass="qr"))  # noqa: S704 - ours


def in_groups(text: str, separator: str = " ") -> str:
    """So that a person can copy it: `abcd efgh`."""
    return separator.join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """To which half minute (since 1970) this code belongs, near now; None when it is wrong."""
    here = int(now.timestamp()) // STEP
    # By the counter, not by pyotp's own clock: that goes through local time, where one hour of October comes twice.
    shown = pyotp.HOTP(secret, digits=DIGITS)
    fitting = [
        step for step in (here - 1, here, here + 1) if hmac.compare_digest(shown.at(step).encode(), code.encode())
    ]
    return max(fitting, default=None)


def bare(text: str) -> str:
    """What was typed, without the blanks and dashes in it."""
    return "".join(one for one in text if one.isalnum())[:100]


def counts(person: Staff) -> bool:
    """Whether this person signs in with a second factor."""
    return person.second_factor_since is not None


# --- trying


def attempt_key(person: Staff) -> str:
    """Under which guesses of codes are counted: the right password must not wipe them out."""
    return f"factor:{person.id}"


def try_code(session: Session, person: Staff, text: str, network: str, now: datetime) -> Tried:
    """Tries a code, or a recovery code, of this person and uses it up. Counts, logs, and tells them what matters."""
    key = attempt_key(person)
    again_at = security.note_guess(session, key, network, now)
    if again_at is not None:
        return Tried(again_at=again_at)
    accounts.one_at_a_time(session, key)  # the ceiling below holds for all networks together
    typed = bare(text)
    if typed.isdigit() and len(typed) == DIGITS:
        return _try_app(session, person, typed, network, now)
    if not factors.use_code(session, person.id, token_hash(typed), now):
        return _wrong(session, person, now)
    accounts.forget_failures(session, key, network)
    left = factors.codes_left(session, person.id)
    audit.record(session, now, ("staff", person.id), "staff.recovery-used", ("staff", person.id), left=left)
    letters.tell(session, person, letters.RECOVERY_USED, now, left=left)
    return Tried(Proof.RECOVERY)


def _try_app(session: Session, person: Staff, code: str, network: str, now: datetime) -> Tried:
    key = attempt_key(person)
    count, first = accounts.failures_of(session, key, now - security.WINDOW)
    if count > CODES_OF_ACCOUNT and first is not None:
        return Tried(again_at=first + security.WINDOW, everywhere=True)
    step = step_of(person.second_factor, code, now)
    if step is None or not factors.take_step(session, person.id, step, since=person.second_factor_since):
        return _wrong(session, person, now)
    accounts.forget_failures(session, key, network)
    return Tried(Proof.CODE)


def _wrong(session: Session, person: Staff, now: datetime) -> Tried:
    audit.record(session, now, ("browser", None), "staff.code-failed", ("staff", person.id))
    count, _ = accounts.failures_of(session, attempt_key(person), now - security.WINDOW)
    if count == WRONG_TOLD:
        letters.tell(session, person, letters.WRONG_CODES, now, n=count)
    return Tried()


# --- setting and taking away


def set_factor(session: Session, person: Staff, secret: str, step: int, now: datetime) -> list[str] | None:
    """From now on this secret counts. The recovery codes, to be shown once; None when somebody was quicker."""
    if not factors.keep_factor(session, person.id, secret, step, now, instead_of=person.second_factor_since):
        return None
    audit.record(session, now, ("staff", person.id), "staff.factor-set", ("staff", person.id))
    letters.tell(session, person, letters.FACTOR_SET, now)
    return _codes(session, person.id, now)


def new_codes(session: Session, person: Staff, now: datetime) -> list[str]:
    """Ten new recovery codes, to be shown once; the earlier ones open no more."""
    audit.record(session, now, ("staff", person.id), "staff.recovery-new", ("staff", person.id))
    letters.tell(session, person, letters.RECOVERY_NEW, now)
    return _codes(session, person.id, now)


def remove_factor(session: Session, person: Staff, now: datetime) -> bool:
    """By its owner, who has just proved it. False when there is none."""
    if not factors.clear_factor(session, person.id):
        return False
    audit.record(session, now, ("staff", person.id), "staff.factor-removed", ("staff", person.id))
    letters.tell(session, person, letters.FACTOR_REMOVED, now)
    return True


def reset_factor(session: Session, person: Staff, now: datetime, *, by: int | None) -> bool:
    """Takes a colleague's second factor away and signs them out everywhere. `by`: who; None: the command line."""
    if not factors.clear_factor(session, person.id):
        return False
    accounts.end_sessions_of(session, person.id, now)
    actor = ("system", None) if by is None else ("staff", by)
    audit.record(session, now, actor, "staff.factor-reset", ("staff", person.id))
    letters.tell(session, person, letters.FACTOR_RESET, now)
    return True


def _codes(session: Session, staff_id: int, now: datetime) -> list[str]:
    codes = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES)]
    factors.keep_codes(session, staff_id, [token_hash(code) for code in codes], now)
    return [in_groups(code, "-") for code in codes]
