"""A process that only dispatches, to be killed: `-m tests.delivery.sender_process DATABASE_URL API_URL TOKEN`.

The keys of the database are in RACCORDO_DATA_KEYS: a command line is seen by everybody.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

from delivery.dispatch import Dispatcher
from delivery.limits import Limits
from delivery.telegram import TelegramSender, make_bot
from storage.database import Database
from storage.keys import read_ring
from storage.sealing import Keyring
from storage.tables import Channel
from tests.delivery.wiring import LINKS


async def main(database_url: str, api_url: str, token: str) -> None:
    bot = make_bot(token, api_url)
    dispatcher = Dispatcher(
        Database(database_url, Keyring(read_ring(os.environ["RACCORDO_DATA_KEYS"]))),
        {Channel.TELEGRAM: TelegramSender(bot)},
        still_due={},
        clock=lambda: datetime.now(UTC),
        owner="sender",
        links=LINKS,
        limits=Limits(enabled=False),
        in_flight={Channel.TELEGRAM: 10},
    )
    await dispatcher.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
