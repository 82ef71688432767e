"""Edits of what was sent already: both versions stay, and whoever reads it sees both. Overwrites nothing."""

from dataclasses import dataclass
from typing import Any

from bot import files
from bot.markup import paragraphs
from bot.turn import Turn
from delivery.callbacks import add_to, start_update
from delivery.words import Button
from facts.languages import N_
from intake.corrections import (
    Edited,
    caption_says,
    correct_caption,
    correct_file,
    correct_message,
    correct_update,
    message_says,
    stand_in_of,
)
from intake.questions import add_file
from storage import attachments
from storage.drafts import change_draft, find_draft
from storage.questions import message_of_chat, own_question
from storage.reports import update_of_draft
from storage.reviews import find_update
from storage.tables import Attachment, Channel, Draft, DraftKind, Message, QuestionState, Update


@dataclass(frozen=True, slots=True)
class Edit:
    """What one message says now. `source`: what it was in its draft, empty when it was no words of one.

    `known`: the file that it brought; `came`: another one that it brings now, written down and belonging nowhere yet.
    """

    after: str
    known: Attachment | None
    came: Attachment | None
    source: dict[str, Any]

    @property
    def before(self) -> str:
        """What it said last: sent words keep their first version, and what they were edited to beside it."""
        return str(self.source.get("now", self.source.get("text", "")))

    @property
    def is_sent(self) -> bool:
        known = self.known
        return known is not None and (known.message_id is not None or known.update_id is not None)


def whole_caption(draft: Draft | None, message: str, own: str) -> str:
    """What stands below a file: the words of its own message, and those of others that were put there."""
    sources = draft.sources.values() if draft is not None else ()
    apart = (str(one.get("now", one["text"])) for one in sources if one.get("below") == message)
    return "\n".join(filter(None, [own, *apart]))


# -- what it was ---------------------------------------------------------------------------------------


def of_draft(turn: Turn, draft: Draft, edit: Edit) -> None:
    """Words of a draft that was sent."""
    if draft.kind is DraftKind.UPDATE:
        update = _what_it_became(turn, draft)
        if update is None:
            unknown(turn)
        else:
            _of_update(turn, update, edit, draft)
        return
    find, person = message_of_chat, turn.person.id
    message = find(turn.session, person, Channel.TELEGRAM, turn.heard.message)
    if message is None:  # one of several messages that became one
        message = find(turn.session, person, Channel.TELEGRAM, str(draft.answers.get("message", "")))
    if message is None:
        unknown(turn)
    else:
        _of_thread(turn, message, edit, draft)


def _what_it_became(turn: Turn, draft: Draft) -> Update | None:
    """The update that a draft made, or the one that it corrected."""
    if draft.corrects_id is not None:
        return find_update(turn.session, draft.corrects_id)
    return update_of_draft(turn.session, draft.id)


def of_message(turn: Turn, message: Message, edit: Edit) -> None:
    """A message of a thread that was no draft before. Below a file there may have been no words."""
    first = edit.known.caption if edit.known is not None else message.text
    says = message_says(turn.session, message, first)
    _of_thread(turn, message, Edit(edit.after, edit.known, edit.came, {"text": says}))


def of_file(turn: Turn, known: Attachment, edit: Edit) -> None:
    """A file that was sent along; the words below it were nothing else."""
    draft = find_draft(turn.session, known.draft_id) if known.draft_id is not None else None
    after = whole_caption(draft, turn.heard.message, edit.after)
    if edit.came is not None:
        attachments.set_caption(turn.session, edit.came.id, after)
    amend = Edit(after, known, edit.came, {"text": caption_says(turn.session, known), "below": turn.heard.message})
    if known.message_id is not None:
        _of_thread(turn, turn.session.get_one(Message, known.message_id), amend)
    else:
        assert known.update_id is not None
        _of_update(turn, turn.session.get_one(Update, known.update_id), amend)


# -- the corrections -----------------------------------------------------------------------------------


def _of_thread(turn: Turn, message: Message, edit: Edit, draft: Draft | None = None) -> None:
    question = own_question(turn.session, turn.person.id, message.question_id)
    if question is None:
        unknown(turn)
        return
    was_over = question.state in (QuestionState.ANSWERED, QuestionState.CLOSED)
    if edit.after != edit.before:
        if "below" in edit.source:
            _correct_below(turn, edit)
        else:
            edited = Edited(_words_before(turn, message, edit, draft), edit.after, turn.inbox_id)
            correct_message(turn.session, message, edited, now=turn.now, zone=turn.house.zone)
        _remember(turn, edit, draft)
    elif edit.came is None:
        return
    _put_beside(turn, edit, message_id=message.id)
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
    _tell_missing(turn, edit)


def _words_before(turn: Turn, message: Message, edit: Edit, draft: Draft | None) -> str:
    """Of a file sent without words the thread says that it is one. Beside other words there was nothing."""
    if edit.before or (draft is not None and not draft.answers.get("wordless")):
        return edit.before
    return stand_in_of(turn.session, message)


def _of_update(turn: Turn, update: Update, edit: Edit, draft: Draft | None = None) -> None:
    if edit.after != edit.before:
        if "below" in edit.source:
            _correct_below(turn, edit)
        else:
            field, edited = str(edit.source.get("field", "")), Edited(edit.before, edit.after, turn.inbox_id)
            correct_update(turn.session, update, field, edited, now=turn.now)
        _remember(turn, edit, draft)
    elif edit.came is None:
        return
    _put_beside(turn, edit, update_id=update.id)
    _ = turn.html
    turn.say(
        paragraphs(
            _(
                "✏️ Update no. {n} had already been sent: I have attached the correction, both versions stay.",
                n=update.id,
            ),
            _("To change the figures in the register, correct the update or send a new one."),
        ),
        [[*_a_new_one(turn, update), turn.to_menu()]],
    )
    _tell_missing(turn, edit)


def _a_new_one(turn: Turn, update: Update) -> list[Button]:
    correct = turn.button(N_("✏️ Correct it"), f"c:{update.id}")
    if update.project_id is None:
        return [correct]
    return [correct, turn.button(N_("Send a new update"), start_update(update.project_id))]


def _correct_below(turn: Turn, edit: Edit) -> None:
    """The words below a file, or a part of them that was written apart. Another file has its own from the start."""
    file = attachments.of_chat_message(turn.session, turn.person.id, str(edit.source["below"]))
    if file is None or (edit.came is not None and file.id == edit.came.id):
        return
    says = caption_says(turn.session, file)
    after = says.replace(edit.before, edit.after, 1) if edit.before else edit.after
    correct_caption(turn.session, file, Edited(says, after, turn.inbox_id), now=turn.now, zone=turn.house.zone)


def _remember(turn: Turn, edit: Edit, draft: Draft | None) -> None:
    """What this message says now, beside what it said when it was sent."""
    if draft is not None:
        sources = draft.sources | {turn.heard.message: edit.source | {"now": edit.after}}
        change_draft(turn.session, draft.id, draft.revision, turn.now, sources=sources)


def _put_beside(turn: Turn, edit: Edit, *, message_id: int | None = None, update_id: int | None = None) -> None:
    """Another file goes where the first one went, or where the words went to which it came."""
    came, session = edit.came, turn.session
    if came is None:
        return
    now, zone = turn.now, turn.house.zone
    if edit.known is not None and edit.is_sent:
        correct_file(session, edit.known, came, inbox_id=turn.inbox_id, now=now, zone=zone)
    elif message_id is not None:
        attachments.put_in_message(session, [came.id], message_id)
        add_file(session, message_id, came.name, channel=Channel.TELEGRAM, now=now, zone=zone)
    elif update_id is not None:
        attachments.put_in_update(session, [came.id], update_id)


def _tell_missing(turn: Turn, edit: Edit) -> None:
    if edit.came is not None:
        files.tell_missing(turn, [edit.came])


def unknown(turn: Turn) -> None:
    """Nothing of ours; it is said, and the way to say it anew."""
    _ = turn.html
    turn.say(
        paragraphs(
            _("I see that you edited a message, but it belongs to nothing that I could change."),
            _("If something is different, write it to me in a new message."),
        ),
        [[turn.to_menu()]],
    )
