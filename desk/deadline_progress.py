"""How far each period of one deadline is: bars, and the figures beside them. Reads cells only; changes nothing."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import House, Id, Reader, Refuse, render, speaker
from desk.plots import Row, stacked
from desk.register_tables import heap_names
from facts.calendar import local_date
from facts.numbers import show_number
from storage.desk import one_deadline
from storage.register_view import by_period

router = APIRouter()

PERIODS = 12


@router.get("/desk/deadlines/{deadline_id}/progress")
def progress(request: Request, house: House, signed: Reader, deadline_id: Id) -> Response:
    say, today = speaker(request), local_date(house.clock(), house.zone)
    with house.database.read() as session:
        deadline = one_deadline(session, deadline_id)
        if deadline is None:
            raise Refuse(404)
        periods = by_period(session, deadline_id, today, limit=PERIODS)
        rows = [
            Row(name, list(figures.values()), [show_number(sum(figures.values()), say.language)])
            for name, _due_on, figures in periods
        ]
        return render(
            request,
            "deadline_progress.html",
            one=deadline,
            periods=periods,
            names=heap_names(say),
            plot=stacked(heap_names(say), rows),
        )
