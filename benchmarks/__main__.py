"""Runs every contender in turn, several rounds, and prints medians with their spread. Asserts nothing about speed.

python -m benchmarks [--people 200] [--seconds 10] [--rounds 3]
"""

import argparse
import os
from collections import defaultdict
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks import contenders
from benchmarks.runs import Figures, Size, Start, bare, start_up, watched
from tests.postgres import BINARIES, cluster

REFERENCE = "ConversationHandler (httpx, in memory)"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--warmup", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="contenders whose name contains this")
    return parser.parse_args()


def everybody(people: int, postgres: str | None) -> dict[str, Any]:
    """How to start each, by name."""
    found: dict[str, Any] = {
        "Raccordo, SQLite": lambda url, folder: contenders.raccordo(folder, url, people, None),
        REFERENCE: lambda url, _folder: contenders.conversation_handler(url, "httpx"),
        "ConversationHandler (aiohttp, in memory)": lambda url, _folder: contenders.conversation_handler(
            url, "aiohttp"
        ),
    }
    if postgres:
        found["Raccordo, PostgreSQL"] = lambda url, folder: contenders.raccordo(folder, url, people, postgres)
    return found


def show(title: str, found: dict[str, list[Figures]]) -> None:
    """Medians, the spread of the rounds in brackets, and how many times the reference each is."""
    print(f"\n### {title}\n")
    print("| contender | steps/s | × reference | p50 ms | p99 ms | CPU s per 1,000 steps | memory MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    reference = median(one.steps_per_second for one in found[REFERENCE]) if REFERENCE in found else 0.0
    for name, runs in found.items():
        speed = median(one.steps_per_second for one in runs)
        ratio = f"{speed / reference:.2f}" if reference else "–"
        cells = [_spread([getattr(one, column) for one in runs]) for column in ("steps_per_second", "p50", "p99")]
        cpu, memory = median(one.cpu for one in runs), median(one.memory for one in runs)
        print(f"| {name} | {cells[0]} | {ratio} | {cells[1]} | {cells[2]} | {cpu:.2f} | {memory:.0f} |", flush=True)


def _spread(values: list[float]) -> str:
    digits = 0 if median(values) >= 100 else 1
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def main() -> None:
    options = arguments()
    many = Size(options.people, options.warmup, options.seconds)
    one = Size(1, 1.0, min(4.0, options.seconds))
    crowded: dict[str, list[Figures]] = defaultdict(list)
    alone: dict[str, list[Figures]] = defaultdict(list)
    starts: list[Start] = []
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster()) if BINARIES else None
        for number in range(options.rounds):
            for name, start in everybody(options.people, postgres).items():
                if options.only not in name:
                    continue
                crowded[name].append(watched(many, start))
                alone[name].append(watched(one, start))
                print(
                    f"round {number + 1}: {name}: {crowded[name][-1]}; alone {alone[name][-1].p50:.1f} ms", flush=True
                )
            if not options.only:
                crowded["one SQLite commit per step, nothing else"].append(bare(many))
                starts.append(start_up())
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    show(f"{options.people} people at once", crowded)
    show("one person alone", alone)
    if starts:
        seconds, memory = [each.seconds for each in starts], [each.memory for each in starts]
        print(f"\n`serve` answers after {_spread(seconds)} s; idle {_spread(memory)} MB")


if __name__ == "__main__":
    main()
