"""Merges two questions of one person, takes them apart again, splits one in two. The rules are in `answering`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import joining as rules
from answering.joining import Seen
from answering.refusal import Refused
from desk.acting import ActorHere
from desk.house import DeskHouse
from desk.pages import FormNumber, House, Id, Refuse, render, speaker
from desk.question_page import back, elsewhere, refused
from desk.questions import Version
from storage import joining, threads
from storage.threads import Head

router = APIRouter()

Number = FormNumber


@router.get("/desk/questions/{question_id}/merge")
def before_merging(request: Request, house: House, signed: ActorHere, question_id: Id, into: str = "") -> Response:
    """First which one, then both side by side: nothing happens before the second page is confirmed."""
    with house.database.read() as session:
        head = _head(session, question_id)
        if head.question.merged_into_id is not None:
            return elsewhere(request, head.question)
        return _merging(request, session, house, head, into)


def _merging(
    request: Request, session: Session, house: DeskHouse, head: Head, into: str, *, problem: str = "", status: int = 200
) -> Response:
    target = threads.question_head(session, int(into)) if _is_number(into) else None
    problem = problem or _why_not(request, session, house, head, into, target)
    return render(
        request,
        "question_merge.html",
        status=status,
        head=head,
        question=head.question,
        others=joining.others_of(session, head.question),
        into=into,
        target=target if not problem else None,
        words=_first_words(session, [head, target] if target else [head]),
        problem=problem,
    )


def _why_not(request: Request, session: Session, house: DeskHouse, head: Head, into: str, target: Head | None) -> str:
    """Said before anything is confirmed; "" when nothing is in the way, or nothing was chosen yet."""
    _ = speaker(request)
    if not into.strip():
        return ""
    if target is None:
        return _("There is no question of this number.")
    try:
        rules.may_merge(session, head.question, target.question, house.clock())
    except Refused as no:
        return _(no.sentence, **no.values)
    return ""


@router.post("/desk/questions/{question_id}/merge")
def merge(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    *,
    version: Version,
    into: Number = 0,
    into_version: Number = 0,
) -> Response:
    target = Seen(into, into_version)
    try:
        with house.database.write() as session:
            seen = Seen(question_id, version)
            rules.merge(session, seen, target, signed.staff_id, now=house.clock())
    except Refused as no:
        with house.database.read() as session:
            head = _head(session, question_id)
            if head.question.merged_into_id is not None:
                return elsewhere(request, head.question)
            said = speaker(request)(no.sentence, **no.values)
            return _merging(request, session, house, head, str(target.id), problem=said, status=409)
    _ = speaker(request)
    said = _("Question no. {number} is now part of this one. The referent has been told nothing.", number=question_id)
    return back(request, target.id, said)


@router.post("/desk/questions/{question_id}/take-out")
def take_out(
    request: Request, house: House, signed: ActorHere, question_id: Id, *, version: Version, number: Number = 0
) -> Response:
    seen, source = Seen(question_id, version), number
    try:
        with house.database.write() as session:
            rules.take_out(session, seen, source, signed.staff_id, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    _ = speaker(request)
    return back(request, source, _("This question is one of its own again."))


@router.get("/desk/questions/{question_id}/split")
def before_splitting(request: Request, house: House, signed: ActorHere, question_id: Id) -> Response:
    with house.database.read() as session:
        head = _head(session, question_id)
        if head.question.merged_into_id is not None:
            return elsewhere(request, head.question)
        return _splitting(request, session, head)


def _splitting(
    request: Request, session: Session, head: Head, chosen: Sequence[int] = (), problem: str = "", status: int = 200
) -> Response:
    return render(
        request,
        "question_split.html",
        status=status,
        head=head,
        question=head.question,
        thread=threads.whole_thread(session, head.question.id),
        possible=rules.may_hold_two(session, head.question.id),
        chosen=chosen,
        problem=problem,
    )


@router.post("/desk/questions/{question_id}/split")
def split(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    *,
    version: Version,
    message: Annotated[list[int] | None, Form()] = None,
) -> Response:
    seen, chosen = Seen(question_id, version), message or []
    try:
        with house.database.write() as session:
            number = rules.split(session, seen, chosen, signed.staff_id, now=house.clock(), zone=house.zone)
    except Refused as no:
        with house.database.read() as session:
            said = speaker(request)(no.sentence, **no.values)
            return _splitting(request, session, _head(session, question_id), chosen, said, 409)
    _ = speaker(request)
    return back(request, number, _("This is a question of its own now. The referent has been told nothing."))


def _head(session: Session, question_id: int) -> Head:
    head = threads.question_head(session, question_id)
    if head is None:
        raise Refuse(404)
    return head


def _first_words(session: Session, heads: Sequence[Head]) -> dict[int, str]:
    words = {}
    for head in heads:
        first = joining.first_of(session, head.question.id)
        words[head.question.id] = first.text if first is not None else ""
    return words


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
