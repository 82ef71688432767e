""" "Why do I get this?", under a reminder: says it. Decides nothing: that is `reminders/why.py`."""

from bot.markup import bold, lines, paragraphs
from bot.turn import Turn
from delivery.callbacks import SUBSTITUTE
from delivery.outbox import message_at
from delivery.words import Button
from reminders.why import Because, why
from storage.tables import Channel

SHOWN = 5  # things in one message of a chat


def explain(turn: Turn) -> None:
    """Of what the pressed message told; when that is too old to be found, of all that they owe."""
    _ = turn.html
    row = message_at(turn.session, Channel.TELEGRAM, turn.chat, turn.heard.message)
    found = why(turn.session, turn.person.id, row, turn.plain, turn.now)
    if not found.about:
        turn.say(_("Nothing is asked of you now, so no reminder is planned."), [[turn.to_menu()]])
        return
    parts = [_told(one) for one in found.about[:SHOWN]]
    if found.instead_of:
        said = _("You stand in for {name}: our messages do not reach them, so we write to you.", name=found.instead_of)
        parts.insert(0, said)
    if len(found.about) > SHOWN:
        more = len(found.about) - SHOWN
        parts.append(_.ngettext("…and one more: see /scadenze", "…and {n} more: see /scadenze", more))
    parts.append(_("It stops as soon as the update is in. If it is not yours, write to us: /domanda."))
    away = Button(turn.plain("Who answers in your place"), data=SUBSTITUTE)
    turn.say(paragraphs(*parts), [[away], [turn.to_menu()]])


def _told(one: Because) -> str:
    return lines(bold(one.title), *one.sentences)
