import re
from typing import Any, cast

import pytest
from telegram import Bot

from bot.commands import LISTED, listed, names, set_up
from bot.dialogue import _COMMANDS
from facts.languages import Language


@pytest.mark.parametrize("language", Language)
def test_every_listed_command_is_answered_and_allowed_by_telegram(language: Language) -> None:
    for command in listed(language):
        assert command.command in _COMMANDS
        assert re.fullmatch(r"[a-z0-9_]{1,32}", command.command)
        assert 3 <= len(command.description) <= 256


def test_both_languages_describe_the_commands_differently() -> None:
    italian, english = listed(Language.IT), listed(Language.EN)

    assert [one.description for one in italian][:2] == ["Aggiorna un progetto", "Fai una domanda"]
    assert [one.description for one in english][:2] == ["Update a project", "Ask a question"]
    assert len(italian) == len(english) == len(LISTED)
    assert names("aggiorna") == ("aggiorna", "update")


async def test_telegram_is_told_the_commands_of_both_languages() -> None:
    told: list[dict[str, Any]] = []

    class Wire:
        async def set_my_commands(self, commands: object, **other: Any) -> bool:
            told.append(other)
            return True

    await set_up(cast(Bot, Wire()))

    assert [one.get("language_code") for one in told] == [None, "en"]
    assert {one["scope"].type for one in told} == {"all_private_chats"}
