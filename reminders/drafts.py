"""A draft left for a day is recalled once: with how much of it there is, and the ways to go on or to drop it.

In working hours only; not beside a reminder of the same day; checked again at the moment of sending.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from markupsafe import Markup, escape
from sqlmodel import Session

from delivery.callbacks import drop, go_on
from delivery.links import Links
from delivery.outbox import queue_to
from delivery.words import Button, Keyboard, Words
from facts.calendar import OFFICE_ZONE, within_working_hours
from facts.languages import N_, Language, Speaker, speaking
from intake.catalogue import Catalogue
from intake.drafting import progress_of
from storage.attachments import of_draft
from storage.drafts import UNFINISHED, find_draft
from storage.halts import all_stopped, holding_on
from storage.people import organizations_of, own_project
from storage.recalls import RECALL_KEY, claim_left
from storage.tables import Channel, Draft, DraftKind, Organization, Outbox, OutboxKind, Project, Referent

LEFT = timedelta(hours=24)
FORGOTTEN = timedelta(days=14)  # who has not come back by then is not asked any more
LONGEST_TITLE = 120
LONGEST_QUESTION = 300
UNWORDED = Words(html="")  # worded when it is sent

Wording = Callable[[Session, Outbox, datetime], Words | None]

_FORMS = Catalogue()


def recall_one(session: Session, now: datetime) -> bool:
    """Sees to one draft that was left, and queues a message when there is something in it; whether there was one.

    Outside working hours nothing happens, nor while staff have stopped all reminders.
    """
    if not within_working_hours(now, OFFICE_ZONE) or all_stopped(session):
        return False
    draft = claim_left(session, now, left=LEFT, forgotten=FORGOTTEN)
    if draft is None:
        return False
    if _worth(session, draft):
        key = f"{RECALL_KEY}{draft.id}"
        queue_to(session, draft.referent_id, UNWORDED, kind=OutboxKind.RECALL, now=now, dedupe_key=key)
    return True


def word_recall(_links: Links) -> Wording:
    """The wording of `OutboxKind.RECALL` for `delivery/dispatch`.

    None: sent, dropped or touched meanwhile, or staff let this person not be reminded.
    """

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        draft = find_draft(session, int(row.dedupe_key.split(":")[1]))
        referent = None if row.referent_id is None else session.get(Referent, row.referent_id)
        if draft is None or referent is None or not _still_left(session, draft):
            return None
        if holding_on(session, referent_id=referent.id):
            return None
        language = Language(referent.language)
        return _words_for(draft)(session, draft, language, row.channel)

    return word


def _words_for(draft: Draft) -> Callable[[Session, Draft, Language, Channel], Words]:
    if draft.kind is DraftKind.QUESTION:
        return _question
    return _update if draft.answers and (draft.project_id or draft.organization_id) else _files


def _still_left(session: Session, draft: Draft) -> bool:
    touched = draft.recalled_at is None or draft.touched_at >= draft.recalled_at
    return draft.state in UNFINISHED and not touched and _worth(session, draft)


def _worth(session: Session, draft: Draft) -> bool:
    """A question with words, an update with answers or files, of a project that is still theirs or not chosen yet.

    The rest is soon begun anew; so are answers without a project, which are asked again once it is known.
    """
    if draft.kind is DraftKind.QUESTION:
        return bool(draft.answers.get("text"))
    if draft.kind is not DraftKind.UPDATE:
        return False
    if draft.project_id is None and draft.organization_id is None:
        return bool(of_draft(session, draft.id))
    something = draft.answers or of_draft(session, draft.id)
    return bool(something) and _is_theirs(session, draft)


def _is_theirs(session: Session, draft: Draft) -> bool:
    if draft.project_id is not None:
        return own_project(session, draft.referent_id, draft.project_id) is not None
    return draft.organization_id in {one.id for one in organizations_of(session, draft.referent_id)}


def _subject(session: Session, draft: Draft) -> str | None:
    """What it tells of, in a few words; None while that is to be chosen."""
    if draft.project_id is not None:
        return _short(session.get_one(Project, draft.project_id).title, LONGEST_TITLE)
    if draft.organization_id is not None:
        return _short(session.get_one(Organization, draft.organization_id).name, LONGEST_TITLE)
    return None


def _update(session: Session, draft: Draft, language: Language, channel: Channel) -> Words:
    _, plain = speaking(language, html=True), speaking(language)
    title = _subject(session, draft)
    assert title is not None
    assert draft.form_version_id is not None
    form = _FORMS.version(session, draft.form_version_id)
    far = progress_of(form, draft, now=draft.touched_at, zone=OFFICE_ZONE)
    if not far.complete:
        n, total = far.given, far.asked
        how_far = _.ngettext("one answer of {total}", "{n} answers of {total}", n, total=total)
        said = _("You have left the update of <b>{title}</b> half-way: {how_far}.", title=title, how_far=how_far)
    else:
        said = _("Your update of <b>{title}</b> is complete and only waits to be sent.", title=title)
    subject = plain(N_("Update left half-way: {title}"), title=title)
    return Words(_with_way_on(_, said, channel), subject, _buttons(plain, draft, N_("Go on"), channel))


def _files(session: Session, draft: Draft, language: Language, channel: Channel) -> Words:
    """Nothing was answered yet, but something was left that is to go along."""
    _, plain = speaking(language, html=True), speaking(language)
    n, subject = len(of_draft(session, draft.id)), plain(N_("An update was left half-way"))
    title = _subject(session, draft)
    if title is None:
        said = _.ngettext(
            "You have left a file for an update, and its project is still to be chosen.",
            "You have left {n} files for an update, and its project is still to be chosen.",
            n,
        )
    else:
        subject = plain(N_("Update left half-way: {title}"), title=title)
        said = _.ngettext(
            "You have begun the update of <b>{title}</b>: there is one file, and no answer yet.",
            "You have begun the update of <b>{title}</b>: there are {n} files, and no answer yet.",
            n,
            title=title,
        )
    here = _("What you sent is still here.")
    return Words(_with_way_on(_, said, channel, here), subject, _buttons(plain, draft, N_("Go on"), channel))


def _question(_session: Session, draft: Draft, language: Language, channel: Channel) -> Words:
    _, plain = speaking(language, html=True), speaking(language)
    quoted = escape(_short(" ".join(str(draft.answers["text"]).split()), LONGEST_QUESTION))
    said = _("<b>You have written a question and not sent it:</b>") + Markup("\n<blockquote>{}</blockquote>").format(
        quoted
    )
    subject = plain(N_("A question of yours was not sent"))
    return Words(_with_way_on(_, said, channel), subject, _buttons(plain, draft, N_("Send it"), channel))


def _with_way_on(_: Speaker, said: str, channel: Channel, here: str = "") -> str:
    if channel is Channel.TELEGRAM:
        return said + "\n\n" + (here or _("What you wrote is still here."))
    # In a mail there is no going on: what was begun is in the chat, which does not reach them.
    return said + "\n\n" + _("Telegram does not reach you: from your page you can write it to us, the link is below.")


def _buttons(_: Speaker, draft: Draft, onward: str, channel: Channel) -> Keyboard:
    if channel is not Channel.TELEGRAM:
        return ()
    return ((Button(_(onward), data=go_on(draft.id)), Button(_("Drop it"), data=drop(draft.id))),)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
