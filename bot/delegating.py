"""`/sostituto`: who answers in one's place, and until when. The rules are in `intake/delegation.py`.

Nothing is kept between the steps: each button says all that was chosen so far, and all of it is checked again.
"""

from contextlib import suppress
from datetime import date, timedelta

from bot.heard import id_in
from bot.markup import paragraphs
from bot.turn import Turn
from delivery.words import Button
from facts.dates import read_date, show_weekday
from facts.folding import begin_words
from facts.languages import N_
from facts.reading import Ambiguous, Unreadable
from intake.delegation import NotPossible, delegate, end
from storage.delegations import colleagues, held_by, standing_in
from storage.tables import Referent

PAGE = 8
FRIDAY = 4


def begin(turn: Turn) -> None:
    """What holds now; else the colleagues to choose among, narrowed by what follows the command."""
    turn.put_aside()
    held = held_by(turn.session, turn.person.id)
    _ = turn.html
    if held is not None and not turn.heard.rest:
        day = show_weekday(held.until, turn.language)
        turn.say(
            _(
                "<b>{name}</b> answers in your place until {day}. Until then I do not remind you.",
                name=held.substitute,
                day=day,
            ),
            [[turn.button(N_("I am back: end it"), f"v:end-{held.id}")], [turn.to_menu()]],
        )
        return
    name, until = _name_and_day(turn.heard.rest if turn.heard.command else "", turn.today)
    chosen = [one for one in colleagues(turn.session, turn.person.id) if begin_words(one.name, name)]
    if until is not None and len(chosen) == 1:
        _confirm(turn, chosen[0], until)
    else:
        _show_colleagues(turn, name, 0)


def _name_and_day(text: str, today: date) -> tuple[str, date | None]:
    """`bruno 7/1/2027`: the name, and the day when what follows the name is one."""
    words = text.split()
    for cut in range(1, len(words)):
        with suppress(Unreadable, Ambiguous):
            return " ".join(words[:cut]), read_date(" ".join(words[cut:]), today=today)
    return text, None


def _show_colleagues(turn: Turn, wanted: str, page: int) -> None:
    _ = turn.html
    every = list(colleagues(turn.session, turn.person.id))
    found = [one for one in every if begin_words(one.name, wanted)] if wanted else every
    if not every:
        turn.say(
            _("I find no colleague of your organisation here. Write to the office with /domanda: they add them."),
            [[turn.to_menu()]],
        )
        return
    lead = _("I find no colleague called “{name}”.", name=wanted[:60]) if not found else ""
    shown = (found or every)[page * PAGE : (page + 1) * PAGE]
    rows = [[turn.named(one.name, f"v:who-{one.id}")] for one in shown]
    if len(found or every) > (page + 1) * PAGE and not wanted:
        rows.append([turn.button(N_("More colleagues ▶"), f"v:page-{page + 1}")])
    question = _("<b>Who answers in your place?</b>")
    hint = _("They will follow your projects and get your reminders. To search: /sostituto and a name.")
    turn.say(paragraphs(lead, question, hint), [*rows, [turn.to_menu()]])


def press(turn: Turn, argument: str) -> None:
    """`who-3`, `until-3-20261204`, `yes-3-20261204`, `end-7`, `page-1`."""
    action, _sep, rest = argument.partition("-")
    number, _sep, day = rest.partition("-")
    if action == "page":
        _show_colleagues(turn, "", id_in(number))
    elif action == "end":
        _end(turn, id_in(number))
    else:
        _go_on(turn, action, id_in(number), _day_in(day))


def _go_on(turn: Turn, action: str, substitute_id: int, until: date | None) -> None:
    chosen = next((one for one in colleagues(turn.session, turn.person.id) if one.id == substitute_id), None)
    if chosen is None:
        _show_colleagues(turn, "", 0)
    elif action == "yes" and until is not None:
        _delegate(turn, chosen, until)
    elif action == "until" and until is not None:
        _confirm(turn, chosen, until)
    else:
        _show_days(turn, chosen)


def _show_days(turn: Turn, chosen: Referent) -> None:
    _ = turn.html
    rows = [[_day_button(turn, chosen, label, day)] for label, day in _days(turn.today)]
    question = _("<b>Until when does {name} answer?</b> That day is included.", name=chosen.name)
    hint = _("Another day? Write it, for example: <code>/sostituto {name} 7/1/2027</code>", name=chosen.name.split()[0])
    turn.say(paragraphs(question, hint), [*rows, [turn.to_menu()]])


def _days(today: date) -> list[tuple[str, date]]:
    """Ends of working weeks and of months that lie ahead."""
    friday = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    following = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    days = {
        friday: N_("This week: {day}"),
        friday + timedelta(days=7): N_("Next week: {day}"),
        friday + timedelta(days=14): N_("In two weeks: {day}"),
        month: N_("End of the month: {day}"),
        following: N_("End of next month: {day}"),
    }
    return [(label, day) for day, label in sorted(days.items())]


def _day_button(turn: Turn, chosen: Referent, label: str, day: date) -> Button:
    return turn.button(label, f"v:until-{chosen.id}-{day:%Y%m%d}", day=show_weekday(day, turn.language))


def _confirm(turn: Turn, chosen: Referent, until: date) -> None:
    _ = turn.html
    turn.say(
        paragraphs(
            _(
                "From now until {day} <b>{name}</b> answers in your place.",
                day=show_weekday(until, turn.language),
                name=chosen.name,
            ),
            _("They see your projects and get your reminders; you get none. End it at any time with /sostituto."),
            _("<b>Shall I set it up?</b>"),
        ),
        [
            [turn.button(N_("✅ Yes"), f"v:yes-{chosen.id}-{until:%Y%m%d}")],
            [turn.button(N_("◀ Another day"), f"v:who-{chosen.id}"), turn.to_menu()],
        ],
    )


def _delegate(turn: Turn, chosen: Referent, until: date) -> None:
    _ = turn.html
    held = held_by(turn.session, turn.person.id)
    if held is not None and (held.substitute_id, held.until) == (chosen.id, until):
        begin(turn)  # pressed twice
        return
    try:
        delegate(turn.session, turn.person.id, chosen.id, until, today=turn.today, now=turn.now)
    except NotPossible as refused:
        turn.say(_(refused.sentence), [[turn.to_menu()]])
        return
    day = show_weekday(until, turn.language)
    turn.say(
        _("Done: <b>{name}</b> answers until {day}, and knows it. Have a good time!", name=chosen.name, day=day),
        [[turn.to_menu()]],
    )


def _end(turn: Turn, delegation_id: int) -> None:
    _ = turn.html
    held = held_by(turn.session, turn.person.id)
    if held is None or held.id != delegation_id:
        turn.say(_("That is over already: your reminders come to you."), [[turn.to_menu()]])
        return
    end(turn.session, held, turn.now, by=("referent", turn.person.id))
    turn.say(
        _("Welcome back! {name} has been told; your reminders come to you again.", name=held.substitute),
        [[turn.to_menu()]],
    )


def _day_in(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None


def stands_in_for(turn: Turn) -> str:
    """One line for lists: for whom some of these projects are followed. Empty for nobody."""
    _ = turn.html
    names = ", ".join(f"{one.referent}" for one in standing_in(turn.session, turn.person.id))
    return _("You also stand in for {names}.", names=names) if names else ""
