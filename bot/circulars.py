"""What staff wrote first, answered in the chat: by a reply to it, or by its button. The answer becomes a question.

One question a person and circular: what they say of it later goes into the same thread.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot import asking, threads
from bot.heard import id_in
from bot.markup import lines, paragraphs
from bot.turn import Turn
from delivery.callbacks import add_to
from delivery.outbox import message_at
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_
from intake.questions import ask
from storage import attachments, circulars
from storage.questions import thread
from storage.tables import Attachment, Channel


def continue_circular(turn: Turn, files: Sequence[Attachment] = ()) -> bool:
    """A reply to a circular, or to a file of it. False when it is a reply to something else."""
    reply_to = turn.heard.reply_to
    if reply_to is None or not (turn.heard.text or files):
        return False
    ours = message_at(turn.session, Channel.TELEGRAM, turn.chat, reply_to)
    number = None if ours is None or ours.referent_id != turn.person.id else circulars.number_in(ours)
    if number is None:
        return False
    known = circulars.replied(turn.session, turn.person.id, number)
    if known is None:
        _ask(turn, number, files)
    else:
        threads.add(turn, known, turn.heard.text, turn.heard.message, files)
    return True


def begin(turn: Turn, argument: str) -> None:
    """The button below it: what they write next is their answer."""
    _ = turn.html
    number = id_in(argument)
    if not circulars.received(turn.session, turn.person.id, number):
        turn.say(_("I do not find this communication among yours."), [[turn.to_menu()]])
        return
    known = circulars.replied(turn.session, turn.person.id, number)
    if known is not None:
        threads.begin_adding(turn, known, _("You have answered already: it is question no. {n}.", n=known))
        return
    turn.begin(replace(asking.QUESTION, answers={asking.CIRCULAR: number}))
    text = _("Write your answer here: the office reads it as a question of yours.")
    turn.say(text, [[turn.step(N_("✖ Cancel"), "cancel")]])


def _ask(turn: Turn, number: int, files: Sequence[Attachment]) -> None:
    question = ask(
        turn.session,
        referent_id=turn.person.id,
        text=turn.heard.text or threads.for_files(turn),
        channel=Channel.TELEGRAM,
        now=turn.now,
        zone=turn.house.zone,
        inbox_id=turn.inbox_id,
        provider_id=turn.heard.message or None,
        circular_id=number,
    )
    first = thread(turn.session, question.id)[0]
    attachments.put_in_message(turn.session, [one.id for one in files], first.id)
    _ = turn.html
    day = show_date(local_date(question.due_at, turn.house.zone), turn.language)
    turn.say(
        paragraphs(
            lines(
                _("✅ <b>Your answer has arrived: it is question no. {n}</b>", n=question.id),
                _("If something is to be answered, we usually do it within two working days, by {day}.", day=day),
            ),
            _("To add something, reply to this message or press the button."),
        ),
        [[turn.button(N_("Add something"), add_to(question.id)), turn.to_menu()]],
        question_id=question.id,
    )
