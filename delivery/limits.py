"""Says when the next message may go, so that a provider never has to. Pure: time is given in seconds, nothing waits.

Telegram (core.telegram.org/bots/faq): about 30 messages a second for a bot, one a second for a chat with a small
burst, 20 a minute for a group.
"""

from collections import Counter, deque
from collections.abc import Iterable
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

    def wait(self, at: float, count: int = 1, flying: int = 0) -> float:
        """Seconds until `count` tokens are there beside those of who is on the way, or the bucket is full."""
        self._gain(at)
        lacking = min(float(count), self.size) - (self.tokens - flying)
        return 0.0 if lacking <= 1e-9 else lacking / self.rate

    def take(self, at: float, count: int = 1) -> None:
        """What is taken beyond what is there is a debt."""
        if at > self.seen:
            self._gain(at)
        self.tokens -= count

    def _gain(self, at: float) -> None:
        """A clock that went back gains nothing."""
        self.tokens = min(self.size, self.tokens + max(0.0, at - self.seen) * self.rate)
        self.seen = at


@dataclass(slots=True)
class Limits:
    """The limits of one bot. `enabled=False` lets everything pass (benchmarks against one's own server).

    The provider counts a message when it arrives, which may be a second after it was chosen. Counted when chosen, those
    chosen late would meet those chosen soon after, and the provider would refuse some of them. So a message is on its
    way from `set_off` until `arrived`, and has its place all the time.
    """

    bot_per_second: float = 30.0
    chat_per_second: float = 1.0
    chat_burst: float = 5.0
    group_per_minute: int = 20
    enabled: bool = True
    _bot: Bucket = field(init=False)
    _chats: dict[str, Bucket] = field(init=False, default_factory=dict)
    _groups: dict[str, deque[float]] = field(init=False, default_factory=dict)
    _flying: Counter[str] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self._bot = Bucket(self.bot_per_second, max(1.0, self.bot_per_second), max(1.0, self.bot_per_second), 0.0)

    def bot_wait(self, at: float, messages: int = 1) -> float:
        """Seconds until the bot may send anything at all; `messages` as in `chat_wait`."""
        return self._bot.wait(at, messages, self._flying.total()) if self.enabled else 0.0

    def chat_wait(self, address: str, at: float, messages: int = 1) -> float:
        """Seconds until this chat may get a message, or an album of several. A negative chat id is a group."""
        if not self.enabled:
            return 0.0
        chat, flying = self._chats.get(address), self._flying[address]
        if chat is None:
            chat = self._unknown(at)
        wait = chat.wait(at, messages, flying)
        return max(wait, self._group_wait(address, at, messages + flying))

    def on_their_way(self, flying: Iterable[tuple[str, int]]) -> None:
        """These are, and no others: what was thought to set off may not have. Addresses, and how many messages."""
        self._flying = Counter()
        for address, messages in flying:
            self._flying[address] += messages

    def set_off(self, address: str, messages: int = 1) -> None:
        """One message is on its way, or an album of several: it goes as a whole, and what comes after waits for all."""
        self._flying[address] += messages

    def arrived(self, address: str, at: float, messages: int = 1) -> None:
        """The provider has counted it, at this instant or before. It is no longer on its way."""
        self._flying[address] -= messages
        if self._flying[address] <= 0:
            del self._flying[address]
        if not self.enabled:
            return
        self._bot.take(at, messages)
        chat = self._chats.get(address)
        if chat is None:
            self._forget_the_quiet(at)
            chat = self._chats[address] = self._unknown(at)
        chat.take(at, messages)
        if address.startswith("-"):
            self._groups.setdefault(address, deque()).extend([at] * messages)

    def _unknown(self, at: float) -> Bucket:
        """Of a chat that was never written to, or not for long."""
        return Bucket(self.chat_per_second, self.chat_burst, self.chat_burst, at)

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
