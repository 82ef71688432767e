"""`/sostituto`: who answers in one's place, and until when; and no to whom one stands in for.

The rules are in `intake/delegation.py`.

Nothing is kept between the steps: each button says all that was chosen so far, and all of it is checked again.
"""

from contextlib import suppress
from datetime import date, timedelta

from bot.heard import id_in
from bot.markup import escape, lines, paragraphs
from bot.turn import Turn, shortened
from delivery.callbacks import decline
from delivery.words import Button
from facts.dates import read_date, show_date, show_short_date, show_weekday
from facts.folding import begin_words
from facts.languages import N_
from facts.reading import Ambiguous, Unreadable
from intake.delegation import NotPossible, delegate, end
from storage.delegations import Held, away_until, colleagues, held_by, standing_in
from storage.lending import begun_there, staying
from storage.tables import Referent

PAGE = 8
MOST_NAMED = 5
FRIDAY = 4


def begin(turn: Turn) -> None:
    """What holds now; else the colleagues to choose among, narrowed by what follows the command."""
    turn.put_aside()
    held = held_by(turn.session, turn.person.id)
    if held is not None and not turn.heard.rest:
        _show_held(turn, held)
        return
    name, until = _name_and_day(turn.heard.rest if turn.heard.command else "", turn.today)
    chosen = [one for one in colleagues(turn.session, turn.person.id) if begin_words(one.name, name)]
    if until is not None and len(chosen) == 1:
        _confirm(turn, chosen[0], until)
    else:
        _show_colleagues(turn, name, 0)


def _show_held(turn: Turn, held: Held) -> None:
    _ = turn.html
    day = show_weekday(held.until, turn.language)
    stays = _what_stays(turn, held.substitute_id, held.substitute)
    gone = away_until(turn.session, [held.substitute_id]).get(held.substitute_id)
    if gone is not None:
        last = show_weekday(gone, turn.language)
        stays = _("{name} is away too until {day}: your reminders come to you.", name=held.substitute, day=last)
    turn.say(
        paragraphs(
            _("<b>{name}</b> answers in your place until {day}.", name=held.substitute, day=day),
            stays or _("Until then I do not remind you."),
            *_stood_in_for(turn),
        ),
        [
            [turn.button(N_("I am back: end it"), f"v:end-{held.id}")],
            [turn.button(N_("Choose somebody else"), "v:page-0")],
            *_ways_to_decline(turn),
            [turn.to_menu()],
        ],
    )


def _what_stays(turn: Turn, substitute_id: int, name: str) -> str:
    """What the substitute cannot answer, being of none of these organisations. Empty when they answer everything."""
    found = staying(turn.session, turn.person.id, substitute_id)
    if not found.organizations:
        return ""
    _ = turn.html
    said = _(
        "What concerns only {organizations} stays with you, with its reminders: {name} is not in there.",
        organizations=", ".join(found.organizations),
        name=name,
    )
    more = len(found.projects) - MOST_NAMED
    return lines(
        said,
        *(escape(f"• {shortened(title, 100)}") for title in found.projects[:MOST_NAMED]),
        _("… and {n} more.", n=more) if more > 0 else "",
    )


def _stood_in_for(turn: Turn) -> list[str]:
    _ = turn.html
    return [
        _(
            "You stand in for <b>{name}</b> until {day}.",
            name=one.referent,
            day=show_weekday(one.until, turn.language),
        )
        for one in standing_in(turn.session, turn.person.id)
    ]


def _ways_to_decline(turn: Turn) -> list[list[Button]]:
    return [
        [turn.button(N_("I can stand in for {name} no more"), decline(one.id), name=one.referent)]
        for one in standing_in(turn.session, turn.person.id)
    ]


def _name_and_day(text: str, today: date) -> tuple[str, date | None]:
    """`bruno 7/1/2027`: the name, and the day when what follows the name is one."""
    words = text.split()
    for cut in range(1, len(words)):
        with suppress(Unreadable, Ambiguous):
            return " ".join(words[:cut]), read_date(" ".join(words[cut:]), today=today)
    return text, None


def _show_colleagues(turn: Turn, wanted: str, page: int, lead: str = "") -> None:
    _ = turn.html
    every = list(colleagues(turn.session, turn.person.id))
    found = [one for one in every if begin_words(one.name, wanted)] if wanted else every
    if not every:
        turn.say(
            paragraphs(
                _("I find no colleague of your organisation here. Write to the office with /domanda: they add them."),
                *_stood_in_for(turn),
            ),
            [*_ways_to_decline(turn), [turn.to_menu()]],
        )
        return
    if not found:
        lead = _("I find no colleague called “{name}”.", name=wanted[:60])
    shown = (found or every)[page * PAGE : (page + 1) * PAGE]
    gone = away_until(turn.session, [one.id for one in shown])
    rows = [[_colleague(turn, one, gone.get(one.id))] for one in shown]
    if len(found or every) > (page + 1) * PAGE and not wanted:
        rows.append([turn.button(N_("More colleagues ▶"), f"v:page-{page + 1}")])
    question = _("<b>Who answers in your place?</b>")
    hint = _("They will follow your projects and get your reminders. To search: /sostituto and a name.")
    turn.say(paragraphs(lead, *_stood_in_for(turn), question, hint), [*rows, *_ways_to_decline(turn), [turn.to_menu()]])


def _colleague(turn: Turn, one: Referent, away: date | None) -> Button:
    if away is None:
        return turn.named(one.name, f"v:who-{one.id}")
    day = show_short_date(away, turn.language)
    return turn.button(N_("{name} (away until {day})"), f"v:who-{one.id}", name=one.name, day=day)


def press(turn: Turn, argument: str) -> None:
    """`who-3`, `until-3-20261204`, `yes-3-20261204`, `end-7`, `page-1`; `decline-7`, `declined-7`."""
    action, _sep, rest = argument.partition("-")
    number, _sep, day = rest.partition("-")
    if action == "page":
        _show_colleagues(turn, "", id_in(number))
    elif action == "end":
        _end(turn, id_in(number))
    elif action in ("decline", "declined"):
        _decline(turn, id_in(number), sure=action == "declined")
    else:
        _go_on(turn, action, id_in(number), _day_in(day))


def _go_on(turn: Turn, action: str, substitute_id: int, until: date | None) -> None:
    chosen = next((one for one in colleagues(turn.session, turn.person.id) if one.id == substitute_id), None)
    gone = away_until(turn.session, [substitute_id]).get(substitute_id)
    if chosen is None:
        _show_colleagues(turn, "", 0)
    elif gone is not None:
        _ = turn.html
        day = show_date(gone, turn.language)
        said = _("{name} is away too, until {day}: choose somebody else.", name=chosen.name, day=day)
        _show_colleagues(turn, "", 0, said)
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
            _what_stays(turn, chosen.id, chosen.name)
            or _("They see your projects and get your reminders; you get none."),
            _while_away(turn),
            _("End it at any time with /sostituto. <b>Shall I set it up?</b>"),
        ),
        [
            [turn.button(N_("✅ Yes"), f"v:yes-{chosen.id}-{until:%Y%m%d}")],
            [turn.button(N_("◀ Another day"), f"v:who-{chosen.id}"), turn.to_menu()],
        ],
    )


def _while_away(turn: Turn) -> str:
    """What one stands in for cannot be handed on."""
    names = ", ".join(one.referent for one in standing_in(turn.session, turn.person.id))
    if not names:
        return ""
    _ = turn.html
    return _(
        "You stand in for {names}: while you are away their reminders go back to them, and I tell them.", names=names
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
        turn.say(_(refused.sentence, **refused.values), [[turn.to_menu()]])
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
        turn.say(_("Your absence is over already: your reminders come to you."), [[turn.to_menu()]])
        return
    end(turn.session, held, turn.now, by=("referent", turn.person.id))
    turn.say(
        _("Good to have you back! I have told {name}: your reminders come to you again.", name=held.substitute),
        [[turn.to_menu()]],
    )


def _decline(turn: Turn, delegation_id: int, *, sure: bool) -> None:
    """No to somebody who is away: asked first, for it reaches them wherever they are."""
    _ = turn.html
    held = next((one for one in standing_in(turn.session, turn.person.id) if one.id == delegation_id), None)
    if held is None:
        turn.say(_("You do not stand in for them any more: nothing else to do."), [[turn.to_menu()]])
    elif sure:
        end(turn.session, held, turn.now, by=("referent", turn.person.id))
        turn.say(_("Done: {name} knows. Thank you all the same!", name=held.referent), [[turn.to_menu()]])
    else:
        begun = ", ".join(begun_there(turn.session, held))
        turn.say(
            paragraphs(
                _("<b>Shall I tell {name} that you cannot?</b> Their reminders go back to them.", name=held.referent),
                _("What you have begun there and not sent is cancelled: {titles}.", titles=begun) if begun else "",
            ),
            [
                [turn.button(N_("Yes, tell them"), f"v:declined-{held.id}")],
                [turn.button(N_("No, I go on"), "m:menu")],
            ],
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
    return _("You stand in for {names}.", names=names) if names else ""
