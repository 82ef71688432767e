"""The log only grows, and whoever touches it is found."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.log_sealing import LogSealer, seal_all
from storage import audit
from storage.audit_chain import FIRST, Link, newest_link, seal_some, verify
from storage.database import Database
from storage.tables import Audit, AuditLink

TABLES = ("audit", "audit_link")


def write(database: Database, now: datetime, *ids: int) -> None:
    with database.write() as session:
        for one in ids:
            audit.record(session, now, ("staff", 3), "question.take", ("question", one), taken_from=None)


def sealed(database: Database, now: datetime, count: int = 5) -> None:
    write(database, now, *range(1, count + 1))
    seal_all(database, now + timedelta(seconds=5))


def by_hand(database: Database, *statements: str) -> None:
    """What somebody does who has the database in hand and takes the triggers away first."""
    with database.engine.begin() as connection:
        for table in TABLES:
            for trigger in ("no_update", "no_delete") if database.is_sqlite else ("append_only",):
                on = "" if database.is_sqlite else f" ON {table}"
                connection.execute(text(f"DROP TRIGGER {table}_{trigger}{on}"))
        if database.is_sqlite:
            for statement in statements:
                connection.execute(text(statement))
            return
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        # the database of the tests is used again: its triggers come back
        for table in TABLES:
            connection.execute(
                text(
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
                )
            )


def why(database: Database, kept: Link | None = None) -> tuple[int, str] | None:
    with database.read() as session:
        broken = verify(session, kept).broken
    return (broken.number, broken.why) if broken else None


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_the_log(database: Database, now: datetime, table: str, act: str) -> None:
    sealed(database, now)
    column = "action" if table == "audit" else "hash"

    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(act.format(table, column, "'x'")))

    assert why(database) is None


@pytest.mark.parametrize("table", TABLES)
def test_nobody_empties_the_log_at_a_stroke(database: Database, now: datetime, table: str) -> None:
    sealed(database, now)
    empty = "DELETE FROM {}" if database.is_sqlite else "TRUNCATE {} CASCADE"

    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(empty.format(table)))


def test_rows_are_numbered_without_gaps_and_each_link_holds_the_one_before(database: Database, now: datetime) -> None:
    sealed(database, now)
    write(database, now, 8, 9)
    seal_all(database, now + timedelta(minutes=1))

    with database.read() as session:
        verdict = verify(session)
        numbers = [link.number for link in session.exec(select(AuditLink).order_by("number")).all()]

    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert verdict.whole
    assert verdict.unsealed == 0
    assert verdict.newest.number == 7


def test_what_is_not_sealed_yet_is_counted(database: Database, now: datetime) -> None:
    sealed(database, now)
    write(database, now, 8, 9)

    with database.read() as session:
        verdict = verify(session)

    assert (verdict.whole, verdict.unsealed, verdict.newest.number) == (True, 2, 5)


def test_an_empty_log_is_whole(database: Database) -> None:
    with database.read() as session:
        verdict = verify(session)

    assert (verdict.whole, verdict.newest) == (True, Link(0, FIRST))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET actor_id = 4 WHERE object_id = 3", (3, "altered")),
        ("UPDATE audit SET detail = '{}' WHERE object_id = 3", (3, "altered")),
        ("UPDATE audit SET at = '2026-11-23 08:00:00+00:00' WHERE object_id = 2", (2, "altered")),
        ("DELETE FROM audit WHERE object_id = 4", (4, "missing-row")),
        ("UPDATE audit_link SET hash = 'aa' WHERE number = 5", (5, "altered")),
        ("UPDATE audit_link SET sealed_at = '2026-11-23 08:00:00+00:00' WHERE number = 5", (5, "altered")),
        ("DELETE FROM audit_link WHERE number = 1", (1, "missing-link")),
        ("DELETE FROM audit_link WHERE number = 3", (3, "missing-link")),
        ("UPDATE audit_link SET number = 0 WHERE number = 1", (1, "missing-link")),
    ],
)
def test_whatever_is_altered_or_removed_is_found(
    database: Database, now: datetime, statement: str, found: tuple[int, str]
) -> None:
    sealed(database, now)

    if database.is_sqlite:
        statement = statement.replace("+00:00", ".000000")
        by_hand(database, "PRAGMA defer_foreign_keys=1", *_without_keys(database, statement))
    else:
        by_hand(database, statement)

    assert why(database) == found


def _without_keys(database: Database, statement: str) -> list[str]:
    """On SQLite a row with a link can go only when the table of links no longer points at it."""
    if not statement.startswith("DELETE FROM audit WHERE"):
        return [statement]
    return [
        "CREATE TABLE other AS SELECT * FROM audit_link",
        "DROP TABLE audit_link",
        statement,
        "ALTER TABLE other RENAME TO audit_link",
    ]


def test_a_row_put_in_with_a_link_of_its_own_breaks_the_chain(database: Database, now: datetime) -> None:
    sealed(database, now)
    write(database, now, 99)

    with database.write() as session:
        row = session.exec(select(Audit).where(Audit.object_id == 99)).one()
        session.add(AuditLink(number=6, audit_id=row.id, hash="ab" * 32, sealed_at=now))

    assert why(database) == (6, "altered")


def test_a_row_that_says_it_is_older_than_those_before_it_is_counted(database: Database, now: datetime) -> None:
    sealed(database, now)
    write(database, now - timedelta(days=3), 99)
    seal_all(database, now + timedelta(minutes=1))

    with database.read() as session:
        verdict = verify(session)

    assert (verdict.whole, verdict.backdated) == (True, 1)


def test_an_end_that_was_taken_away_is_found_by_the_link_kept_elsewhere(database: Database, now: datetime) -> None:
    sealed(database, now)
    with database.read() as session:
        kept = newest_link(session)
    assert why(database, kept) is None

    by_hand(database, "DELETE FROM audit_link WHERE number > 3", "DELETE FROM audit WHERE object_id > 3")

    assert why(database) is None
    assert why(database, kept) == (5, "not-as-kept")


def test_a_chain_made_anew_is_found_by_the_link_kept_elsewhere(database: Database, now: datetime) -> None:
    sealed(database, now)
    with database.read() as session:
        kept = newest_link(session)

    by_hand(database, "UPDATE audit SET actor_id = 4 WHERE object_id = 2", "DELETE FROM audit_link")
    seal_all(database, now + timedelta(minutes=1))

    assert why(database) is None
    assert why(database, kept) == (5, "not-as-kept")


def test_a_row_whose_transaction_ended_late_is_chained_later(database: Database, now: datetime) -> None:
    if database.is_sqlite:  # one writer: ids and commits are in the same order there
        write(database, now, 1)
        seal_all(database, now)
        return
    with database.write() as late:
        audit.record(late, now, ("staff", 3), "question.take", ("question", 1))
        late.flush()
        write(database, now, 2)
        seal_all(database, now)
    seal_all(database, now)

    with database.read() as session:
        order = session.exec(
            select(Audit.object_id).join(AuditLink, AuditLink.audit_id == Audit.id).order_by("number")  # type: ignore[arg-type]
        ).all()
        assert order == [2, 1]
        assert verify(session).whole


async def test_only_one_process_seals(database: Database, now: datetime) -> None:
    one, other = LogSealer(database, "one"), LogSealer(database, "other")
    write(database, now, 1)
    await one(now)
    write(database, now, 2)

    await other(now)
    with database.read() as session:
        assert newest_link(session).number == 1

    await one(now)
    write(database, now, 3)
    await other(now + timedelta(seconds=61))
    with database.read() as session:
        assert newest_link(session).number == 3


async def test_a_row_far_behind_is_found_within_the_hour(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.log_sealing.LOOK_BACK", 0)
    sealer = LogSealer(database)
    write(database, now, 1, 2, 3)
    sealer.whole_at = now
    with database.write() as session:
        seal_some(session, now, after=1)  # the first row came late

    await sealer(now + timedelta(minutes=10))
    with database.read() as session:
        assert verify(session).unsealed == 1

    await sealer(now + timedelta(minutes=61))
    with database.read() as session:
        assert verify(session).unsealed == 0


def test_sealing_goes_in_batches(database: Database, now: datetime) -> None:
    write(database, now, *range(1, 8))

    with database.write() as session:
        last = seal_some(session, now, after=0, most=3)
        assert newest_link(session).number == 3
    assert last is not None
    with database.write() as session:
        assert seal_some(session, now, after=last, most=10) is not None
        assert seal_some(session, now, after=0) is None

    assert why(database) is None
