"""The people and groups who talk with the bot, as test and demo code plays them; refuses what a person can't do.

A person has sent nothing until `sends`: for the bot the chat does not exist before (`started=True` skips that).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.entities import detect, with_detected
from sandbox.ledger import Ledger
from sandbox.updates import Bell, UpdateQueue
from sandbox.wire import Json


class CannotDo(Exception):
    """A person tried what Telegram's own app would not let them do; the message says what."""


@dataclass(slots=True)
class Message:
    """One message of a chat. `raw` is Telegram's own object; `version` grows when it is edited."""

    raw: Json
    from_bot: bool
    version: int = 0

    @property
    def id(self) -> int:
        return int(self.raw["message_id"])

    @property
    def text(self) -> str:
        return str(self.raw.get("text", self.raw.get("caption", "")))

    @property
    def edited(self) -> bool:
        return "edit_date" in self.raw

    @property
    def buttons(self) -> list[Json]:
        """Every inline button, row by row."""
        rows = self.raw.get("reply_markup", {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]

    @property
    def reply_to(self) -> int | None:
        replied = self.raw.get("reply_to_message")
        return replied["message_id"] if replied else None


@dataclass(slots=True)
class Press:
    """A button pressed: `answered` when the bot answered the query, with `text` to show, if any."""

    query_id: str
    message_id: int
    data: str
    at: float
    chat: "Chat"
    answered: bool = False
    text: str = ""
    show_alert: bool = False
    version: int = 0


@dataclass
class World:
    """What people and bot share: ids, clock, queue of updates."""

    clock: Callable[[], float]
    ledger: Ledger
    bot: Json
    updates: UpdateQueue = field(init=False)
    bell: Bell = field(default_factory=Bell)
    presses: dict[str, Press] = field(default_factory=dict)
    message_id: int = 0
    version: int = 0

    def __post_init__(self) -> None:
        self.updates = UpdateQueue(self.ledger, self.clock, self.bell)

    def next_message_id(self) -> int:
        self.message_id += 1
        return self.message_id

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def now(self) -> int:
        return int(self.clock())


class Chat(ABC):
    """A private chat or a group, with all its messages."""

    def __init__(self, world: World, chat_id: int) -> None:
        self.world, self.id = world, chat_id
        self.started = False
        self.blocked = False
        self.version = 0
        self.chat: list[Message] = []
        self.by_id: dict[int, Message] = {}
        self.reply_keyboard: Json | None = None

    @abstractmethod
    def described(self) -> Json:
        """The Chat object of the Bot API."""

    def add(self, raw: Json, *, from_bot: bool) -> Message:
        message = Message(raw, from_bot)
        self.chat.append(message)
        self.by_id[message.id] = message
        self.touch(message)
        return message

    def touch(self, changed: Message | Press | None = None) -> None:
        """Tells those who look at this chat that something changed."""
        self.version = self.world.next_version()
        if changed is not None:
            changed.version = self.version
        self.world.bell.ring()

    @property
    def from_bot(self) -> list[Message]:
        return [message for message in self.chat if message.from_bot]

    @property
    def last(self) -> Message:
        """The newest message of the bot."""
        return self.from_bot[-1]

    async def wait_for_message(self, containing: str = "", *, after: int = 0, timeout: float = 5.0) -> Message:
        """The first message of the bot newer than message `after` that contains the text; TimeoutError otherwise."""

        def look() -> Message | None:
            fresh = (message for message in self.chat if message.from_bot and message.id > after)
            return next((message for message in fresh if containing in message.text), None)

        return await self.world.bell.wait_for(look, timeout)

    async def wait_until(self, ready: Callable[["Chat"], bool], timeout: float = 5.0) -> None:
        await self.world.bell.wait_for(lambda: ready(self) or None, timeout)


class Group(Chat):
    """A group the bot is in; people speak in it with `person.sends(text, to=group)`."""

    def __init__(self, world: World, chat_id: int, title: str) -> None:
        super().__init__(world, chat_id)
        self.title, self.started = title, True

    def described(self) -> Json:
        return {"id": self.id, "type": "supergroup" if self.id <= -(10**12) else "group", "title": self.title}


class Person(Chat):
    """Somebody with Telegram; their private chat with the bot has the same id as they."""

    def __init__(self, world: World, user_id: int, first_name: str, **details: str) -> None:
        super().__init__(world, user_id)
        self.first_name = first_name
        self.user: Json = {"id": user_id, "is_bot": False, "first_name": first_name}
        self.user |= {name: value for name, value in details.items() if value}
        self.presses_made: list[Press] = []

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.first_name, self.user.get("last_name", "")]))

    @property
    def language_code(self) -> str:
        return str(self.user.get("language_code", ""))

    def described(self) -> Json:
        names = ("first_name", "last_name", "username")
        return {"id": self.id, "type": "private", **{name: self.user[name] for name in names if name in self.user}}

    def sends(self, text: str, reply_to: int | None = None, *, to: Group | None = None) -> Message:
        """Writes to the bot (or into a group); commands in the text are marked as Telegram does."""
        content: Json = {"text": text}
        entities = list(detect(text))
        if entities:
            content["entities"] = entities
        return self._sends(content, reply_to, to or self)

    def sends_document(self, name: str = "documento.pdf", *, size: int = 12_345, caption: str = "") -> Message:
        """Only the update: the file itself can't be fetched here."""
        file_id = f"document-{self.world.message_id + 1}"
        document = {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_name": name, "file_size": size}
        return self._sends({"document": document, **({"caption": caption} if caption else {})}, None, self)

    def sends_photo(self, *, caption: str = "", media_group_id: str = "") -> Message:
        """Only the update, in two sizes; parts of one album share `media_group_id`."""
        file_id = f"photo-{self.world.message_id + 1}"
        sizes = [(90, 67, 1_100), (1280, 960, 180_000)]
        photo = [
            {"file_id": f"{file_id}-{w}", "file_unique_id": f"u-{file_id}-{w}", "width": w, "height": h, "file_size": s}
            for w, h, s in sizes
        ]
        extra = {name: value for name, value in (("caption", caption), ("media_group_id", media_group_id)) if value}
        return self._sends({"photo": photo, **extra}, None, self)

    def edits(self, message_id: int, text: str) -> Message:
        message = self.by_id.get(message_id)
        if message is None or message.from_bot:
            raise CannotDo("Only one's own messages can be edited")
        content: Json = {"text": text, "edit_date": self.world.now()}
        entities = list(detect(text))
        message.raw = {**{k: v for k, v in message.raw.items() if k != "entities"}, **content}
        if entities:
            message.raw["entities"] = entities
        self.world.updates.push("edited_message", message.raw)
        self.touch(message)
        return message

    def presses(self, message_id: int, data: str, *, stale: bool = False) -> Press:
        """Presses the button with this data; `stale=True` also one that is no longer there (an old screen)."""
        message = self.by_id.get(message_id)
        if message is None:
            raise CannotDo(f"There is no message {message_id} in this chat")
        if not stale and all(button.get("callback_data") != data for button in message.buttons):
            raise CannotDo(f"Message {message_id} has no button with data {data!r}: {message.buttons}")
        query_id = str(4_000_000_000_000 + len(self.world.presses) + 1)
        press = Press(query_id, message_id, data, self.world.clock(), self)
        self.world.presses[query_id] = press
        self.presses_made.append(press)
        query = {"id": query_id, "from": self.user, "message": message.raw, "chat_instance": str(self.id), "data": data}
        self.world.updates.push("callback_query", query)
        return press

    def presses_label(self, label: str, message: Message | None = None) -> Press:
        """Presses the button that reads so (or contains it), on the newest message that has one."""
        for candidate in [message] if message else reversed(self.from_bot):
            exact = [button for button in candidate.buttons if button["text"] == label]
            for button in exact or [button for button in candidate.buttons if label in button["text"]]:
                if "callback_data" in button:
                    return self.presses(candidate.id, button["callback_data"])
        raise CannotDo(f"No button reads {label!r}")

    def blocks(self) -> None:
        self.blocked = True
        self._member("member", "kicked")

    def unblocks(self) -> None:
        self.blocked = False
        self._member("kicked", "member")

    def push_raw(self, update: Json) -> int:
        """Any odd update, as if it came from this person's chat; it counts as having written to the bot."""
        self.started = True
        return self.world.updates.push_raw(update)

    def _member(self, old: str, new: str) -> None:
        def member(status: str) -> Json:
            return {"user": self.world.bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})

        change: Json = {"chat": self.described(), "from": self.user, "date": self.world.now()}
        change |= {"old_chat_member": member(old), "new_chat_member": member(new)}
        self.world.updates.push("my_chat_member", change)
        self.touch()

    def _sends(self, content: Json, reply_to: int | None, chat: Chat) -> Message:
        if self.blocked and chat is self:
            raise CannotDo("Unblock the bot first")
        head: Json = {"message_id": self.world.next_message_id(), "from": self.user}
        head |= {"chat": chat.described(), "date": self.world.now()}
        if reply_to is not None:
            if reply_to not in chat.by_id:
                raise CannotDo(f"There is no message {reply_to} to reply to")
            head["reply_to_message"] = without_reply(chat.by_id[reply_to].raw)
        self.started = True
        message = chat.add(head | content, from_bot=False)
        self.world.updates.push("message", message.raw)
        return message


def without_reply(raw: Json) -> Json:
    """A message as it is shown inside its reply: one level, never more."""
    return {name: value for name, value in raw.items() if name != "reply_to_message"}


def bot_message(world: World, chat: Chat, text: str, entities: list[Json]) -> Json:
    """The body of a message from the bot, with what Telegram finds in the text by itself."""
    raw: dict[str, Any] = {"message_id": 0, "from": world.bot, "chat": chat.described(), "date": world.now()}
    raw["text"] = text
    found = with_detected(text, entities)
    if found:
        raw["entities"] = found
    return raw
