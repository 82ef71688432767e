"""What both ways in do with an update: make it a row of the inbox, answer a button. Never reads what it says."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from telegram import Bot
from telegram.error import TelegramError

from delivery.telegram import call
from delivery.wire import AiohttpRequest
from intake.inbox import Arrival

KIND: Final = "telegram"
ALLOWED_UPDATES: Final = ["message", "edited_message", "callback_query", "my_chat_member"]
UNKNOWN: Final = "unknown"
LONGEST_WORD = 40
ANSWERS_AT_ONCE = 16
ANSWERS_WAITING = 200
ANSWER_SECONDS = 10.0

log = structlog.get_logger()


def arrival(update: Any, account: str, raw: bytes | None = None) -> Arrival:
    """Any update, however odd, as a row of the inbox. `raw`: the body in which it was posted.

    Recognised by its canonical form, so that an update that comes by polling and by webhook is one.
    """
    number = update.get("update_id") if isinstance(update, Mapping) else None
    content = canonical(update)
    lane = f"{KIND}:{chat_of(update)}"
    return Arrival(KIND, account, _word(number), content if raw is None else raw, lane, content=content)


def posted(body: bytes, account: str) -> tuple[Any, Arrival]:
    """What came in the body of a post, and its row. What is no JSON is kept too: whoever knew our secret sent it."""
    try:
        update = AiohttpRequest.parse_json_payload(body)
        return update, arrival(update, account, body)
    except (TelegramError, RecursionError):
        return None, Arrival(KIND, account, UNKNOWN, body, f"{KIND}:{UNKNOWN}")


def canonical(update: Any) -> bytes:
    """The same bytes for the same content. Beyond orjson (half a surrogate pair, huge numbers): the long way."""
    try:
        return orjson.dumps(update, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        return json.dumps(update, sort_keys=True, separators=(",", ":")).encode()


def chat_of(update: Any) -> str:
    """Whose order is kept: the chat, else whoever sent it, else nobody's in particular."""
    for kind in ALLOWED_UPDATES:
        event = _part(update, kind)
        if event:
            places = (_part(event, "chat"), _part(_part(event, "message"), "chat"), _part(event, "from"))
            found = next((place["id"] for place in places if isinstance(place.get("id"), int | str)), None)
            if found is not None:
                return _word(found)
    return UNKNOWN


def _word(found: Any) -> str:
    """As a short text that every database can hold: PostgreSQL refuses NUL, and one such update would block all."""
    text = str(found)[:LONGEST_WORD]
    return text if text.isprintable() else UNKNOWN


def _part(thing: Any, name: str) -> Mapping[str, Any]:
    part = thing.get(name) if isinstance(thing, dict) else None
    return part if isinstance(part, dict) else {}


class Answers:
    """Tells Telegram that a button was heard, so that it stops turning. Best effort: may be late or lost."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._running: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(ANSWERS_AT_ONCE)

    def begin(self, update: Any) -> None:
        query_id = _part(update, "callback_query").get("id")
        if isinstance(query_id, str) and len(self._running) < ANSWERS_WAITING:
            task = asyncio.create_task(self._answer(query_id))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _answer(self, query_id: str) -> None:
        async with self._at_once:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await call(self._bot, "answerCallbackQuery", {"callback_query_id": query_id})
            except Exception as error:  # too old by now, or the network
                log.debug("telegram.button-not-answered", error=type(error).__name__)

    async def close(self) -> None:
        """Gives the last ones a moment."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=1)
            for task in late:
                task.cancel()
