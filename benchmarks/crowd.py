"""A process with the sandbox and its people in it. Says JSON on stdout: ready, begin, end. Refuses to measure a bot
that misleads them.

python -m benchmarks.crowd --people 200 --warmup 2 --seconds 8
The people set off when a line comes on stdin.
"""

import argparse
import asyncio
import socket
import sys
from typing import Any

import orjson
import uvicorn

from benchmarks.people import Crowd, LedAstray, enter
from sandbox.telegram import TelegramSandbox

TOKEN = "700000003:AAbenchbenchbenchbenchbenchbenchbench"


class NoLedger:
    """Writes nothing down: at a thousand calls a second the ledger of minutes would be most of the memory."""

    entries: tuple[Any, ...] = ()

    def write(self, *_: Any, **__: Any) -> None: ...

    def close(self) -> None: ...


def tell(**what: Any) -> None:
    sys.stdout.write(orjson.dumps(what).decode() + "\n")
    sys.stdout.flush()


async def walk(telegram: TelegramSandbox, options: argparse.Namespace) -> None:
    crowd = Crowd()
    walkers = enter(telegram, options.people, crowd)
    await asyncio.to_thread(sys.stdin.readline)
    for walker in walkers:
        walker.go_on(None)
    await asyncio.sleep(options.warmup)
    crowd.measuring = True
    tell(at="begin")
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(options.seconds)
    crowd.measuring = False
    seconds = asyncio.get_running_loop().time() - began
    tell(at="end", seconds=seconds, walks=crowd.walks, latencies=crowd.latencies, failure=crowd.failure)
    crowd.walking = False
    await asyncio.to_thread(sys.stdin.readline)
    if crowd.failure:
        raise LedAstray(crowd.failure)


async def serve(options: argparse.Namespace) -> None:
    telegram = TelegramSandbox(TOKEN, limits=False)
    ledger: Any = NoLedger()
    telegram.ledger = telegram.world.ledger = telegram.world.updates._ledger = ledger
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
            await walk(telegram, options)
        finally:
            telegram.close()
            server.should_exit = True
            await serving


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--warmup", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    return parser.parse_args()


def main() -> None:
    import uvloop

    uvloop.run(serve(arguments()))


if __name__ == "__main__":
    main()
