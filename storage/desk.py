"""What the desk's pages look at: updates, projects, obligations, what leaves. Only looks; changes nothing.

People have their own: `storage/desk_people.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_
from sqlmodel import Session, col, select

from storage.obligations import Owed, owed
from storage.projects import search_projects
from storage.tables import (
    Attachment,
    Channel,
    Deadline,
    Following,
    Form,
    FormVersion,
    Membership,
    Message,
    Obligation,
    ObligationState,
    Organization,
    Outbox,
    OutboxState,
    Place,
    Programme,
    Project,
    Question,
    Referent,
    Review,
    Step,
    Update,
)

MOST_MATCHES = 5_000

# --- updates


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """One update in a list, with what a person needs to recognise it. `subject`: the project, or the organisation."""

    id: int
    received_at: datetime
    channel: Channel
    unchanged: bool
    answers: Mapping[str, Any]
    review: Review
    project_id: int | None
    subject: str
    form: str
    form_key: str
    referent_id: int | None
    referent: str | None
    deadline: str | None


@dataclass(frozen=True, slots=True)
class OneUpdate:
    """An update with all that belongs to it. It tells of a project or an organisation.

    `previous`: the one before it, of the same subject and form.
    """

    update: Update
    project: Project | None
    organization: Organization | None
    form: Form
    version: FormVersion
    referent: Referent | None
    obligation: Obligation | None
    deadline: Deadline | None
    previous: Update | None


def updates_page(  # noqa: PLR0913 - a filter for each of them
    session: Session,
    text: str = "",
    *,
    project_id: int | None = None,
    referent_id: int | None = None,
    review: Review | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[UpdateLine], int]:
    """The newest updates first and how many there are; `text` is looked for as in the list of projects."""
    conditions: list[Any] = []
    if text.strip():
        ids = [project.id for project in search_projects(session, text, MOST_MATCHES)]
        named = select(Organization.id).where(col(Organization.name).icontains(text.strip(), autoescape=True))
        conditions.append(or_(col(Update.project_id).in_(ids), col(Update.organization_id).in_(named)))
    if project_id is not None:
        conditions.append(col(Update.project_id) == project_id)
    if referent_id is not None:
        conditions.append(col(Update.referent_id) == referent_id)
    if review is not None:
        conditions.append(col(Update.review) == review)
    total = session.execute(select(func.count()).select_from(Update).where(*conditions)).scalar_one()
    columns: Any = select(  # type: ignore[call-overload]
        Update.id,
        Update.received_at,
        Update.channel,
        Update.unchanged,
        Update.answers,
        Update.review,
        Project.id,
        func.coalesce(Project.title, Organization.name),
        Form.title,
        Form.key,
        Referent.id,
        Referent.name,
        Deadline.title,
    )
    rows = session.execute(
        columns.select_from(Update)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .outerjoin(Project, col(Project.id) == col(Update.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
        .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
        .outerjoin(Obligation, col(Obligation.id) == col(Update.obligation_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(*conditions)
        .order_by(col(Update.received_at).desc(), col(Update.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [UpdateLine(*row) for row in rows], total


_ONE_UPDATE = ("update", "project", "organization", "form", "version", "referent", "obligation", "deadline")


def one_update(session: Session, update_id: int) -> OneUpdate | None:
    row = session.exec(
        select(  # type: ignore[call-overload]
            Update, Project, Organization, Form, FormVersion, Referent, Obligation, Deadline
        )
        .outerjoin(Project, col(Project.id) == col(Update.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
        .outerjoin(Obligation, col(Obligation.id) == col(Update.obligation_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(Update.id == update_id)
    ).first()
    if row is None:
        return None
    values = dict(zip(_ONE_UPDATE, row, strict=True))
    return OneUpdate(**values, previous=_before(session, values["update"], values["version"].form_id))


def _before(session: Session, update: Update, form_id: int) -> Update | None:
    return session.exec(
        select(Update)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(_of_same_subject(update), FormVersion.form_id == form_id, Update.id < update.id)
        .order_by(col(Update.id).desc())
        .limit(1)
    ).first()


def _of_same_subject(update: Update) -> ColumnElement[bool]:
    if update.project_id is not None:
        return col(Update.project_id) == update.project_id
    return col(Update.organization_id) == update.organization_id


def update_of_obligation(session: Session, obligation_id: int) -> Update | None:
    """The update that fulfilled it."""
    return session.exec(select(Update).where(Update.obligation_id == obligation_id)).first()


# --- projects


@dataclass(frozen=True, slots=True)
class OneProject:
    """A project with the names behind its numbers. `places`: municipality and address."""

    project: Project
    programme: Programme
    body: Organization | None
    places: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A question in the list of a project or of a referent."""

    question: Question
    referent: str | None
    project: str | None


def one_project(session: Session, project_id: int) -> OneProject | None:
    row = session.exec(
        select(Project, Programme, Organization)
        .join(Programme, col(Programme.id) == col(Project.programme_id))
        .outerjoin(Organization, col(Organization.id) == col(Project.implementing_body_id))
        .where(Project.id == project_id)
    ).first()
    if row is None:
        return None
    places = session.execute(
        select(col(Organization.name), col(Place.address))
        .join(Organization, col(Organization.id) == col(Place.organization_id))
        .where(col(Place.project_id) == project_id)
        .order_by(col(Organization.name), col(Place.address))
    )
    return OneProject(*row, places=[(name, address) for name, address in places])


def owed_for(session: Session, project_id: int, today: date) -> list[Owed]:
    """What a project owes whose window is open, the most urgent first."""
    ids = session.exec(
        select(Obligation.id).where(
            Obligation.project_id == project_id,
            Obligation.state == ObligationState.OPEN,
            Obligation.opens_on <= today,
        )
    ).all()
    return owed(session, ids) if ids else []


def asked(
    session: Session, *, project_id: int | None = None, referent_id: int | None = None, limit: int = 20
) -> list[AskedLine]:
    """The newest questions about a project, or of a referent."""
    query: Any = (
        select(Question, Referent.name, Project.title)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
    )
    if project_id is not None:
        query = query.where(Question.project_id == project_id)
    if referent_id is not None:
        query = query.where(Question.referent_id == referent_id)
    return [AskedLine(*row) for row in session.exec(query.order_by(col(Question.id).desc()).limit(limit))]


def titles_of(session: Session, project_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(select(col(Project.id), col(Project.title)).where(col(Project.id).in_(project_ids)))
    return {row.id: row.title for row in rows}


# --- deadlines


@dataclass(frozen=True, slots=True)
class Opened:
    """The obligations of a deadline (or of one of its periods) whose window has opened by `today`."""

    deadline_id: int
    today: date
    period: str = ""

    def conditions(self) -> list[Any]:
        opened = [col(Obligation.deadline_id) == self.deadline_id, col(Obligation.opens_on) <= self.today]
        return [*opened, col(Obligation.period) == self.period] if self.period else opened


class Which(StrEnum):
    """The heaps of a deadline's obligations; each obligation whose window has opened is in exactly one."""

    LATE = "late"
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


def one_deadline(session: Session, deadline_id: int) -> Deadline | None:
    return session.get(Deadline, deadline_id)


def one_obligation(session: Session, deadline_id: int, obligation_id: int) -> Owed | None:
    """The obligation when it belongs to this deadline."""
    found = owed(session, [obligation_id])
    return found[0] if found and found[0].deadline.id == deadline_id else None


def steps_to_come(session: Session, obligation_id: int) -> Sequence[Step]:
    """The rungs of the ladder that nobody has decided about yet."""
    return session.exec(
        select(Step).where(Step.obligation_id == obligation_id, col(Step.settled).is_(False)).order_by(col(Step.due_at))
    ).all()


def heaps(session: Session, opened: Opened) -> dict[Which, int]:
    """How many lie in each heap."""
    counts: Any = [func.coalesce(func.sum(case((_in_heap(which, opened.today), 1), else_=0)), 0) for which in Which]
    row = session.execute(select(*counts).select_from(Obligation).where(*opened.conditions())).one()
    return dict(zip(Which, map(int, row), strict=True))


def heap(session: Session, opened: Opened, which: Which, *, limit: int = 50, offset: int = 0) -> list[Owed]:
    """One page of a heap, the oldest due first."""
    chosen = _by_subject(select(Obligation.id)).where(*opened.conditions(), _in_heap(which, opened.today))
    ids = session.exec(chosen.limit(limit).offset(offset)).all()
    return owed(session, ids) if ids else []


def all_late(session: Session, today: date, *, limit: int = 50, offset: int = 0) -> tuple[list[Owed], int]:
    """What is late in every active deadline, the longest awaited first, and how much there is."""
    late: Any = (
        select(Obligation.id)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(col(Deadline.active).is_(True), _in_heap(Which.LATE, today))
    )
    total = session.execute(select(func.count()).select_from(late.subquery())).scalar_one()
    ids = session.exec(_by_subject(late).limit(limit).offset(offset)).all()
    return (owed(session, ids) if ids else []), total


def coming_days(session: Session, deadline_id: int, today: date, limit: int = 6) -> Sequence[date]:
    """The next days on which something of this deadline is due."""
    return (
        session.execute(
            select(col(Obligation.due_on))
            .where(col(Obligation.deadline_id) == deadline_id, col(Obligation.due_on) >= today)
            .distinct()
            .order_by(col(Obligation.due_on))
            .limit(limit)
        )
        .scalars()
        .all()
    )


def opened_periods(session: Session, deadline_id: int, today: date) -> Sequence[str]:
    """The names of the periods whose window has opened, the newest first."""
    return session.exec(
        select(Obligation.period)
        .where(Obligation.deadline_id == deadline_id, Obligation.opens_on <= today)
        .distinct()
        .order_by(col(Obligation.period).desc())
    ).all()


def who_owes(session: Session, owed_ones: Sequence[Owed]) -> dict[int, list[tuple[int, str]]]:
    """obligation id → (referent id, name) of those whom it concerns."""
    found: dict[int, list[tuple[int, str]]] = {one.obligation.id: [] for one in owed_ones}
    about: Any = select(Obligation.id, Referent.id, Referent.name)
    followers = about.join(Following, col(Following.project_id) == col(Obligation.project_id)).join(
        Referent, col(Referent.id) == col(Following.referent_id)
    )
    members = about.join(Membership, col(Membership.organization_id) == col(Obligation.organization_id)).join(
        Referent, col(Referent.id) == col(Membership.referent_id)
    )
    for query in (followers, members):
        chosen = query.where(col(Obligation.id).in_(list(found))).order_by(col(Referent.name))
        for obligation_id, referent_id, name in session.execute(chosen):
            found[obligation_id].append((referent_id, name))
    return found


def _by_subject(query: Any) -> Any:
    return (
        query.outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .order_by(col(Obligation.due_at), col(Project.title), col(Organization.name), col(Obligation.id))
    )


def _in_heap(which: Which, today: date) -> ColumnElement[bool]:
    if which is Which.LATE:
        return (col(Obligation.state) == ObligationState.OPEN) & (col(Obligation.due_on) < today)
    if which is Which.OPEN:
        return (col(Obligation.state) == ObligationState.OPEN) & (col(Obligation.due_on) >= today)
    return col(Obligation.state) == ObligationState(which.value)


# --- what leaves


def outgoing(
    session: Session, states: Collection[OutboxState], *, limit: int = 50, offset: int = 0
) -> list[tuple[Outbox, str | None]]:
    """Messages in these states, the newest first, with the referent's name."""
    query: Select[Outbox, str] = (
        select(Outbox, Referent.name)
        .outerjoin(Referent, col(Referent.id) == col(Outbox.referent_id))
        .where(col(Outbox.state).in_(states))
        .order_by(col(Outbox.id).desc())
    )
    return [(row[0], row[1]) for row in session.execute(query.limit(limit).offset(offset))]


# --- files


def own_file(session: Session, referent_id: int, attachment_id: int) -> Attachment | None:
    """A file of the referent: sent by them, or standing in one of their threads where they may read it."""
    threads = (
        select(Message.id)
        .join(Question, col(Question.id) == col(Message.question_id))
        .where(Question.referent_id == referent_id, Message.audience == "referent")
    )
    theirs = or_(col(Attachment.referent_id) == referent_id, col(Attachment.message_id).in_(threads))
    return session.exec(select(Attachment).where(Attachment.id == attachment_id, theirs)).first()
