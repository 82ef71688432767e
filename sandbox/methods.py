"""The methods of the Bot API that the sandbox knows, and those about the bot itself, with Telegram's own refusals."""

import re

import orjson

from sandbox.botside import BotSide, Method
from sandbox.entities import utf16_length
from sandbox.members import get_chat, get_chat_administrators, get_chat_member, get_chat_member_count, leave_chat
from sandbox.sending import (
    delete_message,
    edit_message_caption,
    edit_message_reply_markup,
    edit_message_text,
    send_message,
)
from sandbox.topics import (
    close_forum_topic,
    create_forum_topic,
    delete_forum_topic,
    edit_forum_topic,
    reopen_forum_topic,
)
from sandbox.uploads import get_file, send_document, send_media_group, send_photo
from sandbox.webhook import delete_webhook, get_webhook_info, set_webhook
from sandbox.wire import Json, Params, bad_request

QUERY_LIVES = 60.0  # seconds
COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


def get_me(bot: BotSide, params: Params) -> Json:
    abilities = ("can_read_all_group_messages", "supports_inline_queries", "can_connect_to_business")
    return {**bot.world.bot, "can_join_groups": True, "has_main_web_app": False, **dict.fromkeys(abilities, False)}


def answer_callback_query(bot: BotSide, params: Params) -> bool:
    press = bot.world.presses.get(params.text("callback_query_id"))
    if press is None or bot.world.clock() - press.at > QUERY_LIVES:
        raise bad_request(OLD_QUERY)
    if utf16_length(params.text("text")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    press.answered, press.text, press.show_alert = True, params.text("text"), params.flag("show_alert")
    press.chat.touch(press)
    return True


def send_chat_action(bot: BotSide, params: Params) -> bool:
    if params.text("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    bot.chat(params)
    return True


def _scope(params: Params) -> tuple[str, str]:
    scope = params.json("scope") or {}
    kind = str(scope.get("type", "default"))
    return f"chat {scope['chat_id']}" if kind == "chat" else kind, params.text("language_code")


def set_my_commands(bot: BotSide, params: Params) -> bool:
    commands = params.json("commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND_NAME.fullmatch(str(command.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    bot.commands[_scope(params)] = orjson.loads(orjson.dumps(commands))
    _touch_everyone(bot)
    return True


def get_my_commands(bot: BotSide, params: Params) -> list[Json]:
    return bot.commands.get(_scope(params), [])


def delete_my_commands(bot: BotSide, params: Params) -> bool:
    bot.commands.pop(_scope(params), None)
    _touch_everyone(bot)
    return True


def _touch_everyone(bot: BotSide) -> None:
    for person in bot.people.values():
        person.touch()


def _set_text(name: str, longest: int) -> Method:
    def set_text(bot: BotSide, params: Params) -> bool:
        text = params.text(name)
        if len(text) > longest:
            raise bad_request(f"{name.replace('_', ' ')} is too long")
        bot.descriptions[f"{name} {params.text('language_code')}".strip()] = text
        return True

    return set_text


def _get_text(name: str) -> Method:
    def get_text(bot: BotSide, params: Params) -> Json:
        return {name: bot.descriptions.get(f"{name} {params.text('language_code')}".strip(), "")}

    return get_text


NAMES: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "sendMediaGroup": send_media_group,
    "getFile": get_file,
    "deleteMessage": delete_message,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatMemberCount": get_chat_member_count,
    "getChatAdministrators": get_chat_administrators,
    "leaveChat": leave_chat,
    "createForumTopic": create_forum_topic,
    "editForumTopic": edit_forum_topic,
    "closeForumTopic": close_forum_topic,
    "reopenForumTopic": reopen_forum_topic,
    "deleteForumTopic": delete_forum_topic,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyDescription": _set_text("description", 512),
    "getMyDescription": _get_text("description"),
    "setMyShortDescription": _set_text("short_description", 120),
    "getMyShortDescription": _get_text("short_description"),
    "deleteWebhook": delete_webhook,
    "setWebhook": set_webhook,
    "getWebhookInfo": get_webhook_info,
}
METHODS: dict[str, tuple[str, Method]] = {name.lower(): (name, method) for name, method in NAMES.items()}
