"""An update from its beginning to the field being asked: begin, take up again, hand each step to whom it belongs."""

from bot import choosing, closing, filling
from bot.heard import id_in
from bot.markup import lines
from bot.menu import how_far, show_menu, title_of, unfinished_lines
from bot.own_projects import is_foreign, own_lines
from bot.screens import show_step
from bot.steps import EDIT, OBLIGATION, ORGANIZATION, PROJECT, REASON, SUMMARY, UNCHANGED, filling_now, is_question
from bot.turn import Turn, shortened
from delivery.callbacks import drop, start_update
from delivery.words import PERSONAL_PAGE, Button
from facts.languages import N_
from intake.updates import Concern, fitting_obligations
from storage.attachments import of_draft
from storage.drafts import Work, change_draft, unfinished_updates
from storage.forms import asked_version
from storage.reviews import open_remarks
from storage.tables import Draft, DraftKind, DraftState, Project

MOST_UNFINISHED = 3
LONGEST_REASON = 300  # characters
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
        again = turn.button(N_("Start over"), f"m:over-{draft.id}")
        away = again if title is not None else turn.button(N_("Drop it"), drop(draft.id))
        named = shortened(title_of(turn, draft, title), 30)
        rows.append([turn.button(N_("Continue: {title}"), f"m:resume-{draft.id}", title=named), away])
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
    choosing.begin(turn)
    if turn.heard.command and turn.heard.rest:
        choosing.search(turn, turn.heard.rest)
    else:
        show_step(turn)


def begin_on(
    turn: Turn,
    project_id: int,
    obligation_id: int | None = None,
    *,
    unchanged: bool = False,
    sure: bool = False,
) -> None:
    """An update of one project (from a reminder or a list); what was begun on it is taken up again.

    `unchanged`: last time's answers once more. Where others were given already they are asked, unless they are `sure`.
    """
    _ = turn.html
    if is_foreign(turn, project_id):
        turn.say(_("I do not find this project among yours."), [[turn.to_menu()]])
        return
    version_id = version_asked(turn, obligation_id)
    if obligation_id is not None and not _is_open(turn, project_id, obligation_id, version_id):
        turn.say(
            _("This deadline is already covered: nothing more to do. If you have news, send it anyway."),
            [[turn.button(N_("Send news"), f"r:{project_id}:"), turn.to_menu()]],
        )
        return
    begun = choosing.begun_on(turn, project_id, version_id)
    if unchanged and begun is not None and begun.answers and not sure:
        _ask_which(turn, begun, obligation_id)
    elif begun is not None and not unchanged:
        resume(turn, begun.id, obligation_id)
    else:
        choosing.take_project(turn, project_id, obligation_id, version_id=version_id, unchanged=unchanged)


def version_asked(turn: Turn, obligation_id: int | None) -> int | None:
    """The version that the deadline of an obligation asks for; None for the usual form, as it is today."""
    return asked_version(turn.session, obligation_id) if obligation_id is not None else None


def _is_open(turn: Turn, project_id: int, obligation_id: int, version_id: int | None) -> bool:
    if version_id is None:
        return False
    form_id = turn.house.catalogue.version(turn.session, version_id).form_id
    found = fitting_obligations(turn.session, Concern(project_id), form_id, turn.person.id, turn.today)
    return obligation_id in {one.id for one in found}


def _ask_which(turn: Turn, begun: Draft, obligation_id: int | None) -> None:
    """ "Nothing changed", and yet something was answered, which it would drop: they say which is right."""
    _ = turn.html
    assert begun.form_version_id is not None
    assert begun.project_id is not None
    far = how_far(turn, begun)
    n, total = far.given, far.asked
    same = f"u:{begun.project_id}:{obligation_id or ''}"
    turn.say(
        lines(
            _.ngettext(
                "Of <b>{title}</b> you had already given one answer of {total}.",
                "Of <b>{title}</b> you had already given {n} answers of {total}.",
                n,
                total=total,
                title=turn.session.get_one(Project, begun.project_id).title,
            ),
            _("Shall we go on from there, or has nothing changed since last time?"),
        ),
        [
            [turn.button(N_("Go on"), start_update(begun.project_id, obligation_id))],
            [turn.button(N_("🔁 Nothing changed"), same)],
            [turn.to_menu()],
        ],
    )


def unchanged_for_sure(turn: Turn, argument: str) -> None:
    """`<project>:<obligation>`: nothing has changed, and what was answered already may go."""
    project, _sep, obligation = argument.partition(":")
    begin_on(turn, id_in(project), id_in(obligation) or None, unchanged=True, sure=True)


def resume(turn: Turn, draft_id: int, obligation_id: int | None = None) -> None:
    """Takes up a draft that was put aside or cancelled; what was open meanwhile is put aside.

    Unless that only lacked its project: this is the answer, and what was left with it goes along.
    """
    _ = turn.html
    draft = turn.own_draft(draft_id)
    if draft is None or draft.kind is not DraftKind.UPDATE or draft.state is DraftState.SENT:
        show_menu(turn, _("That update has already been sent."))
        return
    if draft.state is DraftState.OPEN:
        if obligation_id:
            turn.move(obligation_id=obligation_id)
    elif choosing.lacks_project(turn) and draft.project_id is not None and not is_foreign(turn, draft.project_id):
        choosing.go_on_with(turn, draft, obligation_id)
        return
    else:
        turn.put_aside()
        chosen = {"obligation_id": obligation_id} if obligation_id else {}
        change_draft(turn.session, draft.id, draft.revision, turn.now, state=DraftState.OPEN, **chosen)
        turn.look_again()
    if not lost_project(turn):
        _at_what_is_asked(turn)
        show_step(turn, _(choosing.TAKEN_UP))


def _at_what_is_asked(turn: Turn) -> None:
    """A correction that staff ask for begins at their first remark, and comes to the others by itself."""
    if turn.work.corrects_id is None:
        return
    asked = [one.key for one in filling_now(turn).items if one.key in open_remarks(turn.session, turn.work.corrects_id)]
    if asked and not turn.work.memory:
        turn.move(step=asked[0], memory={"editing": True, "left": asked[1:]})


def start_over(turn: Turn, draft_id: int) -> None:
    """Drops the answers of a draft and begins its project afresh; what was attached goes along."""
    draft = turn.own_draft(draft_id)
    if draft is None or draft.project_id is None or is_foreign(turn, draft.project_id):
        begin_new(turn)
        return
    turn.put_aside()
    choosing.take_project(turn, draft.project_id, draft.obligation_id)


def lost_project(turn: Turn) -> bool:
    """The project is no longer theirs: the draft is dropped, and they are told."""
    work = turn.open_work
    if work is None or (turn.scene and turn.scene.subject):
        return False
    if work.project_id is None and work.organization_id is None:
        return False
    _ = turn.html
    turn.close(DraftState.CANCELLED)
    said = (
        _("This project is no longer among yours, so I have dropped its update.")
        if work.project_id is not None
        else _("This organisation is no longer among yours, so I have dropped what you were writing for it.")
    )
    turn.say(said, [[turn.to_menu()]])
    return True


def hear_text(turn: Turn) -> None:
    """A text while an update is open: a search, an answer, or a word that stands for a button."""
    word = turn.heard.text.casefold().strip(" .!")
    if word in CANCEL_WORDS:
        cancel(turn)
    elif turn.work.step == PROJECT:
        choosing.search(turn, turn.heard.text)
    elif is_question(turn):
        filling.hear_answer(turn)
    elif turn.work.step == SUMMARY and word in SEND_WORDS:
        closing.send(turn)
    elif turn.work.step == REASON:
        closing.send(turn, reason=shortened(turn.heard.text, LONGEST_REASON))
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
    elif value == "web":
        on_the_web(turn)
    elif step in (PROJECT, ORGANIZATION, OBLIGATION):
        choosing.hear_button(turn, value)
    elif step in (SUMMARY, EDIT, UNCHANGED, REASON):
        closing.hear_button(turn, value)
    else:
        filling.hear_button(turn, value)


def on_the_web(turn: Turn) -> None:
    """The same draft on the person's own page, at the same question; here it stays as it is."""
    _ = turn.html
    page = turn.link(N_("🌐 Go on there"), f"{PERSONAL_PAGE}/drafts/{turn.work.id}")
    said = _("You can go on on your web page, from this very question. What you answered is there already.")
    turn.say(said, [[page], [turn.step(N_("Stay here"), "look")]])


def cancel(turn: Turn) -> None:
    """Nothing is sent; as the answers are still there, the way back is offered."""
    _ = turn.html
    work: Work = turn.work
    turn.close(DraftState.CANCELLED)
    something = work.answers or of_draft(turn.session, work.id)
    again = [turn.button(N_("Take it up again"), f"m:resume-{work.id}")] if something else []
    turn.say(_("Cancelled: nothing has been sent."), [[*again, turn.to_menu()]])
