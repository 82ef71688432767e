"""Many questions of the list at once: what was chosen is done, what became of it is said, and it can be undone.

The rules are in `answering/bulk.py`. Works without JavaScript: the list is a form.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import bulk as rules
from answering.bulk import NEEDS_A_THING, Act, Wanted, Who
from answering.joining import Seen
from answering.refusal import Refused
from desk import denied, narrowing
from desk.acting import Worker
from desk.pages import BEYOND, N_, House, Id, Refuse, redirect, render, speaker
from storage import threads
from storage.tables import BulkAct

router = APIRouter()

WHAT = {
    Act.TAKE: N_("Taken"),
    Act.ASSIGN: N_("Assigned"),
    Act.TAG: N_("Tag put on"),
    Act.UNTAG: N_("Tag taken off"),
    Act.CATEGORY: N_("Category changed"),
    Act.URGENT: N_("Marked as urgent"),
    Act.NOT_URGENT: N_("No longer urgent"),
    Act.CLOSE: N_("Closed"),
}


@router.post("/desk/bulk")
def do(
    request: Request,
    house: House,
    signed: Worker,
    *,
    pick: Annotated[list[str] | None, Form()] = None,
    act: Annotated[str, Form()] = "",
    query: Annotated[str, Form()] = "",
    sure: Annotated[str, Form()] = "",
) -> Response:
    """`pick`: number and version of each; `act`: what, and to whom or which (`assign:3`). Closing asks first."""
    wanted, many = _wanted(act), _seen(pick or ())
    if wanted.act is Act.CLOSE and not sure and many:
        with house.database.read() as session:
            unanswered = [one.id for one in many if _waits(session, one.id)]
            back = narrowing.list_of(narrowing.read(query))
            return render(request, "bulk_close.html", pick=pick, many=many, unanswered=unanswered, query=back)
    with house.database.write() as session:
        done = rules.do(session, many, wanted, Who(signed.staff_id, house.clock(), house.zone))
        number, not_theirs = done.id, done.before["denied"]
    for one in not_theirs:
        denied.note(request, denied.RIGHTS, ("question", one))
    return redirect(request, f"/desk/bulk/{number}?{narrowing.list_of(narrowing.read(query))}")


@router.get("/desk/bulk/{bulk_id}")
def became(request: Request, house: House, signed: Worker, bulk_id: Id) -> Response:
    with house.database.read() as session:
        act = _own(session, bulk_id, signed.staff_id)
        _ = speaker(request)
        return render(
            request,
            "bulk.html",
            act=act,
            what=WHAT[Act(act.action)],
            done=sorted(int(number) for number in act.before["done"]),
            same=act.before["same"],
            refused=[(number, _(said, **values)) for number, (said, values) in act.before["refused"].items()],
            may_undo=rules.may_undo(act, house.clock()),
            query=narrowing.list_of(request.query_params),
        )


@router.post("/desk/bulk/{bulk_id}/undo")
def undo(request: Request, house: House, signed: Worker, bulk_id: Id, query: Annotated[str, Form()] = "") -> Response:
    with house.database.write() as session:
        _own(session, bulk_id, signed.staff_id)
        stayed = rules.undo(session, bulk_id, signed.staff_id, now=house.clock())
    _ = speaker(request)
    back = f"/desk/questions?{narrowing.list_of(narrowing.read(query))}"
    if not stayed:
        return redirect(request, back, _("Undone: everything is as it was."))
    numbers = ", ".join(str(one) for one in stayed[:20])
    said = _("Undone, except for what moved on in the meantime: no. {numbers}.", numbers=numbers)
    return redirect(request, back, said, level="warning")


def _wanted(text: str) -> Wanted:
    name, _, thing = text.partition(":")
    number = int(thing) if thing.isascii() and thing.isdecimal() and len(thing) < 10 else 0
    if name not in set(Act) or (Act(name) in NEEDS_A_THING and not thing):
        raise Refused(N_("Choose what is to be done."))
    return Wanted(Act(name), min(number, BEYOND - 1))


def _seen(pick: Sequence[str]) -> list[Seen]:
    """Each once; what is no number of ours is left out."""
    found = {}
    for one in pick:
        number, _, version = one.partition(".")
        if all(part.isascii() and part.isdecimal() and 0 < len(part) < 10 for part in (number, version)):
            found[int(number)] = Seen(int(number), int(version))
    return list(found.values())


def _waits(session: Session, question_id: int) -> bool:
    head = threads.question_head(session, question_id)
    return head is not None and threads.awaits_reply(session, question_id)


def _own(session: Session, bulk_id: int, staff_id: int) -> BulkAct:
    act = rules.own(session, bulk_id, staff_id)
    if act is None:
        raise Refuse(404)
    return act
