"""The answers that staff keep at hand: the list for whoever answers, and its arranging. Decides nothing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import saved as rules
from answering.placeholders import shown
from answering.refusal import Refused
from answering.saved import Wished
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Actor, FormNumber, House, Id, Manager, Refuse, redirect, render, speaker
from storage.categories import active_categories
from storage.saved_answers import all_saved
from storage.tables import Category, SavedAnswer

router = APIRouter()
PAGE = "/desk/saved-answers"


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent; `category` empty: for every question."""

    title: str = ""
    text: str = ""
    text_en: str = ""
    category: str = ""
    version: int = 0

    def wished(self) -> Wished:
        number = self.category.strip()
        known = number.isascii() and number.isdigit() and len(number) < 10
        category_id = min(int(number), BEYOND - 1) if known else None
        if number and category_id is None:
            raise Refused(N_("This category is no longer in use. Choose another one."))
        return Wished(self.title, self.text, self.text_en, category_id)

    @classmethod
    def of(cls, saved: SavedAnswer) -> "Filled":
        return cls(saved.title, saved.text, saved.text_en, str(saved.category_id or ""), saved.version)


def _filled(
    title: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    text_en: Annotated[str, Form()] = "",
    category: Annotated[str, Form()] = "",
    version: FormNumber = 0,
) -> Filled:
    return Filled(title, text, text_en, category, version)


Sent = Annotated[Filled, Depends(_filled)]


@router.get(PAGE)
def list_them(request: Request, house: House, signed: Actor) -> Response:
    with house.database.read() as session:
        return render(request, "saved_answers.html", rows=all_saved(session))


@router.get(f"{PAGE}/new")
def new(request: Request, house: House, signed: Manager) -> Response:
    return _form(request, house, None, Filled())


@router.post(PAGE)
def add(request: Request, house: House, signed: Manager, filled: Sent) -> Response:
    try:
        with house.database.write() as session:
            rules.add_saved(session, signed.staff_id, filled.wished(), now=house.clock())
    except Refused as no:
        return _form(request, house, None, filled, _said(request, no))
    return redirect(
        request, PAGE, speaker(request)(N_("The answer is saved. You find it beside the box of every answer."))
    )


@router.get(f"{PAGE}/{{saved_id}}")
def one(request: Request, house: House, signed: Actor, saved_id: Id) -> Response:
    with house.database.read() as session:
        saved = _found(session, saved_id)
        filled = Filled.of(saved)
    return _form(request, house, saved_id, filled)


@router.post(f"{PAGE}/{{saved_id}}")
def change(request: Request, house: House, signed: Manager, saved_id: Id, filled: Sent) -> Response:
    try:
        with house.database.write() as session:
            _found(session, saved_id)
            wished, now = filled.wished(), house.clock()
            rules.change_saved(session, saved_id, signed.staff_id, wished, version=filled.version, now=now)
    except Refused as no:
        return _form(request, house, saved_id, filled, _said(request, no))
    return redirect(request, PAGE, speaker(request)(N_("The saved answer is changed.")))


@router.post(f"{PAGE}/{{saved_id}}/retire")
def retire(request: Request, house: House, signed: Manager, saved_id: Id) -> Response:
    said = N_("The answer is retired: it is offered no more. You can bring it back from the end of the list.")
    return _set(request, house, saved_id, signed.staff_id, said, active=False)


@router.post(f"{PAGE}/{{saved_id}}/use")
def use_again(request: Request, house: House, signed: Manager, saved_id: Id) -> Response:
    return _set(request, house, saved_id, signed.staff_id, N_("The answer is in use again."), active=True)


def _set(request: Request, house: DeskHouse, saved_id: int, staff_id: int, said: str, *, active: bool) -> Response:
    with house.database.write() as session:
        _found(session, saved_id)
        rules.set_at_hand(session, saved_id, staff_id, active=active, now=house.clock())
    return redirect(request, PAGE, speaker(request)(said))


def _form(request: Request, house: DeskHouse, saved_id: int | None, filled: Filled, problem: str = "") -> Response:
    with house.database.read() as session:
        saved = _found(session, saved_id) if saved_id is not None else None
        return render(
            request,
            "saved_answer.html",
            status=422 if problem else 200,
            saved=saved,
            filled=filled,
            problem=problem,
            theirs=saved if saved is not None and problem and saved.version != filled.version else None,
            known=shown(speaker(request).language),
            categories=_choices(session, saved),
        )


def _choices(session: Session, saved: SavedAnswer | None) -> list[Category]:
    """Those in use, and the one it has."""
    found = list(active_categories(session))
    own = session.get(Category, saved.category_id) if saved is not None and saved.category_id is not None else None
    return found if own is None or own in found else [own, *found]


def _found(session: Session, saved_id: int) -> SavedAnswer:
    saved = session.get(SavedAnswer, saved_id)
    if saved is None:
        raise Refuse(404)
    return saved


def _said(request: Request, no: Refused) -> str:
    return str(speaker(request)(no.sentence, **no.values))
