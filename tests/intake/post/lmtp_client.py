"""What a mail server says to our door, line by line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from intake.post.lmtp import LmtpDoor

PATIENCE = 60.0


class Client:
    """One session. `dialogue` sends commands and gives the answers; a mail is handed over in one call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, port: int) -> "Client":
        client = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20))
        assert (await client.line()).startswith("220 ")
        assert "250" in await client.say("LHLO mta.example.org")
        return client

    async def line(self) -> str:
        """One line of an answer; "" when they have hung up."""
        return (await asyncio.wait_for(self.reader.readline(), PATIENCE)).decode().rstrip("\r\n")

    async def answer(self) -> str:
        """The last line of an answer, which may have several."""
        while (line := await self.line())[3:4] == "-":
            pass
        return line

    async def say(self, command: str) -> str:
        self.writer.write(command.encode() + b"\r\n")
        return await self.answer()

    async def hand_over(self, content: bytes, *recipients: str, sender: str = "ada@example.org") -> list[str]:
        """One answer for each recipient."""
        assert (await self.say(f"MAIL FROM:<{sender}>")).startswith("250")
        for one in recipients:
            assert (await self.say(f"RCPT TO:<{one}>")).startswith("250")
        assert (await self.say("DATA")).startswith("354")
        self.writer.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return [await self.line() for _ in recipients]

    async def hang_up(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def opened(door: LmtpDoor) -> AsyncIterator[int]:
    """The port of a door that is open meanwhile."""
    stop = asyncio.Event()
    running = asyncio.create_task(door.run(stop))
    async with asyncio.timeout(PATIENCE):
        while door.last_success is None:
            await asyncio.sleep(0.01)
    try:
        yield door.port
    finally:
        stop.set()
        await running
