"""The desk: categories, proposals, second factors, a chained log, hand-over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


LOGS = ('audit', 'audit_link')


def _append_only() -> None:
    """What is in the log stays as it is, whoever has the database in hand."""
    if op.get_bind().dialect.name == 'sqlite':
        for table in LOGS:
            for act in ('UPDATE', 'DELETE'):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'the log is append-only'; END$$"
    )
    for table in LOGS:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )


def _changeable() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        for table in LOGS:
            for act in ('update', 'delete'):
                op.execute(f"DROP TRIGGER {table}_no_{act}")
        return
    for table in LOGS:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP FUNCTION append_only()")


def upgrade() -> None:
    op.create_table('category',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.Column('free', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_category')),
    sa.UniqueConstraint('name', name=op.f('uq_category_name'))
    )
    op.create_table('audit_link',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('audit_id', sa.Integer(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_audit_link_audit_id_audit')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit_link')),
    sa.UniqueConstraint('audit_id', name=op.f('uq_audit_link_audit_id'))
    )
    op.create_table('recovery_code',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_recovery_code_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    sa.UniqueConstraint('staff_id', 'code_hash', name=op.f('uq_recovery_code_staff_id_code_hash'))
    )
    op.create_table('proposal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('awaits', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('remark', sa.String(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], name=op.f('fk_proposal_decided_by_staff')),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_proposal_message_id_message')),
    sa.ForeignKeyConstraint(['question_id'], ['question.id'], name=op.f('fk_proposal_question_id_question')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_proposal_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposal'))
    )
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_proposal_question_id'), ['question_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_proposal_staff_id'), ['staff_id'], unique=False)
        batch_op.create_index('uq_proposal_waiting', ['question_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proposal_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_attachment_proposal_id'), ['proposal_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_attachment_proposal_id_proposal'), 'proposal', ['proposal_id'], ['id'])

    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_object', ['object_kind', 'object_id'], unique=False)

    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.add_column(sa.Column('category_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('urgent', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('awaits', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('first_answer_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_question_category_id'), ['category_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_question_category_id_category'), 'category', ['category_id'], ['id'])

    with op.batch_alter_table('referent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('away_from', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('away_until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('left_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('successor_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('merged_into_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_referent_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_referent_successor_id_referent'), 'referent', ['successor_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_referent_merged_into_id_referent'), 'referent', ['merged_into_id'], ['id'])

    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.add_column(sa.Column('second_factor', sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column('second_factor_since', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('second_factor_step', sa.Integer(), nullable=True))

    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('browser', sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column('network', sa.String(), nullable=False, server_default=sa.text("''")))

    # the defaults were for the rows that were there
    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.alter_column('urgent', server_default=None)
        batch_op.alter_column('awaits', server_default=None)

    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.alter_column('second_factor', server_default=None)

    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.alter_column('browser', server_default=None)
        batch_op.alter_column('network', server_default=None)

    _append_only()


def downgrade() -> None:
    _changeable()
    op.execute("UPDATE question SET state = 'taken' WHERE state = 'proposed'")
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_column('network')
        batch_op.drop_column('browser')

    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.drop_column('second_factor_step')
        batch_op.drop_column('second_factor_since')
        batch_op.drop_column('second_factor')

    with op.batch_alter_table('referent', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_referent_merged_into_id_referent'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_referent_successor_id_referent'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_referent_merged_into_id'))
        batch_op.drop_column('merged_into_id')
        batch_op.drop_column('successor_id')
        batch_op.drop_column('left_at')
        batch_op.drop_column('away_until')
        batch_op.drop_column('away_from')

    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_question_category_id_category'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_question_category_id'))
        batch_op.drop_column('first_answer_at')
        batch_op.drop_column('awaits')
        batch_op.drop_column('urgent')
        batch_op.drop_column('category_id')

    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_object')

    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_attachment_proposal_id_proposal'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_attachment_proposal_id'))
        batch_op.drop_column('proposal_id')

    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.drop_index('uq_proposal_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index(batch_op.f('ix_proposal_staff_id'))
        batch_op.drop_index(batch_op.f('ix_proposal_question_id'))

    op.drop_table('proposal')
    op.drop_table('recovery_code')
    op.drop_table('audit_link')
    op.drop_table('category')
