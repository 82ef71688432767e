"""Topics of a forum, as the bot makes and changes them; refuses what Telegram refuses, in Telegram's words."""

from sandbox.botside import BotSide
from sandbox.chats import Topic
from sandbox.groups import FORUM_BLUE, Group
from sandbox.wire import Json, Params, bad_request

LONGEST_NAME = 128  # the rest is cut
ANY_COLOR = 0xFFFFFF


def create_forum_topic(bot: BotSide, params: Params) -> Json:
    group = _forum(bot, params)
    if not group.bot_may("can_manage_topics"):
        raise bad_request("not enough rights to create a topic")
    name = params.text("name").strip()[:LONGEST_NAME]
    if not name:
        raise bad_request("title must be non-empty")
    color, emoji = params.integer("icon_color", FORUM_BLUE), params.text("icon_custom_emoji_id")
    if not 0 <= color <= ANY_COLOR:
        raise bad_request("invalid icon color specified")
    bot.count(group)
    topic = group.opens_topic(name, bot.world.bot, color=color, emoji=emoji)
    created: Json = {"message_thread_id": topic.thread, "name": name, "icon_color": color}
    return created | {"icon_custom_emoji_id": emoji} if emoji else created


def edit_forum_topic(bot: BotSide, params: Params) -> bool:
    group, topic = _topic(bot, params, "can_manage_topics", "edit the topic")
    name = params.text("name").strip()[:LONGEST_NAME]
    emoji = params.text("icon_custom_emoji_id") if "icon_custom_emoji_id" in params.values else None
    if name in {"", topic.name} and emoji in {None, topic.emoji}:
        raise bad_request("TOPIC_NOT_MODIFIED")
    group.changes_topic(topic, bot.world.bot, name=name, emoji=emoji)
    return True


def close_forum_topic(bot: BotSide, params: Params) -> bool:
    group, topic = _topic(bot, params, "can_manage_topics", "close or open the topic")
    if topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    group.closes_topic(topic, bot.world.bot)
    return True


def reopen_forum_topic(bot: BotSide, params: Params) -> bool:
    group, topic = _topic(bot, params, "can_manage_topics", "close or open the topic")
    if not topic.closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    group.reopens_topic(topic, bot.world.bot)
    return True


def delete_forum_topic(bot: BotSide, params: Params) -> bool:
    group, topic = _topic(bot, params, "can_delete_messages", "delete the topic")
    group.deletes_topic(topic)
    return True


def _forum(bot: BotSide, params: Params) -> Group:
    chat = bot.chat(params)
    if not isinstance(chat, Group) or not chat.forum:
        raise bad_request("the chat is not a forum")
    return chat


def _topic(bot: BotSide, params: Params, right: str, what: str) -> tuple[Group, Topic]:
    """The topic to change, and its group; one's own may be changed without any right."""
    group, thread = _forum(bot, params), params.integer("message_thread_id")
    if thread <= 0:
        raise bad_request("invalid message thread identifier specified")
    topic = group.topics.get(thread)
    if topic is None:
        raise bad_request("TOPIC_ID_INVALID")
    if not group.bot_may(right) and topic.root["from"]["id"] != bot.world.bot["id"]:
        raise bad_request(f"not enough rights to {what}")
    return group, topic
