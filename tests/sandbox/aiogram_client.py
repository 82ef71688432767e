"""Runs in aiogram's own environment: calls every method of the sandbox and lets aiogram's models read every answer.

python aiogram_client.py URL TOKEN prints one line of JSON: the methods that worked, the kinds of update read (polled
and posted), the errors met, and every field that aiogram does not know (there should be none).
"""

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    ReplyParameters,
    Update,
)
from aiohttp import web
from pydantic import BaseModel

ADA, BRUNO, GROUP, FORUM = 1001, 1002, -9, -1_000_000_000_001
BUTTONS = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Sì", callback_data="yes")]])
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")


def unknown_fields(value: Any, path: str = "") -> list[str]:
    """What Telegram's own description, as aiogram has it, does not name."""
    if isinstance(value, list):
        return [field for item in value for field in unknown_fields(item, path)]
    if not isinstance(value, BaseModel):
        return []
    here = f"{path}/{type(value).__name__}"
    found = [f"{here}.{name}" for name in value.model_extra or {}]
    for name in type(value).model_fields:
        found += unknown_fields(getattr(value, name), f"{here}.{name}")
    return found


class Client:
    """One bot, and the people it talks with, who are played over HTTP."""

    def __init__(self, bot: Bot, web_client: aiohttp.ClientSession, url: str) -> None:
        self.bot, self._web, self._url = bot, web_client, url
        self.methods: set[str] = set()
        self.polled: set[str] = set()
        self.posted: set[str] = set()
        self.contents: set[str] = set()
        self.errors: list[str] = []
        self.unknown: set[str] = set()
        self._offset = 0
        bot.session.middleware(self._noted)

    async def _noted(self, make: Any, bot: Bot, method: Any) -> Any:
        result = await make(bot, method)
        self.methods.add(method.__api_method__)
        self.unknown.update(unknown_fields(result))
        return result

    async def play(self, path: str, **given: Any) -> Any:
        async with self._web.post(f"{self._url}/sandbox/{path}", json=given) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def updates(self) -> list[Update]:
        found: list[Update] = await self.bot.get_updates(offset=self._offset)
        for update in found:
            self._offset = update.update_id + 1
            self.read(update, self.polled)
        return found

    def read(self, update: Update, kinds: set[str]) -> None:
        kinds.add(update.event_type)
        if update.message:
            self.contents.add(str(update.message.content_type.value))

    async def refused(self, call: Awaitable[Any]) -> None:
        try:
            await call
        except TelegramAPIError as error:
            self.errors.append(type(error).__name__)


async def introduces_itself(client: Client) -> None:
    bot = client.bot
    await bot.get_me()
    await bot.set_my_commands([BotCommand(command="aggiorna", description="Nuovo aggiornamento")])
    await bot.get_my_commands()
    await bot.delete_my_commands()
    await bot.set_my_description("Il banco di collegamento")
    await bot.get_my_description()
    await bot.set_my_short_description("Il banco")
    await bot.get_my_short_description()


async def talks(client: Client) -> None:
    bot = client.bot
    said = await client.play(f"people/{ADA}/send", text="/start ciao")
    await client.updates()
    await bot.send_chat_action(ADA, "typing")
    await bot.get_chat(ADA)
    asked = await bot.send_message(
        ADA,
        "Sei <b>Ada</b>?",
        parse_mode="HTML",
        reply_markup=BUTTONS,
        reply_parameters=ReplyParameters(message_id=said["id"]),
    )
    await client.play(f"people/{ADA}/press", message_id=asked.message_id, data="yes")
    for update in await client.updates():
        if update.callback_query:
            await update.callback_query.answer("Fatto", show_alert=True)
    await asked.edit_reply_markup(reply_markup=None)
    await asked.edit_text("Ciao Ada")
    await client.play(f"people/{ADA}/edit", message_id=said["id"], text="corretto")
    await client.updates()
    await asked.delete()


async def exchanges_files(client: Client) -> None:
    bot, picture = client.bot, BufferedInputFile(await a_picture(client), "foto.png")
    for kind in ("document", "photo", "video", "voice"):
        await client.play(f"people/{ADA}/send", **{kind: {}}, caption="didascalia <b>" if kind == "photo" else "")
    await client.play(f"people/{ADA}/send", location={"latitude": 45.46, "longitude": 9.19})
    await client.play(f"people/{ADA}/send", contact={"phone_number": "+39", "first_name": "Ada", "user_id": ADA})
    await client.play(f"people/{ADA}/send", album=[{"photo": {}}, {"video": {}}], caption="album")
    await client.updates()
    sent = await bot.send_document(
        ADA, BufferedInputFile(b"\x00\r\nbyte", "atto.bin"), caption="<i>Atto</i>", parse_mode="HTML"
    )
    back = await bot.download(sent.document.file_id)
    if back.read() != b"\x00\r\nbyte":
        client.errors.append("the download differs from the upload")
    await bot.edit_message_caption(chat_id=ADA, message_id=sent.message_id, caption="Altro")
    await bot.send_document(ADA, sent.document.file_id)
    photo = await bot.send_photo(ADA, picture, caption="Foto")
    known = photo.photo[-1].file_id
    film = InputMediaVideo(media=BufferedInputFile(b"film", "film.mp4"))
    await bot.send_media_group(ADA, [InputMediaPhoto(media=picture, caption="una"), film, InputMediaPhoto(media=known)])
    documents = [InputMediaDocument(media=BufferedInputFile(name.encode(), name)) for name in ("a.txt", "b.txt")]
    await bot.send_media_group(ADA, documents)


async def a_picture(client: Client) -> bytes:
    sent = await client.play(f"people/{ADA}/send", photo={})
    await client.updates()
    found = await client.bot.download(sent["raw"]["photo"][-1]["file_id"])
    return bytes(found.read())


async def moves_in_groups(client: Client) -> None:
    bot = client.bot
    members = {str(ADA): "creator", str(BRUNO): "kicked"}
    await client.play("groups", chat_id=GROUP, title="Gruppo", members=members)
    await client.play("groups", chat_id=FORUM, title="Personale", forum=True, members=members)
    await client.play(f"people/{ADA}/send", text="in gruppo", to=GROUP)
    await bot.get_chat(GROUP)
    me = await bot.me()
    for user in (ADA, BRUNO, me.id):
        await bot.get_chat_member(GROUP, user)
    await bot.get_chat_administrators(GROUP)
    await bot.get_chat_member_count(GROUP)
    topic = await bot.create_forum_topic(FORUM, "Domanda", icon_custom_emoji_id="7")
    thread = topic.message_thread_id
    await bot.send_message(FORUM, "Chi la prende?", message_thread_id=thread)
    await client.play(f"people/{ADA}/send", text="Io", to=FORUM, topic=thread)
    await bot.edit_forum_topic(FORUM, thread, name="Presa")
    await bot.close_forum_topic(FORUM, thread)
    await bot.reopen_forum_topic(FORUM, thread)
    theirs = await client.play(f"groups/{FORUM}/topics", name="Loro", by=ADA)
    for do in ("rename", "close", "reopen", "delete"):
        await client.play(f"groups/{FORUM}/topics/{theirs['message_thread_id']}", do=do, by=ADA, name="Nuovo")
    await bot.delete_forum_topic(FORUM, thread)
    await client.refused(bot.send_message(FORUM, "x", message_thread_id=thread))
    upgraded = await client.play(f"groups/{GROUP}/upgrade", by=ADA)
    await client.refused(bot.send_message(GROUP, "x"))
    await client.play(f"groups/{upgraded['id']}/bot", status="kicked", by=ADA)
    await client.refused(bot.send_message(upgraded["id"], "x"))
    await client.play(f"groups/{upgraded['id']}/bot", status="member", by=ADA)
    await bot.leave_chat(upgraded["id"])
    await client.updates()


async def meets_faults(client: Client) -> None:
    bot = client.bot
    for rule in (
        {"status": 429, "retry_after": 3},
        {"status": 401},
        {"status": 409},
        {"status": 413, "description": "Request Entity Too Large"},
        {"status": 502},
        {"drop": "after"},
    ):
        await client.play("faults", rules=[{**rule, "method": "getChat", "times": 1}])
        await client.refused(bot.get_chat(ADA))
    await client.play(f"people/{ADA}/block", blocked=True)
    await client.refused(bot.send_message(ADA, "x"))
    await client.play(f"people/{ADA}/block", blocked=False)
    await client.updates()


async def is_posted_to(client: Client) -> None:
    arrived: asyncio.Queue[Update] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        if request.headers.get("X-Telegram-Bot-Api-Secret-Token") != "segreto":
            return web.Response(status=403)
        update = Update.model_validate(await request.json(), context={"bot": client.bot})
        client.unknown.update(unknown_fields(update))
        await arrived.put(update)
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await client.bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="segreto", allowed_updates=list(KINDS))
    await client.bot.get_webhook_info()
    shown = await client.bot.send_message(ADA, "premi", reply_markup=BUTTONS)
    sent = await client.play(f"people/{ADA}/send", photo={})
    await client.play(f"people/{ADA}/edit", message_id=sent["id"], text="didascalia")
    await client.play(f"people/{ADA}/press", message_id=shown.message_id, data="yes")
    await client.play(f"people/{ADA}/block", blocked=True)
    while client.posted < set(KINDS):
        client.read(await asyncio.wait_for(arrived.get(), 60), client.posted)
    await client.bot.delete_webhook()
    await runner.cleanup()


async def main(url: str, token: str) -> None:
    server = TelegramAPIServer(base=f"{url}/bot{{token}}/{{method}}", file=f"{url}/file/bot{{token}}/{{path}}")
    async with Bot(token, session=AiohttpSession(api=server)) as bot, aiohttp.ClientSession() as web_client:
        client = Client(bot, web_client, url)
        for user_id, name in ((ADA, "Ada"), (BRUNO, "Bruno")):
            await client.play("people", user_id=user_id, first_name=name, started=True)
        for part in (introduces_itself, talks, exchanges_files, moves_in_groups, meets_faults, is_posted_to):
            await part(client)
    names = ("methods", "polled", "posted", "contents", "unknown")
    sys.stdout.write(
        json.dumps({**{name: sorted(getattr(client, name)) for name in names}, "errors": client.errors}) + "\n"
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
