"""An update from its beginning to the field being asked: begin, take up again, hand each step to whom it belongs."""

from dataclasses import replace

from bot import choosing, closing, filling
from bot.menu import show_menu, unfinished_lines
from bot.screens import show_step
from bot.steps import EDIT, OBLIGATION, PROJECT, SUMMARY, UNCHANGED, fitting, is_field, is_foreign, own_lines
from bot.turn import BLANK, Turn, shortened
from delivery.words import Button
from facts.languages import N_
from storage.drafts import Work, change_draft, unfinished_updates
from storage.tables import DraftKind, DraftState

MOST_UNFINISHED = 3
CANCEL_WORDS = {"annulla", "cancel", "stop"}
SEND_WORDS = {"sì", "si", "ok", "invia", "conferma", "confermo", "yes", "send"}


def begin(turn: Turn) -> None:
    """`/aggiorna`: first what was begun and not sent, else the choice of a project."""
    turn.put_aside()
    unfinished = unfinished_updates(turn.session, turn.person.id)[:MOST_UNFINISHED]
    if not unfinished or turn.heard.rest:
        begin_new(turn)
        return
    rows: list[list[Button]] = []
    for draft, title in unfinished:
        rows.append(
            [
                turn.button(N_("Continue: {title}"), f"m:resume-{draft.id}", title=shortened(title, 30)),
                turn.button(N_("Start over"), f"m:over-{draft.id}"),
            ]
        )
    turn.say(unfinished_lines(turn, unfinished), [*rows, [turn.button(N_("Another update"), "m:new"), turn.to_menu()]])


def begin_new(turn: Turn) -> None:
    """A new update: the project first, unless there is only one."""
    found = own_lines(turn)
    _ = turn.html
    if not found:
        turn.say(
            _("I see no project of yours yet. Ask the office to add it: you can write to them with /domanda."),
            [[turn.button(N_("❓ Ask a question"), "m:question"), turn.to_menu()]],
        )
        return
    if len(found) == 1:
        begin_on(turn, found[0].id)
        return
    turn.begin(replace(BLANK, form_version_id=turn.house.newest_form(turn.session), step=PROJECT))
    if turn.heard.command and turn.heard.rest:
        choosing.search(turn, turn.heard.rest)
    else:
        show_step(turn, found=found)


def begin_on(turn: Turn, project_id: int, obligation_id: int | None = None, *, unchanged: bool = False) -> None:
    """An update of one project (from a reminder or a list); what was begun on it is taken up again."""
    _ = turn.html
    if is_foreign(turn, project_id):
        turn.say(_("I do not find this project among yours."), [[turn.to_menu()]])
        return
    if obligation_id is not None and obligation_id not in {one.id for one in fitting(turn, project_id)}:
        turn.say(
            _("This deadline is already covered: nothing more to do. If you have news, send it anyway."),
            [[turn.button(N_("Send news"), f"r:{project_id}:"), turn.to_menu()]],
        )
        return
    begun = None if unchanged else _begun_on(turn, project_id)
    if begun is not None:
        resume(turn, begun, obligation_id)
    else:
        choosing.take_project(turn, project_id, obligation_id, unchanged=unchanged)


def _begun_on(turn: Turn, project_id: int) -> int | None:
    """The unfinished draft of a project, if it has an answer."""
    return next(
        (
            draft.id
            for draft, _title in unfinished_updates(turn.session, turn.person.id)
            if draft.project_id == project_id and draft.answers and draft.step != UNCHANGED
        ),
        None,
    )


def resume(turn: Turn, draft_id: int, obligation_id: int | None = None) -> None:
    """Takes up a draft that was put aside or cancelled; what was open meanwhile is put aside."""
    _ = turn.html
    draft = turn.own_draft(draft_id)
    if draft is None or draft.kind is not DraftKind.UPDATE or draft.state is DraftState.SENT:
        show_menu(turn, _("That update has already been sent."))
        return
    if draft.state is not DraftState.OPEN:
        turn.put_aside()
        chosen = {"obligation_id": obligation_id} if obligation_id else {}
        change_draft(turn.session, draft.id, draft.revision, turn.now, state=DraftState.OPEN, **chosen)
        turn.look_again()
    elif obligation_id:
        turn.move(obligation_id=obligation_id)
    if not lost_project(turn):
        show_step(turn, _("Here we are, from where you left."))


def start_over(turn: Turn, draft_id: int) -> None:
    """Drops a draft and begins its project afresh."""
    draft = turn.own_draft(draft_id)
    if draft is None or draft.project_id is None or is_foreign(turn, draft.project_id):
        begin_new(turn)
        return
    turn.put_aside()
    choosing.take_project(turn, draft.project_id, draft.obligation_id)


def lost_project(turn: Turn) -> bool:
    """The project is no longer theirs: the draft is dropped, and they are told."""
    work = turn.open_work
    if work is None or work.project_id is None or (turn.scene and turn.scene.subject):
        return False
    _ = turn.html
    turn.close(DraftState.CANCELLED)
    turn.say(_("This project is no longer among yours, so I have dropped its update."), [[turn.to_menu()]])
    return True


def hear_text(turn: Turn) -> None:
    """A text while an update is open: a search, an answer, or a word that stands for a button."""
    word = turn.heard.text.casefold().strip(" .!")
    if word in CANCEL_WORDS:
        cancel(turn)
    elif turn.work.step == PROJECT:
        choosing.search(turn, turn.heard.text)
    elif is_field(turn):
        filling.hear_answer(turn)
    elif turn.work.step == SUMMARY and word in SEND_WORDS:
        closing.send(turn)
    else:
        _ = turn.html
        show_step(
            turn, _("Please press one of the buttons below. To ask a question use /domanda: the update stays here.")
        )


def hear_button(turn: Turn, value: str) -> None:
    """A button of the step being shown."""
    step = turn.work.step
    if value == "cancel":
        cancel(turn)
    elif step in (PROJECT, OBLIGATION):
        choosing.hear_button(turn, value)
    elif step in (SUMMARY, EDIT, UNCHANGED):
        closing.hear_button(turn, value)
    else:
        filling.hear_button(turn, value)


def cancel(turn: Turn) -> None:
    """Nothing is sent; as the answers are still there, the way back is offered."""
    _ = turn.html
    work: Work = turn.work
    turn.close(DraftState.CANCELLED)
    again = [turn.button(N_("Take it up again"), f"m:resume-{work.id}")] if work.answers else []
    turn.say(_("Cancelled: nothing has been sent."), [[*again, turn.to_menu()]])
