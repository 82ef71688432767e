"""Beginning a form on one's own page: which forms, about what. What was begun already is taken up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.fill_views import form_title
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, House, Refuse, redirect, render
from desk.personal import closed, enter
from facts.calendar import local_date
from facts.languages import Language
from intake.forms.nodes import About
from intake.updates import Concern
from storage.begun import Begun, begun_by
from storage.desk_people import note_use
from storage.drafts import Work, change_draft, insert_draft
from storage.forms import form_numbered, newest_of
from storage.obligations import Owed, owed, owed_by
from storage.people import organizations_of, projects_of
from storage.projects import projects_of_organization
from storage.tables import Channel, DraftKind, DraftState, ObligationState, Referent
from storage.tables import Form as FormRow

router = APIRouter()

NONE_YET = N_("No project is linked to you yet, so this form has nothing to be about. Write to the office.")
RETIRED = N_("This form is no longer in use.")


@dataclass(frozen=True, slots=True)
class Wish:
    """A form, perhaps because it is owed, and what it may be about: (what, its name)."""

    form: FormRow
    obligation: Owed | None
    subjects: Sequence[tuple[Concern, str]]

    @property
    def obligation_id(self) -> int | None:
        return self.obligation.obligation.id if self.obligation else None


Number = Annotated[int | None, Form(ge=1, lt=BEYOND)]
Asked = Annotated[int | None, Query(ge=1, lt=BEYOND)]


@router.get("/r/{token}/fill")
def choose(request: Request, house: House, token: str, form_id: Asked = None, obligation_id: Asked = None) -> Response:
    """About which of their projects or organisations, where there are several."""
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        wish = wish_of(session, me, form_id, obligation_id)
        title = form_title(session, house, wish.form, Language(me.language))
        return render(request, "fill_choose.html", token=token, wish=wish, form_title=title)


@router.post("/r/{token}/fill")
def begin(
    request: Request,
    house: House,
    token: str,
    *,
    form_id: Number = None,
    obligation_id: Number = None,
    project_id: Number = None,
    organization_id: Number = None,
) -> Response:
    now = house.clock()
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        wish = wish_of(session, me, form_id, obligation_id)
        subject = _chosen(wish, Concern(project_id, organization_id))
        if subject is None:
            asked = f"obligation_id={obligation_id}" if obligation_id else f"form_id={form_id}"
            return redirect(request, f"/r/{token}/fill?{asked}")
        draft_id = _taken_up(session, me, wish, subject, now) or _begun(session, me, wish, subject, now)
        note_use(session, token, now)
    return redirect(request, f"/r/{token}/drafts/{draft_id}")


def wish_of(session: Session, me: Referent, form_id: int | None, obligation_id: int | None) -> Wish:
    """Raises Refuse for a form or an obligation that is not theirs to fill in."""
    obligation = _own_obligation(session, me, obligation_id) if obligation_id is not None else None
    wanted = obligation.deadline.form_id if obligation else form_id
    form = form_numbered(session, wanted) if wanted is not None else None
    if form is None:
        raise Refuse(404)
    if form.retired_at is not None and obligation is None:
        raise Refuse(409, RETIRED)
    subjects = _subjects(session, me, form, obligation)
    if not subjects:
        raise Refuse(409, NONE_YET)
    return Wish(form, obligation, subjects)


def _own_obligation(session: Session, me: Referent, obligation_id: int) -> Owed:
    found = [one for one in owed_by(session, me.id, date.max, limit=10_000) if one.obligation.id == obligation_id]
    if found:
        return found[0]
    known = owed(session, [obligation_id])
    if known and known[0].obligation.state is not ObligationState.OPEN and _concerns(session, me, known[0]):
        raise Refuse(409, N_("This has been sent already. Thank you."))
    raise Refuse(404)


def _concerns(session: Session, me: Referent, one: Owed) -> bool:
    projects = {row.id for row in projects_of(session, me.id)}
    organizations = {row.id for row in organizations_of(session, me.id)}
    return one.obligation.project_id in projects or one.obligation.organization_id in organizations


def _subjects(session: Session, me: Referent, form: FormRow, obligation: Owed | None) -> list[tuple[Concern, str]]:
    """What the form may be about: of theirs, and for what is owed."""
    owing = obligation.obligation if obligation else None
    if form.about == About.ORGANIZATION:
        organization = owing.organization_id if owing else None
        rows = organizations_of(session, me.id)
        return [(Concern(organization_id=row.id), row.name) for row in rows if organization in (None, row.id)]
    allowed = _projects_for(session, obligation)
    rows_of_projects = projects_of(session, me.id)
    return [(Concern(project_id=row.id), row.title) for row in rows_of_projects if allowed is None or row.id in allowed]


def _projects_for(session: Session, obligation: Owed | None) -> set[int] | None:
    """The projects by which an obligation is fulfilled; None for any."""
    if obligation is None:
        return None
    if obligation.obligation.project_id is not None:
        return {obligation.obligation.project_id}
    assert obligation.obligation.organization_id is not None, "an obligation is of one or the other"
    return set(projects_of_organization(session, obligation.obligation.organization_id))


def _chosen(wish: Wish, asked: Concern) -> Concern | None:
    """The only one, or the one that was picked; None while one must be. Raises Refuse for a foreign one."""
    possible = [subject for subject, _name in wish.subjects]
    if asked == Concern():
        return possible[0] if len(possible) == 1 else None
    if asked not in possible:
        raise Refuse(404)
    return asked


def _taken_up(session: Session, me: Referent, wish: Wish, subject: Concern, now: datetime) -> int | None:
    """The unfinished draft of the same form about the same; from now on for this obligation."""
    begun = [one for one in begun_by(session, me.id) if one.draft.corrects_id is None]
    same = [one for one in begun if one.form.id == wish.form.id and _about(one) == subject]
    if not same:
        return None
    draft = same[0].draft
    if wish.obligation_id is not None and draft.obligation_id != wish.obligation_id:
        change_draft(session, draft.id, draft.revision, now, obligation_id=wish.obligation_id)
    return draft.id


def _about(one: Begun) -> Concern:
    return Concern(one.draft.project_id, one.draft.organization_id)


def _begun(session: Session, me: Referent, wish: Wish, subject: Concern, now: datetime) -> int:
    fixed = wish.obligation.deadline.form_version_id if wish.obligation else None
    work = Work(
        id=0,
        kind=DraftKind.UPDATE,
        form_version_id=fixed or newest_of(session, wish.form.id),
        project_id=subject.project_id,
        question_id=None,
        obligation_id=wish.obligation_id,
        answers={},
        step="",
        memory={},
        revision=0,
        sources={},
        organization_id=subject.organization_id,
    )
    return insert_draft(session, me.id, now, work, channel=Channel.WEB, state=DraftState.PARKED).id


def due_now(session: Session, house: DeskHouse, me: Referent, now: datetime) -> list[Owed]:
    """What is owed and may be sent today, the most urgent first."""
    today = local_date(now, house.zone)
    return [one for one in owed_by(session, me.id, date.max) if one.obligation.opens_on <= today]
