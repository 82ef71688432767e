"""Has Telegram post to our door, and looks every half minute whether it does. Receives nothing itself.

Every process looks, one of them sets: whoever holds the duty that otherwise the poller has, so that two processes of
which one polls do not take the updates out of each other's hands.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session
from telegram import Bot

from bot.arrivals import ALLOWED_UPDATES, KIND
from bot.polling import lease_of, rest
from bot.webhook import Door
from delivery.telegram import call
from storage import leases
from storage.database import Database
from storage.inbox import newest_arrival

LOOK = 30.0  # seconds between looks when all is well
LOOK_SOON = 5.0  # and when it is not
LEASE = LOOK + 15.0
PILE = 100  # updates that wait with Telegram
WORDS = 120  # letters of what Telegram says went wrong

# Telegram keeps messages in order among themselves, and presses of buttons among themselves, but not the two together:
# with several connections a press can overtake the message before it. One is enough for some twenty updates a second.
CONNECTIONS = 1

log = structlog.get_logger()


class WebhookKeeper:
    """`problem`: what is wrong, None when all is well. `last_success`: when Telegram last said how it delivers."""

    def __init__(
        self, database: Database, bot: Bot, door: Door, *, url: str, owner: str, clock: Callable[[], datetime]
    ) -> None:
        self.last_success: datetime | None = None
        self.problem: str | None = None
        self.url, self.door = url, door
        self._database, self._bot, self._owner, self._clock = database, bot, owner, clock
        self._lease = lease_of(door.account)
        self._told = False  # Telegram was given our secret, which it never shows

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. The webhook stays: Telegram keeps what it cannot deliver until we are back."""
        failures = 0
        try:
            while not stop.is_set():
                try:
                    await self.look()
                    pause, failures = LOOK_SOON if self.problem else LOOK, 0
                except Exception as error:
                    pause, failures = rest(error, failures), failures + 1
                    self._failed(error, pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        finally:
            await self.door.close()
            await self._step_down()

    async def look(self) -> None:
        """One look, and the webhook set anew when it is not ours. Raises what went wrong."""
        ours = await self._database.run(self._hold)
        info = await ask(self._bot)
        if ours and not (self._told and is_set(info, self.url)):
            await self._set()
            info = await ask(self._bot)
        self._told &= ours  # whoever has the duty meanwhile may have another key
        self.problem = trouble(info, self.url, await self._last_kept())
        self.last_success = self._clock()
        if self.problem:
            log.warning("telegram.webhook-troubled", waiting=info.get("pending_update_count"))

    async def _set(self) -> None:
        asked = {
            "url": self.url,
            "secret_token": self.door.secret,
            "allowed_updates": ALLOWED_UPDATES,
            "max_connections": CONNECTIONS,
            "drop_pending_updates": False,
        }
        await call(self._bot, "setWebhook", asked)
        self._told = True
        log.info("telegram.webhook-set")

    async def _last_kept(self) -> datetime | None:
        """When we last took something, whichever process did. What came twice only the one knows that took it."""
        stored = await self._database.look(lambda session: newest_arrival(session, KIND, self.door.account))
        return max((at for at in (stored, self.door.last_kept) if at is not None), default=None)

    def _hold(self, session: Session) -> bool:
        return leases.hold(session, self._lease, self._owner, self._clock(), seconds=LEASE)

    async def _step_down(self) -> None:
        try:
            await self._database.run(lambda s: leases.release(s, self._lease, self._owner, self._clock()))
        except Exception as error:  # it runs out by itself
            log.warning("telegram.lease-not-released", error=type(error).__name__)

    def _failed(self, error: Exception, pause: float) -> None:
        # Only the class: texts of network errors may hold the address, and the token is in it.
        self.problem = type(error).__name__
        log.warning("telegram.webhook-not-asked", error=self.problem, pause=round(pause, 1))


async def ask(bot: Bot) -> Mapping[str, Any]:
    """How Telegram delivers, as it says (`WebhookInfo`). Raises TelegramError."""
    info: Mapping[str, Any] = await call(bot, "getWebhookInfo", {})
    return info


def is_set(info: Mapping[str, Any], url: str) -> bool:
    """Whether Telegram posts to `url` what we want, one post at a time. What it does not say is as we asked."""
    connections, allowed = info.get("max_connections", CONNECTIONS), info.get("allowed_updates", ALLOWED_UPDATES)
    return info.get("url") == url and connections == CONNECTIONS and set(allowed) == set(ALLOWED_UPDATES)


def trouble(info: Mapping[str, Any], url: str, last_kept: datetime | None) -> str | None:
    """What keeps updates from coming, by what Telegram says; None when nothing does.

    An error that is over does not count: with nothing waiting, all was delivered after it.
    """
    waiting = info.get("pending_update_count", 0)
    if info.get("url") != url:
        return "Telegram does not post to us"
    if waiting and _failed_since(info, last_kept):
        return f"Telegram cannot deliver: {info.get('last_error_message', '')[:WORDS]}"
    if waiting >= PILE:
        return f"{waiting} updates wait with Telegram"
    return None


def _failed_since(info: Mapping[str, Any], last_kept: datetime | None) -> bool:
    seconds = info.get("last_error_date")
    if not seconds:
        return False
    # Whole seconds, cut off: an error in the second of a success may have come after it.
    return last_kept is None or datetime.fromtimestamp(seconds, UTC) + timedelta(seconds=1) > last_kept
