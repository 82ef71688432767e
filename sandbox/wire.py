"""Reads a Bot API request off the wire and writes the answer; refuses broken bodies. Knows no method."""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Json = dict[str, Any]

LARGEST_FILE = 50 * 1024 * 1024  # bytes
MAX_BODY = LARGEST_FILE + 1024 * 1024
CHUNK = 64 * 1024


class Refusal(Exception):
    """Telegram's error answer: an HTTP status, its words, and what a programme may act on (`retry_after`, for one)."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.status, "description": self.description}
        return body | {"parameters": self.parameters} if self.parameters else body


def bad_request(description: str) -> Refusal:
    return Refusal(400, f"Bad Request: {description}")


def too_many(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes


@dataclass(slots=True)
class Params:
    """The parameters of a call, from JSON (typed) or from a form (text), read by type; and the files with them."""

    values: Json
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise bad_request(f'field "{name}" must be of type String')
        return value

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f'field "{name}" must be of type Number') from None

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None


async def read_body(receive: Receive, largest: int = MAX_BODY) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise Refusal(413, "Request Entity Too Large")
    return b"".join(parts)


async def read_params(scope: Scope, receive: Receive) -> Params:
    """Parameters of the query and of the body together, the body winning, as Telegram takes them."""
    params = Params(dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
    body = await read_body(receive)
    kind = content_type(scope)
    if kind.startswith("multipart/form-data"):
        await _read_multipart(scope, body, params)
    elif body:
        params.values.update(_parse_body(kind, body))
    return params


def content_type(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")


def _parse_body(kind: str, body: bytes) -> Json:
    if kind.startswith("application/json"):
        try:
            values = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise bad_request("can't parse request: Can't parse JSON object") from None
        return values if isinstance(values, dict) else {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _read_multipart(scope: Scope, body: bytes, params: Params) -> None:
    """Each part by its name; a file is also written among the values, with its size, for the ledger."""
    for name, value in await form_parts(scope, body):
        if isinstance(value, Upload):
            params.files[name] = value
            params.values[name] = f"<{len(value.content)} bytes>"
        else:
            params.values[name] = value


async def form_parts(scope: Scope, body: bytes) -> list[tuple[str, str | Upload]]:
    """Every part of a multipart form in order; raises Refusal for a body that is none."""

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(Headers(raw=list(scope["headers"])), whole()).parse()
    except MultiPartException as defect:
        raise bad_request(f"can't parse the form: {defect.message}") from None
    try:
        return [(name, await _part(value)) for name, value in form.multi_items()]
    finally:
        await form.close()


async def _part(value: str | UploadFile) -> str | Upload:
    return value if isinstance(value, str) else Upload(value.filename or "", await value.read())


async def answer(send: Send, body: Json, status: int = 200) -> None:
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if "retry_after" in body.get("parameters", ()):
        headers.append((b"retry-after", str(body["parameters"]["retry_after"]).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def answer_bytes(send: Send, content: bytes, sent: int | None = None) -> None:
    """A file, in chunks; only its first `sent` bytes where the connection is to break on the way."""
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    end = len(content) if sent is None else sent
    for at in range(0, end, CHUNK):
        await send({"type": "http.response.body", "body": content[at : min(at + CHUNK, end)], "more_body": True})
    if sent is None:
        await send({"type": "http.response.body", "body": b""})


async def hang_up(receive: Receive, send: Send) -> None:
    """Closes the connection without more of an answer; raises where the server below offers no way to (in process)."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("The sandbox dropped this answer, as a fault rule asked")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
