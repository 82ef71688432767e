"""Corrects an update that was sent: within a window, or because staff sent it back. What was there before stays known.

Exception
├── TooLate     the window is over; a new update can be sent
└── Overtaken   somebody else has corrected the same answers meanwhile; nothing was changed
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from intake.catalogue import InUse
from intake.drafting import registered
from intake.forms.filling import repetitions_in
from storage import attachments, audit, reports, reviews
from storage.drafts import Work, insert_draft
from storage.tables import AnswerChange, Channel, Draft, DraftKind, DraftState, Obligation, Review, Update

WINDOW = timedelta(days=7)  # from sending; for what was due later, until that day is over

Answers = Mapping[str, Any]


class TooLate(Exception):
    """The window is over."""


class Overtaken(Exception):
    """`answers`: what holds now under the keys that somebody else has corrected meanwhile; None where nothing does."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(f"{len(answers)} answers were corrected meanwhile")
        self.answers = answers


@dataclass(frozen=True, slots=True)
class Corrected:
    """Who corrects, by which door, why."""

    referent_id: int
    channel: Channel
    reason: str
    inbox_id: int | None = None


def may_correct(session: Session, update: Update, now: datetime, zone: str) -> bool:
    """What staff have sent back can always be corrected; what they have accepted cannot."""
    if update.review is not Review.RECEIVED:
        return update.review is Review.RETURNED
    if now - update.received_at <= WINDOW:
        return True
    obligation = session.get(Obligation, update.obligation_id) if update.obligation_id is not None else None
    return obligation is not None and now.astimezone(ZoneInfo(zone)).date() <= obligation.due_on


def begin_correction(  # noqa: PLR0913 - a draft's beginning has as many sides
    session: Session,
    update: Update,
    referent_id: int,
    now: datetime,
    *,
    channel: Channel,
    state: DraftState,
    step: str,
) -> Draft | Work:
    """The draft that corrects an update of theirs: the one that was begun, or a new one with its answers.

    The caller has seen that it is theirs and may be corrected; for OPEN, that nothing else is.
    """
    begun = reviews.correction_of(session, update.id, referent_id)
    if begun is not None:
        return begun
    work = Work(
        id=0,
        kind=DraftKind.UPDATE,
        form_version_id=update.form_version_id,
        project_id=update.project_id,
        question_id=None,
        obligation_id=update.obligation_id,
        answers=dict(update.answers),
        step=step,
        memory={},
        revision=0,
        sources={},
        organization_id=update.organization_id,
        repetitions=repetitions_in(update.answers),
        corrects_id=update.id,
    )
    return insert_draft(session, referent_id, now, work, channel=channel, state=state)


def correct(
    session: Session, draft_id: int, form: InUse, answers: Answers, corrected: Corrected, *, now: datetime
) -> Update:
    """The answers of the draft take the place of those it has changed. Raises TooLate, Overtaken.

    What others have changed since the draft was begun, and this one has not, stays changed.
    """
    draft = session.get_one(Draft, draft_id)
    assert draft.corrects_id is not None, "only a correction corrects"
    update = reviews.find_update(session, draft.corrects_id)
    assert update is not None, "an update is never deleted"
    if update.review is Review.ACCEPTED:
        raise TooLate
    since = reviews.changes_since(session, update.id, draft.created_at)
    mine = _differing(_before(update.answers, since), answers)
    theirs = {one.key for one in since} & {key for key in mine if mine[key] != update.answers.get(key)}
    if theirs:
        raise Overtaken({key: update.answers.get(key) for key in theirs})
    changed = {key: value for key, value in mine.items() if value != update.answers.get(key)}
    _keep(session, update, changed, corrected, now)
    attachments.hand_over(session, draft_id, update_id=update.id)
    reviews.settle_remarks(session, update.id, now)
    if update.obligation_id is not None:
        reports.close_obligation(session, update.obligation_id, now)  # where it was given back
    if update.project_id is not None and reviews.is_newest(session, update):
        reports.refresh_project(session, update.project_id, registered(form.form, update.answers))
    return update


def _before(answers: Answers, since: Sequence[AnswerChange]) -> dict[str, Any]:
    """The answers as they were before these changes."""
    found = dict(answers)
    for one in reversed(since):
        if "value" in one.before:
            found[one.key] = one.before["value"]
        else:
            found.pop(one.key, None)
    return found


def _differing(base: Answers, answers: Answers) -> dict[str, Any]:
    """What is different now, by key; None where there is no answer any more."""
    return {key: answers.get(key) for key in dict.fromkeys((*base, *answers)) if base.get(key) != answers.get(key)}


def _keep(session: Session, update: Update, changed: Answers, corrected: Corrected, now: datetime) -> None:
    for key, value in changed.items():
        session.add(
            AnswerChange(
                update_id=update.id,
                key=key,
                before=_kept(update.answers.get(key)),
                after=_kept(value),
                reason=corrected.reason,
                referent_id=corrected.referent_id,
                channel=corrected.channel,
                inbox_id=corrected.inbox_id,
                created_at=now,
            )
        )
    answers = {key: value for key, value in {**update.answers, **changed}.items() if value is not None}
    update.answers, update.review, update.revision = answers, Review.RECEIVED, update.revision + 1
    update.unchanged = update.unchanged and not changed
    session.add(update)
    session.flush()
    who = ("referent", corrected.referent_id)
    audit.record(session, now, who, "update.change", ("update", update.id), answers=len(changed))


def _kept(value: Any) -> dict[str, Any]:
    return {} if value is None else {"value": value}
