"""Mail that waits for somebody to say whose it is, and any mail as it came. The rules are not here.

Raw mail is only ever handed out to be saved: inside our pages it would run as ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import letters as answers
from answering.refusal import Refused
from delivery.words import plain_text
from desk import denied
from desk.house import DeskHouse
from desk.pages import N_, House, Id, Manager, Page, Refuse, redirect, render, saved_mail, speaker
from desk.person_form import Person, form_values, look_over
from desk.security import SignedIn
from facts.mail_addresses import is_free_mail
from intake.post.house import PostHouse
from registry.admission import Admission, Overtaken
from registry.letters import NoSuchLetter, Sorting, admit
from registry.report import RegistryRefused
from storage import audit, letters
from storage.access import similar_referents
from storage.desk_people import referents_page
from storage.inbox import inbox_row
from storage.tables import (
    AccessRequest,
    Channel,
    Letter,
    LetterState,
    Organization,
    Outbox,
    Question,
    Referent,
    Staff,
)

router = APIRouter()

DECIDED = (LetterState.ADMITTED, LetterState.ANSWERED, LetterState.DISCARDED)
NEW = "new"  # the person is nobody we know
MOST_FOUND = 10


@dataclass(frozen=True, slots=True)
class Likely:
    """Somebody known who may have written, and why we think so: sentences."""

    id: int
    name: str
    organizations: Sequence[str] = ()
    why: Sequence[str] = ()


@router.get("/desk/letters")
def held(request: Request, house: House, signed: Manager, pages: Page, decided: bool = False) -> Response:
    states = DECIDED if decided else (LetterState.HELD,)
    with house.database.read() as session:
        lines, total = letters.letters_in(session, states, limit=pages.size, offset=pages.offset)
        waiting = letters.held_count(session)
        return render(
            request, "letters.html", lines=lines, waiting=waiting, decided=decided, pages=pages.counted(total)
        )


@router.get("/desk/letters/{letter_id}")
def one(request: Request, house: House, signed: Manager, letter_id: Id, q: str = "") -> Response:
    with house.database.read() as session:
        letter = _letter(session, letter_id)
        organization = _organization(session, letter)
        person = Person(letter.sender_name[:120], "", "" if organization is None else organization.name)
        return _page(request, session, house, letter, person, q=q, keep=organization is None)


@router.post("/desk/letters/{letter_id}/approve")
def let_in(
    request: Request,
    house: House,
    signed: Manager,
    letter_id: Id,
    *,
    who: Annotated[str, Form()] = NEW,
    keep: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    organization: Annotated[str, Form()] = "",
    new_actor: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    which: Annotated[str, Form()] = "all",
    cup: Annotated[list[str] | None, Form()] = None,
    q: Annotated[str, Form()] = "",
    step: Annotated[str, Form()] = "save",
) -> Response:
    person = Person(name, email, organization, role, which == "chosen", cup or (), bool(new_actor))
    _ = speaker(request)
    problem, status = "", 422
    if who != NEW or look_over(person, _, ("name", "organization"), saving=step == "save"):
        try:
            question_id = _admit(house, signed, letter_id, person, who, keep=bool(keep))
            return redirect(request, f"/desk/questions/{question_id}", _("The e-mail is a question now."))
        except Overtaken as overtaken:
            problem, status = overtaken.say(_), 409
        except RegistryRefused as refused:
            _blame(person, refused, refused.say(_))
    with house.database.read() as session:
        letter = _letter(session, letter_id)
        status = status if person.errors or problem else 200
        return _page(
            request, session, house, letter, person, q=q, keep=bool(keep), who=who, status=status, problem=problem
        )


@router.post("/desk/letters/{letter_id}/answer")
def answer(
    request: Request, house: House, signed: Manager, letter_id: Id, text: Annotated[str, Form()] = ""
) -> Response:
    _ = speaker(request)
    try:
        with house.database.write() as session:
            _letter(session, letter_id)
            answers.answer_letter(session, letter_id, signed.staff_id, text, now=house.clock())
    except Refused as refused:
        denied.refused(request, refused)
        with house.database.read() as session:
            letter = _letter(session, letter_id)
            person = Person(letter.sender_name[:120])
            problem = _(refused.sentence, **refused.values)
            return _page(request, session, house, letter, person, status=409, problem=problem, text=text)
    return redirect(request, "/desk/letters", _("The answer is on its way by e-mail."))


@router.get("/desk/letters/{letter_id}/discard")
def before_discarding(request: Request, house: House, signed: Manager, letter_id: Id) -> Response:
    with house.database.read() as session:
        letter = _letter(session, letter_id)
        if letter.state is not LetterState.HELD:
            return redirect(request, f"/desk/letters/{letter_id}")
        return render(request, "letter_discard.html", letter=letter)


@router.post("/desk/letters/{letter_id}/discard")
def discard(request: Request, house: House, signed: Manager, letter_id: Id) -> Response:
    with house.database.write() as session:
        _letter(session, letter_id)
        answers.discard(session, letter_id, signed.staff_id, now=house.clock())
    return redirect(request, "/desk/letters", speaker(request)(N_("It is discarded, and stays stored.")))


@router.post("/desk/letters/{letter_id}/take-back")
def take_back(request: Request, house: House, signed: Manager, letter_id: Id) -> Response:
    with house.database.write() as session:
        _letter(session, letter_id)
        answers.take_back(session, letter_id, signed.staff_id, now=house.clock())
    return redirect(request, f"/desk/letters/{letter_id}", speaker(request)(N_("It waits again.")))


@router.get("/desk/letters/{letter_id}/raw")
def raw(house: House, signed: Manager, letter_id: Id) -> Response:
    """As it came, to be saved: the keys that a reply repeats stand in it as well, so not for everybody who reads."""
    with house.database.write() as session:
        letter = letters.one_letter(session, letter_id)
        row = None if letter is None else inbox_row(session, letter.inbox_id)
        if letter is None or row is None:
            raise Refuse(404)
        audit.record(session, house.clock(), ("staff", signed.staff_id), "letter.raw", ("letter", letter_id))
        content = row.payload
    return saved_mail(letter_id, content)


def _letter(session: Session, letter_id: int) -> Letter:
    """One that waits or was decided about. What went its way by itself is in its thread."""
    letter = letters.one_letter(session, letter_id)
    if letter is None or (letter.state is not LetterState.HELD and letter.state not in DECIDED):
        raise Refuse(404)
    return letter


def _admit(house: DeskHouse, signed: SignedIn, letter_id: int, person: Person, who: str, *, keep: bool) -> int:
    admission = Admission(
        name=person.name,
        organization=person.organization,
        role=person.role,
        cups=person.followed,
        new_actor=person.new_actor,
    )
    if who != NEW:
        admission = replace(admission, referent_id=int(who) if who.isdecimal() and len(who) < 10 else 0)
    sorting = Sorting(PostHouse(links=house.links, zone=house.zone), signed.staff_id, house.clock())
    with house.database.write() as session:
        _letter(session, letter_id)
        try:
            message = admit(session, letter_id, admission, sorting, email=person.email, keep=keep)
        except NoSuchLetter as error:
            raise Refuse(404) from error
        return message.question_id


def _blame(person: Person, refused: RegistryRefused, sentence: str) -> None:
    """Beside its field when the form has that field, else above the choice of the person."""
    field = getattr(refused, "field", "who")
    person.errors[field if field in ("name", "email", "organization", "role", "cups") else "who"] = sentence


def _organization(session: Session, letter: Letter) -> Organization | None:
    """The one whose certified address it came from."""
    found = letter.about.get("organization")
    return session.get(Organization, found) if isinstance(found, int) else None


def _likely(session: Session, house: DeskHouse, letter: Letter, q: str, say: Any) -> list[Likely]:
    """Whose thread it names, who has the same name, who works there; and whom one searched for."""
    found: dict[int, Likely] = {}
    thread = letter.about.get("thread")
    question = session.get(Question, thread) if isinstance(thread, int) else None
    owner = None if question is None or question.referent_id is None else session.get(Referent, question.referent_id)
    if owner is not None and question is not None:
        why = say(N_("question no. {number} is theirs"), number=question.id)
        found[owner.id] = Likely(owner.id, owner.name, (), (why,))
    for one in _similar(session, house, letter):
        why_not = (N_("same name") if one.same_name else "", N_("same organisation") if one.same_organization else "")
        why_too = [str(say(part)) for part in why_not if part]
        found.setdefault(one.referent.id, Likely(one.referent.id, one.referent.name, one.organizations, why_too))
    if q.strip():
        for line in referents_page(session, house.clock(), q, limit=MOST_FOUND)[0]:
            found.setdefault(line.id, Likely(line.id, line.name, line.organizations))
    return list(found.values())


def _similar(session: Session, house: DeskHouse, letter: Letter) -> Sequence[Any]:
    """As for a request for access, which this nearly is."""
    now = house.clock()
    request = AccessRequest(
        chat="",
        name=letter.sender_name,
        email=letter.sender,
        organization_id=letter.about.get("organization"),
        created_at=now,
        touched_at=now,
    )
    return similar_referents(session, request)


def _page(
    request: Request,
    session: Session,
    house: DeskHouse,
    letter: Letter,
    person: Person,
    *,
    q: str = "",
    keep: bool = True,
    who: str = "",
    status: int = 200,
    problem: str = "",
    text: str = "",
) -> Response:
    likely = _likely(session, house, letter, q, speaker(request))
    values: Mapping[str, Any] = form_values(session, person, house.clock())
    sent = None if letter.outbox_id is None else session.get(Outbox, letter.outbox_id)
    return render(
        request,
        "letter.html",
        status=status,
        letter=letter,
        files=letters.files_of(session, letter.id),
        likely=likely,
        who=who or NEW,
        keep=keep,
        q=q,
        problem=problem,
        text=text,
        certified=letter.channel is Channel.PEC,
        private=is_free_mail(letter.sender),
        organization=_organization(session, letter),
        referent=None if letter.referent_id is None else session.get(Referent, letter.referent_id),
        decided_by=None if letter.decided_by is None else session.get(Staff, letter.decided_by),
        answered=plain_text(str(sent.body.get("html", ""))) if sent is not None else "",
        **values,
    )
