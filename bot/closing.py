"""The end of an update: back into it, or sending it."""

from bot import correcting
from bot.heard import id_in
from bot.recap import answered_items
from bot.receipt import show_corrected, show_receipt
from bot.screens import show_step
from bot.steps import EDIT, REASON, SUMMARY, UNCHANGED, filling_now, first_step, form_of, move_to, step_before
from bot.turn import DraftMoved, Turn
from facts.languages import N_
from intake import handing_in
from intake.correcting import Overtaken, TooLate
from intake.handing_in import AnswersMissing, Door, hand_in
from storage.attachments import leave_draft
from storage.tables import Channel, DraftState


def hear_button(turn: Turn, value: str) -> None:
    """A button of the summary, of the list of answers, or of "nothing has changed"."""
    action, _sep, argument = value.partition("-")
    number = id_in(argument) if argument else None
    step = turn.work.step
    if action == "send" and step != EDIT:
        send(turn, number)
    elif action == "why" and step == REASON and number is not None:
        send(turn, reason=correcting.reason_pressed(turn, number))
    elif action == "edit" and number is not None:
        _edit_one(turn, number)
    elif action == "page" and step == EDIT:
        turn.move(memory={"page": number or 0})
        show_step(turn)
    elif action == "unattach" and step == EDIT:
        _unattach(turn)
    elif action in ("edit", "change"):
        turn.move(step=EDIT, memory={})
        show_step(turn)
    elif action == "back":
        _back(turn)
    else:
        show_step(turn)


def _edit_one(turn: Turn, number: int) -> None:
    items = answered_items(filling_now(turn))
    if number < len(items):
        turn.move(step=items[number].key, memory={"editing": True})
    show_step(turn)


def _unattach(turn: Turn) -> None:
    """The files stay behind, those that were answers too; what was written stays as it is."""
    filling = filling_now(turn)
    files = {key: None for key in filling.answers if filling.is_enclosing(key)}
    leave_draft(turn.session, turn.work.id)
    move_to(turn, filling.change(files).filling if files else filling, SUMMARY)
    _ = turn.html
    show_step(turn, _("Nothing is attached any more."))


def _back(turn: Turn) -> None:
    """From the list to the summary, from the summary to the last question, from "nothing changed" to the first."""
    filling = filling_now(turn)
    match turn.work.step:
        case "=edit":
            turn.move(step=SUMMARY, memory={})
        case "=reason":
            turn.move(step=SUMMARY)
        case "=unchanged":
            turn.move(answers={}, repetitions={})
            turn.move(step=first_step(turn))
        case _:
            turn.move(step=step_before(filling, SUMMARY) or SUMMARY, memory={})
    show_step(turn)


def send(turn: Turn, obligation_id: int | None = None, reason: str = "") -> None:
    """The draft becomes an update, once. What is missing is asked instead; of a correction, the reason first."""
    if not reason and not filling_now(turn).missing() and correcting.asks_reason(turn):
        correcting.ask_reason(turn)
        return
    work, filling, form = turn.work, filling_now(turn), form_of(turn)
    title, chosen = turn.subject.title, obligation_id or work.obligation_id
    door = Door(turn.person.id, Channel.TELEGRAM, turn.house.zone, turn.inbox_id)
    try:
        update = hand_in(
            turn.session,
            work,
            form,
            filling,
            door,
            now=turn.now,
            obligation_id=chosen,
            unchanged=work.step == UNCHANGED,
            reason=reason,
        )
    except AnswersMissing:
        _ask_missing(turn)
        return
    except Overtaken as overtaken:
        correcting.tell_overtaken(turn, overtaken)
        return
    except TooLate:
        _too_late(turn)
        return
    except handing_in.DraftMoved as moved:
        raise DraftMoved(work.id) from moved
    turn.forget_draft()
    if work.corrects_id is not None:
        show_corrected(turn, update)
    else:
        show_receipt(turn, update, form, title, chosen)


def _too_late(turn: Turn) -> None:
    _ = turn.html
    turn.close(DraftState.CANCELLED)
    turn.say(_("This update can no longer be corrected: the office has accepted it."), [[turn.to_menu()]])


def _ask_missing(turn: Turn) -> None:
    filling = filling_now(turn)
    move_to(turn, filling, filling.missing()[0].key, {"editing": True})
    show_step(turn, turn.html(N_("This answer is still missing.")))
