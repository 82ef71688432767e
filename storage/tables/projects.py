"""Programmes, projects, where they stand, and who follows them."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import instant


class Programme(SQLModel, table=True):
    """A funding line, by its unique sub-measure code (`M5C2I2.01.00`)."""

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=40)
    name: str


class Project(SQLModel, table=True):
    """One project: CUP and local code together are its key. Amounts in euro cents; progress in tenths of percent.

    Phase, progress, spent and expected end repeat the newest update, so that lists need not look for it.
    """

    __table_args__ = (UniqueConstraint("cup", "local_code"),)

    id: int = Field(default=None, primary_key=True)
    cup: str = Field(index=True, max_length=15)
    local_code: str = Field(max_length=80)
    title: str
    title_is_working: bool = False
    programme_id: int = Field(foreign_key="programme.id", index=True)
    implementing_body_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    total_cents: int = Field(default=0, sa_type=BigInteger)
    pnrr_cents: int = Field(default=0, sa_type=BigInteger)
    paid_cents: int = Field(default=0, sa_type=BigInteger)
    phase: str | None = Field(default=None, max_length=10)
    progress_tenths: int | None = None
    spent_cents: int | None = Field(default=None, sa_type=BigInteger)
    expected_end: date | None = None


class Place(SQLModel, table=True):
    """Where a project happens: one municipality, perhaps with an address. A project may have several."""

    __table_args__ = (UniqueConstraint("project_id", "organization_id", "address"),)

    id: int = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)
    address: str = ""


class Following(SQLModel, table=True):
    """Which referent reports on which project, and since when (no backlog for who has just come).

    `delegation_id`: only while a colleague is away.
    """

    referent_id: int = Field(foreign_key="referent.id", primary_key=True)
    project_id: int = Field(foreign_key="project.id", primary_key=True, index=True)
    since: datetime = instant()
    delegation_id: int | None = Field(default=None, foreign_key="delegation.id", index=True)
