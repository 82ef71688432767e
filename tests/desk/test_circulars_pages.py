"""Communications at the desk: prepared by a volunteer, sent by an officer, followed, stopped, taken along."""

import csv
import io
import re

import pytest
from openpyxl import load_workbook
from sqlmodel import col, select

from answering.circular_sending import queue_some, word_circular
from facts.languages import Language
from storage import circulars as stored
from storage.people import new_personal_link
from storage.recipients import Wanted
from storage.tables import (
    Attachment,
    Audit,
    Circular,
    CircularState,
    Outbox,
    OutboxKind,
    OutboxState,
    Question,
    Referent,
)
from tests.desk.conftest import Browser, Desk

PDF = b"%PDF-1.4 prova"
VERSION = re.compile(r'name="version" value="(\d+)"')


def people(desk: Desk) -> dict[str, int]:
    """Ada on Telegram, Bruno by mail, Carla by nothing; Ada and Bruno of one municipality."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        town, other = cast.an_organization(), cast.an_organization("Corsico")
        project = cast.a_project(town, title="Ex mercato")
        return {
            "Ada": cast.a_referent("Ada Esempio", town, (project,), chat=1).id,
            "Bruno": cast.a_referent("Bruno Esempio", town, email="bruno@example.org").id,
            "Carla": cast.a_referent("Carla Esempio", other).id,
            "town": town.id,
        }


async def press(browser: Browser, number: int, what: str, **fields: object) -> str:
    """Presses a button of the communication as its page shows it; the page that comes after it."""
    version = VERSION.search((await browser.get(f"/desk/circulars/{number}")).text)
    values = {"version": version[1] if version else "1"} | fields
    found = await browser.send_form(f"/desk/circulars/{number}/{what}", "/desk/circulars/new", **values)
    if found.status_code == 303:
        found = await browser.get(found.headers["location"].partition("#")[0])
    return found.text


async def begun(desk: Desk, who: str = "Vera", **fields: object) -> int:
    values = {"subject": "Avviso", "text": "Buongiorno {nome}, <b>chiudiamo</b>."} | fields
    found = await desk.browser(who).send_form("/desk/circulars/new", "/desk/circulars/new", **values)
    assert found.status_code == 303, found.text
    return int(found.headers["location"].rpartition("/")[2])


def the_circular(desk: Desk, number: int) -> Circular:
    with desk.house.database.read() as session:
        found = stored.find(session, number)
        assert found is not None
        return found


def outgoing(desk: Desk) -> list[Outbox]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Outbox).order_by(col(Outbox.id))))


def leave(desk: Desk) -> None:
    """The clock queues, and the dispatcher sends everything."""
    with desk.house.database.write() as session:
        while queue_some(session, desk.house.clock()):
            pass
        word = word_circular()
        for row in session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CIRCULAR)):
            if row.state is OutboxState.QUEUED:
                words = word(session, row, desk.house.clock())
                row.state = OutboxState.SENT if words else OutboxState.WITHHELD
                row.sent_at = desk.house.clock()
        session.flush()
        queue_some(session, desk.house.clock())


async def sent_to_all(desk: Desk) -> int:
    """To Ada, Bruno and Carla, whom nothing reaches."""
    people(desk)
    number, olga = await begun(desk), desk.browser("Olga")
    await press(olga, number, "people", who="filter")
    await press(olga, number, "confirm", people=3)
    leave(desk)
    return number


# --- writing


async def test_the_list_says_what_to_do_when_there_is_nothing(desk: Desk) -> None:
    assert "Ancora nessuna comunicazione" in (await desk.browser("Rita").get("/desk/circulars")).text
    assert "/desk/circulars/new" not in (await desk.browser("Rita").get("/desk/circulars")).text
    assert "/desk/circulars/new" in (await desk.browser("Vera").get("/desk/circulars")).text


async def test_a_volunteer_prepares_and_is_told_who_sends(desk: Desk) -> None:
    number = await begun(desk)
    page = (await desk.browser("Vera").get(f"/desk/circulars/{number}")).text

    assert "La invia un funzionario" in page
    assert f"/desk/circulars/{number}/confirm" not in page
    assert "&lt;b&gt;chiudiamo&lt;/b&gt;" in page
    assert f"/desk/circulars/{number}/confirm" in (await desk.browser("Olga").get(f"/desk/circulars/{number}")).text


async def test_what_is_refused_stays_in_the_form(desk: Desk) -> None:
    found = await desk.browser("Vera").send_form(
        "/desk/circulars/new", "/desk/circulars/new", subject="Avviso", text="Gentile {cognome} <x>", text_en="Dear"
    )

    assert found.status_code == 409
    assert "In inglese scrivi sia" in found.text
    assert "Gentile {cognome} &lt;x&gt;</textarea>" in found.text


@pytest.mark.parametrize("text", ["{" * 50_000, "\x00", "A" * 10_001])
async def test_whatever_is_typed_is_answered(desk: Desk, text: str) -> None:
    found = await desk.browser("Vera").send_form(
        "/desk/circulars/new", "/desk/circulars/new", subject="Avviso", text=text
    )

    assert found.status_code == 409


async def test_of_two_who_change_a_text_the_second_keeps_theirs_in_the_form(desk: Desk) -> None:
    number = await begun(desk)
    vera, olga = desk.browser("Vera"), desk.browser("Olga")
    await press(vera, number, "text", version=1, subject="Avviso", text="La prima")

    page = await press(olga, number, "text", version=1, subject="Avviso", text="La seconda")

    assert "Nel frattempo un collega ha cambiato questa bozza" in page
    assert "La seconda</textarea>" in page
    assert "<p>La prima</p>" in page
    assert the_circular(desk, number).text == "La prima"
    await press(olga, number, "text", version=VERSION.findall(page)[0], subject="Avviso", text="Tutte e due")
    assert the_circular(desk, number).text == "Tutte e due"


async def test_files_go_along_and_can_be_taken_away(desk: Desk) -> None:
    number, vera = await begun(desk), desk.browser("Vera")
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await vera.get(f"/desk/circulars/{number}/text")).text)
    assert csrf is not None
    await vera.post(
        f"/desk/circulars/{number}/text",
        data={"csrf": csrf[1], "version": "1", "subject": "Avviso", "text": "Testo"},
        files={"file": ("avviso.pdf", PDF, "application/pdf")},
    )
    with desk.house.database.read() as session:
        file = session.exec(select(Attachment)).one()
    assert "avviso.pdf" in (await vera.get(f"/desk/circulars/{number}")).text

    await press(vera, number, f"files/{file.id}/detach")

    assert "avviso.pdf" not in (await vera.get(f"/desk/circulars/{number}")).text


async def test_files_survive_a_refusal_and_go_along_at_the_next_try(desk: Desk) -> None:
    vera, here = desk.browser("Vera"), "/desk/circulars/new"
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await vera.get(here)).text)
    assert csrf is not None
    typed = {"csrf": csrf[1], "subject": "Avviso", "text": "Buongiorno {nomme}."}

    refused = await vera.post(here, data=typed, files={"file": ("avviso.pdf", PDF, "application/pdf")})
    kept = re.findall(r'name="keep" value="(\d+)" checked', refused.text)
    colleague = await begun(desk, "Olga", keep=kept)
    number = await begun(desk, "Vera", keep=kept)

    assert (refused.status_code, len(kept)) == (409, 1)
    assert "{nomme} non è un segnaposto" in refused.text
    assert "File che hai scelto" in refused.text
    assert "{nome}, {ente}, {progetti}" in refused.text  # as the text names them, in the language of the page
    assert "avviso.pdf" in (await vera.get(f"/desk/circulars/{number}")).text
    assert "avviso.pdf" not in (await vera.get(f"/desk/circulars/{colleague}")).text


async def test_from_somebodys_page_one_writes_to_them_alone(desk: Desk) -> None:
    ids = people(desk)
    page = (await desk.browser("Vera").get(f"/desk/referents/{ids['Ada']}")).text
    assert f"/desk/circulars/new?to={ids['Ada']}" in page
    assert "circulars/new" not in (await desk.browser("Rita").get(f"/desk/referents/{ids['Ada']}")).text

    form = (await desk.browser("Vera").get(f"/desk/circulars/new?to={ids['Ada']}")).text
    number = await begun(desk, to=ids["Ada"])

    assert "Scrivi a Ada Esempio" in form
    assert Wanted.from_json(the_circular(desk, number).audience) == Wanted(added=(ids["Ada"],))


@pytest.mark.parametrize("to", ["987654", "99999999999999999999", "-1"])
async def test_nobody_is_written_to_who_is_not_there(desk: Desk, to: str) -> None:
    assert (await desk.browser("Vera").get(f"/desk/circulars/new?to={to}")).status_code == 404


async def test_a_draft_is_thrown_away_and_taken_back(desk: Desk) -> None:
    number, vera = await begun(desk), desk.browser("Vera")

    await press(vera, number, "discard")
    assert "Avviso" not in (await vera.get("/desk/circulars")).text
    assert "Questa bozza è stata eliminata" in (await vera.get(f"/desk/circulars/{number}")).text
    await press(vera, number, "take-back")

    assert the_circular(desk, number).state is CircularState.DRAFT


# --- for whom


async def test_the_choice_is_counted_before_it_is_saved(desk: Desk) -> None:
    ids, number, vera = people(desk), await begun(desk), desk.browser("Vera")

    counted = await press(vera, number, "people/count", who="filter", organization=[ids["town"], "nonsense"])
    saved = (await vera.get(f"/desk/circulars/{number}/people")).text

    assert "2 persone" in counted
    assert "non ancora salvato" in counted
    assert "Ada Esempio" in counted
    assert "<html" not in counted
    assert "Ada Esempio" not in saved


async def test_the_choice_shows_who_is_reached_how_and_who_is_not_and_why(desk: Desk) -> None:
    people(desk)
    number, vera = await begun(desk), desk.browser("Vera")

    page = await press(vera, number, "people", who="filter")

    assert "3 persone" in page
    rows = re.findall(r"(?s)<tr>.*?</tr>", page)
    assert "Telegram" in rows[1]
    assert "E-mail" in rows[2]
    assert "nulla lo raggiunge" in rows[3]


async def test_people_are_found_added_and_left_out(desk: Desk) -> None:
    ids, number, vera = people(desk), await begun(desk), desk.browser("Vera")
    await press(vera, number, "people", who="filter", organization=[ids["town"]])
    found = (await vera.get(f"/desk/circulars/{number}/people?q=carla")).text

    await press(vera, number, f"people/{ids['Carla']}/add")
    page = await press(vera, number, f"people/{ids['Ada']}/leave-out")

    assert f"/people/{ids['Carla']}/add" in found
    assert "aggiunto a mano" in page
    assert "Rimetti Ada Esempio" in page
    wanted = Wanted.from_json(the_circular(desk, number).audience)
    assert (wanted.added, wanted.left_out) == ((ids["Carla"],), (ids["Ada"],))
    missing = await vera.send_form(f"/desk/circulars/{number}/people/987654/add", "/desk/circulars/new", version="3")
    assert missing.status_code == 404


async def test_a_choice_that_fits_nobody_says_what_to_do(desk: Desk) -> None:
    people(desk)
    number, vera = await begun(desk), desk.browser("Vera")

    page = await press(vera, number, "people", who="filter", phase="03006", programme="999999999")

    assert "Nessuno corrisponde" in page


# --- looking and trying


@pytest.mark.parametrize("channel", ["telegram", "email", "pec"])
@pytest.mark.parametrize("language", ["it", "en"])
async def test_it_is_shown_as_a_real_reader_gets_it(desk: Desk, channel: str, language: str) -> None:
    ids = people(desk)
    number = await begun(desk, to=ids["Ada"], subject_en="Notice", text_en="Dear {name}")

    page = (
        await desk.browser("Rita").get(f"/desk/circulars/{number}/preview?channel={channel}&language={language}")
    ).text

    assert "Come la riceve Ada Esempio." in page
    assert ("Buongiorno Ada Esempio" if language == "it" else "Dear Ada Esempio") in page
    assert ("Rispondi</span>" in page) == (channel == "telegram" and language == "it")
    assert outgoing(desk) == []


async def test_the_mail_stands_in_a_frame_that_can_do_nothing(desk: Desk) -> None:
    number = await begun(desk, to=people(desk)["Bruno"])

    found = await desk.browser("Rita").get(f"/desk/circulars/{number}/preview/mail")

    assert "&lt;b&gt;chiudiamo&lt;/b&gt;" in found.text
    assert "sandbox; default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("query", ["channel=phone", "channel=nonsense", "language=fr"])
async def test_what_cannot_be_shown_is_no_error_of_ours(desk: Desk, query: str) -> None:
    number = await begun(desk)

    assert (await desk.browser("Rita").get(f"/desk/circulars/{number}/preview?{query}")).status_code in (404, 422)


async def test_a_test_goes_to_ones_own_mailbox(desk: Desk) -> None:
    number = await begun(desk, who="Olga")

    page = await press(desk.browser("Olga"), number, "test", language="it")

    assert "La prova è in viaggio" in page
    assert [(row.address, row.referent_id) for row in outgoing(desk)] == [("olga@example.org", None)]


# --- sending


async def test_the_officer_sees_how_many_by_what_and_how_it_begins(desk: Desk) -> None:
    people(desk)
    number, olga = await begun(desk), desk.browser("Olga")
    nobody = await olga.get(f"/desk/circulars/{number}/confirm")
    await press(olga, number, "people", who="filter")

    page = (await olga.get(f"/desk/circulars/{number}/confirm")).text

    assert nobody.status_code == 303
    assert "La invii a 3 persone?" in page
    assert "senza un canale: telefona" in page
    assert "Buongiorno Ada Esempio" in page
    assert "Ora l&#39;ufficio è chiuso" not in page


async def test_the_officer_reads_what_leaves_by_each_way_and_in_each_language_in_which_somebody_gets_it(
    desk: Desk,
) -> None:
    ids = people(desk)
    with desk.house.database.write() as session:
        session.get_one(Referent, ids["Bruno"]).language = Language.EN
    number, olga = await begun(desk, text_en="Dear {name}, we close.", subject_en="Closed"), desk.browser("Olga")
    await press(olga, number, "people", who="filter")

    page = (await olga.get(f"/desk/circulars/{number}/confirm")).text

    leaves = dict(re.findall(r"<summary>([\w-]+, in \w+): .*?</summary>(.*?)</details>", page, re.DOTALL))
    assert set(leaves) == {"Telegram, in italiano", "E-mail, in inglese"}
    assert "Buongiorno Ada Esempio" in leaves["Telegram, in italiano"]
    assert "Dear Bruno Esempio, we close." in leaves["E-mail, in inglese"]


async def test_a_draft_of_who_may_not_send_it_is_counted_before_the_officers_and_pointed_out(desk: Desk) -> None:
    await begun(desk)
    counted = r'Comunicazioni <span class="count">1<'

    vera, olga = [(await desk.browser(who).get("/desk/circulars")).text for who in ("Vera", "Olga")]
    await press(desk.browser("Vera"), 1, "discard")
    discarded = (await desk.browser("Olga").get("/desk/circulars")).text

    assert "Aspetta un funzionario" in olga
    assert re.search(counted, olga)
    assert not re.search(counted, vera)
    assert not re.search(counted, discarded)


async def test_the_second_officer_is_told_who_was_first_and_sees_what_becomes_of_it(desk: Desk) -> None:
    ids = people(desk)
    number = await begun(desk, to=ids["Ada"])

    first = await press(desk.browser("Olga"), number, "confirm", version=1, people=1)
    second = await press(desk.browser("Ugo"), number, "confirm", version=1, people=1)
    leave(desk)

    assert "Sta partendo per una persona" in first
    assert "Olga Esempio ha già inviato questa comunicazione" in second
    assert len(outgoing(desk)) == 1


async def test_who_is_registered_meanwhile_makes_the_officer_look_again(desk: Desk) -> None:
    people(desk)
    number, olga = await begun(desk), desk.browser("Olga")
    await press(olga, number, "people", who="filter")

    page = await press(olga, number, "confirm", people=2)

    assert "Nel frattempo i destinatari sono diventati 3" in page
    assert the_circular(desk, number).state is CircularState.DRAFT


async def test_it_is_followed_until_it_is_over(desk: Desk) -> None:
    ids = people(desk)
    number, olga = await begun(desk, to=ids["Ada"]), desk.browser("Olga")
    page = await press(olga, number, "confirm", people=1)
    assert 'hx-trigger="every 4s"' in page
    assert "Ferma subito" in page

    leave(desk)
    progress = await olga.get(f"/desk/circulars/{number}/progress")

    assert progress.headers["hx-refresh"] == "true"
    assert "hx-trigger" not in progress.text
    assert "Fatto: 1 su 1" in progress.text
    assert "Ferma subito" not in (await olga.get(f"/desk/circulars/{number}")).text


async def test_it_is_stopped_with_one_press_by_who_may(desk: Desk) -> None:
    ids = people(desk)
    number, olga = await begun(desk, to=ids["Ada"]), desk.browser("Olga")
    await press(olga, number, "confirm", people=1)
    assert "Ferma subito" not in (await desk.browser("Vera").get(f"/desk/circulars/{number}")).text

    page = await press(olga, number, "stop")
    again = await press(olga, number, "stop")
    leave(desk)

    assert "Fermata: una persona non la riceve" in page
    assert "fermata prima che partisse" in page
    assert "Non c&#39;è nulla da fermare" in again
    assert outgoing(desk) == []


async def test_its_page_says_who_got_it_by_what_and_who_did_not_and_why(desk: Desk) -> None:
    number = await sent_to_all(desk)
    rita = desk.browser("Rita")

    everybody = (await rita.get(f"/desk/circulars/{number}")).text
    missed = (await rita.get(f"/desk/circulars/{number}?show_only=missed")).text

    assert "Fatto: 3 su 3" in everybody
    assert [name for name in ("Ada", "Bruno", "Carla") if f"{name} Esempio" in everybody] == ["Ada", "Bruno", "Carla"]
    assert "Ada Esempio" not in missed
    assert "nessun canale lo raggiunge" in missed
    assert (await rita.get(f"/desk/circulars/{number}?show_only=nonsense")).status_code == 422


async def test_who_was_not_reached_is_written_to_again_in_a_new_draft(desk: Desk) -> None:
    number = await sent_to_all(desk)

    page = await press(desk.browser("Vera"), number, "again")

    assert "Questa è una nuova bozza per chi non è stato raggiunto" in page
    assert "Una persona" in page


@pytest.mark.parametrize("format", ["csv", "xlsx"])
async def test_who_got_it_is_taken_along_and_runs_nothing(desk: Desk, format: str) -> None:
    number = await sent_to_all(desk)
    with desk.house.database.write() as session:
        session.exec(select(Referent).where(Referent.name == "Ada Esempio")).one().name = "=1+1"
    found = await desk.browser("Olga").get(f"/desk/circulars/{number}/export.{format}")

    if format == "csv":
        lines = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig")), delimiter=";"))
    else:
        sheet = load_workbook(io.BytesIO(found.content)).active
        assert sheet is not None
        lines = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert [line[0] for line in lines[1:]] == ["'=1+1" if format == "csv" else "=1+1", "Bruno Esempio", "Carla Esempio"]
    assert lines[1][2:4] == ["Inviato", "Telegram"]
    assert lines[3][5] == "nessun canale lo raggiunge"
    with desk.house.database.read() as session:
        assert "circular.export" in session.exec(select(Audit.action)).all()


@pytest.mark.parametrize("what", ["text", "people", "discard", "confirm", "files/1/detach"])
async def test_a_number_that_no_database_holds_is_no_error_of_ours(desk: Desk, what: str) -> None:
    number, beyond = await begun(desk), str(2**70)

    found = await desk.browser("Olga").send_form(
        f"/desk/circulars/{number}/{what}", "/desk/circulars/new", version=beyond, people=beyond, organization=beyond
    )

    assert found.status_code == 422


# --- answers


async def test_an_answer_shows_on_both_pages_what_it_answers(desk: Desk) -> None:
    number = await sent_to_all(desk)
    with desk.house.database.write() as session:
        question = desk.cast(session).a_question(desk.cast(session).a_referent("Dora Esempio"), circular_id=number)
        question_id = question.id

    page = (await desk.browser("Rita").get(f"/desk/questions/{question_id}")).text
    state = (await desk.browser("Rita").get(f"/desk/circulars/{number}")).text

    assert f'Risponde alla comunicazione: <a href="/desk/circulars/{number}">Avviso</a>' in page
    assert "Una risposta" in state
    assert f"/desk/questions/{question_id}" in state


async def test_on_their_own_page_people_read_it_and_answer_once_in_one_thread(desk: Desk) -> None:
    number = await sent_to_all(desk)
    with desk.house.database.write() as session:
        ids = {row.address: row.referent_id for row in session.exec(select(Outbox))}
        token = new_personal_link(session, ids["1"] or 0, desk.house.clock())
    browser, address = desk.browser(), f"/r/{token}/circulars/{number}"

    home, page = (await browser.get(f"/r/{token}")).text, (await browser.get(address)).text
    empty = await browser.send_form(address, address, text=" ")
    for text in ("Ci sarò", "Anzi no"):
        await browser.send_form(address, address, text=text)

    assert f'href="{address}">Avviso</a>' in home
    assert "Buongiorno Ada Esempio" in page
    assert empty.status_code == 422
    with desk.house.database.read() as session:
        assert [one.circular_id for one in session.exec(select(Question))] == [number]
    assert "Hai già risposto" in (await browser.get(address)).text


async def test_carla_whom_it_did_not_reach_finds_nothing_on_her_page(desk: Desk) -> None:
    number = await sent_to_all(desk)
    with desk.house.database.write() as session:
        token = new_personal_link(session, desk.cast(session).a_referent("Carla Altra").id, desk.house.clock())

    assert (await desk.browser().get(f"/r/{token}/circulars/{number}")).status_code == 404
    assert "Avviso" not in (await desk.browser().get(f"/r/{token}")).text
