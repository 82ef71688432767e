"""The migrations and the tables say the same, on both databases, up and down."""

from sqlalchemy import inspect

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
