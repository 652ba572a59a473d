"""paths and journey instances."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "instance_progress",
        sa.Column("journey_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
        ),
        sa.PrimaryKeyConstraint("journey_id"),
    )
    op.create_table(
        "journey_instance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journey_id", sa.Integer(), nullable=False),
        sa.Column(
            "visitor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=True),
        sa.Column("entry_point", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"],
            ["variant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["visitor_id"],
            ["visitor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("journey_id", "visitor_id", "attempt"),
    )
    with op.batch_alter_table("journey_instance", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_journey_instance_visitor_id"), ["visitor_id"], unique=False
        )

    op.create_table(
        "stage_transition",
        sa.Column(
            "instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_stage", sa.String(), nullable=True),
        sa.Column("to_stage", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("conforming", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["journey_instance.id"],
        ),
        sa.PrimaryKeyConstraint("instance_id", "position"),
    )
    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("divergence", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True)
        )

    with op.batch_alter_table("journey_version", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("in_flight", sa.String(), nullable=False, server_default="now")
        )

    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("patch", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True)
        )


def downgrade() -> None:
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.drop_column("patch")

    with op.batch_alter_table("journey_version", schema=None) as batch_op:
        batch_op.drop_column("in_flight")

    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.drop_column("divergence")

    op.drop_table("stage_transition")
    with op.batch_alter_table("journey_instance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journey_instance_visitor_id"))

    op.drop_table("journey_instance")
    op.drop_table("instance_progress")
