"""Looks everywhere at once: questions, projects, people, municipalities, files, updates. Changes nothing."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import House, Reader, render
from facts.words import wanted_words
from storage.everywhere import everywhere
from storage.searching import MOST_COUNTED

router = APIRouter()


@router.get("/desk/search")
def search(request: Request, house: House, signed: Reader, q: str = "") -> Response:
    """As one types, the page asks for itself and shows of it what was found."""
    with house.database.read() as session:
        looks = bool(wanted_words(q, most=1))  # signs alone say nothing
        found = everywhere(session, q, signed.staff_id, house.clock()) if looks else None
        return render(request, "search.html", q=q, found=found, most=MOST_COUNTED)
