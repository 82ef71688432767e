"""Who is in a chat, as the bot may ask; refuses what Telegram refuses, in Telegram's words."""

from sandbox.botside import BotSide
from sandbox.chats import Chat
from sandbox.groups import RIGHTS, Group, Status, described_member
from sandbox.wire import Json, Params, bad_request

GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


def get_chat(bot: BotSide, params: Params) -> Json:
    chat = bot.chat(params, reading=True)
    more = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(GIFTS, False)}
    return {**chat.described(), **more}


def get_chat_member(bot: BotSide, params: Params) -> Json:
    user_id = params.integer("user_id")
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    itself = user_id == bot.world.bot["id"]
    chat = bot.chat(params, reading=itself)
    if itself:
        return _bot_in(bot, chat)
    if user_id not in bot.people:
        raise bad_request("user not found")
    status = chat.status_of(user_id) if isinstance(chat, Group) else Status.MEMBER
    return described_member(bot.people[user_id].user, status)


def get_chat_administrators(bot: BotSide, params: Params) -> list[Json]:
    group = bot.chat(params)
    if not isinstance(group, Group):
        raise bad_request("there are no administrators in the private chat")
    leading = {Status.CREATOR, Status.ADMINISTRATOR}
    found = [described_member(user, status) for user, status in group.members.values() if status in leading]
    return [*found, _bot_in(bot, group)] if group.bot_is in leading else found


def get_chat_member_count(bot: BotSide, params: Params) -> int:
    chat = bot.chat(params)
    return 1 + (len(chat.members) if isinstance(chat, Group) else 1)


def leave_chat(bot: BotSide, params: Params) -> bool:
    group = bot.chat(params, reading=True)
    if not isinstance(group, Group):
        raise bad_request("chat not found")
    group.bot_becomes(Status.LEFT, bot.world.bot)
    return True


def _bot_in(bot: BotSide, chat: Chat) -> Json:
    if isinstance(chat, Group):
        return described_member(bot.world.bot, chat.bot_is, chat.bot_rights)
    return described_member(bot.world.bot, Status.MEMBER, frozenset(RIGHTS))
