"""What is answered for everybody: proposed from an answered question, checked and published by officers.

Decides nothing: the rules are in `answering/faq.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import faq as rules
from answering.faq import Wished
from answering.personal_data import Trace
from answering.refusal import Refused
from desk import denied
from desk.acting import Worker, in_question
from desk.audit_words import ACTS
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, FormNumber, House, Id, Manager, Refuse, redirect, render, speaker
from desk.security import NotAllowed
from storage import faq
from storage.categories import active_categories
from storage.tables import Category, FaqEntry, FaqState, Question

router = APIRouter()
PAGE = "/desk/faq"
MOST_CONFIRMED = 200


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent. `category` empty: none."""

    question: str = ""
    answer: str = ""
    question_en: str = ""
    answer_en: str = ""
    category: str = ""
    confirmed: frozenset[str] = frozenset()
    version: int = 0

    def wished(self) -> Wished:
        number = self.category.strip()
        known = number.isascii() and number.isdigit() and len(number) < 10
        if number and not known:
            raise Refused(N_("This category is no longer in use. Choose another one."))
        category_id = min(int(number), BEYOND - 1) if known else None
        return Wished(self.question, self.answer, self.question_en, self.answer_en, category_id, self.confirmed)

    @classmethod
    def of(cls, it: Wished | FaqEntry) -> "Filled":
        version = it.version if isinstance(it, FaqEntry) else 0
        return cls(it.question, it.answer, it.question_en, it.answer_en, str(it.category_id or ""), version=version)


def _filled(
    *,
    question: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    question_en: Annotated[str, Form()] = "",
    answer_en: Annotated[str, Form()] = "",
    category: Annotated[str, Form()] = "",
    confirm: Annotated[list[str] | None, Form()] = None,
    version: FormNumber = 0,
) -> Filled:
    confirmed = frozenset((confirm or [])[:MOST_CONFIRMED])
    return Filled(question, answer, question_en, answer_en, category, confirmed, version)


Sent = Annotated[Filled, Depends(_filled)]
From = FormNumber


@router.get(PAGE)
def list_them(request: Request, house: House, signed: Worker, state: FaqState | None = None) -> Response:
    with house.database.read() as session:
        counts = faq.faq_counts(session)
        # What waits for a check comes first; with nothing to check, what everybody reads.
        first = FaqState.PROPOSED if counts[FaqState.PROPOSED] else FaqState.PUBLISHED
        wanted = state or first
        rows = faq.entries_in(session, wanted)
        return render(request, "faq.html", rows=rows, counts=counts, state=wanted, states=list(FaqState))


@router.get(f"{PAGE}/new")
def new(request: Request, house: House, signed: Worker, question: str = "") -> Response:
    """`question`: the number of an answered one, whose texts are the beginning."""
    question_id = _number(question)
    if question and question_id is None:
        raise Refuse(404)
    with house.database.read() as session:
        about = session.get(Question, question_id) if question_id is not None else None
        if question_id is not None and about is None:
            raise Refuse(404)
        if not (in_question(session, signed, about) if about is not None else signed).may_act:
            raise NotAllowed
        if question_id is None:
            return _form(request, session, None, Filled())
        filled = Filled.of(rules.begin_from(session, question_id))
        found = rules.found_in(session, filled.wished(), question_id)
        return _form(request, session, None, filled, question_id=question_id, found=found)


@router.post(PAGE)
def propose(request: Request, house: House, signed: Worker, filled: Sent, from_question: From = 0) -> Response:
    question_id = from_question if from_question > 0 else None
    try:
        with house.database.write() as session:
            entry = rules.propose(session, signed.staff_id, filled.wished(), question_id=question_id, now=house.clock())
            entry_id = entry.id
    except Refused as no:
        return _refused(request, house, None, filled, no, question_id)
    said = N_("Proposed. An officer reads it before everybody does.")
    return redirect(request, f"{PAGE}/{entry_id}", speaker(request)(said))


@router.get(f"{PAGE}/{{entry_id}}")
def one(request: Request, house: House, signed: Worker, entry_id: Id) -> Response:
    with house.database.read() as session:
        entry = _found(session, entry_id)
        filled = Filled.of(entry)
        found = rules.found_in(session, filled.wished(), entry.question_id)
        return _form(request, session, entry, filled, found=found)


@router.post(f"{PAGE}/{{entry_id}}")
def change(request: Request, house: House, signed: Manager, entry_id: Id, filled: Sent) -> Response:
    try:
        with house.database.write() as session:
            _found(session, entry_id)
            wished, now = filled.wished(), house.clock()
            rules.change_entry(session, entry_id, signed.staff_id, wished, version=filled.version, now=now)
    except Refused as no:
        return _refused(request, house, entry_id, filled, no)
    return redirect(request, f"{PAGE}/{entry_id}", speaker(request)(N_("The texts are saved.")))


@router.post(f"{PAGE}/{{entry_id}}/publish")
def publish(request: Request, house: House, signed: Manager, entry_id: Id, filled: Sent) -> Response:
    """As it stands in the boxes."""
    try:
        with house.database.write() as session:
            _found(session, entry_id)
            wished, now = filled.wished(), house.clock()
            rules.publish(session, entry_id, signed.staff_id, wished, version=filled.version, now=now)
    except Refused as no:
        return _refused(request, house, entry_id, filled, no)
    said = N_("Published: everybody reads it, and the bot offers it to whoever asks something like it.")
    return redirect(request, f"{PAGE}/{entry_id}", speaker(request)(said))


@router.post(f"{PAGE}/{{entry_id}}/withdraw")
def withdraw(request: Request, house: House, signed: Manager, entry_id: Id, version: FormNumber = 0) -> Response:
    try:
        with house.database.write() as session:
            _found(session, entry_id)
            rules.withdraw(session, entry_id, signed.staff_id, version=version, now=house.clock())
    except Refused as no:
        return _refused(request, house, entry_id, None, no)
    return redirect(request, f"{PAGE}/{entry_id}", speaker(request)(N_("Withdrawn: nobody reads it any more.")))


def _refused(
    request: Request,
    house: DeskHouse,
    entry_id: int | None,
    filled: Filled | None,
    no: Refused,
    question_id: int | None = None,
) -> Response:
    """The page as it is now, why not, and what was typed still there."""
    denied.refused(request, no)
    found = no.found if isinstance(no, rules.Traced) else ()
    problem = str(speaker(request)(no.sentence, **no.values))
    with house.database.read() as session:
        entry = session.get(FaqEntry, entry_id) if entry_id is not None else None
        shown = filled or (Filled.of(entry) if entry is not None else Filled())
        values: dict[str, Any] = {"found": found, "problem": problem, "theirs": _newer(entry, filled)}
        return _form(request, session, entry, shown, question_id=question_id, status=409, **values)


def _newer(entry: FaqEntry | None, filled: Filled | None) -> FaqEntry | None:
    """What a colleague has saved since this was shown, so that nobody writes over what they have not read."""
    return entry if entry is not None and filled is not None and entry.version != filled.version else None


def _form(
    request: Request,
    session: Session,
    entry: FaqEntry | None,
    filled: Filled,
    *,
    question_id: int | None = None,
    found: Sequence[Trace] = (),
    problem: str = "",
    theirs: FaqEntry | None = None,
    status: int = 200,
) -> Response:
    values: dict[str, Any] = {"acts": ACTS, "entry": entry, "filled": filled, "found": found, "problem": problem}
    values["theirs"] = theirs
    values["version"] = entry.version if entry is not None else 0
    values["history"] = faq.history_of(session, entry.id) if entry is not None else []
    values["categories"] = _choices(session, entry)
    values["from_question"] = question_id or (entry.question_id if entry is not None else None)
    return render(request, "faq_entry.html", status=status, **values)


def _choices(session: Session, entry: FaqEntry | None) -> list[Category]:
    """Those in use, and the one it has."""
    found = list(active_categories(session))
    own = session.get(Category, entry.category_id) if entry is not None and entry.category_id is not None else None
    return found if own is None or own in found else [own, *found]


def _found(session: Session, entry_id: int) -> FaqEntry:
    entry = session.get(FaqEntry, entry_id)
    if entry is None:
        raise Refuse(404)
    return entry


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
    return number if 0 < number < BEYOND else None
