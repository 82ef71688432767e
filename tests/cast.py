"""The people and things of the tests. Makers with sane defaults; all invented."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session

from intake.forms.builtin import PROJECT_UPDATE, builtin_form
from intake.forms.document import to_document
from storage.tables import (
    Address,
    Audience,
    Channel,
    Deadline,
    Following,
    Form,
    FormVersion,
    Membership,
    Message,
    Obligation,
    Organization,
    OrganizationKind,
    Place,
    Programme,
    Project,
    Question,
    Referent,
    Role,
    Staff,
)

_numbers = count(1)
_UPDATE = to_document(builtin_form(PROJECT_UPDATE))


@dataclass
class Cast:
    """Makes rows in `session` and flushes them. Ada and Bruno are referents of Abbiategrasso, Carla of another."""

    session: Session
    now: datetime

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def an_organization(self, name: str = "Abbiategrasso", istat_code: str | None = None, **other: Any) -> Organization:
        kind = other.pop("kind", OrganizationKind.MUNICIPALITY)
        row: Organization = self.add(Organization(kind=kind, name=name, istat_code=istat_code, **other))
        return row

    def a_programme(self, code: str | None = None, name: str = "Rigenerazione urbana") -> Programme:
        row: Programme = self.add(Programme(code=code or f"M5C2I2.01.{next(_numbers):02}", name=name))
        return row

    def a_project(
        self, organization: Organization, programme: Programme | None = None, title: str = "Ex mercato", **other: Any
    ) -> Project:
        number = next(_numbers)
        programme = programme or self.a_programme()
        defaults: dict[str, Any] = {
            "cup": f"C47H2{number:06}0001",
            "local_code": f"LOCALE#{number}",
            "total_cents": 100_000_000,
            "implementing_body_id": organization.id,
        }
        row: Project = self.add(Project(title=title, programme_id=programme.id, **(defaults | other)))
        self.add(Place(project_id=row.id, organization_id=organization.id))
        return row

    def a_referent(
        self,
        name: str = "Ada Esempio",
        organization: Organization | None = None,
        projects: tuple[Project, ...] = (),
        *,
        chat: int | None = None,
        email: str | None = None,
    ) -> Referent:
        """A referent who follows `projects`, on Telegram when `chat` is given, by mail when `email` is."""
        row: Referent = self.add(Referent(name=name, created_at=self.now - timedelta(days=90)))
        if organization is not None:
            self.add(Membership(referent_id=row.id, organization_id=organization.id, role="RUP"))
        for project in projects:
            self.add(Following(referent_id=row.id, project_id=project.id, since=self.now - timedelta(days=90)))
        for channel, value in ((Channel.TELEGRAM, chat and str(chat)), (Channel.EMAIL, email)):
            if value:
                self.add(
                    Address(referent_id=row.id, channel=channel, value=value, verified_at=self.now, created_at=self.now)
                )
        return row

    def also_of(self, referent: Referent, organization: Organization, role: str = "") -> Membership:
        """One more organisation of theirs."""
        row: Membership = self.add(Membership(referent_id=referent.id, organization_id=organization.id, role=role))
        return row

    def a_staff(self, name: str = "Olga Officer", role: Role = Role.OFFICER, **other: Any) -> Staff:
        email = other.pop("email", f"staff{next(_numbers)}@example.org")
        row: Staff = self.add(Staff(email=email, name=name, role=role, created_at=self.now, **other))
        return row

    def a_question(self, referent: Referent, text: str = "Possiamo usare il ribasso d'asta?", **other: Any) -> Question:
        channel = other.pop("channel", Channel.TELEGRAM)
        row: Question = self.add(
            Question(
                referent_id=referent.id,
                channel=channel,
                created_at=self.now,
                due_at=self.now + timedelta(days=3),
                last_message_at=self.now,
                **other,
            )
        )
        self.add(
            Message(
                question_id=row.id,
                audience=Audience.REFERENT,
                referent_id=referent.id,
                text=text,
                channel=channel,
                created_at=self.now,
            )
        )
        return row

    def a_form(self, key: str = "project-update", definition: dict[str, Any] | None = None) -> FormVersion:
        form = self.add(Form(key=key, title="Aggiornamento progetto"))
        row: FormVersion = self.add(
            FormVersion(form_id=form.id, number=1, definition=definition or _UPDATE, published_at=self.now)
        )
        return row

    def a_deadline(
        self, form: FormVersion, first_on: date, title: str = "Monitoraggio mensile", **other: Any
    ) -> Deadline:
        row: Deadline = self.add(
            Deadline(
                title=title,
                form_id=form.form_id,
                first_on=first_on,
                created_at=self.now,
                **other,
            )
        )
        return row

    def an_obligation(
        self, deadline: Deadline, owing: Project | Organization, due_on: date, due_at: datetime
    ) -> Obligation:
        row: Obligation = self.add(
            Obligation(
                deadline_id=deadline.id,
                project_id=owing.id if isinstance(owing, Project) else None,
                organization_id=owing.id if isinstance(owing, Organization) else None,
                period=f"{due_on:%Y-%m}",
                opens_on=due_on - timedelta(days=deadline.opens_days_before),
                due_on=due_on,
                due_at=due_at,
            )
        )
        return row
