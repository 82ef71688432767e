"""Corrects an update that was sent, in the chat: within its window, or what staff ask about. Asks for the reason."""

from bot import updating
from bot.heard import id_in
from bot.markup import lines, paragraphs
from bot.recap import REASONS
from bot.screens import show_step
from bot.steps import EDIT, REASON, SUMMARY, filling_now, form_of, move_to
from bot.turn import Turn
from delivery.callbacks import start_update
from facts.languages import N_
from intake.correcting import Overtaken, begin_correction, may_correct
from intake.drafting import label_of
from intake.forms.nodes import Question
from storage.drafts import rebase
from storage.people import organizations_of, own_project
from storage.reviews import find_update, open_remarks
from storage.tables import Channel, DraftState, Update


def begin(turn: Turn, argument: str) -> None:
    """`<update>`: the draft that corrects it, at the list of its answers."""
    update = own_update(turn, id_in(argument))
    _ = turn.html
    if update is None:
        turn.say(_("I do not find this update among yours."), [[turn.to_menu()]])
    elif not may_correct(turn.session, update, turn.now, turn.house.zone):
        again = turn.button(N_("Send a new update"), start_update(update.project_id)) if update.project_id else None
        said = _("This update can no longer be corrected: too much time has passed, or the office has accepted it.")
        turn.say(said, [[*([again] if again else []), turn.to_menu()]])
    else:
        turn.put_aside()
        draft = begin_correction(
            turn.session,
            update,
            turn.person.id,
            turn.now,
            channel=Channel.TELEGRAM,
            state=DraftState.PARKED,
            step=EDIT,
        )
        updating.resume(turn, draft.id)


def own_update(turn: Turn, update_id: int) -> Update | None:
    """One of a project that they follow, or of an organisation of theirs: colleagues correct each other."""
    update = find_update(turn.session, update_id)
    if update is None:
        return None
    if update.project_id is not None:
        theirs = own_project(turn.session, turn.person.id, update.project_id) is not None
    else:
        theirs = update.organization_id in {one.id for one in organizations_of(turn.session, turn.person.id)}
    return update if theirs else None


def remarks_now(turn: Turn) -> dict[str, str]:
    """What staff ask about the update that the open draft corrects."""
    return dict(open_remarks(turn.session, turn.work.corrects_id)) if turn.work.corrects_id is not None else {}


def asks_reason(turn: Turn) -> bool:
    """Before a correction is sent, unless staff have asked for it."""
    return turn.work.corrects_id is not None and not remarks_now(turn)


def ask_reason(turn: Turn) -> None:
    turn.move(step=REASON)
    show_step(turn)


def reason_pressed(turn: Turn, number: int) -> str:
    return turn.plain(REASONS[number]) if number < len(REASONS) else ""


def tell_overtaken(turn: Turn, overtaken: Overtaken) -> None:
    """Nothing is overwritten: theirs is in the draft now, and is named."""
    form, _ = form_of(turn).form, turn.html
    changed = filling_now(turn).change(overtaken.answers).filling
    move_to(turn, changed, SUMMARY)
    rebase(turn.session, turn.work.id, turn.now)
    names = []
    for key in overtaken.answers:
        question = form.at(key)
        names.append(label_of(form, key, question, turn.language) if isinstance(question, Question) else key)
    show_step(
        turn,
        paragraphs(
            lines(
                _("A colleague has corrected the same answers meanwhile: {names}.", names=", ".join(names)),
                _("I have put theirs in. If that is not right, change it; then send."),
            )
        ),
    )
