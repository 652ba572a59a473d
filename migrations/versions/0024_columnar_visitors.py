"""of which visitors the files of the columnar store hold rows."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = ("first_visitor", "last_visitor")


def upgrade() -> None:
    with op.batch_alter_table("columnar_file", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.add_column(sa.Column(name, BIG, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("columnar_file", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.drop_column(name)
