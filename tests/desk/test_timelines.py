"""The line of time on the desk's pages: of an obligation, of a person. Staff see it, Carla does not."""

from datetime import timedelta

import pytest
from sqlmodel import select

from reminders.sweep import remind_one
from storage.tables import Following, Project, Referent
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import a_deadline, an_obligation, text_of


def reminded(desk: Desk, days: int = 7) -> tuple[str, int]:
    """A sweep has been: the page of the one obligation that somebody follows, and Ada's number."""
    deadline = a_deadline(desk, days=days)
    with desk.house.database.write() as session:
        while remind_one(session, desk.house.clock()):
            pass
        ada = session.exec(select(Referent.id)).one()
    return f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}", ada


async def test_the_obligation_tells_the_message_and_that_it_waits(desk: Desk) -> None:
    url, _ada = reminded(desk)

    page = text_of((await desk.browser("Rita").get(url)).text)

    assert "il messaggio 1 aspetta di partire, su Telegram: dal 24 novembre 2026, 10:00." in page


async def test_what_staff_did_stands_in_the_line_with_their_name(desk: Desk) -> None:
    url, _ada = reminded(desk)
    olga = desk.browser("Olga")
    await olga.send_form(f"{url}/waive", page=url, reason="Progetto concluso")

    page = text_of((await olga.get(url)).text)

    assert "Olga Esempio · ha" in page


async def test_the_line_may_be_narrowed_to_one_person(desk: Desk) -> None:
    url, ada = reminded(desk)
    with desk.house.database.write() as session:
        bruno = desk.cast(session).a_referent("Bruno Esempio", chat=102)
        project = session.exec(select(Project.id).where(Project.title == "Ex mercato")).one()
        session.add(Following(referent_id=bruno.id, project_id=project, since=desk.house.clock() - timedelta(days=90)))
        session.flush()
        while remind_one(session, desk.house.clock() + timedelta(days=6)):
            pass
        number = bruno.id
    rita = desk.browser("Rita")

    both, his = (await rita.get(url)).text, (await rita.get(f"{url}?person={number}")).text

    assert "<strong>Ada Esempio</strong>" in both
    assert "<strong>Ada Esempio</strong>" not in his
    assert "<strong>Bruno Esempio</strong>" in his
    assert ada != number


@pytest.mark.parametrize("person", ["987654", "2147483648", "x", "-1", "0"])
async def test_a_person_who_is_not_in_it_narrows_nothing_and_breaks_nothing(desk: Desk, person: str) -> None:
    url, _ada = reminded(desk)

    answer = await desk.browser("Rita").get(f"{url}?person={person}")

    assert answer.status_code in (200, 422)


async def test_a_person_has_their_reminders_with_what_each_is_about(desk: Desk) -> None:
    url, ada = reminded(desk)

    page = (await desk.browser("Rita").get(f"/desk/referents/{ada}/reminders")).text

    assert "Ex mercato" in page
    assert "abbiamo preparato un promemoria" in page
    assert "è previsto un promemoria" in page
    assert f"/desk/obligations/{url.rsplit('/', 1)[1]}" in page


async def test_the_short_address_leads_to_the_obligation(desk: Desk) -> None:
    url, _ada = reminded(desk)

    answer = await desk.browser("Rita").get(f"/desk/obligations/{url.rsplit('/', 1)[1]}")

    assert answer.headers["location"] == url


async def test_of_whom_nothing_is_due_the_page_says_so(desk: Desk) -> None:
    with desk.house.database.write() as session:
        carla = desk.cast(session).a_referent("Carla Esempio").id

    page = (await desk.browser("Rita").get(f"/desk/referents/{carla}/reminders")).text

    assert "Ancora nessun promemoria" in page


async def test_the_referent_leads_to_their_reminders(desk: Desk) -> None:
    _url, ada = reminded(desk)

    assert f'href="/desk/referents/{ada}/reminders"' in (await desk.browser("Rita").get(f"/desk/referents/{ada}")).text


@pytest.mark.parametrize("url", ["/desk/obligations/1", "/desk/referents/1/reminders"])
async def test_carla_who_has_no_account_sees_no_line(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303
