"""The least that a door for mail can do: LMTP, the standard library's parser, one durable commit of the raw bytes.

python -m benchmarks.mail_floor FOLDER: prints its port and runs until it is ended. Understands nothing.
"""

import asyncio
import sqlite3
import sys
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope


class Floor:
    """One connection to one SQLite file, as durable as ours: WAL, `synchronous=FULL`."""

    def __init__(self, folder: Path) -> None:
        self.database = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, raw BLOB, subject TEXT, parts INTEGER)")

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        raw = envelope.content
        assert isinstance(raw, bytes)
        message = message_from_bytes(raw, policy=compat32)
        parts = sum(1 for part in message.walk() if part.get_payload(decode=True) is not None)
        kept = (raw, str(message.get("Subject", "")), parts)
        self.database.execute("INSERT INTO mail (raw, subject, parts) VALUES (?, ?, ?)", kept)
        return "250 2.0.0 Kept"


async def main(folder: Path) -> None:
    floor, loop = Floor(folder), asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(floor, loop=loop, data_size_limit=None), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
