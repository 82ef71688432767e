"""Who was told what, or was not, looked for by project, organisation, person, deadline and day. Only looks.

Of the reminders: what was decided at the steps of a ladder, and what was to be told again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlmodel import Session, col

from storage.obligations import Owed, owed
from storage.sendings import Message, messages
from storage.tables import Decision, Obligation, Outbox, OutboxKind, Place, Project, Snooze, Step
from storage.timelines import Decided, ToldAgain, decisions, told_again

MOST_TOLD = 10_000  # rows of one search: beyond them it is narrowed
_STEP, _SNOOZE = "step", "snooze"


@dataclass(frozen=True, slots=True)
class TellingFilter:
    """Every part that is given must fit. None: anything; an empty collection: nothing. `until` is not included."""

    projects: Collection[int] | None = None
    people: Collection[int] | None = None
    organization_id: int | None = None
    deadline_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether it names something: by days alone all that was ever decided would be read."""
        named = (self.projects, self.people, self.organization_id, self.deadline_id)
        return any(one is not None for one in named)


@dataclass(frozen=True, slots=True)
class Telling:
    """One decision, with what it is about and the message that told it: the mail in its place, where there is one."""

    told: Decided | ToldAgain
    about: Owed
    message: Message | None


def tellings_page(session: Session, wanted: TellingFilter, *, limit: int, offset: int) -> tuple[list[Telling], int]:
    """The newest first, and how many there are; of more than MOST_TOLD that many."""
    both = _found(wanted)
    total = session.execute(select(func.count()).select_from(select(both).limit(MOST_TOLD).subquery())).scalar_one()
    newest = select(both.c.kind, both.c.id).order_by(both.c.at.desc(), both.c.kind, both.c.id.desc())
    rows = [(row[0], row[1]) for row in session.execute(newest.limit(min(limit, MOST_TOLD)).offset(offset))]
    return _with_all(session, rows), total


def reminder_message(session: Session, outbox_id: int) -> Outbox | None:
    """A message that reminded somebody; None for any other."""
    row = session.get(Outbox, outbox_id)
    return row if row is not None and row.kind is OutboxKind.REMINDER else None


def bodies_of(session: Session, outbox_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What each of these messages says."""
    if not outbox_ids:
        return {}
    rows = session.execute(select(col(Outbox.id), col(Outbox.body)).where(col(Outbox.id).in_(outbox_ids)))
    return {row[0]: row[1] for row in rows}


def _found(wanted: TellingFilter) -> Any:
    steps: Any = (
        select(literal(_STEP).label("kind"), col(Decision.id).label("id"), col(Decision.decided_at).label("at"))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(*_conditions(wanted, col(Decision.referent_id), col(Decision.decided_at)))
    )
    again: Any = (
        select(literal(_SNOOZE), col(Snooze.id), col(Snooze.decided_at))
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .where(
            col(Snooze.decided_at).is_not(None),
            *_conditions(wanted, col(Snooze.referent_id), col(Snooze.decided_at)),
        )
    )
    return union_all(steps, again).subquery()


def _conditions(wanted: TellingFilter, person: Any, at: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.projects is not None:
        found.append(col(Obligation.project_id).in_(wanted.projects))
    if wanted.people is not None:
        found.append(person.in_(wanted.people))
    if wanted.organization_id is not None:
        found.append(_of_body(wanted.organization_id))
    if wanted.deadline_id is not None:
        found.append(col(Obligation.deadline_id) == wanted.deadline_id)
    if wanted.since is not None:
        found.append(at >= wanted.since)
    if wanted.until is not None:
        found.append(at < wanted.until)
    return found


def _of_body(organization_id: int) -> ColumnElement[bool]:
    """It owes, carries out the project, or the project stands on its ground."""
    places = select(col(Place.project_id)).where(col(Place.organization_id) == organization_id)
    theirs = select(col(Project.id)).where(
        or_(col(Project.implementing_body_id) == organization_id, col(Project.id).in_(places))
    )
    return or_(col(Obligation.organization_id) == organization_id, col(Obligation.project_id).in_(theirs))


def _with_all(session: Session, rows: list[tuple[str, int]]) -> list[Telling]:
    by_key: dict[tuple[str, int], Decided | ToldAgain] = {}
    for one in decisions(session, ids=[number for kind, number in rows if kind == _STEP]):
        by_key[_STEP, one.id] = one
    for again in told_again(session, ids=[number for kind, number in rows if kind == _SNOOZE]):
        by_key[_SNOOZE, again.id] = again
    about = {one.obligation.id: one for one in owed(session, list({told.obligation_id for told in by_key.values()}))}
    sent: dict[int, Message] = {}
    for message in messages(session, {told.outbox_id for told in by_key.values() if told.outbox_id is not None}):
        sent[message.instead_of or message.id] = message  # the mail comes after what it stands in for
    found = [by_key[row] for row in rows if row in by_key]
    return [Telling(told, about[told.obligation_id], sent.get(told.outbox_id or 0)) for told in found]
