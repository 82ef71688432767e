"""Two registrations of one person become one: who stays gets everything of the other. Merges nobody by itself.

Old links to the personal page lead to who stays; what stood open under both names is resolved (`storage/merging.py`).
Somebody has one chat: of two, that of who stays goes on, if it works, and the other is told as when a phone is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from facts.languages import N_
from intake.delegation import end, fitted
from intake.invitations import link_chat
from registry.report import RegistryRefused
from storage import audit, delegations, lending, merging
from storage.tables import Address, Referent

PHOTOS = N_("Photos of theirs are coming in this very moment. Try again in a minute.")


class NotThere(LookupError):
    """One of the two is not there, or no more, or they are the same."""


@dataclass(frozen=True, slots=True)
class Merged:
    referent: Referent
    moved: dict[str, int]


def merge(session: Session, gone_id: int, stays_id: int, *, by: int, now: datetime) -> Merged:
    """Everything of `gone_id` becomes that of `stays_id`, in the caller's transaction.

    Raises NotThere, or RegistryRefused with the sentence to show.
    """
    gone, stays = session.get(Referent, gone_id), session.get(Referent, stays_id)
    if gone is None or stays is None or gone_id == stays_id:
        raise NotThere(gone_id)
    if merging.album_open(session, gone_id, stays_id):
        raise RegistryRefused(PHOTOS)
    substitute_id, away = gone.substitute_id, (gone.away_from, gone.away_until)
    _end_absences(session, gone_id, stays_id, by, now)
    if not merging.claim(session, gone_id, stays_id):
        raise NotThere(gone_id)
    chats = _chats(session, stays_id, gone_id)
    with fitted(session, stays_id, now, by=("staff", by)):
        moved = merging.move_all(session, gone_id, stays_id, now)
        lending.hand_over_more(session, stays_id)
        lending.hand_over_again(session, stays_id)
    _keep_substitute(session, stays, substitute_id, away)
    if len(chats) > 1:
        link_chat(session, stays_id, chats[0], now)
    audit.record(session, now, ("staff", by), "referent.merge", ("referent", gone_id), into=stays_id, moved=moved)
    return Merged(stays, moved)


def _end_absences(session: Session, gone_id: int, stays_id: int, by: int, now: datetime) -> None:
    between = set(merging.held_between(session, gone_id, stays_id))
    for held in [*delegations.held_with(session, gone_id), *delegations.held_with(session, stays_id)]:
        if held.id in between:
            end(session, held, now, by=("staff", by))


def _chats(session: Session, stays_id: int, gone_id: int) -> Sequence[str]:
    """The one that goes on first."""
    both: list[Address] = [*merging.telegram_of(session, stays_id), *merging.telegram_of(session, gone_id)]
    both.sort(key=lambda one: one.unreachable_since is not None)  # stable: who stays comes first
    return [one.value for one in both]


def _keep_substitute(
    session: Session, stays: Referent, substitute_id: int | None, away: tuple[date | None, date | None]
) -> None:
    """The substitute of the other, when there is none and it is not one of the two; the absence they planned, too."""
    session.refresh(stays)
    if stays.substitute_id is None and substitute_id not in (None, stays.id):
        stays.substitute_id = substitute_id
    if stays.away_until is None:
        stays.away_from, stays.away_until = away
    session.add(stays)
    session.flush()
