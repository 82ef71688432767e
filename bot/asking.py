"""A question being asked: its words, its files, its project, perhaps only offered. Its thread is `threads`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from answering.faq import offers_for
from bot import choosing, faq
from bot.heard import id_in
from bot.markup import lines, paragraphs, quote
from bot.own_projects import own_lines
from bot.threads import TEXT, add, for_files, show_adding
from bot.turn import BLANK, Turn, shortened
from delivery.callbacks import add_to
from delivery.words import Button
from facts.calendar import local_date
from facts.dates import show_date
from facts.languages import N_
from intake.questions import ask
from storage import attachments
from storage.faq import count_opinion
from storage.people import own_project
from storage.questions import question_lines
from storage.tables import Attachment, Channel, DraftKind, DraftState
from storage.worklist import ProjectLine

PROJECT, OFFER, ALONG, SIMILAR = "project", "offer", "along", "similar"
PAGE = 8  # projects on a page
LONGEST = 8000  # characters of one question, in several messages
OFFERED = 3  # open questions that a loose text may be added to
SEEN, ABOUT = "seen", "about"  # among the answers: which published ones were offered, and the project chosen
CIRCULAR = "circular"  # among the answers: what staff wrote first, and this answers
WITH_UPDATE = N_("It goes with an update of a project")
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
    answers: dict[str, Any] = {"text": heard.text or for_files(turn), "message": heard.message}
    if not heard.text:
        answers["wordless"] = True
    turn.begin(replace(QUESTION, step=OFFER, answers=answers, sources={heard.message: {"text": heard.text}}))
    attachments.put_in_draft(turn.session, [one.id for one in files], turn.work.id)
    show_step(turn)


def show_step(turn: Turn, lead: str = "") -> None:
    """The step where a question is."""
    if turn.work.kind is DraftKind.FOLLOW_UP:
        show_adding(turn, lead)
    elif turn.work.step == OFFER:
        _show_offer(turn, lead)
    elif turn.work.step in (PROJECT, ALONG):
        _show_projects(turn, lead, own_lines(turn))
    elif turn.work.step == SIMILAR:
        _show_similar(turn, lead)
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
    if with_files and own_lines(turn):
        rows.append([turn.step(WITH_UPDATE, "update")])
    rows.append([turn.step(N_("Forget it"), "cancel")])
    asked = _("<b>Where does it go?</b>") if with_files else _("<b>Is it a question for the office?</b>")
    turn.say(paragraphs(lead, "" if turn.work.answers.get("wordless") else quoted, asked), rows)


def _show_projects(turn: Turn, lead: str, own: list[ProjectLine]) -> None:
    """Of a question, which may be about none; or of the update that files go along with."""
    _ = turn.html
    along = turn.work.step == ALONG
    pages = max(1, (len(own) + PAGE - 1) // PAGE)
    page = min(int(turn.work.memory.get("page", 0)), pages - 1)
    shown = own[page * PAGE : (page + 1) * PAGE]
    rows = [[turn.option(line.title, f"{'along' if along else 'project'}-{line.id}")] for line in shown]
    if pages > 1:
        following = (page + 1) % pages
        rows.append([turn.step(N_("More ({page} of {pages}) ▶"), f"page-{following}", page=following + 1, pages=pages)])
    if along:
        rows.append([turn.step(N_("◀ Back"), "offer")])
    else:
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
        _got_text(turn, for_files(turn), wordless=True)


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
    answers |= {name: work.answers[name] for name in (CIRCULAR, SEEN) if name in work.answers}
    turn.source = {"text": "" if wordless else text}
    own = own_lines(turn)
    step = TEXT if work.step == SIMILAR else work.step  # they have seen the answers, and go on writing
    if step == TEXT and not own:
        turn.move(answers=answers)
        _send_unless_answered(turn, None)
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
        _send_unless_answered(turn, None)
    elif action == "project" and asked and own_project(turn.session, turn.person.id, number) is not None:
        _send_unless_answered(turn, number)
    elif action == "add" and asked:
        _add_instead(turn, number)
    elif asked and action in ("update", "along", "offer"):
        _with_update(turn, action, number)
    elif asked and action in ("helped", "unhelped"):
        _hear_opinion(turn, action, number)
    else:
        _turn_page(turn, number if action == "page" else None)


def _with_update(turn: Turn, action: str, number: int) -> None:
    """Not a question at all, or one after all."""
    if action == "along" and own_project(turn.session, turn.person.id, number) is not None:
        _send_along(turn, number)
    elif action == "update":
        choose_update(turn)
    else:
        turn.move(step=OFFER if action == "offer" and turn.work.step == ALONG else turn.work.step)
        show_step(turn)


def _add_instead(turn: Turn, question_id: int) -> None:
    """Not a question of its own: it belongs to an open one."""
    work = turn.work
    text = "" if work.answers.get("wordless") else str(work.answers["text"])
    files = attachments.of_draft(turn.session, work.id)
    turn.close(DraftState.SENT)
    add(turn, question_id, text, str(work.answers.get("message", "")), files)


def choose_update(turn: Turn) -> None:
    """The files go along with an update: of which project? Until that is known, nothing of it is anywhere else."""
    own = own_lines(turn)
    if len(own) == 1:
        _send_along(turn, own[0].id)
    elif own and attachments.of_draft(turn.session, turn.work.id):
        turn.move(step=ALONG, memory={})
        _show_projects(turn, "", own)
    else:
        show_step(turn)


def _send_along(turn: Turn, project_id: int) -> None:
    """With what was begun on the project, or with a new update."""
    _ = turn.html
    offered, sources = turn.work, _put_words_below(turn)
    lead = _("It goes along with this update.")
    if sources:
        words = shortened("\n".join(one["text"] for one in sources.values()), 300)
        lead = paragraphs(lead, _("Your words stay with what you attached:"), quote(words))
    turn.move(answers={}, sources={})  # all of it is elsewhere: an old button must not offer it once more
    turn.close(DraftState.CANCELLED)
    choosing.begin(turn, sources)
    attachments.move_draft(turn.session, offered.id, turn.work.id)
    choosing.choose_project(turn, project_id, lead=lead)


def _put_words_below(turn: Turn) -> dict[str, Any]:
    """What was written apart from the files stands below one of them; whence it came, for whoever edits it later."""
    files = attachments.of_draft(turn.session, turn.work.id)
    below = {one.provider_id for one in files}
    apart = {message: one for message, one in turn.work.sources.items() if message not in below and one.get("text")}
    if apart:
        bare = next((one for one in files if not one.caption), files[0])
        caption = "\n".join(filter(None, [bare.caption, *(one["text"] for one in apart.values())]))
        attachments.set_caption(turn.session, bare.id, caption)
        apart = {message: {"below": bare.provider_id, "text": one["text"]} for message, one in apart.items()}
    return apart


def choose_project(turn: Turn) -> None:
    """The words are there: now the project, unless there is none to choose."""
    own = own_lines(turn)
    if own:
        turn.move(step=PROJECT)
        _show_projects(turn, "", own)
    else:
        _send_unless_answered(turn, None)


def _turn_page(turn: Turn, page: int | None) -> None:
    if page is not None:
        turn.move(memory={"page": page})
    show_step(turn)


def cancel(turn: Turn) -> None:
    """Nothing is sent; as the words are still there, the way back is offered."""
    work = turn.work
    turn.close(DraftState.CANCELLED)
    say_cancelled(turn, work.id if work.answers.get("text") else None)


def say_cancelled(turn: Turn, draft_id: int | None) -> None:
    """`draft_id`: the question, when it has words to take up again."""
    _ = turn.html
    again = [turn.button(N_("Take it up again"), f"m:ask-{draft_id}")] if draft_id is not None else []
    turn.say(_("All right, nothing has been sent."), [[*again, turn.to_menu()]])


# -- is it answered already?


def _send_unless_answered(turn: Turn, project_id: int | None) -> None:
    """First what is published and looks like it, once; usually there is nothing, and it goes."""
    answers = turn.work.answers
    asked_before = SEEN in answers or CIRCULAR in answers or answers.get("wordless")
    offers = [] if asked_before else offers_for(turn.session, str(answers["text"]), turn.language)
    if not offers:
        _send(turn, project_id)
        return
    turn.move(step=SIMILAR, answers=answers | {SEEN: [one.id for one in offers], ABOUT: project_id})
    _show_similar(turn, "")


def _show_similar(turn: Turn, lead: str) -> None:
    _ = turn.html
    offers = faq.still_published(turn, turn.work.answers.get(SEEN, ()))
    send = [turn.step(N_("No, send my question") if offers else N_("Send it"), "unhelped")]
    if not offers:
        _say(turn, [lead, quote(shortened(str(turn.work.answers["text"]), 300))], [send])
        return
    asked = _("💡 <b>Before I send it: is this your answer?</b>")
    if len(offers) > 1:
        asked = _("💡 <b>Before I send it: is one of these your answer?</b>")
    _say(turn, [lead, asked, faq.offered(turn, offers)], [*map(list, faq.opinions(turn, offers)), send])


def _hear_opinion(turn: Turn, action: str, number: int) -> None:
    """Yes: nothing is sent. No: the question goes, as it was about to."""
    seen = turn.work.answers.get(SEEN, ())
    if turn.work.step != SIMILAR or (action == "helped" and number not in seen):
        show_step(turn)
    elif action == "helped":
        count_opinion(turn.session, [number], helped=True)
        _answered_already(turn)
    else:
        count_opinion(turn.session, seen, helped=False)
        send_as_said(turn)


def send_as_said(turn: Turn) -> None:
    """It goes about the project that was chosen before the answers were offered, or about none."""
    project_id = turn.work.answers.get(ABOUT)
    mine = project_id is not None and own_project(turn.session, turn.person.id, project_id) is not None
    _send(turn, project_id if mine else None)


def _answered_already(turn: Turn) -> None:
    _ = turn.html
    draft_id = turn.work.id
    turn.close(DraftState.CANCELLED)
    text = _("Glad to hear it! I have sent nothing to the office. If you need more, your question is still here.")
    turn.say(text, [[turn.button(N_("Send it all the same"), f"m:send-{draft_id}"), turn.to_menu()]])


# -- sent


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
        circular_id=answers.get(CIRCULAR),
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
