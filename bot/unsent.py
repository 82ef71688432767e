"""Questions written and not sent: put by, offered again, taken up or dropped. Never sends one by itself.

Once a question was lost when its writer looked at a list before choosing the project: what was typed is kept.
"""

from bot import asking
from bot.markup import lines, paragraphs, quote
from bot.own_projects import own_lines
from bot.recap import ATTACHED
from bot.turn import Turn, shortened
from facts.languages import N_
from storage.attachments import of_draft
from storage.drafts import change_draft, unsent_question
from storage.tables import Draft, DraftKind, DraftState

SHOWN = 300  # characters of the question


def put_by(turn: Turn) -> None:
    """Something else begins: a question that has words is put aside, and offered after the answer."""
    work = turn.open_work
    if work is not None and work.kind is DraftKind.QUESTION and work.answers.get("text"):
        turn.put_aside()


def recall(turn: Turn) -> None:
    """Says what is waiting, if anything is: the newest."""
    draft = unsent_question(turn.session, turn.person.id)
    if draft is not None:
        offer(turn, draft)


def offer(turn: Turn, draft: Draft) -> None:
    _ = turn.html
    quoted = quote(shortened(str(draft.answers["text"]), SHOWN))
    files = of_draft(turn.session, draft.id)
    asked = lines(_("<b>You have a question not sent:</b>"), _(ATTACHED, n=len(files)) if files else "")
    send = "send" if draft.step == asking.SIMILAR else "ask"
    rows = [[turn.button(N_("Send it"), f"m:{send}-{draft.id}"), turn.button(N_("Leave it"), f"m:drop-{draft.id}")]]
    if draft.step in (asking.OFFER, asking.ALONG) and files and own_lines(turn):
        rows.append([turn.button(asking.WITH_UPDATE, f"m:along-{draft.id}")])
    turn.say(paragraphs(asked, quoted), rows)


def is_kept(draft: Draft) -> bool:
    """Whether a draft is a question whose words are still there, and were not sent."""
    return draft.kind is DraftKind.QUESTION and bool(draft.answers.get("text")) and draft.state is not DraftState.SENT


def take_up(turn: Turn, draft_id: int) -> None:
    """Back to the choice of its project, after which it is sent."""
    if _opened(turn, draft_id):
        asking.choose_project(turn)


def send(turn: Turn, draft_id: int) -> None:
    """Its project was said, and what looks like an answer was read: nothing is left to ask."""
    if not _opened(turn, draft_id):
        return
    if turn.work.step == asking.SIMILAR:
        asking.send_as_said(turn)
    else:
        asking.choose_project(turn)


def take_along(turn: Turn, draft_id: int) -> None:
    """No question after all: its files go along with an update."""
    if _opened(turn, draft_id):
        asking.choose_update(turn)


def _opened(turn: Turn, draft_id: int) -> bool:
    draft = _own(turn, draft_id)
    if draft is None:
        return False
    if draft.state is not DraftState.OPEN:
        turn.put_aside()
        change_draft(turn.session, draft.id, draft.revision, turn.now, state=DraftState.OPEN)
        turn.look_again()
    return True


def drop(turn: Turn, draft_id: int) -> None:
    draft = _own(turn, draft_id)
    if draft is None:
        return
    if draft.state is DraftState.PARKED:
        change_draft(turn.session, draft.id, draft.revision, turn.now, state=DraftState.CANCELLED)
    asking.say_cancelled(turn, draft.id)


def _own(turn: Turn, draft_id: int) -> Draft | None:
    """The question, when it is theirs and still to be sent; else they are told."""
    _ = turn.html
    draft = turn.own_draft(draft_id)
    if draft is None:
        turn.say(_("This button is not for you."), [[turn.to_menu()]])
    elif not is_kept(draft):
        turn.say(_("This has already been sent: nothing more to do."), [[turn.to_menu()]])
    else:
        return draft
    return None
