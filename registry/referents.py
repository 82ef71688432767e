"""Registers referents, one by one or from a file: who, for whom, which projects. Never invites; never commits."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NotRequired, TypedDict, TypeVar, Unpack

from sqlmodel import Session

from facts.codes import InvalidCode, read_cup
from facts.folding import fold
from facts.languages import N_
from intake.delegation import fitted
from registry.columns import REFERENTS
from registry.organizations import directory
from registry.people import read_email, read_language, read_name, read_phone
from registry.report import EMPTY_CELL, ImportReport, Progress, RegistryRefused
from registry.sheets import Row, Source, read_rows
from storage import audit, people
from storage.projects import add_organizations, follow, projects_by_cup, projects_of_organization
from storage.tables import Address, Channel, Membership, Organization, OrganizationKind, Referent

UNKNOWN_ORGANIZATION = N_("No organisation is called {found}.")
LIKELY_ORGANIZATION = N_("No organisation is called {found}. Perhaps {suggestion}?")
NEW_ORGANIZATION = N_(
    "No organisation is called {found}. If it is a new actor, write yes in the column «altro attore»."
)
TAKEN_EMAIL = N_("{email} is already the address of {name}.")
SAME_ROW = N_("{email} is already in row {first}, for the same organisation.")
UNKNOWN_CUP = N_("No project has the CUP {cup}.")
WRONG_CUP = N_("{cup} is not a CUP.")
LIKELY_CUP = N_("{cup} is not a CUP. Perhaps {suggestion}?")
ELSEWHERE_CUP = N_("The project {cup} is not one of {organization}.")
SHARED_PHONE = N_("Row {row}: the phone number is already that of somebody else and was left out.")
UNKNOWN_SUBSTITUTE = N_("Nobody here has the address {email}. Register the substitute first.")
OWN_SUBSTITUTE = N_("{name} cannot be their own substitute.")
OTHER_PEC = N_("Row {row}: {organization} has another PEC already, which was kept.")

T = TypeVar("T")

YES = frozenset({"si", "yes", "x", "1", "vero", "true"})


class Person(TypedDict):
    """What is known about a referent to register. `organization` is a name or an ISTAT code.

    Without `cups` they follow every project of the organisation. `new_actor`: make the organisation when unknown.
    `substitute` is the e-mail of another referent, who is reminded when nothing reaches this one; "" changes nothing.
    `pec` is the certified mailbox of the organisation, `own_pec` that of this person: who writes from it is them.
    """

    name: str
    email: str
    organization: str
    cups: NotRequired[Sequence[str]]
    role: NotRequired[str]
    language: NotRequired[str]
    phone: NotRequired[str]
    pec: NotRequired[str]
    own_pec: NotRequired[str]
    new_actor: NotRequired[bool]
    substitute: NotRequired[str]


class Outcome(Enum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Registered:
    referent: Referent
    organization: Organization
    outcome: Outcome
    phone_left_out: bool = False
    pec_left_out: bool = False


def add_referent(
    session: Session,
    *,
    now: datetime,
    actor: tuple[str, int | None] = ("system", None),
    **person: Unpack[Person],
) -> Referent:
    """Registers a new referent.

    Raises RegistryRefused: a field that cannot be read, an address already in use, a substitute who is unknown or
    the same person. A refusal leaves nothing behind.
    """
    email = read_email(person["email"])
    owner = people.referent_at(session, Channel.EMAIL, email)
    if owner is not None:
        raise RegistryRefused(TAKEN_EMAIL, email=email, name=owner.name)
    with session.begin_nested():  # the substitute may be refused when the person is written already
        registrar = Registrar(session, now, actor)
        referent = registrar.register(person).referent
        registrar.substitute(referent, person.get("substitute", ""))
    return referent


def add_pec(session: Session, referent: Referent, text: str, *, now: datetime, actor: tuple[str, int | None]) -> str:
    """Their own certified mailbox: who writes from it is them. RegistryRefused when it is none, or somebody else's."""
    pec = read_email(text)
    if Registrar(session, now, actor).keep_own_pec(referent, pec):
        audit.record(session, now, actor, "referent.pec", ("referent", referent.id))
    return pec


def import_referents(
    session: Session,
    source: Source,
    *,
    now: datetime,
    progress: Progress | None = None,
    dry_run: bool = False,
    actor: tuple[str, int | None] = ("system", None),
) -> ImportReport:
    """Reads a CSV or Excel file of people. With errors in the report nothing was written.

    The same address and name on several rows, or registered before, is one person with several organisations.
    """
    report = ImportReport(dry_run=dry_run)
    with session.begin_nested() as attempt:
        registrar = Registrar(session, now, actor)
        seen: dict[tuple[str, int], int] = {}
        to_link: list[tuple[Row, Registered]] = []
        for row in read_rows(source, REFERENTS, report):
            report.read_one(progress)
            done = _take(row, registrar, report, seen)
            if done is not None and row["substitute"]:
                to_link.append((row, done))
        for row, done in to_link:  # only now: a substitute may stand further down in the file
            _link(row, done, registrar, report)
        if dry_run or not report.ok:
            attempt.rollback()
    return report


def _take(
    row: Row, registrar: "Registrar", report: ImportReport, seen: dict[tuple[str, int], int]
) -> Registered | None:
    try:
        done = registrar.register(_person(row))
    except _InField as error:
        report.refuse(row.number, REFERENTS.header(error.field), error.sentence, **error.values)
        return None
    email = row["email"].lower()
    first = seen.setdefault((email, done.organization.id), row.number)
    if first != row.number:
        report.refuse(row.number, REFERENTS.header("email"), SAME_ROW, email=email, first=first)
    if done.phone_left_out:
        report.note(SHARED_PHONE, row=row.number)
    if done.pec_left_out:
        report.note(OTHER_PEC, row=row.number, organization=done.organization.name)
    setattr(report, done.outcome.value, getattr(report, done.outcome.value) + 1)
    return done


def _link(row: Row, done: Registered, registrar: "Registrar", report: ImportReport) -> None:
    try:
        changed = registrar.substitute(done.referent, row["substitute"])
    except _InField as error:
        report.refuse(row.number, REFERENTS.header(error.field), error.sentence, **error.values)
        return
    if changed and done.outcome is Outcome.UNCHANGED:
        report.unchanged -= 1
        report.changed += 1


def _person(row: Row) -> Person:
    return Person(
        name=row["name"],
        email=row["email"],
        organization=row["organization"],
        cups=re.split(r"[\s,;|]+", row["cups"]) if row["cups"] else (),
        role=row["role"],
        language=row["language"],
        phone=row["phone"],
        pec=row["pec"],
        own_pec=row["own_pec"],
        new_actor=fold(row["new_actor"]) in YES,
    )


class _InField(RegistryRefused):
    """A refusal that knows which field it is about."""

    def __init__(self, field: str, error: RegistryRefused) -> None:
        super().__init__(error.sentence, **error.values)
        self.field = field


class Registrar:
    """Registers several people with what must be known read once. Refusals are RegistryRefused and name their field."""

    def __init__(self, session: Session, now: datetime, actor: tuple[str, int | None]) -> None:
        self.session = session
        self.now = now
        self.actor = actor
        self.directory = directory(session)
        self.by_cup = projects_by_cup(session)

    def register(self, person: Person) -> Registered:
        """Makes the person, or adds an organisation and projects to one with the same address and name."""
        name = _field("name", read_name, person["name"])
        email = _field("email", read_email, person["email"])
        phone = _field("phone", read_phone, person.get("phone", ""))
        pec = _field("pec", read_email, person["pec"]) if person.get("pec") else ""
        own_pec = _field("own_pec", read_email, person["own_pec"]) if person.get("own_pec") else ""
        language = _field("language", read_language, person.get("language", ""))
        cups = [_field("cups", _read_cup, cup) for cup in person.get("cups", ()) if cup.strip()]
        organization = self._organization(person)
        projects = self._projects(cups, organization)
        referent = people.referent_at(self.session, Channel.EMAIL, email)
        if referent is not None and fold(referent.name) != fold(name):
            raise _InField("email", RegistryRefused(TAKEN_EMAIL, email=email, name=referent.name))
        known = referent is not None
        if referent is None:
            referent = self._add(Referent(name=name, language=language.value, created_at=self.now), email)
        changed = self._join(referent, organization, person.get("role", ""), projects)
        if own_pec and self.keep_own_pec(referent, own_pec):
            changed = True
        outcome = (Outcome.CHANGED if changed else Outcome.UNCHANGED) if known else Outcome.CREATED
        return Registered(
            referent,
            organization,
            outcome,
            phone_left_out=bool(phone) and not self._keep_phone(referent, phone),
            pec_left_out=bool(pec) and not self._keep_pec(organization, pec),
        )

    def join(self, referent: Referent, person: Person) -> Organization:
        """One more organisation, with projects, for somebody who is here; name and address are not looked at."""
        cups = [_field("cups", _read_cup, cup) for cup in person.get("cups", ()) if cup.strip()]
        organization = self._organization(person)
        if self._join(referent, organization, person.get("role", ""), self._projects(cups, organization)):
            detail = {"organization": organization.id}
            audit.record(self.session, self.now, self.actor, "referent.join", ("referent", referent.id), **detail)
        return organization

    def substitute(self, referent: Referent, text: str) -> bool:
        """Writes down who answers in their place; whether that was new. Nothing written keeps what was known."""
        if not text.strip():
            return False
        email = _field("substitute", read_email, text)
        other = people.referent_at(self.session, Channel.EMAIL, email)
        if other is None:
            raise _InField("substitute", RegistryRefused(UNKNOWN_SUBSTITUTE, email=email))
        if other.id == referent.id:
            raise _InField("substitute", RegistryRefused(OWN_SUBSTITUTE, name=referent.name))
        if referent.substitute_id == other.id:
            return False
        referent.substitute_id = other.id
        self.session.add(referent)
        self.session.flush()
        audit.record(self.session, self.now, self.actor, "referent.substitute", ("referent", referent.id))
        return True

    def _organization(self, person: Person) -> Organization:
        text = " ".join(person["organization"].split())
        if not text:
            raise _InField("organization", RegistryRefused(EMPTY_CELL))
        found = self.directory.find(text)
        if found is not None:
            return found
        if person.get("new_actor"):
            return self._new_actor(text)
        suggestion = self.directory.likely(text)
        if suggestion is not None:
            error = RegistryRefused(LIKELY_ORGANIZATION, found=text, suggestion=suggestion)
            raise _InField("organization", error)
        sentence = NEW_ORGANIZATION if "new_actor" in person else UNKNOWN_ORGANIZATION
        raise _InField("organization", RegistryRefused(sentence, found=text))

    def _new_actor(self, name: str) -> Organization:
        id_ = add_organizations(self.session, [{"kind": OrganizationKind.OTHER, "name": name}])[name]
        audit.record(self.session, self.now, self.actor, "organization.add", ("organization", id_))
        self.directory = directory(self.session)
        found = self.session.get(Organization, id_)
        assert found is not None
        return found

    def _projects(self, cups: Sequence[str], organization: Organization) -> list[int]:
        """Ids to follow. A municipality's referent reports on that municipality's projects only."""
        own = list(projects_of_organization(self.session, organization.id))
        if not cups:
            return own
        wanted: list[int] = []
        for cup in cups:
            ids = self.by_cup.get(cup)
            if ids is None:
                raise _InField("cups", RegistryRefused(UNKNOWN_CUP, cup=cup))
            if organization.kind is OrganizationKind.MUNICIPALITY:
                ids = [id_ for id_ in ids if id_ in own]
            if not ids:
                raise _InField("cups", RegistryRefused(ELSEWHERE_CUP, cup=cup, organization=organization.name))
            wanted += ids
        return wanted

    def _add(self, referent: Referent, email: str) -> Referent:
        self.session.add(referent)
        self.session.flush()
        self._add_address(referent, Channel.EMAIL, email)
        audit.record(self.session, self.now, self.actor, "referent.add", ("referent", referent.id))
        return referent

    def _add_address(self, referent: Referent, channel: Channel, value: str) -> None:
        self.session.add(Address(referent_id=referent.id, channel=channel, value=value, created_at=self.now))
        self.session.flush()

    def _join(self, referent: Referent, organization: Organization, role: str, projects: Sequence[int]) -> bool:
        """Puts them in the organisation and among the followers; whether anything was new."""
        with fitted(self.session, referent.id, self.now, by=self.actor):
            return self._put_in(referent, organization, role, projects)

    def _put_in(self, referent: Referent, organization: Organization, role: str, projects: Sequence[int]) -> bool:
        changed = follow(self.session, referent.id, projects, self.now) > 0
        membership = self.session.get(Membership, (referent.id, organization.id))
        role = " ".join(role.split())
        if membership is None:
            membership = Membership(referent_id=referent.id, organization_id=organization.id)
            changed = True
        if role and membership.role != role:
            membership.role, changed = role, True
        self.session.add(membership)
        self.session.flush()
        return changed

    def _keep_phone(self, referent: Referent, phone: str) -> bool:
        """An address belongs to one person; the number of a shared office is nobody's."""
        owner = people.referent_at(self.session, Channel.PHONE, phone)
        if owner is None:
            self._add_address(referent, Channel.PHONE, phone)
        return owner is None or owner.id == referent.id

    def keep_own_pec(self, referent: Referent, pec: str) -> bool:
        """Whether it was new. What comes from it is theirs: it is nobody else's."""
        owner = people.referent_at(self.session, Channel.PEC, pec)
        if owner is not None and owner.id != referent.id:
            raise _InField("own_pec", RegistryRefused(TAKEN_EMAIL, email=pec, name=owner.name))
        if owner is None:
            self._add_address(referent, Channel.PEC, pec)
        return owner is None

    def _keep_pec(self, organization: Organization, pec: str) -> bool:
        """A PEC is the organisation's. The first one known stays."""
        if organization.pec is None:
            organization.pec = pec
            self.session.add(organization)
            self.session.flush()
        return organization.pec == pec


def _field(name: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except RegistryRefused as error:
        raise _InField(name, error) from error


def _read_cup(text: str) -> str:
    try:
        return read_cup(text).value
    except InvalidCode as error:
        if error.suggestion is None:
            raise RegistryRefused(WRONG_CUP, cup=text) from error
        raise RegistryRefused(LIKELY_CUP, cup=text, suggestion=error.suggestion) from error
