"""The screens at the end of an update: summary, what to edit, "nothing has changed". Changes nothing."""

from bot.asked import PAGE, notes_before, page_of
from bot.markup import bold, escape, lines, paragraphs
from bot.steps import Fitting, day_of, facts_now, filling_now, fitting, form_of, prior_now
from bot.turn import Turn, shortened
from delivery.words import Button
from facts.dates import show_date
from facts.languages import N_, Language
from intake.drafting import Prior, label_of
from intake.forms.builtin import PROJECT_UPDATE
from intake.forms.doubts import doubt_about
from intake.forms.filling import Filling, Item
from intake.forms.nodes import Definition, QuestionType, say
from intake.forms.values import leading, show
from storage.attachments import of_draft
from storage.worklist import Owed

MOST_OBLIGATIONS = 6
REASONS = (N_("A slip of mine"), N_("Newer figures"))  # of a correction
MOST_LINES = 40  # answers in a summary
SHOWN = 300  # characters of an answer in a summary
ATTACHED = N_("📎 Attached: {n}")


def obligation_label(turn: Turn, one: Fitting | Owed) -> str:
    """Plain, for buttons and texts: `Monitoraggio mensile · 10 dicembre 2026`. The day is never cut off."""
    return f"{shortened(one.title, 34)} · {show_date(one.due_on, turn.language)}"


def form_title(form: Definition, language: Language) -> str:
    return say(form.title, language, form.languages)


def _heading(turn: Turn) -> str:
    """What the update tells of; of any form but the usual one, what it is called too."""
    title = shortened(turn.subject.title, 100)
    form = form_of(turn).form
    return title if form.key == PROJECT_UPDATE else f"{form_title(form, turn.language)} · {title}"


def show_summary(turn: Turn, lead: str) -> None:
    _, filling = turn.html, filling_now(turn)
    parts = [lead] if lead else []
    parts += notes_before(filling, None, turn.language)
    parts.append(_("<b>Summary</b> · {title}", title=_heading(turn)))
    parts.append(lines(*_answer_lines(turn, prior_now(turn)), _files_line(turn)))
    chosen = None if turn.work.corrects_id else _which_obligation(turn)
    if chosen is not None:
        parts.append(_("It covers: {deadline}", deadline=obligation_label(turn, chosen)))
    parts.append(_("<b>Is everything right?</b>"))
    back, web = turn.step(N_("◀ Back"), "back"), turn.step(N_("🌐 Web"), "web")
    turn.say(
        paragraphs(*parts),
        [
            [turn.step(N_("✅ Send"), "send")],
            [turn.step(N_("✏️ Change an answer"), "edit")],
            [back, web, turn.step(N_("✖ Cancel"), "cancel")],
        ],
    )


def answered_items(filling: Filling) -> list[Item]:
    """What is asked, and what is carried over, in order; notes and what is calculated are not answered."""
    return [one for one in filling.items if isinstance(one, Item) and one.question.type is not QuestionType.NOTE]


def _answer_lines(turn: Turn, prior: Prior | None) -> list[str]:
    """Each answer by its label; what differs from last time says what it was. Of a long form the first ones."""
    _, filling = turn.html, filling_now(turn)
    items = answered_items(filling)
    if len(items) > MOST_LINES:
        items = [one for one in items if filling.answers.get(one.key) is not None]
    said = [_answer_line(turn, one, prior) for one in items[:MOST_LINES]]
    if len(items) > MOST_LINES:
        said.append(_("… and {n} more: the web page shows all of them.", n=len(items) - MOST_LINES))
    return said


def _answer_line(turn: Turn, one: Item, prior: Prior | None) -> str:
    _, filling = turn.html, filling_now(turn)
    form, value = filling.plan.form, filling.answers.get(one.key)
    if one.question.private and value is not None:
        return escape(leading(_label(turn, one))) + " " + _("🔒 answered on the web")
    line: str = (
        escape(leading(_label(turn, one)))
        + " "
        + bold(shortened(show(form, one.question, value, turn.language), SHOWN))
    )
    before = prior.answers.get(one.key) if prior else None
    if before is not None and value is not None and before != value and not filling.is_enclosing(one.key):
        line += " " + _("(it was {value})", value=shortened(show(form, one.question, before, turn.language), 60))
    return line


def _label(turn: Turn, one: Item) -> str:
    return shortened(label_of(filling_now(turn).plan.form, one.key, one.question, turn.language), 100)


def _files_line(turn: Turn) -> str:
    """What goes along without being an answer."""
    filling = filling_now(turn)
    answers = {each for key, value in filling.answers.items() if filling.is_enclosing(key) for each in value}
    count = sum(one.id not in answers for one in of_draft(turn.session, turn.work.id))
    return turn.html(ATTACHED, n=count) if count else ""


def _which_obligation(turn: Turn) -> Fitting | None:
    """The chosen one, while it is open; else the oldest that fits."""
    found = fitting(turn)
    chosen = turn.work.obligation_id
    return next((one for one in found if chosen in (None, one.id)), None)


def show_reason(turn: Turn, lead: str) -> None:
    """Why a correction is made: one tap, or in their words."""
    _ = turn.html
    text = lines(_("<b>Why do you correct it?</b>"), _("Press one of these, or write it in a few words."))
    rows = [[turn.option(_(reason), f"why-{number}")] for number, reason in enumerate(REASONS)]
    turn.say(paragraphs(lead, text), [*rows, [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")]])


def show_edit(turn: Turn, lead: str) -> None:
    _, filling = turn.html, filling_now(turn)
    items = list(enumerate(answered_items(filling)))
    page, pages = page_of(turn.work.memory, len(items))
    rows = [[turn.option(_edit_label(turn, one), f"edit-{i}")] for i, one in items[page * PAGE : (page + 1) * PAGE]]
    turning = [turn.step(N_("◀ Previous"), f"page-{page - 1}")] if page else []
    if page + 1 < pages:
        turning.append(turn.step(N_("More ({page} of {pages}) ▶"), f"page-{page + 1}", page=page + 2, pages=pages))
    if of_draft(turn.session, turn.work.id):
        turning.append(turn.step(N_("📎 Leave out what is attached"), "unattach"))
    text = _("<b>Which answer would you like to change?</b>")
    ways = [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")]
    turn.say(paragraphs(lead, text), [*rows, turning, ways])


def _edit_label(turn: Turn, one: Item) -> str:
    filling = filling_now(turn)
    if one.question.private:
        return f"🔒 {_label(turn, one)}"
    shown = show(filling.plan.form, one.question, filling.answers.get(one.key), turn.language)
    return f"{leading(_label(turn, one))} {shown}"


def show_unchanged(turn: Turn, lead: str) -> None:
    """Last time's answers, to be confirmed with one tap."""
    _ = turn.html
    prior = prior_now(turn)
    parts = [lead] if lead else []
    title = _heading(turn)
    if prior.at is not None:
        parts.append(lines(bold(title), _("Nothing has changed since {day}?", day=day_of(turn, prior.at))))
    parts.append(lines(*_answer_lines(turn, None), _files_line(turn)))
    parts += ["🤔 " + doubt for doubt in _doubts(turn)]
    rows = _confirmations(turn)
    if len(rows) > 1:
        parts.append(_("<b>If so, which deadline is it for?</b>"))
    rows.append([turn.step(N_("Something has changed"), "change")])
    turn.say(paragraphs(*parts), [*rows, [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")]])


def _doubts(turn: Turn) -> list[str]:
    """What would be asked back if it were answered today: an end date that has passed meanwhile."""
    facts, filling = facts_now(turn), filling_now(turn)
    found = [doubt_about(filling, one, filling.answers.get(one.key), facts) for one in answered_items(filling)]
    return [each.say(turn.html) for each in found if each is not None]


def _confirmations(turn: Turn) -> list[list[Button]]:
    """One button; one for each obligation when several fit and none was chosen."""
    found = fitting(turn)
    if turn.work.obligation_id is None and len(found) > 1:
        return [
            [turn.option(f"✅ {obligation_label(turn, one)}", f"send-{one.id}")] for one in found[:MOST_OBLIGATIONS]
        ]
    return [[turn.step(N_("✅ Yes, nothing has changed"), "send")]]
