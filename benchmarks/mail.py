"""Mails of mixed kinds, from the LMTP socket to the stored question with its files, beside the least one can do.

python -m benchmarks.mail [--mails 2000] [--rounds 3] [--flat 20000]
The floor (`benchmarks/mail_floor.py`) keeps raw bytes and parses with the standard library. Each is handed the
same mails over the same connections; ours is done when the last of them is a message of a question. Then all of them
are handed over once more, and nothing may have doubled. `--flat`: instead, so many mails, and the memory meanwhile.
"""

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

from sqlmodel import Session, col, func, select

from app.keys import open_database
from app.settings import Settings
from benchmarks.contenders import ROOT, Process, free_port, wait_for_pages
from benchmarks.mail_makers import OFFICE, Made, Thread, make_mails
from benchmarks.proc import cpu_seconds, end, resident_mb
from delivery.reply import reply_address, reply_token
from storage.database import Database
from storage.files import Files
from storage.reply_addresses import About, remember
from storage.schema import migrate
from storage.tables import Attachment, Channel, Inbox, InboxState, Letter, Message
from tests.cast import Cast
from tests.postgres import BINARIES, cluster, new_database

PEOPLE, THREADS = 200, 400
CONNECTIONS = 4
FLOOR = "LMTP, stdlib parse, one durable commit"
PATIENCE = 600.0  # seconds
OVER = (InboxState.DONE, InboxState.DEAD)


@dataclass(frozen=True)
class Figures:
    """Of one run. `accents` to `doubled` are counts, of what should be (doubled: of none)."""

    per_second: float
    cpu_ms: float
    accents: int = 0
    files: int = 0
    threaded: int = 0
    dead: int = 0
    doubled: int = 0


@dataclass
class House:
    """A furnished, running `raccordo serve`."""

    process: Process
    database: Database
    files: Files
    port: int
    mails: list[Made] = field(default_factory=list)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail")
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flat", type=int, default=0)
    return parser.parse_args()


async def hand_over(port: int, mails: Sequence[Made]) -> None:
    """Over a few connections, each mail with a transaction of its own (RFC 2033)."""
    waiting = iter(mails)

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await _said(reader, b"220")
        await _ask(reader, writer, b"LHLO mta.example", b"250")
        for mail in waiting:
            await _ask(reader, writer, f"MAIL FROM:<{mail.sender}>".encode(), b"250")
            await _ask(reader, writer, f"RCPT TO:<{mail.recipient}>".encode(), b"250")
            await _ask(reader, writer, b"DATA", b"354")
            await _ask(reader, writer, mail.raw.replace(b"\r\n.", b"\r\n..") + b".", b"250")
        writer.close()

    await asyncio.gather(*(talk() for _ in range(CONNECTIONS)))


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, wanted: bytes) -> None:
    writer.write(line + b"\r\n")
    await writer.drain()
    await _said(reader, wanted)


async def _said(reader: asyncio.StreamReader, wanted: bytes) -> None:
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(wanted):
        raise ConnectionError(f"{wanted.decode()} was expected, and came {line!r}")


@contextmanager
def floor(folder: Path) -> Iterator[tuple[Process, int]]:
    command = [sys.executable, "-m", "benchmarks.mail_floor", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def house(folder: Path, server: str | None, mails: int) -> Iterator[House]:
    """`raccordo serve` with people who have an address and open questions. Yields when its pages answer."""
    url = new_database(server, f"mail_{uuid4().hex}") if server else f"sqlite:///{folder / 'raccordo.db'}"
    port, lmtp = free_port(), free_port()
    given = {
        "RACCORDO_DATA_DIR": str(folder / "data"),
        "RACCORDO_DATABASE_URL": url,
        "RACCORDO_LISTEN": f"127.0.0.1:{port}",
        "RACCORDO_LMTP_LISTEN": f"127.0.0.1:{lmtp}",
        "RACCORDO_MAIL_FROM": f"Ufficio <{OFFICE}>",
    }
    settings = Settings.model_validate({name.removeprefix("RACCORDO_").lower(): value for name, value in given.items()})
    database = open_database(settings)
    migrate(database)
    people, threads = furnish(database, settings.key)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RACCORDO_")}
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "app.cli", "serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=kept | given, stdout=subprocess.DEVNULL, stderr=log)
    try:
        wait_for_pages(process, port)
        files = Files(settings.files, database.keys)
        yield House(process, database, files, lmtp, make_mails(mails, people, threads))
    finally:
        end(process)
        database.close()


def furnish(database: Database, key: bytes) -> tuple[list[str], list[Thread]]:
    """People of one organisation, and questions of theirs with an address to reply to."""
    people = [f"persona{number}@comune.example" for number in range(PEOPLE)]
    threads = []
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        organization = cast.an_organization("Ente di prova")
        known = [cast.a_referent(f"Persona{n} Esempio", organization, email=one) for n, one in enumerate(people)]
        for number in range(THREADS):
            referent = known[number % PEOPLE]
            question = cast.a_question(referent, channel=Channel.EMAIL)
            about = About(question_id=question.id)
            token = reply_token(key, referent.id, about)
            remember(session, token, referent.id, about, cast.now)
            threads.append(Thread(question.id, people[number % PEOPLE], reply_address(OFFICE, token)))
    return people, threads


def until_all(there: House, number: int) -> None:
    """So many mails are in the inbox, and none of them waits."""
    ended = time.monotonic() + PATIENCE
    while time.monotonic() < ended:
        with there.database.read() as session:
            over = select(func.count()).select_from(Inbox).where(Inbox.kind == "mail", col(Inbox.state).in_(OVER))
            if session.exec(over).one() >= number:
                return
        time.sleep(0.02)
    raise TimeoutError("the mails were not all understood")


def measured(mails: int, server: str | None) -> Figures:
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name, house(Path(name), server, mails) as there:
        before, began = cpu_seconds(there.process.pid), time.perf_counter()
        asyncio.run(hand_over(there.port, there.mails))
        until_all(there, mails)
        seconds, spent = time.perf_counter() - began, cpu_seconds(there.process.pid) - before
        with there.database.read() as session:
            first = count_items(session)
            figures = check(session, there, seconds, spent)
        asyncio.run(hand_over(there.port, there.mails))
        time.sleep(2.0)  # what is known is not kept again: there is nothing to wait for
        with there.database.read() as session:
            doubled = count_items(session) - first
    return replace(figures, doubled=doubled)


def count_items(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Letter)).one()


def check(session: Session, there: House, seconds: float, spent: float) -> Figures:
    """Every mail against what it became."""
    by_id = {row.provider_id: row for row in session.exec(select(Message)) if row.provider_id}
    files = defaultdict(list)
    for row in session.exec(select(Attachment).where(col(Attachment.message_id).is_not(None))):
        files[row.message_id].append(row)
    right: Counter[str] = Counter()
    for mail in there.mails:
        message = by_id.get(f"<bench-{mail.number}@mittente.example>")
        if message is None:
            continue
        right["accents"] += mail.sentence in message.text
        right["threaded"] += mail.question is not None and message.question_id == mail.question
        right["files"] += bool(mail.pdf) and mail.pdf in [_sha256(there.files, one) for one in files[message.id]]
    dead = session.exec(select(func.count()).select_from(Inbox).where(Inbox.state == InboxState.DEAD)).one()
    counts = {name: right[name] for name in ("accents", "files", "threaded")}
    return Figures(len(there.mails) / seconds, spent * 1000 / len(there.mails), dead=dead, **counts)


def _sha256(files: Files, attachment: Attachment) -> str:
    with files.open(attachment.sha256 or "") as file:
        return hashlib.sha256(file.read()).hexdigest()


def measured_floor(mails: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name, floor(Path(name)) as (process, port):
        people = [f"persona{number}@comune.example" for number in range(PEOPLE)]
        made = make_mails(mails, people, [Thread(1, people[0], OFFICE)])
        before, began = cpu_seconds(process.pid), time.perf_counter()
        asyncio.run(hand_over(port, made))
        seconds = time.perf_counter() - began
        return Figures(len(made) / seconds, (cpu_seconds(process.pid) - before) * 1000 / len(made))


def flat(mails: int) -> None:
    """The memory of the service while so many mails pass, ten times on the way."""
    step = max(1, mails // 10)
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name, house(Path(name), None, mails) as there:
        print(f"idle: {resident_mb(there.process.pid):.0f} MB", flush=True)
        for at in range(0, mails, step):
            asyncio.run(hand_over(there.port, there.mails[at : at + step]))
            until_all(there, min(at + step, mails))
            print(f"after {min(at + step, mails):6}: {resident_mb(there.process.pid):.0f} MB", flush=True)


def show(found: dict[str, list[Figures]], mails: int) -> None:
    fifth = mails // 5
    print(f"\n| {mails:,} mails | mails/s | of the floor | CPU ms | accents | files | threaded | dead | doubled |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    reference = median(one.per_second for one in found[FLOOR])
    for name, runs in found.items():
        speed, cpu = median(one.per_second for one in runs), median(one.cpu_ms for one in runs)
        cells = [f"{speed:.0f}", f"{speed / reference:.0%}", f"{cpu:.1f}"]
        if name != FLOOR:
            low = [min(getattr(one, column) for one in runs) for column in ("accents", "files", "threaded")]
            high = [max(getattr(one, column) for one in runs) for column in ("dead", "doubled")]
            cells += [f"{low[0]}/{mails}", f"{low[1]}/{fifth}", f"{low[2]}/{fifth}", *map(str, high)]
        print(f"| {name} | {' | '.join(cells + ['–'] * (8 - len(cells)))} |", flush=True)


def main() -> None:
    options = arguments()
    if options.flat:
        flat(options.flat)
        return
    found: dict[str, list[Figures]] = defaultdict(list)
    with ExitStack() as stack:
        servers: dict[str, str | None] = {"Raccordo, SQLite": None}
        if BINARIES:
            servers["Raccordo, PostgreSQL"] = stack.enter_context(cluster())
        for number in range(options.rounds):
            found[FLOOR].append(measured_floor(options.mails))
            print(f"round {number + 1}: the floor: {found[FLOOR][-1]}", flush=True)
            for name, server in servers.items():
                found[name].append(measured(options.mails, server))
                print(f"round {number + 1}: {name}: {found[name][-1]}", flush=True)
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    show(found, options.mails)


if __name__ == "__main__":
    main()
