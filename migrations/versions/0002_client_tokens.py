"""let pages carry public tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    document = sa.JSON().with_variant(JSONB(), "postgresql")
    with op.batch_alter_table("api_token") as batch_op:
        batch_op.add_column(sa.Column("origins", document, nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("client_key", sa.String(), nullable=False, server_default="")
        )
    with op.batch_alter_table("api_token") as batch_op:
        batch_op.alter_column("origins", server_default=None)
        batch_op.alter_column("client_key", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("api_token") as batch_op:
        batch_op.drop_column("client_key")
        batch_op.drop_column("origins")
