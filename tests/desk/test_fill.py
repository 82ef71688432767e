"""A form filled in on one's own page, without a script: begun, saved, sent, thrown away. Nobody else's is there."""

from datetime import datetime, timedelta
from io import BytesIO

from sqlmodel import select

from intake.files import add_file, store_file
from storage.attachments import put_in_draft
from storage.reports import close_obligation
from storage.tables import (
    Channel,
    Deadline,
    Draft,
    DraftState,
    Following,
    Form,
    FormVersion,
    Obligation,
    ObligationState,
    Organization,
    Project,
    Referent,
)
from tests.desk.conftest import CSRF, Desk
from tests.desk.filling import Filler, a_filler, begins, changed, form_id, text_of, the_draft, updates
from tests.desk.test_personal import PDF, Person, a_person, owes

ANSWERS = {
    "phase": "03005",
    "progress": "45,5",
    "spent": "125.000,50",
    "expected_end": "30 giugno 2027",
    "problems": "no",
}
KEPT = {
    "phase": "03005",
    "progress": "45.5",
    "spent": "125000.5",
    "expected_end": "2027-06-30",
    "problems": "no",
}


def obligations(desk: Desk) -> list[Obligation]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Obligation).order_by("due_on")))


def drafts(desk: Desk) -> list[Draft]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Draft).order_by("id")))


# --- the whole way


async def test_an_update_is_filled_in_and_sent_from_the_page(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now + timedelta(days=4)).date(), "Novembre")
    filler = await a_filler(desk, ada, "project-update")

    summary = await filler.presses("send", ANSWERS)
    receipt = await filler.sends()

    assert "Esecuzione dei lavori" in summary.text
    assert "30 giugno 2027" in summary.text
    [update] = updates(desk)
    assert update.answers == KEPT
    assert update.channel == "web"
    assert text_of(receipt.text).count(f"Numero {update.id} ") == 1
    assert "Novembre" in receipt.text
    assert obligations(desk)[0].state is ObligationState.DONE
    with desk.house.database.read() as session:
        assert session.get_one(Project, ada.project).progress_tenths == 455


async def test_what_was_sent_is_listed_with_its_form(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    await filler.sends()

    page = text_of((await filler.browser.get(filler.person.page)).text)

    assert "Inviati Aggiornamento progetto: Ex mercato n. 1 · 24 nov 2026" in page


async def test_what_was_saved_is_there_when_they_come_back(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    saved = await filler.presses("save", {"progress": "12,5", "notes": "Prima riga\r\nSeconda riga"})
    await filler.reads()

    assert "Quello che hai scritto è salvato." in saved.text
    assert 'name="a:progress" type="text" value="12,5"' in filler.page
    assert ">\nPrima riga\nSeconda riga</textarea>" in filler.page
    assert filler.draft().answers == {"progress": "12.5", "notes": "Prima riga\nSeconda riga"}
    assert "2 domande su 6 con risposta" in filler.page


async def test_looking_at_the_pages_of_a_form_changes_nothing(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk, chat=1), "project-update")
    await filler.presses("save", ANSWERS)
    before = filler.draft()

    for page in ("", "/summary", "/discard", "/telegram"):
        assert (await filler.browser.get(filler.address + page)).status_code == 200

    assert filler.draft() == before
    assert updates(desk) == []


async def test_pressing_save_without_a_change_is_no_change(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", ANSWERS)
    before = filler.draft().revision

    await filler.presses("save")

    assert filler.draft().revision == before


async def test_sending_twice_sends_once(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    summary = (await filler.browser.get(f"{filler.address}/summary")).text
    csrf = CSRF.search(summary)
    assert csrf is not None
    form = {"csrf": csrf[1], "revision": str(filler.draft().revision)}

    sent = [await filler.browser.post(f"{filler.address}/send", data=form) for _time in range(2)]

    assert (
        sent[0].headers["location"] == sent[1].headers["location"] == f"{filler.person.page}/sent/{updates(desk)[0].id}"
    )
    assert len(updates(desk)) == 1


async def test_it_closes_what_is_still_owed_when_a_colleague_was_quicker(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now - timedelta(days=4)).date(), "Ottobre")
    owes(desk, ada, (now + timedelta(days=4)).date(), "Novembre")
    october, november = (one.id for one in obligations(desk))
    browser = desk.browser()
    begun = await begins(desk, ada, browser, obligation_id=october)
    filler = Filler(desk, ada, browser, begun.headers["location"], "")
    await filler.reads()
    await filler.presses("send", ANSWERS)
    with desk.house.database.write() as session:
        close_obligation(session, october, now)

    receipt = await filler.sends()

    assert "Novembre" in receipt.text
    assert updates(desk)[0].obligation_id == november


async def test_who_goes_back_to_a_form_that_was_sent_is_led_to_its_receipt(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    await filler.sends()

    answered = await filler.posts("save", {"progress": "99"})

    assert answered.headers["location"].endswith(f"/sent/{updates(desk)[0].id}")
    assert updates(desk)[0].answers == KEPT


async def test_files_that_came_by_the_chat_are_named_before_they_go_along(desk: Desk, now: datetime) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    with desk.house.database.write() as session:
        stored = store_file(desk.house.files, "verbale.pdf", "application/pdf", BytesIO(PDF))
        row = add_file(session, stored, now=now, referent_id=filler.person.id)
        put_in_draft(session, [row.id], filler.draft_id)

    summary = await filler.presses("send", ANSWERS)

    assert "Dalla chat arrivano insieme questi file: verbale.pdf" in text_of(summary.text)


async def test_the_address_of_a_draft_that_was_sent_leads_to_its_receipt(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    await filler.sends()

    answered = await filler.browser.get(filler.address)

    assert answered.headers["location"].endswith(f"/sent/{updates(desk)[0].id}")


async def test_nothing_incomplete_is_sent_even_by_hand(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"progress": "10"})
    fields = {name: value[0] for name, value in filler.filled("", {}).items() if name in ("csrf", "revision")}

    answered = await filler.browser.post(f"{filler.address}/send", data=fields, follow_redirects=True)

    assert updates(desk) == []
    assert 'id="fill"' in answered.text


async def test_what_changed_after_the_summary_is_looked_at_again(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    summary = (await filler.browser.get(f"{filler.address}/summary")).text
    csrf = CSRF.search(summary)
    assert csrf is not None
    seen = filler.draft().revision
    changed(desk, filler.draft_id, progress="50")

    answered = await filler.browser.post(
        f"{filler.address}/send", data={"csrf": csrf[1], "revision": str(seen)}, follow_redirects=True
    )

    assert updates(desk) == []
    assert "Intanto qualcosa è cambiato" in answered.text
    assert "50%" in answered.text


async def test_which_deadline_it_is_for_is_said_when_several_are_due(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now - timedelta(days=4)).date(), "Ottobre")
    owes(desk, ada, (now + timedelta(days=4)).date(), "Novembre")
    filler = await a_filler(desk, ada, "project-update")
    await filler.presses("send", ANSWERS)
    october, november = obligations(desk)

    receipt = await filler.sends(obligation_id=str(november.id))

    assert "Novembre" in text_of(receipt.text).partition("Ancora da inviare")[0]
    assert "Ottobre" in text_of(receipt.text).partition("Ancora da inviare")[2]
    assert [one.state for one in obligations(desk)] == [ObligationState.OPEN, ObligationState.DONE]
    assert october.id != november.id


async def test_after_sending_they_go_on_with_the_next_project(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = session.exec(select(Organization)).first()
        assert organization is not None
        other = cast.a_project(organization, title="Ex scuola").id
        cast.add(Following(referent_id=ada.id, project_id=other, since=now))
    owes(desk, ada, (now - timedelta(days=4)).date(), "Ottobre")
    owes(desk, Person(ada.id, other, ada.token), (now + timedelta(days=4)).date(), "Novembre")
    filler = await a_filler(desk, ada, "project-update", project_id=ada.project)
    await filler.presses("send", ANSWERS)

    receipt = await filler.sends()
    following = await begins(desk, ada, filler.browser, obligation_id=obligations(desk)[1].id)

    assert "Ex scuola" in text_of(receipt.text).partition("Ancora da inviare")[2]
    assert the_draft(desk, int(following.headers["location"].rpartition("/")[2])).project_id == other


# --- beginning


async def test_the_page_lists_what_can_be_filled_in_and_what_was_begun(desk: Desk) -> None:
    ada = a_person(desk)
    await a_filler(desk, ada, "local-need")

    page = text_of((await desk.browser().get(ada.page)).text)

    assert page.index("Iniziati e non inviati") < page.index("Comune di Ada Esempio Fabbisogno")
    assert page.index("Che cosa puoi compilare") < page.index("Iscrizione evento")


async def test_the_same_form_is_taken_up_where_it_was_left(desk: Desk) -> None:
    ada = a_person(desk)
    filler = await a_filler(desk, ada, "project-update")
    await filler.presses("save", {"progress": "10"})

    again = await a_filler(desk, ada, "project-update")

    assert again.address == filler.address
    assert 'value="10"' in again.page
    assert len(drafts(desk)) == 1


async def test_what_was_begun_in_the_chat_is_taken_up_here(desk: Desk, now: datetime) -> None:
    ada = a_person(desk, chat=1)
    filler = await a_filler(desk, ada, "project-update")
    with desk.house.database.write() as session:
        row = session.get_one(Draft, filler.draft_id)
        row.state, row.channel = DraftState.OPEN, Channel.TELEGRAM

    again = await a_filler(desk, ada, "project-update")

    assert again.address == filler.address


async def test_a_form_about_one_of_several_projects_asks_which(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        other = cast.a_project(cast.an_organization("Altro ente"), title="Ex scuola")
        cast.add(Following(referent_id=ada.id, project_id=other.id, since=now))
        number = other.id
    browser = desk.browser()

    asked = await begins(desk, ada, browser, form_id=form_id(desk, "project-update"))
    page = (await browser.get(asked.headers["location"])).text
    begun = await begins(desk, ada, browser, form_id=form_id(desk, "project-update"), project_id=number)

    assert "Ex mercato" in page
    assert "Ex scuola" in page
    assert the_draft(desk, int(begun.headers["location"].rpartition("/")[2])).project_id == number


async def test_a_need_is_told_for_the_organisation(desk: Desk) -> None:
    ada = a_person(desk)

    filler = await a_filler(desk, ada, "local-need")

    assert filler.draft().project_id is None
    assert "Comune di Ada Esempio" in filler.page


async def test_a_deadline_begins_the_version_that_it_asks_for(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, now.date())
    with desk.house.database.write() as session:
        obligation = session.exec(select(Obligation)).one()
        deadline = session.get_one(Deadline, obligation.deadline_id)
        newest = session.exec(select(FormVersion).where(FormVersion.form_id == deadline.form_id)).one()
        deadline.form_version_id = newest.id
        session.add(FormVersion(form_id=deadline.form_id, number=9, definition=newest.definition, published_at=now))
    browser = desk.browser()

    begun = await begins(desk, ada, browser, obligation_id=obligation.id)

    draft = the_draft(desk, int(begun.headers["location"].rpartition("/")[2]))
    assert draft.form_version_id == newest.id
    assert draft.obligation_id == obligation.id


async def test_a_form_that_was_retired_is_not_begun(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    number = form_id(desk, "local-need")
    with desk.house.database.write() as session:
        session.get_one(Form, number).retired_at = now

    answered = await begins(desk, ada, desk.browser(), form_id=number)

    assert answered.status_code == 409
    assert "Questo modulo non si usa più." in answered.text
    assert drafts(desk) == []


async def test_who_reads_english_gets_the_form_and_the_page_in_english(desk: Desk) -> None:
    ben = a_person(desk, "Ben Example")
    with desk.house.database.write() as session:
        session.get_one(Referent, ben.id).language = "en"

    filler = await a_filler(desk, ben, "project-update")
    listed = (await filler.browser.get(ben.page)).text

    assert "Where does the project stand?" in filler.page
    assert "Check and send" in filler.page
    assert "Project update" in listed


# --- elsewhere, and away


async def test_going_on_in_telegram_saves_where_they_are(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk, chat=1), "project-update")

    page = await filler.presses("telegram", {"progress": "10"})

    assert f"https://t.me/raccordo_esempio_bot?start=d{filler.draft_id}" in page.text
    assert filler.draft().answers == {"progress": "10"}
    assert filler.draft().step == "phase"


async def test_who_comes_from_the_chat_goes_on_at_its_question(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk, chat=1), "project-update")
    elsewhere = filler.page
    with desk.house.database.write() as session:
        row = session.get_one(Draft, filler.draft_id)
        row.state, row.channel, row.step = DraftState.OPEN, Channel.TELEGRAM, "spent"

    page = await filler.reads()

    assert "autofocus" in page.partition('id="q-spent"')[2].partition(">")[0]
    assert page.count("autofocus") == 1
    assert "autofocus" not in elsewhere


async def test_who_is_not_on_telegram_is_not_sent_there(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.browser.get(f"{filler.address}/telegram")

    assert "Telegram" not in filler.page
    assert answered.status_code == 404


async def test_a_form_that_is_thrown_away_is_gone(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    asked = await filler.presses("discard", {"progress": "10"})
    answered = await filler.browser.send_form(f"{filler.address}/discard", f"{filler.address}/discard")

    assert "Vuoi buttare questo modulo?" in asked.text
    assert answered.headers["location"] == filler.person.page
    assert filler.draft().state is DraftState.CANCELLED
    assert (await filler.browser.get(filler.address)).status_code == 404
