"""A circular and the people it is for. All invented."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from answering import circular_sending, circulars
from answering.circulars import Written
from storage.recipients import Wanted
from storage.tables import Addressee, Circular, Outbox, Referent, Role, Staff
from tests.cast import Cast

WRITTEN = Written("Avviso per {nome}", "Buongiorno {nome},\n\nchiudiamo il 7 dicembre. Progetti: {progetti}.")


def an_officer(cast: Cast, name: str = "Olga Officer", role: Role = Role.OFFICER) -> Staff:
    return cast.a_staff(name, role)


def a_circular(
    cast: Cast, people: Sequence[Referent], written: Written = WRITTEN, *, by: Staff | None = None
) -> Circular:
    """A draft for these people."""
    author = by or an_officer(cast, "Vera Volunteer", Role.VOLUNTEER)
    wanted = Wanted(added=tuple(one.id for one in people))
    return circulars.begin(cast.session, author.id, written, now=cast.now, wanted=wanted)


def being_sent(cast: Cast, people: Sequence[Referent], written: Written = WRITTEN) -> Circular:
    """Confirmed, and nothing queued yet."""
    circular, officer = a_circular(cast, people, written), an_officer(cast)
    circular_sending.confirm(
        cast.session, circular.id, officer.id, version=circular.version, people=len(people), now=cast.now
    )
    cast.session.refresh(circular)
    return circular


def queue_all(cast: Cast) -> int:
    """As the clock does, until there is nothing to do; how many times."""
    times = 0
    while circular_sending.queue_some(cast.session, cast.now):
        times += 1
    return times


def outgoing(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).order_by(col(Outbox.id)).execution_options(populate_existing=True)))


def reasons(session: Session) -> dict[int, str]:
    """By referent, why they were not told."""
    rows = session.exec(select(Addressee).execution_options(populate_existing=True))
    return {one.referent_id: one.why_not for one in rows}
