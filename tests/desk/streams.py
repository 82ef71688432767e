"""A browser's stream of events, over ASGI: what has come so far, while the application goes on sending."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.desk.conftest import Browser, Desk

PATIENCE = 60  # seconds; the machine may be busy


@dataclass
class Stream:
    """`status` once it has begun; `next()` waits for one more event."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    chunks: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def next(self) -> dict[str, Any]:
        """The next event's data; lines that say nothing are passed over."""
        while True:
            chunk = await asyncio.wait_for(self.chunks.get(), PATIENCE)
            if chunk.startswith("data: "):
                return dict(json.loads(chunk.removeprefix("data: ")))

    async def ended(self) -> None:
        await asyncio.wait_for(self.over.wait(), PATIENCE)

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.begun.set()
        elif text := message.get("body", b"").decode().strip():
            self.chunks.put_nowait(text)


@asynccontextmanager
async def listening(desk: Desk, browser: Browser, path: str) -> AsyncIterator[Stream]:
    """Until the block ends: then the browser hangs up."""
    stream, asked, hung_up = Stream(), asyncio.Event(), asyncio.Event()

    async def receive() -> Any:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await hung_up.wait()
        return {"type": "http.disconnect"}

    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", urlsplit(desk.house.links.base_url).netloc.encode()), (b"cookie", cookies.encode())],
        "client": (desk.address, 50_000),
        "server": ("raccordo.example", 80),
    }
    task = asyncio.create_task(desk.app(scope, receive, stream.send))
    task.add_done_callback(lambda _: stream.over.set())
    await asyncio.wait_for(stream.begun.wait(), PATIENCE)
    try:
        yield stream
    finally:
        hung_up.set()
        await asyncio.wait_for(task, PATIENCE)
