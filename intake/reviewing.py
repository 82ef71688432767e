"""What staff make of an update: accepted, or sent back with remarks on single answers. Once, by whoever is first.

Exception
├── MovedOn      it was corrected, or reviewed by somebody else, since the page was read
└── NobodyThere  its referent is gone: there is nobody to send it back to
"""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from delivery.callbacks import resume
from delivery.outbox import queue_to
from delivery.words import PERSONAL_PAGE, Button, Words
from facts.calendar import next_morning
from facts.languages import N_, Language, speaking
from intake.catalogue import InUse
from intake.correcting import begin_correction
from intake.drafting import label_of
from intake.forms.nodes import Question
from storage import acceptance, audit, reviews
from storage.acts import whom_they_concern
from storage.snoozes import snooze
from storage.tables import (
    Again,
    Channel,
    DraftState,
    Organization,
    OutboxKind,
    Project,
    Referent,
    Remark,
    Review,
    Update,
)

LONGEST_REMARK = 1000


class MovedOn(Exception):
    """Read it again."""


class NobodyThere(Exception):
    """Nobody is left who could answer."""


def accept(session: Session, update_id: int, revision: int, *, by: int, now: datetime) -> None:
    """Raises MovedOn."""
    values = {"review": Review.ACCEPTED, "reviewed_by": by, "reviewed_at": now}
    if not reviews.change_update(session, update_id, revision, **values):
        raise MovedOn
    obligation_id = reviews.fulfilled_by(session, update_id)
    if obligation_id is not None:
        acceptance.accepted(session, obligation_id, now)
    audit.record(session, now, ("staff", by), "update.accept", ("update", update_id))


def reopen(session: Session, update_id: int, revision: int, *, by: int, now: datetime) -> None:
    """An acceptance taken back. Raises MovedOn."""
    values = {"review": Review.RECEIVED, "reviewed_by": None, "reviewed_at": None}
    if not reviews.change_update(session, update_id, revision, **values):
        raise MovedOn
    obligation_id = reviews.fulfilled_by(session, update_id)
    if obligation_id is not None:
        acceptance.waits_again(session, obligation_id)
    audit.record(session, now, ("staff", by), "update.reopen", ("update", update_id))


def give_back(
    session: Session, update: Update, form: InUse, remarks: Mapping[str, str], *, by: int, now: datetime
) -> None:
    """Its referent is asked just for those answers, in their channel. Raises MovedOn, NobodyThere."""
    referent = session.get(Referent, update.referent_id) if update.referent_id is not None else None
    if referent is None:
        raise NobodyThere
    values = {"review": Review.RETURNED, "reviewed_by": by, "reviewed_at": now}
    if not reviews.change_update(session, update.id, update.revision, **values):
        raise MovedOn
    for key, text in remarks.items():
        session.add(Remark(update_id=update.id, key=key, text=text, staff_id=by, created_at=now))
    session.flush()
    draft = begin_correction(
        session,
        update,
        referent.id,
        now,
        channel=Channel.WEB,
        state=DraftState.PARKED,
        step=next(iter(remarks)),
    )
    words = _asking(session, update, form, remarks, (referent, draft.id))
    key = f"returned:{update.id}:{update.revision + 1}"
    queue_to(session, referent.id, words, kind=OutboxKind.NOTICE, now=now, dedupe_key=key)
    if update.obligation_id is not None:
        _owed_again(session, update.obligation_id, now)
    audit.record(session, now, ("staff", by), "update.return", ("update", update.id), remarks=len(remarks))


def _owed_again(session: Session, obligation_id: int, now: datetime) -> None:
    """What was to be accepted is open again, and its ladder goes on. Where no step is left, they hear once more."""
    if not acceptance.owed_again(session, obligation_id) or not acceptance.steps_are_over(session, obligation_id):
        return
    for referent_id in whom_they_concern(session, [obligation_id]):
        snooze(session, referent_id, [obligation_id], Again.RESUMED, next_morning(now), now)


def _asking(
    session: Session, update: Update, form: InUse, remarks: Mapping[str, str], whom: tuple[Referent, int]
) -> Words:
    referent, draft_id = whom
    language = Language(referent.language)
    _, plain = speaking(language, html=True), speaking(language)
    subject = _subject(session, update)
    lines = [
        _(
            "The office has read your update no. {n} of <b>{title}</b> and asks you about it:",
            n=update.id,
            title=subject,
        )
    ]
    for key, text in remarks.items():
        question = form.form.at(key)
        label = label_of(form.form, key, question, language) if isinstance(question, Question) else key
        lines.append(_("• <b>{question}</b>: {remark}", question=label, remark=text))
    just_this = _("You only have to answer this; the rest stays as you sent it.")
    return Words(
        html="\n".join(map(str, [*lines, "", just_this])),
        subject=plain(N_("A question about your update no. {n}"), n=update.id),
        buttons=(
            (Button(plain(N_("Answer now")), data=resume(draft_id)),),
            (Button(plain(N_("🌐 Answer on the web")), url=f"{PERSONAL_PAGE}/drafts/{draft_id}"),),
        ),
    )


def _subject(session: Session, update: Update) -> str:
    if update.project_id is not None:
        return session.get_one(Project, update.project_id).title
    return session.get_one(Organization, update.organization_id).name
