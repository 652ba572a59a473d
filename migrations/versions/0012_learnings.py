"""keep what ended experiments teach."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "learning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("journey_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("touchpoint", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("written", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("retested_at", sa.BigInteger(), nullable=True),
        sa.Column("retest_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"]),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"]),
        sa.ForeignKeyConstraint(["retest_id"], ["experiment.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("experiment_id"),
    )
    with op.batch_alter_table("learning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_learning_journey_id"), ["journey_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_learning_review_by"), ["review_by"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("learning", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_learning_review_by"))
        batch_op.drop_index(batch_op.f("ix_learning_journey_id"))

    op.drop_table("learning")
