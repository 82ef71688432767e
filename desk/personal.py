"""A referent's own page, opened by the key in its address: no account. Shows nothing of others, nor notes of staff.

Looking consumes nothing: mail programs open links too. Whatever is not theirs answers 404, as if it were not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from answering.circular_words import told as circulars_told
from desk.attachments import file_response
from desk.fill_views import form_title
from desk.house import DeskHouse
from desk.offering import NOTHING_SEEN, Before, Opinion, Said, before_sending
from desk.pages import N_, House, Id, Refuse, redirect, render, speaker
from desk.projects import PHASE_NAMES
from facts.calendar import local_date
from facts.languages import Language, Speaker
from intake.files import PAGE_LIMIT, FileRefused, StoredFile, add_file, store_file
from intake.forms.nodes import About, say
from intake.questions import add_message, ask, settle
from storage.begun import Begun, begun_by, sent_by, titles
from storage.corrections import of_files, of_thread
from storage.delegations import lent_projects
from storage.desk import own_file, titles_of
from storage.desk_people import note_use
from storage.faq import count_opinion
from storage.forms import forms_in_use
from storage.obligations import Owed, owed_by
from storage.people import organizations_of, own_project, projects_of, reachable_addresses, referent_with_link
from storage.projects import last_updates
from storage.questions import own_question, question_lines, thread
from storage.tables import Channel, Message, Project, Question, QuestionState, Referent, Update
from storage.threads import thread_files

router = APIRouter()

AHEAD = timedelta(days=60)
MOST_LETTERS = 8_000
MOST_QUESTIONS = 50
MOST_SENT = 10

STATES: Mapping[QuestionState, str] = {
    QuestionState.NEW: N_("Question received"),
    QuestionState.TAKEN: N_("We are working on it"),
    QuestionState.PROPOSED: N_("We are working on it"),
    QuestionState.ANSWERED: N_("Answer arrived"),
    QuestionState.CLOSED: N_("Closed"),
}

Upload = Annotated[UploadFile | None, File()]


@dataclass
class Letter:
    """What somebody is writing, perhaps about a project, perhaps with a file, and what is wrong with it.

    `about`: "update" asks how the project is going instead of what they would like to know. Both make a question.
    """

    text: str = ""
    project: str = ""
    file: UploadFile | None = None
    about: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    said: Opinion = NOTHING_SEEN

    @property
    def has_file(self) -> bool:
        """Browsers send an empty, nameless file when none was chosen."""
        return self.file is not None and bool(self.file.filename)

    def check(self, _: Speaker) -> bool:
        if not self.text.strip() and not self.has_file:
            self.errors["text"] = _("Write something, or choose a file.")
        if len(self.text) > MOST_LETTERS:
            self.errors["text"] = _("This is too long: keep it within {n} characters.", n=MOST_LETTERS)
        return not self.errors


@router.get("/r/{token}")
def page(request: Request, house: House, token: str) -> Response:
    now = house.clock()
    today = local_date(now, house.zone)
    with house.database.read() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        projects = projects_of(session, me.id)
        due, later = _owed(session, me, today)
        questions = question_lines(session, me.id, limit=MOST_QUESTIONS)
        return render(
            request,
            "personal.html",
            token=token,
            me=me,
            projects=projects,
            lent=lent_projects(session, me.id),
            reported=last_updates(session, [project.id for project in projects]),
            due=due,
            later=later,
            today=today,
            questions=questions,
            titles=titles_of(session, [line.project_id for line in questions if line.project_id]),
            states=STATES,
            circulars=circulars_told(session, me),
            phases=PHASE_NAMES,
            chat=_chat(session, house, me),
            begun=_begun(session, house, me),
            sent=_sent(session, house, me),
            forms=_forms(session, house, me, projects),
        )


@router.get("/r/{token}/ask")
def before_asking(request: Request, house: House, token: str, project: str = "", about: str = "") -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        letter = Letter(project=project, about=about)
        return _ask_page(request, session, me, token, letter) if me else closed(request)


@router.post("/r/{token}/ask")
def ask_it(
    request: Request,
    house: House,
    token: str,
    *,
    text: Annotated[str, Form()] = "",
    project: Annotated[str, Form()] = "",
    about: Annotated[str, Form()] = "",
    file: Upload = None,
    said: Said,
) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    if me is None:
        return closed(request)
    _ = speaker(request)
    letter = Letter(text, project, file, about, said=said)
    asks = letter.check(_) and bool(said.helped or not (letter.has_file or about == "update"))
    before = before_sending(house, Language(me.language), text, said) if asks else None
    number = _ask(house, me, token, letter, _) if before is None and not letter.errors else None
    if number is None:
        with house.database.read() as session:
            return _ask_page(request, session, me, token, letter, before)
    return redirect(
        request, f"/r/{token}/questions/{number}", _("Your question has number {number}. Thank you.", number=number)
    )


def _ask(house: DeskHouse, me: Referent, token: str, letter: Letter, _: Speaker) -> int | None:
    """The question's number; None when the file is refused, and then nothing is kept."""
    now = house.clock()
    with house.database.read() as session:
        project_id = _chosen_project(session, me, letter)  # before a byte of the file is kept
    stored = _store(house, letter, _)
    if letter.errors:
        return None
    with house.database.write() as session:
        question = ask(
            session,
            referent_id=me.id,
            text=_words(letter, _),
            channel=Channel.WEB,
            now=now,
            zone=house.zone,
            project_id=project_id,
        )
        first = thread(session, question.id)[0]
        _attach(session, stored, me, first, now)
        count_opinion(session, letter.said.seen, helped=False)
        note_use(session, token, now)
        return question.id


@router.get("/r/{token}/questions/{question_id}")
def question(request: Request, house: House, token: str, question_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        return _question_page(request, session, me, token, question_id) if me else closed(request)


@router.post("/r/{token}/questions/{question_id}")
def add(
    request: Request,
    house: House,
    token: str,
    question_id: Id,
    text: Annotated[str, Form()] = "",
    file: Upload = None,
) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
    if me is None:
        return closed(request)
    _ = speaker(request)
    letter = Letter(text, "", file)
    if not (letter.check(_) and _add(house, me, token, letter, question_id, _)):
        with house.database.read() as session:
            return _question_page(request, session, me, token, question_id, letter)
    return redirect(request, f"/r/{token}/questions/{question_id}", _("We have your message. Thank you."))


def _add(house: DeskHouse, me: Referent, token: str, letter: Letter, question_id: int, _: Speaker) -> bool:
    now = house.clock()
    with house.database.read() as session:
        _theirs(session, me, question_id)  # before a byte of the file is kept
    stored = _store(house, letter, _)
    if letter.errors:
        return False
    with house.database.write() as session:
        message = add_message(
            session,
            _theirs(session, me, question_id),
            referent_id=me.id,
            text=_words(letter, _),
            channel=Channel.WEB,
            now=now,
            zone=house.zone,
        )
        _attach(session, stored, me, message, now)
        note_use(session, token, now)
    return True


@router.post("/r/{token}/questions/{question_id}/solved")
def say_solved(
    request: Request, house: House, token: str, question_id: Id, solved: Annotated[str, Form()] = ""
) -> Response:
    now = house.clock()
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        if settle(session, question_id, me.id, solved=solved == "yes", now=now, zone=house.zone) is None:
            raise Refuse(404)
        note_use(session, token, now)
    _ = speaker(request)
    said = _("Good! The question is closed.") if solved == "yes" else _("We go on with it. Tell us what is missing.")
    return redirect(request, f"/r/{token}/questions/{question_id}", said)


@router.get("/r/{token}/files/{attachment_id}")
def own_attachment(request: Request, house: House, token: str, attachment_id: Id) -> Response:
    with house.database.read() as session:
        me = enter(request, session, token, house.clock())
        if me is None:
            return closed(request)
        found = own_file(session, me.id, attachment_id)
        if found is None:
            raise Refuse(404)
        return file_response(house, found)


# --- who, and what is theirs


def enter(request: Request, session: Session, token: str, now: datetime) -> Referent | None:
    """Whose key this is. From here on the page speaks their language."""
    me = referent_with_link(session, token, now)
    if me is not None:
        request.state.language = Language(me.language)
        request.state.referent_id = me.id
    return me


def closed(request: Request) -> Response:
    return render(request, "personal_closed.html", status=404)


def _theirs(session: Session, me: Referent, question_id: int) -> Question:
    found = own_question(session, me.id, question_id)
    if found is None:
        raise Refuse(404)
    return found


def _chosen_project(session: Session, me: Referent, letter: Letter) -> int | None:
    if not letter.project:
        return None
    known = letter.project.isascii() and letter.project.isdecimal() and len(letter.project) < 10
    found = own_project(session, me.id, int(letter.project)) if known else None
    if found is None:
        raise Refuse(404)
    return found.id


def _owed(session: Session, me: Referent, today: date) -> tuple[list[Owed], list[Owed]]:
    """What can be sent now, and what comes later."""
    everything = owed_by(session, me.id, today + AHEAD)
    due = [it for it in everything if it.obligation.opens_on <= today]
    return due, [it for it in everything if it.obligation.opens_on > today]


def _begun(session: Session, house: DeskHouse, me: Referent) -> list[tuple[Begun, str]]:
    """What they have begun, with the title of its form."""
    rows = begun_by(session, me.id)
    return [(one, form_title(session, house, one.form, Language(me.language))) for one in rows]


def _sent(session: Session, house: DeskHouse, me: Referent) -> list[tuple[Update, str, str]]:
    """What they have sent lately: what it tells of, and by which form."""
    rows, language = sent_by(session, me.id, MOST_SENT), Language(me.language)
    about = titles(session, rows)
    forms = {row.id: house.catalogue.version(session, row.form_version_id).form for row in rows}
    return [(row, about[row.id], say(forms[row.id].title, language, forms[row.id].languages)) for row in rows]


def _forms(session: Session, house: DeskHouse, me: Referent, projects: Sequence[Project]) -> list[tuple[int, str]]:
    """The forms that they have something to tell about: number and title."""
    organizations = organizations_of(session, me.id)
    usable = [one for one in forms_in_use(session) if (organizations if one.about == About.ORGANIZATION else projects)]
    return [(one.id, form_title(session, house, one, Language(me.language))) for one in usable]


def _chat(session: Session, house: DeskHouse, me: Referent) -> str:
    """The address of the chat with the bot, for those who use it."""
    on_telegram = Channel.TELEGRAM in reachable_addresses(session, me.id)
    return house.links.chat() if on_telegram and house.links.bot else ""


# --- writing


def _words(letter: Letter, _: Speaker) -> str:
    if letter.text.strip():
        return letter.text.strip()
    assert letter.file is not None
    return _("I am leaving a file.")


def _store(house: DeskHouse, letter: Letter, _: Speaker) -> StoredFile | None:
    """The file, on disk before any transaction: no other writer waits for it. A refusal is noted in the letter."""
    file = letter.file
    if not letter.has_file or file is None:
        return None
    try:
        return store_file(house.files, file.filename or "", file.content_type or "", file.file, limit=PAGE_LIMIT)
    except FileRefused as refused:
        letter.errors["file"] = _(refused.sentence, **refused.values)
        return None


def _attach(session: Session, stored: StoredFile | None, me: Referent, message: Message, now: datetime) -> None:
    if stored is not None:
        add_file(session, stored, now=now, referent_id=me.id, message_id=message.id)


def _ask_page(
    request: Request, session: Session, me: Referent, token: str, letter: Letter, before: Before | None = None
) -> Response:
    projects = projects_of(session, me.id)
    return render(
        request,
        "personal_ask.html",
        status=422 if letter.errors else 200,
        token=token,
        letter=letter,
        before=before,
        choices=[("", speaker(request)("No project in particular")), *((row.id, row.title) for row in projects)],
    )


def _question_page(
    request: Request, session: Session, me: Referent, token: str, question_id: int, letter: Letter | None = None
) -> Response:
    letter = letter or Letter()
    found = _theirs(session, me, question_id)
    if found.id != question_id:
        return redirect(request, f"/r/{token}/questions/{found.id}")
    messages: Sequence[Message] = thread(session, question_id)
    titles = titles_of(session, [found.project_id] if found.project_id else [])
    values: dict[str, Any] = {"messages": messages, "states": STATES, "corrections": of_thread(session, question_id)}
    values["files"] = files = thread_files(session, question_id)
    values["amended"] = of_files(session, [file.id for rows in files.values() for file in rows])
    return render(
        request,
        "personal_question.html",
        status=422 if letter.errors else 200,
        token=token,
        question=found,
        project=titles.get(found.project_id or 0),
        letter=letter,
        **values,
    )
