"""Says when a bot sends too fast, as Telegram does. Pure: time is given, nothing waits.

About 30 messages a second for a bot, one a second for a chat with a small burst, 20 a minute for a group
(core.telegram.org/bots/faq). One message of grace per chat and three per bot absorb the jitter of the way here.
"""

import math
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Holds up to `size` tokens and gains `per_second`."""

    per_second: float
    size: float
    tokens: float = field(init=False)
    seen: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.size

    def wait(self, now: float, tokens: int = 1) -> float:
        """Seconds until so many tokens are there (or the bucket is full); 0 when they are."""
        gained = max(0.0, now - self.seen) * self.per_second
        self.tokens, self.seen = min(self.size, self.tokens + gained), now
        wanted = min(tokens, self.size)
        return 0.0 if self.tokens >= wanted else (wanted - self.tokens) / self.per_second

    def take(self, tokens: int = 1) -> None:
        """What is taken beyond what is there is a debt."""
        self.tokens -= tokens


@dataclass(slots=True)
class Limits:
    """The limits of one bot; `refuses` counts a message in only when it may pass."""

    bot_per_second: float = 30
    bot_burst: float = 33
    chat_per_second: float = 1
    chat_burst: float = 6
    group_per_minute: int = 20
    _bot: Bucket = field(init=False)
    _chats: dict[int, Bucket] = field(default_factory=dict)
    _groups: dict[int, deque[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bot = Bucket(self.bot_per_second, self.bot_burst)

    def refuses(self, chat_id: int, now: float, messages: int = 1) -> int:
        """Whole seconds to wait before trying again, or 0 when the messages may pass (and are counted).

        An album is as many messages as it has parts.
        """
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = Bucket(self.chat_per_second, self.chat_burst)
        group = self._groups.setdefault(chat_id, deque()) if chat_id < 0 else None
        wait = max(self._bot.wait(now, messages), chat.wait(now, messages), self._group_wait(group, now, messages))
        if wait > 0:
            return max(1, math.ceil(wait))
        self._bot.take(messages)
        chat.take(messages)
        if group is not None:
            group.extend([now] * messages)
        return 0

    def _group_wait(self, group: deque[float] | None, now: float, messages: int) -> float:
        if group is None:
            return 0.0
        while group and now - group[0] >= 60:
            group.popleft()
        too_many = len(group) + messages - self.group_per_minute
        return 60 - (now - group[too_many - 1]) if too_many > 0 else 0.0
