"""A call written down at the desk for the person who was on the phone: a question, or an update. Phones nobody.

Each page has a key of its own: pressed twice, it makes one.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from answering.phoned import Call, write_down
from answering.refusal import Refused
from desk import denied
from desk.acting import Worker, in_question
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Actor, House, Id, Refuse, redirect, render, speaker
from desk.security import NotAllowed, SignedIn
from facts.languages import Language
from intake.forms.filling import Item
from intake.forms.nodes import QuestionType, say
from intake.forms.values import show, title_of
from intake.phoned import Asked, Told, about_project, keep_call, record_told, understand
from intake.post.block import written
from storage import calls
from storage.faq import first_words
from storage.local_roles import works_for, works_on_some_of
from storage.people import projects_of
from storage.questions import own_question
from storage.reports import deadline_of
from storage.tables import Project, Question, Referent

router = APIRouter()

Number = Annotated[int | None, Query(ge=1, lt=BEYOND)]
Text = Annotated[str, Form()]
QUESTION, UPDATE, MORE = "question", "update", "more"
LANGUAGE = Language.IT  # in which the fields are filled in: every language is read back
KEY_LETTERS = 32
MOST_THEIRS = 20  # of their questions, among which one is chosen
LONGEST = 20_000
TWICE = N_("This call is written down already.")
GONE = N_("This person is no longer a contact here. Write the call down for who took over.")
ELSEWHERE = N_("Their form asks for more than can be written down here: send them to their own page.")


@dataclass
class Note:
    """The three fields as they were typed. `project`: its number, "" for none; `question`: an earlier one of theirs."""

    what: str = QUESTION
    project: str = ""
    text: str = ""
    question: str = ""
    answered: bool = False
    reply: str = ""
    key: str = ""
    errors: dict[str, str] = field(default_factory=dict)


async def _sent(request: Request) -> FormData:
    return await request.form(max_fields=200)


Sent = Annotated[FormData, Depends(_sent)]


@router.get("/desk/referents/{referent_id}/phone")
def before(
    request: Request, house: House, signed: Worker, referent_id: Id, project: Number = None, question: Number = None
) -> Response:
    note = Note(MORE if question else QUESTION, str(project or ""), question=str(question or ""))
    with house.database.read() as session:
        if not may_write_down(session, signed, referent_id, question):
            raise NotAllowed
        person = _caller(session, referent_id)
        return _page(request, session, person, note)


@router.post("/desk/referents/{referent_id}/phone")
def write(  # noqa: PLR0917 - the fields of a form
    request: Request,
    house: House,
    signed: Worker,
    referent_id: Id,
    what: Text = QUESTION,
    project: Text = "",
    text: Text = "",
    question: Text = "",
    answered: Text = "",
    reply: Text = "",
    key: Text = "",
) -> Response:
    note = Note(what, project, text, question, bool(answered), reply, _key(key))
    _ = speaker(request)
    if note.what == UPDATE and not signed.may_act:
        raise NotAllowed
    with house.database.read() as session:
        person = _caller(session, referent_id)
        about = _project(session, person, project)
        if note.what == UPDATE:
            return _begin_update(request, house, session, person, note, about)
    if note.answered and not note.reply.strip():
        note.errors["reply"] = _("Write what you answered.")
    number = None if note.errors else _written(request, house, signed.staff_id, person, note, about)
    if number is None:
        with house.database.read() as session:
            return _page(request, session, _caller(session, referent_id), note, status=422)
    said = _("The call is written down as question no. {number}.", number=number)
    return redirect(request, f"/desk/questions/{number}", said)


@router.post("/desk/referents/{referent_id}/phone/update")
def write_update(request: Request, house: House, signed: Actor, referent_id: Id, sent: Sent) -> Response:
    """`step`: check (what was understood is shown), edit (back to the fields), send."""
    fields = {name: value[:LONGEST] for name, value in sent.items() if isinstance(value, str)}
    said = {name.removeprefix("a:"): value for name, value in fields.items() if name.startswith("a:")}
    key, step = _key(fields.get("key", "")), fields.get("step", "check")
    with house.database.read() as session:
        person = _caller(session, referent_id)
        project = _project(session, person, fields.get("project", ""))
        if project is None:
            raise Refuse(404)
        asked = about_project(session, house.catalogue, person.id, project, now=house.clock(), zone=house.zone)
        told = understand(asked, said)
        view = View(request, person, project, asked, key, said)
        if step == "edit":
            return view.form()
        if told.errors:
            return view.form(told, status=422)
        if step != "send":
            return view.confirm(told)
    return _send(view, house, signed.staff_id, told)


def _send(view: "View", house: DeskHouse, staff_id: int, told: Told) -> Response:
    now, _ = house.clock(), speaker(view.request)
    page = f"/desk/referents/{view.person.id}"
    with house.database.write() as session:
        said = {"referent_id": view.person.id, "project_id": view.project.id, "staff_id": staff_id, **view.said}
        inbox_id = keep_call(session, view.key, said, now)
        if inbox_id is None:
            return redirect(view.request, page, _(TWICE), level="info")
        update = record_told(session, view.asked, told, staff_id=staff_id, inbox_id=inbox_id, now=now, zone=house.zone)
        number, covered = update.id, update.obligation_id
        title = deadline_of(session, covered)[0] if covered is not None else ""
    done = (
        _("The update is written down, and “{title}” is settled.", title=title)
        if title
        else _("The update is written down. No deadline was waiting for it.")
    )
    return redirect(view.request, f"/desk/updates/{number}", done)


def may_write_down(session: Session, signed: SignedIn, referent_id: int, question_id: int | None = None) -> bool:
    """Whether a call of theirs, about this question or a new one, may be work of whoever is signed in."""
    question = session.get(Question, question_id) if question_id is not None else None
    if question is not None and question.referent_id == referent_id:
        return in_question(session, signed, question).may_act
    return may_ask(session, signed, referent_id) or bool(
        works_on_some_of(session, signed.staff_id, referent_id, most=1)
    )


def may_ask(session: Session, signed: SignedIn, referent_id: int) -> bool:
    """Whether a new question of theirs would be work of whoever is signed in."""
    return signed.may_act or works_for(session, signed.staff_id, referent_id)


def _written(
    request: Request, house: DeskHouse, staff_id: int, person: Referent, note: Note, about: Project | None
) -> int | None:
    call = Call(
        person.id,
        note.text,
        about.id if about else None,
        int(note.question) if note.what == MORE and _is_number(note.question) else None,
        note.reply if note.answered else "",
    )
    try:
        with house.database.write() as session:
            return write_down(session, call, staff_id, key=note.key, now=house.clock(), zone=house.zone)
    except Refused as refused:
        denied.refused(request, refused)
        note.errors["text"] = speaker(request)(refused.sentence, **refused.values)
        return None


def _begin_update(
    request: Request, house: DeskHouse, session: Session, person: Referent, note: Note, about: Project | None
) -> Response:
    """What was typed so far is the note of the update."""
    if about is None:
        _ = speaker(request)
        note.errors["project"] = _("Choose the project of which they told.")
        return _page(request, session, person, note, status=422)
    asked = about_project(session, house.catalogue, person.id, about, now=house.clock(), zone=house.zone)
    before = {one.key: _last_time(asked, one) for one in asked.items}
    texts = [one.key for one in asked.items if one.question.type is QuestionType.TEXT]
    said = {key: value for key, value in before.items() if key not in texts}
    if texts and note.text.strip():
        said[texts[-1]] = note.text.strip()
    return View(request, person, about, asked, note.key, said).form()


@dataclass(frozen=True)
class View:
    """The form of an update that is being written down, and the page that shows it."""

    request: Request
    person: Referent
    project: Project
    asked: Asked
    key: str
    said: Mapping[str, str]

    def form(self, told: Told | None = None, *, status: int = 200) -> Response:
        _ = speaker(self.request)
        errors = {key: sentence.say(_) for key, sentence in (told.errors if told else {}).items()}
        if "" in errors:
            errors[""] = _(ELSEWHERE)
        return self._render("phone_update.html", status, fields=self._fields(), errors=errors)

    def confirm(self, told: Told) -> Response:
        _ = speaker(self.request)
        form, language = told.filling.plan.form, _.language
        lines = [
            (
                title_of(form, one.question, language),
                show(form, one.question, told.filling.kept.get(one.key), language),
                show(form, one.question, self.asked.prior.answers.get(one.key), language),
                told.doubts[one.key].say(_) if one.key in told.doubts else "",
            )
            for one in self.asked.items
            if one.key in {item.key for item in told.filling.items}
        ]
        return self._render("phone_confirm.html", 200, lines=lines, again=self.asked.prior.at is not None)

    def _fields(self) -> Sequence[Mapping[str, Any]]:
        form, language = self.asked.in_use.form, speaker(self.request).language
        return [
            {
                "key": one.key,
                "label": say(one.question.label, language, form.languages) or one.key,
                "hint": say(one.question.hint, language, form.languages),
                "choices": [
                    (each.name, say(each.label, language, form.languages) or each.name)
                    for each in form.lists.get(one.question.choices, ())
                ],
                "long": one.question.type is QuestionType.TEXT,
                "value": self.said.get(one.key, ""),
            }
            for one in self.asked.items
        ]

    def _render(self, template: str, status: int, **values: Any) -> Response:
        about = {"person": self.person, "project": self.project, "key": self.key, "said": self.said}
        return render(self.request, template, status=status, **about, **values)


# --- what all of them need


def _last_time(asked: Asked, item: Item) -> str:
    """As it stands in a field: of a choice its name, else words that are read back as the same."""
    value = asked.prior.answers.get(item.key)
    return (
        str(value or "")
        if item.question.type is QuestionType.SELECT_ONE
        else written(asked.filling, item, value, LANGUAGE)
    )


def _caller(session: Session, referent_id: int) -> Referent:
    person = calls.caller(session, referent_id)
    if person is None:
        raise Refuse(404)
    if person.left_at is not None:
        raise Refuse(409, GONE)
    return person


def _project(session: Session, person: Referent, number: str) -> Project | None:
    """One of theirs; None for none. Raises Refuse for a foreign one."""
    if not number.strip():
        return None
    found = next((one for one in projects_of(session, person.id) if str(one.id) == number.strip()), None)
    if found is None:
        raise Refuse(404)
    return found


def _page(request: Request, session: Session, person: Referent, note: Note, *, status: int = 200) -> Response:
    _ = speaker(request)
    earlier = own_question(session, person.id, int(note.question)) if _is_number(note.question) else None
    if note.question and earlier is None:
        raise Refuse(404)
    projects = projects_of(session, person.id)
    if note.project:
        _project(session, person, note.project)
    choices = [("", _("None in particular")), *((one.id, one.title) for one in projects)]
    note.key = _key(note.key)
    signed: SignedIn = request.state.signed
    asks = may_ask(session, signed, person.id)
    theirs = () if asks or earlier else works_on_some_of(session, signed.staff_id, person.id, most=MOST_THEIRS)
    return render(
        request,
        "phone.html",
        status=status,
        person=person,
        note=note,
        choices=choices,
        earlier=earlier,
        asks=asks,
        theirs=[(one.id, first_words(session, one.id)[0]) for one in theirs],
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _key(text: str) -> str:
    """The page's own key; a new one in place of nonsense."""
    fits = len(text) == KEY_LETTERS and all(letter in "0123456789abcdef" for letter in text)
    return text if fits else secrets.token_hex(KEY_LETTERS // 2)
