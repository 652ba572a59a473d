"""put promotions on probation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "probation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("promotion_id", sa.Integer(), nullable=False),
        sa.Column("promoted_id", sa.Integer(), nullable=False),
        sa.Column("comparison_id", sa.Integer(), nullable=False),
        sa.Column("holdback_share", sa.Float(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("verify_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("realised", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("trace", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comparison_id"],
            ["experiment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["promoted_id"],
            ["experiment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("comparison_id"),
        sa.UniqueConstraint("promotion_id"),
    )
    with op.batch_alter_table("probation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_probation_promoted_id"), ["promoted_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_probation_state"), ["state"], unique=False)

    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(), nullable=False, server_default="test")
        )


def downgrade() -> None:
    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.drop_column("purpose")

    with op.batch_alter_table("probation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_probation_state"))
        batch_op.drop_index(batch_op.f("ix_probation_promoted_id"))

    op.drop_table("probation")
