"""The buttons under the message about a draft that was left: go on with it, or drop it. Sends nothing by itself."""

from bot import unsent, updating
from bot.turn import Turn
from delivery.callbacks import AboutDraft
from facts.languages import N_
from storage.drafts import UNFINISHED, change_draft
from storage.tables import Draft, DraftKind, DraftState


def about(turn: Turn, pressed: AboutDraft) -> None:
    """A foreign draft is as unknown as any other."""
    _ = turn.html
    draft = turn.own_draft(pressed.draft_id)
    if draft is None:
        turn.say(_("This button is not for you."), [[turn.to_menu()]])
    elif draft.kind is DraftKind.QUESTION:
        (unsent.drop if pressed.drop else unsent.take_up)(turn, draft.id)
    elif pressed.drop:
        _drop(turn, draft)
    else:
        updating.resume(turn, draft.id)


def _drop(turn: Turn, draft: Draft) -> None:
    """Twice changes nothing; as its answers are still there, the way back is offered."""
    _ = turn.html
    if draft.state is DraftState.SENT:
        turn.say(_("That update has already been sent."), [[turn.to_menu()]])
        return
    if draft.state in UNFINISHED:
        change_draft(turn.session, draft.id, draft.revision, turn.now, state=DraftState.CANCELLED)
    again = turn.button(N_("Take it up again"), f"m:resume-{draft.id}")
    turn.say(_("Cancelled: nothing has been sent."), [[again, turn.to_menu()]])
