"""What is answered to a reply that held an update: everything that was understood, everything that was not. Pure.

No key to a page stands in it: the buttons have `words.PERSONAL_PAGE`, and the key is made when the mail leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from delivery.words import PERSONAL_PAGE, Button, Words
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_, Language, Speaker, speaking
from intake.drafting import label_of
from intake.forms.filling import Filling, Item
from intake.forms.nodes import QuestionType
from intake.forms.outcomes import Sentence
from intake.forms.standing import is_empty
from intake.forms.values import leading, show
from intake.post.block import block_text, shortened
from intake.post.filled_drafts import Kept
from intake.post.nothing_new import Unchanged, Why
from storage.tables import Question

SHOWN = 300  # characters of an answer
MOST_ANSWERS = 40
MOST_BESIDES = 600  # characters


@dataclass(frozen=True)
class Summary:
    """What became of a reply. `foreign`: headings of what is not theirs; `question`: what its other words became.

    `files`: how many came with it; `with_title`: with what they go.
    """

    kept: Sequence[Kept] = ()
    unchanged: Sequence[Unchanged] = ()
    foreign: Sequence[str] = ()
    besides: str = ""
    question: Question | None = None
    files: int = 0
    with_title: str = ""


def summary_words(summary: Summary, subject: str, language: Language, zone: str) -> Words:
    """The mail, with a button for each thing that waits for its reader."""
    _ = speaking(language, html=True)
    said, plain = _Says(_, zone), speaking(language)
    parts = [said.lead(summary)]
    for kept in summary.kept:
        parts += said.draft(kept)
    parts += said.unchanged(summary.unchanged)
    parts += [
        _(
            "“{heading}” is not among your projects, or I did not ask about it: what stands there was not taken.",
            heading=heading,
        )
        for heading in summary.foreign
    ]
    parts += said.besides(summary)
    buttons = [*_draft_buttons(plain, summary), *_unchanged_buttons(plain, summary.unchanged)]
    if summary.kept:
        parts += said.how_to_correct(summary.kept)
    return Words("\n\n".join(parts), subject, tuple((one,) for one in buttons))


@dataclass(frozen=True, slots=True)
class _Says:
    _: Speaker
    zone: str

    def lead(self, summary: Summary) -> str:
        _ = self._
        if summary.kept:
            return _(
                "<b>I have read your update: one step is missing.</b> Look at it, and confirm it with the link. Until "
                "you do, the office does not receive it."
            )
        if any(one.update is not None for one in summary.unchanged):
            return _("<b>Received: nothing has changed.</b>")
        return _("<b>Nothing was recorded.</b>")

    # --- a draft

    def draft(self, kept: Kept) -> list[str]:
        """What it says, what is not understood, what is implausible, what is missing."""
        _, asked = self._, kept.begun.asked
        parts = [f"<b>{escape(asked.heading)}</b>\n" + "\n".join(self._answers(kept))]
        if kept.taken.unread:
            lines = [
                _("{label} you wrote “{text}”.", label=leading(one.label), text=_cut(one.text, SHOWN))
                + " "
                + self._say(one.sentence)
                for one in kept.taken.unread
            ]
            parts.append("\n".join([_("<b>Not understood</b>"), *lines]))
        if kept.doubts:
            lines = [f"{leading(self._label(kept.filling, one))} {self._say(doubt)}" for one, doubt in kept.doubts]
            parts.append("\n".join([_("<b>To be confirmed</b>"), *lines]))
        if kept.missing:
            lines = [self._label(kept.filling, one) for one in kept.missing]
            parts.append("\n".join([_("<b>Still missing</b>"), *lines]))
        if kept.taken.idle:
            names = ", ".join(kept.taken.idle)
            parts.append(_("Not asked, because of what else you answered: {names}.", names=names))
        if kept.late:
            parts.append(
                _("What this was for is covered already. If this is news, confirm it: it is received all the same.")
            )
        return parts

    def _answers(self, kept: Kept) -> list[str]:
        filling = kept.filling
        items = [one for one in filling.items if isinstance(one, Item) and one.question.type is not QuestionType.NOTE]
        answered = [one for one in items if not is_empty(filling.answers.get(one.key))]
        return [self._answer(kept, one) for one in answered[:MOST_ANSWERS]]

    def _answer(self, kept: Kept, item: Item) -> str:
        """`Avanzamento fisico: 50% (era 45%)`."""
        _, filling = self._, kept.filling
        label, value = self._label(filling, item), filling.answers[item.key]
        if item.question.private:
            return _("{label} it is on your page", label=leading(label))
        form, language = filling.plan.form, _.language
        said = f"{escape(leading(label))} <b>{escape(_cut(show(form, item.question, value, language), SHOWN))}</b>"
        before = kept.begun.prior.answers.get(item.key)
        if is_empty(before) or before == value or filling.is_enclosing(item.key):
            return said
        was = _("(it was {value})", value=_cut(show(form, item.question, before, language), 60))
        return f"{said} {was}"

    def _label(self, filling: Filling, item: Item) -> str:
        return _cut(label_of(filling.plan.form, item.key, item.question, self._.language), 100)

    def _say(self, sentence: Sentence) -> str:
        return sentence.say(self._)

    def how_to_correct(self, kept: Sequence[Kept]) -> list[str]:
        """Once more the block, with what it holds by now."""
        language = self._.language
        blocks = [(one.begun.asked.heading, lines) for one in kept if (lines := one.lines(language))]
        if not blocks:
            return []
        lead = self._("Is something wrong? Reply to this e-mail and correct it here, or use the link.")
        return [lead, *(f"<pre>{escape(block_text(heading, lines))}</pre>" for heading, lines in blocks)]

    # --- nothing new

    def unchanged(self, found: Sequence[Unchanged]) -> list[str]:
        _ = self._
        parts = []
        recorded = [one for one in found if one.update is not None]
        if recorded:
            parts.append("\n".join(self._recorded(one) for one in recorded))
            parts += [text for one in recorded if (text := self._doubts(one))]
        parts += [_(one.why.value, title=one.asked.subject.title) for one in found if one.why is not None]
        if recorded:
            parts.append(_("Reminders stop. Has something changed after all? Correct it with the links below."))
        return parts

    def _recorded(self, one: Unchanged) -> str:
        """`Ex mercato · CUP …: Monitoraggio mensile, 10 dicembre 2026. Come il 24 ottobre 2026: Fase: …`"""
        _ = self._
        assert one.update is not None
        assert one.asked.prior.at is not None, "only what was answered before is repeated"
        due = one.asked.owed
        day = show_date(due.obligation.due_on, _.language)
        since = show_date(local_date(one.asked.prior.at, self.zone), _.language)
        return _(
            "<b>{heading}</b>: {deadline}, {day}. Everything stays as on {since} (update no. {n}).",
            heading=one.asked.heading,
            deadline=due.deadline.title,
            day=day,
            since=since,
            n=one.update.id,
        )

    def _doubts(self, one: Unchanged) -> str:
        assert one.filling is not None, "what was recorded was filled in"
        lines = [f"{self._label(one.filling, item)}: {self._say(doubt)}" for item, doubt in one.doubts]
        return "\n".join([f"{escape(one.asked.heading)}:", *lines]) if lines else ""

    # --- the rest

    def besides(self, summary: Summary) -> list[str]:
        _, parts = self._, []
        if summary.files:
            parts.append(
                _.ngettext(
                    "One file came with your e-mail: it goes with {title}.",
                    "{n} files came with your e-mail: they go with {title}.",
                    summary.files,
                    title=summary.with_title,
                )
            )
        if summary.question is not None:
            parts.append(
                _("The other words of your e-mail went to the office as question no. {n}.", n=summary.question.id)
            )
        return parts


def _draft_buttons(_: Speaker, summary: Summary) -> list[Button]:
    """To the page where it is confirmed; while something is to be mended there, to the form itself."""
    found = []
    for one in summary.kept:
        sentence = N_("Look and confirm “{title}”") if one.is_complete else N_("Complete “{title}”")
        path = "/summary" if one.is_complete else ""
        text = _(sentence, title=shortened(one.begun.asked.subject.title))
        found.append(Button(text, url=f"{PERSONAL_PAGE}/drafts/{one.work.id}{path}"))
    return found


def _unchanged_buttons(_: Speaker, unchanged: Sequence[Unchanged]) -> list[Button]:
    found = []
    for one in unchanged:
        title = shortened(one.asked.subject.title)
        if one.update is not None:
            found.append(Button(_("Correct “{title}”", title=title), url=f"{PERSONAL_PAGE}/sent/{one.update.id}"))
        elif one.begun is not None:
            found.append(Button(_("Go on with “{title}”", title=title), url=f"{PERSONAL_PAGE}/drafts/{one.begun.id}"))
        elif one.why is Why.FIRST:
            path = f"/fill?obligation_id={one.asked.id}"
            found.append(Button(_("Fill in “{title}”", title=title), url=f"{PERSONAL_PAGE}{path}"))
    return found


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
