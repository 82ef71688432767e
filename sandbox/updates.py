"""Keeps updates until the bot confirms them and hands them out by long poll; refuses two pollers at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from sandbox.ledger import EntryKind, Ledger
from sandbox.wire import Json, Params, Receive, Refusal

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
FIRST_UPDATE_ID = 700_000_001
LONGEST_POLL = 50  # seconds
OTHER_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
BY_WEBHOOK = "Conflict: terminated by setWebhook request"
WEBHOOK_SET = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
CONFLICTS = {"conflict": OTHER_POLLER, "webhook": BY_WEBHOOK}

T = TypeVar("T")


class Bell:
    """Wakes whoever waits for something to be true. `ring` may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in list(self._waiting):
            wake(waiter, None)

    async def wait_for(self, look: Callable[[], T | None], timeout: float = 30.0) -> T:
        """What `look` finds, as soon as it finds something; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while True:
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.add(waiter)
                try:
                    found = look()
                    if found:
                        return found
                    await waiter
                finally:
                    self._waiting.discard(waiter)


def wake(waiter: asyncio.Future[T], value: T) -> None:
    """Ends a wait, from any thread."""
    waiter.get_loop().call_soon_threadsafe(_set, waiter, value)


def _set(waiter: asyncio.Future[T], value: T) -> None:
    if not waiter.done():
        waiter.set_result(value)


class UpdateQueue:
    """The updates that wait for the bot, oldest first."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float], bell: Bell) -> None:
        self.pending: deque[Json] = deque()
        self.fresh: deque[Json] = deque()  # with a webhook: those of `pending` that its poster has not taken yet
        self.webhook_url = ""
        self.allowed: frozenset[str] | None = None  # None = all but NOT_BY_DEFAULT
        self._ledger, self._clock, self._bell = ledger, clock, bell
        self._next_id = FIRST_UPDATE_ID
        self._poller: asyncio.Future[str] | None = None
        self._stir: Callable[[], None] | None = None

    @property
    def is_polled(self) -> bool:
        """True while a long poll waits for updates."""
        return self._poller is not None

    def push(self, kind: str, payload: Json) -> int | None:
        """Queues an update of this kind and says its id, or None when the bot did not ask for such updates."""
        wanted = kind not in NOT_BY_DEFAULT if self.allowed is None else kind in self.allowed
        return self.push_raw({kind: payload}) if wanted else None

    def push_raw(self, update: Json) -> int:
        """Queues anything, however odd; gives it the next `update_id` unless it brings one."""
        update_id: int = update.get("update_id", self._next_id)
        self._next_id = max(self._next_id, update_id) + 1
        whole = {"update_id": update_id, **update}
        self.pending.append(whole)
        self._ledger.write(EntryKind.QUEUED, self._clock(), update_ids=(update_id,))
        if self._stir is not None:
            self.fresh.append(whole)
            self._stir()
        if self._poller is not None:
            wake(self._poller, "updates")
        return update_id

    def open_webhook(self, url: str, stir: Callable[[], None] | None = None) -> None:
        """From now on updates are posted: `stir` is called when one is `fresh`. Ends a running long poll.

        Without `stir` nobody posts, and they wait.
        """
        self.webhook_url, self._stir = url, stir
        self.fresh = deque(self.pending)
        if self._poller is not None:
            wake(self._poller, "webhook")

    def close_webhook(self) -> None:
        self.webhook_url, self._stir = "", None
        self.fresh.clear()

    def drop_pending(self) -> None:
        self.fresh.clear()
        self._confirm(len(self.pending))

    def confirm(self, update: Json) -> None:
        """This one was taken by the webhook; nothing when it is gone already."""
        for index in range(len(self.pending)):
            if self.pending[index] is update:
                del self.pending[index]
                self._ledger.write(EntryKind.CONFIRMED, self._clock(), update_ids=(update["update_id"],))
                self._bell.ring()
                return

    def ring(self) -> None:
        self._bell.ring()

    def _confirm(self, count: int) -> None:
        confirmed = tuple(self.pending.popleft()["update_id"] for _ in range(count))
        if confirmed:
            self._ledger.write(EntryKind.CONFIRMED, self._clock(), update_ids=confirmed)

    def _confirm_by_offset(self, offset: int) -> None:
        if offset < 0:
            self._confirm(max(0, len(self.pending) + offset))
        elif offset > 0:
            ids = [update["update_id"] for update in list(self.pending)]  # a copy: people may write from other threads
            self._confirm(next((index for index, update_id in enumerate(ids) if update_id >= offset), len(ids)))

    async def hand_out(self, params: Params, receive: Receive) -> list[Json]:
        """The answer to getUpdates; raises Refusal 409 with a webhook set, or when a newer poller comes."""
        if self.webhook_url:
            raise Refusal(409, WEBHOOK_SET)
        limit = params.integer("limit", 100)
        timeout = min(params.integer("timeout"), LONGEST_POLL)
        if self._poller is not None:
            wake(self._poller, "conflict")
        self.remember_allowed(params.json("allowed_updates"))
        self._confirm_by_offset(params.integer("offset"))
        if not self.pending and timeout > 0 and not await self._wait(timeout, receive):
            return []
        updates = [self.pending[i] for i in range(min(limit if 1 <= limit <= 100 else 100, len(self.pending)))]
        if updates:
            ids = tuple(update["update_id"] for update in updates)
            self._ledger.write(EntryKind.HANDED_OUT, self._clock(), method="getUpdates", update_ids=ids)
        return updates

    def remember_allowed(self, allowed: object) -> None:
        if isinstance(allowed, list):
            self.allowed = frozenset(map(str, allowed)) or None

    async def _wait(self, timeout: float, receive: Receive) -> bool:
        """Waits for updates: True when they came, False when time is up or the poller has gone."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[str] = loop.create_future()
        self._poller = waiter
        self._bell.ring()
        alarm = loop.call_later(timeout, _set, waiter, "nothing")
        gone = loop.create_task(_until_gone(receive, waiter))
        try:
            reason = "updates" if self.pending else await waiter
        finally:
            alarm.cancel()
            gone.cancel()
            if self._poller is waiter:
                self._poller = None
        if reason in CONFLICTS:
            raise Refusal(409, CONFLICTS[reason])
        return reason == "updates"

    def release(self) -> None:
        """Ends a running long poll with nothing, so that a server can stop."""
        if self._poller is not None:
            wake(self._poller, "nothing")


async def _until_gone(receive: Receive, waiter: asyncio.Future[str]) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    _set(waiter, "gone")
