"""Runs the sandbox and `raccordo serve` as processes of their own, kills and restarts them. Touches no other process.

Everything by pid: what is started here is stopped here.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg

from tests.faults.forked import Forked

ROOT = Path(__file__).parents[2]
TOKEN = "700000002:AAfaultsfaultsfaultsfaultsfaultsfaults"
START_PATIENCE = 60.0  # seconds; the machine may be busy

Json = dict[str, Any]


class NeverHappened(Exception):
    """What a test waited for did not come in time."""


def wait_until(ready: Callable[[], Any], patience: float, what: str, every: float = 0.05) -> Any:
    """What `ready` finds. Raises NeverHappened."""
    end = time.monotonic() + patience
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > end:
            raise NeverHappened(f"{what}: not within {patience:.0f} s")
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Sandbox:
    """The Telegram of the tests, alive while everything else is killed. Its ledger is the oracle."""

    process: subprocess.Popen[bytes]
    url: str
    smtp_port: int
    ledger_path: Path
    client: httpx.Client

    def add_people(self, ids: Sequence[int]) -> None:
        people = [{"user_id": user_id, "first_name": f"Persona{user_id}", "started": True} for user_id in ids]
        self._post("/sandbox/people", people)

    def send(self, user_id: int, text: str) -> None:
        self._post(f"/sandbox/people/{user_id}/send", {"text": text})

    def push_texts(self, texts: Sequence[tuple[int, str]]) -> list[int]:
        """Many messages at once, in order: (who, what). Their update ids."""
        answer = self._post("/sandbox/updates", {"updates": [_message(who, text) for who, text in texts]})
        ids: list[int] = answer["update_ids"]
        return ids

    def chat(self, user_id: int) -> Json:
        chat: Json = self._get(f"/sandbox/people/{user_id}/chat")
        return chat

    def press(self, user_id: int, message_id: int, data: str) -> None:
        self._post(f"/sandbox/people/{user_id}/press", {"message_id": message_id, "data": data})

    def block(self, user_id: int, *, blocked: bool = True) -> None:
        """Telegram says so to the bot."""
        self._post(f"/sandbox/people/{user_id}/block", {"blocked": blocked})

    def delete_account(self, user_id: int) -> None:
        """Nobody says so: it shows when somebody writes there."""
        self._post(f"/sandbox/people/{user_id}/delete-account", {})

    def mails(self, after: int = 0) -> list[Json]:
        """All, or those behind the first `after`."""
        found: list[Json] = self._get(f"/sandbox/mail.json?after={after}")["mails"]
        return found

    def post_as(self, **how: float) -> None:
        """How updates are posted to a webhook: `twice`, `out_of_order` and `held` for the worst, and the pauses."""
        self._post("/sandbox/webhook", how)

    def set_faults(self, rules: list[Json]) -> None:
        self._post("/sandbox/faults", {"rules": rules})

    @property
    def pending(self) -> int:
        """Updates that the bot has not confirmed yet."""
        return int(self._get("/sandbox/ledger", limit=0)["pending"])

    def size(self) -> int:
        """How long the ledger is: it grows whenever anything happens."""
        return self.ledger_path.stat().st_size

    def heard(self, after: int, words: bytes) -> bool:
        """Whether these words came into the ledger after it was so long."""
        with self.ledger_path.open("rb") as ledger:
            ledger.seek(after)
            return words in ledger.read()

    def entries(self) -> list[Json]:
        """The whole ledger, from its file."""
        return [orjson.loads(line) for line in self.ledger_path.read_bytes().splitlines()]

    def _post(self, path: str, body: Any) -> Any:
        return self.client.post(path, content=orjson.dumps(body)).raise_for_status().json()

    def _get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, params=query).raise_for_status().json()


def _message(who: int, text: str) -> Json:
    person = {"id": who, "is_bot": False, "first_name": f"Persona{who}", "language_code": "it"}
    chat = {"id": who, "type": "private", "first_name": f"Persona{who}"}
    return {"message": {"message_id": 1, "from": person, "chat": chat, "date": int(time.time()), "text": text}}


@contextmanager
def running_sandbox(folder: Path) -> Iterator[Sandbox]:
    """A sandbox without rate limits, in its own process."""
    ledger = folder / "ledger.jsonl"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--token", TOKEN, "--no-limits"]
    command += ["--ledger", str(ledger), "--smtp-port", "0"]
    with (folder / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        ready = orjson.loads(process.stdout.readline())
        with httpx.Client(base_url=ready["url"], timeout=30) as client:
            yield Sandbox(process, ready["url"], ready["smtp_port"], ledger, client)
    finally:
        if process.stdout is not None:
            process.stdout.close()
        end(process)


def end(process: subprocess.Popen[bytes] | Forked) -> None:
    """Politely, then not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Serve:
    """`raccordo serve`, to be killed and started again on the same folder and database."""

    folder: Path
    sandbox: Sandbox
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    process: Forked | None = None
    kills: int = 0
    patient: bool = False  # waits for the leases of the dead
    program: tuple[str, ...] = ("-m", "app.cli", "serve")

    def __post_init__(self) -> None:
        self.port = free_port()
        self.log = self.folder / "serve.log"
        self.born_at = 0  # where in the log its present life begins
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, crashpoint: str = "") -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RACCORDO_")}
        ours = {
            "RACCORDO_DATA_DIR": str(self.folder / "data"),
            "RACCORDO_DATABASE_URL": self.database_url,
            "RACCORDO_LISTEN": f"127.0.0.1:{self.port}",
            "RACCORDO_TELEGRAM_TOKEN": TOKEN,
            "RACCORDO_TELEGRAM_API_URL": self.sandbox.url,
            "RACCORDO_TELEGRAM_PER_SECOND": "0",
            "RACCORDO_SMTP_URL": f"smtp://127.0.0.1:{self.sandbox.smtp_port}",
            "RACCORDO_MAIL_FROM": "Raccordo <raccordo@example.org>",
        }
        crash = {"RACCORDO_CRASHPOINT": crashpoint} if crashpoint else {}
        return kept | ours | crash | self.settings

    def start(self, crashpoint: str = "") -> None:
        assert self.process is None
        self.born_at = self.log.stat().st_size if self.log.exists() else 0
        self.process = Forked(self.program, self.environment(crashpoint), ROOT, self.log)

    def wait_ready(self) -> None:
        """Until its pages answer."""
        wait_until(self.is_ready, START_PATIENCE, "raccordo serve answers")

    def has_logged(self, words: bytes) -> bool:
        """In its present life."""
        with self.log.open("rb") as log:
            log.seek(self.born_at)
            return words in log.read()

    def is_ready(self) -> bool:
        """Whether its pages answer now."""
        self.assert_alive()
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def assert_alive(self) -> None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"raccordo serve ended by itself:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self._gone()

    def wait_crash(self, patience: float = 30.0) -> None:
        """Until it has died at its crashpoint."""
        process = self.process
        assert process is not None
        wait_until(lambda: process.poll() is not None, patience, "the crashpoint is reached")
        self._gone()

    def _gone(self) -> None:
        assert self.process is not None
        assert self.process.wait() == -signal.SIGKILL, self.log.read_text()[-3000:]
        dead, self.process = self.process.pid, None
        self.kills += 1
        self._let_its_leases_run_out(dead)

    def _let_its_leases_run_out(self, dead: int) -> None:
        """On PostgreSQL another process might be alive, so a duty is free only after up to 35 seconds. Here it is now.

        Many kills would mean waiting for hours; the last kill of a full dose is waited out (`patient`).
        """
        if self.database_url.startswith("postgresql") and not self.patient:
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                # its own only, and whatever its clock says: others may be alive
                connection.execute("UPDATE lease SET until = 'epoch' WHERE owner LIKE %s", (f"%:{dead}:%",))
                connection.execute("UPDATE attachment SET next_at = now() WHERE state = 'waiting'")

    def stop(self) -> None:
        """In order, when it is still running."""
        if self.process is not None:
            end(self.process)
            self.process = None


@contextmanager
def serving(folder: Path, sandbox: Sandbox, database_url: str, **settings: str) -> Iterator[Serve]:
    """Not started yet; stopped at the end whatever happens."""
    serve = Serve(folder, sandbox, database_url, settings)
    try:
        yield serve
    finally:
        serve.stop()


def kill_at_random(serve: Serve, chance: random.Random, longest: float) -> None:
    """Starts, waits until it sends, and kills it up to `longest` seconds later. One in ten dies while starting."""
    before = serve.sandbox.size()
    serve.start()
    if chance.random() < 0.1:
        time.sleep(chance.uniform(0.2, 2.0))
    else:
        wait_until(lambda: serve.sandbox.heard(before, b"sendMessage"), START_PATIENCE, "it sends", 0.01)
        time.sleep(chance.uniform(0.0, longest))
    serve.kill()
