"""Sending a form from one's own page: everything once more, then the receipt. Sends nothing that is not complete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.fill_begin import due_now
from desk.fill_draft import Opened, open_draft
from desk.fill_views import along, form_title, lines_of
from desk.house import DeskHouse
from desk.pages import N_, House, Id, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from facts.calendar import local_date
from facts.languages import Language
from intake.handing_in import AnswersMissing, Door, DraftMoved, concern_of, hand_in
from intake.updates import owed
from storage.begun import own_update, titles, update_from
from storage.desk_people import note_use
from storage.forms import form_id_of, form_numbered
from storage.reports import deadline_of
from storage.tables import Channel, Deadline, Obligation, Update

router = APIRouter()

Number = Annotated[int | None, Form(ge=1, lt=2**63)]
MOVED = N_("Something has changed meanwhile, perhaps by Telegram. Look at everything once more, then send it.")
MOST_NEXT = 5


@router.get("/r/{token}/drafts/{draft_id}/summary")
def summary(request: Request, house: House, token: str, draft_id: Id) -> Response:
    now = house.clock()
    with house.database.read() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        sent = update_from(session, me.id, draft_id)
        if sent is not None:
            return redirect(request, f"/r/{token}/sent/{sent.id}")
        opened = open_draft(session, house, me, draft_id)
        if not is_complete(opened):
            return redirect(request, f"/r/{token}/drafts/{draft_id}")
        due = _due(session, house, opened, now)
        return render(
            request,
            "fill_summary.html",
            token=token,
            opened=opened,
            shown=opened.page(),
            values={line.key: line.value for line in lines_of(opened, opened.filling.kept)},
            due=due,
            chosen=first_of([obligation.id for obligation, _deadline in due], opened),
            along=along(opened),
        )


@router.post("/r/{token}/drafts/{draft_id}/send")
def send(
    request: Request,
    house: House,
    token: str,
    draft_id: Id,
    revision: Annotated[int, Form(ge=0, lt=2**31)],
    obligation_id: Number = None,
) -> Response:
    now = house.clock()
    here = f"/r/{token}/drafts/{draft_id}"
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        sent = update_from(session, me.id, draft_id)  # pressed twice: the first one counts
        if sent is None:
            opened = open_draft(session, house, me, draft_id)
            if opened.work.revision != revision or not is_complete(opened):
                return redirect(request, f"{here}/summary", speaker(request)(MOVED), level="warning")
            due = [obligation.id for obligation, _deadline in _due(session, house, opened, now)]
            if obligation_id is not None and obligation_id not in due:
                return redirect(request, f"{here}/summary", speaker(request)(MOVED), level="warning")
            try:
                sent = _hand_in(session, house, opened, obligation_id or first_of(due, opened), now)
            except (DraftMoved, AnswersMissing):
                raise Refuse(409, MOVED) from None
            note_use(session, token, now)
        number = sent.id
    return redirect(request, f"/r/{token}/sent/{number}")


@router.get("/r/{token}/sent/{update_id}")
def receipt(request: Request, house: House, token: str, update_id: Id) -> Response:
    now = house.clock()
    with house.database.read() as session:
        me = enter(request, session, token, now)
        update = own_update(session, me.id, update_id) if me else None
        if me is None:
            return closed(request)
        if update is None:
            raise Refuse(404)
        form = form_numbered(session, form_id_of(session, update.form_version_id))
        return render(
            request,
            "fill_receipt.html",
            token=token,
            update=update,
            form_title=form_title(session, house, form, Language(me.language)) if form else "",
            title=titles(session, [update])[update.id],
            covered=deadline_of(session, update.obligation_id) if update.obligation_id else None,
            coming=due_now(session, house, me, now)[:MOST_NEXT],
            today=local_date(now, house.zone),
        )


def is_complete(opened: Opened) -> bool:
    """Nothing is missing, nothing unread, and every doubt was answered."""
    shown = opened.page(complete=True)
    return not shown.errors and not shown.doubts


def _due(session: Session, house: DeskHouse, opened: Opened, now: datetime) -> list[tuple[Obligation, Deadline]]:
    """What this would fulfil; which one is for the person to say when there are several."""
    today, form_id = local_date(now, house.zone), opened.in_use.form_id
    return list(owed(session, concern_of(opened.work), form_id, opened.me.id, today))


def first_of(due: Sequence[int], opened: Opened) -> int | None:
    """For which obligation it was begun, if that is still owed; else the oldest that is."""
    begun_for = opened.work.obligation_id
    return begun_for if begun_for in due else next(iter(due), None)


def _hand_in(session: Session, house: DeskHouse, opened: Opened, obligation_id: int | None, now: datetime) -> Update:
    same = opened.prior.at is not None and opened.filling.kept == dict(opened.prior.answers)
    door = Door(opened.me.id, Channel.WEB, house.zone)
    return hand_in(
        session,
        opened.work,
        opened.in_use,
        opened.filling,
        door,
        now=now,
        obligation_id=obligation_id,
        unchanged=same,
    )
