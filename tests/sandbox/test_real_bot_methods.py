"""python-telegram-bot calls every method of the sandbox, and its classes know every field of every answer."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    TelegramObject,
    Update,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden

from sandbox.methods import NAMES
from sandbox.people import Document, Photo, Video
from sandbox.pictures import plain_png
from sandbox.telegram import Group, Person, Status, TelegramSandbox

FORUM = -1_000_000_000_001
BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton("Sì", callback_data="yes")]])
NEWER = {"can_send_welcome_messages"}  # than the Bot API of this version of the library


def unknown_fields(value: Any, path: str = "") -> Iterator[str]:
    """What the library's classes have no name for."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from unknown_fields(item, path)
    elif isinstance(value, TelegramObject):
        here = f"{path}/{type(value).__name__}"
        yield from (f"{here}.{name}" for name in value.api_kwargs if name not in NEWER)
        for name in {slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ())}:
            if not name.startswith("_") and name != "api_kwargs":
                with contextlib.suppress(AttributeError):
                    yield from unknown_fields(getattr(value, name), f"{here}.{name}")


def known(value: Any) -> Any:
    assert list(unknown_fields(value)) == []
    return value


@pytest.fixture
def telegram() -> TelegramSandbox:
    return TelegramSandbox("123456:sandbox", limits=False)


@pytest.fixture
def forum(telegram: TelegramSandbox, ada: Person) -> Group:
    forum = telegram.add_group(FORUM, "Personale", forum=True)
    forum.admit(ada.user, Status.CREATOR)
    return forum


async def test_the_library_knows_every_answer_to_every_method(
    bot: Bot, ada: Person, forum: Group, telegram: TelegramSandbox
) -> None:
    await says_who_it_is(bot, ada)
    await speaks_and_changes_its_mind(bot, ada)
    await sends_files(bot, ada)
    await keeps_topics(bot, forum, ada)
    await bot.set_webhook("https://raccordo.example.org/telegram", secret_token="s")
    known(await bot.get_webhook_info())
    await bot.delete_webhook()

    called = {entry.method for entry in telegram.ledger.accepted()} - {"download"}
    assert called == set(NAMES)


async def says_who_it_is(bot: Bot, ada: Person) -> None:
    known(await bot.get_me())
    await bot.set_my_commands([("aggiorna", "Nuovo aggiornamento")])
    known(await bot.get_my_commands())
    await bot.delete_my_commands()
    await bot.set_my_description("Il banco di collegamento")
    known(await bot.get_my_description())
    await bot.set_my_short_description("Il banco")
    known(await bot.get_my_short_description())
    await bot.send_chat_action(ada.id, "typing")
    known(await bot.get_chat(ada.id))


async def speaks_and_changes_its_mind(bot: Bot, ada: Person) -> None:
    asked = ada.sends("ciao")
    sent = known(await bot.send_message(ada.id, "x", reply_markup=BUTTONS, reply_to_message_id=asked.id))
    await bot.answer_callback_query(ada.presses(sent.message_id, "yes").query_id)
    known(await bot.edit_message_reply_markup(ada.id, sent.message_id))
    known(await bot.edit_message_text("y", ada.id, sent.message_id))
    await bot.delete_message(ada.id, sent.message_id)


async def sends_files(bot: Bot, ada: Person) -> None:
    picture = plain_png(60, 40)
    sent = known(await bot.send_document(ada.id, b"\x00\r\nbyte", filename="atto.bin", caption="Atto"))
    known(await bot.edit_message_caption(ada.id, sent.message_id, caption="Altro"))
    file = known(await bot.get_file(sent.document.file_id))
    assert bytes(await file.download_as_bytearray()) == b"\x00\r\nbyte"
    known(await bot.send_document(ada.id, sent.document.file_id))
    photo = known(await bot.send_photo(ada.id, picture, caption="Foto"))
    media: list[InputMediaPhoto | InputMediaVideo] = [
        InputMediaPhoto(picture, caption="una"),
        InputMediaVideo(b"film"),
        InputMediaPhoto(photo.photo[-1].file_id),
    ]
    known(await bot.send_media_group(ada.id, media))
    known(await bot.send_media_group(ada.id, [InputMediaDocument(b"a"), InputMediaDocument(b"b")]))

    assert [message.content for message in ada.from_bot[2:]] == [picture, picture, b"film", picture, b"a", b"b"]


async def keeps_topics(bot: Bot, forum: Group, ada: Person) -> None:
    known(await bot.get_chat(FORUM))
    known(await bot.get_chat_administrators(FORUM))
    known(await bot.get_chat_member(FORUM, bot.id))
    assert await bot.get_chat_member_count(FORUM) == 2
    topic = known(await bot.create_forum_topic(FORUM, "Domanda"))
    thread = topic.message_thread_id
    known(await bot.send_message(FORUM, "Chi la prende?", message_thread_id=thread))
    await bot.edit_forum_topic(FORUM, thread, name="Presa")
    await bot.close_forum_topic(FORUM, thread)
    await bot.reopen_forum_topic(FORUM, thread)
    await bot.delete_forum_topic(FORUM, thread)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(FORUM, "x", message_thread_id=thread)
    await bot.leave_chat(FORUM)
    with pytest.raises(Forbidden, match="not a member"):
        await bot.send_message(FORUM, "x")


@pytest.mark.parametrize("status", list(Status))
async def test_the_library_knows_members_of_every_kind(bot: Bot, ada: Person, forum: Group, status: Status) -> None:
    forum.admit(ada.user, status)

    assert known(await bot.get_chat_member(FORUM, ada.id)).status == status


async def test_an_upgraded_group_becomes_the_library_s_own_error(
    bot: Bot, ada: Person, telegram: TelegramSandbox
) -> None:
    supergroup = telegram.upgrade_group(telegram.add_group(-9, "Gruppo"), ada)

    with pytest.raises(ChatMigrated) as migrated:
        await bot.send_message(-9, "x")

    assert migrated.value.new_chat_id == supergroup.id


async def test_the_library_knows_every_update(bot: Bot, ada: Person, forum: Group, telegram: TelegramSandbox) -> None:
    sent = await bot.send_message(ada.id, "x", reply_markup=BUTTONS)
    first = ada.sends("ciao", sent.message_id)
    ada.edits(first.id, "salve")
    ada.presses(sent.message_id, "yes")
    for media in (Document(), Photo(), Video()):
        ada.sends_media(media, caption="/ecco")
    ada.sends_voice()
    ada.sends_album([Photo(), Video()], caption="album")
    ada.sends_location(45.46, 9.19)
    ada.sends_contact("+39", "Bruno", user_id=1002)
    ada.blocks()
    topic = forum.opens_topic("Nuovo", ada.user, emoji="7")
    ada.sends("dentro", to=forum, topic=topic.thread)
    forum.changes_topic(topic, ada.user, name="Altro")
    forum.closes_topic(topic, ada.user)
    forum.reopens_topic(topic, ada.user)
    forum.kicks_bot(ada.user)
    telegram.upgrade_group(telegram.add_group(-9, "Gruppo"), ada)

    updates = known(await bot.get_updates())

    assert len(updates) == telegram.pending == 20
    assert {Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, Update.MY_CHAT_MEMBER} == {
        name for update in updates for name in Update.ALL_TYPES if getattr(update, name)
    }
