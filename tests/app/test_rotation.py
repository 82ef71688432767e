"""The key is changed under a house that goes on: all is sealed anew, nothing is lost, the old key goes last."""

import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import Session, select

from app import rotation
from app.keys import KeysMissing, keys_file, keys_needed, note_our_keys, open_database
from app.rotation import RotationStuck, rotate
from app.settings import Settings
from delivery.outbox import queue
from delivery.words import Words
from intake.files import keep_file
from intake.inbox import receive
from storage import resealing, sealing
from storage.database import Database
from storage.files import Files
from storage.keys import new_ring, read_ring
from storage.leases import keys_used
from storage.resealing import SHELVES
from storage.sealing import MARK, Keyring
from storage.tables import Attachment, Channel, Draft, DraftKind, Inbox, Message, Outbox, OutboxKind
from tests.cast import Cast

WORDS = "Perché il cortile è chiuso?"
CONTENT = b"%PDF-1.7\n" + b"il cortile " * 20_000


class Killed(BaseException):
    """As by a signal."""


@dataclass
class House:
    """Settings, database and files of one house, and a rotation that does not wait."""

    settings: Settings
    database: Database
    now: datetime
    waited: list[float] = field(default_factory=list)
    shown: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def files(self) -> Files:
        return Files(self.settings.files, self.database.keys)

    def rotate(self) -> rotation.Rotation:
        return rotate(
            self.settings,
            self.database,
            self.files,
            watch=lambda *shown: self.shown.append(shown),
            wait=self.waited.append,
        )

    def restart(self) -> None:
        self.database.close()
        self.database = open_database(self.settings)

    def fill(self, rows: int = 3, lane: str = "a") -> None:
        """Something of everything that is sealed, `rows` of each."""
        with self.database.write() as session:
            cast = Cast(session, self.now)
            for number in range(rows):
                ada = cast.a_referent()
                cast.a_question(ada, WORDS)
                draft = {"text": WORDS, "number": number}
                cast.add(a_draft(ada.id, draft, self.now))
                arrive(session, f"{lane}{number}", self.now)
                for channel in (Channel.TELEGRAM, Channel.EMAIL):
                    send(session, channel, f"{lane}{number}{channel}", self.now)
            keep_file(session, self.files, "cortile.pdf", "", io.BytesIO(CONTENT + lane.encode()), now=self.now)

    def check_all_is_there(self, rows: int) -> None:
        with self.database.read() as session:
            assert session.exec(select(Message.text)).all() == [WORDS] * rows
            assert [draft["text"] for draft in session.exec(select(Draft.answers))] == [WORDS] * rows
            assert [body["html"] for body in session.exec(select(Outbox.body))] == [WORDS] * 2 * rows
            assert {payload[:5] for payload in session.exec(select(Inbox.payload))} == {b"Perch"}
            for name in session.exec(select(Attachment.sha256)):
                assert name is not None
                with self.files.open(name) as file:
                    assert file.read()[:-1] == CONTENT
            assert set(session.exec(select(Attachment.name))) == {"cortile.pdf"}

    def sealed_with(self) -> set[str]:
        """The ids of all keys that anything lies here sealed with; `clear` for what is in clear."""
        found = {self.files.sealed_with(name) or "clear" for name in self.files.names()}
        with self.database.read() as session:
            for shelf in SHELVES:
                for column in shelf.columns:
                    whole = column.name if column.name == "payload" else f"CAST({column.name} AS TEXT)"
                    rows = session.execute(text(f'SELECT {whole} FROM "{shelf.table.name}"')).scalars()
                    found |= {how_it_lies(value) for value in rows if value not in ("", "{}")}
        return found


def how_it_lies(value: Any) -> str:
    words = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
    for begin in (MARK, '{"$sealed":"', '{"$sealed": "'):
        if words.startswith(begin):
            return words.removeprefix(begin)[:8]
    return "clear"


def a_draft(referent_id: int, answers: dict[str, Any], now: datetime) -> Draft:
    return Draft(
        kind=DraftKind.QUESTION,
        referent_id=referent_id,
        channel=Channel.TELEGRAM,
        answers=answers,
        created_at=now,
        touched_at=now,
    )


def arrive(session: Session, lane: str, now: datetime) -> int | None:
    payload = f"{WORDS} {lane}".encode()
    return receive(session, kind="telegram", account="1", provider_id=lane, payload=payload, lane=lane, now=now)


def send(session: Session, channel: Channel, key: str, now: datetime) -> None:
    queue(session, Words(WORDS), kind=OutboxKind.ANSWER, channel=channel, address="1", now=now, dedupe_key=key)


@pytest.fixture
def house(database_url: str, tmp_path: Path, now: datetime) -> Iterator[House]:
    settings = Settings.model_construct(data_dir=tmp_path / "data", database_url=SecretStr(database_url))
    settings.data_dir.mkdir()
    house = House(settings, open_database(settings), now)
    note_our_keys(house.database)
    yield house
    house.database.close()


def current(house: House) -> str:
    assert house.database.keys is not None
    return house.database.keys.ring.current.id


def test_all_is_sealed_with_the_new_key_and_the_old_one_is_gone(house: House) -> None:
    house.fill()
    old = current(house)

    done = house.rotate()

    assert done.key == current(house) != old
    assert house.sealed_with() == {done.key}
    assert (done.rows, done.files, done.closed, done.removed) == (16, 1, 0, [old])
    assert read_ring(keys_file(house.settings).read_text()).ids[0] == done.key
    assert old not in keys_file(house.settings).read_text()
    house.check_all_is_there(3)


def test_large_mails_are_sealed_anew_one_by_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.fill(rows=5)
    one_by_one = resealing.reseal_some
    batches: list[tuple[str, int]] = []

    def watched(session: Session, shelf: resealing.Shelf, after: int) -> resealing.Batch:
        batch = one_by_one(session, shelf, after)
        batches.append((shelf.table.name, batch.done))
        return batch

    monkeypatch.setattr(resealing, "reseal_some", watched)
    monkeypatch.setattr(resealing, "BYTES", 100)  # one of ours, sealed, has more than half of it
    done = house.rotate()

    assert [number for name, number in batches if name == "inbox" and number] == [1] * 5
    assert max(number for name, number in batches if name == "outbox") == 10
    assert house.sealed_with() == {done.key}


def test_the_house_opens_again_after_it_and_only_with_the_new_key(house: House) -> None:
    house.fill()
    before = keys_file(house.settings).read_bytes()
    house.rotate()

    house.restart()
    house.check_all_is_there(3)

    keys_file(house.settings).write_bytes(before)
    with pytest.raises(KeysMissing):
        open_database(house.settings)


@pytest.mark.parametrize("point", ["after-new-key", "after-reseal-batch", "before-old-key-goes"])
def test_killed_anywhere_it_is_finished_by_the_next_one(
    house: House, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fill(5)
    old = current(house)

    def die(here: str) -> None:
        if here == point:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(rotation, "crashpoint", die)
        patch.setattr(resealing, "ROWS", 2)
        house.rotate()
    house.restart()
    meanwhile = current(house)
    house.check_all_is_there(5)
    house.fill(2, "b")
    done = house.rotate()

    assert done.key == meanwhile, "one new key, not two"
    assert old in done.removed
    assert house.sealed_with() == {meanwhile}
    assert len(read_ring(keys_file(house.settings).read_text()).seal) == 1
    house.check_all_is_there(7)


def test_who_works_meanwhile_loses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process with its own ring: changes rows between two batches, and writes new ones."""
    house.fill(5)
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.0)  # nobody waits here until the other has noticed the new key
    other = open_database(house.settings)
    monkeypatch.setattr(resealing, "ROWS", 2)
    calls = iter(range(100))

    def work_between(here: str) -> None:
        with other.write() as session:
            number = next(calls)
            draft = session.exec(select(Draft).order_by(text("id DESC"))).first()
            assert draft is not None
            draft.answers = {"text": WORDS, "number": -number}
            session.add(draft)
            cast = Cast(session, house.now)
            cast.a_question(cast.a_referent(), WORDS)

    monkeypatch.setattr(rotation, "crashpoint", work_between)
    done = house.rotate()
    made = next(calls)
    other.close()

    assert house.sealed_with() == {done.key}
    with house.database.read() as session:
        assert session.exec(select(Message.text)).all() == [WORDS] * (5 + made)
        assert session.exec(select(Draft.answers).order_by(text("id DESC"))).first() == {
            "text": WORDS,
            "number": 1 - made,
        }


def test_what_was_in_clear_before_is_sealed_and_leaves_no_trace(house: House, database_url: str) -> None:
    keys = house.database.keys
    house.database.use(None)
    house.fill()
    (clear_name,) = house.files.names()
    house.database.use(keys)
    assert "clear" in house.sealed_with()
    if house.database.is_sqlite:
        leave_in_free_pages(Path(database_url.removeprefix("sqlite:///")))

    done = house.rotate()

    assert house.sealed_with() == {done.key}
    assert clear_name not in list(house.files.names()), "its name was a hash that confirms a guess"
    with house.database.read() as session:
        assert resealing.plain_hashes(session) == 0
    with house.database.write() as session:
        assert arrive(session, "a0", house.now) is None, "and what comes twice is known all the same"
    house.check_all_is_there(3)
    if house.database.is_sqlite:
        path = Path(database_url.removeprefix("sqlite:///"))
        assert all(b"cortile" not in each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def leave_in_free_pages(path: Path) -> None:
    """What rows said that are there no more; Debian's SQLite wipes them at once, others do not."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA secure_delete = 0")
        connection.execute("CREATE TABLE gone AS SELECT zeroblob(0) AS words")
        connection.executemany("INSERT INTO gone VALUES (?)", [("il cortile " * 50,)] * 500)
        connection.execute("DROP TABLE gone")
    connection.close()


def test_with_sealing_off_all_is_opened_and_no_key_is_needed(house: House) -> None:
    house.fill()
    house.settings.seal = False
    house.restart()

    done = house.rotate()

    assert done.key is None
    assert house.sealed_with() == {"clear"}
    keys_file(house.settings).unlink()
    house.restart()
    house.check_all_is_there(3)


def test_mail_is_opened_where_the_office_wants_it_in_clear_and_nothing_else(house: House) -> None:
    house.fill()
    house.settings.seal_mail = False
    house.restart()

    house.rotate()

    with house.database.read() as session:
        lying = session.execute(text("SELECT channel, CAST(body AS TEXT) FROM outbox")).all()
    assert {(channel, how_it_lies(body) == "clear") for channel, body in lying} == {
        ("email", True),
        ("telegram", False),
    }
    house.check_all_is_there(3)
    assert house.rotate().closed == 0


def test_what_does_not_open_stays_and_so_does_its_key(house: House) -> None:
    house.fill()
    old = current(house)
    with house.database.write() as session:
        session.execute(text("UPDATE inbox SET payload = substr(payload, 1, length(payload) - 1) WHERE lane = 'a1'"))
        touched = session.execute(text("SELECT payload FROM inbox WHERE lane = 'a1'")).scalar_one()

    done = house.rotate()

    assert (done.closed, done.removed) == (1, [])
    assert house.sealed_with() == {done.key, old}
    assert [key.id for key in read_ring(keys_file(house.settings).read_text()).seal] == [done.key, old]
    with house.database.read() as session:
        assert bytes(session.execute(text("SELECT payload FROM inbox WHERE lane = 'a1'")).scalar_one()) == bytes(
            touched
        )


def test_keys_of_the_setting_are_used_and_never_changed_by_us(house: House) -> None:
    house.fill()
    ring = read_ring(keys_file(house.settings).read_text())
    newer = ring.with_new()
    keys_file(house.settings).unlink()
    house.settings.data_keys = SecretStr(newer.text)
    house.restart()

    done = house.rotate()

    assert done.key == newer.current.id
    assert done.removed == [ring.current.id]
    assert house.sealed_with() == {newer.current.id}
    assert not keys_file(house.settings).exists()
    house.settings.data_keys = SecretStr(newer.without({ring.current.id}).text)
    house.restart()
    house.check_all_is_there(3)


def test_nothing_begins_before_everybody_can_have_noticed(house: House) -> None:
    house.fill()
    seen: list[float] = []

    rotate(
        house.settings,
        house.database,
        house.files,
        watch=lambda *_: seen.append(sum(house.waited)),
        wait=house.waited.append,
    )

    assert min(seen) >= rotation.NOTICE_SECONDS
    with house.database.read() as session:
        assert keys_used(session) == keys_needed(house.database)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_transaction_from_before_is_waited_for(house: House, database_url: str, keys: Keyring) -> None:
    """It may hold something that it sealed with the old key."""
    house.fill()
    slow = Database(database_url, Keyring(read_ring(keys_file(house.settings).read_text())))
    looks = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        if seconds == 1.0 and looks.count(1.0) == 3:
            session.commit()

    with Session(slow.engine) as session:
        cast = Cast(session, house.now)
        cast.a_question(cast.a_referent(), WORDS)
        done = rotate(house.settings, house.database, house.files, watch=lambda *_: None, wait=wait)
    slow.close()

    assert looks.count(1.0) == 3
    assert house.sealed_with() == {done.key}
    with house.database.read() as read:
        assert read.exec(select(Message.text)).all() == [WORDS] * 4


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_transaction_that_never_ends_is_not_waited_for_for_ever(house: House, database_url: str) -> None:
    old = current(house)
    other = Database(database_url)

    with Session(other.engine) as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(RotationStuck, match="a transaction has been open"):
            house.rotate()
    other.close()

    assert old in read_ring(keys_file(house.settings).read_text()).by_id


def test_a_file_that_came_slowly_is_sealed_with_the_key_of_its_end(house: House) -> None:
    files = house.files
    old = current(house)

    with files.incoming(10**6) as incoming:
        incoming.write(CONTENT[:100_000])
        assert house.rotate().removed == [old]
        incoming.write(CONTENT[100_000:])
        kept = incoming.settle()

    assert files.sealed_with(kept.name) == current(house) != old
    with files.open(kept.name) as file:
        assert file.read() == CONTENT


def test_progress_goes_up_to_all_of_it(house: House) -> None:
    house.fill()

    house.rotate()

    rows = [(done, whole) for what, done, whole in house.shown if what == "rows"]
    assert rows == sorted(rows)
    assert rows[-1][0] == rows[-1][1] > 0
    assert house.shown[-1] == ("files", 1, 1)


def test_rows_that_came_once_with_and_once_without_keys_both_stay(house: House) -> None:
    with house.database.write() as session:
        arrive(session, "a", house.now - timedelta(days=30))
    keys = house.database.keys
    house.database.use(None)
    with house.database.write() as session:
        assert arrive(session, "a", house.now) is not None
    house.database.use(keys)

    house.rotate()

    with house.database.read() as session:
        assert len(set(session.exec(select(Inbox.payload_hash)))) == 2
        assert len(set(session.exec(select(Inbox.payload)))) == 1


def test_a_house_of_others_is_not_touched(house: House) -> None:
    """Keys of another house in the file: the command does not even begin."""
    house.fill()
    before = house.sealed_with()
    keys_file(house.settings).write_text(new_ring().text)

    with pytest.raises(KeysMissing):
        house.restart()
    house.database = Database(house.settings.database)

    assert house.sealed_with() == before
