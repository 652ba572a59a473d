"""from which day on files of the columnar store are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    with op.batch_alter_table("columnar_mark", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_from", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("columnar_mark", schema=None) as batch_op:
        batch_op.drop_column("kept_from")
