""" "My substitute answers until…": begins and ends delegations, and tells both. Reminds nobody.

The substitute follows the absent one's projects for so long, and sees and answers them everywhere. What they stand in
for they cannot hand on.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from delivery.outbox import queue_to
from delivery.words import Words
from facts.calendar import OFFICE_ZONE, next_working_instant
from facts.dates import show_date
from facts.languages import N_, Language, speaking
from storage import audit, delegations
from storage.delegations import Held
from storage.tables import Delegation, OutboxKind, Referent

LONGEST = timedelta(days=366)


class NotPossible(Exception):
    """Said to whoever asked: `sentence` is a msgid."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def delegate(
    session: Session, referent_id: int, substitute_id: int, until: date, *, today: date, now: datetime
) -> Held:
    """Until the end of that local day. One at a time: an earlier one ends. Raises NotPossible."""
    if not today <= until <= today + LONGEST:
        raise NotPossible(N_("Choose a day from today on, within a year."))
    if substitute_id not in {one.id for one in delegations.colleagues(session, referent_id)}:
        raise NotPossible(N_("I do not find this person among your colleagues."))
    earlier = delegations.held_by(session, referent_id)
    if earlier is not None:
        end(session, earlier, now, by=("referent", referent_id))
    row = Delegation(referent_id=referent_id, substitute_id=substitute_id, until=until, created_at=now)
    session.add(row)
    session.flush()
    delegations.hand_over(session, row)
    audit.record(session, now, ("referent", referent_id), "delegation.begin", ("delegation", row.id))
    held = delegations.held_by(session, referent_id)
    assert held is not None
    _tell(session, held, held.substitute_id, _BEGUN, "begun", now)
    return held


def end(session: Session, held: Held, now: datetime, *, by: tuple[str, int | None]) -> bool:
    """Gives the projects back and tells both; False when it was over already. `by`: who ends it, as in the audit."""
    if not delegations.take_back(session, held.id, now):
        return False
    dropped = delegations.drop_drafts(session, held.substitute_id, now)
    audit.record(session, now, by, "delegation.end", ("delegation", held.id), dropped_drafts=len(dropped))
    # By itself it ends at midnight, and nobody is to be woken for it.
    when = next_working_instant(now, OFFICE_ZONE) if by[0] == "system" else now
    _tell(session, held, held.substitute_id, _OVER, "over", now, after=when, dropped=dropped)
    if by != ("referent", held.referent_id):
        _tell(session, held, held.referent_id, _BACK, "back", now, after=when)
    return True


def end_one(session: Session, today: date, now: datetime) -> bool:
    """Ends one whose last day is behind us; whether there was one. Both read it when the office opens."""
    held = delegations.next_over(session, today)
    return held is not None and end(session, held, now, by=("system", None))


_BEGUN = N_(
    "You stand in for <b>{absent}</b> until {day}: you also follow their projects, and their reminders come to you. "
    "You find them with /progetti and /scadenze."
)
_OVER = N_("You no longer stand in for <b>{absent}</b>: their projects are theirs again. Thank you!")
_BACK = N_("<b>{substitute}</b> no longer stands in for you: your reminders come to you again.")


_DROPPED = N_("What you had begun there and not sent I have dropped: {titles}.")


def _tell(  # noqa: PLR0913 - to whom, what, when
    session: Session,
    held: Held,
    referent_id: int,
    msgid: str,
    what: str,
    now: datetime,
    *,
    after: datetime | None = None,
    dropped: Sequence[str] = (),
) -> None:
    language = Language(session.get_one(Referent, referent_id).language)
    _ = speaking(language, html=True)
    said = _(msgid, absent=held.referent, substitute=held.substitute, day=show_date(held.until, language))
    if dropped:
        said += "\n\n" + _(_DROPPED, titles=", ".join(dropped))
    words = Words(said, subject=speaking(language)(N_("Standing in for a colleague")))
    key = f"delegation:{held.id}:{what}"
    queue_to(session, referent_id, words, kind=OutboxKind.NOTICE, now=now, dedupe_key=key, after=after)
