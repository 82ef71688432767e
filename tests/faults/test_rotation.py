"""The key of what is kept is changed under people who write, and the command is killed half-way: nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from storage.database import Database
from storage.keys import Ring, read_ring
from storage.resealing import SHELVES, amiss
from storage.sealing import Keyring
from tests.faults import oracle
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.forked import Forked
from tests.faults.harness import ROOT, Sandbox, Serve, serving, wait_until
from tests.faults.oracle import messages, queued, repeated
from tests.faults.table import LINES, Line
from tests.faults.test_kills import numbers, open_a_choice_of_projects, until_quiet

pytestmark = pytest.mark.faults

# Where each run of the command dies; what has no name runs to its end. Two keys in a round.
_logs = count(1)
RUNS = ("after-new-key", "after-reseal-batch", "", "before-old-key-goes", "")


@dataclass(frozen=True)
class Dose:
    people: int
    before: int  # messages that are kept already when the first rotation begins
    rounds: int
    together: int  # messages written at once, ten times a second


DOSES = {"short": Dose(20, 150, 1, 1), "full": Dose(100, 20_000, 10, 5)}


def test_the_key_is_changed_under_people_who_write(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount = DOSES[dose]
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people)
    written, began = count(1), time.monotonic()

    with serving(tmp_path / "house", sandbox, database_url) as serve:
        open_a_choice_of_projects(serve, chats)
        serve.start()
        serve.wait_ready()
        write(sandbox, chats, written, amount.before)
        until_quiet(serve, database, 600)
        rings = [ring_of(serve)]
        results = []
        for _ in range(amount.rounds):
            for point in RUNS:
                code, result = rotated(serve, talking(sandbox, chats, written, amount.together), point)
                assert code == (-9 if point else 0)
                if not point:
                    results.append(result)
                    rings.append(ring_of(serve))
        until_quiet(serve, database, 120)
        serve.kill()
        serve.start()
        write(sandbox, chats, written, len(chats))
        until_quiet(serve, database, 120)
        serve.stop()
    seconds = time.monotonic() - began

    log, sent = serve.log.read_text(), queued(sandbox.entries())
    kept = [row.update_id for row in oracle.inbox(database)]
    answered = [number for found in messages(sandbox.entries()).values() for number in numbers(found)]
    last = next(written)
    sealed_anew = sum(result["rows"] for result in results)
    LINES.append(
        Line(
            "key changed, killed",
            kind_of(database_url),
            len(sent),
            sum(map(bool, RUNS)) * amount.rounds,
            lost=len(set(sent) - set(kept)) + last - 1 - len(set(answered)),
            duplicated=repeated(kept),
            other=f"{len(results)} keys, {sealed_anew} rows sealed anew by the runs that ended",
            seconds=seconds,
        )
    )
    assert sealed_anew > amount.before, "the runs that ended had nothing to do"
    assert sorted(kept) == sorted(set(sent)), "an update was lost or doubled"
    assert sorted(set(answered)) == list(range(1, last)), "an answer is missing"
    assert "cannot-open" not in log, "somebody met a value whose key was not there"
    assert len({ring.current.id for ring in rings}) == len(rings), "a key was not changed"
    assert all(len(ring.seal) == 1 for ring in rings), "an old key is still there"
    assert left_with_another_key(database, rings[-1]) == 0
    database.close()


def talking(sandbox: Sandbox, chats: list[int], written: Iterator[int], together: int) -> Iterator[None]:
    """People who write without end, a little at each step."""
    while True:
        write(sandbox, chats, written, together)
        yield


def write(sandbox: Sandbox, chats: list[int], written: Iterator[int], many: int) -> None:
    each = [next(written) for _ in range(many)]
    for at in range(0, many, 500):
        sandbox.push_texts([(chats[number % len(chats)], f"numero{number}") for number in each[at : at + 500]])


def rotated(serve: Serve, meanwhile: Iterator[None], crashpoint: str = "") -> tuple[int, Any]:
    """`raccordo rotate-key` as an administrator runs it: its exit code, and what it says."""
    log = serve.folder / f"rotate-{next(_logs)}.log"
    words = ("-m", "app.cli", "rotate-key", "--format", "json")
    process = Forked(words, serve.environment(crashpoint), ROOT, log)

    def ended() -> bool:
        next(meanwhile)
        serve.assert_alive()
        return process.poll() is not None

    wait_until(ended, 600, "the key is changed", 0.1)
    said = [line for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return process.wait(), orjson.loads(said[-1]) if said else None


def ring_of(serve: Serve) -> Ring:
    return read_ring((serve.folder / "raccordo.data-keys").read_text())


def left_with_another_key(database: Database, ring: Ring) -> int:
    """Rows that are not sealed with the key in use."""
    database.use(Keyring(ring))
    with database.read() as session:
        return sum(amiss(session, shelf) for shelf in SHELVES)
