"""What staff chose and left is gone after a day, bytes and all; nothing that goes along with something ever is."""

import os
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from app.sweep import TIDY_EVERY, Sweeper
from delivery.links import Links
from intake.files import StoredFile, add_file, store_file
from intake.leftovers import LEFT_FOR, take_away
from storage.database import Database
from storage.files import Files
from storage.tables import Attachment, Audit, Inbox, Message, Reading, Role
from tests.cast import Cast

LATER = LEFT_FOR + timedelta(seconds=1)


@pytest.fixture
def files(tmp_path: Path, database: Database) -> Files:
    return Files(tmp_path / "files", database.keys)


def stored(files: Files, content: bytes = b"un esempio", *, old: bool = True) -> StoredFile:
    """Whose bytes came long ago, unless `old` is false."""
    one = store_file(files, "esempio.txt", "text/plain", BytesIO(content))
    if old:
        os.utime(files.path_of(one.sha256), (0, 0))
    return one


def chosen(database: Database, now: datetime, one: StoredFile, **home: Any) -> int:
    """The row of a file that Vera chose."""
    with database.write() as session:
        vera = Cast(session, now).a_staff("Vera Esempio", Role.VOLUNTEER)
        return add_file(session, one, now=now, staff_id=vera.id, **home).id


def rows(session: Session) -> list[int]:
    return list(session.exec(select(Attachment.id)))


def test_what_was_chosen_and_left_is_gone_after_a_day_and_not_before(
    database: Database, files: Files, now: datetime
) -> None:
    one = stored(files)
    number = chosen(database, now, one)

    early, late = take_away(database, files, now + LEFT_FOR), take_away(database, files, now + LATER)

    assert (early, late) == (0, 1)
    assert not files.path_of(one.sha256).exists()
    with database.read() as session:
        assert rows(session) == []
        noted = session.exec(select(Audit).where(Audit.action == "file.take-away")).one()
    assert (noted.actor_kind, noted.object_id) == ("system", number)


def test_what_goes_along_with_something_stays_and_so_does_what_a_referent_left(
    database: Database, files: Files, now: datetime
) -> None:
    one = stored(files)
    with database.write() as session:
        cast = Cast(session, now)
        ada = cast.a_referent()
        message = session.exec(select(Message.id).where(Message.question_id == cast.a_question(ada).id)).one()
        sent = add_file(session, one, now=now, staff_id=cast.a_staff().id, message_id=message).id
        left = add_file(session, one, now=now, referent_id=ada.id).id

    taken = take_away(database, files, now + LATER)

    assert taken == 0
    with database.read() as session:
        assert rows(session) == [sent, left]
    assert files.path_of(one.sha256).exists()


def test_bytes_stay_that_another_row_or_a_mail_that_waits_needs(
    database: Database, files: Files, now: datetime
) -> None:
    shared, in_mail = stored(files, b"due volte"), stored(files, b"anche per posta")
    for one in (shared, in_mail):
        chosen(database, now, one)
    with database.write() as session:
        cast = Cast(session, now)
        add_file(session, shared, now=now, referent_id=cast.a_referent().id)
        came = cast.add(
            Inbox(kind="mail", account="", provider_id="1", payload_hash="1", payload=b"", lane="", received_at=now)
        )
        cast.add(Reading(inbox_id=came.id, document={"files": [{"kept": in_mail.sha256}]}, created_at=now))

    taken = take_away(database, files, now + LATER)

    assert taken == 2
    assert files.path_of(shared.sha256).exists()
    assert files.path_of(in_mail.sha256).exists()


def test_bytes_that_have_just_come_again_stay_though_no_row_names_them_yet(
    database: Database, files: Files, now: datetime
) -> None:
    one = stored(files)
    chosen(database, now, one)
    stored(files, old=False)

    taken = take_away(database, files, now + LATER)

    assert taken == 1
    assert files.path_of(one.sha256).exists()


async def test_the_clock_sees_to_it_once_an_hour(database: Database, files: Files, now: datetime) -> None:
    clock = [now + LATER]
    sweeper = Sweeper(database, lambda: clock[0], Links("https://raccordo.example"), "Europe/Rome", files)
    chosen(database, now, stored(files))

    def left() -> int:
        with database.read() as session:
            return len(rows(session))

    await sweeper()
    first = left()
    chosen(database, now, stored(files))
    await sweeper()
    soon = left()
    clock[0] += TIDY_EVERY
    await sweeper()

    assert (first, soon, left()) == (0, 1, 0)
