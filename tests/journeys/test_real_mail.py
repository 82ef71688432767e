"""Our mail through a real MTA: accepted, relayed, and the same at the other end."""

from email.utils import parsedate_to_datetime

import pytest
from sqlmodel import select

from sandbox.mail import MailSandbox
from storage.tables import Channel, Outbox, OutboxKind, OutboxState
from tests.cast import Cast
from tests.journeys.conftest import House, running_house
from tests.journeys.postfix import running_postfix

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_answer_passes_through_postfix_unharmed(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("house")
    far_end = MailSandbox()
    await far_end.start()
    async with running_postfix(far_end.port) as port, running_house(database_url, folder, smtp_port=port) as house:
        await _is_answered(house, "Sì: l'età dell'opera è già ≥ 10 anni.\nA presto, così è.")
        mail = await far_end.wait_for_mail("bruno@example.org", timeout=60)
        await house.all_sent()
        with house.database.read() as session:
            sent = set(session.exec(select(Outbox.state).where(Outbox.kind == OutboxKind.ANSWER)))
    await far_end.stop()

    assert "l'età dell'opera è già ≥ 10 anni." in mail.text
    assert mail.message["Message-ID"].endswith("@example.org>")
    assert parsedate_to_datetime(mail.message["Date"]).tzinfo is not None
    assert "mta.example.org" in mail.message["Received"]
    assert sent == {OutboxState.SENT}


async def _is_answered(house: House, text: str) -> None:
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization("Ente di prova")
        bruno = cast.a_referent("Bruno Esempio", organization, email="bruno@example.org")
        cast.a_question(bruno, "Quanti anni?", channel=Channel.WEB)
    await house.answers(1, text)
