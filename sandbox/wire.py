"""Reads a Bot API request off the wire and writes the answer; refuses broken bodies. Knows no method."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Json = dict[str, Any]

MAX_BODY = 50 * 1024 * 1024


class Refusal(Exception):
    """Telegram's error answer: an HTTP status, its words, and for 429 the seconds to wait."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.retry_after = status, description, retry_after

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.status, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


def bad_request(description: str) -> Refusal:
    return Refusal(400, f"Bad Request: {description}")


def too_many(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after)


@dataclass(slots=True)
class Params:
    """The parameters of a call, from JSON (typed) or from a form (text), read by type."""

    values: Json

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


async def read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > MAX_BODY:
            raise Refusal(413, "Request Entity Too Large")
    return b"".join(parts)


async def read_params(scope: Scope, receive: Receive) -> Params:
    """Parameters of the query and of the body together, the body winning, as Telegram takes them."""
    values: Json = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    body = await read_body(receive)
    if body:
        values.update(_parse_body(content_type(scope), body))
    return Params(values)


def content_type(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")


def _parse_body(kind: str, body: bytes) -> Json:
    if kind.startswith("application/json"):
        try:
            values = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise bad_request("can't parse request: Can't parse JSON object") from None
        return values if isinstance(values, dict) else {}
    if kind.startswith("multipart/form-data"):
        return _parse_multipart(kind, body)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _parse_multipart(kind: str, body: bytes) -> Json:
    head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    values: Json = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes):
            values[name] = data.decode("utf-8", "replace") if part.get_filename() is None else f"<{len(data)} bytes>"
    return values


async def answer(send: Send, body: Json, status: int = 200) -> None:
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if status == 429 and "parameters" in body:
        headers.append((b"retry-after", str(body["parameters"]["retry_after"]).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def hang_up(receive: Receive, send: Send) -> None:
    """Closes the connection without an answer; raises where the server below offers no way to (in process)."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("The sandbox dropped this answer, as a fault rule asked")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
