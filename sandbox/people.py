"""The people who talk with the bot, as test and demo code plays them; refuses what a person can't do.

A person has sent nothing until `sends`: for the bot the chat does not exist before (`started=True` skips that).
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from sandbox.chats import CannotDo, Chat, Message, Press, World, with_entities, without_reply
from sandbox.editing import edited
from sandbox.groups import Group, Status, tell_membership
from sandbox.media import Document, Media, Photo, Video, Voice
from sandbox.wire import Json, Refusal

__all__ = ["CannotDo", "Document", "Group", "Message", "Person", "Photo", "Place", "Press", "Video", "Voice", "World"]


class Place(TypedDict, total=False):
    """Where a message goes (a group, a topic's thread), and what it answers; by default the private chat, nothing."""

    reply_to: int | None
    to: Group | None
    topic: int | None


class Around(Place, total=False):
    """What goes with a file."""

    caption: str
    media_group_id: str


class Person(Chat):
    """Somebody with Telegram; their private chat with the bot has the same id as they."""

    def __init__(self, world: World, user_id: int, first_name: str, **details: str) -> None:
        super().__init__(world, user_id)
        self.first_name = first_name
        self.user: Json = {"id": user_id, "is_bot": False, "first_name": first_name}
        self.user |= {name: value for name, value in details.items() if value}
        self.presses_made: list[Press] = []
        self.deactivated = False

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.first_name, self.user.get("last_name", "")]))

    @property
    def language_code(self) -> str:
        return str(self.user.get("language_code", ""))

    def described(self) -> Json:
        names = ("first_name", "last_name", "username")
        return {"id": self.id, "type": "private", **{name: self.user[name] for name in names if name in self.user}}

    def refusal(self, *, reading: bool) -> Refusal | None:
        if reading:
            return None
        if self.deactivated:
            return Refusal(403, "Forbidden: user is deactivated")
        return Refusal(403, "Forbidden: bot was blocked by the user") if self.blocked else None

    def bot_may(self, right: str) -> bool:
        return True

    def sends(
        self, text: str, reply_to: int | None = None, *, to: Group | None = None, topic: int | None = None
    ) -> Message:
        """Writes to the bot (or into a group); commands in the text are marked as Telegram does."""
        return self._sends(with_entities(text, []), reply_to=reply_to, to=to, topic=topic)

    def sends_document(
        self,
        name: str = "documento.pdf",
        *,
        content: bytes | None = None,
        size: int | None = None,
        mime_type: str = "",
        **around: Unpack[Around],
    ) -> Message:
        """A file. With a `size` but no `content` it is only claimed: the bot sees it but can't fetch it."""
        return self.sends_media(Document(name, content, size, mime_type), **around)

    def sends_photo(self, *, content: bytes | None = None, **around: Unpack[Around]) -> Message:
        """A photo in several sizes, the largest as it was given; parts of one album share `media_group_id`."""
        return self.sends_media(Photo(content), **around)

    def sends_video(
        self, *, content: bytes | None = None, size: int | None = None, duration: int = 5, **around: Unpack[Around]
    ) -> Message:
        return self.sends_media(Video(content, size, duration=duration), **around)

    def sends_voice(
        self,
        *,
        content: bytes | None = None,
        mime_type: str = "audio/ogg",
        duration: int = 3,
        **around: Unpack[Around],
    ) -> Message:
        return self.sends_media(Voice(content, None, mime_type, duration), **around)

    def sends_media(self, media: Media, **around: Unpack[Around]) -> Message:
        return self._sends(media.shown(self.world.files), **around)

    def sends_album(self, parts: Sequence[Media], *, caption: str = "", **place: Unpack[Place]) -> list[Message]:
        """Each part a message and an update of its own, the caption on the first: Telegram never says how many."""
        if not 2 <= len(parts) <= 10:
            raise CannotDo("An album has 2 to 10 parts")
        album = self.world.next_album()
        captions = [caption, *[""] * (len(parts) - 1)]
        return [
            self.sends_media(part, caption=words, media_group_id=album, **place)
            for part, words in zip(parts, captions, strict=True)
        ]

    def sends_location(self, latitude: float, longitude: float, **place: Unpack[Place]) -> Message:
        return self._sends({"location": {"latitude": latitude, "longitude": longitude}}, **place)

    def sends_contact(
        self,
        phone_number: str,
        first_name: str,
        last_name: str = "",
        *,
        user_id: int | None = None,
        **place: Unpack[Place],
    ) -> Message:
        """`user_id` when the contact has Telegram; one's own, for "share my number"."""
        contact: Json = {"phone_number": phone_number, "first_name": first_name}
        contact |= {name: value for name, value in (("last_name", last_name), ("user_id", user_id)) if value}
        return self._sends({"contact": contact}, **place)

    def edits(
        self, message_id: int, text: str | None = None, *, media: Media | None = None, to: Group | None = None
    ) -> Message:
        """Changes the text of one's own message, or the caption of one's own file; without `text` it stays.

        `media` replaces the file, or comes to a text, which is its caption then.
        """
        chat = to or self
        message = self._own(chat, message_id)
        message.raw = {**edited(message.raw, text, media, self.world.files), "edit_date": self.world.now()}
        if chat.bot_hears(message.raw):
            self.world.updates.push("edited_message", message.raw)
        chat.touch(message)
        return message

    def deletes(self, message_id: int, *, to: Group | None = None) -> None:
        """Deletes a message, for both: of one's own any; in the private chat the bot's too. The bot is not told."""
        chat = to or self
        if chat is not self or message_id not in chat.by_id:
            self._own(chat, message_id)
        chat.remove(message_id)

    def _own(self, chat: Chat, message_id: int) -> Message:
        message = chat.by_id.get(message_id)
        if message is None or message.from_bot or message.raw["from"]["id"] != self.id:
            raise CannotDo("Only one's own messages can be edited or deleted")
        return message

    def presses(self, message_id: int, data: str, *, stale: bool = False, to: Group | None = None) -> Press:
        """Presses the button with this data; `stale=True` also one that is no longer there (an old screen)."""
        chat = to or self
        message = chat.by_id.get(message_id)
        if message is None:
            raise CannotDo(f"There is no message {message_id} in this chat")
        if not stale and all(button.get("callback_data") != data for button in message.buttons):
            raise CannotDo(f"Message {message_id} has no button with data {data!r}: {message.buttons}")
        query_id = str(4_000_000_000_000 + len(self.world.presses) + 1)
        press = Press(query_id, message_id, data, self.world.clock(), chat)
        self.world.presses[query_id] = press
        self.presses_made.append(press)
        query = {"id": query_id, "from": self.user, "message": message.raw, "chat_instance": str(chat.id), "data": data}
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
        tell_membership(self, self.user, Status.MEMBER, Status.KICKED)

    def unblocks(self) -> None:
        self.blocked = False
        tell_membership(self, self.user, Status.KICKED, Status.MEMBER)

    def deletes_account(self) -> None:
        """There is no way back; the bot learns it when it writes."""
        self.deactivated = True

    def push_raw(self, update: Json) -> int:
        """Any odd update, as if it came from this person's chat; it counts as having written to the bot."""
        self.started = True
        return self.world.updates.push_raw(update)

    def _sends(self, content: Json, **around: Unpack[Around]) -> Message:
        chat = around.get("to") or self
        self._may_write(chat)
        reply_to, thread = around.get("reply_to"), around.get("topic")
        if reply_to is not None and reply_to not in chat.by_id:
            raise CannotDo(f"There is no message {reply_to} to reply to")
        head: Json = {"message_id": self.world.next_message_id(), "from": self.user}
        head |= {"chat": chat.described(), "date": self.world.now()}
        if reply_to is not None:
            thread = thread or chat.by_id[reply_to].thread
        if thread is not None:
            head |= self._topic(chat, thread)
        if reply_to is not None:
            head["reply_to_message"] = without_reply(chat.by_id[reply_to].raw)
        if album := around.get("media_group_id"):
            head["media_group_id"] = album
        if caption := around.get("caption"):
            content = {**content, **with_entities(caption, [], name="caption")}
        self.started |= chat is self
        message = chat.add(head | content, from_bot=False)
        if chat.bot_hears(message.raw):
            self.world.updates.push("message", message.raw)
        return message

    def _may_write(self, chat: Chat) -> None:
        """Whoever speaks in a group is in it."""
        if self.deactivated:
            raise CannotDo("This account is gone")
        if self.blocked and chat is self:
            raise CannotDo("Unblock the bot first")
        if isinstance(chat, Group) and chat.upgraded_to is not None:
            raise CannotDo("The group was upgraded; write to the new one")
        if isinstance(chat, Group) and self.id not in chat.members:
            chat.admit(self.user)

    def _topic(self, chat: Chat, thread: int) -> Json:
        topic = chat.topics.get(thread)
        if topic is None or topic.closed:
            raise CannotDo(f"There is no open topic {thread} here")
        return topic.head()
