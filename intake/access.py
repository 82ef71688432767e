"""Somebody asks to be let in: name, organisation, work e-mail, a code sent there; then the desk decides.

Identifies nobody, and never says whether an address is known. A request is a row, and what is still empty in it is
asked next. The desk's part is `registry/admission.py`; codes are in `intake/access_codes.py`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from facts.languages import N_, Language
from facts.mail_addresses import read_address
from intake import access_codes
from intake.refusal import NotTaken
from storage import access, audit, people
from storage.tables import AccessRequest, AccessState, Channel, Organization, Referent

LONGEST_NAME = 120
LONGEST_ORGANIZATION = 200
STAYS = timedelta(hours=1)  # how long a loose text of a known person still answers what they were asked
EMPTY: Mapping[str, Mapping[str, Any]] = {
    "name": {"name": ""},
    "organization": {"organization": "", "organization_id": None},
    "email": {"email": ""},
}
FILLING = (AccessState.ASKING, AccessState.CONFIRMING)


class Asked(StrEnum):
    """What a request needs next. SUMMARY: to be looked over and sent."""

    NAME = "name"
    ORGANIZATION = "organization"
    EMAIL = "email"
    SUMMARY = "summary"
    CODE = "code"
    NOTHING = "nothing"


class RequestMoved(Exception):
    """The request was changed by somebody else meanwhile; the worker tries again and sees where it is now."""


def asked_next(request: AccessRequest) -> Asked:
    """From what is still empty. Pure."""
    if request.state is AccessState.CONFIRMING:
        return Asked.CODE
    if request.state is not AccessState.ASKING:
        return Asked.NOTHING
    if not request.name:
        return Asked.NAME
    if not request.organization and request.organization_id is None:
        return Asked.ORGANIZATION
    if not request.email and request.referent_id is None:
        return Asked.EMAIL
    return Asked.SUMMARY


# --- the conversation


def begin(
    session: Session, chat: str, language: Language, now: datetime, *, referent: Referent | None = None
) -> AccessRequest:
    """The request of this chat, a new one when there is none. `referent`: who asks for one more organisation."""
    request = access.open_request(session, chat)
    if request is not None:
        return request
    request = AccessRequest(chat=chat, language=language, created_at=now, touched_at=now)
    if referent is not None:
        address = people.address_of(session, referent.id, Channel.EMAIL)
        request.referent_id, request.name = referent.id, referent.name
        request.email = address.value if address else ""
    session.add(request)
    session.flush()
    return request


def take_name(session: Session, request: AccessRequest, text: str, now: datetime) -> AccessRequest:
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME:
        raise NotTaken(N_("This is too long for a name: write only name and surname."))
    if len(name.split()) < 2 or not any(letter.isalpha() for letter in name) or "@" in name:
        raise NotTaken(N_("Please write both name and surname, for example Ada Esempio."))
    return _move(session, request, now, name=name)


def take_organization(
    session: Session, request: AccessRequest, organization: Organization, now: datetime
) -> AccessRequest:
    """One of those we know."""
    if request.referent_id is not None and _belongs(session, request.referent_id, organization.id):
        raise NotTaken(
            N_("You are already with us for {name}. If a project is missing, tell the office with /domanda."),
            name=organization.name,
        )
    return _move(session, request, now, organization_id=organization.id, organization="")


def take_other_organization(session: Session, request: AccessRequest, text: str, now: datetime) -> AccessRequest:
    """One that we do not know, as it was typed: the office will see which it is."""
    name = " ".join(text.split())
    if len(name) > LONGEST_ORGANIZATION or sum(letter.isalnum() for letter in name) < 2:
        raise NotTaken(N_("Please write the name of the municipality or of the organisation."))
    return _move(session, request, now, organization_id=None, organization=name)


def take_email(session: Session, request: AccessRequest, text: str, now: datetime) -> AccessRequest:
    address = read_address(text)
    if address is None:
        raise NotTaken(N_("This is not an e-mail address. Write it like nome.cognome@comune.esempio.it."))
    return _move(session, request, now, email=address)


def forget(session: Session, request: AccessRequest, what: Asked, now: datetime) -> AccessRequest:
    """Empties one answer, so that it is asked again; a code on its way is worth nothing any more."""
    kept = {message: one for message, one in request.sources.items() if one["asked"] != what}
    return _move(session, request, now, state=AccessState.ASKING, code_hash=None, sources=kept, **EMPTY[what])


def remember(session: Session, request: AccessRequest, message: str, asked: Asked, text: str) -> AccessRequest:
    """Which message of the chat answered what, also when it was not taken: people mend a slip by editing it.

    Not of a code: that is kept nowhere.
    """
    if not message or asked not in EMPTY:
        return request
    access.note_sources(session, request, request.sources | {message: {"asked": asked.value, "text": text}})
    noted = access.find_request(session, request.id)
    assert noted is not None
    return noted


def cancel(session: Session, request: AccessRequest, now: datetime) -> None:
    """They do not want it any more, also when it waits for the desk. Then what they wrote is not kept."""
    empty = {name: value for part in EMPTY.values() for name, value in part.items()} | {"sources": {}}
    _move(session, request, now, states=access.OPEN, state=AccessState.CANCELLED, code_hash=None, **empty)
    audit.record(session, now, _actor(request), "access.cancel", ("access-request", request.id))


def send(session: Session, request: AccessRequest, now: datetime) -> AccessRequest:
    """A known person's request goes to the desk: who they are is no question."""
    assert request.referent_id is not None, "strangers confirm a code"
    return _submit(session, request, now)


# --- the code


def send_code(session: Session, request: AccessRequest, now: datetime, key: bytes) -> AccessRequest:
    """Queues a mail with a new code; earlier ones open nothing any more. Raises NotTaken when there were too many."""
    assert request.email, "the caller has asked for it"
    access_codes.check_limits(session, request.chat, request.email, now)
    code_hash = access_codes.hash_of(access_codes.code_of(request.id, request.email, now, key), request.id, key)
    request = _move(session, request, now, state=AccessState.CONFIRMING, code_hash=code_hash, code_sent_at=now, tries=0)
    access_codes.queue_code(session, request, now)
    audit.record(session, now, _actor(request), access.CODE_SENT, ("access-request", request.id))
    return request


def confirm(session: Session, request: AccessRequest, text: str, now: datetime, key: bytes) -> AccessRequest:
    """The request goes to the desk when this is the code; else NotTaken, and a try is used up when it looked like one.

    The try is counted by the caller's commit: NotTaken must not undo it.
    """
    code = access_codes.read_code(text)
    if code is None:
        raise NotTaken(N_("The code has six digits: you find it in the e-mail."))
    if request.code_hash is None or request.tries >= access_codes.TRIES:
        raise NotTaken(N_("This code is used up: too many tries. Have another one sent."))
    if access_codes.is_too_old(request, now):
        raise NotTaken(N_("This code has expired: it is valid for {n} minutes. Have another one sent."), n=_minutes())
    if access_codes.fits(code, request, key):
        return _submit(session, request, now)
    request = _move(session, request, now, tries=request.tries + 1)
    left = access_codes.TRIES - request.tries
    if left <= 0:
        raise NotTaken(N_("This is not the code, and it was the last try. Have another one sent."))
    raise NotTaken(N_("This is not the code. Look again at the e-mail. Tries left: {n}."), n=left)


def _minutes() -> int:
    return int(access_codes.LASTS.total_seconds() // 60)


# --- changing


def _submit(session: Session, request: AccessRequest, now: datetime) -> AccessRequest:
    request = _move(session, request, now, state=AccessState.WAITING, code_hash=None)
    audit.record(session, now, _actor(request), "access.ask", ("access-request", request.id))
    return request


def _move(
    session: Session,
    request: AccessRequest,
    now: datetime,
    *,
    states: tuple[AccessState, ...] = FILLING,
    **values: Any,
) -> AccessRequest:
    if not access.change_request(session, request.id, request.revision, states, now, **values):
        raise RequestMoved(request.id)
    moved = access.find_request(session, request.id)
    assert moved is not None
    return moved


def _belongs(session: Session, referent_id: int, organization_id: int) -> bool:
    return any(one.id == organization_id for one in people.organizations_of(session, referent_id))


def _actor(request: AccessRequest) -> tuple[str, int | None]:
    return ("stranger", None) if request.referent_id is None else ("referent", request.referent_id)
