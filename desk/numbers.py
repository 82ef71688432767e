"""How much comes in and how soon it is answered: tables, a drawing beside each, and files of them. Changes nothing.

Whoever may look at the desk may look at these: they name bodies and categories, and no person.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from desk.numbers_drawn import drawn
from desk.numbers_period import CHOICES, Period, chosen_period, usual_period
from desk.numbers_tables import MAKERS, Asked, NumbersTable
from desk.pages import House, Reader, Refuse, render, speaker
from facts.calendar import local_date
from facts.languages import Speaker
from registry.files import FILE_WRITERS, MEDIA_TYPES

router = APIRouter()

LONGEST_LIST = 15  # bodies on the page; all of them are in the files


class Wanted:
    """The period as the address says it; `problem` says what is wrong with it, and then it is the usual one."""

    def __init__(self, request: Request, house: House, period: str = "", since: str = "", until: str = "") -> None:
        today = local_date(house.clock(), house.zone)
        self.choice = period if period in CHOICES else "month"
        self.since, self.until, self.problem = since[:20], until[:20], ""
        self.period = usual_period(self.choice, today)
        if self.choice == "days":
            try:
                self.period = chosen_period(self.since, self.until, today)
            except ValueError as error:
                self.problem = str(error)

    @property
    def query(self) -> dict[str, str]:
        days = {"since": self.since, "until": self.until} if self.choice == "days" else {}
        return {"period": self.choice, **days}


Chosen = Annotated[Wanted, Depends()]


@router.get("/desk/numbers")
def numbers(request: Request, house: House, signed: Reader, wanted: Chosen) -> Response:
    say = speaker(request)
    with house.database.read() as session:
        asked = Asked(session, wanted.period, house.clock(), house.zone, say)
        tables = {key: make(asked) for key, make in MAKERS.items()}
        return render(
            request,
            "numbers.html",
            status=422 if wanted.problem else 200,
            wanted=wanted,
            choices=[(key, say(name)) for key, name in CHOICES.items()],
            tables=tables,
            plots={key: drawn(table, say) for key, table in tables.items()},
            figures=_figures(tables, say),
            most=LONGEST_LIST,
        )


@router.get("/desk/numbers/{key}.{format}")
def file(request: Request, house: House, signed: Reader, wanted: Chosen, *, key: str, format: str) -> Response:
    """One table as a file. What is wrong with the days was said on the page; here there is no such file."""
    if key not in MAKERS or format not in FILE_WRITERS or wanted.problem:
        raise Refuse(404)
    with house.database.read() as session:
        table = MAKERS[key](Asked(session, wanted.period, house.clock(), house.zone, speaker(request)))
    out = BytesIO()
    FILE_WRITERS[format](out, table.headers, table.lines)
    name = _name(key, wanted.period, format)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type=MEDIA_TYPES[format], headers=disposition)


def _name(key: str, period: Period, format: str) -> str:
    return f"raccordo-{key}-{period.first}-{period.last}.{format}"


def _figures(tables: dict[str, NumbersTable], _: Speaker) -> Sequence[tuple[str, object, str]]:
    """What the page says first: what it is, the number, its unit."""
    speed, waiting = tables["first-answers"].lines[0], tables["waiting"].lines[:-1]
    return [
        (_("Questions"), speed[2], ""),
        (_("Half answered within"), speed[4], _("working hours")),
        (_("Nine in ten within"), speed[5], _("working hours")),
        (_("Answered in time"), speed[6], "%"),
        (_("Waiting for us now"), sum(int(str(line[1])) for line in waiting), ""),
        (_("Updates"), sum(int(str(line[-1])) for line in tables["updates"].lines), ""),
    ]
