"""The migrations and the tables say the same, on both databases, up and down."""

import shutil
from pathlib import Path
from typing import Any

import alembic.command
import pytest
from sqlalchemy import inspect, text

from storage.database import Database
from storage.schema import LostReference, check_schema, current_revision, downgrade, migrate, newest_revision


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
INSERT INTO question (id, referent_id, state, version, channel, created_at, due_at, last_message_at, urgent, awaits)
VALUES (1, 1, 'new', 1, 'telegram', '2026-11-01 08:00:00', '2026-11-03 08:00:00', '2026-11-01 08:00:00', false, false);
INSERT INTO message (id, question_id, audience, referent_id, text, channel, created_at, quoted, automatic)
VALUES (1, 1, 'referent', 1, 'x', 'telegram', '2026-11-01 08:00:00', '', false);
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


REPORTED = """
INSERT INTO organization (id, kind, name) VALUES (1, 'municipality', 'Abbiategrasso');
INSERT INTO programme (id, code, name) VALUES (1, 'M5C2I2.01', 'Rigenerazione urbana');
INSERT INTO project (id, cup, local_code, title, title_is_working, programme_id, total_cents, pnrr_cents, paid_cents)
VALUES (1, 'C47H26000010001', 'L1', 'Ex mercato', false, 1, 0, 0, 0);
INSERT INTO form (id, key, title) VALUES (1, 'project-update', 'Aggiornamento');
INSERT INTO form_version (id, form_id, number, definition, published_at) VALUES (1, 1, 1, '{}', '2026-11-01 08:00:00');
INSERT INTO draft (id, kind, referent_id, form_version_id, channel, answers, step, memory, sources, state, revision,
created_at, touched_at) VALUES (2, 'update', 1, 1, 'telegram', '{}', '', '{}', '{}', 'sent', 3, '2026-11-01 08:00:00',
'2026-11-01 08:00:00');
INSERT INTO "update" (id, project_id, referent_id, form_version_id, draft_id, channel, answers, unchanged, received_at)
VALUES (1, 1, 1, 1, 2, 'telegram', '{}', false, '2026-11-01 08:00:00');
INSERT INTO attachment (id, sha256, size, name, type_claimed, type_seen, created_at, kind, state, caption, detail,
draft_id, update_id, provider_id, file_id, file_unique_id, attempts) VALUES (3, 'bb', 1, 'foto', '', '',
'2026-11-01 08:00:00', 'photo', 'kept', '', '{}', 2, 1, '7', '', '', 0);
INSERT INTO correction (id, update_id, field, before, after, created_at)
VALUES (1, 1, 'spent', 'a', 'b', '2026-11-01 08:00:00');
"""
TOLD = """
INSERT INTO "update" (id, organization_id, referent_id, form_version_id, channel, answers, unchanged, received_at,
revision, review) VALUES (2, 1, 1, 1, 'web', '{}', false, '2026-11-01 08:00:00', 0, 'received');
INSERT INTO attachment (id, sha256, size, name, type_claimed, type_seen, created_at, kind, state, caption, detail,
update_id, provider_id, file_id, file_unique_id, attempts) VALUES (4, 'cc', 1, 'foto', '', '',
'2026-11-01 08:00:00', 'photo', 'kept', '', '{}', 2, '8', '', '', 0);
"""


def _run(database: Database, statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(text(statement))


def test_updates_from_before_forms_keep_their_files_and_corrections(database: Database) -> None:
    downgrade(database, "0002")
    _run(database, BEFORE.split(";", maxsplit=1)[0])
    _run(database, REPORTED)

    migrate(database)
    with database.engine.begin() as connection:
        kept = connection.execute(text('SELECT project_id, review, revision FROM "update"')).all()
        files = connection.execute(text("SELECT id, update_id, draft_id FROM attachment")).all()

    assert [tuple(row) for row in kept] == [(1, "received", 0)]
    assert [tuple(row) for row in files] == [(3, 1, 2)]


def test_going_back_before_forms_loses_no_file(database: Database) -> None:
    downgrade(database, "0002")
    _run(database, BEFORE.split(";", maxsplit=1)[0])
    _run(database, REPORTED)
    migrate(database)
    _run(database, TOLD)

    downgrade(database, "0002")
    with database.engine.begin() as connection:
        updates = connection.execute(text('SELECT id FROM "update"')).all()
        files = connection.execute(text("SELECT id, update_id FROM attachment ORDER BY id")).all()
    migrate(database)

    assert [tuple(row) for row in updates] == [(1,)]
    assert [tuple(row) for row in files] == [(3, 1), (4, None)]


def test_the_first_release_with_updates_sent_comes_through(database: Database) -> None:
    downgrade(database, "0001")
    _run(database, BEFORE)
    _run(
        database,
        REPORTED.split("INSERT INTO attachment", maxsplit=1)[0]
        .replace("sources, ", "")
        .replace("'{}', '{}', 'sent'", "'{}', 'sent'"),
    )

    migrate(database)

    with database.engine.begin() as connection:
        assert connection.execute(text('SELECT draft_id FROM "update"')).scalar_one() == 2


def test_a_migration_that_loses_what_a_row_points_to_is_not_kept(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "raccordo.db")  # PostgreSQL checks by itself
    database = Database(f"sqlite:///{tmp_path / 'raccordo.db'}")
    downgrade(database, "0002")
    _run(database, BEFORE.split(";", maxsplit=1)[0])
    _run(database, REPORTED)

    def careless(config: Any, _target: str) -> None:
        config.attributes["connection"].exec_driver_sql("DELETE FROM draft WHERE id = 2")

    monkeypatch.setattr(alembic.command, "upgrade", careless)
    with pytest.raises(LostReference):
        migrate(database)

    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM draft").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
