"""Questions: asked, added to, settled. The thread itself is kept by `intake/questions.py`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot import updating
from bot.heard import id_in
from bot.markup import lines, paragraphs, quote
from bot.turn import BLANK, Turn, shortened
from delivery.callbacks import AboutQuestion, Verdict, add_to
from delivery.outbox import message_at
from delivery.words import Button
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_
from intake.questions import add_message, ask, settle
from storage import attachments
from storage.drafts import Work
from storage.people import own_project
from storage.questions import own_question, question_lines, question_of_message, referent_wrote_last
from storage.tables import Attachment, Channel, DraftKind, DraftState, Question, QuestionState
from storage.worklist import ProjectLine, project_lines

TEXT, PROJECT, OFFER = "text", "project", "offer"
PAGE = 8  # projects on a page
LONGEST = 8000  # characters of one question, in several messages
OFFERED = 3  # open questions that a loose text may be added to
CANCEL_WORDS = {"annulla", "cancel", "stop"}
QUESTION = replace(BLANK, kind=DraftKind.QUESTION, step=TEXT)


# -- a new question ----------------------------------------------------------------------------------


def begin(turn: Turn) -> None:
    """`/domanda`, perhaps with the text behind it."""
    text = turn.heard.rest if turn.heard.command else ""
    turn.recall = True
    turn.begin(QUESTION)
    if text:
        _got_text(turn, text)
    else:
        show_step(turn)


def offer(turn: Turn, files: Sequence[Attachment] = ()) -> None:
    """A text, or files, that belong to nothing: perhaps a question?"""
    heard = turn.heard
    answers: dict[str, Any] = {"text": heard.text or _for_files(turn), "message": heard.message}
    if not heard.text:
        answers["wordless"] = True
    turn.begin(replace(QUESTION, step=OFFER, answers=answers, sources={heard.message: {"text": heard.text}}))
    attachments.put_in_draft(turn.session, [one.id for one in files], turn.work.id)
    show_step(turn)


def _for_files(turn: Turn) -> str:
    """What stands for words where there are only files."""
    return turn.plain(N_("I am leaving a file."))


def show_step(turn: Turn, lead: str = "") -> None:
    """The step where a question is."""
    if turn.work.kind is DraftKind.FOLLOW_UP:
        _ = turn.html
        text = _("Write here what to add to question no. {n}.", n=turn.work.question_id)
        _say(turn, [lead, text], [])
    elif turn.work.step == OFFER:
        _show_offer(turn, lead)
    elif turn.work.step == PROJECT:
        _show_projects(turn, lead, project_lines(turn.session, turn.person.id, turn.today))
    else:
        _ = turn.html
        _say(turn, [lead, _("Write your question here, in your own words.")], [])


def _say(turn: Turn, parts: list[str], rows: list[list[Button]]) -> None:
    turn.say(paragraphs(*parts), [*rows, [turn.step(N_("✖ Cancel"), "cancel")]])


def _show_offer(turn: Turn, lead: str) -> None:
    _ = turn.html
    quoted = quote(shortened(str(turn.work.answers.get("text", "")), 300))
    rows = [[turn.step(N_("Yes, send it as a question"), "ask")]]
    for line in question_lines(turn.session, turn.person.id, only_open=True, limit=OFFERED):
        label = turn.plain(N_("Add it to no. {n}: {text}"), n=line.id, text=shortened(line.text, 40))
        rows.append([turn.option(label, f"add-{line.id}")])
    with_files = bool(attachments.of_draft(turn.session, turn.work.id))
    if with_files and project_lines(turn.session, turn.person.id, turn.today):
        rows.append([turn.step(N_("It goes with an update of a project"), "update")])
    rows.append([turn.step(N_("Forget it"), "cancel")])
    asked = _("<b>Where does it go?</b>") if with_files else _("<b>Is it a question for the office?</b>")
    turn.say(paragraphs(lead, "" if turn.work.answers.get("wordless") else quoted, asked), rows)


def _show_projects(turn: Turn, lead: str, own: list[ProjectLine]) -> None:
    _ = turn.html
    pages = max(1, (len(own) + PAGE - 1) // PAGE)
    page = min(int(turn.work.memory.get("page", 0)), pages - 1)
    shown = own[page * PAGE : (page + 1) * PAGE]
    rows = [[turn.option(line.title, f"project-{line.id}")] for line in shown]
    if pages > 1:
        following = (page + 1) % pages
        rows.append([turn.step(N_("More ({page} of {pages}) ▶"), f"page-{following}", page=following + 1, pages=pages)])
    rows.insert(0, [turn.step(N_("No project in particular"), "general")])
    hint = _("If you have more to say, write on: I add it.")
    _say(turn, [lead, lines(_("<b>Which project is it about?</b>"), hint)], rows)


def hear_text(turn: Turn) -> None:
    """A text while a question is open: its words, or more of them."""
    if turn.heard.text.casefold().strip(" .!") in CANCEL_WORDS:
        cancel(turn)
    elif turn.work.kind is DraftKind.FOLLOW_UP:
        assert turn.work.question_id is not None
        question_id = turn.work.question_id
        turn.close(DraftState.SENT)
        add(turn, question_id, turn.heard.text, turn.heard.message)
    else:
        _got_text(turn, turn.heard.text)


def hear_files(turn: Turn, files: Sequence[Attachment]) -> None:
    """Files while a question is being written: they go along, the words below them are words of it."""
    work, text = turn.work, turn.heard.text
    if work.kind is DraftKind.FOLLOW_UP:
        assert work.question_id is not None
        turn.close(DraftState.SENT)
        add(turn, work.question_id, text, turn.heard.message, files)
        return
    attachments.put_in_draft(turn.session, [one.id for one in files], work.id)
    if text:
        _got_text(turn, text)
    elif work.answers.get("text"):
        show_step(turn)
    else:
        _got_text(turn, _for_files(turn), wordless=True)


def _got_text(turn: Turn, text: str, *, wordless: bool = False) -> None:
    """Keeps the words. People write in several messages: all of them are the question, until it is sent."""
    work = turn.work
    earlier = "" if work.answers.get("wordless") else work.answers.get("text", "")
    whole = "\n".join(part for part in (earlier, text) if part)
    if len(whole) > LONGEST:
        _ = turn.html
        show_step(turn, "⚠️ " + _("This question is already very long: I have not added the last message."))
        return
    answers = {"text": whole, "message": work.answers.get("message") or turn.heard.message}
    if wordless:
        answers["wordless"] = True
    turn.source = {"text": "" if wordless else text}
    own = project_lines(turn.session, turn.person.id, turn.today)
    step = work.step
    if step == TEXT and not own:
        turn.move(answers=answers)
        _send(turn, None)
        return
    if step == TEXT:
        step = PROJECT
    turn.move(answers=answers, step=step)
    if step == PROJECT:
        _show_projects(turn, "", own)
    else:
        show_step(turn)


def hear_button(turn: Turn, value: str) -> None:
    """A button of a question being asked. A foreign project or question is as unknown as any other."""
    action, _sep, argument = value.partition("-")
    number = id_in(argument)
    asked = turn.work.kind is DraftKind.QUESTION and bool(turn.work.answers.get("text"))
    if value == "cancel":
        cancel(turn)
    elif action == "ask" and asked:
        choose_project(turn)
    elif action == "general" and asked:
        _send(turn, None)
    elif action == "project" and asked and own_project(turn.session, turn.person.id, number) is not None:
        _send(turn, number)
    elif action == "add" and asked:
        _add_instead(turn, number)
    elif value == "update" and turn.work.step == OFFER:
        _send_with_update(turn)
    else:
        _turn_page(turn, number if action == "page" else None)


def _add_instead(turn: Turn, question_id: int) -> None:
    """Not a question of its own: it belongs to an open one."""
    work = turn.work
    text = "" if work.answers.get("wordless") else str(work.answers["text"])
    files = attachments.of_draft(turn.session, work.id)
    turn.close(DraftState.SENT)
    add(turn, question_id, text, str(work.answers.get("message", "")), files)


def _send_with_update(turn: Turn) -> None:
    """The files go along with an update, which begins; or goes on, if one of the project was begun."""
    offered = turn.work.id
    turn.close(DraftState.CANCELLED)
    updating.begin_new(turn)
    if turn.open_work is not None:
        attachments.move_draft(turn.session, offered, turn.work.id)


def choose_project(turn: Turn) -> None:
    """The words are there: now the project, unless there is none to choose."""
    own = project_lines(turn.session, turn.person.id, turn.today)
    if own:
        turn.move(step=PROJECT)
        _show_projects(turn, "", own)
    else:
        _send(turn, None)


def _turn_page(turn: Turn, page: int | None) -> None:
    if page is not None:
        turn.move(memory={"page": page})
    show_step(turn)


def cancel(turn: Turn) -> None:
    _ = turn.html
    turn.close(DraftState.CANCELLED)
    turn.say(_("All right, nothing has been sent."), [[turn.to_menu()]])


def _send(turn: Turn, project_id: int | None) -> None:
    """The receipt says its number and when to expect an answer."""
    answers, draft_id = turn.work.answers, turn.work.id
    turn.close(DraftState.SENT)
    question = ask(
        turn.session,
        referent_id=turn.person.id,
        text=str(answers["text"]),
        channel=Channel.TELEGRAM,
        now=turn.now,
        zone=turn.house.zone,
        project_id=project_id,
        inbox_id=turn.inbox_id,
        provider_id=str(answers.get("message") or "") or None,
        draft_id=draft_id,
    )
    _ = turn.html
    day = show_date(local_date(question.due_at, turn.house.zone), turn.language)
    turn.say(
        paragraphs(
            lines(
                _("✅ <b>Question no. {n} sent</b>", n=question.id),
                _("We usually answer within two working days. Expected: {day}.", day=day),
            ),
            _("To add something, reply to this message or press the button."),
        ),
        [[turn.button(N_("Add something"), add_to(question.id)), turn.to_menu()]],
        question_id=question.id,
    )


# -- the thread --------------------------------------------------------------------------------------


def continue_thread(turn: Turn, files: Sequence[Attachment] = ()) -> bool:
    """A reply to a message of a thread goes into that thread. False when it is a reply to something else."""
    reply_to = turn.heard.reply_to
    if reply_to is None or not (turn.heard.text or files):
        return False
    ours = message_at(turn.session, Channel.TELEGRAM, turn.chat, reply_to)
    found = ours.question_id if ours else None
    if found is None:
        found = question_of_message(turn.session, turn.person.id, Channel.TELEGRAM, reply_to)
    if found is None or own_question(turn.session, turn.person.id, found) is None:
        return False
    work = turn.open_work
    if work is not None and work.kind is DraftKind.FOLLOW_UP and work.question_id == found:
        turn.close(DraftState.SENT)
    add(turn, found, turn.heard.text, turn.heard.message, files)
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
        text=text or _for_files(turn),
        channel=Channel.TELEGRAM,
        now=turn.now,
        zone=turn.house.zone,
        inbox_id=turn.inbox_id,
        provider_id=message or None,
    )
    attachments.put_in_message(turn.session, [one.id for one in files], added.id)
    if was_over:
        said = _("✓ Added: question no. {n} is open again, the office will read it.", n=question_id)
    else:
        said = _("✓ Added to question no. {n}.", n=question_id)
    turn.say(said, question_id=question_id)


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
        _begin_adding(
            turn, question.id, _("I am sorry. Question no. {n} is open again and back with the office.", n=question.id)
        )
    else:
        _begin_adding(turn, question.id, "")


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
            _("Good: question no. {n} stays as it is.", n=question_id), [[turn.to_menu()]], question_id=question_id
        )


def _solved(turn: Turn, question: Question) -> None:
    _ = turn.html
    settle(turn.session, question.id, turn.person.id, solved=True, now=turn.now, zone=turn.house.zone)
    turn.say(
        _("Good! I have closed question no. {n}. Thank you for telling us.", n=question.id),
        [[turn.to_menu()]],
        question_id=question.id,
    )


def _begin_adding(turn: Turn, question_id: int, lead: str) -> None:
    work: Work = replace(BLANK, kind=DraftKind.FOLLOW_UP, question_id=question_id, step=TEXT)
    turn.begin(work)
    show_step(turn, lead)
