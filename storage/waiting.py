"""What waits for each of the staff, one question asked of the tables for each kind of notice. Sends nothing.

Each names the numbers of questions, never a referent. Of questions only those that this person may act on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, func, or_, update
from sqlmodel import Session, col, select

from storage.local_roles import may_approve, may_work_on
from storage.outbox import NOTICE_KEY, needs_somebody
from storage.proposals import came_back
from storage.tables import (
    AccessRequest,
    Audit,
    Letter,
    Membership,
    Mention,
    Message,
    NoticeChoice,
    NoticeKind,
    NoticeWhen,
    Organization,
    Outbox,
    OutboxKind,
    Project,
    Proposal,
    ProposalState,
    Question,
    QuestionState,
    Staff,
)

STUCK = ("outbox.dead", "outbox.uncertain")  # acts after which a message waits for a person
TOLD = ("staff.notice", "staff.digest")
_SEEN = ("question.take", "question.reopen")  # acts of somebody who had the thread before them


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for somebody: in a notice."""

    id: int
    organization: str | None
    project: str | None
    due_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One notice that somebody had: when, and of which questions that their time runs out or is over."""

    at: datetime
    outbox_id: int
    numbers: Mapping[NoticeKind, frozenset[int]]


# --- whether to look


def newest_rows(session: Session) -> Sequence[int | None]:
    """The last row of each table into which news comes: while they stay the same, only time can bring something new.

    Four looks at the end of a key, whatever the tables hold.
    """
    last: list[Any] = [
        select(func.max(col(one))).scalar_subquery() for one in (Audit.id, Message.id, AccessRequest.id, Letter.id)
    ]
    return tuple(session.execute(select(*last)).one())


# --- whom to look at


def due_a_notice(session: Session, not_since: datetime) -> Sequence[tuple[Staff, datetime | None]]:
    """Staff who want notices and had none since `not_since`, each with when they had their last."""
    last = (
        select(func.max(Outbox.created_at))
        .where(
            Outbox.kind == OutboxKind.NOTICE,
            Outbox.address == Staff.email,
            col(Outbox.dedupe_key).startswith(NOTICE_KEY),
        )
        .correlate(Staff)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Staff, last)
        .where(col(Staff.active), col(Staff.notices), or_(last.is_(None), last <= not_since))
        .order_by(col(Staff.id))
    )
    return [(row[0], row[1]) for row in rows]


def due_a_digest(session: Session, today: date) -> Sequence[Staff]:
    """Staff who want notices and have not been looked at today."""
    before = or_(col(Staff.digested_on).is_(None), col(Staff.digested_on) < today)
    return session.exec(
        select(Staff).where(col(Staff.active), col(Staff.notices), before).order_by(col(Staff.id))
    ).all()


def mark_digested(session: Session, staff_id: int, today: date) -> bool:
    """From now on they have been; False when somebody was quicker."""
    before = or_(col(Staff.digested_on).is_(None), col(Staff.digested_on) < today)
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Staff)
        .where(col(Staff.id) == staff_id, before)
        .values(digested_on=today)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def told_since(session: Session, staff_id: int, since: datetime) -> Sequence[Told]:
    """The notices this person had, as the log holds them."""
    rows = session.exec(
        select(Audit).where(
            Audit.object_kind == "staff",
            Audit.object_id == staff_id,
            col(Audit.action).in_(TOLD),
            col(Audit.at) >= since,
        )
    )
    return [
        Told(row.at, row.detail["outbox_id"], {kind: frozenset(row.detail.get(kind, ())) for kind in NoticeKind})
        for row in rows
    ]


# --- what each wishes


def choices_of(session: Session, staff_id: int) -> Mapping[NoticeKind, NoticeWhen]:
    """What this person wishes otherwise than the house does by itself."""
    rows = session.exec(select(NoticeChoice).where(NoticeChoice.staff_id == staff_id))
    return {row.kind: row.wish for row in rows}


def choose(session: Session, staff_id: int, wishes: Mapping[NoticeKind, NoticeWhen]) -> None:
    for kind, wish in wishes.items():
        session.merge(NoticeChoice(staff_id=staff_id, kind=kind, wish=wish))
    session.flush()


# --- what waits for a person: the questions


def new_ones() -> ColumnElement[bool]:
    """Nobody has taken it, and `Staff` may."""
    return and_(col(Question.state) == QuestionState.NEW, may_work_on())


def mine() -> ColumnElement[bool]:
    return and_(col(Question.state) == QuestionState.TAKEN, col(Question.taken_by) == col(Staff.id), may_work_on())


def waits_for() -> ColumnElement[bool]:
    """To be taken, in hand, or to be approved by `Staff`."""
    return or_(new_ones(), mine(), and_(col(Question.state) == QuestionState.PROPOSED, may_approve()))


def written_after(last: datetime | None) -> ColumnElement[bool]:
    return col(Question.id).is_not(None) if last is None else col(Question.last_message_at) > last


def seen_since() -> ColumnElement[bool]:
    """`Staff` took it after what was written last: they have read it."""
    return (
        select(Audit.id)
        .where(
            Audit.object_kind == "question",
            Audit.object_id == Question.id,
            col(Audit.action).in_(_SEEN),
            Audit.actor_kind == "staff",
            Audit.actor_id == Staff.id,
            col(Audit.at) >= col(Question.last_message_at),
        )
        .correlate(Question, Staff)
        .exists()
    )


def given_after(last: datetime | None) -> ColumnElement[bool]:
    """A colleague made it theirs after `last`."""
    after = [] if last is None else [col(Audit.at) > last]
    return (
        select(Audit.id)
        .where(
            Audit.object_kind == "question",
            Audit.object_id == Question.id,
            Audit.action == "question.assign",
            Audit.actor_id != Staff.id,
            *after,
        )
        .correlate(Question, Staff)
        .exists()
    )


def due_between(after: datetime | None, until: datetime) -> ColumnElement[bool]:
    over = col(Question.due_at) <= until
    return over if after is None else and_(col(Question.due_at) > after, over)


def one_question(session: Session, staff_id: int, *wanted: ColumnElement[bool]) -> bool:
    """Whether there is one for this person."""
    found = select(Question.id).join(Staff, col(Staff.id) == staff_id).where(*wanted).limit(1)
    return session.exec(found).first() is not None


def questions_for(
    session: Session, staff_id: int, *wanted: ColumnElement[bool], limit: int | None = 20
) -> tuple[Sequence[Waiting], int]:
    """The oldest of them and how many there are."""
    here = select(func.count()).select_from(Question).join(Staff, col(Staff.id) == staff_id).where(*wanted)
    organization = (
        select(func.min(Organization.name))
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == Question.referent_id)
        .correlate(Question)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Question.id, organization, Project.title, Question.due_at, Question.last_message_at)  # type: ignore[call-overload]
        .select_from(Question)
        .join(Staff, col(Staff.id) == staff_id)
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .where(*wanted)
        .order_by(col(Question.id))
        .limit(limit)
    )
    return [Waiting(*row) for row in rows], session.execute(here).scalar_one()


# --- the rest


def to_approve(session: Session, staff_id: int, after: datetime | None = None) -> int:
    """How many answers wait that this person may approve."""
    since = [] if after is None else [col(Proposal.created_at) > after]
    found: int = session.execute(
        select(func.count())
        .select_from(Proposal)
        .join(Question, col(Question.id) == col(Proposal.question_id))
        .join(Staff, col(Staff.id) == staff_id)
        .where(Proposal.state == ProposalState.WAITING, may_approve(), *since)
    ).scalar_one()
    return found


def came_back_after(session: Session, staff_id: int, after: datetime | None) -> int:
    """How many answers of this person were returned and wait for them again."""
    wanted = came_back(staff_id)
    wanted = wanted if after is None else wanted.where(col(Proposal.decided_at) > after)
    found: int = session.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
    return found


def mentioned_in(session: Session, staff_id: int, after: datetime | None = None) -> Sequence[int]:
    """The questions in whose notes this person is called upon and has not looked since."""
    since = [] if after is None else [col(Mention.created_at) > after]
    return session.exec(
        select(Message.question_id)
        .join(Mention, col(Mention.message_id) == col(Message.id))
        .where(Mention.staff_id == staff_id, col(Mention.seen_at).is_(None), *since)
        .distinct()
        .order_by(col(Message.question_id))
    ).all()


def stuck_after(session: Session, after: datetime | None) -> bool:
    """Whether a message of ours did not arrive after that, and waits for a person."""
    since = [] if after is None else [col(Audit.at) > after]
    found = (
        select(Audit.id)
        .join(Outbox, col(Outbox.id) == col(Audit.object_id))
        .where(col(Audit.action).in_(STUCK), needs_somebody(), *since)
        .limit(1)
    )
    return session.exec(found).first() is not None
