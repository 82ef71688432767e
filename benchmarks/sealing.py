"""What it costs that everything kept is sealed: the dialogue, files, the search. Asserts nothing about speed.

python -m benchmarks.sealing [--people 200] [--seconds 8] [--rounds 5] [--messages 10000] [--only PART]

Parts: crowd, alone, files, search. Each round measures sealed and in clear one after the other, in turns which is
first; the ratio is the median of the rounds' own ratios, so that whatever else the machine does weighs on both alike.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.runs import Size, watched
from storage.database import Database
from storage.files import Files
from storage.keys import new_ring
from storage.queue import View, queue_page
from storage.schema import migrate
from storage.sealing import Keyring
from tests.cast import Cast
from tests.postgres import BINARIES, cluster

MB = 1_000_000
FILE_MB = 20
# About what people write, and none of it is what is searched.
SENTENCES = (
    "Buongiorno, possiamo usare il ribasso d'asta per sistemare anche il cortile della scuola?",
    "Perché la rendicontazione di novembre risulta ancora aperta? L'abbiamo inviata già due settimane fa.",
    "Il collaudo è rimandato al mese prossimo: l'impresa non ha finito l'impianto.",
    "Va bene, grazie.",
)


def compare(title: str, unit: str, rounds: int, measure: Callable[[bool], float]) -> None:
    """`measure(sealed)` gives one figure; prints medians, spread and the median of the rounds' ratios."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for sealed in (True, False) if number % 2 else (False, True):
            found[sealed].append(measure(sealed))
    ratio = median(a / b for a, b in zip(found[True], found[False], strict=True))
    cells = [f"{median(found[one]):.3g} ({min(found[one]):.3g}–{max(found[one]):.3g})" for one in (True, False)]
    print(f"| {title}, {unit} | {cells[0]} | {cells[1]} | {ratio:.3f} |", flush=True)


def crowd(options: argparse.Namespace) -> None:
    dialogue(f"{options.people} people", Size(options.people, 2.0, options.seconds), options.rounds)


def alone(options: argparse.Namespace) -> None:
    dialogue("one person", Size(1, 1.0, options.seconds / 2), options.rounds * 2)


def dialogue(who: str, size: Size, rounds: int) -> None:
    """CPU seconds for 1,000 steps: of all figures of a run the one that other work disturbs least."""
    with ExitStack() as stack:
        servers = {"SQLite": None} | ({"PostgreSQL": stack.enter_context(cluster())} if BINARIES else {})
        for kind, server in servers.items():

            def measure(sealed: bool, server: str | None = server) -> float:
                settings = {"RACCORDO_SEAL": str(sealed).lower()}
                return watched(
                    size, lambda url, folder: contenders.raccordo(folder, url, size.people, server, settings=settings)
                ).cpu

            compare(f"{who}, {kind}", "CPU s per 1,000 steps", rounds, measure)


def files(options: argparse.Namespace) -> None:
    """A file of 20 MB, the largest there is: kept in pieces of 64 KiB as from Telegram, flushed; then read whole."""
    content = os.urandom(FILE_MB * MB)
    keys = Keyring(new_ring())
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        stores = {sealed: Files(Path(name) / str(sealed), keys if sealed else None) for sealed in (True, False)}

        def keep(sealed: bool) -> float:
            began = time.perf_counter()
            with stores[sealed].incoming(len(content)) as incoming:
                for at in range(0, len(content), 64 * 1024):
                    incoming.write(content[at : at + 64 * 1024])
                incoming.settle()
            return len(content) / MB / (time.perf_counter() - began)

        def read(sealed: bool) -> float:
            (kept,) = stores[sealed].names()
            began = time.perf_counter()
            with stores[sealed].open(kept) as file:
                while file.read(256 * 1024):
                    pass
            return len(content) / MB / (time.perf_counter() - began)

        compare("file kept", "MB/s", options.rounds * 3, keep)
        compare("file read", "MB/s", options.rounds * 3, read)


def search(options: argparse.Namespace) -> None:
    """A page of the queue for words that no message holds, so that all are read; and for what half of them hold."""
    keys = Keyring(new_ring())
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        houses = {
            sealed: filled(Path(name) / f"{sealed}.db", keys if sealed else None, options.messages)
            for sealed in (True, False)
        }
        for wanted in ("ornitorinco", "perche", ""):

            def measure(sealed: bool, wanted: str = wanted) -> float:
                began = time.perf_counter()
                with houses[sealed].read() as session:
                    queue_page(session, View.ALL, 1, wanted)
                return (time.perf_counter() - began) * 1000

            title = f"{wanted!r} among {options.messages:,} messages" if wanted else "the queue, nothing searched"
            compare(title, "ms", options.rounds * 2, measure)
        for house in houses.values():
            house.close()


def filled(path: Path, keys: Keyring | None, messages: int) -> Database:
    """A database with as many questions of one message each."""
    database = Database(f"sqlite:///{path}", keys)
    migrate(database)
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        ada = cast.a_referent()
        for number, words in enumerate(islice(cycle(SENTENCES), messages)):
            cast.a_question(ada, f"{words} {words} ({number})")
    return database


PARTS = {"crowd": crowd, "alone": alone, "files": files, "search": search}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sealing")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    print("| what | sealed | in clear | sealed ÷ clear |\n| --- | --- | --- | --- |")
    for name, part in PARTS.items():
        if options.only in (None, name):
            part(options)
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
