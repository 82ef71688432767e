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

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 when there is one."""
        gained = max(0.0, now - self.seen) * self.per_second
        self.tokens, self.seen = min(self.size, self.tokens + gained), now
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.per_second

    def take(self) -> None:
        self.tokens -= 1


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

    def refuses(self, chat_id: int, now: float) -> int:
        """Whole seconds to wait before trying again, or 0 when the message may pass (and is counted)."""
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = Bucket(self.chat_per_second, self.chat_burst)
        group = self._groups.setdefault(chat_id, deque()) if chat_id < 0 else None
        wait = max(self._bot.wait(now), chat.wait(now), self._group_wait(group, now))
        if wait > 0:
            return max(1, math.ceil(wait))
        self._bot.take()
        chat.take()
        if group is not None:
            group.append(now)
        return 0

    def _group_wait(self, group: deque[float] | None, now: float) -> float:
        if group is None:
            return 0.0
        while group and now - group[0] >= 60:
            group.popleft()
        return 60 - (now - group[0]) if len(group) >= self.group_per_minute else 0.0
