"""The HTTP under python-telegram-bot: aiohttp, a tenth of the processor time of its own. Files are streamed both ways.

telegram.error.NetworkError
├── NotConnected      no connection was made: nothing left this machine
└── TimedOut          connected, and no answer in time
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import aiohttp
import orjson
from aiohttp import payload
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

POOL = 64  # connections: one long poll, messages, answers to buttons
KEEP_ALIVE = 30.0  # seconds
CONNECT, READ = 10.0, 30.0  # seconds
PIECE = 256 * 1024  # bytes
# Durations of the library are timedeltas from now on: as numbers, each RetryAfter brings a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

JSON = {"Content-Type": "application/json"}

Seconds = Any  # a number, None for no limit, or BaseRequest.DEFAULT_NONE


class NotConnected(NetworkError):
    """Certainly not delivered: there was no connection."""


class AiohttpRequest(BaseRequest):
    """Serves sending and polling alike. Takes no proxy from the environment; error texts never hold the address,
    because the token is in it.
    """

    __slots__ = ("_read", "_session")

    def __init__(self, read_timeout: float = READ) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._read = read_timeout

    @property
    def read_timeout(self) -> float | None:
        return self._read

    async def initialize(self) -> None:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=POOL, keepalive_timeout=KEEP_ALIVE)
            self._session = aiohttp.ClientSession(
                connector=connector, trust_env=False, headers={"User-Agent": self.USER_AGENT}
            )

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError:
            pass
        try:
            # Half a surrogate pair in one update must not stop all that wait with it.
            return json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise TelegramError("Invalid server response") from None

    async def do_request(  # noqa: PLR0913, PLR0917 - the library's signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """The status and the body. Write and pool have no time of their own: `connect_timeout` covers the pool."""
        if request_data is not None and request_data.contains_files:
            raise TelegramError("the library would hold whole files in memory: use `upload`")
        if self._session is None:
            await self.initialize()
        assert self._session is not None
        body = _body(request_data)
        timeout = aiohttp.ClientTimeout(
            total=None, connect=_seconds(connect_timeout, CONNECT), sock_read=_seconds(read_timeout, self._read)
        )
        try:
            async with self._session.request(
                method, url, data=body, headers=JSON if isinstance(body, bytes) else None, timeout=timeout
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotConnected(type(error).__name__) from None
        except TimeoutError as error:
            raise TimedOut(type(error).__name__) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise NetworkError(type(error).__name__) from None

    async def stream(self, url: str) -> AsyncIterator[bytes]:
        """What is at an address, piece by piece. Raises NetworkError, and BadRequest when it is not there any more."""
        if self._session is None:
            await self.initialize()
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_read=READ)
        try:
            async with self._session.get(url, timeout=timeout) as response:
                if 400 <= response.status < 500:
                    raise BadRequest(f"{response.status} for a file")
                if response.status != 200:
                    raise NetworkError(f"{response.status} for a file")
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece
        except TimeoutError as error:
            raise TimedOut(type(error).__name__) from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


UPLOADS = "raccordo:uploads"  # a parameter that is none: the files of a call


@dataclass(frozen=True, slots=True)
class Uploaded:
    """One file of a call: the field it goes into, and where its bytes come from. Whoever opened it closes it."""

    field: str
    name: str
    size: int
    file: BinaryIO


class _Sized(payload.IOBasePayload):
    """A file whose size is known beforehand: Telegram wants to hear it, and ours are opened while they are read."""

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        super().__init__(file, filename=name, content_type="application/octet-stream")
        self._bytes = size

    @property
    def size(self) -> int:
        return self._bytes


def _body(request_data: RequestData | None) -> bytes | aiohttp.FormData | None:
    if request_data is None:
        return None
    parameters = request_data.parameters
    uploads: Any = parameters.pop(UPLOADS, ())
    if not uploads:
        return orjson.dumps(parameters)
    form = aiohttp.FormData(quote_fields=False)  # Telegram reads names as they are, not percent-encoded
    for name, value in parameters.items():
        form.add_field(name, value if isinstance(value, str) else orjson.dumps(value).decode())
    for one in uploads:
        form.add_field(one.field, _Sized(one.file, one.size, one.name), filename=one.name)
    return form


def _seconds(given: Seconds, default: float) -> float | None:
    value: float | None = default if given is BaseRequest.DEFAULT_NONE else given
    return value
