"""How long eight people wait for the desk's pages when 100,000 questions lie behind them. Asserts nothing about speed.

python -m benchmarks.desk [--questions 100000] [--rounds 5] [--seconds 1.5] [--reuse] [--search] [--only DATABASE]

`raccordo serve` runs twice, on a large archive and on a small one, and beside them the bare page; eight people in
another process ask each in turn, kind by kind. Ratios are of one round each, so that whatever else the machine does
weighs on all alike. `--reuse` keeps what was furnished in the system's folder for temporary files, for the next time.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median, quantiles

import orjson
from sqlmodel import col, select

from app.service import PARTS
from benchmarks import contenders
from benchmarks.archive import PEOPLE
from benchmarks.archives import Archive, archives, index
from benchmarks.contenders import ROOT, Process
from benchmarks.proc import end, resident_mb
from benchmarks.runs import Size, crowd
from benchmarks.visitors import Burst, Visit
from desk.pages import PAGE_SIZE
from storage.staff import open_session
from storage.tables import Question
from storage.tokens import new_token

SMALL = 1_000
BARE = "bare page"
SEARCH = "search"
OPENED = 200  # questions whose pages are looked at


@dataclass(frozen=True)
class Found:
    """Of one kind of page; times in ms. `times_bare`: its p95 over the bare page's, the median of the rounds."""

    p50: float
    p95: float
    cpu: float
    times_bare: float


def main() -> None:
    options = arguments()
    print("| 8 people at once | p50 ms | p95 ms | CPU ms | × bare page | growth | kB |", flush=True)
    print("| --- | --- | --- | --- | --- | --- | --- |")
    memory = []
    for large, small in archives((options.questions, SMALL), reuse=options.reuse, only=options.only):
        compare(large, small, options)
        memory.append((large.kind, whole_house(large)))
    for kind, (idle, after) in memory:
        print(f"\nmemory of `serve` with all its parts, {kind}: {idle:.0f} MB idle, {after:.0f} MB after the pages")
    print(f"\n{options.questions:,} questions, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")


def compare(large: Archive, small: Archive, options: argparse.Namespace) -> None:
    """Prints a line for each kind of page."""
    if options.search:
        index(large)
        index(small)
    with ExitStack() as stack:
        bare = stack.enter_context(bare_page(large))
        visits = [Visit(BARE, bare.base, ["/healthz"], [""] * len(PEOPLE), bare.process.pid)]
        for archive in (small, large):
            server = stack.enter_context(serve(archive))
            visits += [
                one
                for one in visits_of(archive, server)
                if options.page in one.name and (options.search or SEARCH not in one.name)
            ]
        bursts = visited(visits, options.seconds, options.rounds)
    for name in [one.name for one in visits[: 1 + len(visits) // 2]]:
        kind = name.rpartition(" @ ")[0]
        mine = f"{kind} @ {large.questions}" if kind else name
        found, before = figures(bursts, mine), figures(bursts, name)
        growth = f"{found.p50 / before.p50:.2f} (CPU {found.cpu / before.cpu:.2f})" if kind else "–"
        size = max(one.size for one in bursts if one.name == mine) / 1000
        print(
            f"| {large.kind}, {kind or name} | {found.p50:.1f} | {found.p95:.1f} | {found.cpu:.1f} "
            f"| {found.times_bare:.1f} | {growth} | {size:.0f} |",
            flush=True,
        )


def figures(bursts: Sequence[Burst], name: str) -> Found:
    mine = [one for one in bursts if one.name == name]
    bare = [one for one in bursts if one.name == BARE]
    every = [latency for one in mine for latency in one.latencies]
    return Found(
        p50=median(every) * 1000,
        p95=p95(every) * 1000,
        cpu=sum(one.cpu for one in mine) / len(every) * 1000,
        times_bare=median(p95(a.latencies) / p95(b.latencies) for a, b in zip(mine, bare, strict=True)),
    )


def p95(latencies: Sequence[float]) -> float:
    return quantiles(latencies, n=20)[-1]


# --- what is opened


def visits_of(archive: Archive, server: "Server") -> Iterator[Visit]:
    """Each kind of page, by eight people who are signed in."""
    cookies = [f"raccordo_session={token}" for token in signed_in(archive)]
    last = -(-archive.questions // PAGE_SIZE)
    heap = "/desk/questions?view="
    kinds = {
        "to take": [f"{heap}new"],
        "to take, page 5": [f"{heap}new&page=5"],
        "mine": [f"{heap}mine"],
        "to approve": [f"{heap}approve"],
        "all": [f"{heap}all"],
        "all, page 20": [f"{heap}all&page=20"],
        "all, last page": [f"{heap}all&page={last}"],
        "question": [f"/desk/questions/{number}" for number in some_questions(archive)],
        "search, common word": [f"{heap}all&q={word}" for word in ("progetto", "domanda", "ufficio")],
        "search, rare word": [f"{heap}all&q={word}" for word in ("ornitorinco", "zampogna")],
    }
    for name, paths in kinds.items():
        yield Visit(f"{name} @ {archive.questions}", server.base, paths, cookies, server.process.pid)


def signed_in(archive: Archive) -> list[str]:
    now = datetime.now(UTC)
    tokens = [new_token() for _ in PEOPLE]
    with archive.database() as database, database.write() as session:
        for staff_id, token in enumerate(tokens, 1):
            open_session(session, staff_id, token, "csrf", now)
    return tokens


def some_questions(archive: Archive) -> list[int]:
    with archive.database() as database, database.read() as session:
        numbers = list(session.exec(select(Question.id).order_by(col(Question.id))))
    return random.Random(1).sample(numbers, OPENED)


def visited(visits: Sequence[Visit], seconds: float, rounds: int) -> list[Burst]:
    plan = orjson.dumps({"visits": [asdict(one) for one in visits], "seconds": seconds, "rounds": rounds})
    command = [sys.executable, "-m", "benchmarks.visitors"]
    done = subprocess.run(command, cwd=ROOT, input=plan, stdout=subprocess.PIPE, check=True)
    return [Burst(**one) for one in orjson.loads(done.stdout)]


# --- who answers


@dataclass(frozen=True)
class Server:
    base: str
    process: Process


@contextmanager
def serve(archive: Archive, **settings: str) -> Iterator[Server]:
    """`raccordo serve` with nothing but its pages, unless `settings` say more."""
    port = contenders.free_port()
    kept = contenders.environment(archive.folder, archive.url, port, settings.pop("telegram", ""))
    kept["RACCORDO_DATA_KEYS"] = archive.keys.ring.text
    if not kept["RACCORDO_TELEGRAM_API_URL"]:
        del kept["RACCORDO_TELEGRAM_API_URL"], kept["RACCORDO_TELEGRAM_TOKEN"]
    without = [] if settings else [word for part in PARTS if part != "web" for word in ("--without", part)]
    with started([sys.executable, "-m", "app.cli", "serve", *without], port, kept | settings) as server:
        yield server


@contextmanager
def bare_page(archive: Archive) -> Iterator[Server]:
    port = contenders.free_port()
    with started([sys.executable, "-m", "benchmarks.bare_page", archive.url, str(port)], port, None) as server:
        yield server


@contextmanager
def started(command: Sequence[str], port: int, environment: dict[str, str] | None) -> Iterator[Server]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        contenders.wait_for_pages(process, port)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        end(process)


def whole_house(archive: Archive) -> tuple[float, float]:
    """Memory in MB with Telegram, mail, clock and dispatch: when it has started, and after all pages were opened."""
    doors = {
        "RACCORDO_LMTP_LISTEN": f"127.0.0.1:{contenders.free_port()}",
        "RACCORDO_SMTP_URL": f"smtp://127.0.0.1:{contenders.free_port()}",
        "RACCORDO_MAIL_FROM": "Ufficio di prova <ufficio@example.org>",
    }
    with crowd(Size(1, 0, 0)) as (_, url), serve(archive, telegram=url, **doors) as server:
        time.sleep(3)
        idle = resident_mb(server.process.pid)
        visited([one for one in visits_of(archive, server) if SEARCH not in one.name], 1.0, 2)
        return idle, resident_mb(server.process.pid)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk")
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reuse", action="store_true")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--search", action="store_true", help="also search, for which all is indexed first: long")
    parser.add_argument("--page", default="", help="only kinds of pages with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    main()
