"""T9: `raccordo serve` is killed between the parts of albums. Each is one record, with all its parts and its words."""

import base64
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from sandbox.pictures import plain_png
from storage.database import Database
from storage.keys import read_ring
from storage.sealing import Keyring
from storage.tables import (
    Attachment,
    Audience,
    Channel,
    FileState,
    Inbox,
    InboxState,
    Message,
    Question,
    QuestionState,
    Referent,
)
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import Sandbox, Serve, kill_at_random, serving, wait_until
from tests.faults.table import LINES, Line
from tests.faults.test_kills import WHILE_FETCHING, WHILE_RECEIVING

pytestmark = pytest.mark.faults

PICTURE = base64.b64encode(plain_png(8, 8)).decode()
SEED = 20_261_124


@dataclass(frozen=True)
class Dose:
    people: int
    albums: int
    kills: int
    patience: float


DOSES = {
    ("short", "sqlite"): Dose(4, 12, 4, 90),
    ("short", "postgresql"): Dose(2, 4, 1, 90),
    ("full", "sqlite"): Dose(50, 500, 50, 300),
    ("full", "postgresql"): Dose(50, 500, 50, 300),
}


@dataclass(frozen=True)
class Album:
    """Sent by whom, with how many parts; its words say which it is."""

    number: int
    chat: int
    parts: int

    @property
    def words(self) -> str:
        return f"album {self.number}"


def test_an_album_is_one_record_though_its_parts_come_before_and_after_a_death(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount = DOSES[dose, kind_of(database_url)]
    database, chance = Database(database_url), random.Random(SEED)
    chats = people_with_projects(database, sandbox, amount.people)
    threads = {chat: a_thread(database, sandbox, chat) for chat in chats}
    albums = [Album(n, chats[n % len(chats)], chance.randint(2, 6)) for n in range(1, amount.albums + 1)]
    size = -(-len(albums) // amount.kills)
    began = time.monotonic()

    with serving(tmp_path / "house", sandbox, database_url) as serve:
        for number in range(amount.kills):
            batch = albums[number * size : (number + 1) * size]
            for album in batch:
                send_parts(sandbox, album, threads, range(album.parts // 2))
            kill_once(serve, number, chance)
            for album in batch:
                send_parts(sandbox, album, threads, range(album.parts // 2, album.parts))
        serve.start()
        wait_until(lambda: settled(serve, database, sandbox), amount.patience, "everything is worked through", 0.2)
        serve.stop()
        database.use(Keyring(read_ring((serve.folder / "raccordo.data-keys").read_text())))

    records, parts = kept(database)
    wanted = {album.words: album.parts for album in albums}
    LINES.append(
        Line(
            "T9 kill -9 between the parts of an album",
            kind_of(database_url),
            len(albums),
            serve.kills,
            lost=sum(wanted.values()) - sum(parts.values()),
            duplicated=sum(records.values()) - len(albums),
            other=f"{sum(wanted.values())} parts",
            seconds=time.monotonic() - began,
        )
    )
    assert records == dict.fromkeys(wanted, 1), "an album is not one record"
    assert parts == wanted, "a part is missing, twice or elsewhere"
    database.close()


def a_thread(database: Database, sandbox: Sandbox, chat: int) -> int:
    """A question that this person has asked; the id of its message in the chat, to be replied to."""
    message_id: int = sandbox.client.post(f"/sandbox/people/{chat}/send", json={"text": "ciao"}).json()["id"]
    now = datetime.now(UTC)
    with database.write() as session:
        referent = session.exec(select(Referent.id).where(Referent.name == f"Persona{chat} Esempio")).one()
        question = Question(
            referent_id=referent,
            channel=Channel.TELEGRAM,
            state=QuestionState.NEW,
            created_at=now,
            due_at=now,
            last_message_at=now,
        )
        session.add(question)
        session.flush()
        session.add(
            Message(
                question_id=question.id,
                audience=Audience.REFERENT,
                referent_id=referent,
                text="Servono foto?",
                channel=Channel.TELEGRAM,
                provider_id=str(message_id),
                created_at=now,
            )
        )
    return message_id


def send_parts(sandbox: Sandbox, album: Album, threads: dict[int, int], which: range) -> None:
    for part in which:
        sent: dict[str, Any] = {"photo": {"content": PICTURE}, "media_group_id": album.words}
        sent["reply_to"] = threads[album.chat]
        if part == 0:
            sent["caption"] = album.words
        sandbox.client.post(f"/sandbox/people/{album.chat}/send", json=sent).raise_for_status()


def kill_once(serve: Serve, number: int, chance: random.Random) -> None:
    """The first kills at each point where a part may be half-way, the others anywhere."""
    points = (*WHILE_FETCHING, *WHILE_RECEIVING)
    if number < len(points):
        serve.start(points[number])
        serve.wait_crash()
    else:
        kill_at_random(serve, chance, longest=3.0)


def settled(serve: Serve, database: Database, sandbox: Sandbox) -> bool:
    serve.assert_alive()
    with database.read() as session:
        waiting = col(Inbox.state).in_((InboxState.NEW, InboxState.RETRY))
        open_rows = session.exec(select(Inbox.id).where(waiting)).first()
        coming = session.exec(select(Attachment.id).where(Attachment.state == FileState.WAITING)).first()
    return sandbox.pending == 0 and open_rows is None and coming is None


def kept(database: Database) -> tuple[Counter[str], Counter[str]]:
    """How often each album's words stand in a thread, and how many kept files with them."""
    with database.read() as session:
        records = Counter(text for text in session.exec(select(Message.text)) if text.startswith("album "))
        parts: Counter[str] = Counter(
            text
            for text, state in session.exec(
                select(Message.text, Attachment.state).join(Attachment, col(Attachment.message_id) == col(Message.id))
            )
            if state is FileState.KEPT
        )
    return records, parts
