"""Who has to wait, in the memory of the one dispatcher: an address after a failure, a channel in trouble. Pure.

Order per address is kept by waiting: while its oldest message waits for another try, the others wait behind it.
"""

from dataclasses import dataclass, field

from storage.tables import Channel

IN_A_ROW = 3.0  # failures without a success between them, before the whole channel pauses
LONGEST_PAUSE = 30.0  # seconds


@dataclass(slots=True)
class Health:
    """How a channel is doing. In trouble it pauses, longer each time, and then tries with one message."""

    row: float = 0.0
    paused_until: float = 0.0

    @property
    def troubled(self) -> bool:
        return self.row >= IN_A_ROW

    def failed(self, at: float, weight: float = 1.0) -> None:
        """One more failure. One that may concern a single chat weighs less."""
        self.row += weight
        if self.troubled:
            pause = min(LONGEST_PAUSE, 2.0 ** min(10.0, self.row - IN_A_ROW))
            self.paused_until = max(self.paused_until, at + pause)

    def succeeded(self) -> bool:
        """True when this ends a time of trouble."""
        recovered = self.troubled
        self.row = self.paused_until = 0.0
        return recovered

    def width(self, at: float, full: int) -> int:
        """How many messages may be on their way at once."""
        if at < self.paused_until:
            return 0
        return 1 if self.troubled else full


@dataclass(slots=True)
class Lanes:
    """Times are epoch seconds; an address is a channel and its value."""

    health: dict[Channel, Health] = field(default_factory=dict)
    _closed: dict[tuple[Channel, str], float] = field(default_factory=dict)

    def of(self, channel: Channel) -> Health:
        return self.health.setdefault(channel, Health())

    def close(self, channel: Channel, address: str, until: float) -> None:
        """Nothing goes to this address before `until`."""
        self._closed[channel, address] = max(until, self._closed.get((channel, address), 0.0))

    def closed_for(self, channel: Channel, address: str, at: float) -> float:
        """Seconds until this address may be tried again."""
        until = self._closed.get((channel, address))
        if until is None:
            return 0.0
        if until <= at:
            del self._closed[channel, address]
            return 0.0
        return until - at

    def reopen(self, channel: Channel) -> None:
        """The channel works again: no address of it waits any more."""
        self._closed = {key: until for key, until in self._closed.items() if key[0] is not channel}

    def forget(self) -> None:
        """What another dispatcher did meanwhile makes our memory worthless."""
        self._closed.clear()
