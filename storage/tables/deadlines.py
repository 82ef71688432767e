"""Deadlines, the obligations they make, the steps that remind of them, and every decision taken."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import instant, only_one, optional_instant, word
from storage.types import Word


class Recurrence(StrEnum):
    ONCE = "once"
    MONTHLY = "monthly"


class Subject(StrEnum):
    """What owes the update: each project in scope, or each organisation."""

    PROJECT = "project"
    ORGANIZATION = "organization"


class Deadline(SQLModel, table=True):
    """A rule made by staff. ONCE is due on `first_on`; MONTHLY on `day` of each month from `first_on` to `until`.

    Due at the end of the local day in `zone` (IANA). The window opens `opens_days_before` days earlier.
    `form_version_id`: always that version of the form; None for the newest.
    """

    id: int = Field(default=None, primary_key=True)
    title: str
    form_id: int = Field(foreign_key="form.id")
    form_version_id: int | None = Field(default=None, foreign_key="form_version.id")
    subject: Subject = word(Subject, Subject.PROJECT)
    recurrence: Recurrence = word(Recurrence)
    first_on: date
    day: int | None = None
    until: date | None = None
    zone: str = "Europe/Rome"
    opens_days_before: int = 20
    active: bool = True
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = instant()
    version: int = 1


class TargetKind(StrEnum):
    PROGRAMME = "programme"
    ORGANIZATION = "organization"
    PROJECT = "project"


class Target(SQLModel, table=True):
    """One line of a deadline's scope. No line at all means every project (or every organisation with one)."""

    deadline_id: int = Field(foreign_key="deadline.id", primary_key=True)
    kind: TargetKind = Field(sa_type=Word(TargetKind), primary_key=True)
    target_id: int = Field(primary_key=True)


class ObligationState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class Obligation(SQLModel, table=True):
    """One project (or organisation) owes one update for one period (`2026-12`, or the date when single)."""

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
    period: str = Field(max_length=10)
    opens_on: date
    due_on: date = Field(index=True)
    due_at: datetime = instant()
    state: ObligationState = word(ObligationState, ObligationState.OPEN, index=True)
    done_at: datetime | None = optional_instant()
    waived_reason: str | None = None
    version: int = 1


class Step(SQLModel, table=True):
    """One rung of the ladder for one obligation: `offset_days` before (-7, -1, 0) or after (2, 7) its due day."""

    __table_args__ = (
        UniqueConstraint("obligation_id", "offset_days"),
        # Asked at every tick; what is settled, after a year nearly all, is not in it.
        Index("ix_step_waiting", "due_at", sqlite_where=text("settled = 0"), postgresql_where=text("NOT settled")),
    )

    id: int = Field(default=None, primary_key=True)
    obligation_id: int = Field(foreign_key="obligation.id")
    offset_days: int
    due_at: datetime = instant()
    settled: bool = False


class Outcome(StrEnum):
    SENT = "sent"
    WITHHELD = "withheld"


class Reason(StrEnum):
    """Why a reminder was sent or withheld."""

    DUE = "due"
    GATHERED = "gathered"
    SUBSTITUTE = "substitute"
    AWAY = "away"
    DONE = "done"
    WAIVED = "waived"
    OVERTAKEN = "overtaken"
    UNREACHABLE = "unreachable"
    NOBODY = "nobody"
    JOINED_LATER = "joined-later"
    NO_LONGER_THEIRS = "no-longer-theirs"
    STOPPED = "stopped"


class Decision(SQLModel, table=True):
    """What was decided for one step and one person (nobody: no person to tell), and why. Proof of the reminder."""

    __table_args__ = (
        only_one("uq_decision_person", "step_id", "referent_id", where="referent_id IS NOT NULL"),
        only_one("uq_decision_nobody", "step_id", where="referent_id IS NULL"),
    )

    id: int = Field(default=None, primary_key=True)
    step_id: int = Field(foreign_key="step.id", index=True)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    outcome: Outcome = word(Outcome)
    reason: Reason = word(Reason)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    decided_at: datetime = instant()


class Again(StrEnum):
    """Why somebody is told again. MISSED: no way was open when it was due."""

    ASKED = "asked"
    MISSED = "missed"


class Snooze(SQLModel, table=True):
    """What one person is to be told again, and when. They asked for it: "remind me tomorrow"; or they missed it.

    `decided_at`: what became of it is known, in the words of a Decision.
    """

    __table_args__ = (
        only_one("uq_snooze_waiting", "referent_id", "obligation_id", where="decided_at IS NULL"),
        # Asked at every tick, as the steps are.
        Index(
            "ix_snooze_waiting",
            "again_at",
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    obligation_id: int = Field(foreign_key="obligation.id", index=True)
    why: Again = word(Again, Again.ASKED)
    again_at: datetime = instant()
    outcome: Outcome | None = Field(default=None, sa_type=Word(Outcome), nullable=True)
    reason: Reason | None = Field(default=None, sa_type=Word(Reason), nullable=True)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    decided_at: datetime | None = optional_instant()
    created_at: datetime = instant()
