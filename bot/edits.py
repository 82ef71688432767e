"""Edited messages: what the message was, and what follows in a draft. What was sent already, `amended` corrects.

Telegram lets people edit for two days, and tells us also when nothing that they wrote has changed: then nobody is
answered. Words change, a photo is replaced by another, or comes to words that had none.
"""

from datetime import timedelta
from pathlib import PurePath
from typing import Any

from bot import access_edits, amended, asking, files, filling, updating
from bot.amended import Edit, unknown, whole_caption
from bot.commands import names
from bot.markup import paragraphs
from bot.screens import show_step
from bot.steps import PROJECT, SUMMARY, facts_about, prior_of
from bot.threads import for_files
from bot.turn import Turn, shortened
from facts.languages import N_
from intake.forms import Answered, Doubt, Facts, Field, More, Outcome, parse, show
from storage import attachments
from storage.drafts import UNFINISHED, change_draft, find_draft, recent_drafts, subject_of
from storage.people import own_project
from storage.questions import message_of_chat
from storage.tables import Attachment, Channel, Draft, DraftKind, DraftState

REACH = timedelta(days=3)  # longer than people may edit
REPLACED = N_("It takes the place of the one before.")


def hear(turn: Turn) -> None:
    """Finds what the message was: words of a draft, of a thread, a file; or nothing that we know."""
    message = turn.heard.message
    draft = _draft_of(turn, message)
    known = attachments.of_chat_message(turn.session, turn.person.id, message)
    edit = Edit(_said(turn), known, _other_file(turn, known), draft.sources[message] if draft is not None else {})
    if draft is None:
        _without_words_in_a_draft(turn, edit)
    elif draft.state is DraftState.SENT:
        amended.of_draft(turn, draft, edit)
    else:
        _of_draft(turn, draft, edit)


def _draft_of(turn: Turn, message: str) -> Draft | None:
    """In which draft the words of a message went. One that was cancelled may still be taken up again."""
    drafts = [one for one in recent_drafts(turn.session, turn.person.id, turn.now - REACH) if message in one.sources]
    return min(drafts, key=lambda one: one.state is DraftState.CANCELLED, default=None)


def _without_words_in_a_draft(turn: Turn, edit: Edit) -> None:
    known = edit.known
    sent = message_of_chat(turn.session, turn.person.id, Channel.TELEGRAM, turn.heard.message)
    if sent is not None:
        amended.of_message(turn, sent, edit)
    elif known is not None and edit.is_sent:
        amended.of_file(turn, known, edit)
    elif known is not None and (draft := _begun_with(turn, known)) is not None:
        _of_file(turn, draft, known, edit)
    elif edit.came is not None:
        files.place(turn, [edit.came])
    elif known is not None:
        _of_nothing(turn, known, edit)
    elif not access_edits.hear(turn):
        unknown(turn)


def _said(turn: Turn) -> str:
    """What the message says now. A question may stand behind its command, which was never part of it."""
    return turn.heard.rest if turn.heard.command in names("domanda") else turn.heard.text


def _other_file(turn: Turn, known: Attachment | None) -> Attachment | None:
    """What the message brings now, written down, when it is not what it brought before."""
    enclosed = turn.heard.enclosed
    if enclosed is None or (known is not None and _is_same(known, enclosed.unique_id, enclosed.file_id)):
        return None
    if known is None:
        return files.write_down(turn)
    name = enclosed.name
    if name == known.name:  # a photo is called after its message
        number = 1 + attachments.versions(turn.session, turn.person.id, turn.heard.message)
        name = f"{PurePath(name).stem}-{number}{PurePath(name).suffix}"
    return files.write_down(turn, known.album_id, name)


def _is_same(known: Attachment, unique_id: str, file_id: str) -> bool:
    """By the unique id: the one to fetch a file with may change."""
    if known.file_unique_id and unique_id:
        return known.file_unique_id == unique_id
    return known.file_id == file_id


def _begun_with(turn: Turn, file: Attachment) -> Draft | None:
    """The unfinished draft that a file goes along with."""
    draft = find_draft(turn.session, file.draft_id) if file.draft_id is not None else None
    return draft if draft is not None and draft.state in UNFINISHED else None


# -- files of drafts -----------------------------------------------------------------------------------


def _of_draft(turn: Turn, draft: Draft, edit: Edit) -> None:
    """Words of a draft, perhaps below a file of it, which may be another one now."""
    known = edit.known
    if edit.came is not None and draft.state is DraftState.CANCELLED:
        files.place(turn, [edit.came])
        return
    if edit.came is not None:
        _take_in(turn, draft, edit.came, known)
    elif known is not None and not edit.is_sent:
        attachments.set_caption(turn.session, known.id, whole_caption(draft, turn.heard.message, edit.after))
    if edit.after != edit.before:
        _change(turn, draft, edit)
    elif edit.came is not None:
        _say(turn, draft, turn.html(REPLACED) if known is not None else "")
    _tell_missing(turn, edit)


def _change(turn: Turn, draft: Draft, edit: Edit) -> None:
    if "below" in edit.source:
        _change_below(turn, draft, edit)
    elif draft.kind is DraftKind.UPDATE:
        _change_answer(turn, draft, edit)
    else:
        _change_words(turn, draft, edit)


def _of_file(turn: Turn, draft: Draft, known: Attachment, edit: Edit) -> None:
    """A file of a draft; the words below it are nothing else there."""
    caption = whole_caption(draft, turn.heard.message, edit.after)
    if edit.came is not None:
        _take_in(turn, draft, edit.came, known)
        _say(turn, draft, turn.html(REPLACED))
    elif caption != known.caption:
        attachments.set_caption(turn.session, known.id, caption)
        _say(turn, draft, _corrected_below(turn, caption))
    _tell_missing(turn, edit)


def _take_in(turn: Turn, draft: Draft, came: Attachment, known: Attachment | None) -> None:
    """Along with the draft, in place of what the message brought before."""
    if known is not None and known.draft_id == draft.id:
        attachments.take_place(turn.session, came.id, known)
    else:
        attachments.put_in_draft(turn.session, [came.id], draft.id)
    attachments.set_caption(turn.session, came.id, whole_caption(draft, turn.heard.message, came.caption))
    turn.note = files.received(turn, [came])


def _change_below(turn: Turn, draft: Draft, edit: Edit) -> None:
    """Words that were written apart and stand below a file."""
    message = str(edit.source["below"])
    file = attachments.of_chat_message(turn.session, turn.person.id, message)
    if file is None:
        unknown(turn)
        return
    caption = file.caption.replace(edit.before, edit.after, 1)
    attachments.set_caption(turn.session, file.id, caption)
    _keep(turn, draft, sources=_followed(turn, draft, edit))
    _say(turn, draft, _corrected_below(turn, caption))


def _corrected_below(turn: Turn, caption: str) -> str:
    return turn.html(N_("✏️ Corrected: {answer}"), answer=f"📎 {shortened(caption, 200)}")


def _of_nothing(turn: Turn, known: Attachment, edit: Edit) -> None:
    """A file that was left out, or whose draft was cancelled."""
    if edit.after != known.caption:
        attachments.set_caption(turn.session, known.id, edit.after)
        turn.say(_corrected_below(turn, edit.after), [[turn.to_menu()]])


def _say(turn: Turn, draft: Draft, lead: str) -> None:
    """With the step where the draft is, when it is open."""
    if turn.open_work is None or turn.work.id != draft.id:
        if lead or turn.note:
            action = "resume" if draft.kind is DraftKind.UPDATE else "ask"
            turn.say(lead, [[turn.button(N_("Take it up again"), f"m:{action}-{draft.id}"), turn.to_menu()]])
    elif updating.lost_project(turn):
        return
    elif draft.kind is DraftKind.UPDATE:
        show_step(turn, lead)
    else:
        asking.show_step(turn, lead)


def _tell_missing(turn: Turn, edit: Edit) -> None:
    if edit.came is not None:
        files.tell_missing(turn, [edit.came])


def _keep(turn: Turn, draft: Draft, **values: Any) -> None:
    """Changes the draft where it is: the open one as it was read for this message, any other as it lies."""
    if turn.open_work is not None and turn.work.id == draft.id:
        turn.move(**values)
    else:
        change_draft(turn.session, draft.id, draft.revision, turn.now, **values)


def _followed(turn: Turn, draft: Draft, edit: Edit) -> dict[str, Any]:
    """The sources, with what this message says now."""
    return draft.sources | {turn.heard.message: edit.source | {"text": edit.after}}


# -- words of drafts -----------------------------------------------------------------------------------


def _change_answer(turn: Turn, draft: Draft, edit: Edit) -> None:
    """The new text is read as the answer it was; what cannot be read is asked again."""
    assert draft.form_version_id is not None
    field = turn.house.form(turn.session, draft.form_version_id).field(str(edit.source.get("field")))
    facts = _facts(turn, draft)
    if field is None or facts is None:
        unknown(turn)
        return
    outcome = parse(field, edit.after, facts, more=bool(edit.source.get("more")))
    sources = _followed(turn, draft, edit)
    if turn.open_work is None or turn.work.id != draft.id:
        _change_aside(turn, draft, field, (outcome, sources))
    elif turn.work.step == PROJECT:
        _change_without_project(turn, field, (outcome, sources))
    elif turn.work.step == field.name:
        turn.move(sources=sources)
        filling.take(turn, field, outcome)
    else:
        _change_open(turn, field, (outcome, sources))


def _facts(turn: Turn, draft: Draft) -> Facts | None:
    """What the answer is held against: little, while the project is being chosen. None: it is no longer theirs."""
    if draft.project_id is None:
        return Facts(turn.today)
    subject = subject_of(turn.session, draft.id)
    if subject is None or own_project(turn.session, turn.person.id, draft.project_id) is None:
        return None
    return facts_about(turn.today, subject, prior_of(subject))


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


def _change_without_project(turn: Turn, field: Field, read: tuple[Outcome, dict[str, Any]]) -> None:
    """They have gone back to the choice of the project: nothing but that can be asked."""
    outcome, sources = read
    if isinstance(outcome, Answered):
        turn.move(answers=turn.work.answers | {field.name: outcome.value}, sources=sources)
        show_step(turn, _corrected(turn, field, outcome.value))
        return
    answers = {name: value for name, value in turn.work.answers.items() if name != field.name}
    turn.move(answers=answers, sources=sources)
    _ = turn.html
    show_step(turn, _("You edited an answer and I cannot read it: choose the project, then I ask you again."))


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
    sources = _followed(turn, draft, edit)
    words = "\n".join(str(one["text"]) for one in sources.values() if one.get("text"))
    answers = {name: value for name, value in draft.answers.items() if name != "wordless"} | {"text": words}
    if not words and attachments.of_draft(turn.session, draft.id):
        answers |= {"text": for_files(turn), "wordless": True}
    _ = turn.html
    if not answers["text"] or len(words) > asking.LONGEST:
        turn.say(_("I have kept the question as it was: like this it cannot be sent."), [[turn.to_menu()]])
        return
    _keep(turn, draft, answers=answers, sources=sources)
    _say(turn, draft, _("✏️ Corrected."))
