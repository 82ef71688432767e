"""Edited messages: a draft's answer follows its message, what was sent gets a correction beside it. Overwrites nothing.

Telegram lets people edit for two days, and tells us also when nothing that they wrote has changed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import asking, filling
from bot.markup import paragraphs
from bot.screens import show_step
from bot.steps import SUMMARY, facts_about, prior_of
from bot.turn import Turn, shortened
from delivery.callbacks import add_to, start_update
from facts.languages import N_
from intake.corrections import Edited, correct_message, correct_update, said_last
from intake.forms import Answered, Doubt, Field, More, Outcome, parse, show
from storage import attachments
from storage.drafts import change_draft, recent_drafts, subject_of
from storage.people import own_project
from storage.questions import message_of_chat, own_question, thread
from storage.reports import update_of_draft
from storage.tables import Channel, Draft, DraftKind, DraftState, Message, QuestionState

REACH = timedelta(days=3)  # longer than people may edit


@dataclass(frozen=True, slots=True)
class Edit:
    """What one message said before and says now, and what it had been in its draft."""

    source: dict[str, Any]
    after: str

    @property
    def before(self) -> str:
        return str(self.source.get("text", ""))


def hear(turn: Turn) -> None:
    """Finds what the message was: words of a draft, of a thread, below a file; or nothing that we know."""
    message = turn.heard.message
    drafts = recent_drafts(turn.session, turn.person.id, turn.now - REACH)
    draft = next((one for one in drafts if message in one.sources), None)
    sent = message_of_chat(turn.session, turn.person.id, Channel.TELEGRAM, message)
    if draft is not None and draft.state is not DraftState.CANCELLED:
        _of_draft(turn, draft, Edit(draft.sources[message], turn.heard.text))
    elif sent is not None:
        _correct_message(turn, sent, turn.heard.text)
    elif not _below_a_file(turn) and turn.heard.text:
        _unknown(turn)


def _of_draft(turn: Turn, draft: Draft, edit: Edit) -> None:
    if draft.state is DraftState.SENT:
        _of_sent(turn, draft, edit)
    elif edit.after == edit.before:
        return
    elif draft.kind is DraftKind.UPDATE:
        _change_answer(turn, draft, edit)
    else:
        _change_words(turn, draft, edit)


# -- drafts ------------------------------------------------------------------------------------------


def _change_answer(turn: Turn, draft: Draft, edit: Edit) -> None:
    """The new text is read as the answer it was; what cannot be read is asked again."""
    assert draft.form_version_id is not None
    assert draft.project_id is not None
    field = turn.house.form(turn.session, draft.form_version_id).field(str(edit.source.get("field")))
    subject = subject_of(turn.session, draft.id)
    if field is None or subject is None or own_project(turn.session, turn.person.id, draft.project_id) is None:
        _unknown(turn)
        return
    facts = facts_about(turn.today, subject, prior_of(subject))
    outcome = parse(field, edit.after, facts, more=bool(edit.source.get("more")))
    sources = draft.sources | {turn.heard.message: edit.source | {"text": edit.after}}
    if turn.open_work is None or turn.work.id != draft.id:
        _change_aside(turn, draft, field, (outcome, sources))
    elif turn.work.step == field.name:
        turn.move(sources=sources)
        filling.take(turn, field, outcome)
    else:
        _change_open(turn, field, (outcome, sources))


def _change_open(turn: Turn, field: Field, read: tuple[Outcome, dict[str, Any]]) -> None:
    """An answer given earlier: changed in its place, and the question being asked stays. In doubt it is asked again."""
    outcome, sources = read
    if isinstance(outcome, Answered):
        turn.move(answers=turn.work.answers | {field.name: outcome.value}, sources=sources)
        show_step(turn, _corrected(turn, field, outcome.value))
        return
    memory: dict[str, Any] = {"editing": True} if turn.work.step == SUMMARY or _is_complete(turn) else {}
    memory |= {"doubt": list(outcome.candidates)} if isinstance(outcome, Doubt) else {}
    memory |= {"more": True} if isinstance(outcome, More) else {}
    turn.move(step=field.name, memory=memory, sources=sources)
    _ = turn.html
    lead = _("You edited this answer.")
    if not isinstance(outcome, Doubt | More | Answered):
        lead = paragraphs(lead, "⚠️ " + outcome.sentence.say(_))
    show_step(turn, lead)


def _is_complete(turn: Turn) -> bool:
    """The steps after the questions: from there one comes back when an answer was edited."""
    assert turn.work.form_version_id is not None
    return turn.work.step not in turn.house.form(turn.session, turn.work.form_version_id).names


def _change_aside(turn: Turn, draft: Draft, field: Field, read: tuple[Outcome, dict[str, Any]]) -> None:
    """The same for an update that was put aside: it stays there."""
    outcome, sources = read
    _ = turn.html
    again = [[turn.button(N_("Take it up again"), f"m:resume-{draft.id}"), turn.to_menu()]]
    if isinstance(outcome, Answered):
        answers = draft.answers | {field.name: outcome.value}
        change_draft(turn.session, draft.id, draft.revision, turn.now, answers=answers, sources=sources)
        turn.say(_corrected(turn, field, outcome.value), again)
    else:
        turn.say(_("That update is set aside, and I cannot read the new answer. Take it up again to change it."), again)


def _corrected(turn: Turn, field: Field, value: Any) -> str:
    shown = shortened(show(field, value, turn.language), 200)
    return turn.html(N_("✏️ Corrected: {answer}"), answer=f"{field.label[turn.language]}: {shown}")


def _change_words(turn: Turn, draft: Draft, edit: Edit) -> None:
    """A question that is being written: this part of it says something else now."""
    sources = draft.sources | {turn.heard.message: edit.source | {"text": edit.after}}
    words = "\n".join(str(one["text"]) for one in sources.values() if one.get("text"))
    answers = {name: value for name, value in draft.answers.items() if name != "wordless"} | {"text": words}
    _ = turn.html
    if not words or len(words) > asking.LONGEST:
        turn.say(_("I have kept the question as it was: like this it cannot be sent."), [[turn.to_menu()]])
    elif turn.open_work is not None and turn.work.id == draft.id:
        turn.move(answers=answers, sources=sources)
        asking.show_step(turn, _("✏️ Corrected."))
    else:
        change_draft(turn.session, draft.id, draft.revision, turn.now, answers=answers, sources=sources)
        turn.say(_("✏️ Corrected."), [[turn.to_menu()]])


# -- what was sent -----------------------------------------------------------------------------------


def _of_sent(turn: Turn, draft: Draft, edit: Edit) -> None:
    if draft.kind is DraftKind.UPDATE:
        _correct_update(turn, draft, edit)
        return
    question_id = draft.question_id
    own = question_id is not None and own_question(turn.session, turn.person.id, question_id) is not None
    message = message_of_chat(turn.session, turn.person.id, Channel.TELEGRAM, turn.heard.message)
    if message is None and own and question_id is not None:
        message = thread(turn.session, question_id)[0]  # its words were written in several messages
    if message is None:
        _unknown(turn)
    else:
        _correct_message(turn, message, edit.after, before=edit.before)


def _correct_message(turn: Turn, message: Message, after: str, *, before: str = "") -> None:
    """`before`: the part of the message that was edited, when it is not the whole."""
    before = before or message.text
    if after in (before, said_last(turn.session, message_id=message.id)) or not after:
        return
    question = own_question(turn.session, turn.person.id, message.question_id)
    if question is None:
        _unknown(turn)
        return
    was_over = question.state in (QuestionState.ANSWERED, QuestionState.CLOSED)
    edited = Edited(before, after, turn.inbox_id)
    correct_message(turn.session, message, edited, now=turn.now, zone=turn.house.zone)
    _ = turn.html
    said = _(
        "✏️ Question no. {n} had already been sent: I have attached the correction, both versions stay.", n=question.id
    )
    again = _("The question is open again.") if was_over else ""
    turn.say(
        paragraphs(said, again),
        [[turn.button(N_("Add something"), add_to(question.id)), turn.to_menu()]],
        question_id=question.id,
    )


def _correct_update(turn: Turn, draft: Draft, edit: Edit) -> None:
    update = update_of_draft(turn.session, draft.id)
    field = str(edit.source.get("field", ""))
    if update is None:
        _unknown(turn)
        return
    if edit.after in (edit.before, said_last(turn.session, update_id=update.id, field=field)) or not edit.after:
        return
    correct_update(turn.session, update, field, Edited(edit.before, edit.after, turn.inbox_id), now=turn.now)
    _ = turn.html
    turn.say(
        paragraphs(
            _(
                "✏️ Update no. {n} had already been sent: I have attached the correction, both versions stay.",
                n=update.id,
            ),
            _("To change the figures in the register, send a new update."),
        ),
        [[turn.button(N_("Send a new update"), start_update(update.project_id)), turn.to_menu()]],
    )


# -- files, and the rest -----------------------------------------------------------------------------


def _below_a_file(turn: Turn) -> bool:
    """Words below a photo. Of a message in a thread they are its text, and were looked for there."""
    file = attachments.of_chat_message(turn.session, turn.person.id, turn.heard.message)
    if file is None:
        return False
    if file.caption == turn.heard.text:
        return True
    attachments.set_caption(turn.session, file.id, turn.heard.text)
    turn.say(turn.html(N_("✏️ Corrected: {answer}"), answer=f"📎 {shortened(turn.heard.text, 200)}"))
    return True


def _unknown(turn: Turn) -> None:
    _ = turn.html
    turn.say(
        paragraphs(
            _("I see that you edited a message, but it belongs to nothing that I could change."),
            _("If something is different, write it to me in a new message."),
        ),
        [[turn.to_menu()]],
    )
