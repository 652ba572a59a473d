"""find the few who were forgotten without reading everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

FORGOTTEN = sa.text("erased_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_visitor_erased",
        "visitor",
        ["erased_at"],
        sqlite_where=FORGOTTEN,
        postgresql_where=FORGOTTEN,
    )


def downgrade() -> None:
    op.drop_index("ix_visitor_erased", "visitor")
