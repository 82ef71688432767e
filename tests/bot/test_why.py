""" "Why do I get this?", under a reminder in the chat."""

from datetime import timedelta

from delivery.callbacks import why
from tests.bot.conftest import Stage
from tests.bot.test_tomorrow import reminded


def asks(stage: Stage, message_id: str = "77") -> None:
    query = {"id": "1", "from": stage.ada.message()["from"], "data": why()}
    message = stage.ada.message() | {"message_id": int(message_id)}
    stage.ada.sends({"callback_query": query | {"message": message}})


def test_it_says_which_deadline_and_since_when(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))

    asks(stage)

    assert "chiede un aggiornamento entro il 25 novembre 2026." in stage.ada.text
    assert "Segui questo progetto (CUP" in stage.ada.text
    assert "Smettono appena arriva l'aggiornamento." in stage.ada.text


def test_of_a_message_that_is_not_found_it_says_what_is_owed(stage: Stage) -> None:
    reminded(stage, stage.today + timedelta(days=1))

    asks(stage, "999")

    assert "chiede un aggiornamento entro il 25 novembre 2026." in stage.ada.text


def test_when_nothing_is_owed_it_says_so(stage: Stage) -> None:
    asks(stage)

    assert "Ora non ti chiediamo niente" in stage.ada.text
