"""The queue of questions, and one question with its thread. The rules are in `answering`, not here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from answering import answer as answers
from answering import approval, moves
from answering.refusal import Refused
from desk import came_from, narrowing, presence, queue_rows
from desk.acting import ActorHere
from desk.guide import shows_guide
from desk.house import DeskHouse
from desk.pages import BEYOND, FormNumber, House, Id, Page, Reader, Refuse, redirect, render, speaker
from desk.question_files import hold, stored
from desk.question_page import Typed, back, deliveries, refused, show
from desk.security import SignedIn
from intake.files import StoredFile
from storage import mentions, queue, threads
from storage.filters import conditions
from storage.queue import View
from storage.similar import answer_text
from storage.tables import Channel, QuestionState, Staff
from storage.tags import tags_of

router = APIRouter()

Version = FormNumber
Text = Annotated[str, Form()]


@router.get("/desk/questions")
def questions(
    request: Request,
    house: House,
    signed: Reader,
    pages: Page,
    *,
    view: str = "",
    q: str = "",
) -> Response:
    """An unknown `view` is the first heap: an old address still opens the list."""
    heap = View(view) if view in set(View) else View.NEW
    now, params = house.clock(), request.query_params
    with house.database.read() as session:
        # Who searches looks everywhere: a heap that hides the match would say that it does not exist.
        heap = View.ALL if q.strip() else heap
        narrowed = conditions(narrowing.narrowed(params, signed.staff_id), now)
        lines, total = queue.queue_page(
            session, heap, signed.staff_id, q, offset=pages.offset, limit=pages.size, narrowed=narrowed
        )
        bar = narrowing.bar(session, signed, params, heap, now)
        tags = tags_of(session, [line.id for line in lines])
        response = render(
            request,
            "questions.html",
            lines=lines,
            rows=queue_rows.rows(request, lines, tags, works=bar["works"]),
            counts=queue.queue_counts(session, signed.staff_id),
            view=heap,
            q=q,
            guide=shows_guide(session, signed),
            pages=pages.counted(total),
            **bar,
        )
    came_from.remember(request, response, signed, lines)
    return response


@router.get("/desk/questions/{question_id}")
def question(request: Request, house: House, signed: Reader, question_id: Id, use: int = 0) -> Response:
    """`use`: an answer to another question, whose text is to stand in the box."""
    with house.database.read() as session:
        response = show(request, session, signed, question_id, typed=Typed(answer=_used(session, use)))
        called = mentions.waits(session, question_id, signed.staff_id)
    if called:
        with house.database.write() as session:
            mentions.see(session, question_id, signed.staff_id, house.clock())
    return presence.opened(response, house, signed, question_id)


def _used(session: Session, message_id: int) -> str:
    """Nothing when none is asked for."""
    if not message_id:
        return ""
    text = answer_text(session, message_id) if 0 < message_id < BEYOND else None
    if text is None:
        raise Refuse(404)
    return text


@router.post("/desk/questions/{question_id}/take")
def take(request: Request, house: House, signed: ActorHere, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.take, version)


@router.post("/desk/questions/{question_id}/assign")
def assign(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    *,
    version: Version,
    to: FormNumber = 0,
) -> Response:
    def give(session: Session, question_id: int, staff_id: int, *, version: int, now: datetime) -> None:
        moves.assign(session, question_id, staff_id, to, version=version, now=now)

    return _move(request, house, signed, question_id, give, version)


@router.post("/desk/questions/{question_id}/urgent")
def urgent(
    request: Request, house: House, signed: ActorHere, question_id: Id, urgent: Annotated[str, Form()] = ""
) -> Response:
    """`urgent` empty: it is no longer."""
    try:
        with house.database.write() as session:
            moves.flag(session, question_id, signed.staff_id, urgent=bool(urgent), now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id)


@router.post("/desk/questions/{question_id}/release")
def release(request: Request, house: House, signed: ActorHere, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.release, version)


@router.get("/desk/questions/{question_id}/close")
def before_closing(request: Request, house: House, signed: ActorHere, question_id: Id) -> Response:
    """Asks first when the referent had the last word: closing says nothing to them."""
    with house.database.read() as session:
        head = threads.question_head(session, question_id)
        if head is None:
            raise Refuse(404)
        word = threads.last_word(session, question_id)
        if head.question.state is QuestionState.CLOSED or word is None:
            return back(request, question_id)
        return render(request, "question_close.html", head=head, question=head.question, word=word)


@router.post("/desk/questions/{question_id}/close")
def close(
    request: Request,
    house: House,
    signed: ActorHere,
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
def reopen(request: Request, house: House, signed: ActorHere, question_id: Id, version: Version) -> Response:
    return _move(request, house, signed, question_id, moves.reopen, version)


@router.post("/desk/questions/{question_id}/answer")
def answer(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    *,
    version: Version,
    text: Text = "",
    awaits: Annotated[str, Form()] = "",
    keep: Annotated[list[int] | None, Form()] = None,
    file: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Sends it, or proposes it where an officer approves it first. `keep`: files that came back with an earlier try."""
    kept = tuple(one for one in keep or () if 0 < one < BEYOND)
    try:
        said = Wanted(text, awaits=bool(awaits), kept=kept, files=stored(house, file or (), len(kept)))
        with house.database.write() as session:
            message_id = _send_or_propose(session, house, signed, question_id, said, version)
    except Refused as no:
        held = hold(house, signed.staff_id, file or (), kept).kept
        return refused(request, house, signed, question_id, no, Typed(answer=text, awaits=bool(awaits), kept=held))
    if message_id is None:
        _ = speaker(request)
        return back(request, question_id, _("The answer waits for approval. On this page you see what becomes of it."))
    return back(request, question_id, *became_of_it(request, house, question_id, message_id))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says."""

    text: str
    awaits: bool
    kept: tuple[int, ...]
    files: list[StoredFile]


def _send_or_propose(
    session: Session, house: DeskHouse, signed: SignedIn, question_id: int, wanted: Wanted, version: int
) -> int | None:
    """The message; None when it waits for approval."""
    now = house.clock()
    if approval.must_propose(session, question_id, signed.staff_id):
        said = answers.Said(
            session.get_one(Staff, signed.staff_id), wanted.text, wanted.awaits, wanted.files, wanted.kept
        )
        approval.propose(session, question_id, said, version=version, now=now)
        return None
    return answers.answer(
        session,
        question_id,
        signed.staff_id,
        wanted.text,
        version=version,
        now=now,
        files=wanted.files,
        kept=wanted.kept,
        awaits=wanted.awaits,
    ).id


@router.post("/desk/questions/{question_id}/note")
def note(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    text: Text = "",
    call: Annotated[str, Form()] = "",
) -> Response:
    """`call`: a colleague who is called upon, beside those named in the text."""
    calls = int(call) if call.isascii() and call.isdecimal() and len(call) < 10 else 0
    try:
        with house.database.write() as session:
            answers.note(session, question_id, signed.staff_id, text, now=house.clock(), calls=calls)
    except Refused as no:
        return refused(request, house, signed, question_id, no, Typed(note=text))
    _ = speaker(request)
    return back(request, question_id, _("The note is saved. Only colleagues see it."))


def _move(request: Request, house: DeskHouse, signed: SignedIn, question_id: int, move: Any, version: int) -> Response:
    """One of the four moves; what it refuses is said on the question's own page."""
    try:
        with house.database.write() as session:
            move(session, question_id, signed.staff_id, version=version, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id)


def became_of_it(request: Request, house: DeskHouse, question_id: int, message_id: int) -> tuple[str, str]:
    """What became of the answer, and how good that is."""
    _ = speaker(request)
    with house.database.read() as session:
        sent = deliveries(threads.answers_sent(session, question_id)).get(message_id)
        channel = sent[-1].channel if sent else None
    if channel is None:
        return _("The answer is kept, but no channel reaches this person: phone them."), "warning"
    if channel is Channel.TELEGRAM:
        return _("The answer is on its way by Telegram."), "success"
    if channel is Channel.PEC:
        return _("The answer is on its way by certified mail (PEC)."), "success"
    return _("The answer is on its way by e-mail."), "success"
