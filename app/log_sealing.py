"""The clock's duty of sealing the log: one process at a time, by lease. Writes nothing while nothing waits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex

from sqlmodel import Session

from storage import audit_chain, leases
from storage.database import Database

LEASE = "audit-chain"
LEASE_SECONDS = 60
LOOK_BACK = 1000  # ids: on PostgreSQL a transaction that ends late brings a row with a low one
WHOLE_EVERY = timedelta(hours=1)  # however late it ended, it is found then


@dataclass
class LogSealer:
    """Looks a little back at every tick, and once an hour through the whole log."""

    database: Database
    owner: str = field(default_factory=lambda: token_hex(8))
    whole_at: datetime | None = None

    async def __call__(self, now: datetime) -> None:
        begin = await self.database.look(partial(self.begin, now=now))
        if not await self.database.look(partial(audit_chain.unsealed_after, audit_id=begin)):
            return
        after: int | None = begin
        while after is not None:
            after = await self.database.run(partial(self.seal, now=now, after=after))

    def begin(self, session: Session, now: datetime) -> int:
        """The id from which on to look this time."""
        if self.whole_at is None or not self.whole_at <= now < self.whole_at + WHOLE_EVERY:
            self.whole_at = now
            return 0
        return max(0, audit_chain.newest_sealed_id(session) - LOOK_BACK)

    def seal(self, session: Session, now: datetime, after: int) -> int | None:
        """One batch; None when none is left, or when another process has the duty."""
        if not leases.hold(session, LEASE, self.owner, now, seconds=LEASE_SECONDS):
            return None
        return audit_chain.seal_some(session, now, after=after)


def seal_all(database: Database, now: datetime) -> None:
    """The same for the command line, in this thread."""
    sealer = LogSealer(database)
    after: int | None = 0
    while after is not None:
        with database.write() as session:
            after = sealer.seal(session, now, after)
    with database.write() as session:
        leases.release(session, LEASE, sealer.owner, now)
