"""Somebody is no contact any more, and another takes over: what goes, what stays, who is told. Never commits.

The organisations and projects that are chosen go to the successor, and the questions about them that wait for an
answer. Everything that was sent, asked and answered stays under the name of who did it. No way leads to the person any
more, none of their links opens anything, and their addresses are free: an address that is kept for history would stop
whoever has that mailbox next.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from delivery.links import Links
from delivery.outbox import queue, queue_to
from delivery.words import Words
from facts.languages import N_, Language, speaking
from intake.delegation import dissolve, fitted
from intake.invitations import invite, revoke
from registry.people import read_email, read_name
from registry.referents import TAKEN_EMAIL
from registry.report import RegistryRefused
from storage import access, audit, delegations, handing_over, invitations, people, reply_addresses
from storage.handing_over import Load
from storage.tables import Address, Audience, Channel, Message, OutboxKind, Question, Referent

NOT_A_COLLEAGUE = N_("Choose somebody of the same organisation, or write who is new.")
NOTHING_CHOSEN = N_("Choose at least one organisation or project that goes over.")


class NotThere(LookupError):
    """There is no such person, or no more."""


class InField(RegistryRefused):
    """A refusal that knows which field it is about."""

    def __init__(self, field: str, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)
        self.field = field


@dataclass(frozen=True, slots=True)
class Taking:
    """Who takes over, and what: a referent who is here, or (`successor_id` None) somebody new."""

    successor_id: int | None
    name: str
    email: str
    organization_ids: Collection[int]
    project_ids: Collection[int]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen, for the page that asks whether it should."""

    successor: str
    organizations: tuple[str, ...]
    projects: tuple[str, ...]
    left: tuple[str, ...]
    obligations: int
    questions: tuple[int, ...]
    staying: tuple[int, ...]


def look(session: Session, referent_id: int, taking: Taking) -> Preview:
    """Raises NotThere, or InField with its sentence; changes nothing."""
    leaver = _leaver(session, referent_id)
    load = _fit(session, leaver, taking)
    moving, staying = _questions(load, taking)
    left = [one.name for one in load.organizations if one.id not in taking.organization_ids]
    left += [one.title for one in load.projects if one.id not in taking.project_ids]
    return Preview(
        _name_of(session, leaver, taking),
        tuple(one.name for one in load.organizations if one.id in taking.organization_ids),
        tuple(one.title for one in load.projects if one.id in taking.project_ids),
        tuple(left),
        handing_over.open_obligations(session, referent_id, taking.organization_ids, taking.project_ids),
        tuple(one.id for one in moving),
        tuple(one.id for one in staying),
    )


def hand_over(session: Session, referent_id: int, taking: Taking, *, links: Links, by: int, now: datetime) -> Referent:
    """The successor. Raises NotThere (also when a colleague was quicker), or InField with its sentence."""
    leaver = _leaver(session, referent_id)
    load = _fit(session, leaver, taking)
    _name_of(session, leaver, taking)
    if not handing_over.mark_left(session, referent_id, now):
        raise NotThere(referent_id)
    ways, language = people.reachable_addresses(session, referent_id), Language(leaver.language)
    _close_ways(session, referent_id, by, now)
    successor = _successor(session, taking, language, by, now)
    _end_absences(session, leaver, successor, by, now)
    handing_over.put_successor(session, referent_id, successor.id)
    with fitted(session, successor.id, now, by=("staff", by)):
        handing_over.move_organizations(session, referent_id, successor.id, taking.organization_ids)
        handing_over.move_projects(session, referent_id, successor.id, taking.project_ids)
    moving, staying = _questions(load, taking)
    for one in moving:
        _move_question(session, one, leaver, successor, by, now)
    for one in staying:
        _say_in_thread(session, one, _stays(leaver), by, now)
    last = ways.get(Channel.EMAIL) or next(iter(ways.values()), None)
    if last is not None:
        _farewell(session, leaver, successor, (last.channel, last.value), now)
    _welcome(session, leaver, successor, links, by, now)
    audit.record(
        session,
        now,
        ("staff", by),
        "referent.hand-over",
        ("referent", referent_id),
        successor=successor.id,
        organizations=sorted(one.id for one in load.organizations),
        projects=sorted(one.id for one in load.projects),
        went_over={"organizations": sorted(taking.organization_ids), "projects": sorted(taking.project_ids)},
        questions=[one.id for one in moving],
    )
    return successor


# --- whether it may be


def _leaver(session: Session, referent_id: int) -> Referent:
    leaver = session.get(Referent, referent_id)
    if leaver is None or not people.is_here(leaver):
        raise NotThere(referent_id)
    return leaver


def _fit(session: Session, leaver: Referent, taking: Taking) -> Load:
    """What the leaver has. NotThere when something is chosen that is not theirs."""
    load = handing_over.load_of(session, leaver.id)
    theirs = {one.id for one in load.organizations}, {one.id for one in load.projects}
    if not (set(taking.organization_ids) <= theirs[0] and set(taking.project_ids) <= theirs[1]):
        raise NotThere(leaver.id)
    if any(theirs) and not (taking.organization_ids or taking.project_ids):
        raise InField("what", NOTHING_CHOSEN)
    return load


def _name_of(session: Session, leaver: Referent, taking: Taking) -> str:
    """The successor's name, when they can be that."""
    if taking.successor_id is not None:
        known = {one.id: one.name for one in handing_over.colleagues(session, leaver.id)}
        if taking.successor_id not in known:
            raise InField("successor", NOT_A_COLLEAGUE)
        return known[taking.successor_id]
    try:
        name = read_name(taking.name)
    except RegistryRefused as error:
        raise InField("name", error.sentence, **error.values) from error
    try:
        email = read_email(taking.email)
    except RegistryRefused as error:
        raise InField("email", error.sentence, **error.values) from error
    owner = people.referent_at(session, Channel.EMAIL, email)
    if owner is not None and owner.id != leaver.id:  # the mailbox of an office passes from one to the next
        raise InField("email", TAKEN_EMAIL, email=email, name=owner.name)
    return name


def _questions(load: Load, taking: Taking) -> tuple[list[Question], list[Question]]:
    """Those that go over, and those about projects that do not: who takes over is not to read these."""
    moving = [one for one in load.questions if one.project_id is None or one.project_id in taking.project_ids]
    return moving, [one for one in load.questions if one not in moving]


# --- doing it


def _close_ways(session: Session, referent_id: int, by: int, now: datetime) -> None:
    for chat in handing_over.chats_of(session, referent_id):
        access.cancel_requests(session, chat, now)
    handing_over.drop_waiting(session, referent_id, now)
    invitations.cancel_drafts(session, referent_id, now)
    revoke(session, referent_id, now, by=by)
    people.revoke_personal_links(session, referent_id, now)
    reply_addresses.revoke_all(session, referent_id, now)
    handing_over.close_addresses(session, referent_id)


def _successor(session: Session, taking: Taking, language: Language, by: int, now: datetime) -> Referent:
    if taking.successor_id is not None:
        return session.get_one(Referent, taking.successor_id)
    successor = Referent(name=read_name(taking.name), language=language.value, created_at=now)
    session.add(successor)
    session.flush()
    email = read_email(taking.email)
    session.add(Address(referent_id=successor.id, channel=Channel.EMAIL, value=email, created_at=now))
    session.flush()
    audit.record(session, now, ("staff", by), "referent.add", ("referent", successor.id))
    return successor


def _end_absences(session: Session, leaver: Referent, successor: Referent, by: int, now: datetime) -> None:
    """Who is away and whose substitute leaves is reminded again; who stood in for the leaver stands in no more."""
    for held in delegations.held_with(session, leaver.id):
        dissolve(session, held, leaver.id, now, by=("staff", by))
        if held.referent_id == leaver.id and held.substitute_id != successor.id:
            _thank_substitute(session, leaver, held.substitute_id, held.id, now)


def _move_question(
    session: Session, question: Question, leaver: Referent, successor: Referent, by: int, now: datetime
) -> None:
    if handing_over.move_question(session, question.id, leaver.id, successor.id):
        _say_in_thread(session, question, _goes(leaver, successor), by, now)


def _goes(leaver: Referent, successor: Referent) -> str:
    _ = speaking(Language.IT)  # staff's language, as every note
    said = _("{name} is no contact any more. This question has gone over to {successor}.", **_names(leaver, successor))
    return f"{said} {_('The answer goes to them.')}"


def _stays(leaver: Referent) -> str:
    _ = speaking(Language.IT)
    return _(
        "{name} is no contact any more, and nobody has taken over this project: no answer arrives.", **_names(leaver)
    )


def _names(leaver: Referent, successor: Referent | None = None) -> dict[str, str]:
    return {"name": leaver.name} | ({"successor": successor.name} if successor else {})


def _say_in_thread(session: Session, question: Question, text: str, by: int, now: datetime) -> None:
    session.add(
        Message(
            question_id=question.id,
            audience=Audience.STAFF,
            staff_id=by,
            text=text,
            channel=question.channel,
            created_at=now,
        )
    )
    session.flush()


# --- who is told


def _farewell(session: Session, leaver: Referent, successor: Referent, way: tuple[Channel, str], now: datetime) -> None:
    """In nobody's name: a mail to a referent brings a key to their page, and a reply would be taken for theirs."""
    _ = speaking(Language(leaver.language), html=True)
    office = people.the_office(session)
    contacts = ", ".join(part for part in (office.name, office.phone, office.email) if part)
    parts = [
        _("Hello {name},", name=leaver.name.split()[0]),
        _("you are no longer our contact: from today on it is {successor}.", successor=successor.name),
        _("You get no more reminders, and your links and your chat with us no longer open anything. Thank you!"),
        _("If this is a mistake, tell the office: {contacts}", contacts=contacts),
    ]
    subject = speaking(Language(leaver.language))(N_("You are no longer our contact"))
    queue(
        session,
        Words("\n\n".join(parts), subject=subject),
        kind=OutboxKind.NOTICE,
        channel=way[0],
        address=way[1],
        now=now,
        dedupe_key=f"farewell:{leaver.id}",
    )


def _welcome(session: Session, leaver: Referent, successor: Referent, links: Links, by: int, now: datetime) -> None:
    """Who is not in yet is invited; who is, is told whose work is theirs now."""
    if Channel.TELEGRAM not in people.reachable_addresses(session, successor.id):
        invite(session, successor.id, now, links, by=by)
    _ = speaking(Language(successor.language), html=True)
    said = _(
        "You take over from <b>{name}</b>: their projects, deadlines and open questions are yours now.",
        name=leaver.name,
    )
    _tell(session, successor, said, f"takes-over:{leaver.id}", now)


def _thank_substitute(session: Session, leaver: Referent, substitute_id: int, held_id: int, now: datetime) -> None:
    substitute = session.get_one(Referent, substitute_id)
    _ = speaking(Language(substitute.language), html=True)
    said = _("You no longer stand in for <b>{name}</b>, who is no contact any more. Thank you!", name=leaver.name)
    _tell(session, substitute, said, f"delegation:{held_id}:gone", now)


def _tell(session: Session, reader: Referent, said: str, key: str, now: datetime) -> None:
    subject = speaking(Language(reader.language))(N_("Who follows which projects"))
    queue_to(session, reader.id, Words(said, subject), kind=OutboxKind.NOTICE, now=now, dedupe_key=key)
