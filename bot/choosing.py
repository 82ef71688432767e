"""Which project an update is about, and which obligation it fulfils when several fit."""

from dataclasses import replace

from bot.heard import id_in
from bot.screens import show_step
from bot.steps import (
    OBLIGATION,
    PAGE,
    PROJECT,
    first_field,
    fitting,
    is_foreign,
    matches,
    own_lines,
    page_of,
    repeat_last,
)
from bot.turn import BLANK, Turn
from storage.drafts import cancel_parked


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
    elif len(lines := own_lines(turn)) > 1:
        turn.move(step=PROJECT, project_id=None, obligation_id=None, memory={})
        show_step(turn, found=lines)
    else:
        _ = turn.html
        show_step(turn, _("This is where it begins: there is nothing before."))


def choose_project(turn: Turn, project_id: int) -> None:
    """The open draft gets its project, which is theirs, and goes on."""
    cancel_parked(turn.session, turn.person.id, project_id, turn.now)
    turn.move(project_id=project_id, step=_first_step(turn, project_id), memory={})
    turn.look_again()
    show_step(turn)


def take_project(turn: Turn, project_id: int, obligation_id: int | None, *, unchanged: bool = False) -> None:
    """A new draft that knows its project, which is theirs. `unchanged`: last time's answers are to be confirmed."""
    turn.put_aside()
    # what was put aside on this project, perhaps just now, gives its place to the new draft
    cancel_parked(turn.session, turn.person.id, project_id, turn.now)
    turn.begin(replace(BLANK, form_version_id=turn.house.newest_form(turn.session), project_id=project_id))
    turn.move(obligation_id=obligation_id, step=first_field(turn) if obligation_id else _first_step(turn, project_id))
    turn.look_again()
    lead = ""
    if unchanged and not repeat_last(turn):
        _ = turn.html
        lead = _("This is the first update of this project here, so I need a few answers.")
    show_step(turn, lead)


def _first_step(turn: Turn, project_id: int) -> str:
    """The first field, unless the person has to say which of several obligations is meant."""
    return OBLIGATION if len(fitting(turn, project_id)) > 1 else first_field(turn)


def choose_obligation(turn: Turn, obligation_id: int) -> None:
    _ = turn.html
    if obligation_id not in {one.id for one in fitting(turn)}:
        show_step(turn, _("That deadline is no longer open."))
        return
    turn.move(obligation_id=obligation_id, step=first_field(turn))
    show_step(turn)
