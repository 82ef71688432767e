"""Says to a person why they got a reminder, or get reminders at all, in the chat and on their page. Sends nothing.

Of their own things only: what is a colleague's, whom they stand in for, is said to be that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from facts.calendar import OFFICE_ZONE, local_date, next_working_instant
from facts.dates import show_date, show_moment
from facts.languages import Speaker
from facts.recurrence_words import said as rule_words
from reminders.choices import closed_for
from storage.asked import first_key
from storage.delegations import lent_projects
from storage.ladder import still_theirs
from storage.obligations import Owed, owed, owed_by
from storage.substitutes import told_in_place_of
from storage.tables import ObligationState, Outbox, Referent
from storage.to_come import coming_to
from storage.why import following_since, told_by

AHEAD = timedelta(days=60)
MOST = 20  # things in one explanation


@dataclass(frozen=True, slots=True)
class Because:
    """One thing they are reminded of, in sentences. `title`: what it is about."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """`about` empty: there is nothing they are reminded of. `instead_of`: whose substitute they are, in this message.

    `by_message`: what one message told; else everything they owe.
    """

    about: Sequence[Because]
    instead_of: str = ""
    by_message: bool = False


@dataclass(frozen=True, slots=True)
class _Theirs:
    """What is known of one person: whose it is, since when, when they are told next."""

    theirs: Collection[int]
    since: Mapping[int, datetime]
    lent: Mapping[int, str]
    next_at: Mapping[int, datetime]


def why(session: Session, referent_id: int, row: Outbox | None, _: Speaker, now: datetime) -> Why:
    """Why this person got that message; without one (or by another's), why they are reminded of what they owe."""
    ids = told_by(session, row) if row is not None and row.referent_id == referent_id else []
    absent = _absent(session, referent_id, row) if ids and row is not None else None
    whose = referent_id if absent is None else absent.id
    about = (
        owed(session, ids) if ids else owed_by(session, referent_id, local_date(now + AHEAD, OFFICE_ZONE), limit=MOST)
    )
    known = _theirs(session, whose, about, now)
    explained = [Because(_title(one), tuple(_sentences(one, known, _, absent is not None))) for one in about[:MOST]]
    return Why(explained, "" if absent is None else absent.name, bool(ids))


def _absent(session: Session, referent_id: int, row: Outbox) -> Referent | None:
    told_for = told_in_place_of(session, first_key(row.dedupe_key))
    return None if told_for in (None, referent_id) else session.get(Referent, told_for)


def _theirs(session: Session, referent_id: int, about: Sequence[Owed], now: datetime) -> _Theirs:
    projects = [one.project.id for one in about if one.project is not None]
    next_at: dict[int, datetime] = {}
    for step in coming_to(session, referent_id, now + AHEAD, 200):
        if step.due_at > now:
            next_at.setdefault(step.obligation_id, next_working_instant(step.due_at, OFFICE_ZONE))
    return _Theirs(
        still_theirs(session, [one.obligation.id for one in about], referent_id),
        following_since(session, referent_id, projects),
        {project: held.referent for project, held in lent_projects(session, referent_id).items()},
        next_at,
    )


def _title(one: Owed) -> str:
    if one.project is not None:
        return one.project.title
    assert one.organization is not None
    return one.organization.name


def _sentences(one: Owed, known: _Theirs, _: Speaker, for_another: bool) -> list[str]:
    due = show_date(one.obligation.due_on, _.language)
    found = [_("The deadline “{title}” asks for an update, due on {day}.", title=one.deadline.title, day=due)]
    if one.deadline.rule:
        found.append(_("It comes again by this rule: {rule}.", rule=rule_words(one.deadline.rule, _)))
    if not for_another:
        found.append(_whose(one, known, _))
    return [*found, _what_comes(one, known, _)]


def _whose(one: Owed, known: _Theirs, _: Speaker) -> str:
    if one.obligation.id not in known.theirs:
        return _("You do not follow it any more.")
    if one.project is None:
        return _("You are a contact of this organisation.")
    if one.project.id in known.lent:
        return _("You answer for it while {name} is away.", name=known.lent[one.project.id])
    since = show_date(local_date(known.since[one.project.id], OFFICE_ZONE), _.language)
    return _("You have followed this project (CUP {cup}) since {day}.", cup=one.project.cup, day=since)


def _what_comes(one: Owed, known: _Theirs, _: Speaker) -> str:
    if one.obligation.state in (ObligationState.DONE, ObligationState.SENT):
        return _("The update is in: nobody reminds you of it any more.")
    if closed_for(one.obligation.state, one.deadline.active) is not None:
        return _("The office has said that it is not needed: nobody reminds you of it any more.")
    if one.obligation.id not in known.next_at:
        return _("No other reminder of it is planned.")
    moment = show_moment(known.next_at[one.obligation.id], _.language, OFFICE_ZONE)
    return _("The next reminder leaves on {moment}, unless the update is in by then.", moment=moment)
