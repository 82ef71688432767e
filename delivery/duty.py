"""Holds the duty of the one dispatcher, and takes over what a dead one left. Refuses to send."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from delivery import results
from delivery.lanes import Lanes
from delivery.parcel import Letterhead
from storage import leases, people

NAME = "dispatcher"
TRY_EVERY = timedelta(seconds=1)


@dataclass(slots=True)
class Duty:
    """`stopped`: a restored database sends nothing until somebody releases it."""

    owner: str
    lanes: Lanes
    seconds: float
    office: Letterhead = field(default_factory=Letterhead)
    stopped: bool = False
    _until: datetime | None = None
    _tried_at: datetime | None = None

    @property
    def ours(self) -> bool:
        return self._until is not None

    def settled(self, now: datetime) -> bool:
        """Nothing to do about it now: ours for a while yet, or somebody else's a moment ago."""
        lease = timedelta(seconds=self.seconds)
        if self._until is not None:
            return now < self._until - lease * 0.6 and self._until <= now + lease
        return self._tried_at is not None and self._tried_at <= now < self._tried_at + TRY_EVERY

    def take(self, session: Session, now: datetime, flying: set[int]) -> bool:
        """Takes or prolongs the duty; True when we may send. `flying`: ids that we ourselves are sending."""
        if self.settled(now):
            return self.ours and not self.stopped
        without_break = self._until is not None and now < self._until
        self._tried_at = now
        if not leases.hold(session, NAME, self.owner, now, seconds=self.seconds):
            self._until = None
            return False
        if not without_break:
            results.closed_lanes(session, self.lanes, now)
        results.interrupted(session, now, flying, whatever_lease=not without_break)
        self._until = now + timedelta(seconds=self.seconds)
        office = people.the_office(session)
        self.office = Letterhead(office.name, office.authority, office.hours, office.phone, office.email)
        self.stopped = office.dispatch_stopped
        return not self.stopped

    def give_back(self, session: Session, now: datetime) -> None:
        """The next process need not wait."""
        if self._until is not None:
            leases.release(session, NAME, self.owner, now)
            self._until = None
