"""What each step of an update looks like. Shows; changes nothing."""

from collections.abc import Callable
from typing import Any

from bot import recap
from bot.markup import bold, escape, italic, lines, paragraphs
from bot.steps import (
    EDIT,
    OBLIGATION,
    PAGE,
    PROJECT,
    SUMMARY,
    UNCHANGED,
    can_repeat,
    day_of,
    facts_of,
    fitting,
    form_of,
    matches,
    own_lines,
    page_of,
    prior_of,
)
from bot.turn import Turn, shortened
from delivery.words import Button
from facts.dates import show_date
from facts.languages import N_
from intake.forms import Doubt, Field, FieldType, Form, consider, fits, show
from storage.worklist import ProjectLine

SHOWN = 300  # characters of a longer answer


def show_step(turn: Turn, lead: str = "", found: list[ProjectLine] | None = None) -> None:
    """The step where the draft is. `lead` goes before it; `found` when own projects were looked up already."""
    if turn.work.step == PROJECT:
        _show_projects(turn, lead, own_lines(turn) if found is None else found)
    else:
        _SCREENS.get(turn.work.step, _show_field)(turn, lead)


def _show_projects(turn: Turn, lead: str, every: list[ProjectLine]) -> None:
    """One page of own projects, narrowed by what was typed."""
    _ = turn.html
    wanted = str(turn.work.memory.get("search", ""))
    if wanted and not any(matches(line, wanted) for line in every):
        lead = _("I find no project with “{search}”.", search=shortened(wanted, 60))
    page, pages, on_page = page_of(turn, every)
    shown = list(enumerate(on_page, 1))
    parts = [lead] if lead else []
    parts.append(_("<b>Which project is it about?</b>"))
    parts.append(lines(*(_line(turn, number, line) for number, line in shown)))
    if len(every) > PAGE:
        parts.append(_("You may also write a word of its title, the municipality or the CUP."))
    rows = [[turn.option(f"{number} · {line.title}", f"project-{line.id}")] for number, line in shown]
    turn.say(paragraphs(*parts), [*rows, _page_buttons(turn, page, pages), [turn.step(N_("✖ Cancel"), "cancel")]])


def _line(turn: Turn, number: int, line: ProjectLine) -> str:
    text = escape(f"{number}. ") + bold(shortened(line.title, 120))
    if line.places:
        text += f" – {shortened(line.places, 60)}"
    return lines(text, "    ⏰ " + _due(turn, line) if line.due_on is not None else "")


def _due(turn: Turn, line: ProjectLine) -> str:
    _ = turn.html
    assert line.due_on is not None
    day = show_date(line.due_on, turn.language)
    return _("was due: {day}", day=day) if line.due_on < turn.today else _("due: {day}", day=day)


def _page_buttons(turn: Turn, page: int, pages: int) -> list[Button]:
    buttons = []
    if page > 0:
        buttons.append(turn.step(N_("◀ Previous"), f"page-{page - 1}"))
    if page + 1 < pages:
        buttons.append(turn.step(N_("More ({page} of {pages}) ▶"), f"page-{page + 1}", page=page + 2, pages=pages))
    return buttons


def _show_obligations(turn: Turn, lead: str) -> None:
    _ = turn.html
    parts = [lead] if lead else []
    parts.append(bold(shortened(turn.subject.title, 100)))
    parts.append(_("<b>Several deadlines are open. Which one is this update for?</b>"))
    rows = [[turn.option(recap.obligation_label(turn, one), f"obligation-{one.id}")] for one in fitting(turn)[:PAGE]]
    turn.say(paragraphs(*parts), [*rows, [turn.step(N_("◀ Back"), "back"), turn.step(N_("✖ Cancel"), "cancel")]])


def _show_field(turn: Turn, lead: str) -> None:
    """The question where the draft is; asked back when the last answer was in doubt."""
    form = form_of(turn)
    field = form.field(turn.work.step)
    assert field is not None, "a step is a field of the form or a word of the dialogue"
    if "doubt" in turn.work.memory:
        _show_doubt(turn, field, lead)
        return
    _ = turn.html
    more = bool(turn.work.memory.get("more"))
    text = field.follow_up if more and field.follow_up else field.question
    parts = [lead] if lead else []
    hint = italic(field.hint[turn.language]) if field.hint is not None and not more else ""
    parts.append(lines(_header(turn, form, field), bold(text[turn.language]), hint))
    known = "" if more else _known(turn, field)
    if known:
        parts.append(known)
    turn.say(paragraphs(*parts), [*([] if more else _answers(turn, form, field)), _ways(turn, field)])


def _header(turn: Turn, form: Form, field: Field) -> str:
    _ = turn.html
    return _(
        "{n} of {total} · {title}",
        title=shortened(turn.subject.title, 60),
        n=form.position(field.name) + 1,
        total=len(form.fields),
    )


def _known(turn: Turn, field: Field) -> str:
    """The answer being changed, or that of last time."""
    _ = turn.html
    if turn.work.memory.get("editing"):
        current = show(field, turn.work.answers.get(field.name), turn.language)
        return _("Your answer now: {value}", value=shortened(current, 300))
    prior = prior_of(turn.subject)
    value = prior.answers.get(field.name)
    if not fits(field, value) or value == "":
        return ""
    shown = shortened(show(field, value, turn.language), 300)
    if prior.at is None:
        return _("In the register: {value}", value=shown)
    return _("Last time ({day}): {value}", day=day_of(turn, prior.at), value=shown)


def _answers(turn: Turn, form: Form, field: Field) -> list[list[Button]]:
    """Buttons for what can be chosen: nothing changed, same as before, each choice."""
    prior = prior_of(turn.subject)
    same: Any = prior.answers.get(field.name)
    rows: list[list[Button]] = []
    if field.name == form.names[0] and not turn.work.memory.get("editing") and can_repeat(turn):
        rows.append([turn.step(N_("🔁 Nothing changed"), "unchanged")])
    has_same = fits(field, same) and same != ""
    if has_same:
        said = N_("As last time: {value}") if turn.work.memory.get("editing") else N_("Same answer: {value}")
        rows.append([turn.step(said, "same", value=show(field, same, turn.language))])
    if field.type is FieldType.CHOICE:
        options = [one for one in field.choices if not (has_same and one.code == same)]
        rows += [[turn.option(one.label[turn.language], f"choose-{one.code}")] for one in options]
    if field.type is FieldType.YES_TEXT:
        no = [] if has_same and same["any"] is False else [turn.step(N_("No"), "choose-no")]
        rows.append([*no, turn.step(N_("Yes"), "choose-yes")])
    return rows


def _ways(turn: Turn, field: Field) -> list[Button]:
    ways = [turn.step(N_("◀ Back"), "back")]
    if field.optional:
        ways.append(turn.step(N_("Skip ▶"), "skip"))
    ways.append(turn.step(N_("✖ Cancel"), "cancel"))
    return ways


def _show_doubt(turn: Turn, field: Field, lead: str) -> None:
    """Asks back: is it right, or which one was meant."""
    _ = turn.html
    candidates = turn.work.memory["doubt"]
    if len(candidates) > 1:
        text = _("Which one do you mean?")
        rows = [[turn.option(show(field, each, turn.language), f"pick-{i}")] for i, each in enumerate(candidates)]
        rows.append([turn.step(N_("None of these: I'll write it again"), "again")])
    else:
        found = consider(field, candidates[0], facts_of(turn))
        text = (
            found.question.say(_)
            if isinstance(found, Doubt)
            else _("{value}: is that right?", value=show(field, candidates[0], turn.language))
        )
        rows = [[turn.step(N_("Yes, it's right"), "yes"), turn.step(N_("Correct it"), "again")]]
    parts = [lead] if lead else []
    parts.append(lines(_header(turn, form_of(turn), field), bold(field.label[turn.language])))
    parts.append("🤔 " + text)
    turn.say(paragraphs(*parts), [*rows, [turn.step(N_("✖ Cancel"), "cancel")]])


_SCREENS: dict[str, Callable[[Turn, str], None]] = {
    OBLIGATION: _show_obligations,
    SUMMARY: recap.show_summary,
    EDIT: recap.show_edit,
    UNCHANGED: recap.show_unchanged,
}
