"""Says when the next message may go, so that a provider never has to. Pure: time is given in seconds, nothing waits.

Telegram (core.telegram.org/bots/faq): about 30 messages a second for a bot, one a second for a chat with a small
burst, 20 a minute for a group.
"""

from collections import deque
from dataclasses import dataclass, field

MANY_CHATS = 5_000
MINUTE = 60.0


@dataclass(slots=True)
class Bucket:
    """Holds up to `size` tokens and gains `rate` a second."""

    rate: float
    size: float
    tokens: float
    seen: float

    def wait(self, at: float, count: int = 1) -> float:
        """Seconds until `count` tokens are there, or the bucket is full; a clock that went back gains nothing."""
        self.tokens = min(self.size, self.tokens + max(0.0, at - self.seen) * self.rate)
        self.seen = at
        wanted = min(float(count), self.size)
        return 0.0 if self.tokens >= wanted - 1e-9 else (wanted - self.tokens) / self.rate

    def take(self, count: int = 1) -> None:
        """What is taken beyond what is there is a debt."""
        self.tokens -= count


@dataclass(slots=True)
class Limits:
    """The limits of one bot. `enabled=False` lets everything pass (benchmarks against one's own server)."""

    bot_per_second: float = 30.0
    chat_per_second: float = 1.0
    chat_burst: float = 5.0
    group_per_minute: int = 20
    enabled: bool = True
    _bot: Bucket = field(init=False)
    _chats: dict[str, Bucket] = field(init=False, default_factory=dict)
    _groups: dict[str, deque[float]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._bot = Bucket(self.bot_per_second, max(1.0, self.bot_per_second), max(1.0, self.bot_per_second), 0.0)

    def bot_wait(self, at: float, messages: int = 1) -> float:
        """Seconds until the bot may send anything at all; `messages` as in `chat_wait`."""
        return self._bot.wait(at, messages) if self.enabled else 0.0

    def chat_wait(self, address: str, at: float, messages: int = 1) -> float:
        """Seconds until this chat may get a message, or an album of several. A negative chat id is a group."""
        if not self.enabled:
            return 0.0
        chat = self._chats.get(address)
        if chat is None:
            return 0.0
        return max(chat.wait(at, messages), self._group_wait(address, at, messages))

    def take(self, address: str, at: float, *, messages: int = 1) -> None:
        """Counts one message in, or an album of several: it goes as a whole, and what comes after it waits for all."""
        if not self.enabled:
            return
        self._bot.wait(at)
        self._bot.take(messages)
        chat = self._chats.get(address)
        if chat is None:
            self._forget_the_quiet(at)
            chat = self._chats[address] = Bucket(self.chat_per_second, self.chat_burst, self.chat_burst, at)
        chat.wait(at)
        chat.take(messages)
        if address.startswith("-"):
            self._groups.setdefault(address, deque()).extend([at] * messages)

    def _group_wait(self, address: str, at: float, messages: int) -> float:
        # A bucket would let 40 pass in the first minute: 20 saved up and 20 gained.
        sent = self._groups.get(address)
        while sent and at - sent[0] >= MINUTE:
            sent.popleft()
        too_many = len(sent) + messages - self.group_per_minute if sent else 0
        return MINUTE - (at - sent[min(too_many, len(sent)) - 1]) if sent and too_many > 0 else 0.0

    def _forget_the_quiet(self, at: float) -> None:
        """A chat whose bucket is full again is like one never seen."""
        if len(self._chats) < MANY_CHATS:
            return
        quiet = self.chat_burst / self.chat_per_second
        self._chats = {name: chat for name, chat in self._chats.items() if at - chat.seen < quiet}
        self._groups = {name: sent for name, sent in self._groups.items() if sent and at - sent[-1] < MINUTE}
