"""What the columns seal: read back as it was, told to nobody else, opened nowhere but in its own place."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import bindparam, text
from sqlmodel import Session, SQLModel, col, select

from delivery.outbox import queue
from delivery.words import Words
from intake.inbox import receive
from intake.worker import work
from storage import durable, sealing
from storage.database import Database
from storage.dispatching import set_body
from storage.inbox import dead_letters, recognise_anew
from storage.keys import NoKeys, Ring, new_ring, read_ring
from storage.sealing import MARK, CannotOpen, Keyring
from storage.tables import Album, Channel, Correction, Draft, Inbox, Message, Outbox, OutboxKind
from storage.types import SealedBytes, SealedJson, SealedText
from tests.cast import Cast

WORDS = "Perché il cortile è chiuso?"


def as_it_lies(session: Session, column: str) -> Any:
    """What a thief reads: the one value of `table.column` as text or bytes."""
    table, _, name = column.partition(".")
    whole = name if name == "payload" else f"CAST({name} AS TEXT)"
    value = session.execute(text(f'SELECT {whole} FROM "{table}"')).scalar_one()
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else value


def a_message(session: Session, cast: Cast, words: str = WORDS) -> Message:
    cast.a_question(cast.a_referent(), words)
    session.expire_all()
    return session.exec(select(Message)).one()


def arrive(session: Session, payload: bytes, now: datetime, lane: str = "a", kind: str = "telegram") -> int | None:
    return receive(session, kind=kind, account="1", provider_id=lane, payload=payload, lane=lane, now=now)


@pytest.fixture
def in_clear(database_url: str) -> Iterator[Database]:
    """The same database for who has no keys."""
    database = Database(database_url)
    yield database
    database.close()


def test_every_sealed_column_bears_its_own_name() -> None:
    found = {
        f"{table.name}.{column.name}": column.type.place
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, SealedText | SealedBytes | SealedJson)
    }

    assert found == {name: name for name in found}
    assert {"inbox.payload", "message.text", "outbox.body", "draft.answers", "update.answers"} <= set(found)


def test_a_text_is_read_back_and_lies_there_sealed(session: Session, cast: Cast) -> None:
    message = a_message(session, cast)

    assert message.text == WORDS
    assert as_it_lies(session, "message.text").startswith(MARK)
    assert "cortile" not in as_it_lies(session, "message.text")


def test_a_raw_payload_is_read_back_and_lies_there_sealed(session: Session, now: datetime) -> None:
    arrive(session, WORDS.encode(), now)

    assert session.exec(select(Inbox.payload)).one() == WORDS.encode()
    assert "cortile" not in as_it_lies(session, "inbox.payload")


def test_a_document_is_read_back_and_lies_there_sealed(session: Session, now: datetime) -> None:
    body = {"html": WORDS, "buttons": [[{"text": "Sì", "data": "y"}]], "money": 12_345_678_901_234_567_890}
    queue_one(session, now)
    set_body(session, session.exec(select(Outbox.id)).one(), Channel.TELEGRAM, body)

    assert session.exec(select(Outbox.body)).one() == body
    assert "cortile" not in as_it_lies(session, "outbox.body")


def queue_one(session: Session, now: datetime, channel: Channel = Channel.TELEGRAM) -> None:
    queue(
        session, Words(WORDS), kind=OutboxKind.ANSWER, channel=channel, address="1", now=now, dedupe_key=channel.value
    )


def test_the_same_words_never_look_the_same(session: Session, cast: Cast) -> None:
    cast.a_question(cast.a_referent(), WORDS)
    cast.a_question(cast.a_referent(), WORDS)

    lying = session.execute(text("SELECT text FROM message")).scalars().all()

    assert len(set(lying)) == 2


def test_what_is_empty_stays_as_it_is(session: Session, cast: Cast, now: datetime) -> None:
    cast.add(Album(chat="1", group_id="g", referent_id=cast.a_referent().id, created_at=now))

    assert as_it_lies(session, "album.caption") == ""
    assert session.exec(select(Album).where(col(Album.caption) == "")).one().caption == ""


@given(words=some.text(some.characters(codec="utf-8")))
def test_any_text_and_its_place_come_back(words: str) -> None:
    keys = Keyring(new_ring())

    sealed = keys.seal_text(b"message.text", words.encode())

    assert keys.open_text(b"message.text", sealed).decode() == words
    with pytest.raises(CannotOpen):
        keys.open_text(b"correction.after", sealed)


def test_a_value_moved_to_another_place_does_not_open(session: Session, cast: Cast, now: datetime) -> None:
    message = a_message(session, cast, "prima")
    session.add(Correction(message_id=message.id, before="segreto", after="dopo", created_at=now))
    session.flush()
    session.execute(text("UPDATE message SET text = (SELECT before FROM correction)"))
    session.expire_all()

    assert session.exec(select(Message.text)).one().startswith(MARK)


@pytest.mark.parametrize("words", [MARK, f"{MARK}clear:x", f"{MARK}0123abcd:AAAA", "\x1a", "sealed:"])
@pytest.mark.parametrize("sealed", [True, False])
def test_no_text_of_a_person_is_taken_for_a_sealed_one(
    database: Database, in_clear: Database, now: datetime, words: str, sealed: bool
) -> None:
    with (database if sealed else in_clear).write() as session:
        a_message(session, Cast(session, now), words)
        arrive(session, words.encode(), now)

    with database.read() as session:
        assert session.exec(select(Message.text)).one() == words
        assert session.exec(select(Inbox.payload)).one() == words.encode()


def test_what_was_kept_in_clear_before_is_read(database: Database, in_clear: Database, now: datetime) -> None:
    with in_clear.write() as session:
        a_message(session, Cast(session, now))
        arrive(session, b"{}", now)
        queue_one(session, now)
        assert as_it_lies(session, "message.text") == WORDS

    with database.read() as session:
        assert session.exec(select(Message.text)).one() == WORDS
        assert session.exec(select(Inbox.payload)).one() == b"{}"
        assert session.exec(select(Outbox.body)).one() == {"html": WORDS}


def test_a_house_that_does_not_seal_any_more_still_reads(
    database: Database, database_url: str, keys: Keyring, now: datetime
) -> None:
    with database.write() as session:
        a_message(session, Cast(session, now))
    unsealing = Database(database_url, Keyring(keys.ring, seals=False))

    with unsealing.write() as session:
        assert session.exec(select(Message.text)).one() == WORDS
        arrive(session, WORDS.encode(), now)

        assert as_it_lies(session, "inbox.payload").encode("latin-1") == WORDS.encode()
    unsealing.close()


@pytest.mark.parametrize("seals_mail", [True, False])
def test_mail_stays_in_clear_where_the_office_wishes_so(
    database_url: str, keys: Keyring, now: datetime, seals_mail: bool
) -> None:
    database = Database(database_url, Keyring(keys.ring, seals_mail=seals_mail))
    with database.write() as session:
        queue_one(session, now, Channel.EMAIL)
        arrive(session, WORDS.encode(), now, kind="mail")
        assert ("cortile" in as_it_lies(session, "outbox.body")) is not seals_mail
        assert ("cortile" in as_it_lies(session, "inbox.payload")) is not seals_mail
        set_body(session, session.exec(select(Outbox.id)).one(), Channel.EMAIL, {"html": "Il cortile"})
        assert ("Il cortile" in as_it_lies(session, "outbox.body")) is not seals_mail

    with database.write() as session:
        session.execute(text("DELETE FROM outbox"))
        queue_one(session, now)
        assert "cortile" not in as_it_lies(session, "outbox.body"), "only mail is"
    database.close()


@pytest.mark.parametrize(
    "look",
    [
        lambda: col(Message.text).icontains("cortile"),
        lambda: col(Message.text) == "cortile",
        lambda: col(Message.text) == bindparam("wanted"),
        lambda: col(Message.text).desc(),
        lambda: col(Outbox.body)["html"],
        lambda: col(Draft.answers) == {"phase": "x"},
    ],
)
def test_sql_that_would_look_inside_is_refused(look: Any) -> None:
    with pytest.raises(TypeError, match="cannot be searched"):
        look()


def test_one_row_that_somebody_touched_holds_nobody_up(session: Session, now: datetime) -> None:
    arrive(session, b"uno", now, "a")
    arrive(session, b"due", now, "b")
    session.execute(text("UPDATE inbox SET payload = substr(payload, 1, length(payload) - 1) WHERE lane = 'a'"))
    seen: list[bytes] = []

    def handle(_session: Session, row: Inbox, _now: datetime) -> None:
        seen.append(row.payload)
        if row.payload not in (b"uno", b"due"):
            raise ValueError("not as it was")

    for hours in range(5):
        work(session, {"telegram": handle}, {}, now + timedelta(hours=hours))

    assert seen[0].startswith(MARK.encode())
    assert b"due" in seen
    assert [row.lane for row in dead_letters(session)] == ["a"]


# --- what comes twice


def test_what_comes_twice_is_kept_once_also_after_the_keys_changed(
    database: Database, keys: Keyring, now: datetime
) -> None:
    with database.write() as session:
        first = arrive(session, b"uguale", now)
    database.use(Keyring(keys.ring.with_new()))

    with database.write() as session:
        again, other = arrive(session, b"uguale", now), arrive(session, b"diverso", now)

    assert first is not None
    assert again is None
    assert other is not None


def test_the_hash_confirms_no_guess_without_the_keys(session: Session, in_clear: Database, now: datetime) -> None:
    arrive(session, b"indovinabile", now)
    kept = session.execute(text("SELECT payload_hash FROM inbox")).scalar_one()
    session.rollback()

    with in_clear.write() as plain:
        arrive(plain, b"indovinabile", now)
        assert plain.execute(text("SELECT payload_hash FROM inbox")).scalar_one() != kept


def test_what_came_before_there_were_keys_is_still_known(database: Database, in_clear: Database, now: datetime) -> None:
    with in_clear.write() as session:
        arrive(session, b"ieri", now - timedelta(hours=23), "a")
        arrive(session, b"la settimana scorsa", now - timedelta(days=7), "b")

    with database.write() as session:
        assert recognise_anew(session, now) == 1
        assert recognise_anew(session, now) == 0
        assert arrive(session, b"ieri", now, "a") is None


# --- the file of keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "raccordo.data-keys"
    durable.make_once(path, new_ring().text.encode())
    return path


def following(path: Path) -> Keyring:
    return Keyring(read_ring(path.read_text()), path=path)


def write(path: Path, ring: Ring) -> Ring:
    durable.replace(path, ring.text.encode())
    return ring


def test_a_new_key_is_taken_up_without_a_restart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    keys = following(path)
    keys.seal(b"x.y", b"prima")
    new = write(path, keys.ring.with_new())

    still = keys.seal(b"x.y", b"ora")
    clock[0] += sealing.LOOK_SECONDS
    then = keys.seal(b"x.y", b"dopo")

    assert still.startswith(new.seal[1].id.encode())
    assert then.startswith(new.seal[0].id.encode())
    assert keys.open(b"x.y", still) == b"ora"


def test_what_another_process_sealed_with_a_newer_key_opens_at_once(path: Path) -> None:
    keys = following(path)
    keys.seal(b"x.y", b"prima")
    other = Keyring(write(path, keys.ring.with_new()))

    assert keys.open(b"x.y", other.seal(b"x.y", b"dopo")) == b"dopo"


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("seal:rotto")])
def test_a_service_that_has_its_keys_goes_on_and_tells_when_their_file_is_gone(
    path: Path, monkeypatch: pytest.MonkeyPatch, harm: Any
) -> None:
    keys = following(path)
    assert keys.whole
    harm(path)
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.0)

    assert keys.open(b"x.y", keys.seal(b"x.y", b"va avanti")) == b"va avanti"
    assert not keys.whole


def test_a_ring_is_written_and_read_as_it_is() -> None:
    ring = new_ring().with_new()

    again = read_ring(ring.text)

    assert again.ids == ring.ids
    assert again.without({ring.seal[1].id}).ids == [ring.seal[0].id, ring.match.id]
    assert again.without(set(ring.ids)).current.id == ring.seal[0].id, "the key in use stays"
    assert read_ring(" ".join(ring.text.splitlines()[2:])).ids == ring.ids, "in one line, for a setting"


@pytest.mark.parametrize(
    "wrong", ["", "seal:" + "0" * 64, "match:" + "0" * 64, "seal:" + "0" * 63 + " match:" + "0" * 64, "x" * 64]
)
def test_a_broken_ring_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(NoKeys) as refused:
        read_ring(wrong)

    assert "0000" not in str(refused.value)


def test_ids_and_names_tell_nothing_of_a_key() -> None:
    ring = new_ring()

    shown = f"{ring} {ring.seal[0]!r} {ring.ids}"

    assert all(key.secret.hex() not in shown for key in (*ring.seal, ring.match))


def test_many_threads_share_one_ring() -> None:
    keys = Keyring(new_ring())

    def seal_and_open(number: int) -> bool:
        content = os.urandom(number)
        return all(keys.open(b"x.y", keys.seal(b"x.y", content)) == content for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(seal_and_open, range(1, 33)))


def test_two_processes_that_begin_together_have_one_file(tmp_path: Path) -> None:
    path = tmp_path / "raccordo.data-keys"

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: durable.make_once(path, new_ring().text.encode()), range(32)))

    assert found == {path.read_bytes()}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


def test_a_text_that_no_page_could_show_is_refused(keys: Keyring) -> None:
    """As the databases do: half a surrogate pair would break every list it stands in."""
    with pytest.raises(UnicodeEncodeError):
        SealedText("message.text").sealed("\ud800", keys)
