"""What a referent may look up: projects, deadlines, questions. Shows; changes nothing."""

from bot.delegating import stands_in_for
from bot.markup import bold, escape, lines, paragraphs
from bot.menu import ANOTHER
from bot.turn import Turn, shortened
from delivery.callbacks import ASK_FOR_ACCESS, add_to, start_owed, start_update, unchanged
from delivery.words import Button
from facts.calendar import local_date
from facts.dates import show_date, show_short_date
from facts.languages import N_
from facts.phases import find_phase
from storage.delegations import Held, lent_projects
from storage.questions import QuestionLine, question_lines
from storage.tables import QuestionState
from storage.worklist import Owed, ProjectLine, owed_by, project_lines

MOST_PROJECTS = 20
MOST_BUTTONS = 6
MOST_OWED = 12
MOST_TO_COME = 5

STATES = {
    QuestionState.NEW: N_("waiting for the office"),
    QuestionState.TAKEN: N_("somebody is working on it"),
    QuestionState.PROPOSED: N_("somebody is working on it"),
    QuestionState.ANSWERED: N_("answered"),
    QuestionState.CLOSED: N_("closed"),
}


def show_projects(turn: Turn) -> None:
    _ = turn.html
    found = project_lines(turn.session, turn.person.id, turn.today)
    another = [turn.button(ANOTHER, ASK_FOR_ACCESS)]
    if not found:
        turn.say(_("I see no project of yours yet: ask the office to add it."), [another, [turn.to_menu()]])
        return
    shown = found[:MOST_PROJECTS]
    title = _.ngettext("<b>Your project</b>", "<b>Your {n} projects</b>", len(found))
    parts: list[str] = [lines(title, stands_in_for(turn))]
    lent = lent_projects(turn.session, turn.person.id)
    parts += [_project(turn, line, lent.get(line.id)) for line in shown]
    if len(found) > len(shown):
        more = len(found) - len(shown)
        parts.append(_("… and {n} more: find them with /aggiorna, by a word of the title.", n=more))
    rows = [_update_button(turn, line.id, line.title) for line in shown[:MOST_BUTTONS]]
    turn.say(paragraphs(*parts), [*rows, another, [turn.to_menu()]])


def _update_button(turn: Turn, project_id: int, title: str) -> list[Button]:
    return [turn.named(f"📝 {title}", start_update(project_id))]


def _project(turn: Turn, line: ProjectLine, lent: Held | None) -> str:
    _ = turn.html
    phase = find_phase(line.phase) if line.phase else None
    updated = _("No update so far")
    if line.updated_at is not None:
        day = show_date(local_date(line.updated_at, turn.house.zone), turn.language)
        updated = _("Last update: {day}", day=day)
    due = "⏰ " + _("due: {day}", day=show_date(line.due_on, turn.language)) if line.due_on else ""
    return lines(
        bold(shortened(line.title, 100)),
        _("Phase: {phase}", phase=turn.plain(phase.label)) if phase else "",
        updated,
        due,
        _in_place_of(turn, lent) if lent else "",
    )


def _in_place_of(turn: Turn, lent: Held) -> str:
    day = show_date(lent.until, turn.language)
    return turn.html(N_("In place of {name}, until {day}"), name=lent.referent, day=day)


def show_deadlines(turn: Turn) -> None:
    """Overdue and open ones with their buttons, then the next to come."""
    _ = turn.html
    owed = owed_by(turn.session, turn.person.id)
    now_due = [one for one in owed if one.opens_on <= turn.today]
    to_come = [one for one in owed if one.opens_on > turn.today][:MOST_TO_COME]
    parts: list[str] = []
    if now_due:
        parts.append(lines(_("<b>To do</b>"), *(_owed(turn, one) for one in now_due[:MOST_OWED])))
    else:
        parts.append(_("You are up to date: no update is due now."))
    if len(now_due) > MOST_OWED:
        parts.append(_("… and {n} more.", n=len(now_due) - MOST_OWED))
    if to_come:
        parts.append(lines(_("<b>Later</b>"), *(_owed(turn, one) for one in to_come)))
    rows = [_owed_buttons(turn, one) for one in now_due[:MOST_BUTTONS]]
    turn.say(paragraphs(*parts), [*rows, [turn.to_menu()]])


def _owed(turn: Turn, one: Owed) -> str:
    mark = "🔴" if one.due_on < turn.today else "•"
    day = show_short_date(one.due_on, turn.language)
    return escape(f"{mark} {day} – {shortened(one.title, 60)}: ") + bold(shortened(one.subject, 80))


def _start(one: Owed) -> str:
    return start_owed(one.id) if one.project_id is None else start_update(one.project_id, one.id)


def _owed_buttons(turn: Turn, one: Owed) -> list[Button]:
    """ "Nothing changed" only where there is an earlier update to repeat."""
    start = turn.named(f"📝 {shortened(one.subject, 36)}", _start(one))
    if one.project_id is None:
        return [start]
    same = turn.button(N_("🔁 Nothing changed"), unchanged(one.project_id, one.id))
    return [start, same] if one.reported else [start]


def show_questions(turn: Turn) -> None:
    _ = turn.html
    turn.recall = True
    found = question_lines(turn.session, turn.person.id)
    ask = [turn.button(N_("❓ Ask a question"), "m:question"), turn.to_menu()]
    if not found:
        turn.say(_("You have not asked anything yet."), [ask])
        return
    open_ones = [line for line in found if line.state is not QuestionState.CLOSED][:MOST_BUTTONS]
    rows = [
        [turn.button(N_("Add to no. {n}: {text}"), add_to(line.id), n=line.id, text=shortened(line.text, 36))]
        for line in open_ones
    ]
    turn.say(paragraphs(_("<b>Your questions</b>"), *(_question(turn, line) for line in found)), [*rows, ask])


def _question(turn: Turn, line: QuestionLine) -> str:
    _ = turn.html
    expected = ""
    if line.state in (QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED):
        day = show_date(local_date(line.due_at, turn.house.zone), turn.language)
        expected = _("Answer expected: {day}", day=day)
    awaited = line.awaits and line.state is QuestionState.ANSWERED
    state = turn.plain(N_("we wait for your reply") if awaited else STATES[line.state])
    head = _("<b>No. {n}</b> – {state}", n=line.id, state=state)
    return lines(head, shortened(line.text, 150), expected)
