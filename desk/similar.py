"""Answered questions that ask alike, beside a question. The panel comes by itself; without scripts it is a page."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.acting import in_question
from desk.pages import House, Id, Reader, Refuse, render
from desk.question_page import possible
from storage import threads
from storage.similar import similar

router = APIRouter()


@router.get("/desk/questions/{question_id}/similar")
def similar_questions(request: Request, house: House, signed: Reader, question_id: Id) -> Response:
    """Only the list when a page asks for it."""
    with house.database.read() as session:
        head = threads.question_head(session, question_id)
        if head is None or head.question.merged_into_id is not None:
            raise Refuse(404)
        here = in_question(session, signed, head.question)
        return render(
            request,
            "similar_list.html" if request.headers.get("HX-Request") else "similar.html",
            question=head.question,
            alike=similar(session, question_id),
            may_use=possible(head.question, here)["answer"],
        )
