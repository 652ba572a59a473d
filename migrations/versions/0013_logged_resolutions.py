"""logged resolutions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "logged_resolution",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("visitor", sa.String(), nullable=False),
        sa.Column("journey", sa.String(), nullable=False),
        sa.Column("touchpoint", sa.String(), nullable=False),
        sa.Column("ruleset", sa.Integer(), nullable=False),
        sa.Column("journey_version", sa.Integer(), nullable=True),
        sa.Column("answers", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("logged_resolution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logged_resolution_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_logged_resolution_visitor"), ["visitor"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("logged_resolution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_logged_resolution_visitor"))
        batch_op.drop_index(batch_op.f("ix_logged_resolution_at"))

    op.drop_table("logged_resolution")
