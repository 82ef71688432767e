"""Deadlines made by staff, whom they are about, and the obligations they make. Reminding is in `ladders.py`."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import instant, only_one, optional_instant, optional_sealed_text, word
from storage.types import Word

STANDARD_LADDER = 1  # comes with the first migration that knows ladders


class Subject(StrEnum):
    """What owes the update: each project in scope, or each organisation."""

    PROJECT = "project"
    ORGANIZATION = "organization"


class Moved(StrEnum):
    """Where a due day goes that is no working day."""

    NOT = "not"
    NEXT = "next"
    PREVIOUS = "previous"


class DoneWhen(StrEnum):
    """What counts as done: that an update was sent, or that staff accepted it."""

    SENT = "sent"
    ACCEPTED = "accepted"


class Deadline(SQLModel, table=True):
    """A rule made by staff: due on the days of `rule` (RFC 5545) from `first_on` to `until`; on `first_on` without one.

    A due day that is no working day is `moved`. Due at the end of the local day in `zone` (IANA); late only
    `grace_days` after. The window opens `opens_days_before` days earlier. `form_version_id`: always that version of the
    form; None for the newest. `follows`: what joins its scope owes from then on, what leaves it owes no more.
    `officer_id`: who of us follows it.
    """

    id: int = Field(default=None, primary_key=True)
    title: str
    form_id: int = Field(foreign_key="form.id")
    form_version_id: int | None = Field(default=None, foreign_key="form_version.id")
    subject: Subject = word(Subject, Subject.PROJECT)
    rule: str = ""
    first_on: date
    until: date | None = None
    zone: str = "Europe/Rome"
    moved: Moved = word(Moved, Moved.NOT)
    grace_days: int = 0
    opens_days_before: int = 20
    done_when: DoneWhen = word(DoneWhen, DoneWhen.SENT)
    follows: bool = True
    ladder_id: int = Field(default=STANDARD_LADDER, foreign_key="ladder.id")
    officer_id: int | None = Field(default=None, foreign_key="staff.id")
    active: bool = True
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = instant()
    version: int = 1


class TargetKind(StrEnum):
    """MEASURE: every programme whose code begins so. PHASE: a code of ReGiS."""

    PROGRAMME = "programme"
    MEASURE = "measure"
    PHASE = "phase"
    ORGANIZATION = "organization"
    PROJECT = "project"


class Target(SQLModel, table=True):
    """One line of a deadline's scope. No line at all means every project (or every organisation with one).

    `target_id`, or for measures and phases `code`. `excluded`: what it names is left out, whatever other lines say.
    """

    deadline_id: int = Field(foreign_key="deadline.id", primary_key=True)
    kind: TargetKind = Field(sa_type=Word(TargetKind), primary_key=True)
    target_id: int = Field(default=0, primary_key=True)
    code: str = Field(default="", primary_key=True, max_length=80)
    excluded: bool = False


class ObligationState(StrEnum):
    """SENT: it is in, and staff have yet to accept it; nobody is reminded meanwhile."""

    OPEN = "open"
    SENT = "sent"
    DONE = "done"
    WAIVED = "waived"


class Waiver(StrEnum):
    """Why something is not owed any more: by a word of staff, its deadline stopped or its period closed, or its project
    left the scope."""

    STAFF = "staff"
    STOPPED = "stopped"
    CLOSED = "closed"
    LEFT = "left"


class Obligation(SQLModel, table=True):
    """One project (or organisation) owes one update for one period (`2026-12`, or the date).

    `nominal_on`: the day by the rule, before holidays moved it; `due_on`: the day that is said. `due_at`: when it is
    late, after the days of grace. `done_at`: when it came in. `postponed_from`: the day it was due before staff gave it
    another. `body_id`: the organisation it is counted for.
    """

    __table_args__ = (
        only_one("uq_obligation_project", "deadline_id", "project_id", "period", where="project_id IS NOT NULL"),
        only_one(
            "uq_obligation_organization",
            "deadline_id",
            "organization_id",
            "period",
            where="organization_id IS NOT NULL",
        ),
        CheckConstraint("(project_id IS NULL) <> (organization_id IS NULL)", name="one_subject"),
    )

    id: int = Field(default=None, primary_key=True)
    deadline_id: int = Field(foreign_key="deadline.id", index=True)
    project_id: int | None = Field(default=None, foreign_key="project.id", index=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    body_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    period: str = Field(max_length=10)
    opens_on: date
    nominal_on: date | None = None
    due_on: date = Field(index=True)
    due_at: datetime = instant()
    state: ObligationState = word(ObligationState, ObligationState.OPEN, index=True)
    done_at: datetime | None = optional_instant()
    waived: Waiver | None = Field(default=None, sa_type=Word(Waiver), nullable=True)
    waived_reason: str | None = None
    postponed_from: date | None = None
    postponed_reason: str | None = None
    version: int = 1


class ExtensionState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Extension(SQLModel, table=True):
    """A referent asks for more time for one obligation, and an officer decides. `granted_on`: what was given."""

    __table_args__ = (only_one("uq_extension_asked", "obligation_id", where="state = 'asked'"),)

    id: int = Field(default=None, primary_key=True)
    obligation_id: int = Field(foreign_key="obligation.id", index=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    wanted_on: date
    reason: str = optional_sealed_text("extension.reason")
    state: ExtensionState = word(ExtensionState, ExtensionState.ASKED, index=True)
    granted_on: date | None = None
    answer: str = optional_sealed_text("extension.answer")
    asked_at: datetime = instant()
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = optional_instant()
    version: int = 1


class Closure(SQLModel, table=True):
    """A day on which the office, or one organisation (its patron's day), is closed besides the holidays of all.

    `yearly`: each year on that day and month.
    """

    __table_args__ = (
        only_one("uq_closure_office", "day", where="organization_id IS NULL"),
        only_one("uq_closure_organization", "organization_id", "day", where="organization_id IS NOT NULL"),
    )

    id: int = Field(default=None, primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    day: date
    yearly: bool = False
    name: str
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = instant()
