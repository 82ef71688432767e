"""From a stranger's first message to the first update of the person who was let in, over real sockets."""

import re

import pytest
from sqlmodel import select

from storage.people import referent_at
from storage.tables import AccessRequest, AccessState, Channel, Update
from tests.cast import Cast
from tests.journeys.conftest import House
from tests.journeys.talk import answers_everything, presses, says

pytestmark = pytest.mark.journey


async def test_a_stranger_asks_is_let_in_and_sends_an_update(house: House) -> None:
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        cast.a_project(cast.an_organization("Ente di prova"), title="Ex filanda")
    dario = house.telegram.add_person(1004, "Dario")

    await says(dario, "/start", "Non ti conosco ancora")
    await presses(dario, "Chiedi l'accesso", "Come ti chiami?")
    await says(dario, "Dario Esempio", "Per quale ente lavori?")
    await says(dario, "ente di", "Quale di questi?")
    await presses(dario, "Ente di prova", "e-mail di lavoro")
    await says(dario, "dario@example.org", "È tutto giusto?")
    await presses(dario, "mandami il codice", "sei cifre")
    mail = await house.mail.wait_for_mail("dario@example.org", timeout=60)
    code = re.search(r"\b\d{3} \d{3}\b", mail.text)
    assert code is not None
    await says(dario, code[0], "la tua richiesta è arrivata all'ufficio")

    await house.service.ticker.tick()
    notice = await house.mail.wait_for_mail("olga@example.org", timeout=60)
    page = "/desk/access/1"
    assert "Dario Esempio" in (await house.desk.get("/desk/access")).text
    after = dario.chat[-1].id
    fields = {"name": "Dario Esempio", "organization": "Ente di prova", "who": "new", "step": "save"}
    await house.post(page, f"{page}/approve", **fields)
    await dario.wait_for_message("l'ufficio ha detto di sì", after=after, timeout=60)
    await presses(dario, "Aggiorna un progetto", "A che punto è il progetto?")
    await answers_everything(dario)

    assert "/desk/access" in notice.text
    assert mail.message["Auto-Submitted"] == "auto-generated"
    with house.database.read() as session:
        person = referent_at(session, Channel.TELEGRAM, "1004")
        assert person is not None
        assert session.exec(select(AccessRequest.state)).all() == [AccessState.APPROVED]
        assert session.exec(select(Update.referent_id)).all() == [person.id]
