"""The whole job with Telegram posting to us, over real sockets; and a change of door while people write."""

from pathlib import Path

import pytest
from sqlmodel import col, select

from app.settings import TelegramMode
from storage.tables import Inbox, InboxState, Question, QuestionState, Update
from tests.journeys.conftest import ada_of, running_house
from tests.journeys.talk import gives_an_update, presses, says

pytestmark = pytest.mark.journey


async def test_updates_questions_and_answers_pass_through_the_webhook(database_url: str, tmp_path: Path) -> None:
    async with running_house(database_url, tmp_path, mode=TelegramMode.WEBHOOK) as house:
        ada = ada_of(house)
        await gives_an_update(ada)
        await says(ada, "/domanda Entro quando?", "Di quale progetto")
        receipt = await presses(ada, "Nessun progetto", "inviata")
        await house.answers(1, "Entro il 10.")
        await ada.wait_for_message("Entro il 10.", after=receipt.id, timeout=60)
        await house.all_sent()

        with house.database.read() as session:
            update, question = session.exec(select(Update)).one(), session.exec(select(Question)).one()
            states = set(session.exec(select(col(Inbox.state))))
        polled = [entry for entry in house.telegram.ledger.entries if entry.method == "getUpdates"]
    assert update.answers["progress"] == "45.5"
    assert question.state is QuestionState.ANSWERED
    assert states == {InboxState.DONE}
    assert polled == [], "it fetched as well"
