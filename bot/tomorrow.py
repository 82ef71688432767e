""" "Remind me tomorrow", under a reminder: says when it comes again. Decides nothing: that is `reminders/again.py`."""

from datetime import datetime, timedelta

from bot.markup import lines
from bot.turn import Turn
from facts.calendar import OFFICE_ZONE, local_date
from facts.dates import show_weekday
from reminders.again import remind_tomorrow


def put_off(turn: Turn) -> None:
    """Everything the pressed message told of, and is still to be done."""
    _ = turn.html
    found = remind_tomorrow(turn.session, turn.person.id, turn.chat, turn.heard.message, turn.now)
    if found is None:
        turn.say(_("None of this is missing any more: there is nothing to remind you of."), [[turn.to_menu()]])
        return
    silent = _.ngettext(
        "If you send it before, I stay silent.",
        "What you send before, I leave out.",
        len(found.obligation_ids),
    )
    turn.say(lines(_when(turn, found.again_at), silent))


def _when(turn: Turn, again_at: datetime) -> str:
    _ = turn.html
    day = local_date(again_at, OFFICE_ZONE)
    shown = show_weekday(day, turn.language)
    if day == local_date(turn.now, OFFICE_ZONE) + timedelta(days=1):
        return _("All right: I will write to you again tomorrow morning, {day}.", day=shown)
    return _("All right: I will write to you again in the morning of {day}.", day=shown)
