"""One measured run: the crowd walks, the bot's process is watched. Raises when people were led astray."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks import contenders
from benchmarks.contenders import ROOT, Process
from benchmarks.people import WALK, LedAstray
from benchmarks.proc import cpu_seconds, end, resident_mb


@dataclass(frozen=True)
class Size:
    people: int
    warmup: float
    seconds: float


@dataclass(frozen=True)
class Figures:
    """Of one run. Times in ms; `cpu` in seconds per 1,000 steps; memory in MB."""

    steps_per_second: float
    p50: float
    p99: float
    cpu: float
    memory: float


@contextmanager
def crowd(size: Size, *more: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`more`: further arguments of `benchmarks.crowd`."""
    command = [sys.executable, "-m", "benchmarks.crowd", "--people", str(size.people)]
    command += ["--warmup", str(size.warmup), "--seconds", str(size.seconds), *more]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process, hear(process)["url"]
    finally:
        end(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def hear(process: "subprocess.Popen[bytes]") -> Any:
    assert process.stdout is not None
    return orjson.loads(process.stdout.readline())


def go(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def watched(size: Size, start: Any) -> Figures:
    """`start(url, folder)` gives the contender's process as a context."""
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name, crowd(size) as (people, url):
        bot: AbstractContextManager[Process] = start(url, Path(name))
        with bot as process:
            go(people)
            hear(people)
            before = cpu_seconds(process.pid)
            found = hear(people)
            spent = cpu_seconds(process.pid) - before
            memory = resident_mb(process.pid)
            if found["failure"]:
                raise LedAstray(found["failure"])
            steps = len(found["latencies"])
            if not steps or (not found["walks"] and steps > 2 * size.people * len(WALK)):
                raise LedAstray(f"nobody reached the end of an update in {steps} steps")
        return figures(found["latencies"], found["seconds"], spent, memory)


def figures(latencies: list[float], seconds: float, spent: float, memory: float) -> Figures:
    ordered = sorted(latencies) or [0.0]
    return Figures(
        steps_per_second=len(latencies) / seconds,
        p50=ordered[len(ordered) // 2] * 1000,
        p99=ordered[int(len(ordered) * 0.99)] * 1000,
        cpu=spent * 1000 / max(1, len(latencies)),
        memory=memory,
    )


def bare(size: Size) -> Figures:
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        command = [sys.executable, "-m", "benchmarks.bare", name, str(size.seconds)]
        found = orjson.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return figures(found["latencies"], found["seconds"], found["cpu"], 0.0)


@dataclass(frozen=True)
class Start:
    """How long `raccordo serve` takes until its pages answer, and what it holds when it has nothing to do."""

    seconds: float
    memory: float


def start_up() -> Start:
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name, crowd(Size(1, 0, 0)) as (_, url):
        with contenders.raccordo(Path(name), url, 1, None):
            pass  # the database is made and the bytecode compiled: what an administrator sees from the second time on
        folder = Path(name)
        command = [sys.executable, "-m", "app.cli", "serve"]
        port = contenders.free_port()
        environment = contenders.environment(folder, f"sqlite:///{folder / 'raccordo.db'}", port, url)
        with (folder / "again.log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log)
            try:
                contenders.wait_for_pages(process, port)
                seconds = time.perf_counter() - began
                time.sleep(2)
                return Start(seconds, resident_mb(process.pid))
            finally:
                end(process)
