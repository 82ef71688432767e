"""What the bot says and changes in a chat; refuses what Telegram refuses, in Telegram's words."""

from dataclasses import dataclass
from typing import Any

from sandbox.botside import BotSide
from sandbox.chats import Chat, Message, with_entities, without_reply
from sandbox.entities import CannotParseEntities, Entity, parse_html, trim, utf16_length
from sandbox.markup import checked_markup
from sandbox.media import file_of
from sandbox.wire import Json, Params, bad_request

LONGEST_TEXT = 4096  # UTF-16 units after parsing
LONGEST_CAPTION = 1024
DELETABLE = 48 * 3600  # seconds
CONTENT = ("text", "entities", "caption", "caption_entities", "reply_markup")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)


def read_marked(source: str, mode: str, given: Any) -> tuple[str, list[Entity]]:
    """The text to show and its entities, from markup or from those given; raises Refusal for what can't be parsed."""
    mode = mode.lower()
    if mode == "html":
        try:
            return parse_html(source)
        except CannotParseEntities as error:
            raise bad_request(f"can't parse entities: {error}") from None
    if mode in {"", "none"}:
        return trim(source, _checked_entities(given or []))
    if mode in {"markdown", "markdownv2"}:
        raise bad_request("the sandbox reads only HTML, not Markdown")
    raise bad_request("unsupported parse_mode")


def _checked_entities(given: Any) -> list[Entity]:
    if not isinstance(given, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    if not all(isinstance(entity, dict) and {"type", "offset", "length"} <= entity.keys() for entity in given):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    return given


def read_text(params: Params) -> tuple[str, list[Entity]]:
    text, entities = read_marked(params.text("text"), params.text("parse_mode"), params.json("entities"))
    if not text:
        raise bad_request("message text is empty")
    return text, entities


def read_caption(source: str, mode: str, given: Any) -> Json:
    """The caption as a message shows it, {} when it is empty; raises Refusal when it is too long after parsing."""
    text, entities = read_marked(source, mode, given)
    if utf16_length(text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return with_entities(text, entities, name="caption") if text else {}


def caption_of(params: Params) -> Json:
    return read_caption(params.text("caption"), params.text("parse_mode"), params.json("caption_entities"))


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a message goes, what it answers, and the keyboard under it."""

    chat: Chat
    head: Json
    markup: Json | None = None


def read_frame(params: Params, chat: Chat) -> Frame:
    """Raises Refusal for a keyboard, a reply or a topic that Telegram would not take."""
    markup = checked_markup(params.json("reply_markup"))
    replied = _replied(chat, params)
    head = _topic_head(chat, params.integer("message_thread_id"), replied)
    if replied is not None:
        head["reply_to_message"] = without_reply(replied.raw)
    return Frame(chat, head, markup)


def _topic_head(chat: Chat, asked: int, replied: Message | None) -> Json:
    """Of the topic asked for, else of the one in which the replied message is."""
    thread = asked or (replied.thread if replied is not None else None)
    if not thread:
        return {}
    topic = chat.topics.get(thread)
    if topic is None:
        raise bad_request("message thread not found")
    if topic.closed and not chat.bot_may("can_manage_topics"):
        raise bad_request("TOPIC_CLOSED")
    return topic.head()


def put(bot: BotSide, frame: Frame, contents: list[Json]) -> list[Json]:
    """One message for each content, counted for the limits; raises Refusal 429 and then puts none."""
    bot.count(frame.chat, len(contents))
    return [_put_one(bot, frame, content) for content in contents]


def _put_one(bot: BotSide, frame: Frame, content: Json) -> Json:
    world, chat, markup = bot.world, frame.chat, frame.markup
    raw: Json = {
        "message_id": world.next_message_id(),
        "from": world.bot,
        "chat": chat.described(),
        "date": world.now(),
    }
    raw.update(content)
    raw.update(frame.head)
    if markup and "inline_keyboard" in markup:
        raw["reply_markup"] = markup
    elif markup and markup.keys() & {"keyboard", "remove_keyboard"}:
        chat.reply_keyboard = markup if "keyboard" in markup else None
    return chat.add(raw, from_bot=True).raw


def send_message(bot: BotSide, params: Params) -> Json:
    text, entities = read_text(params)
    chat = bot.chat(params)
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return put(bot, read_frame(params, chat), [with_entities(text, entities)])[0]


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
    if "text" not in message.raw:
        raise bad_request("there is no text in the message to edit")
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    return _edit(bot, chat, message, with_entities(text, entities) | _new_markup(params))


def edit_message_caption(bot: BotSide, params: Params) -> Json:
    caption = caption_of(params)
    chat = bot.chat(params)
    message = _message_to_edit(chat, params)
    if file_of(message.raw) is None:
        raise bad_request("there is no caption in the message to edit")
    return _edit(bot, chat, message, caption | _new_markup(params))


def edit_message_reply_markup(bot: BotSide, params: Params) -> Json:
    chat = bot.chat(params)
    message = _message_to_edit(chat, params)
    same = {name: message.raw[name] for name in CONTENT if name in message.raw and name != "reply_markup"}
    return _edit(bot, chat, message, same | _new_markup(params))


def _new_markup(params: Params) -> Json:
    markup = _inline_markup(params)
    return {"reply_markup": markup} if markup else {}


def _edit(bot: BotSide, chat: Chat, message: Message, content: Json) -> Json:
    if content == {name: message.raw[name] for name in CONTENT if name in message.raw}:
        raise bad_request(NOT_MODIFIED)
    bot.count(chat)
    kept = {name: value for name, value in message.raw.items() if name not in CONTENT}
    message.raw = {**kept, **content, "edit_date": bot.world.now()}
    chat.touch(message)
    return message.raw


def delete_message(bot: BotSide, params: Params) -> bool:
    """The bot's own messages, and in a private chat the person's too; for two days."""
    chat = bot.chat(params)
    message_id = params.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    message = chat.by_id.get(message_id)
    if message is None:
        raise bad_request("message to delete not found")
    if not message.from_bot and not chat.bot_may("can_delete_messages"):
        raise bad_request("message can't be deleted")
    if bot.world.now() - message.raw["date"] > DELETABLE:
        raise bad_request("message can't be deleted for everyone")
    chat.remove(message_id)
    return True
