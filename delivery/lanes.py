"""Who has to wait, in the memory of the one dispatcher: an address after a failure, a channel in trouble. Pure.

Order per address is kept by waiting: while its oldest message waits for another try, the others wait behind it.
"""

from dataclasses import dataclass, field

from storage.tables import Channel

IN_A_ROW = 3.0  # failures without a success between them, before the whole channel pauses
LONGEST_PAUSE = 30.0  # seconds
FRESH = 5.0  # seconds: as long as others got through so lately, a chat that has to wait says nothing about the channel


@dataclass(slots=True)
class Health:
    """How a channel is doing. In trouble it pauses, longer each time, and then tries with one message."""

    row: float = 0.0
    paused_until: float = 0.0
    succeeded_at: float = 0.0

    @property
    def troubled(self) -> bool:
        return self.row >= IN_A_ROW

    def failed(self, at: float, weight: float = 1.0) -> None:
        """One more failure. One that may concern a single chat weighs less.

        What fails during a pause was on its way before it began, and says nothing new: thirty at once would otherwise
        make everybody wait for as long as thirty tries one after the other.
        """
        if at < self.paused_until or (weight < 1.0 and 0 <= at - self.succeeded_at < FRESH):
            return
        self.row += weight
        if self.troubled:
            pause = min(LONGEST_PAUSE, 2.0 ** min(10.0, self.row - IN_A_ROW))
            self.paused_until = max(self.paused_until, at + pause)

    def succeeded(self, at: float) -> bool:
        """True when this ends a time of trouble."""
        recovered = self.troubled
        self.row = self.paused_until = 0.0
        self.succeeded_at = max(at, self.succeeded_at)
        return recovered

    def width(self, at: float, full: int) -> int:
        """How many messages may be on their way at once."""
        if at < self.paused_until:
            return 0
        return 1 if self.troubled else full


@dataclass(slots=True)
class Lanes:
    """Times are epoch seconds; an address is a channel and its value.

    Who waits for a connection is remembered apart: when there is one again, only they may go. A chat that was told to
    wait still has to, or its younger message would overtake the one that waits.
    """

    health: dict[Channel, Health] = field(default_factory=dict)
    _closed: dict[tuple[Channel, str], float] = field(default_factory=dict)
    _unconnected: dict[tuple[Channel, str], float] = field(default_factory=dict)

    def of(self, channel: Channel) -> Health:
        return self.health.setdefault(channel, Health())

    def close(self, channel: Channel, address: str, until: float, *, unconnected: bool = False) -> None:
        """Nothing goes to this address before `until`; `unconnected`: unless the channel works again before."""
        lanes = self._unconnected if unconnected else self._closed
        lanes[channel, address] = max(until, lanes.get((channel, address), 0.0))

    def closed_for(self, channel: Channel, address: str, at: float) -> float:
        """Seconds until this address may be tried again."""
        wait = 0.0
        for lanes in (self._closed, self._unconnected):
            until = lanes.get((channel, address))
            if until is None:
                continue
            if until <= at:
                del lanes[channel, address]
            else:
                wait = max(wait, until - at)
        return wait

    def reopen(self, channel: Channel) -> None:
        """The channel works again: who waited only for that need not wait any more."""
        self._unconnected = {key: until for key, until in self._unconnected.items() if key[0] is not channel}

    def forget(self) -> None:
        """What another dispatcher did meanwhile makes our memory worthless."""
        self._closed.clear()
        self._unconnected.clear()
