"""The end of an update: back into it, or sending it."""

from bot.heard import id_in
from bot.recap import show_receipt
from bot.screens import show_step
from bot.steps import EDIT, SUMMARY, UNCHANGED, first_field, form_of
from bot.turn import Turn
from intake.forms import missing_answers
from intake.updates import record_update
from storage.attachments import leave_draft
from storage.tables import Channel, DraftState


def hear_button(turn: Turn, value: str) -> None:
    """A button of the summary, of the list of answers, or of "nothing has changed"."""
    action, _sep, argument = value.partition("-")
    number = id_in(argument) if argument else None
    step = turn.work.step
    if action == "send" and step != EDIT:
        send(turn, number)
    elif action == "edit" and number is not None:
        _edit_one(turn, number)
    elif action == "unattach" and step == EDIT:
        _unattach(turn)
    elif action in ("edit", "change"):
        turn.move(step=EDIT)
        show_step(turn)
    elif action == "back":
        _back(turn)
    else:
        show_step(turn)


def _edit_one(turn: Turn, number: int) -> None:
    names = form_of(turn).names
    if number < len(names):
        turn.move(step=names[number], memory={"editing": True})
    show_step(turn)


def _unattach(turn: Turn) -> None:
    """The files stay behind; what was written stays as it is."""
    leave_draft(turn.session, turn.work.id)
    turn.move(step=SUMMARY)
    _ = turn.html
    show_step(turn, _("Nothing is attached any more."))


def _back(turn: Turn) -> None:
    """From the list to the summary, from the summary to the last question, from "nothing changed" to the first."""
    match turn.work.step:
        case "edit":
            turn.move(step=SUMMARY)
        case "unchanged":
            turn.move(step=first_field(turn), answers={})
        case _:
            turn.move(step=form_of(turn).names[-1], memory={})
    show_step(turn)


def send(turn: Turn, obligation_id: int | None = None) -> None:
    """The draft becomes an update, once. What is missing is asked instead."""
    work = turn.work
    missing = missing_answers(form_of(turn), work.answers)
    if missing:
        _ = turn.html
        turn.move(step=missing[0], memory={"editing": True})
        show_step(turn, _("This answer is still missing."))
        return
    assert work.form_version_id is not None
    assert work.project_id is not None
    title, chosen = turn.subject.title, obligation_id or work.obligation_id
    turn.close(DraftState.SENT)
    update = record_update(
        turn.session,
        referent_id=turn.person.id,
        project_id=work.project_id,
        form_version_id=work.form_version_id,
        answers=work.answers,
        channel=Channel.TELEGRAM,
        now=turn.now,
        draft_id=work.id,
        inbox_id=turn.inbox_id,
        obligation_id=chosen,
        unchanged=work.step == UNCHANGED,
        zone=turn.house.zone,
    )
    show_receipt(turn, update, title, chosen)
