"""People who open pages, one after the other, as soon as the last has come. Refuses to measure a page that fails.

python -m benchmarks.visitors
A plan comes on stdin and the figures leave on stdout, as JSON. People live in a process of their own, so that their
work is not taken for the server's; each keeps one connection open, as a browser does.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

import aiohttp
import orjson

from benchmarks.proc import cpu_seconds

WARM_SECONDS = 1.0


class WentWrong(Exception):
    """A page was not what it should be."""


@dataclass(frozen=True)
class Visit:
    """Pages of one kind at one server, whose process is `pid`; person by person the cookie they carry."""

    name: str
    base: str
    paths: Sequence[str]
    cookies: Sequence[str]
    pid: int


@dataclass(frozen=True)
class Burst:
    """What one round of one kind took, in seconds. `cpu`: of the server's process, for all of them."""

    name: str
    latencies: Sequence[float]
    cpu: float
    size: int  # bytes of one page, compressed when the server does


async def burst(client: aiohttp.ClientSession, visit: Visit, seconds: float) -> Burst:
    latencies: list[float] = []
    sizes: list[int] = []
    before, end = cpu_seconds(visit.pid), time.perf_counter() + seconds

    async def one_person(number: int, cookie: str) -> None:
        shift = number * len(visit.paths) // len(visit.cookies)
        paths = cycle([*visit.paths[shift:], *visit.paths[:shift]])
        while time.perf_counter() < end:
            began = time.perf_counter()
            path = next(paths)
            async with client.get(visit.base + path, headers={"Cookie": cookie}, allow_redirects=False) as answer:
                content = await answer.read()
            latencies.append(time.perf_counter() - began)
            sizes.append(len(content))
            if answer.status != 200:
                raise WentWrong(f"{visit.name}: {path} answered {answer.status}")

    await asyncio.gather(*(one_person(number, cookie) for number, cookie in enumerate(visit.cookies)))
    return Burst(visit.name, latencies, cpu_seconds(visit.pid) - before, max(sizes))


async def run(plan: dict[str, Any]) -> list[Burst]:
    visits = [Visit(**one) for one in plan["visits"]]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:
        for visit in visits:
            await burst(client, visit, WARM_SECONDS)
        return [await burst(client, visit, plan["seconds"]) for _ in range(plan["rounds"]) for visit in visits]


def main() -> None:
    import uvloop

    bursts = uvloop.run(run(orjson.loads(sys.stdin.read())))
    sys.stdout.write(orjson.dumps([asdict(one) for one in bursts]).decode())


if __name__ == "__main__":
    main()
