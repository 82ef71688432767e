"""A form begun in the chat and finished on the page, and the other way round: at the same question, nothing lost."""

import re

import httpx
import pytest
from sqlmodel import select

from storage.people import new_personal_link
from storage.tables import Draft, DraftState, Referent, Update
from tests.desk.filling import sent_of
from tests.journeys.conftest import House, ada_of
from tests.journeys.talk import presses, says

pytestmark = pytest.mark.journey


def page_of(house: House) -> str:
    """Ada's own page."""
    with house.database.write() as session:
        return f"/r/{new_personal_link(session, session.exec(select(Referent)).one().id, house.clock())}"


def draft_of(house: House) -> Draft:
    with house.database.read() as session:
        return session.exec(select(Draft).order_by(Draft.id.desc())).first()  # type: ignore[attr-defined,return-value]


async def sends(house: House, address: str, action: str, **answers: str) -> httpx.Response:
    """Fills in the form at this address, as it stands there, and presses a button."""
    page = (await house.public.get(address)).raise_for_status().text
    answered = {f"a:{key}": [value] for key, value in answers.items()}
    return await house.public.post(address, data=sent_of(page) | answered | {"action": [action]}, follow_redirects=True)


async def test_begun_in_the_chat_and_finished_on_the_page(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/aggiorna", "A che punto è il progetto?")
    await presses(ada, "Esecuzione dei lavori", "Quanto dei lavori")
    await says(ada, "45,5", "Quanto avete speso")
    address = f"{page_of(house)}/drafts/{draft_of(house).id}"

    page = (await house.public.get(address)).text
    summary = await sends(house, address, "send", spent="250.000,00", expected_end="30 giugno 2027", problems="no")
    form = re.search(r'<form method="post" action="[^"]*/send".*?</form>', summary.text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    receipt = await house.public.post(f"{address}/send", data=fields, follow_redirects=True)

    assert "autofocus" in page.partition('id="q-spent"')[2].partition(">")[0]
    with house.database.read() as session:
        update = session.exec(select(Update)).one()
    assert f"<dd>{update.id}</dd>" in receipt.text
    assert update.answers["progress"] == "45.5"
    assert update.answers["expected_end"] == "2027-06-30"
    assert draft_of(house).state is DraftState.SENT


async def test_begun_on_the_page_and_finished_in_the_chat(house: House) -> None:
    ada = ada_of(house)
    page = page_of(house)
    own = (await house.public.get(page)).text
    button = re.search(r'name="form_id" value="(\d+)"><button[^>]*>Aggiornamento progetto', own)
    csrf = re.search(r'name="csrf" value="([^"]+)"', own)
    assert button is not None
    assert csrf is not None
    begun = await house.public.post(f"{page}/fill", data={"csrf": csrf[1], "form_id": button[1]})
    address = begun.headers["location"]

    elsewhere = await sends(house, address, "telegram", phase="03005", progress="45,5")
    link = re.search(r"\?start=(d\d+)", elsewhere.text)
    assert link is not None
    await says(ada, f"/start {link[1]}", "Quanto avete speso")
    await says(ada, "250.000,00", "Quando pensate di finire?")
    await says(ada, "30 giugno 2027", "C'è qualche problema")
    await presses(ada, "No", "Vuoi aggiungere una nota?")
    await presses(ada, "Salta", "È tutto giusto?")
    await presses(ada, "Invia", "ricevuto")

    with house.database.read() as session:
        update = session.exec(select(Update)).one()
    assert update.answers["phase"] == "03005"
    assert update.answers["progress"] == "45.5"
    assert update.answers["spent"] == "250000"


async def test_a_chat_that_goes_on_meanwhile_is_told_apart_from_the_page(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/aggiorna", "A che punto è il progetto?")
    address = f"{page_of(house)}/drafts/{draft_of(house).id}"
    page = (await house.public.get(address)).text
    await presses(ada, "Esecuzione dei lavori", "Quanto dei lavori")

    behind = sent_of(page) | {"a:phase": ["03004"], "action": ["save"]}
    answered = await house.public.post(address, data=behind)

    assert answered.status_code == 409
    assert "Progetto esecutivo" in answered.text
    assert "Esecuzione dei lavori" in answered.text
    assert draft_of(house).answers == {"phase": "03005"}
