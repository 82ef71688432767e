"""What the demo shows: the real projects, invented people marked as examples. Writes rows, sends nothing itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from app.demo_circulars import show_circulars
from app.demo_knowledge import learn
from delivery.links import Links
from facts.calendar import add_working_days, local_date
from facts.recurrence import ONCE, monthly
from intake.catalogue import Catalogue
from intake.invitations import invite
from intake.questions import ask
from intake.updates import Concern, record_update
from registry.projects import CMMI_PROJECTS, import_projects
from registry.referents import add_referent
from reminders.deadlines import create_deadline
from storage import people
from storage.forms import newest_version
from storage.projects import programmes
from storage.scopes import Line
from storage.staff import add_staff
from storage.tables import Address, Channel, Office, Role, Subject, TargetKind

ZONE = "Europe/Rome"
UPDATE_FORM = "project-update"


@dataclass(frozen=True)
class Person:
    """An invented referent. `linked`: the chat is bound already; the others find an invitation in the mailbox.

    `pec`: their certified mailbox, when they have one.
    """

    first_name: str
    last_name: str
    organization: str
    chat: int
    linked: bool = False
    pec: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@example.org".lower()


PEOPLE = (
    Person("Ada", "Esempio", "Abbiategrasso", 1001, linked=True, pec="ada.esempio@pec.example.org"),
    Person("Bruno", "Esempio", "Corsico", 1002),
    Person("Carla", "Esempio", "Melzo", 1003),
)


@dataclass(frozen=True)
class Example:
    """What was made: the people, and who is signed in at the desk."""

    people: tuple[Person, ...]
    officer_id: int


def furnish(session: Session, now: datetime, links: Links) -> Example:
    """Fills an empty, migrated database. The caller commits."""
    _name_the_office(session)
    officer = add_staff(session, email="olga@example.org", name="Olga Esempio", role=Role.ADMIN, now=now)
    volunteer = add_staff(session, email="vera@example.org", name="Vera Esempio", role=Role.VOLUNTEER, now=now)
    import_projects(session, CMMI_PROJECTS, now=now)
    long_ago = now - timedelta(days=60)
    for person in PEOPLE:
        _welcome(session, person, long_ago, now, links)
    _last_month(session, now)
    _deadlines(session, officer.id, now)
    show_circulars(session, officer.id, volunteer.id, now, ZONE)
    learn(session, officer.id, now)
    return Example(PEOPLE, officer.id)


def _name_the_office(session: Session) -> None:
    session.merge(
        Office(
            id=1,
            name="Ufficio Welfare metropolitano e rigenerazione urbana (esempio)",
            authority="Città metropolitana di Milano",
            hours="lunedì-venerdì, 9:00-12:30 e 14:00-16:30",
            phone="02 0000 0000",
            email="raccordo@example.org",
            controller="Città metropolitana di Milano",
            dpo_contact="dpo@example.org",
        )
    )


def _welcome(session: Session, person: Person, long_ago: datetime, now: datetime, links: Links) -> None:
    referent = add_referent(
        session,
        name=person.name,
        email=person.email,
        organization=person.organization,
        role="ufficio tecnico",
        now=long_ago,
    )
    if not person.linked:
        invite(session, referent.id, now, links)
    ways = {Channel.TELEGRAM: str(person.chat) if person.linked else "", Channel.PEC: person.pec}
    for channel, value in ways.items():
        if value:
            session.add(
                Address(
                    referent_id=referent.id, channel=channel, value=value, verified_at=long_ago, created_at=long_ago
                )
            )
    session.flush()


def _last_month(session: Session, now: datetime) -> None:
    """Ada has reported once, and has a question waiting."""
    ada = people.referent_at(session, Channel.EMAIL, PEOPLE[0].email)
    assert ada is not None
    project = people.projects_of(session, ada.id)[0]
    version = newest_version(session, UPDATE_FORM)
    assert version is not None
    answers = {
        "phase": "03005",
        "progress": "40",
        "spent": f"{Decimal(project.total_cents // 5 * 2) / 100:f}",
        "expected_end": (now.date() + timedelta(days=240)).isoformat(),
        "problems": "no",
    }
    record_update(
        session,
        referent_id=ada.id,
        about=Concern(project.id),
        form=Catalogue().version(session, version.id),
        answers=answers,
        channel=Channel.TELEGRAM,
        now=now - timedelta(days=31),
    )
    ask(
        session,
        referent_id=ada.id,
        project_id=project.id,
        text="Buongiorno, possiamo usare il ribasso d'asta per sistemare anche il cortile?",
        channel=Channel.TELEGRAM,
        now=now - timedelta(hours=3),
        zone=ZONE,
    )


def _deadlines(session: Session, officer_id: int, now: datetime) -> None:
    """One soon, so that reminders are near, Ada's by Telegram and Bruno's by mail; and the monthly monitoring."""
    version = newest_version(session, UPDATE_FORM)
    assert version is not None
    today = local_date(now, ZONE)
    create_deadline(
        session,
        title="Verifica di fine anno (esempio)",
        form_id=version.form_id,
        subject=Subject.PROJECT,
        rule=ONCE,
        first_on=add_working_days(today, 3),
        until=None,
        zone=ZONE,
        opens_days_before=20,
        targets=[Line(TargetKind.PROJECT, _first_project(session, person)) for person in PEOPLE[:2]],
        created_by=officer_id,
        now=now,
    )
    create_deadline(
        session,
        title="Monitoraggio mensile (esempio)",
        form_id=version.form_id,
        subject=Subject.PROJECT,
        rule=monthly(10),
        first_on=today + timedelta(days=30),  # far enough for the silence after an update to be heard
        until=None,
        zone=ZONE,
        opens_days_before=20,
        targets=[Line(TargetKind.PROGRAMME, row.id) for row in programmes(session) if row.code == "M5C2I2.01.00"],
        created_by=officer_id,
        now=now,
    )


def _first_project(session: Session, person: Person) -> int:
    referent = people.referent_at(session, Channel.EMAIL, person.email)
    assert referent is not None
    return people.projects_of(session, referent.id)[0].id
