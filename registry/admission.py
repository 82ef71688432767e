"""The desk's part of a request for access: lets a person in, links what they asked for, or says no and why.

Who may do so, the desk checks. Two officers at once: the second is told who was first. What is asked of people in
the chat is in `intake/access.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from delivery.callbacks import ASK_FOR_ACCESS, MENU, UPDATE
from delivery.doors import open_again
from delivery.outbox import queue, queue_to
from delivery.words import Button, Words
from facts.languages import N_, Language, speaking
from intake.invitations import link_chat
from registry.referents import TAKEN_EMAIL, Person, Registrar
from registry.report import RegistryRefused
from storage import access, audit, people
from storage.tables import AccessRequest, AccessState, Address, Channel, OutboxKind, Referent, Staff

LONGEST_REASON = 500

ALREADY_DECIDED = N_("{name} has decided this request in the meantime. Look again at how it stands.")
GONE = N_("This request does not wait any more: it was withdrawn, or the person got in with an invitation.")
CHAT_TAKEN = N_("The chat of this request belongs to {name} by now. Refuse it, or ask them.")
NO_REASON = N_("Say why: the person reads it.")
LONG_REASON = N_("The reason is too long: keep it within {n} characters.")
NOBODY = N_("This person is not here any more. Choose again.")


class NoSuchRequest(LookupError):
    """There is no request with this number."""


class Overtaken(RegistryRefused):
    """Decided by a colleague, or withdrawn, a moment before."""


@dataclass(frozen=True, slots=True)
class Admission:
    """As whom the person is let in, and for what. `referent_id`: somebody known; None: a new person called `name`.

    `cups`: the projects they follow; none: all of the organisation's.
    """

    name: str
    organization: str
    role: str = ""
    cups: Sequence[str] = ()
    new_actor: bool = False
    referent_id: int | None = None


def approve(
    session: Session, request_id: int, admission: Admission, *, revision: int, by: int, now: datetime
) -> Referent:
    """Registers or finds the person, links chat, address, organisation and projects, and tells them.

    Raises RegistryRefused (with its field, when there is one), Overtaken, NoSuchRequest; the caller rolls back.
    """
    request = _decide(session, request_id, AccessState.APPROVED, revision=revision, by=by, now=now)
    stranger = request.referent_id is None
    referent = _register(session, request, admission, by, now)
    if stranger:
        _keep_address(session, request, referent, now)
        _link(session, request, referent, now)
    request.referent_id = referent.id
    session.add(request)
    session.flush()
    _welcome(session, request, referent, now, stranger=stranger)
    detail = {"referent": referent.id, "known": admission.referent_id is not None or not stranger}
    audit.record(session, now, ("staff", by), "access.approve", ("access-request", request.id), **detail)
    return referent


def refuse(session: Session, request_id: int, reason: str, *, revision: int, by: int, now: datetime) -> None:
    """Says no in the chat, with the reason. Raises RegistryRefused, Overtaken, NoSuchRequest."""
    reason = " ".join(reason.split())
    if not reason:
        raise RegistryRefused(NO_REASON)
    if len(reason) > LONGEST_REASON:
        raise RegistryRefused(LONG_REASON, n=LONGEST_REASON)
    request = _decide(session, request_id, AccessState.REFUSED, revision=revision, by=by, now=now)
    request.reason = reason
    session.add(request)
    session.flush()
    _say_no(session, request, now)
    audit.record(session, now, ("staff", by), "access.refuse", ("access-request", request.id))


def _decide(
    session: Session, request_id: int, state: AccessState, *, revision: int, by: int, now: datetime
) -> AccessRequest:
    waiting = (AccessState.WAITING,)
    values = {"state": state, "decided_by": by, "decided_at": now}
    changed = access.change_request(session, request_id, revision, waiting, now, **values)
    request = access.find_request(session, request_id)
    if request is None:
        raise NoSuchRequest(request_id)
    if not changed:
        colleague = None if request.decided_by is None else session.get(Staff, request.decided_by)
        raise Overtaken(GONE) if colleague is None else Overtaken(ALREADY_DECIDED, name=colleague.name)
    return request


def _register(session: Session, request: AccessRequest, admission: Admission, by: int, now: datetime) -> Referent:
    registrar = Registrar(session, now, ("staff", by))
    person = Person(
        name=admission.name,
        email=request.email,
        organization=admission.organization,
        role=admission.role,
        cups=admission.cups,
        language=request.language,
    )
    if admission.new_actor:
        person["new_actor"] = True
    known = request.referent_id or admission.referent_id
    if known is None:
        return registrar.register(person).referent
    referent = session.get(Referent, known)
    if referent is None:
        raise RegistryRefused(NOBODY)
    registrar.join(referent, person)
    return referent


def _keep_address(session: Session, request: AccessRequest, referent: Referent, now: datetime) -> None:
    """The mailbox is theirs: they have read the code there."""
    owner = people.referent_at(session, Channel.EMAIL, request.email)
    if owner is not None and owner.id != referent.id:
        raise RegistryRefused(TAKEN_EMAIL, email=request.email, name=owner.name)
    if owner is None:
        session.add(Address(referent_id=referent.id, channel=Channel.EMAIL, value=request.email, created_at=now))
        session.flush()
    people.mark_verified(session, Channel.EMAIL, request.email, now)
    open_again(session, Channel.EMAIL, request.email, now)


def _link(session: Session, request: AccessRequest, referent: Referent, now: datetime) -> None:
    holder = people.referent_at(session, Channel.TELEGRAM, request.chat)
    if holder is not None and holder.id != referent.id:
        raise RegistryRefused(CHAT_TAKEN, name=holder.name)
    link_chat(session, referent.id, request.chat, now)


# --- what the person is told


def _welcome(session: Session, request: AccessRequest, referent: Referent, now: datetime, *, stranger: bool) -> None:
    language = Language(referent.language)
    _, plain = speaking(language, html=True), speaking(language)
    organizations = ", ".join(one.name for one in people.organizations_of(session, referent.id))
    followed = len(people.projects_of(session, referent.id))
    parts = [
        _("✅ {name}, the office has said yes.", name=referent.name)
        + " "
        + (_("This chat is now yours.") if stranger else ""),
        _("You are with us for {organizations}.", organizations=organizations),
        _.ngettext("You follow one project.", "You follow {n} projects.", followed)
        if followed
        else _("You follow no project yet: the office adds them when there are some."),
    ]
    rows = ((Button(plain(N_("📝 Update a project")), data=UPDATE),), (Button(plain(N_("Menu")), data=MENU),))
    queue_to(
        session,
        referent.id,
        Words("\n\n".join(part.strip() for part in parts), plain(N_("The office has said yes")), rows),
        kind=OutboxKind.NOTICE,
        now=now,
        dedupe_key=f"admitted:{request.id}",
    )


def _say_no(session: Session, request: AccessRequest, now: datetime) -> None:
    language = Language(request.language)
    _, plain = speaking(language, html=True), speaking(language)
    office = people.the_office(session)
    contacts = ", ".join(part for part in (office.name, office.phone, office.email) if part)
    parts = [
        _("The office could not accept your request for access."),
        _("Why: <i>{reason}</i>", reason=request.reason),
        _("For questions: {contacts}", contacts=contacts),
    ]
    words = Words("\n\n".join(parts), plain(N_("Your request for access")))
    if request.referent_id is not None:
        queue_to(
            session,
            request.referent_id,
            words,
            kind=OutboxKind.NOTICE,
            now=now,
            dedupe_key=f"refused:{request.id}",
        )
        return
    again = Button(plain(N_("Ask for access")), data=ASK_FOR_ACCESS)
    queue(
        session,
        Words(words.html, words.subject, ((again,),)),
        kind=OutboxKind.NOTICE,
        channel=Channel.TELEGRAM,
        address=request.chat,
        now=now,
        dedupe_key=f"refused:{request.id}",
    )
