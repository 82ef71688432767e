"""Ladders of reminders, the steps they make for each obligation, every decision taken, and what stops them all."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import instant, only_one, optional_instant, word
from storage.types import Word


class Ladder(SQLModel, table=True):
    """By which steps a deadline reminds. The standard one is made by the house, and staff may change it too."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = instant()
    retired_at: datetime | None = optional_instant()
    version: int = 1


class Unit(StrEnum):
    DAYS = "days"
    WORKING_DAYS = "working-days"


class Whom(StrEnum):
    """REFERENT: who has followed the project longest. OFFICE, PEC: the organisation's ordinary and certified address.

    OFFICER: who of us follows the deadline. DIGEST: our weekly picture.
    """

    REFERENT = "referent"
    REFERENTS = "referents"
    SUBSTITUTE = "substitute"
    OFFICE = "office"
    PEC = "pec"
    OFFICER = "officer"
    DIGEST = "digest"


class Rung(SQLModel, table=True):
    """One step of a ladder: so many days before (-7) or after (2) the due day, somebody is told.

    Never changed, since steps that were decided refer to it: another takes its place, and this one is retired.
    `channels`: words of Channel between commas, the first that is open; "" as each person prefers. `urgent`: told even
    to whom a reminder was written today. `text_it`, `text_en`: what is said above the list, "" for our own words.
    """

    __table_args__ = (
        only_one("uq_rung_in_use", "ladder_id", "offset_days", "unit", "whom", where="retired_at IS NULL"),
    )

    id: int = Field(default=None, primary_key=True)
    ladder_id: int = Field(foreign_key="ladder.id", index=True)
    offset_days: int
    unit: Unit = word(Unit, Unit.DAYS)
    whom: Whom = word(Whom, Whom.REFERENTS)
    channels: str = ""
    urgent: bool = False
    text_it: str = ""
    text_en: str = ""
    retired_at: datetime | None = optional_instant()


class Step(SQLModel, table=True):
    """One rung of the ladder for one obligation: `offset_days` before (-7, -1, 0) or after (2, 7) its due day."""

    __table_args__ = (
        UniqueConstraint("obligation_id", "rung_id"),
        # Asked at every tick; what is settled, after a year nearly all, is not in it.
        Index("ix_step_waiting", "due_at", sqlite_where=text("settled = 0"), postgresql_where=text("NOT settled")),
    )

    id: int = Field(default=None, primary_key=True)
    obligation_id: int = Field(foreign_key="obligation.id")
    rung_id: int = Field(foreign_key="rung.id")
    offset_days: int
    due_at: datetime = instant()
    settled: bool = False


class Outcome(StrEnum):
    SENT = "sent"
    WITHHELD = "withheld"


class Reason(StrEnum):
    """Why a reminder was sent or withheld. RECEIVED: it is in, and staff have yet to accept it. HALTED: staff stopped
    reminders. NO_ADDRESS: the organisation has none of that kind. DIGEST: it is in our own weekly picture."""

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
    RECEIVED = "received"
    HALTED = "halted"
    NO_ADDRESS = "no-address"
    DIGEST = "digest"


class Decision(SQLModel, table=True):
    """What was decided for one step and one person, organisation or colleague, and why. Proof of the reminder.

    Of none of them: there was nobody to tell.
    """

    __table_args__ = (
        only_one("uq_decision_person", "step_id", "referent_id", where="referent_id IS NOT NULL"),
        only_one("uq_decision_organization", "step_id", "organization_id", where="organization_id IS NOT NULL"),
        only_one("uq_decision_staff", "step_id", "staff_id", where="staff_id IS NOT NULL"),
        only_one(
            "uq_decision_nobody",
            "step_id",
            where="referent_id IS NULL AND organization_id IS NULL AND staff_id IS NULL",
        ),
    )

    id: int = Field(default=None, primary_key=True)
    step_id: int = Field(foreign_key="step.id", index=True)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    outcome: Outcome = word(Outcome)
    reason: Reason = word(Reason)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    decided_at: datetime = instant()


class Again(StrEnum):
    """Why somebody is told again. MISSED: no way was open when it was due. RESUMED: staff had stopped reminders, or
    gave another day, or what they had let off is owed again."""

    ASKED = "asked"
    MISSED = "missed"
    RESUMED = "resumed"


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


class HaltKind(StrEnum):
    ALL = "all"
    DEADLINE = "deadline"
    ORGANIZATION = "organization"
    REFERENT = "referent"


class Halt(SQLModel, table=True):
    """Staff stopped reminders: all of them, or those of one deadline, organisation or person; why, and until when."""

    __table_args__ = (only_one("uq_halt_open", "kind", "target_id", where="ended_at IS NULL"),)

    id: int = Field(default=None, primary_key=True)
    kind: HaltKind = word(HaltKind)
    target_id: int = 0
    reason: str
    began_at: datetime = instant()
    began_by: int | None = Field(default=None, foreign_key="staff.id")
    ended_at: datetime | None = optional_instant()
    ended_by: int | None = Field(default=None, foreign_key="staff.id")


class Opening(SQLModel, table=True):
    """The link in one of our messages was first followed: perhaps by a program that looks at mail before its reader.

    `confirmed_at`: by somebody, since they went on from there or sent something.
    """

    outbox_id: int = Field(foreign_key="outbox.id", primary_key=True)
    opened_at: datetime = instant()
    confirmed_at: datetime | None = optional_instant()
