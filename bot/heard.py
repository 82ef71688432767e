"""Reads a raw Telegram update into one frozen value. Pure; once it is JSON nothing raises, whatever it looks like.

`telegram.Update` is not built here: it costs more than the rest of a dialogue step, and one update it
cannot parse would be one message lost. What is not understood is `OTHER`, and is answered as such.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from bot.enclosed import Enclosed, enclosed_in

# What Telegram says by itself in a private chat; nobody waits for an answer. All else without text is a file to us,
# kinds that Telegram will invent tomorrow included.
SERVICE = (
    *("pinned_message", "message_auto_delete_timer_changed", "users_shared", "chat_shared", "connected_website"),
    *("write_access_allowed", "passport_data", "chat_background_set", "boost_added", "migrate_to_chat_id"),
)


class Kind(StrEnum):
    TEXT = "text"
    BUTTON = "button"
    EDITED = "edited"
    FILE = "file"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Heard:
    """`sender` and `chat` are Telegram's ids (0 when there is none); only in a private chat are they the same.

    `text` is what was written (below a file, too), `data` what was pressed; `message` the id of the message (of the
    pressed one), `reply_to` of the one answered; `language` is the phone's. `album` is shared by photos sent together;
    `enclosed` is None when nothing came along, or something that cannot be kept.
    """

    kind: Kind
    sender: int = 0
    chat: int = 0
    private: bool = False
    text: str = ""
    data: str = ""
    message: str = ""
    reply_to: str | None = None
    reply_to_bot: bool = False
    language: str = ""
    album: str | None = None
    enclosed: Enclosed | None = None

    @property
    def command(self) -> str | None:
        """`aggiorna` for `/Aggiorna@raccordo_bot ex mercato`; None when it is no command."""
        if not self.text.startswith("/"):
            return None
        return self.text.split(maxsplit=1)[0][1:].split("@")[0].casefold()

    @property
    def rest(self) -> str:
        """What follows the command."""
        parts = self.text.split(maxsplit=1)
        return parts[1].strip() if len(parts) > 1 else ""


NOTHING = Heard(Kind.OTHER)


def id_in(text: str) -> int:
    """The id in a button's data; 0 when nobody here wrote it. No database takes more than 18 digits."""
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def read(payload: bytes) -> Any:
    """An update as it was kept. Raises ValueError or RecursionError for what is no JSON: a person has to look at it.

    What orjson refuses (half a surrogate pair, bytes that are no UTF-8) costs a letter, not the message.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return _mended(json.loads(payload.decode("utf-8", "replace")))


def _mended(value: Any) -> Any:
    """With every text such as a database can keep it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value


def hear(update: object) -> Heard:
    """What one update says."""
    if not isinstance(update, dict):
        return NOTHING
    if isinstance(update.get("message"), dict):
        return _message(update["message"])
    if isinstance(update.get("callback_query"), dict):
        return _button(update["callback_query"])
    if isinstance(update.get("edited_message"), dict):
        return _edited(update["edited_message"])
    if isinstance(update.get("my_chat_member"), dict):
        return _membership(update["my_chat_member"])
    return NOTHING


def _message(message: dict[str, Any]) -> Heard:
    reply = _part(message, "reply_to_message")
    text = message.get("text")
    common: dict[str, Any] = _who(message, _part(message, "chat")) | {
        "message": _id(message, "message_id"),
        "reply_to": _id(reply, "message_id") or None,
        "reply_to_bot": _part(reply, "from").get("is_bot") is True,
    }
    if isinstance(text, str):
        return Heard(Kind.TEXT, text=_words(text), **common)
    if any(name in message for name in SERVICE):
        return Heard(Kind.OTHER, **common)
    album = message.get("media_group_id")
    caption = _words(message.get("caption"))
    album_id = str(album)[:100] if album else None
    return Heard(Kind.FILE, text=caption, album=album_id, enclosed=enclosed_in(message), **common)


def _button(query: dict[str, Any]) -> Heard:
    message = _part(query, "message")
    who = _who(query, _part(message, "chat"))
    if not who["chat"]:
        who |= {
            "chat": who["sender"],
            "private": who["sender"] != 0,
        }  # too old: Telegram no longer says where it was pressed
    data = query.get("data")
    return Heard(Kind.BUTTON, data=data if isinstance(data, str) else "", message=_id(message, "message_id"), **who)


def _edited(message: dict[str, Any]) -> Heard:
    """Only words, of a text or below a file: a live location is edited every few seconds."""
    who = _who(message, _part(message, "chat"))
    text = message.get("text")
    enclosed = None if isinstance(text, str) else enclosed_in(message)
    if not isinstance(text, str) and (enclosed is None or not enclosed.file_id):
        return Heard(Kind.OTHER, **who)
    words = _words(text if isinstance(text, str) else message.get("caption"))
    return Heard(Kind.EDITED, text=words, message=_id(message, "message_id"), enclosed=enclosed, **who)


def _membership(change: dict[str, Any]) -> Heard:
    who = _who(change, _part(change, "chat"))
    status = _part(change, "new_chat_member").get("status")
    kind = {"kicked": Kind.BLOCKED, "member": Kind.UNBLOCKED}.get(str(status), Kind.OTHER)
    return Heard(kind, **who)


def _who(event: dict[str, Any], chat: dict[str, Any]) -> dict[str, Any]:
    sender = _part(event, "from")
    language = sender.get("language_code")
    return {
        "sender": _number(sender.get("id")),
        "chat": _number(chat.get("id")),
        "private": chat.get("type") == "private" and _number(sender.get("id")) == _number(chat.get("id")) != 0,
        "language": language if isinstance(language, str) else "",
    }


def _words(text: object) -> str:
    # PostgreSQL refuses NUL in a text, and a message would never get in.
    return text.replace("\x00", "").strip() if isinstance(text, str) else ""


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _id(message: dict[str, Any], name: str) -> str:
    number = _number(message.get(name))
    return str(number) if number else ""
