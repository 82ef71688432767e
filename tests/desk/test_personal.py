"""A referent's own page: what they see, what they can do, and that nobody else's things are there."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from answering.answer import answer
from intake.builtin import ensure_builtin_forms
from intake.delegation import delegate
from intake.files import store_file
from storage.database import Database
from storage.people import new_personal_link, revoke_personal_links
from storage.tables import (
    Channel,
    Message,
    Organization,
    PersonalLink,
    Project,
    Question,
    Referent,
)
from tests.desk.conftest import CSRF, Browser, Clock, Desk

PDF = b"%PDF-1.7\nun esempio\n%%EOF\n"


@dataclass
class Person:
    """A referent with one project and a key."""

    id: int
    project: int
    token: str

    @property
    def page(self) -> str:
        return f"/r/{self.token}"


def a_person(desk: Desk, name: str = "Ada Esempio", title: str = "Ex mercato", **ways: Any) -> Person:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = cast.an_organization(f"Comune di {name}")
        project = cast.a_project(organization, title=title)
        referent = cast.a_referent(name, organization, (project,), **ways)
        return Person(referent.id, project.id, new_personal_link(session, referent.id, cast.now))


def carla(desk: Desk) -> Person:
    return a_person(desk, "Carla Esempio", "Cascina di Carla")


def owes(desk: Desk, person: Person, due_on: date, title: str = "Rendicontazione") -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        form = ensure_builtin_forms(session, cast.now)
        deadline = cast.a_deadline(form, due_on, title)
        cast.an_obligation(deadline, session.get_one(Project, person.project), due_on, cast.now)


def a_question(desk: Desk, person: Person, text: str = "Quando?", **other: Any) -> int:
    with desk.house.database.write() as session:
        return desk.cast(session).a_question(session.get_one(Referent, person.id), text, **other).id


def answered(desk: Desk, question: int, text: str = "Domani.") -> None:
    with desk.house.database.write() as session:
        version = session.get_one(Question, question).version
        answer(session, question, desk.people["Olga"], text, version=version, now=desk.house.clock())


def questions_of(desk: Desk, person: Person) -> list[Question]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Question).where(Question.referent_id == person.id)))


def messages_of(desk: Desk, question: int) -> list[Message]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Message).where(Message.question_id == question).order_by("id")))


async def send(browser: Browser, url: str, page: str, *, file: Any = None, **fields: str) -> httpx.Response:
    found = CSRF.search((await browser.get(page)).text)
    assert found is not None
    files = {"file": file or ("", b"", "application/octet-stream")}
    return await browser.post(url, data={"csrf": found[1], **fields}, files=files)


# --- what they see


async def test_the_page_says_first_what_is_late(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now - timedelta(days=4)).date(), "Ottobre")
    owes(desk, ada, (now + timedelta(days=4)).date(), "Novembre")

    page = (await desk.browser().get(ada.page)).text

    assert "Ciao Ada Esempio" in page
    assert page.index("Un aggiornamento è in ritardo.") < page.index("Ottobre") < page.index("Novembre")
    assert "scadeva il 20 nov 2026" in page
    assert "entro il 28 nov 2026" in page


async def test_who_owes_nothing_is_told_so(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now + timedelta(days=40)).date(), "Gennaio")

    page = (await desk.browser().get(ada.page)).text

    assert "Sei in pari" in page
    assert page.index("Più avanti") < page.index("Gennaio")


async def test_what_is_due_is_filled_in_here_and_whoever_uses_telegram_is_led_there_too(
    desk: Desk, now: datetime
) -> None:
    ada, bruno = a_person(desk, chat=100), a_person(desk, "Bruno Esempio", email="bruno@example.org")
    for person in (ada, bruno):
        owes(desk, person, now.date())

    pages = {person.id: (await desk.browser().get(person.page)).text for person in (ada, bruno)}

    assert "https://t.me/raccordo_esempio_bot" in pages[ada.id]
    assert "https://t.me/" not in pages[bruno.id]
    assert f"{bruno.page}/ask?about=update" in pages[bruno.id]
    for person in (ada, bruno):
        assert f'action="{person.page}/fill"' in pages[person.id]


async def test_writing_how_it_goes_does_not_ask_what_one_would_like_to_know(desk: Desk) -> None:
    ada = a_person(desk)
    url = f"{ada.page}/ask"
    browser = desk.browser()

    page = (await browser.get(f"{url}?project={ada.project}&about=update")).text
    refused = (await send(browser, url, f"{url}?about=update", about="update")).text
    question = (await browser.get(url)).text

    for one in (page, refused):
        assert "Come va il progetto?" in one
        assert "Che cosa vuoi sapere?" not in one
    assert "Che cosa vuoi sapere?" in question


async def test_nothing_of_carla_is_on_adas_page(desk: Desk, now: datetime) -> None:
    ada, other = a_person(desk), carla(desk)
    owes(desk, other, now.date(), "Scadenza di Carla")
    a_question(desk, other, "Domanda di Carla")

    page = (await desk.browser().get(ada.page)).text

    assert "Carla" not in page


async def test_the_page_speaks_the_referents_language(desk: Desk) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        referent = session.get_one(Referent, ada.id)
        referent.language = "en"
        session.add(referent)

    page = (await desk.browser().get(ada.page)).text

    assert '<html lang="en">' in page
    assert "You are up to date" in page


async def test_the_key_goes_nowhere_else(desk: Desk, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    ada = a_person(desk)
    caplog.set_level(logging.DEBUG, "raccordo")

    answers = [await desk.browser().get(url) for url in (ada.page, f"{ada.page}/questions/9999", "/r/unknown")]

    for one in answers:
        assert one.headers["Referrer-Policy"] == "no-referrer"
        assert one.headers["Cache-Control"] == "no-store"
        assert "noindex" in one.headers["X-Robots-Tag"]
        assert '<meta name="robots" content="noindex">' in one.text
    assert ada.token not in "".join(capfd.readouterr())
    assert ada.token not in "".join(record.getMessage() for record in caplog.records if record.name != "httpx")


async def test_looking_uses_nothing_up(desk: Desk) -> None:
    ada = a_person(desk)

    looks = [(await desk.browser().get(ada.page)).status_code for _ in range(3)]

    assert looks == [200, 200, 200]
    with desk.house.database.read() as session:
        assert session.exec(select(PersonalLink)).one().last_used_at is None


async def test_a_colleague_who_is_signed_in_sees_what_the_referent_sees(desk: Desk) -> None:
    ada = a_person(desk)

    page = (await desk.browser("Olga").get(ada.page)).text

    assert "/desk/" not in page


@pytest.mark.parametrize("door", ["unknown", "expired", "revoked"])
async def test_a_key_that_opens_nothing_says_how_to_get_another(desk: Desk, clock: Clock, door: str) -> None:
    ada = a_person(desk)
    if door == "revoked":
        with desk.house.database.write() as session:
            revoke_personal_links(session, ada.id, clock())
    if door == "expired":
        clock.move(days=91)
    page = "/r/abcdefgh" if door == "unknown" else ada.page

    answers = [await desk.browser().get(f"{page}{rest}") for rest in ("", "/ask", "/questions/1", "/files/1")]

    assert [one.status_code for one in answers] == [404] * 4
    assert all("Come averne uno nuovo" in one.text for one in answers)
    assert not any("Ada" in one.text for one in answers)


@pytest.mark.parametrize("button", ["/ask", "/questions/{question}", "/questions/{question}/solved"])
async def test_a_revoked_key_writes_nothing(desk: Desk, button: str) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada)
    browser = desk.browser()
    token = CSRF.search((await browser.get(f"{ada.page}/ask")).text)
    assert token is not None
    with desk.house.database.write() as session:
        revoke_personal_links(session, ada.id, desk.house.clock())

    url = ada.page + button.format(question=question)
    refused = await browser.post(url, data={"csrf": token[1], "text": "Ancora", "solved": "yes"})

    assert refused.status_code == 404
    assert len(questions_of(desk, ada)) == 1
    assert len(messages_of(desk, question)) == 1


# --- asking


async def test_a_question_is_asked_about_a_project(desk: Desk) -> None:
    ada = a_person(desk)
    browser = desk.browser()

    sent = await send(browser, f"{ada.page}/ask", f"{ada.page}/ask", text="Possiamo?\nGrazie", project=str(ada.project))

    (question,) = questions_of(desk, ada)
    assert sent.headers["location"] == f"{ada.page}/questions/{question.id}"
    assert (question.project_id, question.channel) == (ada.project, Channel.WEB)
    page = (await browser.get(sent.headers["location"])).text
    assert f"La tua domanda ha il numero {question.id}" in page
    assert "Possiamo?<br>Grazie" in page


async def test_writing_notes_that_the_link_is_in_use(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)

    await send(desk.browser(), f"{ada.page}/ask", f"{ada.page}/ask", text="Possiamo?")

    with desk.house.database.read() as session:
        assert session.exec(select(PersonalLink)).one().last_used_at == now


@pytest.mark.parametrize("where", ["/ask", "/questions/{question}"])
async def test_a_file_is_on_disk_before_anybody_waits_for_the_one_writer(
    desk: Desk, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = a_person(desk)
    where = ada.page + where.format(question=a_question(desk, ada))
    seen: list[str] = []

    def noted(what: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any, **options: Any) -> Any:
            seen.append(what)
            return act(*given, **options)

        return noting

    monkeypatch.setattr("desk.personal.store_file", noted("file", store_file))
    monkeypatch.setattr(Database, "write", noted("write", Database.write))

    answer = await send(desk.browser(), where, where, text="Ecco", file=("piano.pdf", PDF, "application/pdf"))

    assert answer.status_code == 303
    assert seen == ["file", "write"]


@pytest.mark.parametrize(("where", "fields"), [("/questions/9999", {}), ("/ask", {"project": "9999"})])
async def test_what_is_not_theirs_keeps_no_byte_of_a_file(desk: Desk, where: str, fields: dict[str, str]) -> None:
    page = a_person(desk).page

    answer = await send(
        desk.browser(), page + where, f"{page}/ask", text="Ecco", file=("piano.pdf", PDF, "application/pdf"), **fields
    )

    assert answer.status_code == 404
    assert not desk.house.files.folder.exists()


async def test_a_file_left_with_a_question_comes_back_as_it_was(desk: Desk) -> None:
    ada = a_person(desk)
    browser = desk.browser()

    sent = await send(
        browser, f"{ada.page}/ask", f"{ada.page}/ask", text="Ecco", file=("piano è.pdf", PDF, "application/pdf")
    )

    page = (await browser.get(sent.headers["location"])).text
    link = re.search(r'href="(/r/[^"]+/files/\d+)"', page)
    assert link is not None
    file = await browser.get(link[1])
    assert file.content == PDF
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("gioco.exe", b"MZ program", "application/pdf"), "programmi"),
        (("vuoto.pdf", b"", "application/pdf"), "vuoto"),
        (("grande.pdf", PDF + bytes(50 * 1024 * 1024), "application/pdf"), "50 MB"),
    ],
)
async def test_a_refused_file_keeps_the_words_and_asks_nothing(
    desk: Desk, file: tuple[str, bytes, str], said: str
) -> None:
    ada = a_person(desk)

    refused = await send(
        desk.browser(),
        f"{ada.page}/ask",
        f"{ada.page}/ask",
        text="Una lunga domanda",
        project=str(ada.project),
        file=file,
    )

    assert refused.status_code == 422
    error = re.search(r'id="e-file">(.+?)</p>', refused.text)
    assert error is not None
    assert said in error[1]
    assert "Una lunga domanda</textarea>" in refused.text
    assert re.search(rf'<option value="{ada.project}" selected', refused.text)
    assert questions_of(desk, ada) == []


@pytest.mark.parametrize(("text", "said"), [("  ", "Scrivi qualcosa"), ("x" * 8_001, "8000 caratteri")])
async def test_an_empty_or_endless_question_is_not_asked(desk: Desk, text: str, said: str) -> None:
    ada = a_person(desk)

    refused = await send(desk.browser(), f"{ada.page}/ask", f"{ada.page}/ask", text=text)

    assert refused.status_code == 422
    assert said in refused.text
    assert questions_of(desk, ada) == []


@pytest.mark.parametrize("project", ["{carla}", "999999", "x", "99999999999999999999"])
async def test_no_question_is_asked_about_somebody_elses_project(desk: Desk, project: str) -> None:
    ada, other = a_person(desk), carla(desk)

    refused = await send(
        desk.browser(),
        f"{ada.page}/ask",
        f"{ada.page}/ask",
        text="Possiamo?",
        project=project.format(carla=other.project),
    )

    assert refused.status_code == 404
    assert questions_of(desk, ada) == []


async def test_only_own_projects_can_be_chosen(desk: Desk) -> None:
    ada, other = a_person(desk), carla(desk)

    page = (await desk.browser().get(f"{ada.page}/ask?project={other.project}")).text

    assert "Ex mercato" in page
    assert "Cascina di Carla" not in page


async def test_a_form_that_is_not_ours_asks_nothing(desk: Desk) -> None:
    ada = a_person(desk)

    refused = await desk.browser().post(f"{ada.page}/ask", data={"text": "Possiamo?", "csrf": "falso"})

    assert refused.status_code == 403
    assert questions_of(desk, ada) == []


async def test_what_one_follows_in_anothers_place_is_said_for_whom_and_until_when(desk: Desk) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = session.exec(select(Organization).where(Organization.name == "Comune di Ada Esempio")).one()
        bruno = cast.a_referent("Bruno Esempio", organization, chat=12)
        delegate(session, ada.id, bruno.id, date(2026, 12, 4), today=date(2026, 11, 24), now=desk.house.clock())
        token = new_personal_link(session, bruno.id, desk.house.clock())

    page = (await desk.browser().get(f"/r/{token}")).text

    assert "Ex mercato" in page
    assert "Al posto di Ada Esempio, fino al 4 dic 2026" in page
    assert "Al posto di" not in (await desk.browser().get(ada.page)).text
