"""python-telegram-bot's own client over a real socket."""

import asyncio

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest

from sandbox.telegram import Drop, Fault, Person, TelegramSandbox
from tests.sandbox.conftest import TOKEN


async def test_a_whole_dialogue(bot: Bot, ada: Person, telegram: TelegramSandbox) -> None:
    ada.sends("/start abc")
    (start,) = await bot.get_updates(timeout=1)
    assert start.message is not None
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Sì", callback_data="yes")]])
    asked = await bot.send_message(ada.id, "Sei <b>Ada</b>?", parse_mode="HTML", reply_markup=buttons)
    press = ada.presses_label("Sì")
    (pressed,) = await bot.get_updates(offset=start.update_id + 1, timeout=1)
    assert pressed.callback_query is not None
    await pressed.callback_query.answer("Fatto")
    await asked.edit_text("Ciao Ada")
    await start.message.reply_text("Eccoci", do_quote=True)

    assert [(message.from_bot, message.text) for message in ada.chat] == [
        (False, "/start abc"),
        (True, "Ciao Ada"),
        (True, "Eccoci"),
    ]
    assert ada.last.reply_to == start.message.message_id
    assert press.text == "Fatto"
    assert telegram.ledger.counts()["call sendMessage 200"] == 2


async def test_the_bot_can_introduce_itself(bot: Bot, ada: Person, telegram: TelegramSandbox) -> None:
    await bot.set_my_commands([("aggiorna", "Nuovo aggiornamento")])
    await bot.set_my_commands([("update", "New update")], language_code="en")
    await bot.set_my_description("Il banco di collegamento")
    await bot.send_chat_action(ada.id, "typing")

    assert bot.username == "RaccordoEsempioBot"
    assert (await bot.get_chat(ada.id)).first_name == "Ada"
    assert (await bot.get_my_description()).description == "Il banco di collegamento"
    assert [command.command for command in await bot.get_my_commands(language_code="en")] == ["update"]
    assert [command["command"] for command in telegram.bot.commands_for(ada)] == ["aggiorna"]


async def test_errors_become_the_library_s_own_exceptions(
    bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(404, "x")
    for _ in range(6):
        await bot.send_message(ada.id, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(ada.id, "x")
    ada.blocks()
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(ada.id, "x")


async def test_a_wrong_token_is_refused(url: str) -> None:
    async with HTTPXRequest() as request:
        with pytest.raises(InvalidToken):
            await Bot("1:wrong", base_url=f"{url}/bot", request=request).get_me()


async def test_an_answer_can_get_lost_after_the_message_went_out(
    bot: Bot, ada: Person, telegram: TelegramSandbox
) -> None:
    telegram.faults = lambda method, params: Fault(drop=Drop.AFTER if params["text"] == "dopo" else Drop.BEFORE)

    for text in ("dopo", "prima"):
        with pytest.raises(NetworkError, match="disconnected"):
            await bot.send_message(ada.id, text)

    assert [message.text for message in ada.chat] == ["dopo"]
    assert [entry.answered for entry in telegram.ledger.accepted("sendMessage")] == [False]


async def test_two_programmes_polling_meet_a_conflict(
    bot: Bot, url: str, ada: Person, telegram: TelegramSandbox
) -> None:
    older = asyncio.create_task(bot.get_updates(timeout=20))
    await telegram.wait_for(lambda: telegram.world.updates.is_polled)
    async with Bot(TOKEN, base_url=f"{url}/bot") as other:
        newer = asyncio.create_task(other.get_updates(timeout=20))

        with pytest.raises(Conflict):
            await older
        ada.sends("ciao")
        assert len(await newer) == 1


async def test_waiting_for_a_message_ends_as_soon_as_it_is_there(bot: Bot, ada: Person) -> None:
    waiting = asyncio.create_task(ada.wait_for_message("secondo"))
    await bot.send_message(ada.id, "il primo")
    sent = await bot.send_message(ada.id, "il secondo")

    assert (await waiting).id == sent.message_id
    with pytest.raises(TimeoutError):
        await ada.wait_for_message("terzo", timeout=0.05)
