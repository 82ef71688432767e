"""Posts updates to the bot's webhook, again and again until it answers 2xx; refuses to reach beyond this machine.

As Telegram does it: each chat is a lane, in order and one at a time, and the presses of each person are another; at
most `max_connections` posts are under way, the longest waiting first. With more than one a press may so overtake the
message before it. On purpose some posts may come twice, or late, as `Posting` says.
"""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
import orjson

from sandbox.ledger import EntryKind, Ledger
from sandbox.updates import UpdateQueue
from sandbox.wire import Json

HEADER = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_RETRY_AFTER = 3600.0  # seconds


@dataclass(slots=True)
class Posting:
    """How posts are made: pauses (seconds) after a refused one, doubled up to the longest; shares from 0 to 1."""

    first_pause: float = 0.1
    longest_pause: float = 5.0
    patience: float = 60.0  # seconds for an answer
    twice: float = 0.0  # share of updates that are posted twice
    out_of_order: float = 0.0  # share of updates that are held back while later ones pass
    held: float = 0.2  # seconds an update is held back
    seed: int = 0
    _dice: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 # no secret hangs on it

    def chance(self, share: float) -> bool:
        return share > 0 and self._dice.random() < share


@dataclass(slots=True)
class Webhook:
    """What the bot asked for with setWebhook, and the last thing that went wrong there."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    ip_address: str = ""
    last_error_date: int = 0
    last_error_message: str = ""

    def is_as(self, other: "Webhook") -> bool:
        """Asked for in the same words: Telegram then leaves it as it is."""
        names = ("url", "secret_token", "max_connections", "ip_address")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(slots=True)
class Lane:
    """Updates that must stay in order, the first of them in flight or next."""

    key: object
    waiting: deque[tuple[float, int, Json]] = field(default_factory=deque)  # since when, which in all, what
    failures: int = 0


def is_loopback(host: str) -> bool:
    """By its name alone: no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def lane_of(update: Json) -> object:
    """What keeps updates in order: the chat, and apart from it the presses of one person; else only itself."""
    for name, payload in update.items():
        place = payload.get("chat") or payload.get("from") if isinstance(payload, dict) else None
        if isinstance(place, dict) and "id" in place:
            return (name == "callback_query", place["id"])
    return ("update", update["update_id"])


class Poster:
    """The one who posts, from setWebhook to deleteWebhook. `posting` may be replaced meanwhile."""

    def __init__(self, updates: UpdateQueue, ledger: Ledger, clock: Callable[[], float]) -> None:
        self.posting = Posting()
        self.updates, self.ledger, self.clock = updates, ledger, clock
        self._running: asyncio.Task[None] | None = None

    def start(self, webhook: Webhook) -> None:
        """Posts all that waits and comes, from the event loop; for another machine than this one it only waits."""
        self.stop()
        if not is_loopback(urlsplit(webhook.url).hostname or ""):
            self.updates.open_webhook(webhook.url)
            return
        posts = Posts(self, webhook)
        self.updates.open_webhook(webhook.url, posts.stir)
        self._running = asyncio.get_running_loop().create_task(posts.run())

    def stop(self) -> None:
        """What was not confirmed yet, waits again: a post under way may come a second time by another way."""
        self.updates.close_webhook()
        if self._running is not None:
            self._running.cancel()
            self._running = None


class Posts:
    """All posts to one webhook. `stir` may be called from any thread."""

    def __init__(self, poster: Poster, webhook: Webhook) -> None:
        self.poster, self.webhook = poster, webhook
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()
        self._lanes: dict[object, Lane] = {}
        self._ready: list[tuple[float, int, Lane]] = []  # a heap: when, which in all, and whose
        self._count = self._flying = 0

    def stir(self) -> None:
        self._loop.call_soon_threadsafe(self._stirred.set)

    async def run(self) -> None:
        async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as flying:
            while True:
                self._stirred.clear()
                self._take_fresh()
                while self._flying < self.webhook.max_connections and (lane := self._next()):
                    self._flying += 1
                    flying.create_task(self._deliver(client, lane))
                await self._rest()

    def _take_fresh(self) -> None:
        posting, fresh = self.poster.posting, self.poster.updates.fresh
        while fresh:
            update = fresh.popleft()
            late = posting.chance(posting.out_of_order)
            key = ("late", self._count) if late else lane_of(update)
            lane = self._lanes.setdefault(key, Lane(key))
            lane.waiting.append((self._loop.time() + (posting.held if late else 0.0), self._count, update))
            if len(lane.waiting) == 1:
                self._queue(lane)
            self._count += 1

    def _queue(self, lane: Lane, pause: float | None = None) -> None:
        """Lets the first of a lane have its turn, after a pause when it was refused."""
        since, number, _update = lane.waiting[0]
        heapq.heappush(self._ready, (since if pause is None else self._loop.time() + pause, number, lane))

    def _next(self) -> Lane | None:
        if not self._ready or self._ready[0][0] > self._loop.time():
            return None
        return heapq.heappop(self._ready)[2]

    async def _rest(self) -> None:
        """Until something comes, ends, or may be tried again."""
        full = self._flying >= self.webhook.max_connections
        wait = None if full or not self._ready else max(0.0, self._ready[0][0] - self._loop.time())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._stirred.wait()

    async def _deliver(self, client: aiohttp.ClientSession, lane: Lane) -> None:
        posting, update = self.poster.posting, lane.waiting[0][2]
        try:
            pause = await self._post(client, update)
            if pause is None and posting.chance(posting.twice):
                pause = await self._post(client, update)
        finally:
            self._flying -= 1
        self._settle(lane, pause)
        self._stirred.set()

    def _settle(self, lane: Lane, pause: float | None) -> None:
        posting = self.poster.posting
        if pause is not None:
            lane.failures += 1
            grown = min(posting.first_pause * 2 ** (lane.failures - 1), posting.longest_pause)
            self._queue(lane, pause or grown)
            return
        lane.failures = 0
        self.poster.updates.confirm(lane.waiting.popleft()[2])
        if lane.waiting:
            self._queue(lane)
        else:
            del self._lanes[lane.key]

    async def _post(self, client: aiohttp.ClientSession, update: Json) -> float | None:
        """None when the webhook took it; else the seconds that it asks for, 0 when it asks for none."""
        status, error, retry_after = await self._answer(client, orjson.dumps(update))
        now = self.poster.clock()
        written = {"method": "webhook", "update_ids": (update["update_id"],), "status": status, "description": error}
        self.poster.ledger.write(EntryKind.POSTED, now, **written)
        self.poster.updates.ring()
        if not error:
            return None
        self.webhook.last_error_date, self.webhook.last_error_message = int(now), error
        return retry_after

    async def _answer(self, client: aiohttp.ClientSession, body: bytes) -> tuple[int, str, float]:
        """Status (0 for none), what was wrong ("" for nothing), and the pause that the webhook asks for."""
        headers = {"content-type": "application/json"}
        if self.webhook.secret_token:
            headers[HEADER] = self.webhook.secret_token
        try:
            timeout = aiohttp.ClientTimeout(total=self.poster.posting.patience)
            post = client.post(self.webhook.url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
            async with post as response:
                await response.read()
        except TimeoutError:
            return 0, "Read timeout expired", 0.0
        except aiohttp.ClientConnectorCertificateError:
            return 0, "SSL error {error:0A000086:SSL routines::certificate verify failed}", 0.0
        except aiohttp.ClientConnectorError:
            return 0, "Connection refused", 0.0
        except (aiohttp.ClientError, OSError):
            return 0, "Connection reset by peer", 0.0
        if 200 <= response.status < 300:
            return response.status, "", 0.0
        wrong = f"Wrong response from the webhook: {response.status} {response.reason}"
        return response.status, wrong, _seconds(response.headers.get("retry-after", ""))


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_RETRY_AFTER) if text.isdecimal() else 0.0
