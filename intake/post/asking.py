"""What a reminder by mail asks in its block: each obligation with its form and last time's answers. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import escape
from sqlmodel import Session

from facts.calendar import local_date
from facts.languages import N_, Language, Speaker, speaking
from intake.catalogue import Catalogue, InUse
from intake.drafting import Prior, facts_about, filling_of, prior_of
from intake.forms.document import BadDocument
from intake.forms.doubts import Facts
from intake.forms.filling import Filling
from intake.forms.nodes import CHOOSING, About, say
from intake.post.block import Line, Named, block_text, headings, lines_of, shortened
from intake.updates import Concern
from storage.asked import subjects_owed
from storage.drafts import Subject, Work
from storage.forms import newest_of
from storage.obligations import Owed
from storage.tables import DraftKind

MOST_OFFERED = 12  # answers to choose from that are named below a block
NOTHING_NEW = N_("NOTHING NEW")


@dataclass(frozen=True)
class Asked:
    """One obligation of one person. `filling`: with last time's answers; `lines`: none when its form needs the page."""

    owed: Owed
    heading: str
    in_use: InUse
    subject: Subject
    prior: Prior
    facts: Facts
    filling: Filling
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def id(self) -> int:
        return self.owed.obligation.id

    @property
    def concern(self) -> Concern:
        return Concern(self.owed.obligation.project_id, self.owed.obligation.organization_id)


def asked_of(
    session: Session, catalogue: Catalogue, owing: Sequence[Owed], language: Language, now: datetime
) -> list[Asked]:
    """In the same order, those whose form tells of what owes it."""
    subjects = subjects_owed(session, [one.obligation.id for one in owing])
    newest = {form_id: newest_of(session, form_id) for form_id in {one.deadline.form_id for one in owing}}
    names = headings([_named(one) for one in owing])
    found = []
    for one in owing:
        in_use = _form_of(session, catalogue, one, newest[one.deadline.form_id])
        if in_use is not None and one.obligation.id in subjects:
            found.append(_asked(one, names[one.obligation.id], in_use, subjects[one.obligation.id], (language, now)))
    return found


def _named(one: Owed) -> Named:
    if one.project is not None:
        return Named(one.obligation.id, one.project.title, one.project.cup, one.deadline.title)
    assert one.organization is not None, "an obligation is of one or the other"
    return Named(one.obligation.id, one.organization.name, "", one.deadline.title)


def _form_of(session: Session, catalogue: Catalogue, one: Owed, newest: int) -> InUse | None:
    """None for an organisation that owes a form about projects: about which of them, they say on the page."""
    try:
        in_use = catalogue.version(session, one.deadline.form_version_id or newest)
    except BadDocument:
        return None
    return in_use if (in_use.form.about is About.PROJECT) == (one.obligation.project_id is not None) else None


def _asked(one: Owed, heading: str, in_use: InUse, subject: Subject, reader: tuple[Language, datetime]) -> Asked:
    language, now = reader
    zone = one.deadline.zone
    prior = prior_of(in_use.form, subject)
    facts = facts_about(local_date(now, zone), subject, prior)
    begun = filling_of(in_use, blank(one, in_use), prior, now=now, zone=zone, language=language)
    filling = begun.anew({**begun.answers, **last_of(begun, prior)})
    return Asked(one, heading, in_use, subject, prior, facts, filling, lines_of(filling, language))


def blank(one: Owed, in_use: InUse) -> Work:
    """A draft for an obligation, with nothing in it."""
    return Work(
        id=0,
        kind=DraftKind.UPDATE,
        form_version_id=in_use.version_id,
        project_id=one.obligation.project_id,
        question_id=None,
        obligation_id=one.obligation.id,
        answers={},
        step="",
        memory={},
        revision=0,
        sources={},
        organization_id=one.obligation.organization_id,
    )


def last_of(filling: Filling, prior: Prior) -> dict[str, Any]:
    """Last time's answers; files belong to the update with which they came."""
    return {key: value for key, value in prior.answers.items() if not filling.is_enclosing(key)}


# --- said in a mail


def blocks_html(asked: Sequence[Asked], language: Language, *, unchanged: bool) -> list[str]:
    """Paragraphs of a mail in Telegram's HTML: how to reply, and the blocks. `unchanged`: something may be so."""
    _ = speaking(language, html=True)
    able = [one for one in asked if one.lines]
    parts: list[str] = []
    if unchanged:
        parts.append(
            _(
                "<b>Has nothing changed?</b> Reply to this e-mail and write {words} on the first line: nothing else "
                "is needed.",
                words=_(NOTHING_NEW),
            )
        )
    if able:
        parts.append(_how_to_fill_in(_, able))
        parts += [f"<pre>{escape(block_text(one.heading, one.lines))}</pre>" for one in able]
        parts += _offered(_, able)
    unable = [one for one in asked if not one.lines]
    if able and unable:
        names = ", ".join(dict.fromkeys(shortened(one.subject.title) for one in unable))
        parts.append(_("For {names} use your page: more is asked there than fits into an e-mail.", names=names))
    return parts


def _how_to_fill_in(_: Speaker, asked: Sequence[Asked]) -> str:
    """Where nothing was ever answered, there is nothing to correct."""
    if not any(line.text for one in asked for line in one.lines):
        return _("<b>Reply to this e-mail:</b> write your answers below, behind the colons.")
    return _(
        "<b>Has something changed?</b> Reply to this e-mail: correct below what stands behind the colons, and delete "
        "what does not change."
    )


def _offered(_: Speaker, asked: Sequence[Asked]) -> list[str]:
    """What may be chosen, once for all the blocks in which it is asked; a yes and a no need not be said."""
    found: dict[tuple[str, str], str] = {}
    for one in asked:
        form = one.filling.plan.form
        for line in one.lines:
            choices = one.filling.choices(line.item) if line.item.question.type in CHOOSING else ()
            if 2 < len(choices) <= MOST_OFFERED:
                labels = (say(each.label, _.language, form.languages) or each.name for each in choices)
                answers = "; ".join(f"{number}. {label}" for number, label in enumerate(labels, 1))
                found[line.label, answers] = _(
                    "Behind “{label}” write one of these answers, or its number: {answers}.",
                    label=line.label,
                    answers=answers,
                )
    return list(found.values())


def by_id(asked: Sequence[Asked]) -> Mapping[int, Asked]:
    return {one.id: one for one in asked}
