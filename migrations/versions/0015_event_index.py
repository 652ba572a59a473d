"""one index of what a visitor did."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_name_visitor")
        batch_op.drop_index("ix_event_visitor_id")
        batch_op.create_index("ix_event_visitor", ["visitor_id", "name", "occurred_at"])


def downgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_visitor")
        batch_op.create_index("ix_event_visitor_id", ["visitor_id"])
        batch_op.create_index("ix_event_name_visitor", ["name", "visitor_id", "occurred_at"])
