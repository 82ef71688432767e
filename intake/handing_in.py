"""A draft that is sent becomes an update, once, whichever door it is sent by. Refuses one with answers missing."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from intake.catalogue import InUse
from intake.correcting import Corrected, correct
from intake.forms.filling import Filling
from intake.updates import Concern, record_update
from storage.drafts import Work, change_draft
from storage.tables import Channel, DraftState, Update


class DraftMoved(Exception):
    """The draft was changed, or sent, through another door meanwhile."""


class AnswersMissing(Exception):
    """Something that must be answered is not: `filling.missing()` says what."""


@dataclass(frozen=True, slots=True)
class Door:
    """Who sends it, by which channel, and the message of the inbox that said so."""

    referent_id: int
    channel: Channel
    zone: str
    inbox_id: int | None = None


def concern_of(work: Work) -> Concern:
    """What a draft tells of, which has been chosen."""
    return Concern(work.project_id, work.organization_id)


def hand_in(  # noqa: PLR0913 - a draft, as it is seen, and how it is sent
    session: Session,
    work: Work,
    form: InUse,
    filling: Filling,
    door: Door,
    *,
    now: datetime,
    obligation_id: int | None = None,
    unchanged: bool = False,
    reason: str = "",
) -> Update:
    """Raises DraftMoved when it is no longer at `work.revision`, AnswersMissing; of a correction TooLate, Overtaken.

    `reason`: of a correction.
    """
    if filling.missing():
        raise AnswersMissing
    if work.corrects_id is not None:
        corrected = Corrected(door.referent_id, door.channel, reason, door.inbox_id)
        update = correct(session, work.id, form, filling.kept, corrected, now=now)
    if not change_draft(session, work.id, work.revision, now, state=DraftState.SENT):
        raise DraftMoved(work.id)
    if work.corrects_id is not None:
        return update
    return record_update(
        session,
        referent_id=door.referent_id,
        about=concern_of(work),
        form=form,
        answers=filling.kept,
        channel=door.channel,
        now=now,
        draft_id=work.id,
        inbox_id=door.inbox_id,
        obligation_id=obligation_id or work.obligation_id,
        unchanged=unchanged,
        zone=door.zone,
    )
