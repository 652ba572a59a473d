"""note the senders of events, and what their visitors' browsers asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "sender",
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_key"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("privacy", sa.String(), nullable=False, server_default=sa.text("''"))
        )
    with op.batch_alter_table("rejected_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rejected_event_received_at"), ["received_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("rejected_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rejected_event_received_at"))
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_column("privacy")
    op.drop_table("sender")
