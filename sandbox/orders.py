"""What the control pages share: JSON in and out, refusals with their status, and waiting for news."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.people import CannotDo, Message
from sandbox.telegram import TelegramSandbox
from sandbox.updates import Bell
from sandbox.wire import Json, Refusal

LONGEST_WAIT = 25.0  # seconds
Handler = Callable[[TelegramSandbox, Request], Awaitable[Json]]


def as_json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"cache-control": "no-store"})


def message_json(message: Message) -> Json:
    known = {"id": message.id, "from_bot": message.from_bot, "version": message.version, "raw": message.raw}
    return known | {"has_file": message.content is not None}


async def wait_for_news(bell: Bell, ready: Callable[[], bool], request: Request) -> None:
    """Waits while nothing is new, `?wait=` seconds at most."""
    wait = float(request.query_params.get("wait", 0))
    if wait > 0:
        with suppress(TimeoutError):  # nothing new is an answer too
            await bell.wait_for(ready, min(wait, LONGEST_WAIT))


async def read_json(request: Request) -> Any:
    body = await request.body()
    return orjson.loads(body) if body else {}


def endpoint(telegram: TelegramSandbox, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return as_json(await handler(telegram, request))
        except CannotDo as refusal:
            return as_json({"error": str(refusal)}, 409)
        except (KeyError, TypeError, ValueError, Refusal) as defect:
            return as_json({"error": f"Not understood: {defect!r}"}, 422)

    return answer


def routes_of(telegram: TelegramSandbox, table: Sequence[tuple[str, str, Handler]]) -> list[Route]:
    """Method, path and handler of each."""
    return [Route(path, endpoint(telegram, handler), methods=[method]) for method, path, handler in table]
