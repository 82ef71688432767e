"""A colleague has lost phone and recovery codes: an administrator resets their second factor. Sets none, for nobody."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk import second_factor
from desk.office import ONESELF
from desk.pages import N_, Admin, House, Id, Refuse, redirect, render, speaker
from storage.tables import Staff

router = APIRouter()

NONE = N_("This account has no second factor.")


@router.get("/desk/office/staff/{staff_id}/factor")
def before_resetting(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    with house.database.read() as session:
        return render(request, "office_factor.html", person=_colleague(session.get(Staff, staff_id), signed.staff_id))


@router.post("/desk/office/staff/{staff_id}/factor")
def reset(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    with house.database.write() as session:
        person = _colleague(session.get(Staff, staff_id), signed.staff_id)
        if not second_factor.reset_factor(session, person, house.clock(), by=signed.staff_id):
            raise Refuse(409, NONE)
    _ = speaker(request)
    return redirect(request, "/desk/office", _("The second factor of {name} is reset.", name=person.name))


def _colleague(found: Staff | None, own_id: int) -> Staff:
    if found is None:
        raise Refuse(404)
    if found.id == own_id:  # one's own is taken away with a code: a browser left open must not be enough
        raise Refuse(409, ONESELF)
    if not second_factor.counts(found):
        raise Refuse(409, NONE)
    return found
