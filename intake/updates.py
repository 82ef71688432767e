"""Records updates, from any door: closes at most one obligation each. Checks no answer: the form has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from delivery.outbox import queue_to
from delivery.words import Words
from facts.languages import N_, Language, speaking
from intake.catalogue import InUse
from intake.drafting import registered
from storage import attachments, audit, reports
from storage.drafts import drafts_overtaken
from storage.tables import Channel, Deadline, Obligation, OutboxKind, Project, Referent, Update


@dataclass(frozen=True, slots=True)
class Concern:
    """What an update concerns: one project, or one organisation."""

    project_id: int | None = None
    organization_id: int | None = None


def fitting_obligations(
    session: Session, about: Concern, form_id: int, referent_id: int, today: date
) -> list[Obligation]:
    """The open obligations that an update would fulfil today, the oldest first."""
    return [obligation for obligation, _deadline in owed(session, about, form_id, referent_id, today)]


def owed(
    session: Session, about: Concern, form_id: int, referent_id: int, today: date
) -> Sequence[tuple[Obligation, Deadline]]:
    """The same, with the deadlines that ask for them."""
    if about.project_id is not None:
        return reports.open_obligations(session, about.project_id, form_id, referent_id, opened_by=today)
    assert about.organization_id is not None, "an update tells of something"
    return reports.owed_for_organization(session, about.organization_id, form_id, opened_by=today)


def record_update(  # noqa: PLR0913 - what came in, from whom, by which door
    session: Session,
    *,
    referent_id: int,
    about: Concern,
    form: InUse,
    answers: dict[str, Any],
    channel: Channel,
    now: datetime,
    draft_id: int | None = None,
    inbox_id: int | None = None,
    obligation_id: int | None = None,
    unchanged: bool = False,
    zone: str = "Europe/Rome",
) -> Update:
    """Keeps an update, closes the obligation it fulfils, repeats its answers on the project, tells colleagues.

    The obligation: the one that was chosen, if it is still open; when none was chosen, the oldest open
    one whose window is open. `obligation_id` of the result says which, None when none was closed.
    """
    update = Update(
        project_id=about.project_id,
        organization_id=about.organization_id,
        referent_id=referent_id,
        form_version_id=form.version_id,
        draft_id=draft_id,
        inbox_id=inbox_id,
        channel=channel,
        answers=answers,
        unchanged=unchanged,
        received_at=now,
    )
    fitting = fitting_obligations(session, about, form.form_id, referent_id, now.astimezone(ZoneInfo(zone)).date())
    update.obligation_id = _close_one(session, fitting, obligation_id, now)
    session.add(update)
    session.flush()
    if draft_id is not None:
        attachments.hand_over(session, draft_id, update_id=update.id)
    if about.project_id is not None:
        reports.refresh_project(session, about.project_id, registered(form.form, answers))
    _record(session, update)
    _tell_colleagues(session, update, form.form_id, now)
    return update


def _record(session: Session, update: Update) -> None:
    audit.record(
        session,
        update.received_at,
        ("referent", update.referent_id),
        "update.receive",
        ("update", update.id),
        project=update.project_id,
        organization=update.organization_id,
        obligation=update.obligation_id,
    )


def _close_one(session: Session, fitting: Sequence[Obligation], chosen: int | None, now: datetime) -> int | None:
    """Closes the chosen one, else the oldest; a colleague may be quicker, then the next oldest."""
    for obligation in fitting:
        wanted = chosen is None or obligation.id == chosen
        if wanted and reports.close_obligation(session, obligation.id, now):
            return obligation.id
    return None


def _tell_colleagues(session: Session, update: Update, form_id: int, now: datetime) -> None:
    """Whoever was filling in the same learns that it has arrived; their draft stays theirs to send or drop."""
    assert update.referent_id is not None
    if update.project_id is None:
        return  # needs of an organisation are many, and each is told by itself
    overtaken = drafts_overtaken(session, update.project_id, form_id, update.referent_id)
    if not overtaken:
        return
    sender = session.get_one(Referent, update.referent_id)
    project = session.get_one(Project, update.project_id)
    for draft_id, colleague_id in overtaken:
        colleague = session.get_one(Referent, colleague_id)
        words = _already_sent(Language(colleague.language), sender.name, project.title)
        key = f"overtaken:{update.id}:{draft_id}"
        queue_to(session, colleague_id, words, kind=OutboxKind.NOTICE, now=now, dedupe_key=key)


def _already_sent(language: Language, sender: str, title: str) -> Words:
    _ = speaking(language, html=True)
    return Words(
        html=_(
            "{sender} has just sent the update on <b>{title}</b> that you were also filling in. "
            "You need not finish yours, unless you have something to add.",
            sender=sender,
            title=title,
        ),
        subject=speaking(language)(N_("Update already sent: {title}"), title=title),
    )
