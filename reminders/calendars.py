"""What stands in the calendar that somebody's own programs read: a referent's days, or the office's. Holds no key.

Nothing here says who else owes what to a referent; and nobody's words but ours stand in it.
"""

from collections import Counter
from datetime import date, datetime, timedelta

from sqlmodel import Session

from delivery.calendar_feed import Entry, Feed, Standing
from delivery.calendar_file import name_of
from delivery.links import Links
from facts.calendar import OFFICE_ZONE, local_date
from facts.languages import Language, Speaker, speaking
from reminders.days import about_of, title_of
from storage.feeds import Day, days_for, days_of_all
from storage.obligations import Owed
from storage.tables import ObligationState, Referent, Staff

KEPT = timedelta(days=60)  # what is past or over stays so long, and programs learn what became of it
MOST = 1_000  # days in one calendar; beyond, programs on phones give up


def calendar_of(session: Session, referent: Referent, now: datetime, *, tasks: bool = False) -> Feed:
    """What a referent owes, and has given in the last 60 days, in their language."""
    _ = speaking(Language(referent.language))
    rows = days_for(session, referent.id, _since(now), limit=MOST)
    about = _("What the office expects from you. It updates by itself.")
    return Feed(_("Deadlines of Raccordo"), about, tuple(_own(one, _) for one in rows), tasks)


def calendar_of_staff(
    session: Session, person: Staff, links: Links, now: datetime, *, mine: bool = False, tasks: bool = False
) -> Feed:
    """The days of every deadline, each with how much is awaited. `mine`: what they follow, or where they act."""
    _ = speaking(Language(person.language))
    rows = days_of_all(session, _since(now), limit=MOST, entrusted_to=person.id if mine else None)
    versions = Counter[tuple[int, str]]()
    for one in rows:
        versions[one.deadline.id, one.period] += one.version
    entries = (_of_office(one, versions[one.deadline.id, one.period], links, _) for one in rows)
    name = _("My deadlines at the desk") if mine else _("All deadlines of the desk")
    return Feed(name, _("What the office awaits. It updates by itself."), tuple(entries), tasks)


def _since(now: datetime) -> date:
    return local_date(now, OFFICE_ZONE) - KEPT


def _own(one: Owed, _: Speaker) -> Entry:
    title, state = title_of(one), one.obligation.state
    standing = _standing(state, active=one.deadline.active)
    if state is ObligationState.SENT:
        title = _("Sent: {title}", title=title)
    elif standing is not Standing.OPEN:
        title = _finished(standing, title, _)
    where = _("You send it from your page: the link is in our messages.")
    return Entry(
        name=name_of(one.obligation.id),
        title=title,
        on=one.obligation.due_on,
        sequence=one.obligation.version - 1,
        about="\n".join(filter(None, (about_of(one), where if standing is Standing.OPEN else ""))),
        standing=standing,
        done_at=one.obligation.done_at,
    )


def _standing(state: ObligationState, *, active: bool) -> Standing:
    if state in (ObligationState.DONE, ObligationState.SENT):
        return Standing.DONE
    return Standing.OVER if state is ObligationState.WAIVED or not active else Standing.OPEN


def _of_office(one: Day, version: int, links: Links, _: Speaker) -> Entry:
    """Done when nothing is awaited any more; over when nothing of it was ever given."""
    standing = Standing.OPEN if one.awaited and one.deadline.active else Standing.DONE if one.done else Standing.OVER
    title = one.deadline.title
    return Entry(
        name=f"deadline-{one.deadline.id}-{one.period}-{one.due_on:%Y%m%d}",
        title=title if standing is Standing.OPEN else _finished(standing, title, _),
        on=one.due_on,
        sequence=version,
        about=_(
            "To come in: {waiting}. Done: {done}. Not needed: {waived}.",
            waiting=one.awaited,
            done=one.done,
            waived=one.waived,
        ),
        link=links.desk(f"deadlines/{one.deadline.id}"),
        standing=standing,
    )


def _finished(standing: Standing, title: str, _: Speaker) -> str:
    return _("Done: {title}", title=title) if standing is Standing.DONE else _("Not needed: {title}", title=title)
