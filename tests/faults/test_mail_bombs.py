"""T18, T19: odd mail and mail bombs. No exception, something sane comes out, and nobody else waits for it.

What each costs is printed, not judged: how fast a machine is says nothing about the code. What runs away is.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from intake.incoming import Incoming
from intake.mail import read
from intake.post.arrival import LARGEST, RawMail, receive_mails
from intake.post.process import Beliefs
from intake.post.reader import Reader
from intake.reading.gathering import MOST_LETTERS
from storage.database import Database
from storage.files import Files
from storage.readings import any_unread, reading_of
from storage.tables import Channel
from tests.faults.conftest import kind_of
from tests.faults.mail_bombs import BOMBS
from tests.faults.table import LINES, Line, percentile
from tests.intake.reading.test_anything import BITS, WHOLE

pytestmark = pytest.mark.faults

RUNS_AWAY = 30.0  # seconds of computing
ODD = {"short": 2_000, "full": 200_000}
LARGEST_BOMB = {"short": 2 * 1024 * 1024, "full": LARGEST}


def spoilt(chance: random.Random) -> bytes:
    raw = chance.choice(WHOLE)
    for _ in range(chance.randint(1, 10)):
        at = chance.randrange(len(raw) + 1)
        raw = raw[:at] + chance.choice(BITS) + raw[at + chance.choice((0, 0, 1, 7)) :]
    return raw


def costs(work: Callable[[], Incoming]) -> tuple[Incoming, float]:
    """And its seconds of computing, of this thread alone."""
    before = time.thread_time()
    found = work()
    return found, time.thread_time() - before


def test_odd_mail_is_read(dose: str) -> None:
    chance = random.Random(18)
    began = time.monotonic()
    spent = []
    for _ in range(ODD[dose]):
        raw = spoilt(chance)
        mail, seconds = costs(lambda raw=raw: read(raw))  # type: ignore[misc]
        assert mail.doubt or mail.sender is not None
        spent.append(seconds * 1000)

    LINES.append(
        Line(
            "T18 odd mail",
            "–",
            len(spent),
            0,
            0,
            0,
            f"0 exceptions; computing, longest {max(spent):.0f} ms",
            percentile(spent, 0.5),
            percentile(spent, 0.99),
            time.monotonic() - began,
        )
    )


@pytest.fixture(scope="module")
def spent() -> dict[str, float]:
    return {}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_like_any_mail(name: str, spent: dict[str, float]) -> None:
    raw = BOMBS[name]()

    mail, seconds = costs(lambda: read(raw, authserv_id="mx"))

    assert Incoming.from_json(mail.to_json()).to_json() == mail.to_json()
    assert len(mail.text) + len(mail.quoted) <= MOST_LETTERS + 10
    assert len(mail.subject) <= 1000
    assert mail.text or mail.quoted or mail.files or mail.left_out or name == "a page that never ends its marks"
    assert mail.dmarc == ""
    assert seconds < RUNS_AWAY
    spent[name] = seconds
    if len(spent) == len(BOMBS):
        slowest = max(spent, key=spent.__getitem__)
        times = [1000 * one for one in spent.values()]
        other = f"0 exceptions; computing, longest {max(times):.0f} ms ({slowest})"
        LINES.append(
            Line(
                "T19 mail bombs",
                "–",
                len(times),
                0,
                0,
                0,
                other,
                percentile(times, 0.5),
                percentile(times, 0.99),
                sum(spent.values()),
            )
        )


async def test_nobody_waits_while_bombs_are_read(dose: str, database: Database, tmp_path: Path, now: datetime) -> None:
    bombs = [raw for make in BOMBS.values() if len(raw := make()) <= LARGEST_BOMB[dose]]
    mails = [RawMail(Channel.EMAIL, "ufficio@example.net", raw) for raw in bombs]
    with database.write() as session:
        receive_mails(session, mails, now)
    reader = Reader(database, Files(tmp_path / "files", database.keys), lambda: now, Beliefs())
    beats: list[tuple[float, float]] = []
    began = time.monotonic()
    heart = asyncio.create_task(beat(beats))

    while await database.look(lambda session: any_unread(session, now)):
        await reader.read_some()
    heart.cancel()
    seconds = time.monotonic() - began
    await reader.close()

    with database.read() as session:
        kept = [reading_of(session, number) for number in range(1, len(mails) + 1)]
    assert all(kept)
    assert reader.process.deaths == 0
    assert len(beats) > 10 * len(mails), "the loop stood still"  # reading them on the loop leaves one or two for each
    stall, computing = (1000 * max(later[n] - earlier[n] for earlier, later in pairwise(beats)) for n in (0, 1))
    other = f"longest stall of the loop {stall:.0f} ms, {computing:.0f} ms of computing"
    LINES.append(
        Line("T19 in a process of its own", kind_of(str(database.url)), len(mails), 0, 0, 0, other, seconds=seconds)
    )


async def beat(beats: list[tuple[float, float]]) -> None:
    while True:
        beats.append((time.monotonic(), time.thread_time()))
        await asyncio.sleep(0.001)
