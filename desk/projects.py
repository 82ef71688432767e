"""The projects, and one of them with everything around it. Changes nothing: projects come from the registry."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import House, Id, Page, Reader, Refuse, render
from facts.calendar import local_date
from facts.phases import OLDER_PHASES, PHASES
from storage.delegations import who_lends
from storage.desk import asked, one_project, owed_for
from storage.desk_updates import updates_page
from storage.people import followers_of
from storage.projects import ProjectFilter, programmes, projects_page

router = APIRouter()

# Code → message id of its name; a code we do not know is shown as it is.
PHASE_NAMES = {phase.code: phase.label for phase in (*OLDER_PHASES, *PHASES)}
RECENT = 5


@router.get("/desk/projects")
def projects(request: Request, house: House, signed: Reader, pages: Page, q: str = "", programme: str = "") -> Response:
    chosen = int(programme) if programme.isdecimal() and len(programme) < 10 else None
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        found = projects_page(
            session, ProjectFilter(chosen, text=q), today=today, limit=pages.size, offset=pages.offset
        )
        return render(
            request,
            "projects.html",
            lines=found.lines,
            programmes=programmes(session),
            programme=chosen,
            q=q,
            phases=PHASE_NAMES,
            pages=pages.counted(found.total),
        )


@router.get("/desk/projects/{project_id}")
def project(request: Request, house: House, signed: Reader, project_id: Id) -> Response:
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        one = one_project(session, project_id)
        if one is None:
            raise Refuse(404)
        updates, how_many = updates_page(session, project_id=project_id, limit=RECENT)
        return render(
            request,
            "project.html",
            one=one,
            followers=followers_of(session, project_id),
            in_place_of=who_lends(session, project_id),
            updates=updates,
            how_many_updates=how_many,
            owed=owed_for(session, project_id, today),
            questions=asked(session, project_id=project_id),
            phases=PHASE_NAMES,
            today=today,
        )
