"""promotion rebased declined."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rebased_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("declined_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.drop_column("declined_at")
        batch_op.drop_column("rebased_by")
