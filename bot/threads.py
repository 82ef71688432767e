"""The thread of a question in the chat: continued, added to, settled. What may be done, `intake/questions.py` knows."""

from collections.abc import Sequence
from dataclasses import replace

from bot.markup import paragraphs
from bot.turn import BLANK, Turn
from delivery.callbacks import AboutQuestion, Verdict
from delivery.outbox import message_at
from facts.languages import N_
from intake.questions import add_message, settle
from storage import attachments
from storage.questions import own_question, question_of_message, referent_wrote_last
from storage.tables import Attachment, Channel, DraftKind, DraftState, Question, QuestionState

TEXT = "text"  # the only step of adding


def for_files(turn: Turn) -> str:
    """What stands for words where there are only files."""
    return turn.plain(N_("I am leaving a file."))


def continue_thread(turn: Turn, files: Sequence[Attachment] = ()) -> bool:
    """A reply to a message of a thread goes into that thread. False when it is a reply to something else."""
    reply_to = turn.heard.reply_to
    if reply_to is None or not (turn.heard.text or files):
        return False
    ours = message_at(turn.session, Channel.TELEGRAM, turn.chat, reply_to)
    found = ours.question_id if ours else None
    if found is None:
        found = question_of_message(turn.session, turn.person.id, Channel.TELEGRAM, reply_to)
    question = own_question(turn.session, turn.person.id, found) if found is not None else None
    if question is None:
        return False
    work = turn.open_work
    if work is not None and work.kind is DraftKind.FOLLOW_UP and work.question_id in (found, question.id):
        turn.close(DraftState.SENT)
    add(turn, question.id, turn.heard.text, turn.heard.message, files)
    return True


def add(turn: Turn, question_id: int, text: str, message: str, files: Sequence[Attachment] = ()) -> None:
    """Puts a text, perhaps with files, into an own thread and says so."""
    _ = turn.html
    question = own_question(turn.session, turn.person.id, question_id)
    if question is None:
        turn.say(_("I do not find this question among yours."), [[turn.to_menu()]])
        return
    was_over = question.state in (QuestionState.ANSWERED, QuestionState.CLOSED)
    added = add_message(
        turn.session,
        question,
        referent_id=turn.person.id,
        text=text or for_files(turn),
        channel=Channel.TELEGRAM,
        now=turn.now,
        zone=turn.house.zone,
        inbox_id=turn.inbox_id,
        provider_id=message or None,
    )
    attachments.put_in_message(turn.session, [one.id for one in files], added.id)
    if was_over:
        said = _("✓ Added: question no. {n} is open again, the office will read it.", n=question.id)
    else:
        said = _("✓ Added to question no. {n}.", n=question.id)
    turn.say(said, question_id=question.id)


def about(turn: Turn, pressed: AboutQuestion) -> None:
    """Solved, not solved, add: the buttons under an answer and in the list."""
    question = own_question(turn.session, turn.person.id, pressed.question_id)
    _ = turn.html
    if question is None:
        turn.say(_("I do not find this question among yours."), [[turn.to_menu()]])
    elif pressed.verdict is Verdict.SOLVED and _is_waiting(turn, question):
        _ask_to_close(turn, question)
    elif pressed.verdict is Verdict.SOLVED:
        _solved(turn, question)
    elif pressed.verdict is Verdict.NOT_SOLVED:
        settle(turn.session, question.id, turn.person.id, solved=False, now=turn.now, zone=turn.house.zone)
        begin_adding(
            turn, question.id, _("I am sorry. Question no. {n} is open again and back with the office.", n=question.id)
        )
    else:
        begin_adding(turn, question.id, "")


def _is_waiting(turn: Turn, question: Question) -> bool:
    """They wrote last: closing now would bury what they have added."""
    over = question.state in (QuestionState.ANSWERED, QuestionState.CLOSED)
    return not over and referent_wrote_last(turn.session, question.id)


def _ask_to_close(turn: Turn, question: Question) -> None:
    _ = turn.html
    turn.say(
        _("You have just added something to question no. {n}. Shall I close it all the same?", n=question.id),
        [
            [turn.button(N_("Yes, close it"), f"m:close-{question.id}")],
            [turn.button(N_("No, I wait for the answer"), f"m:keep-{question.id}")],
        ],
        question_id=question.id,
    )


def close_waiting(turn: Turn, question_id: int) -> None:
    """ "Close it all the same"."""
    _after_asking(turn, question_id, close=True)


def keep_waiting(turn: Turn, question_id: int) -> None:
    _after_asking(turn, question_id, close=False)


def _after_asking(turn: Turn, question_id: int, *, close: bool) -> None:
    _ = turn.html
    question = own_question(turn.session, turn.person.id, question_id)
    if question is None:
        turn.say(_("I do not find this question among yours."), [[turn.to_menu()]])
    elif close:
        _solved(turn, question)
    else:
        turn.say(
            _("Good: question no. {n} stays as it is.", n=question.id), [[turn.to_menu()]], question_id=question.id
        )


def _solved(turn: Turn, question: Question) -> None:
    _ = turn.html
    settle(turn.session, question.id, turn.person.id, solved=True, now=turn.now, zone=turn.house.zone)
    turn.say(
        _("Good! I have closed question no. {n}. Thank you for telling us.", n=question.id),
        [[turn.to_menu()]],
        question_id=question.id,
    )


def begin_adding(turn: Turn, question_id: int, lead: str) -> None:
    """What is written next goes into this thread; the caller knows that it is theirs."""
    turn.begin(replace(BLANK, kind=DraftKind.FOLLOW_UP, question_id=question_id, step=TEXT))
    show_adding(turn, lead)


def show_adding(turn: Turn, lead: str = "") -> None:
    """The step where what is written next goes into a thread."""
    _ = turn.html
    text = _("Write here what to add to question no. {n}.", n=turn.work.question_id)
    turn.say(paragraphs(lead, text), [[turn.step(N_("✖ Cancel"), "cancel")]])
