"""The screens at the end of an update: summary, what to edit, "nothing has changed", receipt. Changes nothing."""

from bot.markup import bold, escape, lines, paragraphs
from bot.steps import Fitting, Prior, day_of, facts_of, fitting, form_of, prior_of
from bot.turn import Turn, shortened
from delivery.callbacks import start_update
from delivery.words import Button
from facts.dates import show_date, show_moment
from facts.languages import N_
from intake.forms import Doubt, consider, fits, show
from storage.attachments import of_draft, of_update
from storage.reports import deadline_of
from storage.tables import Update
from storage.worklist import Owed, owed_by

MOST_OBLIGATIONS = 6
SHOWN = 300  # characters of an answer in a summary
ATTACHED = N_("📎 Attached: {n}")


def obligation_label(turn: Turn, one: Fitting | Owed) -> str:
    """Plain, for buttons and texts: `Monitoraggio mensile · 10 dicembre 2026`. The day is never cut off."""
    return f"{shortened(one.title, 34)} · {show_date(one.due_on, turn.language)}"


def show_summary(turn: Turn, lead: str) -> None:
    _ = turn.html
    parts = [lead] if lead else []
    parts.append(_("<b>Summary</b> · {title}", title=shortened(turn.subject.title, 100)))
    parts.append(lines(*_answer_lines(turn, prior_of(turn.subject)), _files_line(turn)))
    chosen = _which_obligation(turn)
    if chosen is not None:
        parts.append(_("It covers: {deadline}", deadline=obligation_label(turn, chosen)))
    parts.append(_("<b>Is everything right?</b>"))
    turn.say(
        paragraphs(*parts),
        [
            [turn.step(N_("✅ Send"), "send")],
            [turn.step(N_("✏️ Change an answer"), "edit")],
            [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")],
        ],
    )


def _answer_lines(turn: Turn, prior: Prior | None) -> list[str]:
    """Each answer by its label; what differs from last time says what it was."""
    _ = turn.html
    said = []
    for one in form_of(turn).fields:
        value = turn.work.answers.get(one.name)
        shown = shortened(show(one, value, turn.language), SHOWN)
        line: str = escape(one.label[turn.language]) + ": " + bold(shown)
        before = prior.answers.get(one.name) if prior else None
        if prior and fits(one, before) and before != value and value is not None:
            line += " " + _("(it was {value})", value=shortened(show(one, before, turn.language), 60))
        said.append(line)
    return said


def _files_line(turn: Turn) -> str:
    count = len(of_draft(turn.session, turn.work.id))
    return turn.html(ATTACHED, n=count) if count else ""


def _which_obligation(turn: Turn) -> Fitting | None:
    """The chosen one, while it is open; else the oldest that fits."""
    found = fitting(turn)
    chosen = turn.work.obligation_id
    return next((one for one in found if chosen in (None, one.id)), None)


def show_edit(turn: Turn, lead: str) -> None:
    _ = turn.html
    rows = [
        [
            turn.option(
                f"{one.label[turn.language]}: {show(one, turn.work.answers.get(one.name), turn.language)}", f"edit-{i}"
            )
        ]
        for i, one in enumerate(form_of(turn).fields)
    ]
    if of_draft(turn.session, turn.work.id):
        rows.append([turn.step(N_("📎 Leave out what is attached"), "unattach")])
    text = _("<b>Which answer would you like to change?</b>")
    turn.say(paragraphs(lead, text), [*rows, [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")]])


def show_unchanged(turn: Turn, lead: str) -> None:
    """Last time's answers, to be confirmed with one tap."""
    _ = turn.html
    prior = prior_of(turn.subject)
    parts = [lead] if lead else []
    title = shortened(turn.subject.title, 100)
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
    facts = facts_of(turn)
    found = [
        consider(one, turn.work.answers[one.name], facts)
        for one in form_of(turn).fields
        if one.name in turn.work.answers
    ]
    return [each.question.say(turn.html) for each in found if isinstance(each, Doubt)]


def _confirmations(turn: Turn) -> list[list[Button]]:
    """One button; one for each obligation when several fit and none was chosen."""
    found = fitting(turn)
    if turn.work.obligation_id is None and len(found) > 1:
        return [
            [turn.option(f"✅ {obligation_label(turn, one)}", f"send-{one.id}")] for one in found[:MOST_OBLIGATIONS]
        ]
    return [[turn.step(N_("✅ Yes, nothing has changed"), "send")]]


def show_receipt(turn: Turn, update: Update, title: str, chosen: int | None) -> None:
    """Number and time, what was fulfilled, what is due next."""
    _ = turn.html
    owed = owed_by(turn.session, turn.person.id)
    attached = len(of_update(turn.session, update.id))
    parts = [
        lines(
            _("✅ <b>Update no. {n} received</b>", n=update.id),
            shortened(title, 120),
            show_moment(turn.now, turn.language, turn.house.zone),
            _(ATTACHED, n=attached) if attached else "",
        ),
        *_fulfilled(turn, update, chosen),
    ]
    rows = []
    now_due = [one for one in owed if one.opens_on <= turn.today]
    later = next((one for one in owed if one.opens_on > turn.today and one.project_id == update.project_id), None)
    if now_due:
        parts.append(_.ngettext("One more update is due.", "{n} more updates are due.", len(now_due)))
        data = start_update(now_due[0].project_id, now_due[0].id)
        rows.append([turn.button(N_("Next: {title}"), data, title=now_due[0].subject)])
    elif later is not None:
        parts.append(_("Next deadline of this project: {day}.", day=show_date(later.due_on, turn.language)))
    turn.say(paragraphs(*parts), [*rows, [turn.to_menu()]])


def _fulfilled(turn: Turn, update: Update, chosen: int | None) -> list[str]:
    _ = turn.html
    if update.obligation_id is not None:
        title, due_on = deadline_of(turn.session, update.obligation_id)
        day = show_date(due_on, turn.language)
        return [_("It covers: {deadline}. No more reminders for it.", deadline=f"{title} · {day}")]
    if chosen is not None:
        return [_("The deadline had already been covered by somebody else; your update counts all the same.")]
    return []
