"""Edited messages: what the message was, and what follows in a draft. What was sent already, `amended` corrects.

Telegram lets people edit for two days, and tells us also when nothing that they wrote has changed: then nobody is
answered. Words change, a photo is replaced by another, or comes to words that had none.
"""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from bot import access_edits, amended, asking, files, updating
from bot import filling as filling_of_chat
from bot.amended import Edit, unknown, whole_caption
from bot.commands import names
from bot.markup import lines, paragraphs
from bot.screens import show_step
from bot.steps import ORGANIZATION, PROJECT, facts_now, filling_now, is_question, item_at, move_to
from bot.threads import for_files
from bot.turn import Turn, shortened
from facts.languages import N_
from intake.drafting import Prior, facts_about, filling_of, prior_of
from intake.forms.doubts import Facts
from intake.forms.filling import Change, Filling, Item
from intake.forms.hearing import YES, Heard, hear_ahead
from intake.forms.hearing import hear as hear_text
from intake.forms.outcomes import Answered, Doubt
from intake.forms.values import leading, show, title_of
from storage import attachments
from storage.drafts import UNFINISHED, Work, change_draft, find_draft, recent_drafts, subject_of
from storage.people import organizations_of, own_project
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
    seen = _as_filled(turn, draft)
    item = item_at(seen[0], str(edit.source.get("field"))) if seen is not None else None
    if seen is None or not isinstance(item, Item):
        unknown(turn)
        return
    read = _read(turn, draft, edit, (*seen, item))
    if turn.open_work is None or turn.work.id != draft.id:
        _change_aside(turn, draft, read)
    elif turn.work.step in (PROJECT, ORGANIZATION):
        _change_without_subject(turn, read)
    elif turn.work.step == item.key and not read.also:
        turn.move(sources=read.sources)
        filling_of_chat.take(turn, item, read.heard)
    else:
        _change_open(turn, read)


@dataclass(frozen=True, slots=True)
class _Read:
    """An edited answer, as it reads now. `sources`: those of its draft, with it. `also`: the yes that a story is."""

    filling: Filling
    item: Item
    heard: Heard
    sources: dict[str, Any]
    also: dict[str, Any] = field(default_factory=dict)

    def changed(self, value: Any) -> Change:
        return self.filling.change({**self.also, self.item.key: value})


def _read(turn: Turn, draft: Draft, edit: Edit, seen: tuple[Filling, Facts, Item]) -> _Read:
    filling, facts, item = seen
    heard, sources = hear_text(filling, item, edit.after, facts), _followed(turn, draft, edit)
    ahead = None if isinstance(heard, Answered | Doubt) else hear_ahead(filling, item, edit.after)
    if ahead is None:
        return _Read(filling, item, heard, sources)
    follows, story = ahead
    source = {**sources[turn.heard.message], "field": follows.key}
    return _Read(filling, follows, Answered(story), sources | {turn.heard.message: source}, {item.key: YES})


def _as_filled(turn: Turn, draft: Draft) -> tuple[Filling, Facts] | None:
    """A draft, open or not, as it stands, and what an answer is held against. None: it is no longer theirs."""
    if turn.open_work is not None and turn.work.id == draft.id:
        return filling_now(turn), facts_now(turn)
    assert draft.form_version_id is not None
    form = turn.house.catalogue.version(turn.session, draft.form_version_id)
    subject = subject_of(turn.session, draft.id)
    if subject is not None and not _is_theirs(turn, draft):
        return None
    prior = prior_of(form.form, subject) if subject is not None else Prior({}, None)
    facts = facts_about(turn.today, subject, prior) if subject is not None else Facts(turn.today)
    values = {one.name: getattr(draft, one.name) for one in fields(Work)}
    zone, language = turn.house.zone, turn.language
    return filling_of(form, Work(**values), prior, now=turn.now, zone=zone, language=language), facts


def _is_theirs(turn: Turn, draft: Draft) -> bool:
    if draft.project_id is not None:
        return own_project(turn.session, turn.person.id, draft.project_id) is not None
    return draft.organization_id in {one.id for one in organizations_of(turn.session, turn.person.id)}


def _change_open(turn: Turn, read: _Read) -> None:
    """An answer given earlier: changed in its place, and the question being asked stays. In doubt it is asked again."""
    if isinstance(read.heard, Answered):
        changed = read.changed(read.heard.value)
        step = turn.work.step
        move_to(turn, changed.filling, step, turn.work.memory, sources=read.sources)
        show_step(turn, lines(_corrected(turn, read, read.heard.value), filling_of_chat.dropped(turn, changed)))
        return
    memory: dict[str, Any] = {} if is_question(turn) else {"editing": True}
    memory |= {"doubt": list(read.heard.candidates)} if isinstance(read.heard, Doubt) else {}
    turn.move(step=read.item.key, memory=memory, sources=read.sources)
    _ = turn.html
    lead = _("You edited this answer.")
    if not isinstance(read.heard, Doubt | Answered):
        lead = paragraphs(lead, "⚠️ " + read.heard.sentence.say(_))
    show_step(turn, lead)


def _change_without_subject(turn: Turn, read: _Read) -> None:
    """They have gone back to the choice of the project: nothing but that can be asked."""
    is_read = isinstance(read.heard, Answered)
    changed = read.changed(read.heard.value if isinstance(read.heard, Answered) else None)
    move_to(turn, changed.filling, turn.work.step, turn.work.memory, sources=read.sources)
    _ = turn.html
    if isinstance(read.heard, Answered) and is_read:
        show_step(turn, _corrected(turn, read, read.heard.value))
    else:
        show_step(turn, _("You edited an answer and I cannot read it: choose the project, then I ask you again."))


def _change_aside(turn: Turn, draft: Draft, read: _Read) -> None:
    """The same for an update that was put aside: it stays there."""
    _ = turn.html
    again = [[turn.button(N_("Take it up again"), f"m:resume-{draft.id}"), turn.to_menu()]]
    if not isinstance(read.heard, Answered):
        said = _("That update is set aside, and I cannot read the new answer. Take it up again to change it.")
        turn.say(said, again)
        return
    changed = read.changed(read.heard.value)
    answers = {"answers": dict(changed.filling.answers), "sources": read.sources}
    change_draft(turn.session, draft.id, draft.revision, turn.now, **answers)
    turn.say(lines(_corrected(turn, read, read.heard.value), filling_of_chat.dropped(turn, changed)), again)


def _corrected(turn: Turn, read: _Read, value: Any) -> str:
    form, question = read.filling.plan.form, read.item.question
    shown = shortened(show(form, question, value, turn.language), 200)
    label = shortened(title_of(form, question, turn.language), 100)
    return turn.html(N_("✏️ Corrected: {answer}"), answer=f"{leading(label)} {shown}")


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
