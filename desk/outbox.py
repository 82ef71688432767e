"""What leaves: what is stuck, what waits, what was sent. Sends nothing: retrying only puts it in line again."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from delivery.words import plain_text
from desk.house import DeskHouse
from desk.pages import N_, Actor, House, Id, Page, Reader, Refuse, redirect, render, speaker
from desk.security import SignedIn
from storage.desk import outgoing
from storage.outbox import DROPPABLE, MENDABLE, drop_outbox, outbox_counts, retry_outbox
from storage.receipts import receipts_of
from storage.tables import Outbox, OutboxState

router = APIRouter()

# The heaps of the page: what needs a person comes first.
HEAPS: Mapping[str, tuple[str, tuple[OutboxState, ...]]] = {
    "stuck": (N_("To look at"), (OutboxState.DEAD, OutboxState.UNCERTAIN)),
    "waiting": (N_("Waiting"), (OutboxState.QUEUED, OutboxState.RETRY, OutboxState.SENDING)),
    "sent": (N_("Already sent"), (OutboxState.SENT,)),
    "set-aside": (N_("Not sent"), (OutboxState.WITHHELD, OutboxState.MOVED, OutboxState.DROPPED)),
}


@router.get("/desk/outbox")
def outbox(request: Request, house: House, signed: Reader, pages: Page, heap: str = "stuck") -> Response:
    if heap not in HEAPS:
        raise Refuse(404)
    with house.database.read() as session:
        by_state = outbox_counts(session)
        counts = {name: sum(by_state[state] for state in states) for name, (_, states) in HEAPS.items()}
        rows = outgoing(session, HEAPS[heap][1], limit=pages.size, offset=pages.offset)
        return render(
            request,
            "outbox.html",
            heap=heap,
            heaps={name: title for name, (title, _) in HEAPS.items()},
            counts=counts,
            rows=rows,
            receipts=receipts_of(session, [row.id for row, _ in rows]),
            texts={row.id: _text(row) for row, _ in rows},
            mendable=MENDABLE,
            droppable=DROPPABLE,
            pages=pages.counted(counts[heap]),
        )


@router.post("/desk/outbox/{outbox_id}/retry")
def retry(request: Request, house: House, signed: Actor, outbox_id: Id) -> Response:
    _ = speaker(request)
    with house.database.write() as session:
        done = retry_outbox(session, outbox_id, house.clock(), staff_id=signed.staff_id)
    return _back(request, done, _("It is in line again, and leaves in a moment."))


@router.get("/desk/outbox/{outbox_id}/drop")
def before_dropping(request: Request, house: House, signed: Actor, outbox_id: Id) -> Response:
    with house.database.read() as session:
        row = session.get(Outbox, outbox_id)
        if row is None:
            raise Refuse(404)
        return render(request, "outbox_drop.html", row=row, text=_text(row))


@router.post("/desk/outbox/{outbox_id}/drop")
def drop(request: Request, house: House, signed: Actor, outbox_id: Id) -> Response:
    _ = speaker(request)
    return _back(request, _dropped(house, signed, outbox_id), _("The message is put aside and will not leave."))


def _dropped(house: DeskHouse, signed: SignedIn, outbox_id: int) -> bool:
    with house.database.write() as session:
        return drop_outbox(session, outbox_id, house.clock(), staff_id=signed.staff_id)


def _back(request: Request, done: bool, sentence: str) -> Response:
    if done:
        return redirect(request, "/desk/outbox", sentence)
    _ = speaker(request)
    return redirect(request, "/desk/outbox", _("Its state has changed meanwhile: nothing is done."), level="info")


def _text(row: Outbox) -> str:
    """What the message says; a reminder is only worded when it leaves."""
    html = row.body.get("html")
    return plain_text(html) if isinstance(html, str) else ""
