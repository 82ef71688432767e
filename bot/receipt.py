"""What is said when an update has arrived: its number, what it fulfilled, what is due next. Changes nothing."""

from bot.markup import lines, paragraphs
from bot.recap import ATTACHED, form_title
from bot.turn import Turn, shortened
from delivery.callbacks import start_owed, start_update
from facts.dates import show_date, show_moment
from facts.languages import N_
from intake.catalogue import InUse
from intake.forms.builtin import PROJECT_UPDATE
from storage.attachments import of_update
from storage.reports import deadline_of
from storage.tables import Update
from storage.worklist import owed_by


def _received(turn: Turn, form: InUse, update: Update) -> str:
    """The usual form is "the update"; any other is called by its name."""
    _ = turn.html
    if form.form.key == PROJECT_UPDATE:
        return _("✅ <b>Update no. {n} received</b>", n=update.id)
    return _("✅ <b>{form}: no. {n} received</b>", form=form_title(form.form, turn.language), n=update.id)


def show_receipt(turn: Turn, update: Update, form: InUse, title: str, chosen: int | None) -> None:
    """Number and time, what was fulfilled, what is due next."""
    _ = turn.html
    owed = owed_by(turn.session, turn.person.id)
    attached = len(of_update(turn.session, update.id))
    parts = [
        lines(
            _received(turn, form, update),
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
        following = now_due[0]
        data = (
            start_owed(following.id)
            if following.project_id is None
            else start_update(following.project_id, following.id)
        )
        rows.append([turn.button(N_("Next: {title}"), data, title=following.subject)])
    elif later is not None:
        parts.append(_("Next deadline of this project: {day}.", day=show_date(later.due_on, turn.language)))
    correct = turn.button(N_("✏️ Correct it"), f"c:{update.id}")
    turn.say(paragraphs(*parts), [*rows, [correct, turn.to_menu()]])


def show_corrected(turn: Turn, update: Update) -> None:
    """A correction that was taken: both versions stay."""
    _ = turn.html
    turn.say(
        lines(
            _("✅ <b>Update no. {n} corrected</b>", n=update.id),
            _("The office sees what changed, and what it was before."),
        ),
        [[turn.to_menu()]],
    )


def _fulfilled(turn: Turn, update: Update, chosen: int | None) -> list[str]:
    _ = turn.html
    if update.obligation_id is not None:
        title, due_on = deadline_of(turn.session, update.obligation_id)
        day = show_date(due_on, turn.language)
        return [_("It covers: {deadline}. No more reminders for it.", deadline=f"{title} · {day}")]
    if chosen is not None:
        return [_("The deadline had already been covered by somebody else; your update counts all the same.")]
    return []
