"""The door to which Telegram posts its updates, in place of polling: each is kept raw, and only then answered with 200.

Refuses whoever does not know our secret, and more than 1 MiB. Never reads what an update says.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from telegram import Bot

from bot.arrivals import Answers, posted
from intake.inbox import receive_many
from storage.crash import crashpoint
from storage.database import Database, Passenger

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name
MOST_BYTES = 1024 * 1024
AT_ONCE = 64  # posts being kept; more would only wait, and are asked to come again
PATIENCE = 20.0  # seconds a commit may take before Telegram is asked to come again; it hangs up after 60
COME_AGAIN = "2"  # seconds; without them Telegram waits twice as long after each refusal

log = structlog.get_logger()


def secret_for(key: bytes, account: str) -> str:
    """What Telegram sends along to show that it is Telegram. Made from our key: nothing to store, nothing to set."""
    return hmac.new(key, f"telegram-webhook:{account}".encode(), sha256).hexdigest()


def path_for(token: str) -> str:
    """Where a bot's updates are posted: its number, which everybody may know, and never the token."""
    return f"/telegram/{token.partition(':')[0]}"


class Door:
    """An ASGI application for the one address `path`. `last_kept`: when a post was last answered with 200."""

    def __init__(self, database: Database, bot: Bot, *, key: bytes, clock: Callable[[], datetime]) -> None:
        self.account = bot.token.partition(":")[0]
        self.path = path_for(bot.token)
        self.secret = secret_for(key, self.account)
        self.last_kept: datetime | None = None
        self.then: Sequence[Passenger] = ()  # who does their part in the transaction that keeps a post
        self._database, self._clock = database, clock
        self._answers = Answers(bot)
        self._keeping: set[asyncio.Task[int]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = await self._answer(Request(scope, receive))
        headers = {405: {"Allow": "POST"}, 503: {"Retry-After": COME_AGAIN}}
        await Response(status_code=status, headers=headers.get(status))(scope, receive, send)

    async def _answer(self, request: Request) -> int:
        """The status. Everything but 200 means that Telegram keeps the update and comes again."""
        if request.method != "POST":
            return 405
        if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), self.secret.encode()):
            log.info("telegram.post-refused")
            return 403
        try:
            body = await _read(request)
        except ClientDisconnect:
            return 400  # nobody is there to hear it
        if body is None:
            log.error("telegram.post-too-large")
            return 413
        return 200 if await self._keep(body) else 503

    async def _keep(self, body: bytes) -> bool:
        """Whether it is committed. What takes too long may still be, and is recognised when it comes again."""
        if len(self._keeping) >= AT_ONCE:
            return False
        update, item = posted(body, self.account)
        task = asyncio.create_task(
            self._database.run(lambda session: receive_many(session, [item], self._clock()), self.then)
        )
        self._keeping.add(task)
        task.add_done_callback(self._kept)
        await asyncio.wait([task], timeout=PATIENCE)
        if not task.done() or task.exception() is not None:
            error = task.exception() if task.done() else TimeoutError()
            log.warning("telegram.post-not-kept", error=type(error).__name__)
            return False
        crashpoint("after-inbox-commit")
        self.last_kept = self._clock()
        log.debug("telegram.received", updates=1, new=task.result())
        self._answers.begin(update)
        return True

    def _kept(self, task: asyncio.Task[int]) -> None:
        self._keeping.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, also when nobody waits any longer

    async def close(self) -> None:
        """Gives the last answers to buttons a moment."""
        await self._answers.close()


async def _read(request: Request) -> bytes | None:
    """The body; None when it is larger than we take, known before it has all come in. Raises ClientDisconnect."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
