"""Sending a form from one's own page: everything once more, then the receipt. Sends nothing that is not complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.fill_begin import due_now
from desk.fill_draft import Opened, open_draft, save
from desk.fill_views import along, form_title, lines_of
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, House, Id, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from facts.calendar import local_date
from facts.languages import Language
from intake.correcting import Overtaken, TooLate, begin_correction, may_correct
from intake.handing_in import AnswersMissing, Door, DraftMoved, concern_of, hand_in
from intake.updates import owed
from storage.begun import concerned_update, own_update, titles, update_from
from storage.desk_people import note_use
from storage.drafts import rebase
from storage.forms import form_id_of, form_numbered
from storage.reports import deadline_of
from storage.reviews import corrections_of
from storage.tables import Channel, Deadline, DraftState, Obligation, Referent, Update

router = APIRouter()

Number = Annotated[int | None, Form(ge=1, lt=BEYOND)]
MOVED = N_("Something has changed meanwhile, perhaps by Telegram. Look at everything once more, then send it.")
OVERTAKEN = N_(
    "A colleague has corrected the same answers meanwhile. Theirs are in now: change them if need be, then send."
)
TOO_LATE = N_("This update can no longer be corrected: too much time has passed, or the office has accepted it.")
BY_MAIL = (Channel.EMAIL, Channel.PEC)
MOST_NEXT = 5
MOST_REASON = 300


@router.get("/r/{token}/drafts/{draft_id}/summary")
def summary(request: Request, house: House, token: str, draft_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        sent = update_from(session, me.id, draft_id)
        if sent is not None:
            return redirect(request, f"/r/{token}/sent/{sent.id}")
        opened = open_draft(session, house, me, draft_id)
        if not is_complete(opened):
            return redirect(request, f"/r/{token}/drafts/{draft_id}")
        return _summary_page(request, session, house, token, opened)


@router.post("/r/{token}/drafts/{draft_id}/send")
def send(
    request: Request,
    house: House,
    token: str,
    draft_id: Id,
    *,
    revision: Annotated[int, Form(ge=0, lt=2**31)],
    obligation_id: Number = None,
    reason: Annotated[str, Form(max_length=MOST_REASON)] = "",
) -> Response:
    here, _ = f"/r/{token}/drafts/{draft_id}/summary", speaker(request)
    with house.database.write() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        sent = update_from(session, me.id, draft_id)  # pressed twice: the first one counts
        if sent is not None:
            return redirect(request, f"/r/{token}/sent/{sent.id}")
        opened = open_draft(session, house, me, draft_id)
        sending = Sending(opened, obligation_id, reason.strip())
        if opened.work.revision != revision or not is_complete(opened) or not _is_due(session, house, sending):
            return redirect(request, here, _(MOVED), level="warning")
        if asks_reason(opened) and not sending.reason:
            error = _("Say in a few words why.")
            return _summary_page(request, session, house, token, opened, error=error)
        number = _send(session, house, sending)
        note_use(session, token, house.clock())
    if number is None:
        return redirect(request, here, _(OVERTAKEN), level="warning")
    return redirect(request, f"/r/{token}/sent/{number}")


@router.post("/r/{token}/sent/{update_id}/correct")
def begin_correcting(request: Request, house: House, token: str, update_id: Id) -> Response:
    now = house.clock()
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        update = concerned_update(session, me.id, update_id)
        if update is None:
            raise Refuse(404)
        if not may_correct(session, update, now, house.zone):
            raise Refuse(409, TOO_LATE)
        draft = begin_correction(session, update, me.id, now, channel=Channel.WEB, state=DraftState.PARKED, step="")
        note_use(session, token, now)
    return redirect(request, f"/r/{token}/drafts/{draft.id}")


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
            corrected=corrections_of(session, update.id),
            form_title=form_title(session, house, form, Language(me.language)) if form else "",
            title=titles(session, [update])[update.id],
            covered=deadline_of(session, update.obligation_id) if update.obligation_id else None,
            correctable=_is_correctable(session, house, me, update),
            coming=due_now(session, house, me, now)[:MOST_NEXT],
            today=local_date(now, house.zone),
        )


def _is_correctable(session: Session, house: DeskHouse, me: Referent, update: Update) -> bool:
    theirs = concerned_update(session, me.id, update.id) is not None
    return theirs and may_correct(session, update, house.clock(), house.zone)


def is_complete(opened: Opened) -> bool:
    """Nothing is missing, nothing unread, and every doubt was answered."""
    shown = opened.page(complete=True)
    return not shown.errors and not shown.doubts


@dataclass(frozen=True, slots=True)
class Sending:
    """A draft that is to be sent, for which obligation, and why when it corrects."""

    opened: Opened
    obligation_id: int | None
    reason: str


def asks_reason(opened: Opened) -> bool:
    """Of a correction, unless staff have asked for it."""
    return opened.work.corrects_id is not None and not opened.remarks


def first_of(due: Sequence[int], opened: Opened) -> int | None:
    """For which obligation it was begun, if that is still owed; else the oldest that is."""
    begun_for = opened.work.obligation_id
    return begun_for if begun_for in due else next(iter(due), None)


def _due(session: Session, house: DeskHouse, opened: Opened) -> list[tuple[Obligation, Deadline]]:
    """What this would fulfil; which one is for the person to say when there are several."""
    if opened.work.corrects_id is not None:
        return []
    today, form_id = local_date(house.clock(), house.zone), opened.in_use.form_id
    return list(owed(session, concern_of(opened.work), form_id, opened.me.id, today))


def _is_due(session: Session, house: DeskHouse, sending: Sending) -> bool:
    """Whether the one that was chosen is still owed."""
    due = {obligation.id for obligation, _deadline in _due(session, house, sending.opened)}
    return sending.obligation_id is None or sending.obligation_id in due


def _summary_page(
    request: Request, session: Session, house: DeskHouse, token: str, opened: Opened, *, error: str = ""
) -> Response:
    due = _due(session, house, opened)
    return render(
        request,
        "fill_summary.html",
        status=422 if error else 200,
        token=token,
        opened=opened,
        shown=opened.page(),
        values={line.key: line.value for line in lines_of(opened, opened.filling.kept)},
        due=due,
        chosen=first_of([obligation.id for obligation, _deadline in due], opened),
        along=along(opened),
        corrects=opened.work.corrects_id,
        asks_reason=asks_reason(opened),
        reason="",
        error=error,
    )


def _send(session: Session, house: DeskHouse, sending: Sending) -> int | None:
    """The update's number. None when a colleague has corrected the same: theirs stands in the draft from now on."""
    opened, now = sending.opened, house.clock()
    try:
        return _hand_in(session, house, sending).id
    except Overtaken as overtaken:
        theirs = opened.now(opened.filling.change(overtaken.answers).filling, opened.notes)
        save(session, theirs, "", now)
        rebase(session, opened.work.id, now)
        return None
    except TooLate:
        raise Refuse(409, TOO_LATE) from None
    except (DraftMoved, AnswersMissing):
        raise Refuse(409, MOVED) from None


def _channel_of(opened: Opened) -> Channel:
    """What was answered by mail came by mail: here it was only confirmed."""
    begun = opened.begun.draft.channel
    return begun if begun in BY_MAIL and opened.work.corrects_id is None else Channel.WEB


def _hand_in(session: Session, house: DeskHouse, sending: Sending) -> Update:
    opened = sending.opened
    due = [obligation.id for obligation, _deadline in _due(session, house, opened)]
    return hand_in(
        session,
        opened.work,
        opened.in_use,
        opened.filling,
        Door(opened.me.id, _channel_of(opened), house.zone),
        now=house.clock(),
        obligation_id=sending.obligation_id or first_of(due, opened),
        unchanged=opened.prior.at is not None and opened.filling.kept == dict(opened.prior.answers),
        reason=sending.reason,
    )
