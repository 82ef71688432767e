""" "My substitute answers until…": begins and ends delegations, and has both told. Reminds nobody, words nothing.

The substitute follows the absent one's projects for so long, and sees and answers them everywhere; what concerns no
organisation of the substitute's stays with the absent one. What they stand in for they cannot hand on: while a
substitute is away themselves, the reminders go to the one for whom they stand in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlmodel import Session

from facts.calendar import OFFICE_ZONE, local_date, next_working_instant
from facts.dates import show_date
from facts.languages import N_, Language
from intake import delegation_notices as notices
from storage import absences, audit, delegations, lending
from storage.delegations import Held
from storage.tables import Delegation, Referent

LONGEST = timedelta(days=366)

Actor = tuple[str, int | None]


class NotPossible(Exception):
    """Said to whoever asked: `sentence` is a msgid, `values` fill it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values


def delegate(  # noqa: PLR0913 - who, instead of whom, until when
    session: Session,
    referent_id: int,
    substitute_id: int,
    until: date,
    *,
    today: date,
    now: datetime,
    by: Actor | None = None,
) -> Held:
    """Until the end of that local day. One at a time: an earlier one ends. Raises NotPossible.

    `by`: who says so, when it is not the absent one.
    """
    by = by or ("referent", referent_id)
    if not today <= until <= today + LONGEST:
        raise NotPossible(N_("Choose a day from today on, within a year."))
    if substitute_id not in {one.id for one in delegations.colleagues(session, referent_id)}:
        raise NotPossible(N_("I do not find this person among your colleagues."))
    _refuse_absent(session, referent_id, substitute_id)
    earlier = delegations.held_by(session, referent_id)
    if earlier is not None:
        _take_back(session, earlier, now, by)
    row = Delegation(referent_id=referent_id, substitute_id=substitute_id, until=until, created_at=now)
    session.add(row)
    session.flush()
    lending.hand_over(session, row)
    audit.record(session, now, by, "delegation.begin", ("delegation", row.id))
    held = delegations.held_by(session, referent_id)
    assert held is not None
    notices.tell_begun(session, held, now)
    for one in delegations.standing_in(session, referent_id):
        notices.tell_alone(session, one, held, now)
    return held


def _refuse_absent(session: Session, referent_id: int, substitute_id: int) -> None:
    """Two who stand in for each other would hear nothing at all."""
    theirs = delegations.held_by(session, substitute_id)
    if theirs is not None:
        language = Language(session.get_one(Referent, referent_id).language)
        raise NotPossible(
            N_("{name} is away too, until {day}: choose somebody else."),
            name=theirs.referent,
            day=show_date(theirs.until, language),
        )


def end(session: Session, held: Held, now: datetime, *, by: Actor, apart: bool = False) -> bool:
    """Gives the projects back and tells both, but not whoever ends it; False when it was over already.

    `by`: who ends it, as in the audit. `apart`: because they have no organisation in common any more.
    """
    if not _take_back(session, held, now, by, apart=apart):
        return False
    for one in delegations.standing_in(session, held.referent_id):
        notices.tell_here(session, one, held, now, after=_when(now, by))
    return True


def dissolve(session: Session, held: Held, leaver_id: int, now: datetime, *, by: Actor) -> None:
    """One of the two is no contact any more: only an absent one whose substitute goes is told, here."""
    if not lending.take_back(session, held.id, now):
        return
    dropped = lending.drop_drafts(session, held.substitute_id, now)
    audit.record(session, now, by, "delegation.end", ("delegation", held.id), dropped_drafts=len(dropped))
    if leaver_id == held.substitute_id:
        notices.tell_back(session, held, notices.Why.OVER, now, after=now)


def _take_back(session: Session, held: Held, now: datetime, by: Actor, *, apart: bool = False) -> bool:
    if not lending.take_back(session, held.id, now):
        return False
    if by[0] != "system":  # ended early: it is not to begin again tomorrow
        absences.forget_begun(session, held.referent_id, local_date(now, OFFICE_ZONE))
    dropped = lending.drop_drafts(session, held.substitute_id, now)
    audit.record(session, now, by, "delegation.end", ("delegation", held.id), dropped_drafts=len(dropped))
    declined = by == ("referent", held.substitute_id)
    if not declined:
        notices.tell_over(session, held, dropped, now, after=_when(now, by))
    if by != ("referent", held.referent_id):
        why = notices.Why.DECLINED if declined else notices.Why.APART if apart else notices.Why.OVER
        notices.tell_back(session, held, why, now, after=_when(now, by))
    return True


def _when(now: datetime, by: Actor) -> datetime:
    """By itself it ends at midnight, and nobody is to be woken for it."""
    return next_working_instant(now, OFFICE_ZONE) if by[0] == "system" else now


def end_one(session: Session, today: date, now: datetime) -> bool:
    """Ends one whose last day is behind us; whether there was one. Both read it when the office opens."""
    held = delegations.next_over(session, today)
    return held is not None and end(session, held, now, by=("system", None))


@contextmanager
def fitted(session: Session, referent_id: int, now: datetime, *, by: Actor) -> Iterator[None]:
    """Around a change of somebody's organisations or projects: what they lend or are lent is fitted to it.

    Who is no colleague any more stands in no more. Both are told what is different.
    """
    before = [
        (held, lending.handed(session, held.id), lending.followed(session, held.substitute_id))
        for held in delegations.held_with(session, referent_id)
    ]
    yield
    for held, lent, followed in before:
        if not delegations.share_an_organization(session, held.referent_id, held.substitute_id):
            end(session, held, now, by=by, apart=True)
            continue
        lending.fit(session, held.id)
        lost = lent - lending.followed(session, held.substitute_id)
        gained = lending.handed(session, held.id) - followed
        if lost or gained:
            dropped = lending.drop_drafts(session, held.substitute_id, now)
            notices.tell_changed(session, held, notices.Change(lost, gained, dropped), now)
