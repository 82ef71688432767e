"""What happens to a message after an error. Pure: the rules of `RELIABILITY.md`, once, for every channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.errors import Blocked, DeliveryError, Migrated, NotAPhoto, Throttled, Uncertain, Undecodable
from storage.tables import OutboxKind, OutboxState

HOUR = 3600
# Seconds before each further try: about a day in all, then a person looks at it.
BACKOFF = (1, 4, 15, 60, 300, 900, 1800, *(HOUR,) * 23)
AFTER_UNCERTAIN = 5  # seconds: a restart of the other side is over, and the reader remembers
LONGEST_WAIT = 24 * HOUR

# What the reader is told may be a repetition; a dialogue prompt or an invitation twice does no harm.
MARKED = frozenset({OutboxKind.ANSWER, OutboxKind.REMINDER, OutboxKind.CIRCULAR})
# What must reach the person by another way when this one is closed.
FALLS_BACK = frozenset(set(OutboxKind) - {OutboxKind.DIALOGUE})
# What nobody asked for: it leaves in working hours only.
IN_OFFICE_HOURS = frozenset({OutboxKind.REMINDER, OutboxKind.RECALL})


# What is tried once more in another way, and the flag that remembers it.
_ONCE: dict[type[DeliveryError], str] = {Undecodable: "plain", NotAPhoto: "documents", Migrated: "migrated"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The next state. `flag` is remembered in the row's body; with `refund` this try does not count."""

    state: OutboxState
    error: str
    next_at: datetime | None = None
    possible_duplicate: bool = False
    flag: str = ""
    refund: bool = False


def judge(error: DeliveryError, attempt: int, flags: frozenset[str], now: datetime) -> Verdict:
    """`flags`: what is known of the message (`plain`, `documents`, `migrated`, `possible_duplicate`, `certified`)."""
    if isinstance(error, Uncertain):
        return _uncertain(error, flags, now)
    if isinstance(error, Throttled):
        wait = timedelta(seconds=min(max(error.seconds, 1.0), LONGEST_WAIT))
        return Verdict(OutboxState.RETRY, error.reason, now + wait, refund=True)
    flag = _ONCE.get(type(error))
    if flag is not None:
        return _once(error, flag, flags, now)
    if isinstance(error, Blocked) or error.permanent or attempt > len(BACKOFF):
        return Verdict(OutboxState.DEAD, error.reason)
    return Verdict(OutboxState.RETRY, error.reason, now + timedelta(seconds=BACKOFF[attempt - 1]))


def _uncertain(error: Uncertain, flags: frozenset[str], now: datetime) -> Verdict:
    # A certified mail is an act of the office: whether it goes twice, a person decides; its receipt may tell first.
    if flags & {"possible_duplicate", "certified"}:
        return Verdict(OutboxState.UNCERTAIN, error.reason, possible_duplicate=True)
    again = now + timedelta(seconds=AFTER_UNCERTAIN)
    return Verdict(OutboxState.RETRY, error.reason, again, possible_duplicate=True)


def _once(error: DeliveryError, flag: str, flags: frozenset[str], now: datetime) -> Verdict:
    if flag in flags:
        return Verdict(OutboxState.DEAD, error.reason)
    return Verdict(OutboxState.RETRY, error.reason, now, flag=flag)
