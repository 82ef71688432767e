"""When journeys begin: always the same working morning, then time runs as it does."""

from collections.abc import Callable
from datetime import UTC, datetime

TUESDAY_MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def started_at(instant: datetime) -> Callable[[], datetime]:
    """A clock that shows `instant` now and runs on from there."""
    begun = datetime.now(UTC)
    return lambda: instant + (datetime.now(UTC) - begun)
