"""split holdouts."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("holdout", schema=None) as batch_op:
        batch_op.add_column(sa.Column("status_quo", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("base_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("comparison_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            "fk_holdout_comparison", "experiment", ["comparison_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("holdout", schema=None) as batch_op:
        batch_op.drop_constraint("fk_holdout_comparison", type_="foreignkey")
        batch_op.drop_column("comparison_id")
        batch_op.drop_column("base_version")
        batch_op.drop_column("status_quo")
