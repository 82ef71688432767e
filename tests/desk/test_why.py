"""Why somebody got a reminder, on their own page: theirs only, in their language."""

from sqlmodel import select

from storage.people import new_personal_link
from storage.tables import Outbox, Referent
from tests.desk.conftest import Desk
from tests.desk.test_timelines import reminded


def page_of(desk: Desk, *, by_message: bool = True) -> str:
    reminded(desk)
    with desk.house.database.write() as session:
        ada = session.exec(select(Referent)).one()
        row = session.exec(select(Outbox)).one()
        return f"/r/{new_personal_link(session, ada.id, desk.house.clock(), row.id if by_message else None)}"


async def test_the_page_says_what_the_reminder_told_and_how_it_stops(desk: Desk) -> None:
    page = page_of(desk)

    text = (await desk.browser().get(f"{page}/why")).text

    assert "Il promemoria parlava di questo:" in text
    assert "La scadenza «Rendicontazione» chiede un aggiornamento entro il 1 dicembre 2026." in text
    assert f'href="{page}/preferences"' in text
    assert "Biblioteca" not in text


async def test_by_another_key_the_page_says_what_they_are_reminded_of(desk: Desk) -> None:
    page = page_of(desk, by_message=False)

    assert "Ti mandiamo promemoria su questo:" in (await desk.browser().get(f"{page}/why")).text


async def test_it_speaks_english_to_who_reads_english(desk: Desk) -> None:
    page = page_of(desk)
    with desk.house.database.write() as session:
        session.exec(select(Referent)).one().language = "en"

    assert "Why do I get this?" in (await desk.browser().get(f"{page}/why")).text


async def test_of_whom_nothing_is_asked_the_page_says_so(desk: Desk) -> None:
    with desk.house.database.write() as session:
        carla = desk.cast(session).a_referent("Carla Esempio")
        token = new_personal_link(session, carla.id, desk.house.clock())

    assert "Ora non ti chiediamo niente" in (await desk.browser().get(f"/r/{token}/why")).text


async def test_a_key_that_opens_nothing_shows_nothing(desk: Desk) -> None:
    assert (await desk.browser().get("/r/nonsense/why")).status_code == 404
