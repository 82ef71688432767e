"""Saved answers: their list, and how they come into an answer."""

import re
from html import unescape

import httpx
import pytest
from sqlmodel import select

from facts.languages import Language
from storage import saved_answers
from storage.tables import Attachment, Audit, Category, Office, Question, Referent, SavedAnswer
from tests.desk.conftest import Browser, Desk
from tests.desk.test_questions import a_question, press, the_question

PAGE = "/desk/saved-answers"
PDF = b"%PDF-1.4\n%fine"


def a_saved_answer(desk: Desk, title: str = "Cos'è il CUP", text: str = "Gentile {name}.", **other: object) -> int:
    values = {"created_by": desk.people["Olga"], "created_at": desk.house.clock(), "changed_at": desk.house.clock()}
    with desk.house.database.write() as session:
        row = SavedAnswer.model_validate({"title": title, "text": text} | values | other)
        return int(desk.cast(session).add(row).id)


def the_saved(desk: Desk) -> list[SavedAnswer]:
    with desk.house.database.read() as session:
        return list(session.exec(select(SavedAnswer).order_by(SavedAnswer.title)))


def the_box(page: httpx.Response) -> str:
    found = re.search(r'<textarea[^>]*id="f-text"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert found is not None
    return found[1].replace("&#39;", "'")


async def with_a_file(browser: Browser, question_id: int, button: str, name: str = "modello.pdf") -> httpx.Response:
    here = f"/desk/questions/{question_id}"
    page = (await browser.get(here)).text
    fields = dict(re.findall(r'name="(csrf|version)" value="([^"]+)"', page)) | {"text": "Ecco il modello."}
    return await browser.post(f"{here}/{button}", data=fields, files={"file": (name, PDF, "application/pdf")})


async def test_an_officer_adds_changes_retires_and_restores(desk: Desk) -> None:
    olga = desk.browser("Olga")

    empty = (await olga.get(PAGE)).text
    await olga.send_form(PAGE, page=f"{PAGE}/new", title=" La  PEC ", text="Gentile {name},\r\nusa la PEC.")
    (added,) = the_saved(desk)
    one = f"{PAGE}/{added.id}"
    await olga.send_form(one, page=one, version="1", title="La PEC", text="Usa la PEC.", text_en="Use PEC.")
    (changed,) = the_saved(desk)
    await olga.send_form(f"{one}/retire", page=PAGE)
    (retired,) = the_saved(desk)
    page = (await olga.get(PAGE)).text
    await olga.send_form(f"{one}/use", page=PAGE)

    assert "Non ci sono ancora risposte pronte" in empty
    assert (added.title, added.text, added.active) == ("La PEC", "Gentile {name},\nusa la PEC.", True)
    assert (changed.text, changed.text_en) == ("Usa la PEC.", "Use PEC.")
    assert retired.active is False
    assert "ritirata" in page
    assert the_saved(desk)[0].active is True
    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action).where(Audit.object_kind == "saved-answer")).all()
    assert acts == [f"saved-answer.{act}" for act in ("add", "change", "retire", "use")]


async def test_of_two_officers_the_second_reads_the_first_ones_text_before_their_own_takes_its_place(
    desk: Desk,
) -> None:
    one = f"{PAGE}/{a_saved_answer(desk)}"
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")

    await olga.send_form(one, page=one, version="1", title="Il CUP", text="Il primo testo.")
    late = await ugo.send_form(one, page=one, version="1", title="Il CUP", text="Il secondo testo.")
    kept = the_saved(desk)[0].text
    shown = re.search(r'name="version" value="(\d+)"', late.text)
    assert shown is not None
    again = await ugo.send_form(one, page=one, version=shown[1], title="Il CUP", text="Il secondo testo.")

    assert (late.status_code, kept) == (422, "Il primo testo.")
    assert "Nel frattempo un collega ha cambiato questa risposta" in late.text
    assert "Com'è adesso" in unescape(late.text)
    assert "<p>Il primo testo.</p>" in late.text
    assert "Il secondo testo.</textarea>" in late.text
    assert again.status_code == 303
    assert the_saved(desk)[0].text == "Il secondo testo."


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"title": " ", "text": "Sì."}, "Scrivi un titolo"),
        ({"title": "x" * 121, "text": "Sì."}, "titolo è troppo lungo"),
        ({"title": "Altra", "text": "\x00"}, "testo della risposta in italiano"),
        ({"title": "Altra", "text": "x" * 20_001}, "testo è troppo lungo"),
        ({"title": "Altra", "text": "Gentile\n{nomme}"}, "Riga 2: {nomme} non è un segnaposto"),
        ({"title": "Altra", "text": "Sì.", "text_en": "Dear {name"}, "senza la sua metà"),
        ({"title": "COS'È IL CUP".lower(), "text": "Sì."}, "già una risposta pronta"),
        ({"title": "Altra", "text": "Sì.", "category": "2147483648"}, "non è più in uso"),
        ({"title": "Altra", "text": "Sì.", "category": "tutte"}, "non è più in uso"),
    ],
)
async def test_what_is_wrong_is_said_and_stays_in_the_form(desk: Desk, fields: dict[str, str], why: str) -> None:
    a_saved_answer(desk)
    other = a_saved_answer(desk, "La PEC")
    olga = desk.browser("Olga")

    added = await olga.send_form(PAGE, page=f"{PAGE}/new", **fields)
    changed = await olga.send_form(f"{PAGE}/{other}", page=f"{PAGE}/new", **fields)

    for answer in (added, changed):
        assert answer.status_code == 422
        assert why in answer.text.replace("&#39;", "'")
        assert fields["title"].replace("'", "&#39;").strip() in answer.text
    assert [one.title for one in the_saved(desk)] == ["Cos'è il CUP", "La PEC"]


@pytest.mark.parametrize("already", [False, True])
async def test_of_two_who_take_one_title_at_once_the_second_is_told(
    desk: Desk, already: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_saved_answer(desk, "La PEC")
    page = f"{PAGE}/{a_saved_answer(desk, 'Il CUP')}" if already else PAGE
    monkeypatch.setattr(saved_answers, "saved_with_title", lambda *_: None)  # nobody had it yet when we looked

    late = await desk.browser("Olga").send_form(page, page=f"{PAGE}/new", version="1", title="La PEC", text="Io pure.")

    assert late.status_code == 422
    assert "già una risposta pronta" in late.text
    assert "Io pure.</textarea>" in late.text
    assert [one.title for one in the_saved(desk)].count("La PEC") == 1


async def test_a_volunteer_reads_and_uses_them_and_arranges_none(desk: Desk) -> None:
    number = a_saved_answer(desk, text="Gentile {name} <b>")
    vera = desk.browser("Vera")

    page, one = await vera.get(PAGE), await vera.get(f"{PAGE}/{number}")
    presses = [
        (await vera.send_form(path, page="/desk/questions", title="Mia", text="Mia")).status_code
        for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/{number}/retire", f"{PAGE}/{number}/use")
    ]

    assert "Aggiungi" not in page.text
    assert "Gentile {name} &lt;b&gt;" in one.text
    assert presses == [403] * 4
    assert [saved.title for saved in the_saved(desk)] == ["Cos'è il CUP"]


async def test_a_reader_neither_sees_nor_uses_them(desk: Desk) -> None:
    number, question_id = a_saved_answer(desk), a_question(desk)
    rita = desk.browser("Rita")

    assert (await rita.get(PAGE)).status_code == 403
    assert (await press(rita, question_id, "saved", saved=str(number))).status_code == 403
    assert "Risposte pronte" not in (await rita.get(f"/desk/questions/{question_id}")).text


async def test_inserted_without_a_script_it_stands_behind_what_was_typed(desk: Desk) -> None:
    with desk.house.database.write() as session:
        session.add(Office(name="Ufficio Rigenerazione"))
    question_id = a_question(desk)
    number = a_saved_answer(desk, text="{name} ({organization}), domanda {number}. {project}\n{office}")
    vera = desk.browser("Vera")

    page = await press(vera, question_id, "saved", saved=str(number), text="Buongiorno.", awaits="1")

    assert page.status_code == 200
    assert the_box(page) == (
        f"Buongiorno.\n\nAda Esempio 0 (Abbiategrasso), domanda {question_id}. {{project}}\nUfficio Rigenerazione"
    )
    assert "scrivilo tu dove leggi {project}" in page.text
    assert re.search(r'name="awaits" value="1" checked', page.text)
    assert the_saved(desk)[0].used == 1
    assert the_question(desk, question_id).version == 1


async def test_a_script_gets_the_text_alone(desk: Desk) -> None:
    question_id, number = a_question(desk), a_saved_answer(desk)
    vera = desk.browser("Vera")
    vera.headers["accept"] = "application/json"

    good = await press(vera, question_id, "saved", saved=str(number))
    none = await press(vera, question_id, "saved", saved="")
    unknown = await press(vera, question_id, "saved", saved="99999999999")

    assert good.json() == {"text": "Gentile Ada Esempio 0.", "missing": ""}
    assert (none.status_code, unknown.status_code) == (409, 409)
    assert "Scegli una risposta pronta" in none.json()["problem"]
    assert unknown.json() == {"problem": "Questa risposta pronta non esiste."}


async def test_whoever_reads_english_gets_the_english_text(desk: Desk) -> None:
    question_id = a_question(desk)
    both, italian = a_saved_answer(desk, text_en="Dear {name}."), a_saved_answer(desk, "La PEC", "Usa la PEC.")
    with desk.house.database.write() as session:
        asked = session.get_one(Question, question_id)
        session.get_one(Referent, asked.referent_id).language = Language.EN
    olga = desk.browser("Olga")

    assert the_box(await press(olga, question_id, "saved", saved=str(both))) == "Dear Ada Esempio 0."
    assert the_box(await press(olga, question_id, "saved", saved=str(italian))) == "Usa la PEC."


async def test_those_of_the_category_come_first_and_retired_ones_are_not_offered(desk: Desk) -> None:
    question_id = a_question(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        now = desk.house.clock()
        inside, outside = (cast.add(Category(name=name, hours=4, created_at=now)).id for name in ("Dentro", "Fuori"))
        session.get_one(Question, question_id).category_id = inside
    a_saved_answer(desk, "A fuori", category_id=outside)
    a_saved_answer(desk, "B per tutte")
    a_saved_answer(desk, "C dentro", category_id=inside)
    retired = a_saved_answer(desk, "D ritirata", active=False)
    olga = desk.browser("Olga")

    page = (await olga.get(f"/desk/questions/{question_id}")).text
    refused = await press(olga, question_id, "saved", saved=str(retired), text="Già scritto")

    offered = re.findall(r'<option value="\d+">(\w [^<]+)</option>', page.split("data-saved")[1])
    assert offered == ["C dentro", "B per tutte", "A fuori"]
    assert refused.status_code == 409
    assert the_box(refused) == "Già scritto"


async def test_a_chosen_file_survives_a_saved_answer_and_goes_along(desk: Desk) -> None:
    question_id, number = a_question(desk), a_saved_answer(desk)
    olga = desk.browser("Olga")
    here = f"/desk/questions/{question_id}"
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await olga.get(here)).text)
    assert csrf is not None

    page = await olga.post(
        f"{here}/saved",
        data={"csrf": csrf[1], "saved": str(number)},
        files={"file": ("modello.pdf", PDF, "application/pdf")},
    )
    kept = re.findall(r'name="keep" value="(\d+)" checked', page.text)
    await press(olga, question_id, "answer", text="Ecco.", keep=kept[0])

    with desk.house.database.read() as session:
        (file,) = session.exec(select(Attachment)).all()
    assert kept == [str(file.id)]
    assert file.message_id is not None


async def test_files_survive_a_refused_answer(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(desk.browser("Ugo"), question_id, "take")

    page = await with_a_file(olga, question_id, "answer")

    assert page.status_code == 409
    with desk.house.database.read() as session:
        (file,) = session.exec(select(Attachment)).all()
    assert (file.name, file.message_id, file.staff_id) == ("modello.pdf", None, desk.people["Olga"])


async def test_nobody_sends_what_a_colleague_chose(desk: Desk) -> None:
    question_id = a_question(desk)
    await with_a_file(desk.browser("Olga"), question_id, "write")
    with desk.house.database.read() as session:
        (file,) = session.exec(select(Attachment)).all()

    await press(desk.browser("Ugo"), question_id, "answer", text="Ecco.", keep=str(file.id))

    with desk.house.database.read() as session:
        assert session.get_one(Attachment, file.id).message_id is None
