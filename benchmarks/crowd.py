"""A process with the sandbox and its people in it. Says JSON on stdout: ready, begin, end. Refuses to measure a bot
that misleads them.

python -m benchmarks.crowd --people 200 --warmup 2 --seconds 8
The people set off when a line comes on stdin. With --strict the sandbox has Telegram's limits; --quiet people only
listen, and the others think for --pause seconds before each answer.
"""

import argparse
import asyncio
import socket
import sys
from typing import Any

import orjson
import uvicorn

from benchmarks.furnish import FIRST_CHAT, FIRST_ID
from benchmarks.people import Crowd, LedAstray, enter
from sandbox.ledger import EntryKind
from sandbox.telegram import TelegramSandbox

TOKEN = "700000003:AAbenchbenchbenchbenchbenchbenchbench"


class Tally:
    """Writes nothing down: at a thousand calls a second the ledger of minutes would be most of the memory.

    Counts what was sent and what was refused for being too much, while `counting`.
    """

    entries: tuple[Any, ...] = ()

    def __init__(self) -> None:
        self.counting = False
        self.sent = self.refused = 0

    def write(self, kind: EntryKind, _at: float, *, method: str = "", status: int = 200, **_: Any) -> None:
        if self.counting and kind is EntryKind.CALL and method == "sendMessage":
            self.sent += status == 200
            self.refused += status == 429

    def close(self) -> None: ...


def tell(**what: Any) -> None:
    sys.stdout.write(orjson.dumps(what).decode() + "\n")
    sys.stdout.flush()


async def walk(telegram: TelegramSandbox, tally: Tally, options: argparse.Namespace) -> None:
    crowd = Crowd(pause=options.pause)
    for chat in range(FIRST_CHAT + FIRST_ID, FIRST_CHAT + FIRST_ID + options.quiet):
        telegram.add_person(chat, "Persona", started=True)
    walkers = enter(telegram, options.people, crowd)
    await asyncio.to_thread(sys.stdin.readline)
    for walker in walkers:
        walker.go_on(None)
    await asyncio.sleep(options.warmup)
    crowd.measuring = tally.counting = True
    tell(at="begin")
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(options.seconds)
    crowd.measuring = tally.counting = False
    seconds = asyncio.get_running_loop().time() - began
    counted = {"sent": tally.sent, "refused": tally.refused}
    tell(at="end", seconds=seconds, walks=crowd.walks, latencies=crowd.latencies, failure=crowd.failure, **counted)
    crowd.walking = False
    await asyncio.to_thread(sys.stdin.readline)
    if crowd.failure:
        raise LedAstray(crowd.failure)


async def serve(options: argparse.Namespace) -> None:
    telegram = TelegramSandbox(TOKEN, limits=options.strict)
    tally: Any = Tally()
    telegram.ledger = telegram.world.ledger = telegram.world.updates._ledger = tally
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            telegram.app, log_config=None, access_log=False, lifespan="off", loop="none",
            timeout_graceful_shutdown=1, backlog=2048,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        tell(at="ready", url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        try:
            await walk(telegram, tally, options)
        finally:
            telegram.close()
            server.should_exit = True
            await serving


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--warmup", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--quiet", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.0)
    return parser.parse_args()


def main() -> None:
    import uvloop

    uvloop.run(serve(arguments()))


if __name__ == "__main__":
    main()
