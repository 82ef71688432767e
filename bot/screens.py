"""What each step of an update looks like. Shows; changes nothing."""

from collections.abc import Callable

from bot import recap
from bot.asked import ON_THE_WEB_ONLY, Asking, Option, ask_more, options, question_text
from bot.markup import bold, escape, lines, paragraphs
from bot.own_projects import PAGE, matches, own_lines, page_of
from bot.steps import (
    EDIT,
    OBLIGATION,
    ORGANIZATION,
    PROJECT,
    REASON,
    SUMMARY,
    UNCHANGED,
    can_repeat,
    day_of,
    facts_now,
    filling_now,
    fitting,
    form_of,
    item_now,
    prior_now,
    step_after,
    step_before,
)
from bot.turn import Turn, shortened
from delivery.words import PERSONAL_PAGE, Button
from facts.dates import show_date
from facts.languages import N_
from intake.forms.filling import Item, More
from intake.forms.hearing import weigh
from intake.forms.outcomes import Doubt
from intake.forms.values import fits, title_of
from storage.people import organizations_of
from storage.reviews import open_remarks
from storage.worklist import ProjectLine

SHOWN = 300  # characters of a longer answer


def show_step(turn: Turn, lead: str = "", found: list[ProjectLine] | None = None, *, instead: bool = False) -> None:
    """The step where the draft is. `lead` goes before it; `found` when own projects were looked up already.

    `instead`: in the message whose button was pressed.
    """
    if turn.work.step == PROJECT:
        _show_projects(turn, lead, own_lines(turn) if found is None else found)
    elif turn.work.step in _SCREENS:
        _SCREENS[turn.work.step](turn, lead)
    else:
        _show_question(turn, lead, instead=instead)


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


def _show_organizations(turn: Turn, lead: str) -> None:
    _ = turn.html
    text = paragraphs(lead, bold(_form_title(turn)), _("<b>Which organisation do you write for?</b>"))
    found = organizations_of(turn.session, turn.person.id)
    rows = [[turn.option(one.name, f"organization-{one.id}")] for one in found]
    turn.say(text, [*rows, [turn.step(N_("✖ Cancel"), "cancel")]])


def _form_title(turn: Turn) -> str:
    return recap.form_title(form_of(turn).form, turn.language)


def _show_question(turn: Turn, lead: str, *, instead: bool) -> None:
    """The question where the draft is; asked back when the last answer was in doubt."""
    item = item_now(turn)
    if item is None:  # an earlier answer has made it disappear: the next one
        turn.move(step=step_after(filling_now(turn), turn.work.step), memory={})
        show_step(turn, lead)
    elif isinstance(item, More):
        _show_more(turn, item, lead)
    elif item.question.private:
        _show_private(turn, item, lead)
    elif "doubt" in turn.work.memory:
        _show_doubt(turn, item, lead)
    else:
        _show_item(turn, item, lead, instead=instead)


def _show_item(turn: Turn, item: Item, lead: str, *, instead: bool) -> None:
    same = _same(turn, item)
    asking = Asking(filling_now(turn), item, turn.plain, turn.work.memory, same)
    text = paragraphs(lead, question_text(asking, _header(turn, item)), _remark(turn, item), _known(turn, asking))
    rows = [*_ways_of_last_time(turn, asking), *_as_buttons(turn, options(asking)), _ways(turn, item)]
    turn.say(text, rows, instead=instead)


def _as_buttons(turn: Turn, rows: list[list[Option]]) -> list[list[Button]]:
    return [[turn.option(label, value) for label, value in row] for row in rows]


def _same(turn: Turn, item: Item) -> object:
    """Last time's answer, when it can be one again."""
    filling, value = filling_now(turn), prior_now(turn).answers.get(item.key)
    if filling.is_enclosing(item.key) or not fits(filling.plan.form, item.question, value):
        return None
    return value


def _header(turn: Turn, item: Item | More) -> str:
    _ = turn.html
    n, total = filling_now(turn).progress(item.key)
    title = shortened(turn.subject.title, 60)
    return _("{n} of {total} · {title}", title=title, n=n, total=total)


def _remark(turn: Turn, item: Item) -> str:
    """What staff remarked on the answer that is being corrected."""
    if turn.work.corrects_id is None:
        return ""
    said = open_remarks(turn.session, turn.work.corrects_id).get(item.key)
    return turn.html(N_("💬 The office asks: {remark}"), remark=said) if said else ""


def _known(turn: Turn, asking: Asking) -> str:
    """The answer being changed, or that of last time."""
    _, given = turn.html, asking.filling.answers.get(asking.item.key)
    if turn.work.memory.get("editing") or (given is not None and asking.filling.is_enclosing(asking.item.key)):
        return _("Your answer now: {value}", value=shortened(asking.shown(given), SHOWN))
    if asking.same is None:
        return ""
    prior, shown = prior_now(turn), shortened(asking.shown(asking.same), SHOWN)
    if prior.at is None:
        return _("In the register: {value}", value=shown)
    return _("Last time ({day}): {value}", day=day_of(turn, prior.at), value=shown)


def _ways_of_last_time(turn: Turn, asking: Asking) -> list[list[Button]]:
    """Nothing changed at all; the same answer once more."""
    rows, editing = [], turn.work.memory.get("editing")
    is_first = step_before(asking.filling, asking.item.key) is None
    if is_first and not editing and turn.work.corrects_id is None and can_repeat(turn):
        rows.append([turn.step(N_("🔁 Nothing changed"), "unchanged")])
    if asking.same is not None:
        said = N_("As last time: {value}") if editing else N_("Same answer: {value}")
        rows.append([turn.step(said, "same", value=asking.shown(asking.same))])
    return rows


def _ways(turn: Turn, item: Item) -> list[Button]:
    filling = filling_now(turn)
    ways = [turn.step(N_("◀ Back"), "back")]
    if filling.is_enclosing(item.key) and filling.answers.get(item.key):
        ways.append(turn.step(N_("Go on ▶"), "done"))
    elif not filling.is_required(item):
        ways.append(turn.step(N_("Skip ▶"), "skip"))
    return [*ways, turn.step(N_("🌐 Web"), "web"), turn.step(N_("✖ Cancel"), "cancel")]


def _show_more(turn: Turn, more: More, lead: str) -> None:
    _ = turn.html
    asked = ask_more(filling_now(turn), more, _)
    if "removing" in turn.work.memory:
        text = _("Shall I take the last one away, with all its answers?")
        rows = [[turn.step(N_("Yes, take it away"), "yes"), turn.step(N_("No, leave it"), "again")]]
    else:
        text, rows = asked.html, _as_buttons(turn, [list(row) for row in asked.rows])
    ways = [turn.step(N_("◀ Back"), "back"), turn.step(N_("🌐 Web"), "web"), turn.step(N_("✖ Cancel"), "cancel")]
    turn.say(paragraphs(lead, _header(turn, more), text), [*rows, ways])


def _show_private(turn: Turn, item: Item, lead: str) -> None:
    """Never by Telegram: there is the way to the page, and on from here."""
    _, filling = turn.html, filling_now(turn)
    asking = Asking(filling, item, turn.plain)
    given = filling.answers.get(item.key) is not None
    said = _("✓ You have answered this on your page.") if given else ""
    text = lines(
        _header(turn, item),
        bold(asking.words(item.question.label)),
        "🔒 " + _(ON_THE_WEB_ONLY),
        said,
    )
    on = "done-private" if given else "skip"
    may_go_on = given or not filling.is_required(item)
    onward = turn.step(N_("Go on ▶"), on if may_go_on else "look")
    page = turn.link(N_("🌐 Answer on the web"), f"{PERSONAL_PAGE}/drafts/{turn.work.id}")
    turn.say(
        paragraphs(lead, text), [[page], [turn.step(N_("◀ Back"), "back"), onward, turn.step(N_("✖ Cancel"), "cancel")]]
    )


def _show_doubt(turn: Turn, item: Item, lead: str) -> None:
    """Asks back: is it right, or which one was meant."""
    _, filling = turn.html, filling_now(turn)
    asking, candidates = Asking(filling, item, turn.plain), turn.work.memory["doubt"]
    if len(candidates) > 1:
        text = _("Which one do you mean?")
        rows = [[turn.option(asking.shown(each), f"pick-{i}")] for i, each in enumerate(candidates)]
        rows.append([turn.step(N_("None of these: I'll write it again"), "again")])
    else:
        found = weigh(filling, item, candidates[0], facts_now(turn))
        text = (
            found.question.say(_)
            if isinstance(found, Doubt)
            else _("{value}: is that right?", value=asking.shown(candidates[0]))
        )
        rows = [[turn.step(N_("Yes, it's right"), "yes"), turn.step(N_("Correct it"), "again")]]
    parts = [lead] if lead else []
    title = title_of(filling.plan.form, item.question, turn.language)
    parts.append(lines(_header(turn, item), bold(title)))
    parts.append("🤔 " + text)
    turn.say(paragraphs(*parts), [*rows, [turn.step(N_("✖ Cancel"), "cancel")]])


_SCREENS: dict[str, Callable[[Turn, str], None]] = {
    ORGANIZATION: _show_organizations,
    OBLIGATION: _show_obligations,
    SUMMARY: recap.show_summary,
    EDIT: recap.show_edit,
    REASON: recap.show_reason,
    UNCHANGED: recap.show_unchanged,
}
