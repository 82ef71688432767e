"""Groups the bot is in, their members and topics, as people and bot change them; says why the bot may not write."""

from enum import StrEnum

from sandbox.chats import CannotDo, Chat, Message, Topic, World
from sandbox.wire import Json, Refusal

SUPERGROUP = -(10**12)  # supergroups have ids below
FORUM_BLUE = 0x6FB9F0
RIGHTS = (
    *("can_manage_chat", "can_change_info", "can_delete_messages", "can_invite_users", "can_restrict_members"),
    *("can_pin_messages", "can_promote_members", "can_manage_video_chats", "can_manage_topics"),
    "can_send_welcome_messages",
)
SERVICE = {
    *("migrate_to_chat_id", "migrate_from_chat_id", "forum_topic_created", "forum_topic_edited"),
    *("forum_topic_closed", "forum_topic_reopened"),
}
STORIES = ("can_post_stories", "can_edit_stories", "can_delete_stories")


class Status(StrEnum):
    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    LEFT = "left"
    KICKED = "kicked"


OUTSIDE = (Status.LEFT, Status.KICKED)


def described_member(user: Json, status: Status, rights: frozenset[str] = frozenset(RIGHTS)) -> Json:
    """The ChatMember object of the Bot API."""
    member: Json = {"user": user, "status": str(status)}
    if status is Status.CREATOR:
        return member | {"is_anonymous": False}
    if status is Status.ADMINISTRATOR:
        allowed = {name: name in rights for name in RIGHTS} | dict.fromkeys(STORIES, False)
        return member | allowed | {"can_be_edited": False, "is_anonymous": False}
    return member | {"until_date": 0} if status is Status.KICKED else member


def tell_membership(chat: Chat, by: Json, old: Status, new: Status) -> None:
    """The bot learns that its own place in a chat has changed."""
    bot = chat.world.bot
    change: Json = {"chat": chat.described(), "from": by, "date": chat.world.now()}
    change |= {"old_chat_member": described_member(bot, old), "new_chat_member": described_member(bot, new)}
    chat.world.updates.push("my_chat_member", change)
    chat.touch()


class Group(Chat):
    """A group the bot is in; people speak in it with `person.sends(text, to=group, topic=…)`.

    A member hears, as Telegram's privacy mode has it, only commands and replies to the bot; an administrator hears all.
    """

    def __init__(
        self, world: World, chat_id: int, title: str, *, forum: bool = False, bot_is: Status = Status.ADMINISTRATOR
    ) -> None:
        super().__init__(world, chat_id)
        self.title, self.forum, self.started = title, forum, True
        self.bot_is, self.bot_rights = bot_is, frozenset(RIGHTS)
        self.members: dict[int, tuple[Json, Status]] = {}
        self.upgraded_to: int | None = None

    @property
    def kind(self) -> str:
        return "supergroup" if self.id <= SUPERGROUP else "group"

    def described(self) -> Json:
        described: Json = {"id": self.id, "type": self.kind, "title": self.title}
        return described | {"is_forum": True} if self.forum else described

    def refusal(self, *, reading: bool) -> Refusal | None:
        if self.kind == "group" and reading:
            return None
        if self.upgraded_to is not None:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return Refusal(400, words, {"migrate_to_chat_id": self.upgraded_to})
        if self.bot_is is Status.KICKED:
            return Refusal(403, f"Forbidden: bot was kicked from the {self.kind} chat")
        if self.bot_is is Status.LEFT:
            return Refusal(403, f"Forbidden: bot is not a member of the {self.kind} chat")
        return None

    def bot_may(self, right: str) -> bool:
        return self.bot_is is Status.ADMINISTRATOR and right in self.bot_rights

    def bot_hears(self, raw: Json) -> bool:
        if self.bot_is in OUTSIDE or self.upgraded_to is not None:
            return False
        if self.bot_is is Status.ADMINISTRATOR or raw.keys() & SERVICE:
            return True
        if raw.get("reply_to_message", {}).get("from", {}).get("id") == self.world.bot["id"]:
            return True
        return _is_command(raw, str(self.world.bot["username"]))

    def status_of(self, user_id: int) -> Status:
        return self.members[user_id][1] if user_id in self.members else Status.LEFT

    def admit(self, user: Json, status: Status = Status.MEMBER) -> None:
        self.members[user["id"]] = (user, status)

    def bot_becomes(self, status: Status, by: Json) -> None:
        """Somebody takes the bot in, makes it an administrator, or kicks it out; the bot is told."""
        old, self.bot_is = self.bot_is, status
        tell_membership(self, by, old, status)

    def kicks_bot(self, by: Json) -> None:
        self.bot_becomes(Status.KICKED, by)

    def serve(self, content: Json, by: Json) -> Message:
        """A service message; the bot is told of those that it did not cause itself."""
        raw: Json = {"message_id": self.world.next_message_id(), "from": by, "chat": self.described()}
        raw |= {"date": self.world.now(), **content}
        message = self.add(raw, from_bot=by["id"] == self.world.bot["id"])
        if not message.from_bot and self.bot_hears(raw):
            self.world.updates.push("message", raw)
        return message

    # -- topics ------------------------------------------------------------------------------------

    def topic(self, thread: int) -> Topic:
        """Raises CannotDo when there is none."""
        if thread not in self.topics:
            raise CannotDo(f"There is no topic {thread} in this group")
        return self.topics[thread]

    def opens_topic(self, name: str, by: Json, *, color: int = FORUM_BLUE, emoji: str = "") -> Topic:
        if not self.forum:
            raise CannotDo("This group has no topics")
        created: Json = {"name": name, "icon_color": color} | ({"icon_custom_emoji_id": emoji} if emoji else {})
        thread = self.world.message_id + 1
        here = {"message_thread_id": thread, "is_topic_message": True}
        root = self.serve({**here, "forum_topic_created": created}, by)
        topic = self.topics[root.id] = Topic(root.raw, name, color, emoji)
        return topic

    def changes_topic(self, topic: Topic, by: Json, *, name: str = "", emoji: str | None = None) -> None:
        edited: Json = {"name": name} if name else {}
        edited |= {} if emoji is None else {"icon_custom_emoji_id": emoji}
        topic.name, topic.emoji = name or topic.name, topic.emoji if emoji is None else emoji
        self.serve({**topic.head(), "forum_topic_edited": edited}, by)

    def closes_topic(self, topic: Topic, by: Json) -> None:
        topic.closed = True
        self.serve({**topic.head(), "forum_topic_closed": {}}, by)

    def reopens_topic(self, topic: Topic, by: Json) -> None:
        topic.closed = False
        self.serve({**topic.head(), "forum_topic_reopened": {}}, by)

    def deletes_topic(self, topic: Topic) -> None:
        """With all its messages. Telegram sends the bot no update."""
        del self.topics[topic.thread]
        for message in [message for message in self.chat if message.thread == topic.thread]:
            self.remove(message.id)


def _is_command(raw: Json, username: str) -> bool:
    first = next(iter(raw.get("entities") or raw.get("caption_entities") or [{}]))
    if first.get("type") != "bot_command" or first["offset"] != 0:
        return False
    command = str(raw.get("text", raw.get("caption")))[: first["length"]]
    return "@" not in command or command.endswith(f"@{username}")
