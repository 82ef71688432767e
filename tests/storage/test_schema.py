"""The migrations and the tables say the same, on both databases, up and down."""

from sqlalchemy import inspect, text

from storage.database import Database
from storage.schema import check_schema, current_revision, downgrade, migrate, newest_revision


def test_tables_in_code_and_in_the_database_do_not_differ(database: Database) -> None:
    check_schema(database)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)

    assert current_revision(database) == newest_revision()


def test_every_migration_can_be_undone_and_done_again(database: Database) -> None:
    downgrade(database, "base")
    left = set(inspect(database.engine).get_table_names()) - {"alembic_version"}

    migrate(database)

    assert left == set()
    assert "inbox" in inspect(database.engine).get_table_names()


BEFORE = """
INSERT INTO referent (id, name, language, created_at) VALUES (1, 'Ada Esempio', 'it', '2026-11-01 08:00:00');
INSERT INTO draft (id, kind, referent_id, channel, answers, step, memory, state, revision, created_at, touched_at)
VALUES (1, 'question', 1, 'telegram', '{}', 'text', '{}', 'open', 3, '2026-11-01 08:00:00', '2026-11-01 08:00:00');
INSERT INTO attachment (id, sha256, size, name, type_claimed, type_seen, referent_id, created_at)
VALUES (1, 'aa', 12, 'relazione.pdf', '', 'application/pdf', 1, '2026-11-01 08:00:00');
"""


CORRECTED = """
INSERT INTO question (id, referent_id, state, version, channel, created_at, due_at, last_message_at)
VALUES (1, 1, 'new', 1, 'telegram', '2026-11-01 08:00:00', '2026-11-03 08:00:00', '2026-11-01 08:00:00');
INSERT INTO message (id, question_id, audience, referent_id, text, channel, created_at)
VALUES (1, 1, 'referent', 1, 'x', 'telegram', '2026-11-01 08:00:00');
INSERT INTO correction (id, message_id, attachment_id, field, before, after, created_at)
VALUES (1, 1, 2, '', 'a', 'b', '2026-11-01 08:00:00');
"""


def test_what_the_previous_release_stored_comes_through_up_and_down(database: Database) -> None:
    downgrade(database, "0001")
    with database.engine.begin() as connection:
        for statement in filter(str.strip, BEFORE.split(";")):
            connection.execute(text(statement))

    migrate(database)
    with database.engine.begin() as connection:
        kept = connection.execute(text("SELECT kind, state, attempts, file_id FROM attachment")).all()
        connection.execute(
            text(
                "INSERT INTO attachment (id, size, name, type_claimed, type_seen, created_at, kind, state, caption, "
                "detail, provider_id, file_id, file_unique_id, attempts) VALUES (2, 1, 'foto', '', '', "
                "'2026-11-01 08:00:00', 'photo', 'waiting', '', '{}', '7', 'AgAC', '', 0)"
            )
        )
        for statement in filter(str.strip, CORRECTED.split(";")):
            connection.execute(text(statement))
    downgrade(database, "0001")
    with database.engine.begin() as connection:
        left = connection.execute(text("SELECT id, name FROM attachment")).all()
    migrate(database)

    assert [tuple(row) for row in kept] == [("file", "kept", 0, "")]
    assert [tuple(row) for row in left] == [(1, "relazione.pdf")]
