"""Away from one day to another: a delegation that begins by itself on its day. Words nothing, reminds nobody.

Who has no substitute, or one whom nothing reaches or who is away themselves, goes on being reminded: nobody would be
otherwise. The substitute is asked for again each working morning while the absence lasts.
"""

from datetime import date, datetime

from sqlmodel import Session

from facts.calendar import OFFICE_ZONE, within_working_hours
from facts.languages import N_
from intake.delegation import LONGEST, Actor, NotPossible, delegate, end
from storage import absences, audit, delegations
from storage.tables import Referent


def plan(  # noqa: PLR0913 - who, instead of whom, from when to when
    session: Session,
    referent_id: int,
    substitute_id: int | None,
    first: date,
    last: date,
    *,
    today: date,
    now: datetime,
    by: Actor,
) -> None:
    """Instead of what was planned before. Begins at once when the first day has come. Raises NotPossible."""
    if last < first:
        raise NotPossible(N_("The last day comes before the first one."))
    if not today <= last <= today + LONGEST:
        raise NotPossible(N_("Choose a day from today on, within a year."))
    colleagues = {one.id for one in delegations.colleagues(session, referent_id)}
    written = session.get_one(Referent, referent_id).substitute_id
    if substitute_id not in (None, written, *colleagues):
        raise NotPossible(N_("I do not find this person among your colleagues."))
    held = delegations.held_by(session, referent_id)
    begins = first <= today and substitute_id in colleagues
    if held is not None and not begins:
        end(session, held, now, by=by)
    if begins and substitute_id is not None:
        delegate(session, referent_id, substitute_id, last, today=today, now=now, by=by)
    absences.plan(session, referent_id, substitute_id, first, last)
    audit.record(session, now, by, "absence.plan", ("referent", referent_id), first=f"{first}", last=f"{last}")


def give_up(session: Session, referent_id: int, now: datetime, *, by: Actor) -> bool:
    """They are here again, or go nowhere; False when there was nothing to give up."""
    held, person = delegations.held_by(session, referent_id), session.get_one(Referent, referent_id)
    if held is None and person.away_until is None:
        return False
    if held is not None:
        end(session, held, now, by=by)
    absences.forget(session, referent_id)
    audit.record(session, now, by, "absence.end", ("referent", referent_id))
    return True


def begin_one(session: Session, today: date, now: datetime) -> bool:
    """Begins one whose first day has come; whether there was one. In working hours: the substitute hears of it."""
    if not within_working_hours(now, OFFICE_ZONE):
        return False
    absences.forget_over(session, today)
    found = absences.next_to_begin(session, today)
    if found is None:
        return False
    delegate(session, found.referent_id, found.substitute_id, found.until, today=today, now=now, by=("system", None))
    return True
