"""What the bot can reach and what it said about itself; refuses, in Telegram's words, a chat it can't write to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.chats import Chat, World
from sandbox.groups import Group
from sandbox.limits import Limits
from sandbox.people import Person
from sandbox.posting import Webhook
from sandbox.wire import Json, Params, bad_request, too_many

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
    webhook: Webhook | None = None
    webhook_set_at: float = 0.0

    def chat(self, params: Params, *, reading: bool = False) -> Chat:
        """The chat that the bot may write to, or with `reading` only look at; raises Refusal."""
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
        refusal = chat.refusal(reading=reading)
        if refusal is not None:
            raise refusal
        return chat

    def count(self, chat: Chat, messages: int = 1) -> None:
        """Counts messages for the rate limits; raises Refusal 429."""
        if self.limits is None:
            return
        wait = self.limits.refuses(chat.id, self.world.clock(), messages)
        if wait:
            raise too_many(wait)

    def commands_for(self, person: Person) -> list[Json]:
        """The command menu this person sees: the narrowest scope first, their language before the others."""
        for scope in (f"chat {person.id}", "all_private_chats", "default"):
            for language in (person.language_code, ""):
                if (scope, language) in self.commands:
                    return self.commands[scope, language]
        return []
