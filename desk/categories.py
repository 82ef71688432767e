"""What questions are about: the list of categories for who arranges it, and the one of a question. Decides nothing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import categories as rules
from answering.categories import Wished
from answering.refusal import Refused
from desk.acting import ActorHere
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, House, Id, Manager, Refuse, redirect, render, speaker
from desk.question_page import back, refused
from intake.questions import HOURS_TO_ANSWER
from storage.categories import all_categories
from storage.tables import Category

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent; `hours` may be no number."""

    name: str = ""
    name_en: str = ""
    hours: str = str(HOURS_TO_ANSWER)
    free: bool = False

    def wished(self) -> Wished:
        hours = self.hours.strip()
        number = int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 6 else 0
        return Wished(self.name, self.name_en, number, self.free)

    @classmethod
    def of(cls, category: Category) -> "Filled":
        return cls(category.name, category.name_en, str(category.hours), category.free)


Text = Annotated[str, Form()]


@router.get("/desk/categories")
def list_them(request: Request, house: House, signed: Manager) -> Response:
    return _list(request, house, Filled())


@router.post("/desk/categories")
def add(
    request: Request,
    house: House,
    signed: Manager,
    *,
    name: Text = "",
    name_en: Text = "",
    hours: Text = "",
    free: Text = "",
) -> Response:
    filled = Filled(name, name_en, hours, bool(free))
    try:
        with house.database.write() as session:
            rules.add_category(session, signed.staff_id, filled.wished(), now=house.clock())
    except Refused as no:
        return _list(request, house, filled, _said(request, no))
    return redirect(request, "/desk/categories", speaker(request)(N_("The category is saved.")))


@router.get("/desk/categories/{category_id}")
def one(request: Request, house: House, signed: Manager, category_id: Id) -> Response:
    with house.database.read() as session:
        category = _found(session, category_id)
        return render(request, "category.html", category=category, filled=Filled.of(category), problem="")


@router.post("/desk/categories/{category_id}")
def change(
    request: Request,
    house: House,
    signed: Manager,
    category_id: Id,
    *,
    name: Text = "",
    name_en: Text = "",
    hours: Text = "",
    free: Text = "",
) -> Response:
    filled = Filled(name, name_en, hours, bool(free))
    try:
        with house.database.write() as session:
            _found(session, category_id)
            rules.change_category(session, category_id, signed.staff_id, filled.wished(), now=house.clock())
    except Refused as no:
        with house.database.read() as session:
            category, problem = _found(session, category_id), _said(request, no)
            return render(request, "category.html", status=422, category=category, filled=filled, problem=problem)
    return redirect(request, "/desk/categories", speaker(request)(N_("The category is saved.")))


@router.post("/desk/categories/{category_id}/retire")
def retire(request: Request, house: House, signed: Manager, category_id: Id) -> Response:
    return _set(request, house, category_id, signed.staff_id, active=False)


@router.post("/desk/categories/{category_id}/use")
def use_again(request: Request, house: House, signed: Manager, category_id: Id) -> Response:
    return _set(request, house, category_id, signed.staff_id, active=True)


@router.post("/desk/questions/{question_id}/category")
def categorise(
    request: Request, house: House, signed: ActorHere, question_id: Id, category: Annotated[str, Form()] = ""
) -> Response:
    """Empty: about nothing in particular."""
    number = int(category) if category.isascii() and category.isdigit() and len(category) < 10 else None
    try:
        with house.database.write() as session:
            wanted = min(number, BEYOND - 1) if number is not None else None
            rules.categorise(session, question_id, signed.staff_id, wanted, now=house.clock(), zone=house.zone)
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id)


def _set(request: Request, house: DeskHouse, category_id: int, staff_id: int, *, active: bool) -> Response:
    with house.database.write() as session:
        _found(session, category_id)
        rules.set_in_use(session, category_id, staff_id, active=active, now=house.clock())
    return redirect(request, "/desk/categories")


def _list(request: Request, house: DeskHouse, filled: Filled, problem: str = "") -> Response:
    with house.database.read() as session:
        rows = all_categories(session)
        status = 422 if problem else 200
        return render(request, "categories.html", status=status, rows=rows, filled=filled, problem=problem)


def _found(session: Session, category_id: int) -> Category:
    category = session.get(Category, category_id)
    if category is None:
        raise Refuse(404)
    return category


def _said(request: Request, no: Refused) -> str:
    return str(speaker(request)(no.sentence, **no.values))
