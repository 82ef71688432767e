"""Deadlines by rules, ladders, closures, extensions, stops, the register's figures, feeds."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

RUNGS = (-7, -1, 0, 2, 7)  # days from the due day: by these every deadline has reminded until now

# RFC 5545 skips a day that a month does not have; ours was then its last. So: the last of the days from 28 on.
MONTHLY = """
UPDATE deadline SET rule = CASE
    WHEN recurrence = 'once' THEN ''
    WHEN day = 29 THEN 'FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1'
    WHEN day = 30 THEN 'FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1'
    WHEN day = 31 THEN 'FREQ=MONTHLY;BYMONTHDAY=-1'
    ELSE 'FREQ=MONTHLY;BYMONTHDAY=' || day END
"""
BODIES = """
UPDATE obligation SET nominal_on = due_on, body_id = coalesce(organization_id, (
    SELECT coalesce(project.implementing_body_id, (
        SELECT min(place.organization_id) FROM place WHERE place.project_id = project.id))
    FROM project WHERE project.id = obligation.project_id))
"""
WAIVED = """
UPDATE obligation SET waived = CASE WHEN (
    SELECT active FROM deadline WHERE deadline.id = obligation.deadline_id) THEN 'staff' ELSE 'stopped' END
WHERE state = 'waived'
"""
STEPS = """
UPDATE step SET rung_id = (SELECT rung.id FROM rung WHERE rung.ladder_id = 1 AND rung.offset_days = step.offset_days)
"""
# Whatever changes an obligation, from whichever room: its cell of the register is noted to be counted anew.
CELL = "deadline_id, period, coalesce(body_id, 0)"
NOTED = "INSERT INTO register_touched (deadline_id, period, body_id)"
POSTGRESQL_NOTES = {
    'insert': ('NEW TABLE AS changed', f'SELECT DISTINCT {CELL} FROM changed'),
    'update': ('OLD TABLE AS was NEW TABLE AS changed', f'SELECT {CELL} FROM was UNION SELECT {CELL} FROM changed'),
    'delete': ('OLD TABLE AS was', f'SELECT DISTINCT {CELL} FROM was'),
}
SQLITE_NOTES = {'insert': ('new',), 'update': ('old', 'new'), 'delete': ('old',)}
NOBODY = "referent_id IS NULL AND organization_id IS NULL AND staff_id IS NULL"


def upgrade() -> None:
    op.create_table('register_touched',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('deadline_id', sa.Integer(), nullable=False),
    sa.Column('period', sa.String(length=10), nullable=False),
    sa.Column('body_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_register_touched'))
    )
    op.create_table('closure',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=True),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('yearly', sa.Boolean(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], name=op.f('fk_closure_created_by_staff')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_closure_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closure'))
    )
    with op.batch_alter_table('closure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_closure_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index('uq_closure_office', ['day'], unique=True, sqlite_where=sa.text('organization_id IS NULL'), postgresql_where=sa.text('organization_id IS NULL'))
        batch_op.create_index('uq_closure_organization', ['organization_id', 'day'], unique=True, sqlite_where=sa.text('organization_id IS NOT NULL'), postgresql_where=sa.text('organization_id IS NOT NULL'))

    op.create_table('feed',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('referent_id', sa.Integer(), nullable=True),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['referent_id'], ['referent.id'], name=op.f('fk_feed_referent_id_referent')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_feed_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_feed_token_hash'))
    )
    with op.batch_alter_table('feed', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_feed_referent_id'), ['referent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_feed_staff_id'), ['staff_id'], unique=False)

    op.create_table('halt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('target_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('began_by', sa.Integer(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['began_by'], ['staff.id'], name=op.f('fk_halt_began_by_staff')),
    sa.ForeignKeyConstraint(['ended_by'], ['staff.id'], name=op.f('fk_halt_ended_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_halt'))
    )
    with op.batch_alter_table('halt', schema=None) as batch_op:
        batch_op.create_index('uq_halt_open', ['kind', 'target_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('ladder',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], name=op.f('fk_ladder_created_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ladder')),
    sa.UniqueConstraint('name', name=op.f('uq_ladder_name'))
    )
    op.create_table('rung',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ladder_id', sa.Integer(), nullable=False),
    sa.Column('offset_days', sa.Integer(), nullable=False),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('whom', sa.String(length=20), nullable=False),
    sa.Column('channels', sa.String(), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('text_it', sa.String(), nullable=False),
    sa.Column('text_en', sa.String(), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['ladder_id'], ['ladder.id'], name=op.f('fk_rung_ladder_id_ladder')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rung'))
    )
    with op.batch_alter_table('rung', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rung_ladder_id'), ['ladder_id'], unique=False)
        batch_op.create_index('uq_rung_in_use', ['ladder_id', 'offset_days', 'unit', 'whom'], unique=True, sqlite_where=sa.text('retired_at IS NULL'), postgresql_where=sa.text('retired_at IS NULL'))

    op.create_table('register_cell',
    sa.Column('deadline_id', sa.Integer(), nullable=False),
    sa.Column('period', sa.String(length=10), nullable=False),
    sa.Column('body_id', sa.Integer(), nullable=False),
    sa.Column('opens_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('open', sa.Integer(), nullable=False),
    sa.Column('late', sa.Integer(), nullable=False),
    sa.Column('sent', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('waived', sa.Integer(), nullable=False),
    sa.Column('next_late_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadline.id'], name=op.f('fk_register_cell_deadline_id_deadline')),
    sa.PrimaryKeyConstraint('deadline_id', 'period', 'body_id', name=op.f('pk_register_cell'))
    )
    with op.batch_alter_table('register_cell', schema=None) as batch_op:
        batch_op.create_index('ix_register_cell_due', ['due_on'], unique=False)
        batch_op.create_index('ix_register_cell_next', ['next_late_at'], unique=False)

    op.create_table('extension',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('obligation_id', sa.Integer(), nullable=False),
    sa.Column('referent_id', sa.Integer(), nullable=False),
    sa.Column('wanted_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('granted_on', sa.Date(), nullable=True),
    sa.Column('answer', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], name=op.f('fk_extension_decided_by_staff')),
    sa.ForeignKeyConstraint(['obligation_id'], ['obligation.id'], name=op.f('fk_extension_obligation_id_obligation')),
    sa.ForeignKeyConstraint(['referent_id'], ['referent.id'], name=op.f('fk_extension_referent_id_referent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_extension'))
    )
    with op.batch_alter_table('extension', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_extension_obligation_id'), ['obligation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_extension_referent_id'), ['referent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_extension_state'), ['state'], unique=False)
        batch_op.create_index('uq_extension_asked', ['obligation_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.create_table('opening',
    sa.Column('outbox_id', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_opening_outbox_id_outbox')),
    sa.PrimaryKeyConstraint('outbox_id', name=op.f('pk_opening'))
    )
    _standard_ladder()
    with op.batch_alter_table('deadline', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rule', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('moved', sa.String(length=20), nullable=False, server_default='not'))
        batch_op.add_column(sa.Column('grace_days', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('done_when', sa.String(length=20), nullable=False, server_default='sent'))
        batch_op.add_column(sa.Column('follows', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column('ladder_id', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('officer_id', sa.Integer(), nullable=True))
    op.execute(MONTHLY)
    with op.batch_alter_table('deadline', schema=None) as batch_op:
        for name in ('rule', 'moved', 'grace_days', 'done_when', 'follows', 'ladder_id'):
            batch_op.alter_column(name, server_default=None)
        batch_op.create_foreign_key(batch_op.f('fk_deadline_officer_id_staff'), 'staff', ['officer_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_deadline_ladder_id_ladder'), 'ladder', ['ladder_id'], ['id'])
        batch_op.drop_column('day')
        batch_op.drop_column('recurrence')

    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.drop_index('uq_decision_nobody')
        batch_op.add_column(sa.Column('organization_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('staff_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_decision_organization_id_organization'), 'organization', ['organization_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_decision_staff_id_staff'), 'staff', ['staff_id'], ['id'])
    op.create_index('uq_decision_organization', 'decision', ['step_id', 'organization_id'], unique=True, sqlite_where=sa.text('organization_id IS NOT NULL'), postgresql_where=sa.text('organization_id IS NOT NULL'))
    op.create_index('uq_decision_staff', 'decision', ['step_id', 'staff_id'], unique=True, sqlite_where=sa.text('staff_id IS NOT NULL'), postgresql_where=sa.text('staff_id IS NOT NULL'))
    op.create_index('uq_decision_nobody', 'decision', ['step_id'], unique=True, sqlite_where=sa.text(NOBODY), postgresql_where=sa.text(NOBODY))

    with op.batch_alter_table('obligation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('body_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('nominal_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('waived', sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column('postponed_from', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('postponed_reason', sa.String(), nullable=True))
        batch_op.create_index(batch_op.f('ix_obligation_body_id'), ['body_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_obligation_body_id_organization'), 'organization', ['body_id'], ['id'])
    op.execute(BODIES)
    op.execute(WAIVED)
    op.execute("INSERT INTO register_touched (deadline_id, period, body_id) SELECT DISTINCT deadline_id, period, coalesce(body_id, 0) FROM obligation")

    with op.batch_alter_table('personal_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('outbox_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_personal_link_outbox_id_outbox'), 'outbox', ['outbox_id'], ['id'])

    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pictured_on', sa.Date(), nullable=True))

    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rung_id', sa.Integer(), nullable=True))
    op.execute(STEPS)
    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.alter_column('rung_id', existing_type=sa.Integer(), nullable=False)
        batch_op.drop_constraint(batch_op.f('uq_step_obligation_id_offset_days'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_step_obligation_id_rung_id'), ['obligation_id', 'rung_id'])
        batch_op.create_foreign_key(batch_op.f('fk_step_rung_id_rung'), 'rung', ['rung_id'], ['id'])

    _targets_with_codes()
    _note_changes()


def _note_changes() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for act, (seen, cells) in POSTGRESQL_NOTES.items():
            op.execute(
                f"CREATE FUNCTION note_cells_of_{act}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN {NOTED} {cells}; RETURN NULL; END $$"
            )
            op.execute(
                f"CREATE TRIGGER obligation_{act}_noted AFTER {act.upper()} ON obligation "
                f"REFERENCING {seen} FOR EACH STATEMENT EXECUTE FUNCTION note_cells_of_{act}()"
            )
        return
    for act, rows in SQLITE_NOTES.items():
        cells = ' UNION '.join(f"SELECT {row}.deadline_id, {row}.period, coalesce({row}.body_id, 0)" for row in rows)
        op.execute(f"CREATE TRIGGER obligation_{act}_noted AFTER {act.upper()} ON obligation BEGIN {NOTED} {cells}; END")


def _note_no_changes() -> None:
    for act in SQLITE_NOTES:
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f"DROP TRIGGER obligation_{act}_noted ON obligation")
            op.execute(f"DROP FUNCTION note_cells_of_{act}()")
        else:
            op.execute(f"DROP TRIGGER obligation_{act}_noted")


def _standard_ladder() -> None:
    """Every deadline that is there goes on as before."""
    op.execute("INSERT INTO ladder (id, name, created_at, version) VALUES (1, 'Standard', CURRENT_TIMESTAMP, 1)")
    for number, offset in enumerate(RUNGS, 1):
        op.execute(
            "INSERT INTO rung (id, ladder_id, offset_days, unit, whom, channels, urgent, text_it, text_en)"
            f" VALUES ({number}, 1, {offset}, 'days', 'referents', '', {'true' if offset >= 0 else 'false'}, '', '')"
        )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("SELECT setval('ladder_id_seq', 1), setval('rung_id_seq', 5)")


def _targets_with_codes() -> None:
    op.rename_table('target', 'target_before')
    op.create_table('target',
    sa.Column('deadline_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('target_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.Column('excluded', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadline.id'], name='fk_target_deadline_id_deadline_new'),
    sa.PrimaryKeyConstraint('deadline_id', 'kind', 'target_id', 'code', name='pk_target_new')
    )
    op.execute("INSERT INTO target SELECT deadline_id, kind, target_id, '', false FROM target_before")
    op.drop_table('target_before')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE target RENAME CONSTRAINT fk_target_deadline_id_deadline_new TO fk_target_deadline_id_deadline')
        op.execute('ALTER TABLE target RENAME CONSTRAINT pk_target_new TO pk_target')


def downgrade() -> None:
    """Only what the older tables can say is kept: a rule that is no day of each month becomes one date."""
    _note_no_changes()
    op.execute("DELETE FROM target WHERE excluded OR code <> ''")
    with op.batch_alter_table('target', schema=None) as batch_op:
        batch_op.drop_constraint('pk_target' if op.get_bind().dialect.name == 'postgresql' else 'pk_target_new', type_='primary')
        batch_op.drop_column('excluded')
        batch_op.drop_column('code')
        batch_op.create_primary_key('pk_target', ['deadline_id', 'kind', 'target_id'])

    # Of what another ladder has made, the older tables know nothing.
    others = "(SELECT step.id FROM step JOIN rung ON rung.id = step.rung_id WHERE rung.ladder_id <> 1 OR rung.id > 5)"
    op.execute(f"DELETE FROM decision WHERE step_id IN {others}")
    op.execute(f"DELETE FROM step WHERE id IN {others}")
    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_step_rung_id_rung'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_step_obligation_id_rung_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_step_obligation_id_offset_days'), ['obligation_id', 'offset_days'])
        batch_op.drop_column('rung_id')

    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.drop_column('pictured_on')

    with op.batch_alter_table('personal_link', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_personal_link_outbox_id_outbox'), type_='foreignkey')
        batch_op.drop_column('outbox_id')

    op.execute("UPDATE obligation SET state = 'open' WHERE state = 'sent'")
    with op.batch_alter_table('obligation', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_obligation_body_id_organization'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_obligation_body_id'))
        for name in ('postponed_reason', 'postponed_from', 'waived', 'nominal_on', 'body_id'):
            batch_op.drop_column(name)

    op.execute("DELETE FROM decision WHERE organization_id IS NOT NULL OR staff_id IS NOT NULL")
    for name in ('uq_decision_nobody', 'uq_decision_staff', 'uq_decision_organization'):
        op.drop_index(name, table_name='decision')
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_decision_staff_id_staff'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_decision_organization_id_organization'), type_='foreignkey')
        batch_op.drop_column('staff_id')
        batch_op.drop_column('organization_id')
        batch_op.create_index('uq_decision_nobody', ['step_id'], unique=True, sqlite_where=sa.text('referent_id IS NULL'), postgresql_where=sa.text('referent_id IS NULL'))

    with op.batch_alter_table('deadline', schema=None) as batch_op:
        batch_op.add_column(sa.Column('recurrence', sa.String(length=20), nullable=False, server_default='once'))
        batch_op.add_column(sa.Column('day', sa.Integer(), nullable=True))
    for day in range(1, 32):
        rule = f'FREQ=MONTHLY;BYMONTHDAY={day}'
        if day > 28:
            rule = 'FREQ=MONTHLY;BYMONTHDAY=-1' if day == 31 else f"FREQ=MONTHLY;BYMONTHDAY={'28,29' if day == 29 else '28,29,30'};BYSETPOS=-1"
        op.execute(f"UPDATE deadline SET recurrence = 'monthly', day = {day} WHERE rule = '{rule}'")
    with op.batch_alter_table('deadline', schema=None) as batch_op:
        batch_op.alter_column('recurrence', server_default=None)
        batch_op.drop_constraint(batch_op.f('fk_deadline_ladder_id_ladder'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_deadline_officer_id_staff'), type_='foreignkey')
        for name in ('officer_id', 'ladder_id', 'follows', 'done_when', 'grace_days', 'moved', 'rule'):
            batch_op.drop_column(name)

    op.drop_table('opening')
    with op.batch_alter_table('extension', schema=None) as batch_op:
        batch_op.drop_index('uq_extension_asked', sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))
        batch_op.drop_index(batch_op.f('ix_extension_state'))
        batch_op.drop_index(batch_op.f('ix_extension_referent_id'))
        batch_op.drop_index(batch_op.f('ix_extension_obligation_id'))

    op.drop_table('extension')
    with op.batch_alter_table('register_cell', schema=None) as batch_op:
        batch_op.drop_index('ix_register_cell_next')
        batch_op.drop_index('ix_register_cell_due')

    op.drop_table('register_cell')
    with op.batch_alter_table('rung', schema=None) as batch_op:
        batch_op.drop_index('uq_rung_in_use', sqlite_where=sa.text('retired_at IS NULL'), postgresql_where=sa.text('retired_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_rung_ladder_id'))

    op.drop_table('rung')
    op.drop_table('ladder')
    with op.batch_alter_table('halt', schema=None) as batch_op:
        batch_op.drop_index('uq_halt_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.drop_table('halt')
    with op.batch_alter_table('feed', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_feed_staff_id'))
        batch_op.drop_index(batch_op.f('ix_feed_referent_id'))

    op.drop_table('feed')
    with op.batch_alter_table('closure', schema=None) as batch_op:
        batch_op.drop_index('uq_closure_organization', sqlite_where=sa.text('organization_id IS NOT NULL'), postgresql_where=sa.text('organization_id IS NOT NULL'))
        batch_op.drop_index('uq_closure_office', sqlite_where=sa.text('organization_id IS NULL'), postgresql_where=sa.text('organization_id IS NULL'))
        batch_op.drop_index(batch_op.f('ix_closure_organization_id'))

    op.drop_table('closure')
    op.drop_table('register_touched')
