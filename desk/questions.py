"""The queue of questions, and one question with its thread. The rules are in `answering`, not here."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from answering import answer as answers
from answering import moves
from answering.refusal import Refused
from desk import denied
from desk.guide import shows_guide
from desk.house import DeskHouse
from desk.pages import N_, Actor, House, Id, Page, Reader, Refuse, redirect, render, speaker
from desk.security import SignedIn
from intake.files import FileRefused, StoredFile, store_file
from storage import corrections, queue, threads
from storage.calls import spoken, written_down_by
from storage.letters import letters_of_thread
from storage.queue import View
from storage.receipts import receipts_of
from storage.tables import Channel, Outbox, Question, QuestionState

router = APIRouter()

Version = Annotated[int, Form()]
Text = Annotated[str, Form()]

MOST_FILES = 10


@router.get("/desk/questions")
def questions(
    request: Request, house: House, signed: Reader, pages: Page, view: View = View.NEW, q: str = ""
) -> Response:
    with house.database.read() as session:
        # Who searches looks everywhere: a heap that hides the match would say that it does not exist.
        view = View.ALL if q.strip() else view
        lines, total = queue.queue_page(session, view, signed.staff_id, q, offset=pages.offset, limit=pages.size)
        counts = queue.queue_counts(session, signed.staff_id)
        values: Mapping[str, Any] = {"lines": lines, "counts": counts, "guide": shows_guide(session, signed)}
        return render(request, "questions.html", **values, view=view, q=q, pages=pages.counted(total))


@router.get("/desk/questions/{question_id}")
def question(request: Request, house: House, signed: Reader, question_id: Id) -> Response:
    with house.database.read() as session:
        return _page(request, session, signed, question_id)


@router.post("/desk/questions/{question_id}/take")
def take(request: Request, house: House, signed: Actor, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.take, version)


@router.post("/desk/questions/{question_id}/release")
def release(request: Request, house: House, signed: Actor, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.release, version)


@router.get("/desk/questions/{question_id}/close")
def before_closing(request: Request, house: House, signed: Actor, question_id: Id) -> Response:
    """Asks first when the referent had the last word: closing says nothing to them."""
    with house.database.read() as session:
        head = threads.question_head(session, question_id)
        if head is None:
            raise Refuse(404)
        word = threads.last_word(session, question_id)
        if head.question.state is QuestionState.CLOSED or word is None:
            return _back(request, question_id)
        return render(request, "question_close.html", head=head, question=head.question, word=word)


@router.post("/desk/questions/{question_id}/close")
def close(
    request: Request,
    house: House,
    signed: Actor,
    question_id: Id,
    version: Version,
    unanswered: Annotated[str, Form()] = "",
) -> Response:
    """`unanswered`: they were asked, and close it all the same."""
    with house.database.read() as session:
        ask_first = not unanswered and threads.awaits_reply(session, question_id)
    if ask_first:
        return redirect(request, f"/desk/questions/{question_id}/close")
    return _move(request, house, signed, question_id, moves.close, version)


@router.post("/desk/questions/{question_id}/reopen")
def reopen(request: Request, house: House, signed: Actor, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.reopen, version)


@router.post("/desk/questions/{question_id}/answer")
def answer(
    request: Request,
    house: House,
    signed: Actor,
    question_id: Id,
    *,
    version: Version,
    text: Text = "",
    file: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    try:
        files = _stored(house, file or ())
        with house.database.write() as session:
            message = answers.answer(
                session, question_id, signed.staff_id, text, version=version, now=house.clock(), files=files
            )
            message_id = message.id
    except Refused as refused:
        return _refused(request, house, signed, question_id, refused, answer_text=text)
    return _back(request, question_id, *_answered(request, house, question_id, message_id))


def _stored(house: DeskHouse, uploads: Sequence[UploadFile]) -> list[StoredFile]:
    """On disk before any transaction; one that is refused refuses the whole answer, and nothing leaves."""
    chosen = [one for one in uploads if one.filename]
    if len(chosen) > MOST_FILES:
        raise Refused(N_("At most {n} files at a time."), n=MOST_FILES)
    try:
        return [store_file(house.files, one.filename or "", one.content_type or "", one.file) for one in chosen]
    except FileRefused as refused:
        raise Refused(refused.sentence, **refused.values) from refused


@router.post("/desk/questions/{question_id}/note")
def note(request: Request, house: House, signed: Actor, question_id: Id, text: Text = "") -> Response:
    try:
        with house.database.write() as session:
            answers.note(session, question_id, signed.staff_id, text, now=house.clock())
    except Refused as refused:
        return _refused(request, house, signed, question_id, refused, note_text=text)
    _ = speaker(request)
    return _back(request, question_id, _("The note is saved. Only colleagues see it."))


def _move(request: Request, house: DeskHouse, signed: SignedIn, question_id: int, move: Any, version: int) -> Response:
    """One of the four moves; what it refuses is said on the question's own page."""
    try:
        with house.database.write() as session:
            move(session, question_id, signed.staff_id, version=version, now=house.clock())
    except Refused as refused:
        return _refused(request, house, signed, question_id, refused)
    return _back(request, question_id)


def _refused(
    request: Request, house: DeskHouse, signed: SignedIn, question_id: int, refused: Refused, **typed: str
) -> Response:
    """The page as it is now, why not, and everything that was typed still there."""
    denied.refused(request, refused)
    sentence = speaker(request)(refused.sentence, **refused.values)
    with house.database.read() as session:
        return _page(request, session, signed, question_id, status=409, problem=sentence, **typed)


def _back(request: Request, question_id: int, flash: str = "", level: str = "success") -> Response:
    return redirect(request, f"/desk/questions/{question_id}", flash, level=level)


def _answered(request: Request, house: DeskHouse, question_id: int, message_id: int) -> tuple[str, str]:
    """What became of the answer, and how good that is."""
    _ = speaker(request)
    with house.database.read() as session:
        sent = _deliveries(threads.answers_sent(session, question_id)).get(message_id)
        channel = sent[-1].channel if sent else None
    if channel is None:
        return _("The answer is kept, but no channel reaches this person: phone them."), "warning"
    if channel is Channel.TELEGRAM:
        return _("The answer is on its way by Telegram."), "success"
    if channel is Channel.PEC:
        return _("The answer is on its way by certified mail (PEC)."), "success"
    return _("The answer is on its way by e-mail."), "success"


def _page(
    request: Request,
    session: Session,
    signed: SignedIn,
    question_id: int,
    *,
    status: int = 200,
    problem: str = "",
    answer_text: str = "",
    note_text: str = "",
) -> Response:
    head = threads.question_head(session, question_id)
    if head is None:
        raise Refuse(404)
    files = threads.thread_files(session, question_id)
    sent = threads.answers_sent(session, question_id)
    return render(
        request,
        "question.html",
        status=status,
        head=head,
        question=head.question,
        thread=threads.whole_thread(session, question_id),
        files=files,
        letters=letters_of_thread(session, question_id),
        corrections=corrections.of_thread(session, question_id),
        amended=corrections.of_files(session, [file.id for rows in files.values() for file in rows]),
        deliveries=_deliveries(sent),
        receipts=receipts_of(session, [row.id for row in sent]),
        written_by=written_down_by(session, question_id),
        spoken=spoken(session, question_id),
        leaves_by=answers.leaves_by(session, head.question),
        can=_possible(head.question, signed),
        awaits_reply=threads.awaits_reply(session, question_id),
        problem=problem,
        answer_text=answer_text,
        note_text=note_text,
    )


def _possible(question: Question, signed: SignedIn) -> Mapping[str, bool]:
    """Which buttons make sense now. The rules stand in `answering`; this only spares people a refusal."""
    acts, closed = signed.may_act, question.state is QuestionState.CLOSED
    mine = question.taken_by == signed.staff_id
    in_hand = question.state is QuestionState.TAKEN
    return {
        "take": acts and (question.state is QuestionState.NEW or (in_hand and not mine)),
        "release": acts and in_hand and mine,
        "answer": acts and not closed and (mine or not in_hand),
        "note": acts,
        "close": acts and not closed,
        "reopen": acts and closed,
    }


def _deliveries(rows: Sequence[Outbox]) -> Mapping[int, Sequence[Outbox]]:
    """By message: the newest try of its first part. The key reads `answer:<message>[:<other way>][:<part>]`."""
    found: dict[int, list[Outbox]] = {}
    for row in rows:
        kind, _, rest = row.dedupe_key.partition(":")
        message, _, what = rest.partition(":")
        if kind == "answer" and message.isdigit() and not what.rpartition(":")[2].isdigit():
            found.setdefault(int(message), []).append(row)
    return found
