"""Mail and certified mail: mailboxes, letters, reply addresses, receipts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mailbox',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('folder', sa.String(), nullable=False),
    sa.Column('uidvalidity', sa.BigInteger(), nullable=False),
    sa.Column('uid', sa.BigInteger(), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('account', 'folder', name=op.f('pk_mailbox'))
    )
    op.create_table('reading',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inbox_id', sa.Integer(), nullable=False),
    sa.Column('document', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_reading_inbox_id_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reading')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_reading_inbox_id'))
    )
    op.create_table('receipt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outbox_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('standing', sa.String(length=20), nullable=False),
    sa.Column('detail', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('inbox_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_receipt_inbox_id_inbox')),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_receipt_outbox_id_outbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipt')),
    sa.UniqueConstraint('outbox_id', 'kind', 'inbox_id', name=op.f('uq_receipt_outbox_id_kind_inbox_id'))
    )
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_receipt_outbox_id'), ['outbox_id'], unique=False)

    op.create_table('reply_address',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('referent_id', sa.Integer(), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=True),
    sa.Column('outbox_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_reply_address_outbox_id_outbox')),
    sa.ForeignKeyConstraint(['question_id'], ['question.id'], name=op.f('fk_reply_address_question_id_question')),
    sa.ForeignKeyConstraint(['referent_id'], ['referent.id'], name=op.f('fk_reply_address_referent_id_referent')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_reply_address'))
    )
    with op.batch_alter_table('reply_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reply_address_outbox_id'), ['outbox_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reply_address_question_id'), ['question_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reply_address_referent_id'), ['referent_id'], unique=False)

    op.create_table('letter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inbox_id', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=20), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('provider_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('standing', sa.String(length=20), nullable=False),
    sa.Column('sender', sa.String(), nullable=False),
    sa.Column('sender_name', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('quoted', sa.String(), nullable=False),
    sa.Column('about', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('referent_id', sa.Integer(), nullable=True),
    sa.Column('question_id', sa.Integer(), nullable=True),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('update_id', sa.Integer(), nullable=True),
    sa.Column('draft_id', sa.Integer(), nullable=True),
    sa.Column('outbox_id', sa.Integer(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], name=op.f('fk_letter_decided_by_staff')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_letter_draft_id_draft')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_letter_inbox_id_inbox')),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_letter_message_id_message')),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_letter_outbox_id_outbox')),
    sa.ForeignKeyConstraint(['question_id'], ['question.id'], name=op.f('fk_letter_question_id_question')),
    sa.ForeignKeyConstraint(['referent_id'], ['referent.id'], name=op.f('fk_letter_referent_id_referent')),
    sa.ForeignKeyConstraint(['update_id'], ['update.id'], name=op.f('fk_letter_update_id_update')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letter')),
    sa.UniqueConstraint('fingerprint', name=op.f('uq_letter_fingerprint'))
    )
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.create_index('ix_letter_held', ['id'], unique=False, sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'"))
        batch_op.create_index(batch_op.f('ix_letter_inbox_id'), ['inbox_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_message_id'), ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_outbox_id'), ['outbox_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_provider_id'), ['provider_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_question_id'), ['question_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_referent_id'), ['referent_id'], unique=False)

    with op.batch_alter_table('address', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bounces', sa.Integer(), nullable=False, server_default=sa.text("'0'")))

    with op.batch_alter_table('referent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('prefers', sa.String(length=20), nullable=True))

    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('letter_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_attachment_letter_id'), ['letter_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_attachment_letter_id_letter'), 'letter', ['letter_id'], ['id'])

    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_unread', ['id'], unique=False, sqlite_where=sa.text("state = 'unread'"), postgresql_where=sa.text("state = 'unread'"))
        batch_op.create_index('ix_inbox_aside', ['state', 'id'], unique=False, sqlite_where=sa.text("state IN ('dead', 'dropped')"), postgresql_where=sa.text("state IN ('dead', 'dropped')"))

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_certified', ['sent_at'], unique=False, sqlite_where=sa.text("channel = 'pec' AND state = 'sent'"), postgresql_where=sa.text("channel = 'pec' AND state = 'sent'"))

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('quoted', sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column('standing', sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column('automatic', sa.Boolean(), nullable=False, server_default=sa.false()))

    # the defaults were for the rows that were there
    with op.batch_alter_table('address', schema=None) as batch_op:
        batch_op.alter_column('bounces', server_default=None)

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.alter_column('quoted', server_default=None)
        batch_op.alter_column('automatic', server_default=None)


def downgrade() -> None:
    op.execute("UPDATE inbox SET state = 'dead' WHERE state = 'unread'")  # kept; nobody there reads mail
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_column('automatic')
        batch_op.drop_column('standing')
        batch_op.drop_column('quoted')

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_certified', sqlite_where=sa.text("channel = 'pec' AND state = 'sent'"), postgresql_where=sa.text("channel = 'pec' AND state = 'sent'"))

    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index('ix_inbox_aside', sqlite_where=sa.text("state IN ('dead', 'dropped')"), postgresql_where=sa.text("state IN ('dead', 'dropped')"))
        batch_op.drop_index('ix_inbox_unread', sqlite_where=sa.text("state = 'unread'"), postgresql_where=sa.text("state = 'unread'"))

    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_attachment_letter_id_letter'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_attachment_letter_id'))
        batch_op.drop_column('letter_id')

    with op.batch_alter_table('referent', schema=None) as batch_op:
        batch_op.drop_column('prefers')

    with op.batch_alter_table('address', schema=None) as batch_op:
        batch_op.drop_column('bounces')

    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_letter_referent_id'))
        batch_op.drop_index(batch_op.f('ix_letter_question_id'))
        batch_op.drop_index(batch_op.f('ix_letter_provider_id'))
        batch_op.drop_index(batch_op.f('ix_letter_outbox_id'))
        batch_op.drop_index(batch_op.f('ix_letter_message_id'))
        batch_op.drop_index(batch_op.f('ix_letter_inbox_id'))
        batch_op.drop_index('ix_letter_held', sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'"))

    op.drop_table('letter')
    with op.batch_alter_table('reply_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reply_address_referent_id'))
        batch_op.drop_index(batch_op.f('ix_reply_address_question_id'))
        batch_op.drop_index(batch_op.f('ix_reply_address_outbox_id'))

    op.drop_table('reply_address')
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_receipt_outbox_id'))

    op.drop_table('receipt')
    op.drop_table('reading')
    op.drop_table('mailbox')
