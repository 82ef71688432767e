"""A chat and its messages, and the world they share: clock, ids, files, the queue of updates. Knows nobody in it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.entities import with_detected
from sandbox.files import FileStore
from sandbox.ledger import Ledger
from sandbox.media import file_of
from sandbox.posting import Poster
from sandbox.updates import Bell, UpdateQueue
from sandbox.wire import Json, Refusal


class CannotDo(Exception):
    """A person tried what Telegram's own app would not let them do; the message says what."""


@dataclass(slots=True)
class Message:
    """One message of a chat. `raw` is Telegram's own object; `version` grows when it is edited."""

    raw: Json
    from_bot: bool
    version: int = 0
    files: FileStore | None = field(default=None, repr=False, compare=False)

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

    @property
    def thread(self) -> int | None:
        """The topic it is in."""
        return self.raw.get("message_thread_id")

    @property
    def file_id(self) -> str:
        """Of the file it carries (of a photo the largest size); "" when it carries none."""
        file = file_of(self.raw)
        return str(file["file_id"]) if file else ""

    @property
    def content(self) -> bytes | None:
        """The bytes of that file; None without a file, or where only its size was claimed."""
        return self.files.content(self.file_id) if self.files else None


@dataclass(slots=True)
class Topic:
    """A topic of a forum; its thread is the id of the message that opened it."""

    root: Json
    name: str
    color: int
    emoji: str = ""
    closed: bool = False

    @property
    def thread(self) -> int:
        return int(self.root["message_id"])

    def head(self) -> Json:
        """What a message in it carries; one that answers nothing is shown as an answer to the opening."""
        return {"message_thread_id": self.thread, "is_topic_message": True, "reply_to_message": self.root}


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
    """What people and bot share: ids, clock, files, queue of updates."""

    clock: Callable[[], float]
    ledger: Ledger
    bot: Json
    updates: UpdateQueue = field(init=False)
    files: FileStore = field(init=False)
    poster: Poster = field(init=False)
    bell: Bell = field(default_factory=Bell)
    presses: dict[str, Press] = field(default_factory=dict)
    message_id: int = 0
    version: int = 0
    albums: int = 0

    def __post_init__(self) -> None:
        self.updates = UpdateQueue(self.ledger, self.clock, self.bell)
        self.files = FileStore(self.clock)
        self.poster = Poster(self.updates, self.ledger, self.clock)

    def next_message_id(self) -> int:
        self.message_id += 1
        return self.message_id

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def next_album(self) -> str:
        """A new `media_group_id`."""
        self.albums += 1
        return str(13_000_000_000_000_000 + self.albums)

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
        self.gone: dict[int, int] = {}  # message id -> version of its deletion
        self.topics: dict[int, Topic] = {}
        self.reply_keyboard: Json | None = None

    @abstractmethod
    def described(self) -> Json:
        """The Chat object of the Bot API."""

    @abstractmethod
    def refusal(self, *, reading: bool) -> Refusal | None:
        """Why the bot may not write here (or not even read), None when it may."""

    @abstractmethod
    def bot_may(self, right: str) -> bool:
        """Whether the bot has this right of an administrator, `can_delete_messages` for one."""

    def bot_hears(self, raw: Json) -> bool:
        """Whether the bot is told of this message."""
        return True

    def add(self, raw: Json, *, from_bot: bool) -> Message:
        message = Message(raw, from_bot, files=self.world.files)
        self.chat.append(message)
        self.by_id[message.id] = message
        self.touch(message)
        return message

    def remove(self, message_id: int) -> None:
        """Deletes a message for everybody; replies to it stay as they are. Telegram sends the bot no update."""
        self.chat.remove(self.by_id.pop(message_id))
        self.touch()
        self.gone[message_id] = self.version

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

    async def wait_for_message(self, containing: str = "", *, after: int = 0, timeout: float = 30.0) -> Message:
        """The first message of the bot newer than message `after` that contains the text; TimeoutError otherwise."""

        def look() -> Message | None:
            fresh = (message for message in self.chat if message.from_bot and message.id > after)
            return next((message for message in fresh if containing in message.text), None)

        return await self.world.bell.wait_for(look, timeout)

    async def wait_until(self, ready: Callable[["Chat"], bool], timeout: float = 30.0) -> None:
        await self.world.bell.wait_for(lambda: ready(self) or None, timeout)


def without_reply(raw: Json) -> Json:
    """A message as it is shown inside its reply: one level, never more."""
    return {name: value for name, value in raw.items() if name != "reply_to_message"}


def with_entities(text: str, entities: list[Json], *, name: str = "text") -> Json:
    """A text, or with `name="caption"` a caption, with the entities given and those Telegram finds by itself."""
    found = with_detected(text, entities)
    if not found:
        return {name: text}
    return {name: text, "entities" if name == "text" else "caption_entities": found}
