"""the manifest of the columnar store; the ids of events are never used twice."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "columnar_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("first_id", BIG, nullable=False),
        sa.Column("last_id", BIG, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    with op.batch_alter_table("columnar_file", schema=None) as batch_op:
        batch_op.create_index("ix_columnar_file_state", ["state", "kind"])
    op.create_table(
        "columnar_mark",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("last_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "columnar_erasure",
        sa.Column("visitor_id", BIG, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"]),
        sa.PrimaryKeyConstraint("visitor_id"),
    )
    _count_events_up(is_for_good=True)


def downgrade() -> None:
    _count_events_up(is_for_good=False)
    op.drop_table("columnar_erasure")
    op.drop_table("columnar_mark")
    with op.batch_alter_table("columnar_file", schema=None) as batch_op:
        batch_op.drop_index("ix_columnar_file_state")
    op.drop_table("columnar_file")


def _count_events_up(*, is_for_good: bool) -> None:
    # SQLite gives the highest id again once its row is deleted, unless told otherwise.
    if op.get_bind().dialect.name == "sqlite":
        kwargs = {"sqlite_autoincrement": is_for_good}
        with op.batch_alter_table("event", recreate="always", table_kwargs=kwargs):
            pass
