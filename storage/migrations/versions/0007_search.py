"""Marks of words, by which what is sealed is found. Everything that is there already is to be marked: by the clock."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

SUBJECTS = ("question", "update")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for subject in SUBJECTS:
        table = f"{subject}_marks"
        op.create_table(
            table,
            sa.Column(f"{subject}_id", sa.Integer(), nullable=False),
            sa.Column("made", sa.String(length=20), nullable=False),
            sa.Column("marks", sa.LargeBinary().with_variant(postgresql.ARRAY(sa.Integer()), "postgresql"), nullable=False),
            sa.ForeignKeyConstraint([f"{subject}_id"], [f"{subject}.id"], name=op.f(f"fk_{table}_{subject}_id_{subject}")),
            sa.PrimaryKeyConstraint(f"{subject}_id", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_made"), table, ["made"], unique=False)
        op.create_table(
            f"{subject}_touched",
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column(f"{subject}_id", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{subject}_touched")),
        )
        if sqlite:
            op.execute(
                f"CREATE VIRTUAL TABLE {table}_index USING fts5(marks, content='', detail=none, columnsize=0, tokenize='ascii')"
            )
        else:
            op.execute(f"CREATE INDEX {table}_index ON {table} USING gin (marks) WITH (gin_pending_list_limit=1024)")
        nothing = "x''" if sqlite else "'{}'"
        op.execute(f"INSERT INTO {table} SELECT id, '', {nothing} FROM \"{subject}\"")


def downgrade() -> None:
    for subject in SUBJECTS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TABLE {subject}_marks_index")
        op.drop_table(f"{subject}_touched")
        op.drop_table(f"{subject}_marks")
