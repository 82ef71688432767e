"""The methods of the Bot API that the sandbox knows; each refuses what Telegram refuses, in Telegram's words."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.entities import CannotParseEntities, Entity, parse_html, trim, utf16_length, with_detected
from sandbox.limits import Limits
from sandbox.markup import checked_markup
from sandbox.people import Chat, Group, Message, Person, World, bot_message, without_reply
from sandbox.wire import Json, Params, Refusal, bad_request, too_many

LONGEST_TEXT = 4096  # UTF-16 units after parsing
QUERY_LIVES = 60.0  # seconds
COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"

Method = Callable[["BotSide", Params], Any]


@dataclass
class BotSide:
    """What the bot can reach: the world, its chats and what it said about itself."""

    world: World
    limits: Limits | None
    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def chat(self, params: Params) -> Chat:
        """The chat that the bot may write to; raises Refusal."""
        value = params.values.get("chat_id")
        if value is None or value == "":
            raise bad_request("chat_id is empty")
        try:
            chat_id = int(value)
        except (TypeError, ValueError):
            raise bad_request("chat not found") from None
        chat: Chat | None = self.people.get(chat_id) or self.groups.get(chat_id)
        if chat is None or not chat.started:
            raise bad_request("chat not found")
        if chat.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def count(self, chat: Chat) -> None:
        """Counts one message for the rate limits; raises Refusal 429."""
        if self.limits is None:
            return
        wait = self.limits.refuses(chat.id, self.world.clock())
        if wait:
            raise too_many(wait)

    def commands_for(self, person: Person) -> list[Json]:
        """The command menu this person sees: the narrowest scope first, their language before the others."""
        for scope in (f"chat {person.id}", "all_private_chats", "default"):
            for language in (person.language_code, ""):
                if (scope, language) in self.commands:
                    return self.commands[scope, language]
        return []


def read_text(params: Params) -> tuple[str, list[Entity]]:
    """The text to show and its entities; raises Refusal for what can't be parsed or is empty."""
    source, mode = params.text("text"), params.text("parse_mode").lower()
    if mode == "html":
        try:
            text, entities = parse_html(source)
        except CannotParseEntities as error:
            raise bad_request(f"can't parse entities: {error}") from None
    elif mode in {"", "none"}:
        text, entities = trim(source, _given_entities(params))
    elif mode in {"markdown", "markdownv2"}:
        raise bad_request("the sandbox reads only HTML, not Markdown")
    else:
        raise bad_request("unsupported parse_mode")
    if not text:
        raise bad_request("message text is empty")
    return text, entities


def _given_entities(params: Params) -> list[Entity]:
    given = params.json("entities") or []
    shape = all(isinstance(entity, dict) and {"type", "offset", "length"} <= entity.keys() for entity in given)
    if not isinstance(given, list) or not shape:
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    return given


def get_me(bot: BotSide, params: Params) -> Json:
    abilities = ("can_read_all_group_messages", "supports_inline_queries", "can_connect_to_business")
    return {**bot.world.bot, "can_join_groups": True, "has_main_web_app": False, **dict.fromkeys(abilities, False)}


def send_message(bot: BotSide, params: Params) -> Json:
    text, entities = read_text(params)
    chat = bot.chat(params)
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    markup = checked_markup(params.json("reply_markup"))
    replied = _replied(chat, params)
    bot.count(chat)
    raw = bot_message(bot.world, chat, text, entities)
    raw["message_id"] = bot.world.next_message_id()
    if replied is not None:
        raw["reply_to_message"] = without_reply(replied.raw)
    if markup and "inline_keyboard" in markup:
        raw["reply_markup"] = markup
    elif markup and markup.keys() & {"keyboard", "remove_keyboard"}:
        chat.reply_keyboard = markup if "keyboard" in markup else None
    return chat.add(raw, from_bot=True).raw


def _replied(chat: Chat, params: Params) -> Message | None:
    given = params.json("reply_parameters") or {}
    message_id = given.get("message_id") or params.integer("reply_to_message_id")
    if not message_id:
        return None
    message = chat.by_id.get(int(message_id))
    lenient = given.get("allow_sending_without_reply") or params.flag("allow_sending_without_reply")
    if message is None and not lenient:
        raise bad_request("message to be replied not found")
    return message


def _message_to_edit(chat: Chat, params: Params) -> Message:
    message_id = params.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    message = chat.by_id.get(message_id)
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return message


def _inline_markup(params: Params) -> Json | None:
    markup = checked_markup(params.json("reply_markup"))
    if markup and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


def edit_message_text(bot: BotSide, params: Params) -> Json:
    text, entities = read_text(params)
    chat = bot.chat(params)
    message = _message_to_edit(chat, params)
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    content: Json = {"text": text}
    found = with_detected(text, entities)
    if found:
        content["entities"] = found
    markup = _inline_markup(params)
    if markup:
        content["reply_markup"] = markup
    return _edit(bot, chat, message, content)


def edit_message_reply_markup(bot: BotSide, params: Params) -> Json:
    chat = bot.chat(params)
    message = _message_to_edit(chat, params)
    content: Json = {name: message.raw[name] for name in ("text", "entities") if name in message.raw}
    markup = _inline_markup(params)
    if markup:
        content["reply_markup"] = markup
    return _edit(bot, chat, message, content)


def _edit(bot: BotSide, chat: Chat, message: Message, content: Json) -> Json:
    parts = ("text", "entities", "reply_markup")
    if content == {name: message.raw[name] for name in parts if name in message.raw}:
        raise bad_request(NOT_MODIFIED)
    bot.count(chat)
    kept = {name: value for name, value in message.raw.items() if name not in parts}
    message.raw = {**kept, **content, "edit_date": bot.world.now()}
    chat.touch(message)
    return message.raw


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


def get_chat(bot: BotSide, params: Params) -> Json:
    chat = bot.chat(params)
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    more = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(gifts, False)}
    return {**chat.described(), **more}


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


def delete_webhook(bot: BotSide, params: Params) -> bool:
    bot.world.updates.webhook_url = ""
    if params.flag("drop_pending_updates"):
        bot.world.updates.drop_pending()
    return True


def set_webhook(bot: BotSide, params: Params) -> bool:
    """Remembers the address, so that getUpdates refuses; the sandbox itself posts nothing there."""
    url = params.text("url")
    if url and not url.startswith("https://"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    bot.world.updates.webhook_url = url
    if params.flag("drop_pending_updates"):
        bot.world.updates.drop_pending()
    return True


def get_webhook_info(bot: BotSide, params: Params) -> Json:
    updates = bot.world.updates
    info: Json = {"url": updates.webhook_url, "has_custom_certificate": False}
    info["pending_update_count"] = len(updates.pending)
    if updates.allowed is not None:
        info["allowed_updates"] = sorted(updates.allowed)
    return info


NAMES: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
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
