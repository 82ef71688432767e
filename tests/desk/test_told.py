"""Who was told what: found by project, organisation, person, deadline and day; read, and taken along."""

from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from reminders.again import remind_tomorrow
from reminders.sweep import remind_one
from storage.tables import Audit, Channel, Deadline, Outbox, OutboxState, Project, Referent
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import a_deadline, text_of


def told(desk: Desk) -> Outbox:
    """Ada was reminded of Ex mercato, by mail, and it has left."""
    a_deadline(desk, days=7)
    with desk.house.database.write() as session:
        while remind_one(session, desk.house.clock()):
            pass
        row = session.exec(select(Outbox)).one()
        row.channel, row.address, row.provider_id = Channel.EMAIL, "ada@example.org", "<abc@example.org>"
        row.state, row.sent_at = OutboxState.SENT, desk.house.clock()
        row.body = {"html": "<b>Manca un aggiornamento</b>: =1+1", "subject": "Promemoria"}
        session.add(row)
        session.flush()
        session.refresh(row)
        session.expunge(row)
        return row


async def test_without_a_search_nothing_is_read(desk: Desk) -> None:
    told(desk)

    page = (await desk.browser("Rita").get("/desk/told")).text

    assert "Che cosa cerchi?" in page
    assert "Ada Esempio" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("project=mercato", True),
        ("project=CUP", True),
        ("organization=Melzo", True),
        ("person=ada", True),
        ("deadline=DEADLINE", True),
        ("deadline=987654", False),
    ],
)
async def test_a_reminder_is_found_by_each_thing(desk: Desk, query: str, found: bool) -> None:
    told(desk)
    with desk.house.database.read() as session:
        cup = session.exec(select(Project.cup).where(Project.title == "Ex mercato")).one()
        deadline = session.exec(select(Deadline.id)).one()
    query = query.replace("CUP", cup).replace("DEADLINE", str(deadline))

    page = (await desk.browser("Rita").get(f"/desk/told?{query}")).text

    assert ("7 giorni prima della scadenza" in page) is found


@pytest.mark.parametrize("query", ["project=biblioteca", "organization=Nessuna", "person=Carla", "project=%00"])
async def test_what_is_about_something_else_is_not_found(desk: Desk, query: str) -> None:
    told(desk)

    answer = await desk.browser("Rita").get(f"/desk/told?{query}")

    assert answer.status_code == 200
    assert "Ada Esempio" not in answer.text


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [(0, 0, True), (1, 1, False), (-1, -1, False), (-1, 0, True), (0, 1, True)],
)
async def test_the_days_narrow_it_both_included(desk: Desk, since: int, until: int, found: bool) -> None:
    told(desk)
    first, last = ((desk.house.clock() + timedelta(days=days)).date() for days in (since, until))

    page = (await desk.browser("Rita").get(f"/desk/told?person=ada&since={first}&until={last}")).text

    assert ("7 giorni prima della scadenza" in page) is found


async def test_days_that_are_none_narrow_nothing(desk: Desk) -> None:
    told(desk)

    page = (await desk.browser("Rita").get("/desk/told?person=ada&since=ieri&until=9999-12-31&deadline=x")).text

    assert "7 giorni prima della scadenza" in page


async def test_what_was_told_again_is_found_too(desk: Desk) -> None:
    told(desk)
    with desk.house.database.write() as session:
        ada = session.exec(select(Referent.id)).one()
        assert remind_tomorrow(session, ada, "100", "", desk.house.clock()) is not None
        while remind_one(session, desk.house.clock() + timedelta(days=1)):
            pass

    page = text_of((await desk.browser("Rita").get("/desk/told?person=ada")).text)

    assert "Di nuovo: abbiamo preparato un promemoria" in page
    assert "2 righe." in page


async def test_the_row_says_by_which_way_and_what_became_of_it(desk: Desk) -> None:
    row = told(desk)

    page = text_of((await desk.browser("Rita").get("/desk/told?person=ada")).text)

    assert f"Il messaggio {row.id} è partito, per e-mail (ada@example.org)." in page
    assert "Manca un aggiornamento" not in page


async def test_the_words_are_shown_on_demand(desk: Desk) -> None:
    row = told(desk)

    page = (await desk.browser("Rita").get(f"/desk/told/{row.id}")).text

    assert "Manca un aggiornamento: =1+1" in page
    assert "Promemoria" in page
    assert "&lt;abc@example.org&gt;" in page


async def test_only_reminders_are_read_there(desk: Desk) -> None:
    row = told(desk)
    with desk.house.database.write() as session:
        session.get_one(Outbox, row.id).kind = "answer"  # type: ignore[assignment]  # any other

    assert (await desk.browser("Rita").get(f"/desk/told/{row.id}")).status_code == 404


@pytest.mark.parametrize("format", ["csv", "xlsx"])
async def test_it_is_taken_along_with_the_words_and_stands_in_the_log(desk: Desk, format: str) -> None:
    told(desk)

    answer = await desk.browser("Rita").get(f"/desk/told/export.{format}?person=ada")

    if format == "csv":
        assert "Manca un aggiornamento: =1+1" in answer.content.decode("utf-8-sig")
    else:
        sheet = load_workbook(BytesIO(answer.content)).active
        assert sheet is not None
        assert [cell.value for cell in sheet[2]][-1] == "Manca un aggiornamento: =1+1"
        assert {cell.data_type for cell in sheet[2]} <= {"s", "n", "d"}
    with desk.house.database.read() as session:
        (act,) = session.exec(select(Audit).where(Audit.action == "told.export")).all()
    assert (act.actor_id, act.detail) == (desk.people["Rita"], {"rows": 1})


@pytest.mark.parametrize(("url", "status"), [("export.pdf?person=ada", 404), ("export.csv", 422), ("x", 404)])
async def test_what_cannot_be_taken_along_is_refused(desk: Desk, url: str, status: int) -> None:
    assert (await desk.browser("Rita").get(f"/desk/told/{url}")).status_code == status


async def test_a_chat_is_not_named(desk: Desk) -> None:
    row = told(desk)
    with desk.house.database.write() as session:
        found = session.get_one(Outbox, row.id)
        found.channel, found.address = Channel.TELEGRAM, "100200300"

    page = (await desk.browser("Rita").get("/desk/told?person=ada")).text
    file = await desk.browser("Rita").get("/desk/told/export.csv?person=ada")

    assert "su Telegram" in page
    assert "100200300" not in page + file.text


@pytest.mark.parametrize("url", ["/desk/told", "/desk/told/1", "/desk/told/export.csv?person=ada"])
async def test_carla_who_has_no_account_finds_nothing(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303
