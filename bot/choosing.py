"""What an update is about, project or organisation, and which obligation it fulfils when several fit."""

from dataclasses import replace
from typing import Any

from bot.heard import id_in
from bot.markup import paragraphs
from bot.own_projects import PAGE, is_foreign, matches, own_lines, page_of
from bot.recap import ATTACHED
from bot.screens import show_step
from bot.steps import (
    OBLIGATION,
    ORGANIZATION,
    PROJECT,
    UNCHANGED,
    first_step,
    fitting,
    form_of,
    is_about_project,
    repeat_last,
)
from bot.turn import BLANK, Turn
from facts.languages import N_
from intake.forms.builtin import PROJECT_UPDATE
from storage.attachments import counts_in_drafts, move_draft, move_parked
from storage.drafts import cancel_parked, change_draft, unfinished_updates
from storage.people import organizations_of
from storage.tables import Draft, DraftKind, DraftState

TAKEN_UP = N_("Here we are, from where you left.")


def search(turn: Turn, text: str) -> None:
    """A number chooses from the page, words narrow the list; a single hit is chosen."""
    lines = own_lines(turn)
    if text.isdecimal() and 1 <= int(text) <= PAGE:
        found = page_of(turn, lines)[2][int(text) - 1 : int(text)]
    else:
        found = [line for line in lines if matches(line, text)]
    if len(found) == 1:
        choose_project(turn, found[0].id)
        return
    turn.move(memory={"search": text[:100]})
    show_step(turn, found=lines)


def hear_button(turn: Turn, value: str) -> None:
    action, _sep, argument = value.partition("-")
    number = id_in(argument)
    if action == "page":
        turn.move(memory=turn.work.memory | {"page": number})
        show_step(turn)
    elif action == "project" and not is_foreign(turn, number):
        choose_project(turn, number)
    elif action == "organization" and turn.work.step == ORGANIZATION:
        choose_organization(turn, number)
    elif action == "obligation" and turn.work.step == OBLIGATION:
        choose_obligation(turn, number)
    elif value == "back":
        back(turn)
    else:
        show_step(turn)


def back(turn: Turn) -> None:
    """From the first question to the choice of the deadline, then to that of the project; no further."""
    if turn.work.step != OBLIGATION and len(fitting(turn)) > 1:
        turn.move(step=OBLIGATION, obligation_id=None, memory={})
        show_step(turn)
    elif turn.work.corrects_id is None and is_about_project(turn) and len(lines := own_lines(turn)) > 1:
        turn.move(step=PROJECT, project_id=None, obligation_id=None, memory={})
        show_step(turn, found=lines)
    elif not is_about_project(turn) and len(organizations_of(turn.session, turn.person.id)) > 1:
        turn.move(step=ORGANIZATION, organization_id=None, obligation_id=None, memory={})
        show_step(turn)
    else:
        _ = turn.html
        show_step(turn, _("This is where it begins: there is nothing before."))


def lacks_project(turn: Turn) -> bool:
    """An update is open that does not know yet what it is about."""
    work = turn.open_work
    return work is not None and work.kind is DraftKind.UPDATE and work.project_id is None and is_about_project(turn)


def begin(turn: Turn, sources: dict[str, Any] | None = None, version_id: int | None = None) -> None:
    """An update that does not know its project yet; by the usual form, unless another is said."""
    version = version_id or turn.house.catalogue.newest(turn.session, PROJECT_UPDATE).version_id
    turn.begin(replace(BLANK, form_version_id=version, step=PROJECT, sources=sources or {}))


def choose_organization(turn: Turn, organization_id: int) -> None:
    """The open draft, of a form that tells of an organisation, gets one of theirs."""
    if organization_id not in {one.id for one in organizations_of(turn.session, turn.person.id)}:
        show_step(turn)
        return
    turn.move(organization_id=organization_id)
    turn.look_again()
    several = turn.work.obligation_id is None and len(fitting(turn)) > 1
    turn.move(step=OBLIGATION if several else first_step(turn))
    show_step(turn)


def choose_project(turn: Turn, project_id: int, obligation_id: int | None = None, *, lead: str = "") -> None:
    """The open draft gets its project, which is theirs; what was begun on that is gone on with instead."""
    begun = begun_on(turn, project_id, turn.work.form_version_id)
    if begun is not None:
        go_on_with(turn, begun, obligation_id, lead=lead)
    else:
        take_project(turn, project_id, obligation_id, lead=lead)


def take_project(
    turn: Turn,
    project_id: int,
    obligation_id: int | None,
    *,
    version_id: int | None = None,
    unchanged: bool = False,
    lead: str = "",
) -> None:
    """A draft of this project, which is theirs, from its beginning: the open one when it lacks only that, or a new one.

    What was put aside on the project, perhaps just now, gives its place to it: its answers are dropped, its files go
    along. `unchanged`: last time's answers are to be confirmed; without any, what was begun is gone on with.
    """
    wanted = version_id is not None and turn.open_work is not None and turn.work.form_version_id != version_id
    if not lacks_project(turn) or wanted or (unchanged and turn.work.answers):
        begin(turn, version_id=version_id)
    turn.move(project_id=project_id, obligation_id=obligation_id, memory={})
    turn.look_again()
    choosing_first = obligation_id is None and len(fitting(turn)) > 1
    turn.move(step=OBLIGATION if choosing_first else first_step(turn))
    if unchanged and not repeat_last(turn):
        _ = turn.html
        lead = _("This is the first update of this project here, so I need a few answers.")
        begun = begun_on(turn, project_id, turn.work.form_version_id, besides=turn.work.id)
        if begun is not None:
            go_on_with(turn, begun, obligation_id, lead=lead)
            return
    form_id = form_of(turn).form_id
    brought = move_parked(turn.session, turn.person.id, project_id, form_id, turn.work.id)
    cancel_parked(turn.session, turn.person.id, project_id, form_id, turn.now)
    if brought and not unchanged:
        lead = paragraphs(lead, turn.html(ATTACHED, n=brought))
    show_step(turn, lead)


def begun_on(turn: Turn, project_id: int, version_id: int | None = None, *, besides: int | None = None) -> Draft | None:
    """What was begun on a project by a form and not sent, the newest: something was answered, or left with it.

    Last time's answers that wait to be confirmed are nothing begun.
    """
    version = version_id or turn.house.catalogue.newest(turn.session, PROJECT_UPDATE).version_id
    unfinished = unfinished_updates(turn.session, turn.person.id)
    found = [
        one
        for one, _title in unfinished
        if one.project_id == project_id and one.id != besides and _is_same_form(turn, one, version)
    ]
    with_files = counts_in_drafts(turn.session, [one.id for one in found])
    return next((one for one in found if one.step != UNCHANGED and (one.answers or one.id in with_files)), None)


def _is_same_form(turn: Turn, draft: Draft, version_id: int) -> bool:
    """And no correction of what was sent."""
    assert draft.form_version_id is not None
    version = turn.house.catalogue.version
    same = version(turn.session, draft.form_version_id).form_id == version(turn.session, version_id).form_id
    return same and draft.corrects_id is None


def go_on_with(turn: Turn, begun: Draft, obligation_id: int | None = None, *, lead: str = "") -> None:
    """Takes up what was put aside, in place of the open draft: what was left with that goes along."""
    asked = turn.work
    turn.close(DraftState.PARKED if asked.answers else DraftState.CANCELLED)
    move_draft(turn.session, asked.id, begun.id)
    values: dict[str, Any] = {"obligation_id": obligation_id} if obligation_id else {}
    if not asked.answers:
        values["sources"] = begun.sources | asked.sources
    change_draft(turn.session, begun.id, begun.revision, turn.now, state=DraftState.OPEN, **values)
    turn.look_again()
    show_step(turn, paragraphs(turn.html(TAKEN_UP), lead))


def choose_obligation(turn: Turn, obligation_id: int) -> None:
    _ = turn.html
    if obligation_id not in {one.id for one in fitting(turn)}:
        show_step(turn, _("That deadline is no longer open."))
        return
    turn.move(obligation_id=obligation_id, step=first_step(turn))
    show_step(turn)
